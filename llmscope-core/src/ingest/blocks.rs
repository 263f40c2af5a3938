//! Splits a stream into blocks of whole records, so that several threads can read a log larger than memory.

use std::io::Read;

use crate::error::{Error, Location, Result};

/// Bytes per block: large enough that the cost of taking a block is negligible, small enough that the block stays in a
/// core's own cache until it is parsed.
const BLOCK_BYTES: usize = 1 << 20;
/// The longest record: anything longer is not a record of a log.
const LONGEST_RECORD_BYTES: usize = 256 << 20;

/// Where a record can end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ends {
    /// At every line feed.
    Lines,
    /// At every line feed outside a quoted field of delimited values.
    Quoted {
        /// The byte between fields.
        delimiter: u8,
    },
}

/// Whole records of a log, as text or as bytes that are not yet known to be UTF-8.
#[derive(Debug)]
pub(super) struct Block<T = String> {
    pub(super) text: T,
    /// The 1-based line on which the block begins.
    pub(super) line: u64,
    /// The number of line feeds in the block.
    pub(super) line_feeds: usize,
    /// 0-based index among the blocks.
    pub(super) index: usize,
}

/// The blocks of a stream, in order.
pub(super) struct Blocks<R> {
    source: String,
    input: R,
    ends: Ends,
    /// Bytes read beyond the end of the last record.
    rest: Vec<u8>,
    line: u64,
    index: usize,
    block_bytes: usize,
}

impl<R: Read> Blocks<R> {
    /// Blocks of an input that begins at the 1-based `line`.
    pub(super) fn new(source: &str, input: R, ends: Ends, line: u64) -> Self {
        let source = source.to_owned();
        Self { source, input, ends, rest: Vec::new(), line, index: 0, block_bytes: BLOCK_BYTES }
    }

    #[cfg(test)]
    fn of_bytes(mut self, block_bytes: usize) -> Self {
        self.block_bytes = block_bytes;
        self
    }

    /// The index of the next block.
    pub(super) fn next_index(&self) -> usize {
        self.index
    }

    /// The next block, in a reused buffer: allocating a new buffer costs as much as reading the block. `None` at the
    /// end.
    pub(super) fn next(&mut self, buffer: String) -> Result<Option<Block<Vec<u8>>>> {
        let mut bytes = buffer.into_bytes();
        bytes.clear();
        bytes.append(&mut self.rest);
        loop {
            let wanted = self.block_bytes.max(bytes.len() * 2) - bytes.len();
            bytes.reserve_exact(wanted);
            let read = (&mut self.input).take(wanted as u64).read_to_end(&mut bytes);
            let read = read.map_err(|error| self.refuse_reading(&error))?;
            if read < wanted {
                return Ok(self.block(bytes));
            }
            if let Some(end) = self.ends.last(&bytes) {
                // The next block begins with the remaining bytes.
                self.rest.extend_from_slice(&bytes[end..]);
                bytes.truncate(end);
                return Ok(self.block(bytes));
            }
            if bytes.len() > LONGEST_RECORD_BYTES {
                return Err(self.refuse_length());
            }
        }
    }

    fn block(&mut self, bytes: Vec<u8>) -> Option<Block<Vec<u8>>> {
        if bytes.is_empty() {
            return None;
        }
        let block = Block { line: self.line, line_feeds: line_feeds(&bytes), index: self.index, text: bytes };
        self.line += block.line_feeds as u64;
        self.index += 1;
        Some(block)
    }

    fn refuse_reading(&self, error: &std::io::Error) -> Error {
        Error::Io { path: self.source.clone(), message: error.to_string() }
    }

    fn refuse_length(&self) -> Error {
        Error::Format {
            location: Location::of(&self.source).line(self.line),
            problem: format!("a record of more than {} MiB begins here", LONGEST_RECORD_BYTES >> 20),
            fix: "close the open quotation mark, or end the line".to_owned(),
        }
    }
}

