//! Rows from JSON Lines, without building the values that nobody asked for.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::blocks::Block;
use super::fields::{Assembly, Field, Wanted};
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
        fields.fill(Field::Missing);
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
    /// The names of the last row in their order, and what is done with each.
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
        let mut parser = serde_json::Deserializer::from_str(row);
        RowSeed { reader: self, fields }.deserialize(&mut parser)?;
        parser.end()
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

    /// What to do with the field called `name` that stands at `position` of its row.
    fn layout(&mut self, position: usize, name: &str) -> Action {
        if let Some((known, action)) = self.layout.get(position).filter(|(known, _)| known == name) {
            let _ = known;
            return *action;
        }
        let action = self.action(name);
        if position < self.layout.len() {
            self.layout[position] = (name.to_owned(), action);
        } else if position == self.layout.len() {
            self.layout.push((name.to_owned(), action));
        }
        action
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
        let mut position = 0;
        loop {
            let seed = NameSeed(|name: &str| self.reader.layout(position, name));
            let Some((action, name)) = map.next_key_seed(seed)? else { return Ok(()) };
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
            position += 1;
        }
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
