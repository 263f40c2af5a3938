//! HTTP/1.1 over a socket, with one response at a time on a connection, so that each arrival belongs to one response.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use ::http::{Request, Response};
use bytes::Bytes;
use futures_util::future::join_all;
use http_body_util::Full;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};

use super::connect::OpenedConnection;
use super::stamped::Stamps;
use super::{ConnectionTimings, Connector, Exchange, Frame, Gauges, Head, Transport};
use crate::failure::{Failure, FailureKind};

/// Time limit for opening connections in advance. If it expires, the requests open them.
const PREPARE_LIMIT: Duration = Duration::from_secs(2);

/// A reused connection that closes this soon after a request, without a byte of a response, was closed before the
/// request arrived: both crossed on the network. The request is sent once more over a new connection, as curl does.
/// This is common with llama.cpp, which announces keep-alive and closes each connection after its stream.
const KEEP_ALIVE_RACE: Duration = Duration::from_secs(1);

/// A transport to one origin.
#[derive(Clone)]
pub struct HttpTransport {
    pool: Arc<Pool>,
}

struct Pool {
    connector: Connector,
    reuse: bool,
    idle: Mutex<Vec<Connection>>,
    gauges: Arc<Gauges>,
}

impl std::fmt::Debug for HttpTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpTransport").field("connector", &self.pool.connector).finish_non_exhaustive()
    }
}

impl HttpTransport {
    /// A transport that opens connections through `connector`, and reuses them if `reuse` is true.
    #[must_use]
    pub fn new(connector: Connector, reuse: bool) -> Self {
        let gauges = Arc::new(Gauges::default());
        Self { pool: Arc::new(Pool { connector, reuse, idle: Mutex::new(Vec::new()), gauges }) }
    }

    /// Measurements of the connections and of the client machine.
    #[must_use]
    pub fn gauges(&self) -> Arc<Gauges> {
        self.pool.gauges.clone()
    }
}

/// An open connection and its HTTP driver. The driver makes progress only when polled, which the request that uses the
/// connection does: no second task has to wake up for each chunk.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
    finished: bool,
    stamps: Arc<Stamps>,
    timings: ConnectionTimings,
}

impl Connection {
    async fn of(opened: OpenedConnection) -> Result<Self, Failure> {
        let io = TokioIo::new(opened.stream);
        let (sender, driver) = http1::handshake(io).await.map_err(|error| before_response(&error))?;
        let (stamps, timings) = (opened.stamps, opened.timings);
        Ok(Self { sender, driver: Box::pin(driver), finished: false, stamps, timings })
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.finished {
            self.finished = self.driver.as_mut().poll(cx).is_ready();
        }
    }

    /// True if the connection can take another request.
    async fn is_usable(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(!self.finished && self.sender.is_ready())
        })
        .await
    }

    /// Returns the head of the response, or the request if none of it was sent.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, SendError> {
        let mut response = pin!(self.sender.try_send_request(request));
        let (driver, finished) = (&mut self.driver, &mut self.finished);
        let sent = poll_fn(|cx| {
            if !*finished {
                *finished = driver.as_mut().poll(cx).is_ready();
            }
            response.as_mut().poll(cx)
        });
        sent.await.map_err(|mut error| match error.take_message() {
            Some(request) => SendError::NotSent(Box::new(request)),
            None => SendError::Lost(before_response(error.error())),
        })
    }
}

enum SendError {
    /// Nothing of the request was written, so another connection can carry it.
    NotSent(Box<Request<Full<Bytes>>>),
    /// The endpoint may have received the request.
    Lost(Failure),
}

