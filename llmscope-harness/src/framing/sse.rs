//! Server-sent events as specified by WHATWG HTML (section 9.2.6), without reconnection.

use super::line_buffer::LineBuffer;
use super::{LARGEST_EVENT, StreamEvent, too_large};
use crate::failure::{Failure, FailureKind};

/// Splits a stream at its blank lines. Lines end in LF, CR LF or CR; comments are ignored.
#[derive(Debug, Default)]
pub struct Sse {
    buffer: LineBuffer,
    /// True after the start of the stream, where a byte order mark is allowed.
    started: bool,
    /// The last line ended in a carriage return: a line feed directly after it belongs to it.
    after_return: bool,
    event: String,
    data: Vec<u8>,
    has_data: bool,
    /// The event in `event` and `data` was returned by `next`.
    delivered: bool,
}

impl Sse {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.buffer.push(bytes);
    }

    pub(super) fn next(&mut self) -> Result<Option<StreamEvent<'_>>, Failure> {
        if std::mem::take(&mut self.delivered) {
            self.clear_event();
        }
        while let Some((start, end)) = self.next_line() {
            if start == end {
                if self.has_data {
                    self.delivered = true;
                    return Ok(Some(StreamEvent { name: &self.event, exception: false, data: &self.data }));
                }
                self.clear_event();
            } else {
                self.apply_field(start, end)?;
            }
        }
        if self.buffer.len() > LARGEST_EVENT { Err(too_large()) } else { Ok(None) }
    }

    pub(super) fn is_within_event(&self) -> bool {
        (self.has_data && !self.delivered) || self.buffer.len() > 0
    }

    /// The range of the next complete line in the buffer.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        if !self.started {
            const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
            let buffer = &self.buffer.bytes[self.buffer.start..];
            if buffer.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(buffer) {
                return None;
            }
            if buffer.starts_with(BYTE_ORDER_MARK) {
                self.buffer.start += BYTE_ORDER_MARK.len();
                self.buffer.searched = self.buffer.start;
            }
            self.started = true;
        }
        if self.after_return && self.buffer.start < self.buffer.bytes.len() {
            self.after_return = false;
            if self.buffer.bytes[self.buffer.start] == b'\n' {
                self.buffer.start += 1;
                self.buffer.searched = self.buffer.start;
            }
        }
        let is_end = |&byte: &u8| byte == b'\n' || byte == b'\r';
        let Some(offset) = self.buffer.bytes[self.buffer.searched..].iter().position(is_end) else {
            self.buffer.searched = self.buffer.bytes.len();
            return None;
        };
        let (start, end) = (self.buffer.start, self.buffer.searched + offset);
        self.after_return = self.buffer.bytes[end] == b'\r';
        self.buffer.start = end + 1;
        self.buffer.searched = self.buffer.start;
        Some((start, end))
    }

    fn apply_field(&mut self, start: usize, end: usize) -> Result<(), Failure> {
        let line = &self.buffer.bytes[start..end];
        let (name, value) = match line.iter().position(|&byte| byte == b':') {
            None => (line, &line[line.len()..]),
            Some(colon) => (&line[..colon], &line[colon + 1..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                if self.has_data {
                    self.data.push(b'\n');
                }
                self.has_data = true;
                self.data.extend_from_slice(value);
                if self.data.len() > LARGEST_EVENT {
                    return Err(too_large());
                }
            }
            b"event" => {
                let name = std::str::from_utf8(value)
                    .map_err(|_| Failure::new(FailureKind::Malformed, "the name of an event is not UTF-8"))?;
                self.event.clear();
                self.event.push_str(name);
            }
            // `id` and `retry` control reconnection, which would cause a second, billed request. An empty name is a
            // comment.
            _ => {}
        }
        Ok(())
    }

    fn clear_event(&mut self) {
        self.event.clear();
        self.data.clear();
        self.has_data = false;
    }
}
