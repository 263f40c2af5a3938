//! The tags of an XML text, as far as logs of tools need them: elements, attributes, text. Declarations, comments and
//! processing instructions are skipped, and external entities are not read.

use std::borrow::Cow;

use super::blocks::line_feeds;

/// What the text contains at one place.
#[derive(Debug, PartialEq)]
pub(super) enum Event<'t> {
    /// The beginning of an element, at this 1-based line.
    Open { name: &'t str, attributes: Attributes<'t>, line: u64 },
    /// The end of an element.
    Close,
    /// Text between tags.
    Text(Cow<'t, str>),
    /// The text ends within a tag, or with an element that is open.
    Truncated,
    /// A tag that is not well-formed, at this line.
    Broken(u64),
}

/// The attributes of an element, in the order of the text.
#[derive(Debug, PartialEq, Default)]
pub(super) struct Attributes<'t>(Vec<(&'t str, Cow<'t, str>)>);

impl Attributes<'_> {
    /// An attribute; `None` if it is empty, or if the element lacks it.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_ref()).filter(|value| !value.is_empty())
    }
}

/// The events of a text, in its order. The last one is `Truncated` or `Broken` if the text is not whole.
pub(super) struct Events<'t> {
    text: &'t str,
    at: usize,
    open: usize,
    /// The element that ends with the tag that began it.
    closes: bool,
    ended: bool,
    /// The line at the offset up to which line feeds were counted.
    line: u64,
    counted: usize,
}

impl<'t> Events<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self { text, at: 0, open: 0, closes: false, ended: false, line: 1, counted: 0 }
    }

    fn end(&mut self, event: Event<'t>) -> Option<Event<'t>> {
        self.ended = true;
        Some(event)
    }

    /// The 1-based line at an offset, which never decreases.
    fn line_at(&mut self, offset: usize) -> u64 {
        self.line += line_feeds(&self.text.as_bytes()[self.counted..offset]) as u64;
        self.counted = offset;
        self.line
    }

    /// The text after the next occurrence of `end`, and what precedes it.
    fn until(&mut self, from: usize, end: &str) -> Option<&'t str> {
        let rest = &self.text[from..];
        let length = memchr::memmem::find(rest.as_bytes(), end.as_bytes())?;
        self.at = from + length + end.len();
        Some(&rest[..length])
    }

    fn tag(&mut self, offset: usize) -> Option<Event<'t>> {
        let line = self.line_at(offset);
        let Some(length) = end_of_tag(&self.text.as_bytes()[offset..]) else { return self.end(Event::Truncated) };
        self.at = offset + length;
        let inside = &self.text[offset + 1..self.at - 1];
        if inside.starts_with('/') {
            let Some(open) = self.open.checked_sub(1) else { return self.end(Event::Broken(line)) };
            self.open = open;
            return Some(Event::Close);
        }
        let (inside, closes) = inside.strip_suffix('/').map_or((inside, false), |inside| (inside, true));
        let (name, rest) = inside.split_once(|c: char| c.is_ascii_whitespace()).unwrap_or((inside, ""));
        match attributes(rest) {
            Some(attributes) if !name.is_empty() => {
                self.open += 1;
                self.closes = closes;
                Some(Event::Open { name, attributes, line })
            }
            _ => self.end(Event::Broken(line)),
        }
    }
}

impl<'t> Iterator for Events<'t> {
    type Item = Event<'t>;

