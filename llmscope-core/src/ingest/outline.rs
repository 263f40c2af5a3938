//! What recognition sees of a file: the names in it, and never the file's own name.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, de};

use super::delimiter;

/// How deep names are collected: `benchmarks[].requests.successful` is the deepest that a reader asks for.
const DEEPEST: usize = 5;
/// Most names that are kept: a file with more of them is data keyed by names, and its first names tell enough.
const MOST_NAMES: usize = 4096;

/// The names of the first JSON value in a text, as paths (`metadata.version`, `results[].ttft_ms`), or the cells of
/// the first line.
pub(crate) struct Outline<'t> {
    /// The beginning of the file, or all of it, without leading white space.
    pub(crate) text: &'t str,
    paths: BTreeSet<String>,
    header: Vec<String>,
}

impl<'t> Outline<'t> {
    /// What can be seen of a text. A text that breaks off shows what stands before the break.
    pub(crate) fn of(text: &'t str) -> Self {
        let text = text.trim_start();
        let mut outline = Self { text, paths: BTreeSet::new(), header: Vec::new() };
        if outline.is_json() {
            let names = Names { paths: &mut outline.paths, prefix: String::new(), depth: 0 };
            // What follows the first value, or breaks it off, is the reader's to complain about.
            let _ = names.deserialize(&mut serde_json::Deserializer::from_str(text));
        } else {
            outline.header = cells(text.lines().next().unwrap_or_default());
        }
        outline
    }

    /// True if the text begins like a JSON object or array.
    pub(crate) fn is_json(&self) -> bool {
        self.text.starts_with(['{', '['])
    }

    /// True if the first JSON value names this path. `[]` stands for the first element of an array.
    pub(crate) fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// True if the first JSON value names all of these paths.
    pub(crate) fn has_all(&self, paths: &[&str]) -> bool {
        paths.iter().all(|path| self.has(path))
    }

    /// True if the first line of delimited values has all of these cells.
    pub(crate) fn has_columns(&self, columns: &[&str]) -> bool {
        columns.iter().all(|column| self.header.iter().any(|cell| cell == column))
    }
}

fn cells(line: &str) -> Vec<String> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).delimiter(delimiter(line)).from_reader(line.as_bytes());
    let first = reader.records().next().and_then(Result::ok);
    first.map(|record| record.iter().map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default()
}

/// Collects the names of a value into `paths`.
struct Names<'p> {
    paths: &'p mut BTreeSet<String>,
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
            if self.paths.len() < MOST_NAMES {
                self.paths.insert(prefix.clone());
            }
            map.next_value_seed(Names { paths: self.paths, prefix, depth: self.depth + 1 })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
        let prefix = format!("{}[]", self.prefix);
        let first = Names { paths: self.paths, prefix, depth: self.depth + 1 };
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
        let outline = Outline::of(r#" {"a": {"b": [{"c": 1}, {"d": 2}]}, "e": [[3]]} {"f": 1}"#);
        assert!(outline.has_all(&["a", "a.b", "a.b[].c", "e"]));
        assert!(!outline.has("a.b[].d") && !outline.has("f"));
        assert!(Outline::of(r#"[{"a": 1}, {"b": 1}]"#).has("[].a"));
    }

    #[test]
    fn a_text_that_breaks_off_shows_what_stands_before_the_break() {
        let outline = Outline::of(r#"{"a": 1, "b": {"c": [1, 2"#);
        assert!(outline.has_all(&["a", "b", "b.c"]));
    }

    #[test]
    fn depth_and_breadth_are_bounded() {
        let deep = "[".repeat(100_000);
        assert!(!Outline::of(&deep).has("a"));
        let wide: Vec<String> = (0..50_000).map(|i| format!("\"k{i}\": {{\"x\": 1}}")).collect();
        assert_eq!(Outline::of(&format!("{{{}}}", wide.join(","))).paths.len(), MOST_NAMES);
    }

    #[test]
    fn delimited_values_show_their_first_line() {
        let outline = Outline::of("Type;\"Name\"; Request Count\n1;2;3\n");
        assert!(outline.has_columns(&["Type", "Name", "Request Count"]));
        assert!(!outline.has_columns(&["Type", "p99"]));
    }
}
