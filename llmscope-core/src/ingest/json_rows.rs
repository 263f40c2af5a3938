//! Reads rows of JSON Lines without building values that are not requested.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::blocks::Block;
use super::fields::{Assembly, Field, Wanted};
use super::json_shape::{Action, Paths, Shape, walk};
use super::non_finite;
use super::projection::Rows;
use crate::error::{Error, Location, Result};
use crate::session::{Warning, is_torn, torn_tail};

/// The rows of a block of JSON Lines.
pub(super) fn read(source: &str, block: &Block, wanted: &Wanted<'_>) -> Result<(Rows, Vec<Warning>)> {
    let mut assembly = Assembly::new(wanted, source, block.line_feeds);
    let mut reader = RowReader::new(wanted);
    let mut fields = vec![Field::Missing; wanted.names.len()];
    let mut warnings = Vec::new();
    let (mut rest, mut number) = (block.text.as_str(), block.line);
    while !rest.is_empty() {
        let length = if let Some(length) = reader.fit(rest, &mut fields) {
            assembly.add(&fields, number)?;
            length
        } else {
            let line = first_line(rest);
            let row = line.trim_ascii_end();
            match reader.read(row, &mut fields) {
                _ if row.is_empty() => {}
                Ok(()) => assembly.add(&fields, number)?,
                Err(_) if add_finite(&mut assembly, &mut reader, row, number)? => {}
                Err(_) if is_torn(line) && (block.index > 0 || assembly.rows.records > 0) => {
                    warnings.push(torn_tail(Location::of(source).line(number)));
                }
                Err(error) => return Err(Error::of_json(Location::of(source).line(number), &error)),
            }
            line.len()
        };
        rest = &rest[length..];
        number += 1;
    }
    Ok((assembly.into_rows(&reader.seen), warnings))
}

/// Adds a row with numbers that are not finite, as Python writes them. False if the row has none, or another fault.
fn add_finite(assembly: &mut Assembly<'_, '_>, reader: &mut RowReader, row: &str, line: u64) -> Result<bool> {
    let Some((finite, count)) = non_finite::removed(row) else { return Ok(false) };
    let mut fields = vec![Field::Missing; reader.seen.len()];
    if reader.read(&finite, &mut fields).is_err() {
        return Ok(false);
    }
    assembly.rows.tally.non_finite += count;
    assembly.add(&fields, line)?;
    Ok(true)
}

/// The first line of `text`, with its line feed.
fn first_line(text: &str) -> &str {
    memchr::memchr(b'\n', text.as_bytes()).map_or(text, |end| &text[..=end])
}

/// The number of shapes that a row is compared with; rows of other shapes are scanned.
const MOST_SHAPES: usize = 4;

/// Reads the requested fields of rows. Rows of one log usually have only a few shapes.
struct RowReader {
    paths: Paths,
    /// For each requested name, whether any row has it.
    seen: Vec<bool>,
    /// Shapes of previous rows, the most frequent ones first.
    shapes: Vec<Shape>,
    /// The number of rows of a known shape, of scanned rows, and of scanned rows whose shape was learned.
    fitting: usize,
    walked: usize,
    learned: usize,
}

impl RowReader {
    fn new(wanted: &Wanted<'_>) -> Self {
        let (paths, seen) = (Paths::of(&wanted.names), vec![false; wanted.names.len()]);
        Self { paths, seen, shapes: Vec::new(), fitting: 0, walked: 0, learned: 0 }
    }

    /// The fastest path: if the row at the beginning of `text` has a known shape, takes its requested fields and
    /// returns the length of the row.
    fn fit<'b>(&mut self, text: &'b str, fields: &mut [Field<'b>]) -> Option<usize> {
        let mut fits = |shape: &Shape| {
            fields.fill(Field::Missing);
            shape.values(text, |place, value| fields[place] = Field::Json(value))
        };
        let (place, length) = self.shapes.iter().enumerate().find_map(|(place, shape)| Some((place, fits(shape)?)))?;
        self.fitting += 1;
        self.shapes.swap(place, place.saturating_sub(1));
        Some(length)
    }

