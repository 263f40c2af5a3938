//! HTTP/1.1 over a socket of our own: one answer at a time on a connection, so that arrivals belong to that answer.

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

use super::connect::Opened;
use super::stamped::Stamps;
use super::{Connector, Exchange, Frame, Gauges, Head, Journey, Transport};
use crate::failure::{Failure, FailureKind};

/// An endpoint that takes longer to be reached is reached by the requests themselves.
const PREPARATION: Duration = Duration::from_secs(2);

/// A kept connection that ends so soon after a request, with not a byte of an answer, was closed before the request
/// came: the two crossed on their way. It is asked once more, over a new connection, as curl does. llama.cpp promises
/// to keep connections and closes each after its stream, so that for it this is no rare event.
const CROSSING: Duration = Duration::from_secs(1);

/// Requests to one origin.
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
    /// A transport that opens connections through `connector` and keeps them for later requests if `reuse` is true.
    #[must_use]
    pub fn new(connector: Connector, reuse: bool) -> Self {
        let gauges = Arc::new(Gauges::default());
        Self { pool: Arc::new(Pool { connector, reuse, idle: Mutex::new(Vec::new()), gauges }) }
    }

    /// What it notices about the machine.
    #[must_use]
    pub fn gauges(&self) -> Arc<Gauges> {
        self.pool.gauges.clone()
    }
}

/// An open connection with the machinery that moves its bytes. Nothing moves unless it is polled, which the one
/// request that uses it does: there is no second task to wake for every chunk.
struct Connection {
    sender: http1::SendRequest<Full<Bytes>>,
    driver: Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>,
    finished: bool,
    stamps: Arc<Stamps>,
    journey: Journey,
}

impl Connection {
    async fn of(opened: Opened) -> Result<Self, Failure> {
        let io = TokioIo::new(opened.stream);
        let (sender, driver) = http1::handshake(io).await.map_err(|error| before_answer(&error))?;
        let (stamps, journey) = (opened.stamps, opened.journey);
        Ok(Self { sender, driver: Box::pin(driver), finished: false, stamps, journey })
    }

    fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.finished {
            self.finished = self.driver.as_mut().poll(cx).is_ready();
        }
    }

    /// True if the next request may go over it.
    async fn is_usable(&mut self) -> bool {
        poll_fn(|cx| {
            self.drive(cx);
            Poll::Ready(!self.finished && self.sender.is_ready())
        })
        .await
    }

    /// The head of the answer, or the request back if none of it was sent.
    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Unsent> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let (driver, finished) = (&mut self.driver, &mut self.finished);
        let answered = poll_fn(|cx| {
            if !*finished {
                *finished = driver.as_mut().poll(cx).is_ready();
            }
            answer.as_mut().poll(cx)
        });
        answered.await.map_err(|mut error| match error.take_message() {
            Some(request) => Unsent::Whole(Box::new(request)),
            None => Unsent::Lost(before_answer(error.error())),
        })
    }
}

enum Unsent {
    /// Nothing of the request was written: another connection may carry it.
    Whole(Box<Request<Full<Bytes>>>),
    /// The endpoint may have seen it.
    Lost(Failure),
}

impl Pool {
    async fn send(self: &Arc<Self>, request: Request<Bytes>) -> Result<HttpExchange, Failure> {
        let mut request = request.map(Full::new);
        let mut crossed = false;
        loop {
            let kept = if crossed { None } else { self.idle_connection().await };
            let mut connection = match kept {
                Some(connection) => connection,
                None => self.open().await?,
            };
            let reused = connection.journey.reused;
            let spare = reused.then(|| (request.clone(), Instant::now(), connection.stamps.last_read()));
            match (connection.send(request).await, spare) {
                (Ok(response), _) => return Ok(HttpExchange::new(self.clone(), connection, response)),
                // The endpoint closed a kept connection just now: that is no failure of this request.
                (Err(Unsent::Whole(unsent)), Some(_)) => request = *unsent,
                (Err(Unsent::Whole(_)), None) => {
                    return Err(Failure::new(FailureKind::Connection, "closed before the request was written"));
                }
                (Err(Unsent::Lost(_)), Some((unanswered, sent_at, last_read)))
                    if connection.stamps.last_read() == last_read && sent_at.elapsed() < CROSSING =>
                {
                    (request, crossed) = (unanswered, true);
                }
                (Err(Unsent::Lost(failure)), _) => return Err(failure),
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
                connection.journey = Journey { reused: true, ..Journey::default() };
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
            let opened = join_all(missing.map(|_| timeout(PREPARATION, self.pool.open()))).await;
            opened.into_iter().flatten().flatten().for_each(|connection| self.pool.keep(connection));
        }
    }
}

/// An answer that arrives over a socket.
pub struct HttpExchange {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    body: Incoming,
    head: Head,
    journey: Journey,
    last_arrival: Instant,
}

impl HttpExchange {
    fn new(pool: Arc<Pool>, connection: Connection, response: Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        let at = connection.stamps.last_read();
        let journey = Journey { written_at: connection.stamps.last_written(), ..connection.journey };
        let head = Head { status: head.status, headers: head.headers, at };
        Self { pool, connection: Some(connection), body, head, journey, last_arrival: at }
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
                    return Poll::Ready(Some(Err(within_answer(&error))));
                }
                Poll::Ready(Some(Ok(frame))) => {
                    let at = connection.stamps.last_read();
                    // Trailers are no data.
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

    fn journey(&self) -> Journey {
        self.journey
    }

    async fn next(&mut self) -> Option<Result<Frame, Failure>> {
        poll_fn(|cx| self.poll_frame(cx)).await
    }

    fn last_arrival(&self) -> Instant {
        self.last_arrival
    }
}

/// What broke before the head of an answer was there.
fn before_answer(error: &hyper::Error) -> Failure {
    let kind = if error.is_parse() { FailureKind::Malformed } else { FailureKind::Connection };
    Failure::new(kind, words_of(error))
}

/// What broke within the body of an answer: it ends too early, unless what came is no HTTP.
fn within_answer(error: &hyper::Error) -> Failure {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    let is_wrong = |error: &io::Error| matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData);
    let kind = if cause.is_some_and(is_wrong) { FailureKind::Malformed } else { FailureKind::Cut };
    Failure::new(kind, words_of(error))
}

/// hyper's words, with the operating system's.
fn words_of(error: &hyper::Error) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("{error}{cause}")
}
