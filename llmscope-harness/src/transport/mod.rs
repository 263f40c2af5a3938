//! The way to an endpoint and back: HTTP over a real socket, or a simulation that answers without one.

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

pub(crate) use self::call::{ask_for_json, call, request};
pub use self::connect::{Connector, Origin};
pub use self::gauges::Gauges;
pub use self::http::HttpTransport;
use crate::failure::Failure;

/// Sends requests. The seam between a run and the network.
pub trait Transport: Send + Sync + 'static {
    /// One request on its way.
    type Exchange: Exchange;

    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// The [`Failure`] that kept an answer from beginning.
    fn send(&self, request: Request<Bytes>) -> impl Future<Output = Result<Self::Exchange, Failure>> + Send;

    /// Opens so many connections for requests to come, where connections are kept. What cannot be opened is left to the
    /// requests, which will say so.
    fn prepare(&self, connections: usize) -> impl Future<Output = ()> + Send {
        let _ = connections;
        std::future::ready(())
    }
}

/// The answer to one request while it arrives.
pub trait Exchange: Send {
    /// What came first.
    fn head(&self) -> &Head;

    /// How the request got there.
    fn journey(&self) -> Journey;

    /// The next bytes of the body; `None` after the last.
    ///
    /// # Errors
    /// The [`Failure`] that cut the body.
    fn next(&mut self) -> impl Future<Output = Option<Result<Frame, Failure>>> + Send;

    /// When the last bytes arrived: the end of the stream once [`Exchange::next`] has said `None`.
    fn last_arrival(&self) -> Instant;
}

/// The head of an answer.
#[derive(Debug, Clone)]
pub struct Head {
    /// The HTTP status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// When its last byte had arrived.
    pub at: Instant,
}

/// Bytes of a body, stamped with their arrival before anybody looked into them.
#[derive(Debug, Clone)]
pub struct Frame {
    /// When they arrived.
    pub at: Instant,
    /// The bytes.
    pub bytes: Bytes,
}

/// How a request got to the endpoint. Durations are absent where an earlier request had opened the connection.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Journey {
    /// Time to resolve the name.
    pub dns_s: Option<f64>,
    /// Time to open the connection, and the tunnel where a proxy is in the way.
    pub tcp_s: Option<f64>,
    /// Time for the TLS handshake.
    pub tls_s: Option<f64>,
    /// True if an earlier request had opened the connection.
    pub reused: bool,
    /// When the request's last byte was written.
    pub written_at: Option<Instant>,
}

impl Journey {
    /// Time to a usable connection.
    #[must_use]
    pub fn connect_s(&self) -> Option<f64> {
        self.tcp_s.map(|tcp_s| self.dns_s.unwrap_or(0.0) + tcp_s + self.tls_s.unwrap_or(0.0))
    }
}
