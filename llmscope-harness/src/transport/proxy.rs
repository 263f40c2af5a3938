//! Proxies for encrypted connections: `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, interpreted as curl does.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::IpAddr;
use std::task::{Context, Poll};

use ::http::{HeaderValue, Uri};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tower_service::Service;

use super::Origin;
use crate::error::{Error, Result};
use crate::failure::{Failure, FailureKind};

/// An HTTP proxy that opens a tunnel to one destination.
#[derive(Debug, Clone)]
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    uri: Uri,
    authorization: Option<HeaderValue>,
    destination: Uri,
}

impl Proxy {
    /// The proxy that the environment sets for an encrypted destination. Unencrypted destinations are reached directly.
    pub(super) fn from_environment(destination: &Origin) -> Result<Option<Self>> {
        if !destination.tls || is_loopback(&destination.host) {
            return Ok(None);
        }
        let host =
            if destination.host.contains(':') { format!("[{}]", destination.host) } else { destination.host.clone() };
        let Ok(destination) = format!("https://{host}:{}", destination.port).parse::<Uri>() else { return Ok(None) };
        let Some(intercept) = Matcher::from_env().intercept(&destination) else { return Ok(None) };
        let uri = intercept.uri().clone();
        // The value is not shown, as it can contain a password.
        let refuse = || Error::Url { url: "HTTPS_PROXY".to_owned(), problem: "expected http://HOST:PORT" };
        let is_http = uri.scheme_str() == Some("http");
        let host = uri.host().filter(|_| is_http).ok_or_else(refuse)?.trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or(80);
        Ok(Some(Self { host, port, authorization: intercept.basic_auth().cloned(), uri, destination }))
    }

    /// Opens a tunnel through a connection to the proxy.
    pub(super) async fn tunnel<S>(&self, stream: S) -> Result<S, Failure>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let mut tunnel = Tunnel::new(self.uri.clone(), Connected(Some(TokioIo::new(stream))));
        if let Some(authorization) = &self.authorization {
            tunnel = tunnel.with_auth(authorization.clone());
        }
        let opened = tunnel.call(self.destination.clone()).await;
        let Self { host, port, .. } = self;
        let refused = |error| Failure::new(FailureKind::Connection, format!("proxy {host}:{port}: {error}"));
        opened.map(TokioIo::into_inner).map_err(refused)
    }
}

/// Loopback addresses are never reached through a proxy.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// A connector that returns an existing connection.
struct Connected<S>(Option<S>);

impl<S> Service<Uri> for Connected<S> {
    type Response = S;
    type Error = Infallible;
    type Future = Ready<Result<S, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let stream = self.0.take();
        ready(Ok(stream.unwrap_or_else(|| unreachable!("a tunnel is opened once"))))
    }
}
