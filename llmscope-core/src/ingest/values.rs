//! JSON objects that stand one after the other: an array of them, JSON Lines, or one or several over many lines.

use serde::de::DeserializeOwned;

use crate::error::{Error, Location, Result};
use crate::session::{Notice, torn_tail};

/// The objects in a text with their places. A last one that was cut short, after others that are whole, is left out.
pub(super) fn read<T: DeserializeOwned>(source: &str, text: &str) -> Result<(Vec<(Location, T)>, Vec<Notice>)> {
    let place = || Location::of(source);
    if text.trim_start().starts_with('[') {
        let all: Vec<T> = serde_json::from_str(text).map_err(|error| Error::of_json(place(), &error))?;
        let placed = all.into_iter().enumerate().map(|(index, value)| (place().field(&format!("[{index}]")), value));
        return Ok((placed.collect(), Vec::new()));
    }
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let (mut all, mut line, mut counted) = (Vec::new(), 1, 0);
    loop {
        let ended = values.byte_offset();
        let begins = text.len() - text[ended..].trim_start().len();
        line += text[counted..begins].matches('\n').count() as u64;
        counted = begins;
        match values.next() {
            None => return Ok((all, Vec::new())),
            Some(Ok(value)) => all.push((place().line(line), value)),
            Some(Err(error)) if error.is_eof() && !all.is_empty() => {
                return Ok((all, vec![torn_tail(place().line(line))]));
            }
            Some(Err(error)) => return Err(Error::of_json(place(), &error)),
        }
    }
}

/// The refusal of a file that is well-formed and tells of no request; `fix` says what to give instead.
pub(super) fn no_requests(source: &str, fix: &str) -> Error {
    Error::Format { location: Location::of(source), problem: "no requests".to_owned(), fix: fix.to_owned() }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn lines(text: &str) -> Vec<Option<u64>> {
        let (values, _) = read::<Value>("log", text).expect("is well-formed");
        values.into_iter().map(|(place, _)| place.line).collect()
    }

    #[test]
    fn each_object_knows_the_line_that_it_begins_on() {
        assert_eq!(lines("{\n \"a\": 1\n}\n\n{}{}\n  {}\n"), [Some(1), Some(5), Some(5), Some(6)]);
        let (values, _) = read::<Value>("log", "[{}, {}]").expect("is well-formed");
        assert_eq!(values[1].0.to_string(), "log: [1]");
    }

    #[test]
    fn an_object_that_was_cut_short_is_left_out_and_told_of() {
        let (values, notices) = read::<Value>("log", "{\"a\": 1}\n{\"a\": ").expect("the first one is whole");
        assert_eq!((values.len(), notices[0].location.line), (1, Some(2)));
        assert!(read::<Value>("log", "{\"a\": ").is_err());
        let wrong = read::<Value>("log", "{\"a\": 1}\n{\"a\": x}\n").expect_err("is no JSON");
        assert!(wrong.to_string().starts_with("log:2: "), "{wrong}");
    }
}
