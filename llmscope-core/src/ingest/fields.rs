//! The fields of a row that a projection needs, and how each of them is used.

use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher};

use hashbrown::{DefaultHashBuilder, HashTable};
use serde_json::Value;

use super::counts::RunCounts;
use super::failure_kind::FailureKind;
use super::identity::{self, is_counter};
use super::numbers::Decimal;
use super::outcome::{Outcome, OutcomeColumn, key};
use super::projection::{Projection, Rows, count, measured};
use super::roles::{KnownNames, Roles, TimeColumn};
use super::simd::begins_with;
use super::time::{Time, UsualTimes};
use super::tokens::TokenColumns;
use super::when::{Moment, TimeForm};
use super::{Cell, Filter, Mapping, json_lines};
use crate::error::{Error, Location, Result, excerpt};

/// A field of a row, as a slice of the current block or a cell of a table.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) enum Field<'b> {
    #[default]
    Missing,
    /// A JSON value that is not parsed yet.
    Json(&'b str),
    /// A cell of delimited values, of any type.
    Unparsed(&'b str),
    /// A cell of a table in memory.
    Cell(&'b Cell),
}

impl Field<'_> {
    fn cell(&self, decimal: Decimal) -> Cell {
        match self {
            Self::Missing => Cell::Missing,
            // The parser has validated the JSON. An object has no cell of its own.
            Self::Json(text) => match serde_json::from_str(text) {
                Ok(Value::Object(_)) | Err(_) => Cell::Missing,
                Ok(value) => json_lines::cell(&value),
            },
            Self::Unparsed(text) => Cell::parse_as(text, decimal),
            Self::Cell(cell) => (*cell).clone(),
        }
    }

    /// The field as a number, without building a cell. `None` if only the cell can decide.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Missing | Self::Cell(Cell::Missing) => Some(f64::NAN),
            Self::Cell(Cell::Number(number)) => Some(*number),
            Self::Cell(Cell::Text(_)) => None,
            // "NaN" in any spelling is a missing value, as everywhere else.
            Self::Json(text) | Self::Unparsed(text) => text.parse().ok(),
        }
    }

    /// The raw text of the field. Within one file, equal raw texts have equal values.
    fn written(&self) -> Option<&str> {
        match self {
            Self::Missing | Self::Cell(_) => None,
            Self::Json(text) | Self::Unparsed(text) => Some(text),
        }
    }

    /// The text that may be a time in the usual form.
    fn time_text(&self) -> Option<&str> {
        match self {
            Self::Json(text) => text.strip_prefix('"')?.strip_suffix('"'),
            Self::Unparsed(text) => Some(text),
            Self::Cell(Cell::Text(text)) => Some(text),
            Self::Missing | Self::Cell(_) => None,
        }
    }

    fn is_missing(&self) -> bool {
        matches!(self, Self::Missing | Self::Cell(Cell::Missing))
    }
}

