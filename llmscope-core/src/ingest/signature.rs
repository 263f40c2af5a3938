//! What recognition sees of a file: the names in its content, never the file name.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};

use super::delimited::Beginning;
use crate::error::{self, Error, Location, excerpt};

/// The depth to which names are collected: `benchmarks[].requests.successful` is the deepest path that a reader needs.
const DEEPEST: usize = 5;
/// The maximum number of names: a file with more of them is data keyed by names, and its first names suffice.
const MOST_NAMES: usize = 4096;

/// The names in the first JSON value of a text, as paths (`metadata.version`, `results[].ttft_ms`), or the cells of the
/// first line.
pub(crate) struct Signature<'t> {
    /// The beginning of the file, or all of it, without leading white space.
    pub(crate) text: &'t str,
    paths: BTreeSet<String>,
    /// A path that the first JSON value contains twice.
    repeated: Option<String>,
    header: Vec<String>,
}

impl<'t> Signature<'t> {
    /// The signature of a text. A truncated text has the names that precede the truncation.
    pub(crate) fn of(text: &'t str) -> Self {
        let text = text.trim_start();
        let mut signature = Self { text, paths: BTreeSet::new(), repeated: None, header: Vec::new() };
        if signature.is_json() {
            let names = Names {
                paths: &mut signature.paths,
                repeated: &mut signature.repeated,
                prefix: String::new(),
                depth: 0,
            };
            // Errors after the first value, or a truncation within it, are reported by the reader.
            let _ = names.deserialize(&mut serde_json::Deserializer::from_str(text));
        } else {
            let beginning = Beginning::of(text);
            signature.header = cells(beginning.header, beginning.delimiter);
        }
        signature
    }

    /// Refuses a JSON table whose first row has two fields of one name.
    pub(crate) fn check_names(&self, source: &str) -> error::Result<()> {
        let Some(name) = &self.repeated else { return Ok(()) };
        Err(Error::Format {
            location: Location::of(source),
            problem: format!("two fields of an object are named \"{}\"", excerpt(name)),
            fix: "rename one of them".to_owned(),
        })
    }

    /// True if the text begins like a JSON object or array.
    pub(crate) fn is_json(&self) -> bool {
        self.text.starts_with(['{', '['])
    }

    /// True if the first JSON value contains this path. `[]` denotes the first element of an array.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// True if the first JSON value contains a field of this name, at any depth.
    pub(crate) fn has_field(&self, name: &str) -> bool {
        self.paths.iter().any(|path| path.rsplit('.').next() == Some(name))
    }

    /// The names of the fields directly at a path.
    pub(crate) fn fields_of(&self, path: &str) -> Vec<&str> {
        let below = self.paths.iter().filter_map(|known| known.strip_prefix(path));
        below.filter(|name| !name.contains('.')).map(|name| name.trim_end_matches("[]")).collect()
    }

    /// True if the first JSON value contains all of these paths.
    pub(crate) fn has_all(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.has(path))
    }

    /// True if the first line of delimited values contains all of these cells.
    pub(crate) fn has_columns(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.has_column(column))
    }

    /// The cells of the first line of delimited values.
    pub(crate) fn first_line(&self) -> &[String] {
        &self.header
    }

    /// True if the first line of delimited values contains this cell.
    pub(crate) fn has_column(&self, column: &str) -> bool {
        self.header.iter().any(|cell| cell == column)
    }
}

fn cells(line: &str, delimiter: u8) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter).from_reader(line.as_bytes());
    let first = reader.records().next().and_then(Result::ok);
    first.map(|record| record.iter().map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default()
}

/// Collects the names in a value into `paths`.
struct Names<'p> {
    paths: &'p mut BTreeSet<String>,
    repeated: &'p mut Option<String>,
    prefix: String,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.depth > DEEPEST || self.paths.len() == MOST_NAMES {
            return deserializer.deserialize_ignored_any(IgnoredAny).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            let prefix = if self.prefix.is_empty() { name } else { format!("{}.{name}", self.prefix) };
            if self.paths.len() < MOST_NAMES && !self.paths.insert(prefix.clone()) {
                self.repeated.get_or_insert_with(|| prefix.clone());
            }
            map.next_value_seed(Names { paths: self.paths, repeated: self.repeated, prefix, depth: self.depth + 1 })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let prefix = format!("{}[]", self.prefix);
        let first = Names { paths: self.paths, repeated: self.repeated, prefix, depth: self.depth + 1 };
        if elements.next_element_seed(first)?.is_some() {
            while elements.next_element::<IgnoredAny>()?.is_some() {}
        }
        Ok(())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_paths_to_the_first_element_of_arrays() {
        let signature = Signature::of(r#" {"a": {"b": [{"c": 1}, {"d": 2}]}, "e": [[3]]} {"f": 1}"#);
        assert!(signature.has_all(&["a", "a.b", "a.b[].c", "e"]));
        assert!(!signature.has("a.b[].d") && !signature.has("f"));
        assert!(Signature::of(r#"[{"a": 1}, {"b": 1}]"#).has("[].a"));
    }

    #[test]
    fn a_text_that_breaks_off_shows_what_stands_before_the_break() {
        let signature = Signature::of(r#"{"a": 1, "b": {"c": [1, 2"#);
        assert!(signature.has_all(&["a", "b", "b.c"]));
    }

    #[test]
    fn depth_and_breadth_are_bounded() {
        let deep = "[".repeat(100_000);
        assert!(!Signature::of(&deep).has("a"));
        let wide: Vec<String> = (0..50_000).map(|i| format!("\"k{i}\": {{\"x\": 1}}")).collect();
        assert_eq!(Signature::of(&format!("{{{}}}", wide.join(","))).paths.len(), MOST_NAMES);
    }

    #[test]
    fn delimited_values_show_their_first_line() {
        let signature = Signature::of("Type;\"Name\"; Request Count\n1;2;3\n");
        assert!(signature.has_columns(&["Type", "Name", "Request Count"]));
        assert!(!signature.has_columns(&["Type", "p99"]));
    }
}
