//! Reduces each row of a log to what an analysis needs.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash};

use super::counts::RunCounts;
use super::failure_kind::FailureKind;
use super::fields::{Assembly, Field, Wanted};
use super::numbers::{self, Decimal};
use super::options::ReadOptions;
use super::outcome::{OutcomeColumn, StatusRule, key};
use super::outcome_by_value::{OutcomeGuess, Unclear, guess, looks_like_outcome, may_tell_outcome};
use super::roles::{KnownNames, Roles, TimeColumn, counts_by_name};
use super::tally::Tally;
use super::time::Time;
use super::tokens::TokenColumns;
use super::when::TimeForm;
use super::{Cell, Column, Filter, Mapping, Table, identity};
use crate::error::{Error, Location, Result, excerpt};
use crate::measure::Measure;
use crate::metric::{Metric, TpotDefinition, Unit};
use crate::session::{AttributeValue, RequestRecord, SessionHeader};

/// What to take from each row of a log.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Projection {
    /// The metrics and columns that are analyzed.
    pub measures: Vec<Measure>,
    /// Names whose values distinguish groups: `provider`, `model`, a label, an attribute, a column.
    pub labels: Vec<String>,
    /// A column to keep next to the measures: labels of subgroups, or sample sizes.
    pub companion: Option<String>,
    /// Table columns that get other names.
    pub mappings: Vec<Mapping>,
    /// Whether to read the token counts of each request, on which its latency depends.
    pub tokens: bool,
    /// Whether to read how many requests of each run failed: each row is a run.
    pub counts: bool,
    /// What the caller states about the cells.
    pub reading: ReadOptions,
    /// Columns that tell the outcome of a row in a way that only their values show.
    pub outcomes: Vec<(String, OutcomeGuess)>,
}

/// Rows of a log, column by column, reduced to a projection.
#[derive(Debug, Default)]
pub struct Rows {
    /// The labels of each group of rows, in the order of [`Projection::labels`].
    pub groups: Vec<Vec<Option<String>>>,
    /// For each group, the number of warm-up requests, which are not rows.
    pub warmup: Vec<usize>,
    /// For each row, the index of its group.
    pub group: Vec<u32>,
    /// For each measure, its value in each row; NaN where it is absent.
    pub values: Vec<Vec<f64>>,
    /// For each row, whether its request failed; empty if no request failed.
    pub failed: Vec<bool>,
    /// For each row, when it was measured; empty if no row has a time.
    pub times: Vec<Time>,
    /// For each request, its 0-based position in the log; empty for a table, of which every row is present.
    pub position: Vec<u32>,
    /// For each row of a table, its 1-based line.
    pub line: Vec<u32>,
    /// For each row, the companion column's cell; empty unless the projection names one.
    pub companion: Vec<Cell>,
    /// The token counts of the rows, if the projection requests them.
    pub tokens: TokenColumns,
    /// For each request, the definition of its time per token; empty if all have the first one, or none is requested.
    pub definitions: Vec<TpotDefinition>,
    /// The requests of each run and its failures, if the projection requests them.
    pub counts: RunCounts,
    /// For each row, the index of its failure in `failures` plus 1, or 0; empty if no failure is described.
    pub failure: Vec<u32>,
    /// The kinds of failures of these rows.
    pub failures: Vec<FailureKind>,
    /// The number of records in the log that these rows come from, including warm-up.
    pub records: usize,
    /// For each measure, whether the log has such a field.
    pub offered: Vec<bool>,
    /// True if the log tells whether a row succeeded. A log of requests always does.
    pub tells_outcomes: bool,
    /// True if the times are counted from the start of the run: they order the rows, and are no times of day.
    pub elapsed: bool,
    /// For each row, a number that only repetitions of its record share, or 0; empty if no row has an identity.
    pub identity: Vec<u64>,
    /// Counts of what the rows leave open.
    pub tally: Tally,
    /// The index of each group.
    places: HashMap<Vec<Option<String>>, usize>,
}

impl Projection {
    /// The columns of a table that may contain the time of a row; the first one with a value counts.
    pub const TIMES: [&str; 3] = ["started_at", "timestamp", "time"];