impl Block<Vec<u8>> {
    /// The block as text.
    pub(super) fn into_text(self, source: &str) -> Result<Block> {
        let Self { text, line, line_feeds: lines, index } = self;
        let text = String::from_utf8(text).map_err(|error| {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            not_utf8(source, line + line_feeds(valid) as u64)
        })?;
        Ok(Block { text, line, line_feeds: lines, index })
    }
}

impl Block {
    /// Each line with its line feed, preceded by its 1-based number.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let mut start = 0;
        let ends = memchr::memchr_iter(b'\n', self.text.as_bytes()).map(|at| at + 1);
        let tail = (!self.text.ends_with('\n')).then_some(self.text.len());
        let lines = ends.chain(tail).map(move |end| &self.text[std::mem::replace(&mut start, end)..end]);
        (self.line..).zip(lines)
    }
}

/// The number of line feeds in `bytes`.
pub(super) fn line_feeds(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// The error for bytes that are not UTF-8 text.
pub(super) fn not_utf8(source: &str, line: u64) -> Error {
    Error::Format {
        location: Location::of(source).line(line),
        problem: "bytes that are not UTF-8".to_owned(),
        fix: "save the file as UTF-8".to_owned(),
    }
}

impl Ends {
    /// The end of the last whole record in `bytes`, which begin at the start of a record.
    fn last(self, bytes: &[u8]) -> Option<usize> {
        let Self::Quoted { delimiter } = self else { return memchr::memrchr(b'\n', bytes).map(|at| at + 1) };
        let (mut end, mut at, mut quoted) = (None, 0, false);
        while let Some(quote) = memchr::memchr(b'"', &bytes[at..]).map(|offset| at + offset) {
            if !quoted {
                end = memchr::memrchr(b'\n', &bytes[at..quote]).map(|offset| at + offset + 1).or(end);
                let before = quote.checked_sub(1).map_or(b'\n', |before| bytes[before]);
                // A quotation mark inside an unquoted field is an ordinary character.
                quoted = before == delimiter || matches!(before, b'\n' | b'\r');
                at = quote + 1;
            } else if bytes.get(quote + 1) == Some(&b'"') {
                at = quote + 2;
            } else {
                quoted = false;
                at = quote + 1;
            }
        }
        if quoted {
            return end;
        }
        // A quotation mark at the end of the buffer may be the first half of a doubled one, so the field is not treated
        // as closed.
        let rest = at.min(bytes.len());
        memchr::memrchr(b'\n', &bytes[rest..]).map(|offset| rest + offset + 1).or(end)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str, ends: Ends, block_bytes: usize) -> Vec<Block> {
        let mut blocks = Blocks::new("a", text.as_bytes(), ends, 1).of_bytes(block_bytes);
        let next = || Some(blocks.next(String::new()).unwrap()?.into_text("a").unwrap());
        std::iter::from_fn(next).collect()
    }

    fn records(text: &str) -> Vec<csv::StringRecord> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        reader.records().map(Result::unwrap).collect()
    }

    proptest! {
        #[test]
        fn blocks_are_the_text_and_end_at_lines(text in "[a-z\n]{0,60}", block_bytes in 1_usize..20) {
            let blocks = texts(&text, Ends::Lines, block_bytes);
            prop_assert_eq!(blocks.iter().map(|block| block.text.as_str()).collect::<String>(), text.as_str());
            for pair in blocks.windows(2) {
                prop_assert!(pair[0].text.ends_with('\n'));
                let lines = pair[0].text.matches('\n').count() as u64;
                prop_assert_eq!(pair[1].line, pair[0].line + lines);
            }
        }

        #[test]
        fn no_block_ends_inside_a_quoted_field(text in "[a\",\n\r]{0,40}", block_bytes in 1_usize..12) {
            let blocks = texts(&text, Ends::Quoted { delimiter: b',' }, block_bytes);
            let apart: Vec<_> = blocks.iter().flat_map(|block| records(&block.text)).collect();
            prop_assert_eq!(apart, records(&text));
        }
    }
}