impl Pool {
    async fn send(self: &Arc<Self>, request: Request<Bytes>) -> Result<HttpExchange, Failure> {
        let mut request = request.map(Full::new);
        let mut retried = false;
        loop {
            let idle = if retried { None } else { self.idle_connection().await };
            let mut connection = match idle {
                Some(connection) => connection,
                None => self.open().await?,
            };
            let reused = connection.timings.reused;
            let replay = reused.then(|| (request.clone(), Instant::now(), connection.stamps.last_read()));
            match (connection.send(request).await, replay) {
                (Ok(response), _) => return Ok(HttpExchange::new(self.clone(), connection, response)),
                // The endpoint closed an idle connection, which is not a failure of this request.
                (Err(SendError::NotSent(unsent)), Some(_)) => request = *unsent,
                (Err(SendError::NotSent(_)), None) => {
                    return Err(Failure::new(
                        FailureKind::Connection,
                        "the connection closed before the request was written",
                    ));
                }
                (Err(SendError::Lost(_)), Some((original, sent_at, last_read)))
                    if connection.stamps.last_read() == last_read && sent_at.elapsed() < KEEP_ALIVE_RACE =>
                {
                    (request, retried) = (original, true);
                }
                (Err(SendError::Lost(failure)), _) => return Err(failure),
            }
        }
    }

    async fn open(&self) -> Result<Connection, Failure> {
        Connection::of(self.connector.open(&self.gauges).await?).await
    }

    async fn idle_connection(&self) -> Option<Connection> {
        loop {
            let candidate = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut connection = candidate?;
            if connection.is_usable().await {
                connection.timings = ConnectionTimings { reused: true, ..ConnectionTimings::default() };
                self.gauges.reused_one();
                return Some(connection);
            }
        }
    }

    fn keep(&self, connection: Connection) {
        if self.reuse && !connection.finished {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        }
    }
}

impl Transport for HttpTransport {
    type Exchange = HttpExchange;

    async fn send(&self, request: Request<Bytes>) -> Result<HttpExchange, Failure> {
        self.pool.send(request).await
    }

    async fn prepare(&self, connections: usize) {
        if self.pool.reuse {
            let idle = self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).len();
            let missing = 0..connections.saturating_sub(idle);
            let opened = join_all(missing.map(|_| timeout(PREPARE_LIMIT, self.pool.open()))).await;
            opened.into_iter().flatten().flatten().for_each(|connection| self.pool.keep(connection));
        }
    }
}

/// A response that arrives over a socket.
pub struct HttpExchange {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    body: Incoming,
    head: Head,
    timings: ConnectionTimings,
    last_arrival: Instant,
}

impl HttpExchange {
    fn new(pool: Arc<Pool>, connection: Connection, response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let at = connection.stamps.last_read();
        let timings = ConnectionTimings { written_at: connection.stamps.last_written(), ..connection.timings };
        let head = Head { status: head.status, headers: head.headers, at };
        Self { pool, connection: Some(connection), body, head, timings, last_arrival: at }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame, Failure>>> {
        let Some(connection) = &mut self.connection else { return Poll::Ready(None) };
        loop {
            connection.drive(cx);
            match Pin::new(&mut self.body).poll_frame(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => {
                    self.last_arrival = connection.stamps.last_read();
                    connection.drive(cx);
                    if let Some(connection) = self.connection.take() {
                        self.pool.keep(connection);
                    }
                    return Poll::Ready(None);
                }
                Poll::Ready(Some(Err(error))) => {
                    self.connection = None;
                    return Poll::Ready(Some(Err(within_response(&error))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let at = connection.stamps.last_read();
                    // Trailers are not data.
                    if let Ok(bytes) = frame.into_data() {
                        self.last_arrival = at;
                        return Poll::Ready(Some(Ok(Frame { at, bytes })));
                    }
                }
            }
        }
    }
}

impl Exchange for HttpExchange {
    fn head(&self) -> &Head {
        &self.head
    }

    fn connection_timings(&self) -> ConnectionTimings {
        self.timings
    }

    async fn next(&mut self) -> Option<Result<Frame, Failure>> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    fn last_arrival(&self) -> Instant {
        self.last_arrival
    }
}

/// An error before the head of the response.
fn before_response(error: &hyper::Error) -> Failure {
    let kind = if error.is_parse() { FailureKind::Malformed } else { FailureKind::Connection };
    Failure::new(kind, describe(error))
}

/// An error within the body of the response: the body is cut, or it is not valid HTTP.
fn within_response(error: &hyper::Error) -> Failure {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_wrong = |error: &io::Error| matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    let kind = if cause.is_some_and(is_wrong) { FailureKind::Malformed } else { FailureKind::Cut };
    Failure::new(kind, describe(error))
}

/// The message of hyper, with that of the operating system.
fn describe(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}
