//! Opening a connection: name, TCP, TLS, each with its time.

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
use super::{Gauges, Journey};
use crate::error::{Error, Result};
use crate::failure::{Failure, FailureKind};

/// Both directions of an open connection, encrypted or not.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A connection that was just opened.
pub(super) struct Opened {
    pub(super) stream: Box<dyn Stream>,
    pub(super) stamps: Arc<Stamps>,
    pub(super) journey: Journey,
}

/// Where an endpoint is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its host, a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// True for `https`.
    pub tls: bool,
}

impl Origin {
    /// The origin of a URL.
    ///
    /// # Errors
    /// [`Error::Url`] for anything but `http` and `https`, and for a URL that carries a password.
    pub fn of(url: &Url) -> Result<Self> {
        let refuse = |problem: &'static str| Error::Url { url: without_secrets(url), problem };
        let tls = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(refuse("expected http:// or https://")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refuse("a URL is no place for a password: set the vendor's variable in the environment"));
        }
        let host = url.host_str().ok_or_else(|| refuse("it names no host"))?;
        let port = url.port_or_known_default().ok_or_else(|| refuse("it names no port"))?;
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, tls })
    }
}

/// A URL as it may be shown: without user, password and query.
fn without_secrets(url: &Url) -> String {
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
    /// A connector that gives up after `limit`. `roots` is a PEM file of certificates to trust beside the system's.
    ///
    /// # Errors
    /// [`Error::Tls`] if the certificates cannot be read or the host is no valid name; [`Error::Url`] for a proxy in the
    /// environment that is none.
    pub fn new(origin: Origin, limit: Duration, roots: Option<&std::path::Path>) -> Result<Self> {
        let tls = if origin.tls { Some(tls(&origin.host, roots)?) } else { None };
        let proxy = Proxy::from_environment(&origin)?;
        Ok(Self { origin, tls, proxy, limit })
    }

    pub(super) async fn open(&self, gauges: &Arc<Gauges>) -> Result<Opened, Failure> {
        let late = |_| Failure::new(FailureKind::Timeout, format!("not connected within {:?}", self.limit));
        timeout(self.limit, self.open_at_leisure(gauges)).await.map_err(late)?
    }

    async fn open_at_leisure(&self, gauges: &Arc<Gauges>) -> Result<Opened, Failure> {
        let begun = Instant::now();
        let addresses = self.resolve().await?;
        let resolved = Instant::now();
        let socket = first_to_answer(&addresses).await?;
        // Small requests and small chunks must not wait for each other.
        let _ = socket.set_nodelay(true);
        let mut stamped = Stamped::new(socket, gauges.clone());
        let stamps = stamped.stamps();
        if let Some(proxy) = &self.proxy {
            stamped = proxy.tunnel(stamped).await?;
        }
        let connected = Instant::now();
        let mut journey = Journey {
            dns_s: Some((resolved - begun).as_secs_f64()),
            tcp_s: Some((connected - resolved).as_secs_f64()),
            ..Journey::default()
        };
        let stream: Box<dyn Stream> = match &self.tls {
            None => Box::new(stamped),
            Some((connector, name)) => {
                let handshake = connector.connect(name.clone(), stamped).await;
                let stream = handshake.map_err(|error| Failure::new(FailureKind::Tls, error.to_string()))?;
                journey.tls_s = Some(connected.elapsed().as_secs_f64());
                Box::new(stream)
            }
        };
        gauges.opened_one(&journey);
        Ok(Opened { stream, stamps, journey })
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

async fn first_to_answer(addresses: &[SocketAddr]) -> Result<TcpStream, Failure> {
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
        // The operating system's own verifier: no check is skipped.
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refuse(format!("{host}: {error}")))?;
    Ok((TlsConnector::from(Arc::new(config)), name))
}