    /// The projection of requests.
    pub(crate) fn of_records(&self, header: &SessionHeader, records: &[RequestRecord]) -> Rows {
        let mut rows =
            Rows { records: records.len(), tells_outcomes: !header.outcomes_unknown, ..Rows::new(self.measures.len()) };
        let mut labels = vec![None; self.labels.len()];
        let has_tpot = self.measures.contains(&Measure::Metric(Metric::Tpot));
        for (position, record) in records.iter().enumerate() {
            for (label, name) in labels.iter_mut().zip(&self.labels) {
                *label = record_label(header, record, name);
            }
            let accepts = |filter: &Filter| filter.accepts(&record_cell(header, record, &filter.column));
            if !self.reading.filters.iter().all(accepts) {
                rows.tally.filtered += 1;
                continue;
            }
            let group = rows.group_of(&labels);
            if record.warmup {
                rows.warmup[group] += 1;
                continue;
            }
            rows.begin_request(group, position);
            for (index, measure) in self.measures.iter().enumerate() {
                let value = record_value(record, measure);
                rows.offered[index] |= value.is_some();
                rows.values[index].push(value.unwrap_or(f64::NAN));
            }
            rows.mark(!record.succeeded());
            rows.describe_failure(FailureKind::of(record));
            if self.tokens {
                rows.tokens.push_record(rows.group.len() - 1, record);
            }
            if has_tpot {
                rows.define_tpot(record.tpot_definition());
            }
            let time = Time::from(record.started_at);
            rows.at(time);
            rows.identify(identity::of_attributes(record, |hasher| rows.hash_last(time, hasher)));
            if let Some(name) = &self.companion {
                rows.companion.push(record_cell(header, record, name));
            }
        }
        rows
    }

    /// The columns among these names that are times, outcomes or identities, not measures.
    #[must_use]
    pub fn columns_with_a_role(&self, names: &[String]) -> Vec<String> {
        let roles = Roles::of(self, KnownNames { names, complete: true });
        let outcomes = roles.outcomes.into_iter().map(|(name, _)| name);
        // A name that only suggests a time can be that of a duration or a flag, such as `response_time` or `completed`.
        let times = roles.times.into_iter().filter(|(_, kind)| !matches!(kind, TimeColumn::Guess(_)));
        times.map(|(name, _)| name).chain(outcomes).chain(roles.identity).chain(roles.warmup).collect()
    }

    /// The columns among these names whose values can tell the outcome of a row, although their names do not say so.
    #[must_use]
    pub fn columns_with_possible_outcomes(&self, names: &[String]) -> Vec<String> {
        // An answer of a model is a response, too.
        let is_answer = |key: &str| key.starts_with("response") && !key.contains("stat") && !key.contains("code");
        let is_candidate = |name: &&String| {
            let key = key(name);
            may_tell_outcome(&key) && !is_answer(&key)
        };
        let is_read = self.reading.status == StatusRule::Names;
        names.iter().filter(|_| is_read).filter(is_candidate).cloned().collect()
    }

    /// The columns of outcomes that only their values show, with what they mean.
    pub(crate) fn guessed_outcomes(&self) -> Vec<String> {
        let text = |(name, guess): &(String, OutcomeGuess)| {
            format!(
                "the column \"{name}\" is read as the outcome of each row, a guess from its values: {}",
                guess.label()
            )
        };
        self.outcomes.iter().map(text).collect()
    }

    /// How the columns of a table tell outcomes, where only their values show it.
    ///
    /// # Errors
    /// [`Error::Format`] for a column of outcomes whose values do not show which of them is success.
    pub(crate) fn outcomes_by_value(&self, source: &str, table: &Table) -> Result<Vec<(String, OutcomeGuess)>> {
        if self.reading.status != StatusRule::Names || table.of_runs {
            return Ok(Vec::new());
        }
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let flag = |column: &Column| {
            let guess = guess(column, None).ok().flatten().filter(|guess| *guess == OutcomeGuess::SuccessFlag)?;
            Some((column.name.clone(), guess))
        };
        let flags: Vec<_> = self.unused(table, &names).filter_map(flag).collect();
        let roles = Roles::with_outcomes(self, KnownNames { names: &names, complete: true }, &flags);
        let mut guesses = Vec::new();
        for (name, kind) in roles.outcomes.iter().filter(|(name, _)| flags.iter().all(|(flag, _)| flag != name)) {
            let from = self.mappings.iter().find(|mapping| mapping.to == *name).map_or(name, |mapping| &mapping.from);
            let Some(column) = table.column(from) else { continue };
            let guessed = guess(column, Some(*kind)).map_err(|Unclear(problem)| Error::Format {
                location: Location::of(source).field(from),
                problem: format!("the column holds {problem}"),
                fix: "state which values succeeded, or that no column says so".to_owned(),
            })?;
            guesses.extend(guessed.map(|guess| (name.clone(), guess)));
        }
        let is_told = |(name, kind): &(String, OutcomeColumn<'_>)| {
            let is_flag = flags.iter().any(|(flag, _)| flag == name);
            !is_flag && !kind.is_of_errors() && *kind != OutcomeColumn::Finish
        };
        if !roles.outcomes.iter().any(is_told) && !roles.counts_requests {
            let of_values = self.unused(table, &names).filter_map(|column| {
                let guess = guess(column, None).ok().flatten()?;
                Some((column.name.clone(), guess))
            });
            guesses.extend(of_values);
        } else {
            // Read as a number of requests, a flag `completed` would make `success` a number of successes.
            guesses.extend(flags.into_iter().filter(|(name, _)| counts_by_name(name)));
        }
        Ok(guesses)
    }

