//! JSON Lines: one JSON object per line.

use super::line_buffer::LineBuffer;
use super::{LARGEST_EVENT, StreamEvent, too_large};
use crate::failure::Failure;

/// Splits a stream at its line feeds; blank lines are ignored.
#[derive(Debug, Default)]
pub struct Lines {
    buffer: LineBuffer,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    pub(super) fn next(&mut self) -> Result<Option<StreamEvent<'_>>, Failure> {
        loop {
            let Some(offset) = self.buffer.bytes[self.buffer.searched..].iter().position(|&byte| byte == b'\n') else {
                self.buffer.searched = self.buffer.bytes.len();
                return if self.buffer.len() > LARGEST_EVENT { Err(too_large()) } else { Ok(None) };
            };
            let (start, end) = (self.buffer.start, self.buffer.searched + offset);
            self.buffer.start = end + 1;
            self.buffer.searched = self.buffer.start;
            if end - start > LARGEST_EVENT {
                return Err(too_large());
            }
            if !self.buffer.bytes[start..end].trim_ascii().is_empty() {
                let data = self.buffer.bytes[start..end].trim_ascii();
                return Ok(Some(StreamEvent { name: "", exception: false, data }));
            }
        }
    }

    pub(super) fn is_within_event(&self) -> bool {
        !self.buffer.bytes[self.buffer.start..].trim_ascii().is_empty()
    }
}
