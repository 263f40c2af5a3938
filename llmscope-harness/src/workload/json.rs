//! Reads JSON values with their locations: JSON Lines, or the items of an array.

use std::fmt;

use llmscope_core::error::{Error, Location, Result};
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::{Deserializer, Value};

use super::source::Source;

/// Passes each value to `take`, with its line or its index. It holds one value at a time.
pub(super) fn each(source: &Source, take: impl FnMut(&Value, &Location) -> Result<()>) -> Result<()> {
    if source.text.trim_start().starts_with('[') { each_item(source, take) } else { each_line(source, take) }
}

/// Reads consecutive values; a value can span lines.
fn each_line(source: &Source, mut take: impl FnMut(&Value, &Location) -> Result<()>) -> Result<()> {
    let text = source.text.as_str();
    let mut values = Deserializer::from_str(text).into_iter::<Value>();
    let (mut line, mut counted) = (1, 0);
    loop {
        let gap = &text[values.byte_offset()..];
        let start = values.byte_offset() + (gap.len() - gap.trim_start().len());
        line += text[counted..start].bytes().filter(|&byte| byte == b'\n').count() as u64;
        counted = start;
        match values.next() {
            None => return Ok(()),
            Some(Ok(value)) => take(&value, &source.location().line(line))?,
            Some(Err(error)) => return Err(Error::of_json(source.location(), &error)),
        }
    }
}

/// Reads the items of one array, which can be hundreds of megabytes: each item is dropped after use.
fn each_item(source: &Source, take: impl FnMut(&Value, &Location) -> Result<()>) -> Result<()> {
    let mut items = Items { source, take, refusal: None };
    let mut deserializer = Deserializer::from_str(&source.text);
    let end = deserializer.deserialize_seq(&mut items).and_then(|()| deserializer.end());
    match (items.refusal, end) {
        (Some(refusal), _) => Err(refusal),
        (None, Err(error)) => Err(Error::of_json(source.location(), &error)),
        (None, Ok(())) => Ok(()),
    }
}

struct Items<'s, T> {
    source: &'s Source,
    take: T,
    /// The error of `take`, which the error type of the parser cannot hold.
    refusal: Option<Error>,
}

impl<'de, T: FnMut(&Value, &Location) -> Result<()>> Visitor<'de> for &mut Items<'_, T> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut array: A) -> Result<(), A::Error> {
        let mut index = 0_usize;
        while let Some(value) = array.next_element::<Value>()? {
            let location = self.source.location().field(&format!("[{index}]"));
            if let Err(refusal) = (self.take)(&value, &location) {
                self.refusal = Some(refusal);
                return Err(serde::de::Error::custom("an item was refused"));
            }
            index += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Result<Vec<String>> {
        let mut places = Vec::new();
        each(&Source::of(text), |value, location| {
            places.push(format!("{location} = {value}"));
            Ok(())
        })?;
        Ok(places)
    }

    #[test]
    fn values_have_their_lines() {
        assert_eq!(
            places("\n{\"a\":1}\n\n{\n\"b\":\n2}\n\"c\"\n").unwrap(),
            ["data/x:2 = {\"a\":1}", "data/x:4 = {\"b\":2}", "data/x:7 = \"c\""]
        );
        assert_eq!(places(" [1,\n\"b\"]\n").unwrap(), ["data/x: [0] = 1", "data/x: [1] = \"b\""]);
    }

    #[test]
    fn broken_json_is_reported_with_its_line() {
        let error = |text: &str| places(text).unwrap_err().to_string();
        assert_eq!(
            error("{\"a\":1}\n{\"a\" 1}\n"),
            "data/x:2: expected `:` (column 6); correct the JSON at this position"
        );
        assert!(
            error("{\"a\":1}\n{\"a\":")
                .starts_with("data/x:2: EOF while parsing a value (column 5); the file is truncated")
        );
        assert!(error("[1, 2] 3").starts_with("data/x:1: trailing characters"));
        let deep = "[".repeat(10_000);
        assert!(error(&deep).contains("recursion limit"));
    }
}
