//! Opens a connection and measures its phases: name resolution, TCP and TLS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls_platform_verifier::Verifier;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use url::Url;

use super::proxy::Proxy;
use super::stamped::{Stamped, Stamps};
use super::{ConnectionTimings, Gauges};
use crate::error::{Error, Result};
use crate::failure::{Failure, FailureKind};

/// An open connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A newly opened connection.
pub(super) struct OpenedConnection {
    pub(super) stream: Box<dyn Stream>,
    pub(super) stamps: Arc<Stamps>,
    pub(super) timings: ConnectionTimings,
}

/// The host and port of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Host: a name or an address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// True for `https`.
    pub tls: bool,
}

impl Origin {
    /// The origin of a URL.
    ///
    /// # Errors
    /// [`Error::Url`] for a scheme other than `http` and `https`, and for a URL that contains a password.
    pub fn of(url: &Url) -> Result<Self> {
        let refuse = |problem: &'static str| Error::Url { url: redacted(url), problem };
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(refuse("expected http:// or https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse(
                "expected a URL without user and password: set the key in the vendor's environment variable",
            ));
        }
        let host = url.host_str().ok_or_else(|| refuse("expected a URL with a host"))?;
        let port = url.port_or_known_default().ok_or_else(|| refuse("expected a URL with a port"))?;
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, tls })
    }
}

/// A URL without its user, password and query, to be shown in messages.
fn redacted(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_password(None);
    let _ = shown.set_username("");
    shown.set_query(None);
    shown.to_string()
}

/// Opens connections to one origin.
#[derive(Clone)]
pub struct Connector {
    origin: Origin,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    proxy: Option<Proxy>,
    limit: Duration,
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").field("origin", &self.origin).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Connector {
    /// A connector that gives up after `limit`. `roots` is a PEM file of certificates to trust in addition to the
    /// system's.
    ///
    /// # Errors
    /// [`Error::Tls`] if the certificates cannot be read or the host name is invalid; [`Error::Url`] for an invalid
    /// proxy in the environment.
    pub fn new(origin: Origin, limit: Duration, roots: Option<&std::path::Path>) -> Result<Self> {
        let tls = if origin.tls { Some(tls(&origin.host, roots)?) } else { None };
        let proxy = Proxy::from_environment(&origin)?;
        Ok(Self { origin, tls, proxy, limit })
    }

    pub(super) async fn open(&self, gauges: &Arc<Gauges>) -> Result<OpenedConnection, Failure> {
        let timed_out = |_| Failure::new(FailureKind::Timeout, format!("no connection within {:?}", self.limit));
        timeout(self.limit, self.open_without_limit(gauges)).await.map_err(timed_out)?
    }

    async fn open_without_limit(&self, gauges: &Arc<Gauges>) -> Result<OpenedConnection, Failure> {
        let started = Instant::now();
        let addresses = self.resolve().await?;
        let resolved = Instant::now();
        let socket = connect_first(&addresses).await?;
        // Disable Nagle's algorithm, so that small requests and chunks are sent at once.
        let _ = socket.set_nodelay(true);
        let mut stamped = Stamped::new(socket, gauges.clone());
        let stamps = stamped.stamps();
        if let Some(proxy) = &self.proxy {
            stamped = proxy.tunnel(stamped).await?;
        }
        let connected = Instant::now();
        let mut timings = ConnectionTimings {
            dns_s: Some((resolved - started).as_secs_f64()),
            tcp_s: Some((connected - resolved).as_secs_f64()),
            ..ConnectionTimings::default()
        };
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stamped),
            Some((connector, name)) => {
                let handshake = connector.connect(name.clone(), stamped).await;
                let stream = handshake.map_err(|error| Failure::new(FailureKind::Tls, error.to_string()))?;
                timings.tls_s = Some(connected.elapsed().as_secs_f64());
                Box::new(stream)
            }
        };
        gauges.opened_one(&timings);
        Ok(OpenedConnection { stream, stamps, timings })
    }

    async fn resolve(&self) -> Result<Vec<SocketAddr>, Failure> {
        let (host, port) = match &self.proxy {
            Some(proxy) => (&proxy.host, &proxy.port),
            None => (&self.origin.host, &self.origin.port),
        };
        let unknown = |why: &str| Failure::new(FailureKind::Dns, format!("cannot resolve {host}: {why}"));
        let found = tokio::net::lookup_host((host.as_str(), *port)).await;
        let addresses: Vec<SocketAddr> = found.map_err(|error| unknown(&error.to_string()))?.collect();
        if addresses.is_empty() { Err(unknown("no address")) } else { Ok(addresses) }
    }
}

async fn connect_first(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
    let mut last = Failure::new(FailureKind::Connection, "no address to connect to");
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => {
                let refused = error.kind() == std::io::ErrorKind::ConnectionRefused;
                let kind = if refused { FailureKind::ConnectionRefused } else { FailureKind::Connection };
                last = Failure::new(kind, format!("{address}: {error}"));
            }
        }
    }
    Err(last)
}

fn tls(host: &str, roots: Option<&std::path::Path>) -> Result<(TlsConnector, ServerName<'static>)> {
    let refuse = |message: String| Error::Tls { message };
    let extra: Vec<CertificateDer<'static>> = match roots {
        None => Vec::new(),
        Some(path) => CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect)
            .map_err(|error| refuse(format!("{}: {error}", path.display())))?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier =
        Verifier::new_with_extra_roots(extra, provider.clone()).map_err(|error| refuse(error.to_string()))?;
    let mut config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| refuse(error.to_string()))?
        .dangerous()
        // The platform verifier performs all certificate checks; "dangerous" refers to replacing rustls's own verifier.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refuse(format!("{host}: {error}")))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}
