//! `GET /api/v1/events`: live events, as server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures_util::stream::{self, Stream, StreamExt as _};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::super::App;
use super::super::operation::Operation;
use crate::live::{Frame, Hello};
use crate::shutdown::Shutdown;

/// The interval of keep-alive comments, which stop proxies from closing the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The number of events that a slow reader missed.
#[derive(Serialize)]
struct Lagged {
    missed: u64,
}

/// The events for one reader.
struct EventStream {
    frames: Receiver<Arc<Frame>>,
    shutdown: Shutdown,
    /// The first message, until it is sent.
    hello: Option<Message>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/events", "Stream live events (server-sent events)", events)
            .response_type("text/event-stream"),
    ]
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let hello = Hello { at: Timestamp::now(), version: env!("CARGO_PKG_VERSION") };
    let stream =
        EventStream { frames: app.live.subscribe(), shutdown: app.shutdown.clone(), hello: message("hello", &hello) };
    let messages = stream::unfold(stream, async |mut stream| {
        let message = stream.next().await?;
        Some((Ok(message), stream))
    });
    Sse::new(messages.fuse()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl EventStream {
    /// The next message; `None` when the service shuts down.
    async fn next(&mut self) -> Option<Message> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        tokio::select! {
            biased;
            () = self.shutdown.wait() => None,
            frame = self.frames.recv() => match frame {
                Ok(frame) => Some(Message::default().event(frame.name).data(&frame.data)),
                Err(RecvError::Lagged(missed)) => message("lagged", &Lagged { missed }),
                Err(RecvError::Closed) => None,
            },
        }
    }
}

fn message(name: &str, data: &impl Serialize) -> Option<Message> {
    Message::default().event(name).json_data(data).ok()
}
