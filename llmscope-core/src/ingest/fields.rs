//! The fields of a row that a projection asks for, and what each is for.

use std::collections::HashMap;

use serde_json::Value;

use super::projection::{Projection, Rows, Time, number, time};
use super::{Cell, Mapping, json_lines};
use crate::error::{Location, Result};

/// A field of a row, as it stands in the block that is being read.
#[derive(Debug, Clone, Default)]
pub(super) enum Field<'b> {
    #[default]
    Missing,
    /// A JSON value, not read yet.
    Json(&'b str),
    /// A value from inside a JSON object.
    Nested(Cell),
    /// A cell of delimited values, which may be anything.
    Unparsed(&'b str),
}

impl Field<'_> {
    fn cell(&self) -> Cell {
        match self {
            Self::Missing => Cell::Missing,
            // The parser has seen that it is JSON; an object has no cell of its own.
            Self::Json(text) => match serde_json::from_str(text) {
                Ok(Value::Object(_)) | Err(_) => Cell::Missing,
                Ok(value) => json_lines::cell(&value),
            },
            Self::Nested(cell) => cell.clone(),
            Self::Unparsed(text) => Cell::parse(text),
        }
    }

    /// The field as a number, without the way through a cell; `None` if it takes that way to tell.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Missing => Some(f64::NAN),
            Self::Nested(Cell::Number(number)) => Some(*number),
            Self::Nested(_) => None,
            // Words that say "not a number" are missing values here as everywhere.
            Self::Json(text) | Self::Unparsed(text) => text.parse().ok(),
        }
    }

    /// The time that the field tells, without the way through a cell; `None` if it takes that way.
    fn time(&self) -> Option<Time> {
        match self {
            Self::Json(text) => text.strip_prefix('"')?.strip_suffix('"').and_then(Time::parse_usual),
            Self::Unparsed(text) => Time::parse_usual(text),
            Self::Missing | Self::Nested(_) => None,
        }
    }

    /// The field as bytes that tell it from every other one.
    fn identify(&self, key: &mut Vec<u8>) {
        match self {
            Self::Missing => key.push(0),
            Self::Json(text) => identify_text(1, text, key),
            Self::Nested(cell) => {
                key.push(2);
                identify_text(2, &cell.label().unwrap_or_default(), key);
            }
            Self::Unparsed(text) => identify_text(3, text, key),
        }
    }
}

fn identify_text(kind: u8, text: &str, key: &mut Vec<u8>) {
    key.push(kind);
    key.extend((text.len() as u64).to_le_bytes());
    key.extend(text.as_bytes());
}

/// Which fields of a row are wanted, and what for.
pub(super) struct Wanted<'p> {
    projection: &'p Projection,
    /// The names of the fields in the file, each once.
    pub(super) names: Vec<String>,
    measures: Vec<Use<'p>>,
    labels: Vec<Use<'p>>,
    times: Vec<Use<'p>>,
    companion: Option<Use<'p>>,
}

/// A field's place among the names, and how its cells are converted.
#[derive(Clone, Copy)]
struct Use<'p> {
    place: usize,
    mapping: Option<&'p Mapping>,
}

impl Use<'_> {
    fn cell(self, fields: &[Field<'_>]) -> Cell {
        let cell = fields[self.place].cell();
        match self.mapping {
            Some(mapping) => mapping.cell(cell),
            None => cell,
        }
    }
}

impl<'p> Wanted<'p> {
    pub(super) fn of(projection: &'p Projection) -> Self {
        let mut names = Vec::new();
        let mut place = |name: &str| {
            let mapping = projection.mappings.iter().find(|mapping| mapping.to == name);
            let own = mapping.map_or(name, |mapping| mapping.from.as_str());
            let known = names.iter().position(|known| known == own);
            let place = known.unwrap_or_else(|| {
                names.push(own.to_owned());
                names.len() - 1
            });
            Use { place, mapping: mapping.filter(|mapping| mapping.unit.is_some()) }
        };
        Self {
            measures: projection.measures.iter().map(|measure| place(measure.name())).collect(),
            labels: projection.labels.iter().map(|name| place(name)).collect(),
            times: Projection::TIMES.iter().map(|name| place(name)).collect(),
            companion: projection.companion.as_ref().map(|name| place(name)),
            projection,
            names,
        }
    }

    /// For each measure, whether the file has its field.
    pub(super) fn offered(&self, seen: &[bool]) -> Vec<bool> {
        self.measures.iter().map(|used| seen[used.place]).collect()
    }
}

/// Puts rows together from fields.
pub(super) struct Assembly<'w, 'p> {
    wanted: &'w Wanted<'p>,
    source: &'w str,
    pub(super) rows: Rows,
    /// Groups by the fields as they stand in the file, so that most rows need no text of their own.
    groups: HashMap<Vec<u8>, usize>,
    key: Vec<u8>,
}

impl<'w, 'p> Assembly<'w, 'p> {
    pub(super) fn new(wanted: &'w Wanted<'p>, source: &'w str) -> Self {
        let rows = Rows::new(wanted.measures.len());
        Self { wanted, source, rows, groups: HashMap::new(), key: Vec::new() }
    }

    /// Adds the row that stands at a 1-based line.
    pub(super) fn add(&mut self, fields: &[Field<'_>], line: u64) -> Result<()> {
        let group = self.group(fields);
        let position = self.rows.records;
        self.rows.records += 1;
        self.rows.begin(group, position, Some(line));
        for (index, used) in self.wanted.measures.iter().enumerate() {
            let value = match fields[used.place].number() {
                Some(number) if used.mapping.is_none() => number,
                _ => {
                    let place = || Location::of(self.source).line(line);
                    number(&used.cell(fields), self.wanted.projection.measures[index].name(), place)?
                }
            };
            self.rows.values[index].push(value);
        }
        self.rows.at(self.time(fields));
        if let Some(used) = self.wanted.companion {
            self.rows.companion.push(used.cell(fields));
        }
        Ok(())
    }

    /// The first time that one of the fields tells which may hold it.
    fn time(&self, fields: &[Field<'_>]) -> Time {
        for used in &self.wanted.times {
            if let (Some(time), None) = (fields[used.place].time(), used.mapping) {
                return time;
            }
            let cell = used.cell(fields);
            if cell != Cell::Missing {
                return time(&cell);
            }
        }
        Time::NONE
    }

    fn group(&mut self, fields: &[Field<'_>]) -> usize {
        self.key.clear();
        for used in &self.wanted.labels {
            fields[used.place].identify(&mut self.key);
        }
        if let Some(&group) = self.groups.get(&self.key) {
            return group;
        }
        let labels: Vec<_> = self.wanted.labels.iter().map(|used| used.cell(fields).label()).collect();
        let group = self.rows.group_of(&labels);
        self.groups.insert(self.key.clone(), group);
        group
    }
}
