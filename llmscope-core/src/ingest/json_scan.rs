//! JSON values passed over without being read: most fields of most rows are of no interest.
//!
//! The scanner takes only what is certainly JSON. Whatever else it meets (an escape, a control character, deep nesting,
//! a fault) it leaves to the full parser, which then says what is wrong, if anything is.

/// Deeper values are left to the full parser, which has a limit of its own.
const DEEPEST: usize = 16;

/// A place in a text.
pub(super) struct Scan<'b> {
    text: &'b str,
    at: usize,
}

impl<'b> Scan<'b> {
    pub(super) fn of(text: &'b str) -> Self {
        Self { text, at: 0 }
    }

    /// Passes over this text if it stands here.
    pub(super) fn literally(&mut self, expected: &str) -> bool {
        let stands = self.rest().starts_with(expected.as_bytes());
        if stands {
            self.at += expected.len();
        }
        stands
    }

    /// Passes over white space and this byte.
    pub(super) fn byte(&mut self, expected: u8) -> Option<()> {
        self.space();
        (self.peek()? == expected).then(|| self.at += 1)
    }

    /// True at the end, or with nothing but white space left.
    pub(super) fn is_at_end(&mut self) -> bool {
        self.space();
        self.at == self.text.len()
    }

    /// Passes over a string, and gives what stands between its quotation marks.
    pub(super) fn string(&mut self) -> Option<&'b str> {
        self.byte(b'"')?;
        let start = self.at;
        self.at += plain_length(self.rest());
        let content = self.text.get(start..self.at)?;
        (self.peek()? == b'"').then(|| self.at += 1)?;
        Some(content)
    }

    /// Passes over a value, and gives it as it stands.
    pub(super) fn value(&mut self) -> Option<&'b str> {
        self.space();
        let start = self.at;
        self.pass(DEEPEST)?;
        self.text.get(start..self.at)
    }

    fn pass(&mut self, depth: usize) -> Option<()> {
        self.space();
        match self.peek()? {
            b'"' => self.string().map(|_| ()),
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

    /// Passes over a list of things between brackets.
    fn all(&mut self, open: u8, close: u8, mut pass: impl FnMut(&mut Self) -> Option<()>) -> Option<()> {
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

    fn number(&mut self) -> Option<()> {
        self.literally("-");
        match self.digits() {
            0 => return None,
            // Only a zero that stands alone begins a number.
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
        let length = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += length;
        length
    }

    /// Passes over white space.
    pub(super) fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn rest(&self) -> &'b [u8] {
        &self.text.as_bytes()[self.at..]
    }
}

/// How many bytes come before the first quotation mark, backslash or control character, eight at a time (Mycroft 1987:
/// a byte is zero if subtracting one borrows from its highest bit).
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    let below = |word: u64, limit: u8| word.wrapping_sub(ONES * u64::from(limit)) & !word & HIGH;
    let mut length = 0;
    while let Some(chunk) = bytes[length..].first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let equal = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
        let found = equal(b'"') | equal(b'\\') | below(word, 0x20);
        if found != 0 {
            // A borrow can mark bytes after the first hit, never before it.
            return length + found.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let is_plain = |byte: &&u8| !matches!(byte, b'"' | b'\\') && **byte >= 0x20;
    length + bytes[length..].iter().take_while(is_plain).count()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

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
            for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
                let mut scan = Scan::of(&text);
                prop_assert_eq!(scan.value(), Some(text.as_str()));
                prop_assert!(scan.is_at_end());
            }
        }

        #[test]
        fn a_plain_text_ends_where_it_ends(text in "[a-z\u{1}\u{1f} \"\\\\äß\u{7f}!#]{0,40}") {
            let plain = |byte: &u8| !matches!(byte, b'"' | b'\\') && *byte >= 0x20;
            let expected = text.bytes().take_while(plain).count();
            prop_assert_eq!(plain_length(text.as_bytes()), expected);
        }
    }

    #[test]
    fn deep_values_and_escapes_are_left_to_the_full_parser() {
        for text in
            [&"[".repeat(1000), r#""a\nb""#, "01", "-", "1.", "1e", "tru", "\"a\u{1}\"", "{\"a\" 1}", "[1,]", ""]
        {
            assert_eq!(Scan::of(text).value(), None, "{text}");
        }
    }
}
