//! The transport to an endpoint: HTTP over a socket, or a simulation without one.

mod call;
mod connect;
mod gauges;
mod http;
mod proxy;
mod stamped;

use std::future::Future;

use ::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use tokio::time::Instant;

pub(crate) use self::call::{call, request, request_json};
pub use self::connect::{Connector, Origin};
pub use self::gauges::Gauges;
pub use self::http::HttpTransport;
use crate::failure::Failure;

/// Sends requests. This trait separates a run from the network.
pub trait Transport: Send + Sync + 'static {
    /// One request and its response.
    type Exchange: Exchange;

    /// Sends a request and waits for the head of its response.
    ///
    /// # Errors
    /// The [`Failure`] if no response began.
    fn send(&self, request: Request<Bytes>) -> impl Future<Output = Result<Self::Exchange, Failure>> + Send;

    /// Opens `connections` connections for later requests, if connections are reused. Errors are ignored here: the
    /// requests report them.
    fn prepare(&self, connections: usize) -> impl Future<Output = ()> + Send {
        let _ = connections;
        std::future::ready(())
    }
}

/// The response to one request, while it arrives.
pub trait Exchange: Send {
    /// The status and headers.
    fn head(&self) -> &Head;

    /// The timings of the connection.
    fn connection_timings(&self) -> ConnectionTimings;

    /// The next bytes of the body; `None` at its end.
    ///
    /// # Errors
    /// The [`Failure`] that ended the body early.
    fn next(&mut self) -> impl Future<Output = Option<Result<Frame, Failure>>> + Send;

    /// When the last bytes arrived. It is the end of the stream once [`Exchange::next`] returned `None`.
    fn last_arrival(&self) -> Instant;
}

/// The head of a response.
#[derive(Debug, Clone)]
pub struct Head {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// When its last byte arrived.
    pub at: Instant,
}

/// Bytes of a body with the time of their arrival, taken before they were read.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When they arrived.
    pub at: Instant,
    /// The bytes.
    pub bytes: Bytes,
}

/// The timings of a connection. Durations are absent if the connection was reused.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ConnectionTimings {
    /// Time to resolve the name.
    pub dns_s: Option<f64>,
    /// Time to open the TCP connection, including the tunnel of a proxy.
    pub tcp_s: Option<f64>,
    /// Time for the TLS handshake.
    pub tls_s: Option<f64>,
    /// True if the connection was opened by an earlier request.
    pub reused: bool,
    /// When the last byte of the request was written.
    pub written_at: Option<Instant>,
}

impl ConnectionTimings {
    /// Time to a usable connection: name, TCP and TLS.
    #[must_use]
    pub fn connect_s(&self) -> Option<f64> {
        self.tcp_s.map(|tcp_s| self.dns_s.unwrap_or(0.0) + tcp_s + self.tls_s.unwrap_or(0.0))
    }
}