/// The requested fields of a row and how they are used.
pub(super) struct Wanted<'p> {
    projection: &'p Projection,
    /// The names of the fields in the file, without duplicates.
    pub(super) names: Vec<String>,
    measures: Vec<Use<'p>>,
    labels: Vec<Use<'p>>,
    times: Vec<(Use<'p>, TimeColumn)>,
    outcomes: Vec<(Use<'p>, OutcomeColumn<'p>)>,
    identity: Vec<Use<'p>>,
    /// True if the identity is an id of anything.
    has_plain_id: bool,
    warmup: Option<Use<'p>>,
    filters: Vec<(Use<'p>, &'p Filter)>,
    companion: Option<Use<'p>>,
    /// The token counts, if they are requested.
    tokens: Option<[Use<'p>; 3]>,
    /// The requests of runs and their failures, if they are requested.
    counts: Option<[Use<'p>; 2]>,
}

/// The index of a field among the names, and how its cells are converted.
#[derive(Clone, Copy)]
struct Use<'p> {
    place: usize,
    mapping: Option<&'p Mapping>,
    /// The index of its mapping.
    mapped: Option<usize>,
}

impl Use<'_> {
    fn cell(self, fields: &[Field<'_>], decimal: Decimal) -> Cell {
        let cell = fields[self.place].cell(decimal);
        match self.mapping {
            Some(mapping) => mapping.cell(cell),
            None => cell,
        }
    }
}

impl<'p> Wanted<'p> {
    pub(super) fn of(projection: &'p Projection, known: KnownNames<'_>) -> Self {
        let roles = Roles::of(projection, known);
        let mut names = Vec::new();
        let mut field = |own: &str| {
            let known = names.iter().position(|known| known == own);
            known.unwrap_or_else(|| {
                names.push(own.to_owned());
                names.len() - 1
            })
        };
        let mut place = |name: &str| {
            let mapped = projection.mappings.iter().position(|mapping| mapping.to == name);
            let mapping = mapped.map(|index| &projection.mappings[index]);
            let place = field(mapping.map_or(name, |mapping| mapping.from.as_str()));
            Use { place, mapping: mapping.filter(|mapping| mapping.unit().is_some()), mapped }
        };
        let measures = projection.measures.iter().map(|measure| place(measure.name())).collect();
        let labels = projection.labels.iter().map(|name| place(name)).collect();
        let times = roles.times.iter().map(|(name, kind)| (place(name), *kind)).collect();
        let companion = projection.companion.as_ref().map(|name| place(name));
        let tokens = projection.tokens.then(|| TokenColumns::NAMES.map(&mut place));
        let counts = projection.counts.then(|| RunCounts::NAMES.map(&mut place));
        let outcomes = roles.outcomes.into_iter().map(|(name, column)| (place(&name), column)).collect();
        let filters = projection.reading.filters.iter().map(|filter| (place(&filter.column), filter)).collect();
        let mut raw = |name: &str| Use { place: field(name), mapping: None, mapped: None };
        Self {
            measures,
            labels,
            times,
            outcomes,
            identity: roles.identity.iter().map(|name| raw(name)).collect(),
            has_plain_id: roles.identity.iter().any(|name| key(name) == identity::PLAIN),
            warmup: roles.warmup.as_ref().map(|name| raw(name)),
            filters,
            companion,
            tokens,
            counts,
            projection,
            names,
        }
    }

    /// For each measure, whether the file has its field.
    fn offered(&self, seen: &[bool]) -> Vec<bool> {
        self.measures.iter().map(|used| seen[used.place]).collect()
    }

    /// True if the file has a field that tells whether a row succeeded.
    fn tells_outcomes(&self, seen: &[bool]) -> bool {
        self.outcomes.iter().any(|(used, _)| seen[used.place])
    }

    /// True if the file has a field that says of each row how it ended. Fields of errors are empty if there was none.
    fn tells_every_outcome(&self, seen: &[bool]) -> bool {
        self.outcomes.iter().any(|(used, column)| seen[used.place] && !column.is_of_errors())
    }
}

/// Assembles rows from fields.
pub(super) struct Assembly<'w, 'p> {
    wanted: &'w Wanted<'p>,
    source: &'w str,
    decimal: Decimal,
    pub(super) rows: Rows,
    /// Groups by the raw text of their labels, so that most rows need no allocation.
    groups: HashTable<KnownGroup>,
    hasher: DefaultHashBuilder,
    usual_times: UsualTimes,
    /// For each column of outcomes, the last raw text of a row that succeeded.
    succeeded: Vec<String>,
    /// For each measure without a unit, the number of values with a unit of time.
    durations: Vec<usize>,
}

impl<'w, 'p> Assembly<'w, 'p> {
    /// An assembly with room for about `rows` rows.
    pub(super) fn new(wanted: &'w Wanted<'p>, source: &'w str, rows: usize) -> Self {
        let mut assembled = Rows::new(wanted.measures.len());
        assembled.reserve(rows);
        assembled.tally.mapped = vec![None; wanted.projection.mappings.len()];
        let uses = wanted.measures.iter().chain(&wanted.labels).chain(wanted.times.iter().map(|(used, _)| used));
        for used in uses.chain(wanted.outcomes.iter().map(|(used, _)| used)) {
            if let Some(mapped) = used.mapped {
                assembled.tally.mapped[mapped] = Some(0);
            }
        }
        let (groups, hasher, usual_times) = <_>::default();
        let succeeded = vec![String::new(); wanted.outcomes.len()];
        let durations = vec![0; wanted.measures.len()];
        let decimal = wanted.projection.reading.decimal;
        Self { wanted, source, decimal, rows: assembled, groups, hasher, usual_times, succeeded, durations }
    }

    /// The rows of a file with these fields.
    pub(super) fn into_rows(self, seen: &[bool]) -> Rows {
        let mut rows = self.rows;
        for (index, &durations) in self.durations.iter().enumerate().filter(|(_, durations)| **durations > 0) {
            let name = self.wanted.projection.measures[index].name().to_owned();
            if rows.values[index].iter().filter(|value| !value.is_nan()).count() > durations {
                rows.tally.mixed_units = Some(name.clone());
            }
            rows.tally.duration_column = Some(name);
        }
        rows.offered = self.wanted.offered(seen);
        rows.tells_outcomes = self.wanted.tells_outcomes(seen);
        if !self.wanted.tells_every_outcome(seen) {
            rows.tally.without_outcome = 0;
        }
        rows
    }

    /// Adds the row at a 1-based line.
    pub(super) fn add(&mut self, fields: &[Field<'_>], line: u64) -> Result<()> {
        self.rows.records += 1;
        let accepts = |(used, filter): &(Use<'_>, &Filter)| filter.accepts(&used.cell(fields, self.decimal));
        if !self.wanted.filters.iter().all(accepts) {
            self.rows.tally.filtered += 1;
            return Ok(());
        }
        let group = self.group(fields);
        if self.wanted.warmup.is_some_and(|used| is_true(&used.cell(fields, self.decimal))) {
            self.rows.warmup[group] += 1;
            return Ok(());
        }
        let has_outcomes = !self.wanted.outcomes.is_empty();
        let outcome = if has_outcomes { Some(self.outcome(fields, line)?) } else { None };
        self.rows.begin_line(group, line);
        let failed = matches!(outcome, Some(Outcome::Failed(..)));
        for index in 0..self.wanted.measures.len() {
            let value = if failed { f64::NAN } else { self.value(index, fields, line)? };
            self.rows.values[index].push(value);
        }
        if let Some(outcome) = outcome {
            self.take_outcome(outcome);
        }
        if let Some(used) = self.wanted.tokens {
            let tokens = used.map(|used| counted(used, fields, self.decimal));
            self.rows.tokens.push(self.rows.len() - 1, tokens);
        }
        if let Some(used) = self.wanted.counts {
            let counts = used.map(|used| counted(used, fields, self.decimal));
            self.rows.counts.push(self.rows.len() - 1, counts);
        }
        let time = self.time(fields);
        self.rows.at(time);
        if !self.wanted.identity.is_empty() {
            let identity = self.identity(fields, time);
            self.rows.identify(identity);
        }
        if let Some(used) = self.wanted.companion {
            self.rows.companion.push(used.cell(fields, self.decimal));
        }
        Ok(())
    }

    /// The value of a measure; NaN if it is missing.
    fn value(&mut self, index: usize, fields: &[Field<'_>], line: u64) -> Result<f64> {
        let used = self.wanted.measures[index];
        let quick = fields[used.place].number().filter(|_| used.mapping.is_none() && self.decimal == Decimal::Point);
        let value = match quick {
            Some(number) => number,
            None => {
                let cell = fields[used.place].cell(self.decimal);
                let place = || Location::of(self.source).line(line);
                let measure = &self.wanted.projection.measures[index];
                let before = self.rows.tally.durations;
                let value = measured(&cell, measure, used.mapping, self.decimal, place, &mut self.rows.tally)?;
                self.durations[index] += self.rows.tally.durations - before;
                value
            }
        };
        if let Some(mapped) = used.mapped {
            self.yields(mapped, !value.is_nan());
        }
        Ok(value)
    }

    fn yields(&mut self, mapping: usize, is_value: bool) {
        if let Some(Some(count)) = self.rows.tally.mapped.get_mut(mapping) {
            *count += usize::from(is_value);
        }
    }

    /// What the columns of outcomes say.
    fn outcome(&mut self, fields: &[Field<'_>], line: u64) -> Result<Outcome> {
        let mut outcome = Outcome::Unknown;
        for (index, (used, column)) in self.wanted.outcomes.iter().enumerate() {
            let field = fields[used.place];
            if field.is_missing() && !matches!(column, OutcomeColumn::Stated(_)) {
                continue;
            }
            let written = field.written();
            if written.is_some_and(|written| !written.is_empty() && written == self.succeeded[index]) {
                if outcome == Outcome::Unknown {
                    outcome = Outcome::Succeeded;
                }
                continue;
            }
            let cell = used.cell(fields, self.decimal);
            let of_column = column.read(&cell).map_err(|expected| {
                let name = &self.wanted.names[used.place];
                unknown_outcome(&cell, Location::of(self.source).line(line).field(name), expected)
            })?;
            if let (Outcome::Succeeded, Some(written)) = (&of_column, written) {
                written.clone_into(&mut self.succeeded[index]);
            }
            outcome = outcome.and(of_column);
        }
        Ok(outcome)
    }

    fn take_outcome(&mut self, outcome: Outcome) {
        let is_known = outcome != Outcome::Unknown;
        self.rows.tally.outcomes += usize::from(is_known);
        self.rows.tally.without_outcome += usize::from(!is_known);
        if let Some(mapped) = self.wanted.outcomes[0].0.mapped {
            self.yields(mapped, is_known);
        }
        match outcome {
            Outcome::Failed(status, error, _) => {
                self.rows.mark(true);
                self.rows.describe_failure(FailureKind::of_error(status, Some(&error)));
            }
            Outcome::Succeeded | Outcome::Unknown => {
                self.rows.mark(false);
                self.rows.describe_failure(None);
            }
        }
    }

    /// The time from the first time field that has a value.
    fn time(&mut self, fields: &[Field<'_>]) -> Time {
        let rules = &self.wanted.projection.reading.times;
        for (used, kind) in &self.wanted.times {
            let field = fields[used.place];
            if field.is_missing() {
                continue;
            }
            if let TimeColumn::Guess(name) = kind {
                match rules.of_guess(&used.cell(fields, Decimal::Point), *name) {
                    Some(moment) => return self.guessed_time(moment, used.place),
                    None => continue,
                }
            }
            let is_usual = used.mapping.is_none() && rules.form == TimeForm::Usual;
            let usual = field.time_text().filter(|_| is_usual).and_then(|text| self.usual_times.read(text));
            let moment = match usual {
                Some(time) => Some(Moment::At(time)),
                None => match used.cell(fields, Decimal::Point) {
                    Cell::Missing => continue,
                    Cell::Number(seconds) if used.mapping.is_some() => super::when::of_seconds(seconds),
                    Cell::Number(number) => rules.of_number(number),
                    Cell::Text(text) => rules.of_text(&text),
                },
            };
            let time = match moment {
                Some(Moment::At(time)) => time,
                Some(Moment::Naive(time)) => {
                    self.rows.tally.naive_times += 1;
                    time
                }
                Some(Moment::Elapsed(time)) if *kind == TimeColumn::Start => {
                    self.rows.elapsed = true;
                    time
                }
                Some(Moment::Elapsed(_)) => {
                    let name = || self.wanted.names[used.place].clone();
                    self.rows.tally.small_times.get_or_insert_with(name);
                    continue;
                }
                None => {
                    self.rows.tally.unreadable_times += 1;
                    let tally = &mut self.rows.tally;
                    tally.unreadable_time.get_or_insert_with(|| {
                        let text = used.cell(fields, Decimal::Point).label().unwrap_or_default();
                        (self.wanted.names[used.place].clone(), excerpt(&text))
                    });
                    return Time::NONE;
                }
            };
            self.rows.tally.times += 1;
            if let Some(mapped) = used.mapped {
                self.yields(mapped, true);
            }
            return time;
        }
        Time::NONE
    }

    /// The time in a column whose name only suggests one.
    fn guessed_time(&mut self, moment: Moment, place: usize) -> Time {
        let tally = &mut self.rows.tally;
        tally.times += 1;
        tally.guessed_times.get_or_insert_with(|| self.wanted.names[place].clone());
        match moment {
            Moment::Naive(time) => {
                tally.naive_times += 1;
                time
            }
            Moment::At(time) | Moment::Elapsed(time) => time,
        }
    }

    /// A number that only repetitions of this record share; `None` if the row has no identity.
    fn identity(&self, fields: &[Field<'_>], time: Time) -> Option<u64> {
        let mut hasher = DefaultHasher::new();
        let mut is_weak = true;
        for used in &self.wanted.identity {
            let label = used.cell(fields, Decimal::Point).label().filter(|label| !label.trim().is_empty())?;
            is_weak &= is_counter(&label);
            if self.wanted.has_plain_id && !identity::is_of_row(&label, time) {
                return None;
            }
            label.hash(&mut hasher);
        }
        if is_weak || self.wanted.has_plain_id {
            // A counter: another run counts the same numbers.
            self.rows.hash_last(time, &mut hasher);
        }
        Some(hasher.finish())
    }

    fn group(&mut self, fields: &[Field<'_>]) -> usize {
        if self.wanted.labels.iter().any(|used| matches!(fields[used.place], Field::Cell(_))) {
            let labels: Vec<_> = self.wanted.labels.iter().map(|used| self.label(*used, fields)).collect();
            return self.new_group(&labels);
        }
        let labels = || self.wanted.labels.iter().map(|used| fields[used.place].written());
        let hash = hash_of(&self.hasher, labels());
        if let Some(known) = self.groups.find(hash, |known| known.is(labels())) {
            return known.group;
        }
        let written = labels().map(|label| label.map(str::to_owned)).collect();
        let read: Vec<_> = self.wanted.labels.iter().map(|used| self.label(*used, fields)).collect();
        let group = self.new_group(&read);
        let known = KnownGroup { labels: written, group };
        let rehash = |known: &KnownGroup| hash_of(&self.hasher, known.written());
        self.groups.insert_unique(hash, known, rehash);
        group
    }

    fn label(&self, used: Use<'_>, fields: &[Field<'_>]) -> Option<String> {
        used.cell(fields, self.decimal).label()
    }

    fn new_group(&mut self, labels: &[Option<String>]) -> usize {
        for (used, label) in self.wanted.labels.iter().zip(labels) {
            if let Some(mapped) = used.mapped {
                self.yields(mapped, label.is_some());
            }
        }
        self.rows.group_of(labels)
    }
}

fn is_true(cell: &Cell) -> bool {
    match cell {
        Cell::Number(number) => *number == 1.0,
        Cell::Text(text) => text.eq_ignore_ascii_case("true"),
        Cell::Missing => false,
    }
}

/// The error for a cell that does not tell the outcome of its row.
pub(super) fn unknown_outcome(cell: &Cell, location: Location, expected: &str) -> Error {
    Error::Format {
        location,
        problem: format!("\"{}\" does not say whether the row succeeded", excerpt(&cell.label().unwrap_or_default())),
        fix: format!("expected {expected}; state which values succeeded, or that no column says so"),
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

/// The count in a field.
fn counted(used: Use<'_>, fields: &[Field<'_>], decimal: Decimal) -> Option<f64> {
    match fields[used.place].number() {
        Some(number) if used.mapping.is_none() && decimal == Decimal::Point => count(&Cell::Number(number)),
        _ => count(&used.cell(fields, decimal)),
    }
}

fn hash_of<'b>(hasher: &DefaultHashBuilder, labels: impl Iterator<Item = Option<&'b str>>) -> u64 {
    let mut hasher = hasher.build_hasher();
    labels.for_each(|label| label.hash(&mut hasher));
    hasher.finish()
}
