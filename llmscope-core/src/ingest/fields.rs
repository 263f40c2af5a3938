//! The fields of a row that a projection needs, and how each of them is used.

use std::hash::{BuildHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};
use serde_json::Value;

use super::projection::{Projection, Rows, count, number, time};
use super::simd::begins_with;
use super::time::{Time, UsualTimes};
use super::tokens::TokenColumns;
use super::{Cell, Mapping, json_lines};
use crate::error::{Location, Result};

/// A field of a row, as a slice of the current block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Field<'b> {
    #[default]
    Missing,
    /// A JSON value that is not parsed yet.
    Json(&'b str),
    /// A cell of delimited values, of any type.
    Unparsed(&'b str),
}

impl Field<'_> {
    fn cell(&self) -> Cell {
        match self {
            Self::Missing => Cell::Missing,
            // The parser has validated the JSON. An object has no cell of its own.
            Self::Json(text) => match serde_json::from_str(text) {
                Ok(Value::Object(_)) | Err(_) => Cell::Missing,
                Ok(value) => json_lines::cell(&value),
            },
            Self::Unparsed(text) => Cell::parse(text),
        }
    }

    /// The field as a number, without building a cell. `None` if only the cell can decide.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Missing => Some(f64::NAN),
            // "NaN" in any spelling is a missing value, as everywhere else.
            Self::Json(text) | Self::Unparsed(text) => text.parse().ok(),
        }
    }

    /// The raw text of the field. Within one file, equal raw texts have equal values.
    fn written(&self) -> Option<&str> {
        match self {
            Self::Missing => None,
            Self::Json(text) | Self::Unparsed(text) => Some(text),
        }
    }

    /// The text that may be a time in the usual form.
    fn time_text(&self) -> Option<&str> {
        match self {
            Self::Json(text) => text.strip_prefix('"')?.strip_suffix('"'),
            Self::Unparsed(text) => Some(text),
            Self::Missing => None,
        }
    }
}

/// The requested fields of a row and how they are used.
pub(super) struct Wanted<'p> {
    projection: &'p Projection,
    /// The names of the fields in the file, without duplicates.
    pub(super) names: Vec<String>,
    measures: Vec<Use<'p>>,
    labels: Vec<Use<'p>>,
    times: Vec<Use<'p>>,
    companion: Option<Use<'p>>,
    /// The token counts, if they are requested.
    tokens: Option<[Use<'p>; 3]>,
}

/// The index of a field among the names, and how its cells are converted.
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
            Use { place, mapping: mapping.filter(|mapping| mapping.unit().is_some()) }
        };
        Self {
            measures: projection.measures.iter().map(|measure| place(measure.name())).collect(),
            labels: projection.labels.iter().map(|name| place(name)).collect(),
            times: Projection::TIMES.iter().map(|name| place(name)).collect(),
            companion: projection.companion.as_ref().map(|name| place(name)),
            tokens: projection.tokens.then(|| TokenColumns::NAMES.map(&mut place)),
            projection,
            names,
        }
    }

    /// For each measure, whether the file has its field.
    pub(super) fn offered(&self, seen: &[bool]) -> Vec<bool> {
        self.measures.iter().map(|used| seen[used.place]).collect()
    }
}

/// Assembles rows from fields.
pub(super) struct Assembly<'w, 'p> {
    wanted: &'w Wanted<'p>,
    source: &'w str,
    pub(super) rows: Rows,
    /// Groups by the raw text of their labels, so that most rows need no allocation.
    groups: HashTable<KnownGroup>,
    hasher: DefaultHashBuilder,
    usual_times: UsualTimes,
}

impl<'w, 'p> Assembly<'w, 'p> {
    /// An assembly with room for about `rows` rows.
    pub(super) fn new(wanted: &'w Wanted<'p>, source: &'w str, rows: usize) -> Self {
        let mut assembled = Rows::new(wanted.measures.len());
        assembled.reserve(rows);
        let (groups, hasher, usual_times) = <_>::default();
        Self { wanted, source, rows: assembled, groups, hasher, usual_times }
    }

    /// Adds the row at a 1-based line.
    pub(super) fn add(&mut self, fields: &[Field<'_>], line: u64) -> Result<()> {
        let group = self.group(fields);
        self.rows.records += 1;
        self.rows.begin_line(group, line);
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
        if let Some(used) = self.wanted.tokens {
            self.rows.tokens.push(self.rows.len() - 1, used.map(|used| tokens(used, fields)));
        }
        let time = self.time(fields);
        self.rows.at(time);
        if let Some(used) = self.wanted.companion {
            self.rows.companion.push(used.cell(fields));
        }
        Ok(())
    }

    /// The time from the first time field that has a value.
    fn time(&mut self, fields: &[Field<'_>]) -> Time {
        for used in &self.wanted.times {
            let usual = fields[used.place].time_text().and_then(|text| self.usual_times.read(text));
            if let (Some(time), None) = (usual, used.mapping) {
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
        let labels = || self.wanted.labels.iter().map(|used| fields[used.place].written());
        let hash = hash_of(&self.hasher, labels());
        if let Some(known) = self.groups.find(hash, |known| known.is(labels())) {
            return known.group;
        }
        let written = labels().map(|label| label.map(str::to_owned)).collect();
        let read: Vec<_> = self.wanted.labels.iter().map(|used| used.cell(fields).label()).collect();
        let group = self.rows.group_of(&read);
        let known = KnownGroup { labels: written, group };
        let rehash = |known: &KnownGroup| hash_of(&self.hasher, known.written());
        self.groups.insert_unique(hash, known, rehash);
        group
    }
}

/// A group that has already occurred.
struct KnownGroup {
    /// The raw text of its labels.
    labels: Vec<Option<String>>,
    group: usize,
}

impl KnownGroup {
    fn is<'b>(&self, labels: impl Iterator<Item = Option<&'b str>>) -> bool {
        let is_same = |(label, known): (Option<&str>, &Option<String>)| match (label, known) {
            (Some(text), Some(known)) => text.len() == known.len() && begins_with(text.as_bytes(), known.as_bytes()),
            (label, known) => label.is_none() && known.is_none(),
        };
        labels.zip(&self.labels).all(is_same)
    }

    fn written(&self) -> impl Iterator<Item = Option<&str>> {
        self.labels.iter().map(Option::as_deref)
    }
}

/// The count of tokens in a field.
fn tokens(used: Use<'_>, fields: &[Field<'_>]) -> Option<f64> {
    match fields[used.place].number() {
        Some(number) if used.mapping.is_none() => count(&Cell::Number(number)),
        _ => count(&used.cell(fields)),
    }
}

fn hash_of<'b>(hasher: &DefaultHashBuilder, labels: impl Iterator<Item = Option<&'b str>>) -> u64 {
    let mut hasher = hasher.build_hasher();
    labels.for_each(|label| label.hash(&mut hasher));
    hasher.finish()
}
