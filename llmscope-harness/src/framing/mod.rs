//! Splits the bytes of a stream into events: server-sent events, JSON lines, AWS event streams.

mod event_stream;
mod line_buffer;
mod lines;
mod sse;

use event_stream::EventStream;
use lines::Lines;
use sse::Sse;

use crate::failure::{Failure, FailureKind};

/// Maximum size of an event. It bounds the memory for a stream that never completes one.
const LARGEST_EVENT: usize = 16 << 20;

/// How a response is split into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream` (WHATWG HTML, server-sent events).
    ServerSentEvents,
    /// One JSON object per line.
    JsonLines,
    /// `application/vnd.amazon.eventstream`: binary frames with checksums.
    AwsEventStream,
}

impl Framing {
    /// True if a response of this content type can have this framing.
    #[must_use]
    pub fn accepts(self, content_type: &str) -> bool {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match self {
            Self::ServerSentEvents => essence == "text/event-stream",
            Self::JsonLines => {
                matches!(essence.as_str(), "application/x-ndjson" | "application/ndjson" | "application/jsonl")
                    || matches!(essence.as_str(), "application/json" | "text/plain")
            }
            Self::AwsEventStream => essence == "application/vnd.amazon.eventstream",
        }
    }
}

/// One event of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamEvent<'a> {
    /// Its name; empty where the framing has no names.
    pub name: &'a str,
    /// True if the framing marks it as an error.
    pub exception: bool,
    /// Its data.
    pub data: &'a [u8],
}

/// Splits one stream into events, independent of how its bytes are chunked.
#[derive(Debug)]
pub enum Framer {
    /// For [`Framing::ServerSentEvents`].
    Sse(Sse),
    /// For [`Framing::JsonLines`].
    Lines(Lines),
    /// For [`Framing::AwsEventStream`].
    EventStream(Box<EventStream>),
}

impl Framer {
    /// A framer at the start of a stream.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::ServerSentEvents => Self::Sse(Sse::default()),
            Framing::JsonLines => Self::Lines(Lines::default()),
            Framing::AwsEventStream => Self::EventStream(Box::default()),
        }
    }

    /// Adds the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(framer) => framer.push(bytes),
            Self::Lines(framer) => framer.push(bytes),
            Self::EventStream(framer) => framer.push(bytes),
        }
    }

    /// The next complete event, if there is one.
    ///
    /// # Errors
    /// [`FailureKind::TooLarge`], [`FailureKind::Malformed`].
    #[allow(clippy::should_implement_trait, reason = "an event borrows from its framer, which Iterator cannot express")]
    pub fn next(&mut self) -> Result<Option<StreamEvent<'_>>, Failure> {
        match self {
            Self::Sse(framer) => framer.next(),
            Self::Lines(framer) => framer.next(),
            Self::EventStream(framer) => framer.next(),
        }
    }

    /// Marks the end of the stream. An event without its terminator then counts as complete.
    pub fn finish(&mut self) {
        match self {
            Self::Sse(framer) => framer.push(b"\n\n"),
            Self::Lines(framer) => framer.push(b"\n"),
            Self::EventStream(_) => {}
        }
    }

    /// True if the stream ended within an event.
    #[must_use]
    pub fn is_within_event(&self) -> bool {
        match self {
            Self::Sse(framer) => framer.is_within_event(),
            Self::Lines(framer) => framer.is_within_event(),
            Self::EventStream(framer) => framer.is_within_event(),
        }
    }
}

fn too_large() -> Failure {
    Failure::new(FailureKind::TooLarge, format!("an event is larger than {} MiB", LARGEST_EVENT >> 20))
}
