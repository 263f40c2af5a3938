//! A server that executes a script, valid or not, and records the requests that it receives.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

/// A step of the response to a request. After the last step the server reads the next request.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Sends single bytes with a pause after each.
    Drip(Vec<u8>, Duration),
    /// Sends the same bytes repeatedly while the client reads.
    Flood(Vec<u8>),
    Pause(Duration),
    /// Blocks the server on all connections for this time.
    Block(Duration),
    /// Closes the write side and keeps reading.
    HalfClose,
    /// Keeps the connection open without sending.
    Hang,
    Close,
    /// Closes with RST.
    Reset,
}

pub(crate) type Script = Vec<Step>;

/// A received request.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) bytes: Vec<u8>,
    pub(crate) at: Instant,
    pub(crate) wall: SystemTime,
}

#[derive(Debug, Default)]
struct Log {
    requests: Vec<Received>,
    connections: usize,
    flooded: usize,
}

type Play = Arc<dyn Fn(usize) -> Script + Send + Sync>;

/// Runs until it is dropped.
pub(crate) struct Server {
    pub(crate) port: u16,
    log: Arc<Mutex<Log>>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Closed,
    Reset,
}

impl Server {
    /// The n-th script, from 0, responds to the n-th request.
    pub(crate) fn new(play: impl Fn(usize) -> Script + Send + Sync + 'static) -> Self {
        Self::start(Arc::new(play), None)
    }

    /// The same script responds to every request.
    pub(crate) fn always(script: Script) -> Self {
        Self::new(move |_| script.clone())
    }

    pub(crate) fn with_tls(config: ServerConfig, script: Script) -> Self {
        Self::start(Arc::new(move |_| script.clone()), Some(TlsAcceptor::from(Arc::new(config))))
    }

    fn start(play: Play, tls: Option<TlsAcceptor>) -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let log = Arc::new(Mutex::new(Log::default()));
        let (stop, mut stopped) = oneshot::channel();
        let server_log = log.clone();
        let serve = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                loop {
                    tokio::select! {
                        _ = &mut stopped => break,
                        accepted = listener.accept() => {
                            server_log.lock().unwrap().connections += 1;
                            let (socket, _) = accepted.unwrap();
                            tokio::spawn(serve_connection(socket, tls.clone(), play.clone(), server_log.clone()));
                        }
                    }
                }
            });
        };
        let thread = Some(std::thread::spawn(serve));
        Self { port, log, stop: Some(stop), thread }
    }

    /// The received requests, in order of arrival.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.log.lock().unwrap().requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.log.lock().unwrap().connections
    }

    /// Number of bytes of floods that were sent.
    pub(crate) fn flooded(&self) -> usize {
        self.log.lock().unwrap().flooded
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        let ended = self.thread.take().map(JoinHandle::join);
        assert!(std::thread::panicking() || matches!(ended, Some(Ok(()))), "the server panicked");
    }
}

async fn serve_connection(mut socket: TcpStream, tls: Option<TlsAcceptor>, play: Play, log: Arc<Mutex<Log>>) {
    socket.set_nodelay(true).unwrap();
    match tls {
        None => {
            if serve_requests(&mut socket, &play, &log).await == End::Reset {
                socket.set_zero_linger().unwrap();
            }
        }
        Some(acceptor) => {
            if let Ok(mut stream) = acceptor.accept(socket).await {
                serve_requests(&mut stream, &play, &log).await;
            }
        }
    }
}

async fn serve_requests<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S, play: &Play, log: &Mutex<Log>) -> End {
    while let Some(bytes) = read_request(stream).await {
        let number = {
            let requests = &mut log.lock().unwrap().requests;
            requests.push(Received { bytes, at: Instant::now(), wall: SystemTime::now() });
            requests.len() - 1
        };
        for step in play(number) {
            match perform(step, stream, log).await {
                Ok(None) => {}
                Ok(Some(end)) => return end,
                Err(_) => return End::Closed,
            }
        }
    }
    End::Closed
}

async fn perform<S>(step: Step, stream: &mut S, log: &Mutex<Log>) -> std::io::Result<Option<End>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match step {
        Step::Send(bytes) => {
            stream.write_all(&bytes).await?;
            stream.flush().await?;
        }
        Step::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                stream.flush().await?;
                sleep(pause).await;
            }
        }
        Step::Flood(bytes) => loop {
            stream.write_all(&bytes).await?;
            log.lock().unwrap().flooded += bytes.len();
        },
        Step::Pause(pause) => sleep(pause).await,
        Step::Block(pause) => std::thread::sleep(pause),
        Step::HalfClose => stream.shutdown().await?,
        Step::Hang => {
            while stream.read(&mut [0; 1024]).await? > 0 {}
            return Ok(Some(End::Closed));
        }
        Step::Close => return Ok(Some(End::Closed)),
        Step::Reset => return Ok(Some(End::Reset)),
    }
    Ok(None)
}

/// Reads head and body; `None` if the client disconnected.
async fn read_request<S: AsyncRead + Unpin>(stream: &mut S) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(length) = request_length(&bytes).filter(|&length| bytes.len() >= length) {
            assert_eq!(bytes.len(), length, "a client sends no request before the response to the last one");
            return Some(bytes);
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    Some(head + body.unwrap_or(0))
}
