//! `GET /api/v1/events`: what happens, as it happens, as server-sent events.

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
use crate::ending::Ending;
use crate::live::{Frame, Hello};

/// A sign of life, for whatever stands in between.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a reader missed because it was too slow.
#[derive(Serialize)]
struct Lagged {
    missed: u64,
}

/// One reader.
struct Listening {
    frames: Receiver<Arc<Frame>>,
    ending: Ending,
    /// Its greeting, until it was said.
    hello: Option<Message>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/events", "What happens, as server-sent events", events).gives_kind("text/event-stream"),
    ]
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let hello = Hello { at: Timestamp::now(), version: env!("CARGO_PKG_VERSION") };
    let listening =
        Listening { frames: app.live.listen(), ending: app.ending.clone(), hello: message("hello", &hello) };
    let messages = stream::unfold(listening, async |mut listening| {
        let message = listening.next().await?;
        Some((Ok(message), listening))
    });
    Sse::new(messages.fuse()).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl Listening {
    /// The next message; `None` when the service ends.
    async fn next(&mut self) -> Option<Message> {
        if let Some(hello) = self.hello.take() {
            return Some(hello);
        }
        tokio::select! {
            biased;
            () = self.ending.wait() => None,
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
