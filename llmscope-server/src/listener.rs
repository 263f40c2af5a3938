//! Accepts connections and serves each in its own task, until the service shuts down.

use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tower::ServiceExt as _;

use crate::access::Peer;
use crate::shutdown::Shutdown;
use crate::stalled::Unstalled;

/// How long a request's head may take, so that silent clients do not hold connections.
const HEAD_TIMEOUT: Duration = Duration::from_secs(15);
/// How long a write of an answer may wait for its client.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long running requests may take when the service shuts down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait when the process cannot open more files.
const NO_FILES_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections until the service shuts down, and then lets running requests finish.
pub(crate) async fn listen(listener: TcpListener, router: Router, connections: usize, mut shutdown: Shutdown) {
    let places = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.wait() => break,
            accepted = accept(&listener, &places) => accepted,
        };
        let Some((stream, peer, place)) = accepted else { continue };
        let router = router.clone();
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(peer);
            router.clone().oneshot(request)
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(Unstalled::new(stream, WRITE_TIMEOUT)), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // A client that disconnects is not an error of the service.
            let _ = watched.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(SHUTDOWN_TIMEOUT, graceful.shutdown()).await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// Accepts the next connection, once fewer than the maximum are open.
async fn accept(listener: &TcpListener, places: &Arc<Semaphore>) -> Option<(TcpStream, Peer, Place)> {
    let place = places.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, address)) => {
            let _ = stream.set_nodelay(true);
            Some((stream, Peer(address.ip().to_canonical()), place))
        }
        Err(error) => {
            let is_theirs = matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset);
            if !is_theirs {
                tracing::error!(%error, "cannot accept a connection");
                tokio::time::sleep(NO_FILES_PAUSE).await;
            }
            None
        }
    }
}
