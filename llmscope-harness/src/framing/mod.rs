//! From the bytes of a stream to its messages: server-sent events, JSON lines, AWS event streams.

mod event_stream;
mod lines;
mod sse;
mod unread;

use event_stream::EventStream;
use lines::Lines;
use sse::Sse;

use crate::failure::{Failure, FailureKind};

/// No message of an answer is larger; a stream that never ends a message stops here.
const LARGEST_MESSAGE: usize = 16 << 20;

/// How an answer is cut into messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// `text/event-stream` (WHATWG HTML, server-sent events).
    ServerSentEvents,
    /// One JSON object a line.
    JsonLines,
    /// `application/vnd.amazon.eventstream`: binary frames with checksums.
    AwsEventStream,
}

impl Framing {
    /// True if an answer of this content type can be of this framing.
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

/// One message of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// Its name; empty where the framing has none.
    pub event: &'a str,
    /// True if the framing itself says that it reports an error.
    pub exception: bool,
    /// Its content.
    pub data: &'a [u8],
}

/// Cuts one stream into messages, however its bytes are split.
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
    /// A framer at the beginning of a stream.
    #[must_use]
    pub fn new(framing: Framing) -> Self {
        match framing {
            Framing::ServerSentEvents => Self::Sse(Sse::default()),
            Framing::JsonLines => Self::Lines(Lines::default()),
            Framing::AwsEventStream => Self::EventStream(Box::default()),
        }
    }

    /// Takes the next bytes of the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Sse(framer) => framer.push(bytes),
            Self::Lines(framer) => framer.push(bytes),
            Self::EventStream(framer) => framer.push(bytes),
        }
    }

    /// The next complete message, if there is one.
    ///
    /// # Errors
    /// [`FailureKind::TooLarge`], [`FailureKind::Malformed`].
    #[allow(clippy::should_implement_trait, reason = "a message borrows from its framer, which no iterator can say")]
    pub fn next(&mut self) -> Result<Option<Message<'_>>, Failure> {
        match self {
            Self::Sse(framer) => framer.next(),
            Self::Lines(framer) => framer.next(),
            Self::EventStream(framer) => framer.next(),
        }
    }

    /// Says that the stream has ended: what stands there without its terminator is a message all the same.
    pub fn finish(&mut self) {
        match self {
            Self::Sse(framer) => framer.push(b"\n\n"),
            Self::Lines(framer) => framer.push(b"\n"),
            Self::EventStream(_) => {}
        }
    }

    /// True if the stream ended within a message.
    #[must_use]
    pub fn is_within_message(&self) -> bool {
        match self {
            Self::Sse(framer) => framer.is_within_message(),
            Self::Lines(framer) => framer.is_within_message(),
            Self::EventStream(framer) => framer.is_within_message(),
        }
    }
}

fn too_large() -> Failure {
    Failure::new(FailureKind::TooLarge, format!("a message of more than {} MiB", LARGEST_MESSAGE >> 20))
}
