//! A reader of server-sent events.

use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Client, Connection, PATIENCE};

/// Reads events as they arrive.
pub(crate) struct Events {
    arrived: Receiver<Event>,
}

/// An event and its time of arrival.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) data: Value,
    pub(crate) at: Instant,
}

impl Events {
    /// Starts to listen, and returns after the first message.
    pub(crate) fn of(client: &Client) -> Self {
        let events = Self::reading(open(client));
        assert_eq!(events.next().name, "hello");
        events
    }

    /// Reads the events of a connection.
    pub(crate) fn reading(mut connection: Connection) -> Self {
        let (sender, arrived) = channel();
        std::thread::spawn(move || {
            let mut text = String::new();
            while let Some(chunk) = connection.chunk() {
                text.push_str(&String::from_utf8(chunk).unwrap());
                while let Some(end) = text.find("\n\n") {
                    let message: String = text.drain(..end + 2).collect();
                    if let Some(event) = parsed(&message) {
                        let _ = sender.send(event);
                    }
                }
            }
        });
        Self { arrived }
    }

    /// The next event.
    #[track_caller]
    pub(crate) fn next(&self) -> Event {
        self.arrived.recv_timeout(PATIENCE).expect("an event")
    }

    /// The next event with this name; it skips others.
    #[track_caller]
    pub(crate) fn next_of(&self, name: &str) -> Event {
        self.next_where(name, |_| true)
    }

    /// The next event with this name and matching data; it skips others.
    #[track_caller]
    pub(crate) fn next_where(&self, name: &str, is_it: impl Fn(&Value) -> bool) -> Event {
        self.heard(PATIENCE, name, is_it).unwrap_or_else(|| panic!("waited for an event of {name}"))
    }

    /// The next such event, if it arrives in time. Readings of the machine never stop, so other events do not extend
    /// the wait.
    pub(crate) fn heard(&self, within: Duration, name: &str, is_it: impl Fn(&Value) -> bool) -> Option<Event> {
        let until = Instant::now() + within;
        loop {
            let event = self.arrived.recv_timeout(until.saturating_duration_since(Instant::now())).ok()?;
            if event.name == name && is_it(&event.data) {
                return Some(event);
            }
        }
    }

    /// True once the service has closed the connection.
    pub(crate) fn end(&self) -> bool {
        loop {
            match self.arrived.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }
}

/// Requests events without reading any.
pub(crate) fn open(client: &Client) -> Connection {
    let mut connection = Connection::to(client.address);
    connection.send(&client.head("GET", "/api/v1/events", &[], 0), b"");
    let head = connection.answer_head().unwrap();
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    connection
}

/// Parses a message of `event: …` and `data: …`; `None` for a keep-alive comment.
fn parsed(message: &str) -> Option<Event> {
    let field = |name: &str| message.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let data = field("data:")?;
    Some(Event { name: field("event:")?.to_owned(), data: serde_json::from_str(data).unwrap(), at: Instant::now() })
}
