//! Skips JSON values without parsing them: most fields of most rows are not requested.
//!
//! The scanner accepts only text that is certainly JSON. It leaves everything else (half of a surrogate pair, deep
//! nesting, a syntax error) to the full parser, which then reports the error if there is one.

use super::simd::{begins_with, digits, plain_length};

/// Deeper values are left to the full parser, which has its own limit.
pub(super) const DEEPEST: usize = 16;

/// A position in a text.
pub(super) struct Scan<'b> {
    text: &'b str,
    at: usize,
}

impl<'b> Scan<'b> {
    pub(super) fn of(text: &'b str) -> Self {
        Self { text, at: 0 }
    }

    /// Skips `expected` if the rest of the text begins with it.
    pub(super) fn literally(&mut self, expected: &str) -> bool {
        let stands = begins_with(self.rest(), expected.as_bytes());
        if stands {
            self.at += expected.len();
        }
        stands
    }

    /// Skips white space and the byte `expected`.
    pub(super) fn byte(&mut self, expected: u8) -> Option<()> {
        self.space();
        (self.peek()? == expected).then(|| self.at += 1)
    }

    /// True at the end of the text, or if only white space is left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// Skips the name of a field and its colon, and returns the name. A name with an escape is left to the full parser.
    pub(super) fn name(&mut self) -> Option<&'b str> {
        self.space();
        let start = self.at + 1;
        self.string()?;
        let name = self.text.get(start..self.at - 1)?;
        self.byte(b':')?;
        (!name.contains('\\')).then_some(name)
    }

    /// Skips a value and returns its raw text.
    pub(super) fn value(&mut self) -> Option<&'b str> {
        self.space();
        let start = self.at;
        self.pass(DEEPEST)?;
        self.text.get(start..self.at)
    }

    fn pass(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            b'"' => self.string(),
            b'-' | b'0'..=b'9' => self.number(),
            b'{' => self.all(b'{', b'}', |scan| {
                scan.string()?;
                scan.byte(b':')?;
                scan.pass(depth.checked_sub(1)?)
            }),
            b'[' => self.all(b'[', b']', |scan| scan.pass(depth.checked_sub(1)?)),
            _ => ["true", "false", "null"].into_iter().find(|word| self.literally(word)).map(|_| ()),
        }
    }

    /// Skips a list of items between brackets.
    pub(super) fn all(&mut self, open: u8, close: u8, mut pass: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.byte(open)?;
        if self.byte(close).is_some() {
            return Some(());
        }
        loop {
            pass(self)?;
            if self.byte(close).is_some() {
                return Some(());
            }
            self.byte(b',')?;
        }
    }

    /// Skips a string.
    fn string(&mut self) -> Option<()> {
        self.byte(b'"')?;
        loop {
            self.at += plain_length(self.rest());
            match self.peek()? {
                b'"' => break,
                b'\\' => self.escape()?,
                _ => return None,
            }
        }
        self.at += 1;
        Some(())
    }

    /// Skips an escape. Surrogates are left to the full parser.
    fn escape(&mut self) -> Option<()> {
        let length = match self.rest() {
            [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => 2,
            [_, b'u', code @ ..] => {
                let code = code.first_chunk::<4>()?;
                let is_half = matches!(code, [b'd' | b'D', b'8'..=b'9' | b'a'..=b'f' | b'A'..=b'F', ..]);
                (!is_half && code.iter().all(u8::is_ascii_hexdigit)).then_some(6)?
            }
            _ => return None,
        };
        self.at += length;
        Some(())
    }

    fn number(&mut self) -> Option<()> {
        self.literally("-");
        match self.digits() {
            0 => return None,
            // A number begins with 0 only if no other digit follows it.
            length if length > 1 && self.text.as_bytes()[self.at - length] == b'0' => return None,
            _ => {}
        }
        if self.literally(".") && self.digits() == 0 {
            return None;
        }
        if self.literally("e") || self.literally("E") {
            let _ = self.literally("+") || self.literally("-");
            (self.digits() > 0).then_some(())?;
        }
        Some(())
    }

    fn digits(&mut self) -> usize {
        let length = digits(self.rest());
        self.at += length;
        length
    }

    /// Skips white space, but not a line feed, which ends a row.
    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) {
            self.at += 1;
        }
    }

    /// The current position.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The remaining bytes.
    pub(super) fn rest(&self) -> &'b [u8] {
        &self.text.as_bytes()[self.at..]
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    use super::*;

    proptest! {
        #[test]
        fn what_it_passes_over_is_json(text in r#"[-+0-9.eE"\\{}\[\],: truefalsn\n\tä]{0,24}"#) {
            let mut scan = Scan::of(&text);
            if let Some(value) = scan.value() {
                prop_assert!(serde_json::from_str::<IgnoredAny>(value).is_ok(), "{}", value);
            }
        }

        #[test]
        fn it_passes_over_plain_values(numbers in proptest::collection::vec(-1e300_f64..1e300, 0..4), word in "[a-zä ]{0,20}") {
            let value = serde_json::json!({"a": numbers, word.as_str(): [word, true, null, {}], "b": {"c": 1}, "d": []});
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap().replace('\n', "\t ")] {
                let mut scan = Scan::of(&text);
                prop_assert_eq!(scan.value(), Some(text.as_str()));
                prop_assert!(scan.is_at_end());
            }
        }
    }

    #[test]
    fn deep_values_and_odd_escapes_are_left_to_the_full_parser() {
        let odd = [r#""\q""#, r#""\u12g4""#, r#""\u1"#, r#""\"#, r#""\ud83d\ude00""#, "\"a\u{1}\""];
        let broken = ["01", "-", "1.", "1e", "tru", "{\"a\" 1}", "[1,]", ""];
        for text in odd.into_iter().chain(broken).chain([&*"[".repeat(1000)]) {
            assert_eq!(Scan::of(text).value(), None, "{text}");
        }
        for text in [r#""\"\\\/\b\f\n\r\t""#, r#""\u00e4\uFFFD\ud7ff""#] {
            assert_eq!(Scan::of(text).value(), Some(text));
        }
    }
}