    /// A column of a table without a column of outcomes, whose values look like outcomes.
    pub(crate) fn unread_outcome(&self, table: &Table) -> Option<String> {
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let roles = Roles::of(self, KnownNames { names: &names, complete: true });
        if self.reading.status != StatusRule::Names || table.of_runs || !roles.outcomes.is_empty() {
            return None;
        }
        // Those whose values tell the outcome are read.
        self.unused(table, &names)
            .find(|column| looks_like_outcome(&column.name, &column.cells))
            .map(|column| column.name.clone())
    }

    /// A column whose values are times although its name does not say so.
    pub(crate) fn unread_time(&self, table: &Table) -> Option<String> {
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        if self.reading.times.form != TimeForm::Usual || table.of_runs {
            return None;
        }
        let rules = &self.reading.times;
        self.unused(table, &names).find(|column| rules.are_times(&column.cells)).map(|column| column.name.clone())
    }

    /// The columns of a table that have no use.
    fn unused<'t>(&self, table: &'t Table, names: &[String]) -> impl Iterator<Item = &'t Column> {
        let others = self.columns_with_a_role(names);
        let is_used = move |name: &String| {
            others.contains(name)
                || self.labels.contains(name)
                || self.companion.as_ref() == Some(name)
                || self.measures.iter().any(|measure| measure.name() == name)
                || self.mappings.iter().any(|mapping| mapping.from == *name)
                || self.reading.filters.iter().any(|filter| filter.column == *name)
        };
        table.columns.iter().filter(move |column| !is_used(&column.name))
    }

    /// The projection of a table.
    pub(crate) fn of_table(&self, source: &str, table: &Table) -> Result<Rows> {
        let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let wanted = Wanted::of(self, KnownNames { names: &names, complete: true });
        let columns: Vec<_> = wanted.names.iter().map(|name| table.column(name)).collect();
        let mut assembly = Assembly::new(&wanted, source, table.rows());
        let mut fields = vec![Field::Missing; columns.len()];
        for (row, &line) in table.lines.iter().enumerate() {
            for (field, column) in fields.iter_mut().zip(&columns) {
                *field = column.map_or(Field::Missing, |column| Field::Cell(&column.cells[row]));
            }
            assembly.add(&fields, line)?;
        }
        let seen: Vec<bool> = columns.iter().map(Option::is_some).collect();
        Ok(assembly.into_rows(&seen))
    }
}

impl Rows {
    pub(super) fn new(measures: usize) -> Self {
        Self { values: vec![Vec::new(); measures], offered: vec![false; measures], ..Self::default() }
    }

    /// Reserves room for `rows` more rows.
    pub(super) fn reserve(&mut self, rows: usize) {
        self.group.reserve(rows);
        self.line.reserve(rows);
        self.times.reserve(rows);
        self.values.iter_mut().for_each(|column| column.reserve(rows));
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.group.len()
    }

    /// True if there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.group.is_empty()
    }

    /// The index of a group; a new group is added. Rows of the same group tend to follow one another.
    pub(super) fn group_of(&mut self, labels: &[Option<String>]) -> usize {
        let last = self.group.last().map(|&group| group as usize).filter(|&group| self.groups[group] == labels);
        last.or_else(|| self.places.get(labels).copied()).unwrap_or_else(|| {
            self.groups.push(labels.to_vec());
            self.warmup.push(0);
            self.places.insert(labels.to_vec(), self.groups.len() - 1);
            self.groups.len() - 1
        })
    }

    /// Begins the row of a request.
    fn begin_request(&mut self, group: usize, position: usize) {
        self.group.push(narrow(group));
        self.position.push(narrow(position));
    }

    /// Begins a row of a table.
    pub(super) fn begin_line(&mut self, group: usize, line: u64) {
        self.group.push(narrow(group));
        self.line.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// Records whether the current row's request failed.
    pub(super) fn mark(&mut self, failed: bool) {
        if failed || !self.failed.is_empty() {
            self.failed.resize(self.group.len() - 1, false);
            self.failed.push(failed);
        }
    }

    /// Records why the current row's request failed, if known.
    pub(super) fn describe_failure(&mut self, kind: Option<FailureKind>) {
        let kind = kind.map_or(0, |kind| FailureKind::number_in(&mut self.failures, kind));
        if kind > 0 || !self.failure.is_empty() {
            self.failure.resize(self.group.len() - 1, 0);
            self.failure.push(kind);
        }
    }

    /// Records the definition of the current row's time per token.
    fn define_tpot(&mut self, definition: TpotDefinition) {
        if !definition.is_first() || !self.definitions.is_empty() {
            self.definitions.resize(self.group.len() - 1, TpotDefinition::FIRST);
            self.definitions.push(definition);
        }
    }

    /// Records the identity of the current row.
    pub(super) fn identify(&mut self, identity: Option<u64>) {
        if identity.is_some() || !self.identity.is_empty() {
            self.identity.resize(self.group.len() - 1, 0);
            self.identity.push(identity.unwrap_or(0));
        }
    }

    /// Hashes the time and the measurements of the current row.
    pub(super) fn hash_last(&self, time: Time, hasher: &mut DefaultHasher) {
        time.hash(hasher);
        self.values.iter().for_each(|column| column.last().map(|value| value.to_bits()).hash(hasher));
    }

    /// Records when the current row was measured.
    pub(super) fn at(&mut self, time: Time) {
        if time != Time::NONE || !self.times.is_empty() {
            self.times.resize(self.group.len() - 1, Time::NONE);
            self.times.push(time);
        }
    }
}

