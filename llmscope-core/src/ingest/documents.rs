//! Reads JSON values that follow one another: one per line, pretty-printed over several lines, or in an array.

use serde::de::DeserializeOwned;

use crate::error::{Error, Location, Result};
use crate::session::{Warning, torn_tail};

/// A value with its location in the file.
pub(super) struct Document<T> {
    pub(super) value: T,
    /// Its 1-based line. For an element of an array, the line of the array, because elements have no lines of their
    /// own.
    pub(super) line: u64,
}

/// Reads every value of a text. If other values precede it, a truncated last value is skipped with a warning, as after
/// a crash.
pub(super) fn read<T: DeserializeOwned>(source: &str, text: &str) -> Result<(Vec<Document<T>>, Vec<Warning>)> {
    let broken = |error: serde_json::Error| Error::of_json(Location::of(source), &error);
    if text.trim_start().starts_with('[') {
        let values: Vec<T> = serde_json::from_str(text).map_err(broken)?;
        return Ok((values.into_iter().map(|value| Document { value, line: 1 }).collect(), Vec::new()));
    }
    let (mut documents, mut warnings) = (Vec::new(), Vec::new());
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let mut place = Place { text, seen: 0, line: 1 };
    loop {
        let line = place.line_of_value_after(values.byte_offset());
        match values.next() {
            None => return Ok((documents, warnings)),
            Some(Ok(value)) => documents.push(Document { value, line }),
            Some(Err(error)) if error.is_eof() && !documents.is_empty() => {
                warnings.push(torn_tail(Location::of(source).line(line)));
                return Ok((documents, warnings));
            }
            Some(Err(error)) => return Err(broken(error)),
        }
    }
}

/// Counts lines in a single pass from the beginning to the end.
struct Place<'t> {
    text: &'t str,
    seen: usize,
    line: u64,
}

impl Place<'_> {
    fn line_of_value_after(&mut self, offset: usize) -> u64 {
        let rest = &self.text[offset..];
        let begin = offset + (rest.len() - rest.trim_start().len());
        self.line += self.text.as_bytes()[self.seen..begin].iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.seen = begin;
        self.line
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn lines(text: &str) -> (Vec<(i64, u64)>, usize) {
        let (documents, warnings) = read::<i64>("a", text).unwrap();
        (documents.iter().map(|document| (document.value, document.line)).collect(), warnings.len())
    }

    #[test]
    fn values_know_their_lines() {
        assert_eq!(lines("1\n\n2 3\n"), (vec![(1, 1), (2, 3), (3, 3)], 0));
        assert_eq!(lines(" [4, 5]"), (vec![(4, 1), (5, 1)], 0));
    }

    #[test]
    fn a_last_value_that_was_cut_short_is_skipped() {
        let (documents, warnings) = read::<Vec<u8>>("a", "[1]").map(|(d, n)| (d.len(), n.len())).unwrap_or_default();
        assert_eq!((documents, warnings), (0, 0), "an array holds the values, and a number is not a list");
        let (documents, warnings) = read::<std::collections::BTreeMap<String, u8>>("a", "{\"a\": 1}\n{\"a\"").unwrap();
        assert_eq!((documents.len(), warnings[0].location.line), (1, Some(2)));
        let error = read::<i64>("a", "1\n2\nx\n").map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("a:3: "), "{error}");
    }
}
