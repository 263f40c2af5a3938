//! AWS event streams: binary frames with headers and two checksums.

use aws_smithy_eventstream::frame::read_message_from;
use bytes::{Bytes, BytesMut};

use super::{LARGEST_MESSAGE, Message, too_large};
use crate::failure::{Failure, FailureKind};

/// Cuts a stream into frames, whose checksums must be right.
#[derive(Debug, Default)]
pub struct EventStream {
    buffer: BytesMut,
    event: String,
    exception: bool,
    payload: Bytes,
}

impl EventStream {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    pub(super) fn next(&mut self) -> Result<Option<Message<'_>>, Failure> {
        // A frame begins with its length, big-endian.
        let Some(length) = self.buffer.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) else {
            return Ok(None);
        };
        if length > LARGEST_MESSAGE {
            return Err(too_large());
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let frame = read_message_from(self.buffer.split_to(length))
            .map_err(|error| Failure::new(FailureKind::Malformed, error.to_string()))?;
        let header = |name: &str| {
            let found = frame.headers().iter().find(|header| header.name().as_str() == name)?;
            found.value().as_string().ok().map(|value| value.as_str().to_owned())
        };
        self.exception = header(":message-type").is_some_and(|kind| kind != "event");
        let names = [":event-type", ":exception-type", ":error-code"];
        self.event = names.into_iter().find_map(header).unwrap_or_default();
        // What is no modelled exception has its words in a header, and no payload.
        let words = header(":error-message").filter(|_| frame.payload().is_empty());
        self.payload = words.map_or_else(|| frame.payload().clone(), Bytes::from);
        Ok(Some(Message { event: &self.event, exception: self.exception, data: &self.payload }))
    }

    pub(super) fn is_within_message(&self) -> bool {
        !self.buffer.is_empty()
    }
}
