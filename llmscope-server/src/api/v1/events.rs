//! `GET /api/v1/events`: what happens, as it happens, as server-sent events.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Message, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::Instant;

use super::super::App;
use super::super::operation::Operation;
use crate::ending::Ending;
use crate::live::{Event, Hello, Records};

/// Records are told at most so often.
const PULSE: Duration = Duration::from_millis(100);
/// A sign of life, for whatever stands in between.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a reader missed because it was too slow.
#[derive(Serialize)]
struct Lagged {
    missed: u64,
}

/// One reader.
struct Listening {
    receiver: Receiver<Arc<Event>>,
    ending: Ending,
    ready: VecDeque<Message>,
    /// Records that wait for the next pulse.
    records: Records,
    next_pulse: Instant,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/events", "What happens, as server-sent events", events).gives_kind("text/event-stream"),
    ]
}

async fn events(State(app): State<App>) -> Sse<impl Stream<Item = Result<Message, Infallible>>> {
    let hello = Hello { at: Timestamp::now(), version: env!("CARGO_PKG_VERSION") };
    let listening = Listening {
        receiver: app.live.listen(),
        ending: app.ending.clone(),
        ready: message("hello", &hello).into_iter().collect(),
        records: Records::default(),
        next_pulse: Instant::now(),
    };
    let messages = stream::unfold(listening, async |mut listening| {
        let message = listening.next().await?;
        Some((Ok(message), listening))
    });
    Sse::new(messages).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

impl Listening {
    /// The next message; `None` when the service ends.
    async fn next(&mut self) -> Option<Message> {
        loop {
            if let Some(message) = self.ready.pop_front() {
                return Some(message);
            }
            let waits = self.records.count > 0;
            tokio::select! {
                biased;
                () = self.ending.wait() => return None,
                () = tokio::time::sleep_until(self.next_pulse), if waits => self.pulse(),
                received = self.receiver.recv() => match received {
                    Ok(event) => self.take(&event),
                    Err(RecvError::Lagged(missed)) => self.ready.extend(message("lagged", &Lagged { missed })),
                    Err(RecvError::Closed) => return None,
                },
            }
            self.drain();
        }
    }

    /// What has come in the meantime is taken at once: fast writers make many events for one message.
    fn drain(&mut self) {
        loop {
            match self.receiver.try_recv() {
                Ok(event) => self.take(&event),
                Err(TryRecvError::Lagged(missed)) => self.ready.extend(message("lagged", &Lagged { missed })),
                Err(TryRecvError::Empty | TryRecvError::Closed) => return,
            }
        }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Records(records) => self.records.merge(records),
            Event::Series(series) => self.ready.extend(message("series", series)),
            Event::Violation(violation) => self.ready.extend(message("violation", violation)),
            Event::Machine(reading) => self.ready.extend(message("machine", reading)),
        }
    }

    fn pulse(&mut self) {
        self.next_pulse = Instant::now() + PULSE;
        self.ready.extend(message("records", &std::mem::take(&mut self.records)));
    }
}

fn message(name: &str, data: &impl Serialize) -> Option<Message> {
    Message::default().event(name).json_data(data).ok()
}
