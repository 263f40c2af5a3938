//! Rows from JSON Lines, without building the values that nobody asked for.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::blocks::Block;
use super::fields::{Assembly, Field, Wanted};
use super::json_scan::Scan;
use super::projection::Rows;
use crate::error::{Error, Location, Result};
use crate::session::{Notice, is_torn, torn_tail};

/// The rows of a block of JSON Lines.
pub(super) fn read(source: &str, block: &Block, wanted: &Wanted<'_>) -> Result<(Rows, Vec<Notice>)> {
    let mut assembly = Assembly::new(wanted, source);
    let mut reader = RowReader { wanted, seen: vec![false; wanted.names.len()], layout: Vec::new() };
    let mut fields = vec![Field::Missing; wanted.names.len()];
    let mut notices = Vec::new();
    for (number, line) in block.lines() {
        let row = line.trim_ascii_end();
        if row.is_empty() {
            continue;
        }
        match reader.read(row, &mut fields) {
            Ok(()) => assembly.add(&fields, number)?,
            Err(_) if is_torn(line) && (block.index > 0 || assembly.rows.records > 0) => {
                notices.push(torn_tail(Location::of(source).line(number)));
            }
            Err(error) => return Err(Error::of_json(Location::of(source).line(number), &error)),
        }
    }
    assembly.rows.offered = wanted.offered(&reader.seen);
    Ok((assembly.rows, notices))
}

/// Reads the wanted fields of rows, which tend to name their fields in one order.
struct RowReader<'w, 'p> {
    wanted: &'w Wanted<'p>,
    /// For each wanted name, whether any row had it.
    seen: Vec<bool>,
    /// The names of earlier rows in their order, in quotation marks and with a colon, and what is done with each.
    layout: Vec<(String, Action)>,
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Skip,
    /// Take the field at this place.
    Take(usize),
    /// Fields inside it may be wanted, and itself at this place if it holds none.
    Enter(Option<usize>),
}

impl RowReader<'_, '_> {
    fn read<'b>(&mut self, row: &'b str, fields: &mut [Field<'b>]) -> serde_json::Result<()> {
        fields.fill(Field::Missing);
        if self.scan(row, fields).is_some() {
            return Ok(());
        }
        fields.fill(Field::Missing);
        let mut parser = serde_json::Deserializer::from_str(row);
        RowSeed { reader: self, fields }.deserialize(&mut parser)?;
        parser.end()
    }

    /// The quick way through a row that is plain; `None` leaves it to the full parser.
    fn scan<'b>(&mut self, row: &'b str, fields: &mut [Field<'b>]) -> Option<()> {
        let mut scan = Scan::of(row);
        scan.byte(b'{')?;
        if scan.byte(b'}').is_some() {
            return scan.is_at_end().then_some(());
        }
        for position in 0.. {
            let action = self.next_name(&mut scan, position)?;
            let value = scan.value()?;
            match action {
                Action::Skip => {}
                Action::Take(place) => {
                    self.seen[place] = true;
                    fields[place] = Field::Json(value);
                }
                // An object in which fields are wanted takes the long way.
                Action::Enter(_) => return None,
            }
            if scan.byte(b'}').is_some() {
                return scan.is_at_end().then_some(());
            }
            scan.byte(b',')?;
        }
        None
    }

    /// Passes over the name at a position of its row, which most rows have in common, and its colon.
    fn next_name(&mut self, scan: &mut Scan<'_>, position: usize) -> Option<Action> {
        scan.space();
        if let Some((_, action)) = self.layout.get(position).filter(|(name, _)| scan.literally(name)) {
            return Some(*action);
        }
        let name = scan.string()?;
        scan.byte(b':')?;
        let action = self.action(name);
        let quoted = format!("\"{name}\":");
        match self.layout.get_mut(position) {
            Some(known) => *known = (quoted, action),
            None => self.layout.push((quoted, action)),
        }
        Some(action)
    }

    fn action(&self, path: &str) -> Action {
        let place = self.wanted.names.iter().position(|name| name == path);
        let inside = |name: &String| name.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
        match place {
            _ if self.wanted.names.iter().any(inside) => Action::Enter(place),
            Some(place) => Action::Take(place),
            None => Action::Skip,
        }
    }
}

/// An object that is a row.
struct RowSeed<'r, 'w, 'p, 'f, 'b> {
    reader: &'r mut RowReader<'w, 'p>,
    fields: &'f mut [Field<'b>],
}

impl<'b> DeserializeSeed<'b> for RowSeed<'_, '_, '_, '_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'b> Visitor<'b> for RowSeed<'_, '_, '_, '_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object, such as {\"latency\": 0.31}")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((action, name)) = map.next_key_seed(NameSeed(|name: &str| self.reader.action(name)))? {
            match action {
                Action::Skip => map.next_value::<IgnoredAny>().map(|_| ())?,
                Action::Take(place) => {
                    self.reader.seen[place] = true;
                    self.fields[place] = Field::Json(map.next_value::<&RawValue>()?.get());
                }
                Action::Enter(_) => {
                    let inside = InsideSeed { reader: &mut *self.reader, fields: &mut *self.fields, path: &name };
                    map.next_value_seed(inside)?;
                }
            }
        }
        Ok(())
    }
}

/// A name in an object: what is to be done with its field, and the name itself where that needs it.
struct NameSeed<F>(F);

impl<'b, F: FnMut(&str) -> Action> DeserializeSeed<'b> for NameSeed<F> {
    type Value = (Action, String);

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<F: FnMut(&str) -> Action> Visitor<'_> for NameSeed<F> {
    type Value = (Action, String);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E: de::Error>(mut self, name: &str) -> Result<Self::Value, E> {
        let action = (self.0)(name);
        Ok((action, if matches!(action, Action::Enter(_)) { name.to_owned() } else { String::new() }))
    }
}

/// A field that fields inside it are wanted of.
struct InsideSeed<'r, 'w, 'p, 'f, 'b, 'n> {
    reader: &'r mut RowReader<'w, 'p>,
    fields: &'f mut [Field<'b>],
    path: &'n str,
}

impl<'b> DeserializeSeed<'b> for InsideSeed<'_, '_, '_, '_, 'b, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        // Few of the wanted fields are nested: a value in between costs little.
        let value: Value = de::Deserialize::deserialize(deserializer)?;
        put(self.reader, self.fields, self.path, value);
        Ok(())
    }
}

fn put(reader: &mut RowReader<'_, '_>, fields: &mut [Field<'_>], path: &str, value: Value) {
    if let Value::Object(inside) = value {
        for (name, value) in inside {
            put(reader, fields, &format!("{path}.{name}"), value);
        }
        return;
    }
    if let Action::Take(place) | Action::Enter(Some(place)) = reader.action(path) {
        reader.seen[place] = true;
        fields[place] = Field::Nested(super::json_lines::cell(&value));
    }
}
