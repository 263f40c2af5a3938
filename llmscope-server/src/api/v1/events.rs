//! `GET /api/v1/events`: live events, as server-sent events.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::operation::Operation;
use crate::live::{Hello, message};
use crate::shutdown::Shutdown;

/// The interval of keep-alive comments, which stop proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const COMMENT: Bytes = Bytes::from_static(b":\n\n");
const TYPE: &str = "text/event-stream";

/// The number of events that a slow reader missed.
#[derive(Serialize)]
struct Lagged {
    missed: u64,
}

/// The events for one reader.
struct EventStream {
    messages: Receiver<Bytes>,
    shutdown: Shutdown,
    /// The first message, until it is sent.
    hello: Option<Bytes>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::get("/api/v1/events", "Stream live events (server-sent events)", events).response_type(TYPE)]
}

async fn events(State(app): State<App>) -> Result<Response, ApiError> {
    let hello = Hello { at: Timestamp::now(), version: env!("CARGO_PKG_VERSION") };
    let messages = app.live.subscribe();
    let messages = messages.ok_or_else(|| ApiError::Unavailable("too many clients read live events".to_owned()))?;
    let stream = EventStream { messages, shutdown: app.shutdown.clone(), hello: message("hello", &hello) };
    let messages = stream::unfold(stream, async |mut stream| {
        let message = stream.next().await?;
        Some((Ok::<_, Infallible>(message), stream))
    });
    Ok(([(CONTENT_TYPE, TYPE), (CACHE_CONTROL, "no-cache")], Body::from_stream(messages.fuse())).into_response())
}

impl EventStream {
    /// The next message; `None` when the service shuts down.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        tokio::select! {
            biased;
            () = self.shutdown.wait() => None,
            received = self.messages.recv() => match received {
                Ok(message) => Some(message),
                Err(RecvError::Lagged(missed)) => message("lagged", &Lagged { missed }),
                Err(RecvError::Closed) => None,
            },
            () = tokio::time::sleep(KEEP_ALIVE) => Some(COMMENT),
        }
    }
}
