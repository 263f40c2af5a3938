//! Text from outside, on its way to a terminal or a page.

use std::borrow::Cow;

/// The text with its control and bidirectional characters as visible escapes (`\u{1b}`), so that it cannot move the
/// cursor, change colors, or reorder its neighbors (Unicode Standard Annex 9; CWE-150).
///
/// ```
/// use llmscope_core::text::visible;
///
/// assert_eq!(visible("gpt-4o"), "gpt-4o");
/// assert_eq!(visible("a\u{1b}[2Jb\nc"), r"a\u{1b}[2Jb\nc");
/// ```
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_hidden(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// The text for a chat message in Slack's format: without hidden characters, and with the three characters escaped that
/// begin mentions and links (`<!channel>`).
///
/// ```
/// assert_eq!(llmscope_core::text::slack_text("a & <!here>"), "a &amp; &lt;!here&gt;");
/// ```
#[must_use]
pub fn slack_text(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The text cut to at most `bytes` bytes at the end of a character, with `…` and the original length where it is cut.
///
/// ```
/// assert_eq!(llmscope_core::text::cut_to("größer", 4), "grö… (8 bytes)");
/// ```
#[must_use]
pub fn cut_to(text: &str, bytes: usize) -> Cow<'_, str> {
    if text.len() <= bytes {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}… ({} bytes)", &text[..text.floor_char_boundary(bytes)], text.len()))
}

/// True for characters that act on the output and have no glyph.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn controls_and_bidirectional_characters_are_escaped() {
        assert_eq!(visible("a\u{9b}31m\u{7f}"), r"a\u{9b}31m\u{7f}");
        assert_eq!(visible("x\u{202e}y\u{2066}"), r"x\u{202e}y\u{2066}");
    }

    #[test]
    fn letters_of_any_script_stay() {
        for text in ["größer", "你好", "שלום", "\u{1f600}"] {
            assert_eq!(visible(text), text);
        }
    }
}
