//! Server-sent events, as WHATWG HTML defines their stream (section 9.2.6), without the reconnecting.

use super::unread::Unread;
use super::{LARGEST_MESSAGE, Message, too_large};
use crate::failure::{Failure, FailureKind};

/// Cuts a stream at its blank lines. Lines end in LF, CR LF or CR; comments are nothing.
#[derive(Debug, Default)]
pub struct Sse {
    unread: Unread,
    /// A byte order mark can only stand at the very beginning.
    begun: bool,
    /// The last line ended in a carriage return: a line feed right behind it belongs to it.
    after_return: bool,
    event: String,
    data: Vec<u8>,
    has_data: bool,
    /// The event in `event` and `data` has been handed out.
    taken: bool,
}

impl Sse {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.unread.push(bytes);
    }

    pub(super) fn next(&mut self) -> Result<Option<Message<'_>>, Failure> {
        if std::mem::take(&mut self.taken) {
            self.forget_event();
        }
        while let Some((start, end)) = self.next_line() {
            if start == end {
                if self.has_data {
                    self.taken = true;
                    return Ok(Some(Message { event: &self.event, exception: false, data: &self.data }));
                }
                self.forget_event();
            } else {
                self.take_field(start, end)?;
            }
        }
        if self.unread.len() > LARGEST_MESSAGE { Err(too_large()) } else { Ok(None) }
    }

    pub(super) fn is_within_message(&self) -> bool {
        (self.has_data && !self.taken) || self.unread.len() > 0
    }

    /// Where the next complete line lies in the buffer.
    fn next_line(&mut self) -> Option<(usize, usize)> {
        if !self.begun {
            const MARK: &[u8] = b"\xEF\xBB\xBF";
            let unread = &self.unread.bytes[self.unread.start..];
            if unread.len() < MARK.len() && MARK.starts_with(unread) {
                return None;
            }
            if unread.starts_with(MARK) {
                self.unread.start += MARK.len();
                self.unread.searched = self.unread.start;
            }
            self.begun = true;
        }
        if self.after_return && self.unread.start < self.unread.bytes.len() {
            self.after_return = false;
            if self.unread.bytes[self.unread.start] == b'\n' {
                self.unread.start += 1;
                self.unread.searched = self.unread.start;
            }
        }
        let is_end = |&byte: &u8| byte == b'\n' || byte == b'\r';
        let Some(offset) = self.unread.bytes[self.unread.searched..].iter().position(is_end) else {
            self.unread.searched = self.unread.bytes.len();
            return None;
        };
        let (start, end) = (self.unread.start, self.unread.searched + offset);
        self.after_return = self.unread.bytes[end] == b'\r';
        self.unread.start = end + 1;
        self.unread.searched = self.unread.start;
        Some((start, end))
    }

    fn take_field(&mut self, start: usize, end: usize) -> Result<(), Failure> {
        let line = &self.unread.bytes[start..end];
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
                if self.data.len() > LARGEST_MESSAGE {
                    return Err(too_large());
                }
            }
            b"event" => {
                let name = std::str::from_utf8(value)
                    .map_err(|_| Failure::new(FailureKind::Malformed, "the name of an event is not UTF-8"))?;
                self.event.clear();
                self.event.push_str(name);
            }
            // `id` and `retry` serve reconnecting, which would pay for a second answer; an empty name is a comment.
            _ => {}
        }
        Ok(())
    }

    fn forget_event(&mut self) {
        self.event.clear();
        self.data.clear();
        self.has_data = false;
    }
}
