//! Connections in, one task each, until the service ends.

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
use crate::ending::Ending;

/// How long a request's head may take: a client that says nothing holds no place.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long requests under way may take when the service ends.
const FAREWELL: Duration = Duration::from_secs(5);
/// How long to wait when no more files can be opened.
const NO_FILES_PAUSE: Duration = Duration::from_millis(100);

/// Answers every connection until the service ends, and lets requests under way come to their end.
pub(crate) async fn listen(listener: TcpListener, router: Router, connections: usize, mut ending: Ending) {
    let places = Arc::new(Semaphore::new(connections));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = ending.wait() => break,
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
            .header_read_timeout(HEAD_PATIENCE)
            .serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        tokio::spawn(async move {
            // Clients go as they please: that is no error of ours.
            let _ = watched.await;
            drop(place);
        });
    }
    let _ = tokio::time::timeout(FAREWELL, graceful.shutdown()).await;
}

type Place = tokio::sync::OwnedSemaphorePermit;

/// The next connection, once there is a place for it.
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
                tracing::error!(%error, "a connection could not be taken");
                tokio::time::sleep(NO_FILES_PAUSE).await;
            }
            None
        }
    }
}
