//! Numbers that JSON cannot hold, as Python's `json` writes them: `NaN`, `Infinity`, `-Infinity`.

use memchr::memmem;

use crate::error::Location;
use crate::quantity::counted;
use crate::session::Warning;

const NAMES: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// The JSON text with `null` instead of these numbers, and how many there were. `None` if the text has none outside its
/// strings, or does not begin like JSON.
pub(super) fn removed(text: &str) -> Option<(String, usize)> {
    let bytes = text.as_bytes();
    if !text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    memmem::find(bytes, b"NaN").or_else(|| memmem::find(bytes, b"Infinity"))?;
    let (mut written, mut count, mut copied, mut at) = (String::with_capacity(text.len()), 0, 0, 0);
    while let Some(next) = memchr::memchr3(b'"', b'N', b'I', &bytes[at..]).map(|next| at + next) {
        at = next + 1;
        if bytes[next] == b'"' {
            at = end_of_string(bytes, at);
            continue;
        }
        let begin = next - usize::from(next > copied && bytes[next - 1] == b'-');
        let Some(name) = NAMES.iter().find(|name| text[begin..].starts_with(**name)) else { continue };
        written.push_str(&text[copied..begin]);
        written.push_str("null");
        at = begin + name.len();
        copied = at;
        count += 1;
    }
    written.push_str(&text[copied..]);
    (count > 0).then_some((written, count))
}

/// The position after the quotation mark that ends a string.
fn end_of_string(bytes: &[u8], mut at: usize) -> usize {
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        if bytes[at + next] == b'"' {
            return at + next + 1;
        }
        at += next + 2;
    }
    bytes.len()
}

/// The warning about these numbers.
pub(super) fn warning(source: &str, count: usize) -> Warning {
    let message = format!("{} that JSON cannot hold (NaN, Infinity): read as absent", counted(count, "number"));
    Warning { location: Location::of(source), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_strings_are_replaced() {
        let text = r#"{"a": NaN, "b": [Infinity, -Infinity], "NaN": "x\" NaN \\", "c": "Infinity", "d": -1}"#;
        let (finite, count) = removed(text).unwrap_or_default();
        assert_eq!(finite, r#"{"a": null, "b": [null, null], "NaN": "x\" NaN \\", "c": "Infinity", "d": -1}"#);
        assert_eq!(count, 3);
        for text in [r#"{"a": "NaN"}"#, "a,b\nNaN,1\n", "{}", r#"{"a": "\\"}"#] {
            assert!(removed(text).is_none(), "{text}");
        }
    }
}
