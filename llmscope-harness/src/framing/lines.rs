//! One JSON object a line.

use super::unread::Unread;
use super::{LARGEST_MESSAGE, Message, too_large};
use crate::failure::Failure;

/// Cuts a stream at its line feeds; blank lines are nothing.
#[derive(Debug, Default)]
pub struct Lines {
    unread: Unread,
}

impl Lines {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.unread.push(bytes);
    }

    pub(super) fn next(&mut self) -> Result<Option<Message<'_>>, Failure> {
        loop {
            let Some(offset) = self.unread.bytes[self.unread.searched..].iter().position(|&byte| byte == b'\n') else {
                self.unread.searched = self.unread.bytes.len();
                return if self.unread.len() > LARGEST_MESSAGE { Err(too_large()) } else { Ok(None) };
            };
            let (start, end) = (self.unread.start, self.unread.searched + offset);
            self.unread.start = end + 1;
            self.unread.searched = self.unread.start;
            if end - start > LARGEST_MESSAGE {
                return Err(too_large());
            }
            if !self.unread.bytes[start..end].trim_ascii().is_empty() {
                let data = self.unread.bytes[start..end].trim_ascii();
                return Ok(Some(Message { event: "", exception: false, data }));
            }
        }
    }

    pub(super) fn is_within_message(&self) -> bool {
        !self.unread.bytes[self.unread.start..].trim_ascii().is_empty()
    }
}