/// A position in a log. Positions beyond 2³² − 1 are clamped to that value.
fn narrow(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

/// A cell as a measurement in the unit of its measure; NaN where it is missing. `mapping` states the unit of its numbers.
pub(super) fn measured(
    cell: &Cell,
    measure: &Measure,
    mapping: Option<&Mapping>,
    decimal: Decimal,
    place: impl FnOnce() -> Location,
    tally: &mut Tally,
) -> Result<f64> {
    let number = match cell {
        Cell::Missing => return Ok(f64::NAN),
        Cell::Number(number) => *number,
        Cell::Text(text) => match (decimal.number(text.trim()), numbers::duration_s(text)) {
            (Some(number), _) => number,
            (None, Some(seconds)) => {
                let unit = measure.meaning().unit;
                tally.durations += usize::from(unit == Unit::One);
                let converted = if unit == Unit::One { Some(seconds) } else { unit.convert(seconds, "s") };
                return converted.ok_or_else(|| not_a_number(text, measure.name(), place()));
            }
            (None, None) => return Err(not_a_number(text, measure.name(), place())),
        },
    };
    Ok(mapping.map_or(number, |mapping| mapping.number(number)))
}

/// The error for a text in a column of numbers.
fn not_a_number(text: &str, name: &str, location: Location) -> Error {
    let (problem, fix) = match numbers::ambiguous(text.trim()) {
        Some((problem, readings)) => {
            let [comma, point] = readings.map(|reading| reading.map(|number| number.to_string()));
            let comma = comma.map(|number| format!("a comma ({number})"));
            let point = point.map(|number| format!("a point ({number})"));
            let either = [comma, point].into_iter().flatten().collect::<Vec<_>>().join(" or ");
            (problem, format!("state the decimal separator: {either}"))
        }
        None => ("is not a number", format!("correct it, or leave the cell empty and choose {GAP_POLICY}")),
    };
    let location = location.field(name);
    Error::Format { location, problem: format!("\"{}\" {problem}", excerpt(text)), fix }
}

/// A cell as a count of tokens; anything else is an unknown count.
pub(super) fn count(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Number(number) => Some(*number).filter(|count| count.is_finite() && *count >= 0.0),
        _ => None,
    }
}

/// The choice to make if values are missing.
pub(crate) const GAP_POLICY: &str = "how gaps are handled (break or drop)";

fn record_value(record: &RequestRecord, measure: &Measure) -> Option<f64> {
    match measure {
        Measure::Metric(metric) => record.metric(*metric),
        Measure::Column(name) if record.succeeded() => record.attribute(name),
        Measure::Column(_) => None,
    }
}

/// The name that groups by session: the session's own name, or that of its file. Only a table may have a column of that
/// name.
pub(crate) const SESSION: &str = "session";

fn record_label(header: &SessionHeader, record: &RequestRecord, name: &str) -> Option<String> {
    match name {
        SESSION => None,
        "provider" => record.provider.clone().or_else(|| header.provider.clone()),
        "model" => record.model.clone().or_else(|| header.model.clone()),
        _ => match record.attributes.get(name) {
            Some(value) => Some(value.label()),
            None => header.labels.get(name).cloned(),
        },
    }
}

fn record_cell(header: &SessionHeader, record: &RequestRecord, name: &str) -> Cell {
    match record.attributes.get(name) {
        None if name == "status" => Cell::Text(record.status.name().to_owned()),
        Some(AttributeValue::Number(number)) => Cell::Number(*number),
        _ => record_label(header, record, name).map_or(Cell::Missing, Cell::Text),
    }
}
