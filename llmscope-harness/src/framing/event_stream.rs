//! AWS event streams: binary frames with headers and two checksums.

use aws_smithy_eventstream::frame::read_message_from;
use bytes::{Bytes, BytesMut};

use super::{LARGEST_EVENT, StreamEvent, too_large};
use crate::failure::{Failure, FailureKind};

/// Splits a stream into frames and verifies their checksums.
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

    pub(super) fn next(&mut self) -> Result<Option<StreamEvent<'_>>, Failure> {
        // A frame starts with its length, big-endian.
        let Some(length) = self.buffer.first_chunk::<4>().map(|length| u32::from_be_bytes(*length) as usize) else {
            return Ok(None);
        };
        if length > LARGEST_EVENT {
            return Err(too_large());
        }
        if self.buffer.len() < length {
            return Ok(None);
        }
        let frame = read_message_from(self.buffer.split_to(length))
            .map_err(|error| Failure::new(FailureKind::Malformed, error.to_string()))?;
        let header = |name: &str| {
            let header = frame.headers().iter().find(|header| header.name().as_str() == name)?;
            header.value().as_string().ok().map(|value| value.as_str().to_owned())
        };
        self.exception = header(":message-type").is_some_and(|kind| kind != "event");
        let names = [":event-type", ":exception-type", ":error-code"];
        self.event = names.into_iter().find_map(header).unwrap_or_default();
        // An error that is not a modelled exception has its message in a header and no payload.
        let message = header(":error-message").filter(|_| frame.payload().is_empty());
        self.payload = message.map_or_else(|| frame.payload().clone(), Bytes::from);
        Ok(Some(StreamEvent { name: &self.event, exception: self.exception, data: &self.payload }))
    }

    pub(super) fn is_within_event(&self) -> bool {
        !self.buffer.is_empty()
    }
}