    fn next(&mut self) -> Option<Event<'t>> {
        if std::mem::take(&mut self.closes) {
            self.open -= 1;
            return Some(Event::Close);
        }
        while !self.ended {
            let from = self.at;
            let rest = &self.text[from..];
            if rest.is_empty() {
                return if self.open > 0 { self.end(Event::Truncated) } else { None };
            }
            let skipped = [("<!--", "-->"), ("<?", "?>"), ("<!DOCTYPE", ">")];
            if let Some((begin, end)) = skipped.into_iter().find(|(begin, _)| rest.starts_with(begin)) {
                if self.until(from + begin.len(), end).is_none() {
                    return self.end(Event::Truncated);
                }
            } else if rest.starts_with("<![CDATA[") {
                let text = self.until(from + "<![CDATA[".len(), "]]>");
                return text.map(|text| Event::Text(Cow::Borrowed(text))).or_else(|| self.end(Event::Truncated));
            } else if rest.starts_with('<') {
                return self.tag(from);
            } else {
                let length = memchr::memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
                self.at = from + length;
                if !rest[..length].trim().is_empty() {
                    return Some(Event::Text(unescaped(rest[..length].trim())));
                }
            }
        }
        None
    }
}

/// The length of a tag: a value in quotation marks may contain `>`.
fn end_of_tag(bytes: &[u8]) -> Option<usize> {
    let mut quoted = None;
    for (at, &byte) in bytes.iter().enumerate() {
        match quoted {
            Some(mark) if byte == mark => quoted = None,
            Some(_) => {}
            None if byte == b'>' => return Some(at + 1),
            None if byte == b'"' || byte == b'\'' => quoted = Some(byte),
            None => {}
        }
    }
    None
}

/// `a="1" b='2'`; `None` if it is something else.
fn attributes(text: &str) -> Option<Attributes<'_>> {
    let (mut rest, mut found) = (text.trim(), Vec::new());
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let mark = after.chars().next().filter(|mark| ['"', '\''].contains(mark))?;
        let (value, next) = after[1..].split_once(mark)?;
        found.push((name.trim(), unescaped(value)));
        rest = next.trim_start();
    }
    Some(Attributes(found))
}

/// The text with its references replaced. Unknown ones stay.
fn unescaped(text: &str) -> Cow<'_, str> {
    /// The longest reference that XML defines is `&#1114111;`.
    const LONGEST: usize = 10;
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(LONGEST).position(|byte| byte == b';');
        match end.and_then(|end| Some((end, character(&rest[1..end])?))) {
            Some((end, character)) => {
                plain.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

fn character(reference: &str) -> Option<char> {
    Some(match reference {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        other => {
            let digits = other.strip_prefix('#')?;
            let code = digits.strip_prefix('x').map_or_else(|| digits.parse(), |hex| u32::from_str_radix(hex, 16));
            return char::from_u32(code.ok()?);
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        let event = |event| match event {
            Event::Open { name, attributes, .. } => format!("<{name}{:?}", attributes.0),
            Event::Close => ">".to_owned(),
            Event::Text(text) => format!("'{text}'"),
            other => format!("{other:?}"),
        };
        Events::of(text).map(event).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn tags_attributes_and_text() {
        assert_eq!(
            shown("<?xml version=\"1.0\"?><a><!-- <x> --><b c=\"&lt;&#65;>\" d='e'/> t &amp; u </a>"),
            "<a[] <b[(\"c\", \"<A>\"), (\"d\", \"e\")] > 't & u' >"
        );
        assert_eq!(shown("<a><![CDATA[1 < 2]]></a>"), "<a[] '1 < 2' >");
        assert_eq!(shown("<a><b x=\"1"), "<a[] Truncated");
        assert_eq!(shown("<a>"), "<a[] Truncated");
        assert_eq!(shown("</a>"), "Broken(1)");
        assert_eq!(shown("<a b=c>"), "Broken(1)");
        assert_eq!(unescaped("&unknown; &#xFFFFFFFF; & ä&"), "&unknown; &#xFFFFFFFF; & ä&");
    }

    proptest! {
        #[test]
        fn any_text_ends(text in "(<|>|/|!|-|\\[|&|;|\"|'|=|a|ä| |CDATA|<!--|\\?){0,30}") {
            prop_assert!(Events::of(&text).count() <= 2 * text.len() + 1);
        }
    }
}
