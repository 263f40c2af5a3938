//! JSON values that follow one another: one a line, over several lines, or gathered in an array.

use serde::de::DeserializeOwned;

use crate::error::{Error, Location, Result};
use crate::session::{Notice, torn_tail};

/// A value with its place in the file.
pub(super) struct Document<T> {
    pub(super) value: T,
    /// Its 1-based line; in an array, whose elements have no lines of their own, that of the array.
    pub(super) line: u64,
}

/// Reads every value of a text. A last one that was cut short is skipped with a notice, as after a crash, if others
/// stand before it.
pub(super) fn read<T: DeserializeOwned>(source: &str, text: &str) -> Result<(Vec<Document<T>>, Vec<Notice>)> {
    let broken = |error: serde_json::Error| Error::of_json(Location::of(source), &error);
    if text.trim_start().starts_with('[') {
        let values: Vec<T> = serde_json::from_str(text).map_err(broken)?;
        return Ok((values.into_iter().map(|value| Document { value, line: 1 }).collect(), Vec::new()));
    }
    let (mut documents, mut notices) = (Vec::new(), Vec::new());
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let mut place = Place { text, seen: 0, line: 1 };
    loop {
        let line = place.line_of_value_after(values.byte_offset());
        match values.next() {
            None => return Ok((documents, notices)),
            Some(Ok(value)) => documents.push(Document { value, line }),
            Some(Err(error)) if error.is_eof() && !documents.is_empty() => {
                notices.push(torn_tail(Location::of(source).line(line)));
                return Ok((documents, notices));
            }
            Some(Err(error)) => return Err(broken(error)),
        }
    }
}

/// Counts lines once from the beginning to the end.
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
    #![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

    use super::*;

    fn lines(text: &str) -> (Vec<(i64, u64)>, usize) {
        let (documents, notices) = read::<i64>("a", text).unwrap();
        (documents.iter().map(|document| (document.value, document.line)).collect(), notices.len())
    }

    #[test]
    fn values_know_their_lines() {
        assert_eq!(lines("1\n\n2 3\n"), (vec![(1, 1), (2, 3), (3, 3)], 0));
        assert_eq!(lines(" [4, 5]"), (vec![(4, 1), (5, 1)], 0));
    }

    #[test]
    fn a_last_value_that_was_cut_short_is_skipped() {
        let (documents, notices) = read::<Vec<u8>>("a", "[1]").map(|(d, n)| (d.len(), n.len())).unwrap_or_default();
        assert_eq!((documents, notices), (0, 0), "an array holds the values, and a number is no list");
        let (documents, notices) = read::<std::collections::BTreeMap<String, u8>>("a", "{\"a\": 1}\n{\"a\"").unwrap();
        assert_eq!((documents.len(), notices[0].location.line), (1, Some(2)));
        let error = read::<i64>("a", "1\n2\nx\n").map(|_| ()).unwrap_err().to_string();
        assert!(error.starts_with("a:3: "), "{error}");
    }
}
