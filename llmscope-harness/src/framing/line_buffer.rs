//! A buffer for incomplete lines.

/// Bytes of a stream that are not yet consumed.
#[derive(Debug, Default)]
pub(super) struct LineBuffer {
    /// The buffered bytes, possibly after consumed ones.
    pub(super) bytes: Vec<u8>,
    /// Start of the next line.
    pub(super) start: usize,
    /// End of the part that is known to contain no line end.
    pub(super) searched: usize,
}

impl LineBuffer {
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
