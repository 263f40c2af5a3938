//! The end of a stream that has come and is not used up.

/// Bytes that wait for the rest of their line.
#[derive(Debug, Default)]
pub(super) struct Unread {
    /// The bytes that are there, perhaps with used ones before them.
    pub(super) bytes: Vec<u8>,
    /// Where the next line begins.
    pub(super) start: usize,
    /// Up to where there is no end of a line.
    pub(super) searched: usize,
}

impl Unread {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.start);
        self.searched -= self.start;
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }
}
