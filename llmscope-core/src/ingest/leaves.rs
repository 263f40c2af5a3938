//! The values of a document by their paths (`run.time.start`), from JSON or from the part of YAML that programs write:
//! blocks of keys, lists and plain or quoted values. Texts of several lines are skipped.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::error::{Error, Location, Result};

/// The first value at each path, as text. All elements of a list have the path of the list.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Leaves(BTreeMap<String, String>);

impl Leaves {
    pub(super) fn of(source: &str, text: &str) -> Result<Self> {
        let mut leaves = Self::default();
        if text.trim_start().starts_with('{') {
            let value: Value =
                serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
            leaves.add_json("", &value);
        } else {
            leaves.add_yaml(text);
        }
        Ok(leaves)
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.0.get(path).map(String::as_str).filter(|text| !["", "null", "~"].contains(text))
    }

    pub(super) fn number(&self, path: &str) -> Option<f64> {
        self.text(path)?.parse().ok()
    }

    /// The names and values directly below a path.
    pub(super) fn below(&self, path: &str) -> impl Iterator<Item = (&str, &str)> {
        let prefix = format!("{path}.");
        let from = self.0.range(prefix.clone()..);
        from.map_while(move |(path, text)| Some((path.strip_prefix(&prefix)?, text.as_str())))
            .filter(|(name, _)| !name.contains('.'))
    }

    fn add(&mut self, path: &str, text: &str) {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), text.to_owned());
        }
    }

    fn add_json(&mut self, path: &str, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let below = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    self.add_json(&below, value);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.add_json(path, value)),
            Value::String(text) => self.add(path, text),
            other => self.add(path, &other.to_string()),
        }
    }

    fn add_yaml(&mut self, text: &str) {
        // The keys above a line, with their indentation.
        let mut above: Vec<(usize, &str)> = Vec::new();
        // The indentation of the key of a text of several lines.
        let mut of_block: Option<usize> = None;
        for line in text.lines() {
            let content = line.trim_start();
            let mut indent = line.len() - content.len();
            if content.is_empty() || content.starts_with('#') || of_block.is_some_and(|key| indent > key) {
                continue;
            }
            of_block = None;
            let mut rest = content;
            while let Some(item) = rest.strip_prefix("- ") {
                // The dash of an item may be where the key of its list is.
                above.truncate(above.iter().take_while(|(at, _)| *at <= indent).count());
                indent += 2;
                rest = item;
            }
            above.truncate(above.iter().take_while(|(at, _)| *at < indent).count());
            let Some((key, value)) =
                rest.split_once(':').filter(|(_, value)| value.is_empty() || value.starts_with(' '))
            else {
                continue;
            };
            let (key, value) = (unquoted(key.trim()), value.trim());
            if value.starts_with(['|', '>']) {
                of_block = Some(indent);
            } else if !value.is_empty() {
                let path: Vec<&str> = above.iter().map(|(_, key)| *key).chain([key]).collect();
                self.add(&path.join("."), unquoted(value));
            }
            above.push((indent, key));
        }
    }
}

fn unquoted(text: &str) -> &str {
    let inside = |mark: char| text.strip_prefix(mark)?.strip_suffix(mark);
    inside('\'').or_else(|| inside('"')).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const YAML: &str = "# x\na:\n  b: 1\n  c:\n  - d: 2\n    e:\n      f: 'x: y'\n  - d: 3\n  text: |\n    b: 9\n  g: {}\nh: \"2026\"\n\
                        i:\n    - j: 4\n    - k\nurl: http://a:1\n";

    #[test]
    fn yaml_has_the_paths_of_json() {
        let yaml = Leaves::of("log", YAML).expect("is read");
        for (path, expected) in [
            ("a.b", "1"),
            ("a.c.d", "2"),
            ("a.c.e.f", "x: y"),
            ("a.g", "{}"),
            ("h", "2026"),
            ("i.j", "4"),
            ("url", "http://a:1"),
        ] {
            assert_eq!(yaml.text(path), Some(expected), "{path}");
        }
        assert_eq!(yaml.text("a.text.b").or(yaml.text("a.text")), None);
        let json = Leaves::of("log", r#"{"a":{"b":1,"c":[{"d":2},{"d":3}],"n":null},"h":"2026"}"#).expect("is read");
        assert_eq!((json.text("a.c.d"), json.number("a.b"), json.text("a.n")), (Some("2"), Some(1.0), None));
        assert_eq!(json.below("a").collect::<Vec<_>>(), [("b", "1"), ("n", "null")]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "([ ]{0,4}(- )?[ab\"'|ä]{0,2}:?[ ]?[0-9|>]{0,2}\n){0,12}") {
            prop_assert!(Leaves::of("log", &text).is_ok());
        }
    }
}