    /// Takes the requested fields of a row of unknown shape.
    fn read<'b>(&mut self, row: &'b str, fields: &mut [Field<'b>]) -> serde_json::Result<()> {
        if self.walk(row, fields).is_none() {
            self.parse(row, fields)?;
        }
        for (seen, field) in self.seen.iter_mut().zip(fields) {
            *seen |= *field != Field::Missing;
        }
        Ok(())
    }

    /// The fast path for a row that the scanner accepts.
    fn walk<'b>(&mut self, row: &'b str, fields: &mut [Field<'b>]) -> Option<()> {
        fields.fill(Field::Missing);
        walk(row, &self.paths, &mut |place, action| {
            if let Some(field) = action.field() {
                fields[field] = Field::Json(&row[place]);
            }
        })?;
        self.walked += 1;
        if self.learned <= MOST_SHAPES + self.fitting / 8 {
            self.learned += 1;
            self.shapes.truncate(MOST_SHAPES - 1);
            self.shapes.extend(Shape::of(row, &self.paths));
        } else if self.walked > self.fitting {
            // If most rows have a shape of their own, there is nothing to learn.
            self.shapes.clear();
        }
        Some(())
    }

    /// The full parser, for all other rows.
    fn parse<'b>(&self, row: &'b str, fields: &mut [Field<'b>]) -> serde_json::Result<()> {
        fields.fill(Field::Missing);
        parse_object(row, "", &self.paths, fields)
    }
}

/// Takes the requested fields of an object; `prefix` is prepended to their names: `timings.`
fn parse_object<'b>(object: &'b str, prefix: &str, paths: &Paths, fields: &mut [Field<'b>]) -> serde_json::Result<()> {
    let mut parser = serde_json::Deserializer::from_str(object);
    parser.deserialize_map(ObjectVisitor { prefix, paths, fields })?;
    parser.end()
}

struct ObjectVisitor<'v, 'b> {
    prefix: &'v str,
    paths: &'v Paths,
    fields: &'v mut [Field<'b>],
}

impl<'b> Visitor<'b> for ObjectVisitor<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, such as {\"latency\": 0.31}")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<Cow<'b, str>>()? {
            let path = format!("{}{name}", self.prefix);
            let action = self.paths.action(&path);
            if action == Action::Skip {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value::<&RawValue>()?.get();
            if value.starts_with('{') {
                // The parser has already validated the row: this cannot fail.
                parse_object(value, &format!("{path}."), self.paths, self.fields).map_err(de::Error::custom)?;
            } else if let Some(field) = action.field() {
                self.fields[field] = Field::Json(value);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::super::projection::Projection;
    use super::super::roles::KnownNames;
    use super::*;
    use crate::measure::Measure;

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(json!(null)),
            any::<bool>().prop_map(|value| json!(value)),
            (-1e9..1e9).prop_map(|value: f64| json!(value)),
            (0_u64..1000).prop_map(|value| json!(value)),
            "[a-z \"\\\\\n/\u{e4}\u{1F600}]{0,12}".prop_map(|value| json!(value)),
        ];
        leaf.prop_recursive(3, 12, 3, |inner| {
            let name = prop::sample::select(vec!["value", "latency", "other"]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(|values| json!(values)),
                prop::collection::vec((name, inner), 0..3)
                    .prop_map(|fields| json!(fields.into_iter().collect::<std::collections::BTreeMap<_, _>>())),
            ]
        })
    }

    /// A row as a tool may write it, possibly with a syntax error.
    fn row() -> impl Strategy<Value = String> {
        let names = prop::sample::subsequence(vec!["model", "latency", "deep", "deep.value", "note", "time"], 0..=6);
        let fault =
            prop_oneof![9 => Just(None), 1 => (any::<prop::sample::Index>(), "[a-z\"{}:,0-9 ]{0,1}").prop_map(Some)];
        (names, prop::collection::vec(value(), 6), any::<bool>(), fault).prop_map(|(names, values, wide, fault)| {
            let separators = if wide { (": ", ", ") } else { (":", ",") };
            let field = |(name, value): (&str, serde_json::Value)| format!("\"{name}\"{}{value}", separators.0);
            let fields: Vec<_> = names.into_iter().zip(values).map(field).collect();
            let mut row = format!("{{{}}}", fields.join(separators.1));
            if let Some((at, new)) = fault {
                let places: Vec<usize> = row.char_indices().map(|(place, _)| place).collect();
                let place = places[at.index(places.len())];
                let length = row[place..].chars().next().map_or(0, char::len_utf8);
                row.replace_range(place..place + length, &new);
            }
            row
        })
    }

    fn projection() -> Projection {
        Projection {
            measures: vec![Measure::Column("latency".to_owned()), Measure::Column("deep.value".to_owned())],
            labels: vec!["model".to_owned()],
            ..Projection::default()
        }
    }

    proptest! {
        #[test]
        fn quick_ways_end_where_the_full_parser_does(rows in prop::collection::vec(row(), 1..24), again in 1_usize..4) {
            let projection = projection();
            let wanted = Wanted::of(&projection, KnownNames { names: &[], complete: true });
            let (mut quick, full) = (RowReader::new(&wanted), RowReader::new(&wanted));
            let mut seen = vec![false; wanted.names.len()];
            let mut fields = vec![Field::Missing; wanted.names.len()];
            for row in rows.iter().flat_map(|row| std::iter::repeat_n(row, again)) {
                let read = quick.fit(row, &mut fields).map_or_else(|| quick.read(row, &mut fields).is_ok(), |length| length == row.len());
                let found = fields.clone();
                prop_assert_eq!(read, full.parse(row, &mut fields).is_ok(), "{}", row);
                if read {
                    prop_assert_eq!(&found, &fields, "{}", row);
                    seen.iter_mut().zip(&fields).for_each(|(seen, field)| *seen |= *field != Field::Missing);
                }
                prop_assert_eq!(&quick.seen, &seen, "{}", row);
            }
        }
    }

    #[test]
    fn a_row_ends_with_its_line() {
        let projection = projection();
        let wanted = Wanted::of(&projection, KnownNames { names: &[], complete: true });
        let mut reader = RowReader::new(&wanted);
        let mut fields = vec![Field::Missing; wanted.names.len()];
        reader.read(r#"{"latency": [1]}"#, &mut fields).unwrap();
        for (text, length) in
            [("\n{", Some(17)), ("\r\n{", Some(18)), ("", Some(16)), (" \n", None), ("{", None), ("\r", None)]
        {
            let row = format!(r#"{{"latency": [1]}}{text}"#);
            assert_eq!(reader.fit(&row, &mut fields.clone()), length, "{row:?}");
        }
        assert_eq!(reader.fit("{\"latency\": [1,\n2]}\n", &mut fields), None);
    }

    #[test]
    fn rows_of_one_shape_are_not_parsed() {
        let projection = projection();
        let wanted = Wanted::of(&projection, KnownNames { names: &[], complete: true });
        let mut reader = RowReader::new(&wanted);
        let rows: Vec<_> = (0..100)
            .map(|i| {
                format!(r#"{{"model": "m{i}", "note": "a\n\"b\"", "deep": {{"value": {i}.5, "x": null}}, "t": [{i}]}}"#)
            })
            .collect();
        for (i, row) in rows.iter().enumerate() {
            let mut fields = vec![Field::Missing; wanted.names.len()];
            if reader.fit(row, &mut fields).is_none() {
                reader.read(row, &mut fields).unwrap();
            }
            assert_eq!(fields[1], Field::Json(&format!("{i}.5")));
        }
        assert_eq!((reader.fitting, reader.learned), (99, 1));
    }
}
