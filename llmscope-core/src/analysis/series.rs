//! From logs to the measurements of one metric of one group, in time order.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;

use crate::error::{Error, Location, Result, excerpt};
use crate::ingest::{Cell, Content, Log, Table};
use crate::metric::{Bounds, Metric, Unit};
use crate::sample::{Missing, Sample, unacceptable};
use crate::session::{AttributeValue, RequestRecord, Session};

/// What is judged: a metric of requests, or a column by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Measure {
    /// A metric whose meaning is known.
    Metric(Metric),
    /// A numeric column, or a numeric attribute that the recording tool added to its requests.
    Column(String),
}

impl Measure {
    /// The name in reports.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Metric(metric) => metric.name(),
            Self::Column(name) => name,
        }
    }

    /// The unit.
    #[must_use]
    pub fn unit(&self) -> Unit {
        match self {
            Self::Metric(metric) => metric.unit(),
            Self::Column(name) => Unit::of_column(name),
        }
    }

    /// What the values can be at all.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        match self {
            Self::Metric(metric) => metric.bounds(),
            Self::Column(name) => name.parse::<Metric>().map_or(Bounds::NONE, Metric::bounds),
        }
    }
}

/// The measurements of one metric of one group of requests, gaps included.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The files that they come from; none for numbers that were given as they are.
    pub sources: Vec<String>,
    /// What the requests have in common: `provider`, `model`, …
    pub group: BTreeMap<String, String>,
    /// What was measured.
    pub measure: Measure,
    /// One for each request that is not a warm-up, in time order.
    pub observations: Vec<Observation>,
    /// Warm-up requests, which are left out.
    pub warmup: usize,
    /// What a gap means if nobody says: an error in a table, a break in a session, whose failures are no mistake.
    pub missing: Missing,
    /// What their sources say against themselves: a simulation, a machine that was too busy to measure.
    pub cautions: Vec<String>,
}

/// One request's place in a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The value; absent for a failed request and where it was not recorded.
    pub value: Option<f64>,
    /// True if the request failed.
    pub failed: bool,
    /// When it was issued.
    pub at: Option<Timestamp>,
    /// Which of [`Series::sources`].
    pub source: usize,
    /// 0-based position in the source.
    pub position: usize,
    /// 1-based line of a table; absent in a session, whose records are found by their position.
    pub line: Option<u64>,
    /// The value of the column that gives subgroups or sample sizes, if one was named.
    pub companion: Option<Cell>,
}

impl Series {
    /// The values as a sample, and which observation each one is.
    ///
    /// # Errors
    /// [`Error::Format`] at the first gap under [`Missing::Error`], and at a value that is not finite;
    /// [`Error::Missing`], [`Error::NonFinite`] or [`Error::TooLarge`] where there is no file to name.
    pub fn sample(&self, missing: Option<Missing>) -> Result<(Sample<'static>, Vec<usize>)> {
        let policy = missing.unwrap_or(self.missing);
        let (mut values, mut kept, mut breaks) = (Vec::new(), Vec::new(), Vec::new());
        for (index, observation) in self.observations.iter().enumerate() {
            let Some(value) = observation.value else {
                if policy == Missing::Error && !observation.failed {
                    return Err(self.missing_at(index));
                }
                continue;
            };
            if value.abs() > Sample::MAX_MAGNITUDE || value.is_nan() {
                return Err(self.unacceptable_at(index, value));
            }
            if kept.last().is_some_and(|&last| self.parted(last, index, policy)) {
                breaks.push(values.len());
            }
            values.push(value);
            kept.push(index);
        }
        Ok((Sample::new(values)?.with_breaks(breaks)?, kept))
    }

    /// True if two kept observations are no neighbours: another file begins between them, or a gap that counts.
    fn parted(&self, last: usize, next: usize, policy: Missing) -> bool {
        let new_source = self.observations[last].source != self.observations[next].source;
        new_source || (policy != Missing::Drop && next != last + 1)
    }

    /// File, line and field of a value.
    fn location(&self, observation: &Observation) -> Location {
        let (name, position) = (self.measure.name(), observation.position);
        let field = if observation.line.is_some() { name.to_owned() } else { format!("records[{position}].{name}") };
        Location { line: observation.line, ..Location::of(&self.sources[observation.source]) }.field(&field)
    }

    fn missing_at(&self, index: usize) -> Error {
        self.refused(index, "no value", &format!("say {GAP_POLICY}"), Error::Missing { index })
    }

    fn unacceptable_at(&self, index: usize, value: f64) -> Error {
        let problem = format!("{value} is not a finite measurement");
        self.refused(index, &problem, "correct it, or leave it out", unacceptable(index, value))
    }

    /// The error with its place in a file; `bare` for numbers that come from none.
    fn refused(&self, index: usize, problem: &str, fix: &str, bare: Error) -> Error {
        if self.sources.is_empty() {
            return bare;
        }
        let location = self.location(&self.observations[index]);
        Error::Format { location, problem: problem.to_owned(), fix: fix.to_owned() }
    }
}

/// How to say it, on the command line and in Python.
const GAP_POLICY: &str = "what a gap means: --missing break or drop (in Python, missing=)";

/// The names that a group goes by, with its values.
type Key = BTreeMap<String, String>;

/// What to take from logs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// What to judge; empty: the default metrics that are present.
    pub measures: Vec<Measure>,
    /// Names to group by, perhaps none; without a list, provider and model where the data say so, else the file.
    pub by: Option<Vec<String>>,
    /// A column to read beside the measure: subgroup labels or sample sizes.
    pub companion: Option<String>,
}

impl Selection {
    /// What requests are grouped by unless told.
    pub const GROUPS: [&str; 2] = ["provider", "model"];
    /// The columns of a table that may say when a row was measured; the first that is there does.
    pub const TIMES: [&str; 3] = ["started_at", "timestamp", "time"];

    /// The series of every group and measure, in order of first appearance. The observations of a group are put in
    /// order of time if all of them have one.
    ///
    /// # Errors
    /// [`Error::Format`] for text in a numeric column; [`Error::Unknown`] if no log has what was asked for, with what
    /// it has.
    pub fn series<'l>(&self, logs: impl IntoIterator<Item = &'l Log>) -> Result<Vec<Series>> {
        let logs: &[&Log] = &logs.into_iter().collect::<Vec<_>>();
        let measures = self.present_measures(logs)?;
        let groups = self.groups(logs);
        let mut all = Vec::new();
        for (group, rows) in &groups {
            for measure in &measures {
                let series = self.one(logs, group, rows, measure)?;
                let carries = |o: &Observation| o.value.is_some();
                // A group that lacks a metric which others have says nothing about it, unless all its requests failed.
                if series.observations.iter().any(|o| carries(o) || o.failed) || groups.len() == 1 {
                    all.push(series);
                }
            }
        }
        Ok(all)
    }

    fn present_measures(&self, logs: &[&Log]) -> Result<Vec<Measure>> {
        if let Some(absent) = self.measures.iter().find(|measure| !logs.iter().any(|log| offers(log, measure))) {
            return Err(Error::Unknown {
                what: "metric or column",
                name: absent.name().to_owned(),
                expected: offered(logs),
            });
        }
        if !self.measures.is_empty() {
            return Ok(self.measures.clone());
        }
        let defaults = Metric::DEFAULT.map(Measure::Metric);
        let mut present: Vec<_> = defaults.into_iter().filter(|m| logs.iter().any(|log| offers(log, m))).collect();
        if present.is_empty() && logs.iter().any(|log| matches!(&log.content, Content::Session(_))) {
            // Nothing but failures: there is no latency, and the error rate is what can be judged.
            present.push(Measure::Metric(Metric::ErrorRate));
        }
        if present.is_empty() {
            return Err(Error::Unknown {
                what: "column: name one with --column (in Python, metric=)",
                name: String::new(),
                expected: offered(logs),
            });
        }
        Ok(present)
    }

    /// Groups with the rows of each, `(log, row)`.
    fn groups(&self, logs: &[&Log]) -> Vec<(Key, Vec<(usize, usize)>)> {
        let mut groups: Vec<(Key, Vec<(usize, usize)>)> = Vec::new();
        let mut places = BTreeMap::new();
        for (log_index, log) in logs.iter().enumerate() {
            for row in 0..rows(log) {
                let key = self.key(log, row);
                let place = *places.entry(key.clone()).or_insert_with(|| {
                    groups.push((key, Vec::new()));
                    groups.len() - 1
                });
                groups[place].1.push((log_index, row));
            }
        }
        groups
    }

    fn key(&self, log: &Log, row: usize) -> Key {
        let named = |names: &[&str]| -> Key {
            names.iter().filter_map(|name| Some(((*name).to_owned(), label(log, row, name)?))).collect()
        };
        if let Some(by) = &self.by {
            return named(&by.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let usual = named(&Self::GROUPS);
        if usual.is_empty() { named(&["session"]) } else { usual }
    }

    fn one(&self, logs: &[&Log], group: &Key, rows: &[(usize, usize)], measure: &Measure) -> Result<Series> {
        let mut series = Series {
            sources: Vec::new(),
            group: group.clone(),
            measure: measure.clone(),
            observations: Vec::with_capacity(rows.len()),
            warmup: 0,
            missing: Missing::Break,
            cautions: Vec::new(),
        };
        let mut source_of: BTreeMap<usize, usize> = BTreeMap::new();
        for &(log_index, row) in rows {
            let log = logs[log_index];
            let source = *source_of.entry(log_index).or_insert_with(|| {
                series.sources.push(log.source.clone());
                series.cautions.extend(cautions(log));
                series.sources.len() - 1
            });
            let mut observation = match &log.content {
                Content::Session(session) if session.records[row].warmup => {
                    series.warmup += 1;
                    continue;
                }
                Content::Session(session) => of_record(&session.records[row], measure),
                Content::Table(table) => {
                    series.missing = Missing::Error;
                    of_row(log, table, row, measure)?
                }
            };
            observation.source = source;
            observation.position = row;
            observation.companion = self.companion.as_ref().map(|name| cell(log, row, name));
            series.observations.push(observation);
        }
        if series.observations.iter().all(|observation| observation.at.is_some()) {
            series.observations.sort_by_key(|observation| observation.at);
        }
        Ok(series)
    }
}

/// What a session says against itself.
fn cautions(log: &Log) -> Vec<String> {
    let Content::Session(session) = &log.content else { return Vec::new() };
    let source = if log.source == "-" { "standard input" } else { &log.source };
    let simulated = session.header.simulated.then(|| format!("{source} is SIMULATED: no real endpoint was asked"));
    let health = session.client_health.as_ref().filter(|health| health.bottleneck);
    let busy = health
        .map(|health| format!("{source}: the machine that measured was the bottleneck: {}", health.reasons.join("; ")));
    simulated.into_iter().chain(busy).collect()
}

fn of_record(record: &RequestRecord, measure: &Measure) -> Observation {
    let value = match measure {
        Measure::Metric(metric) => record.metric(*metric),
        Measure::Column(name) if record.succeeded() => record.attribute(name),
        Measure::Column(_) => None,
    };
    let failed = !record.succeeded();
    Observation { value, failed, at: record.started_at, ..blank() }
}

fn of_row(log: &Log, table: &Table, row: usize, measure: &Measure) -> Result<Observation> {
    let value = match table.column(measure.name()).map(|column| &column.cells[row]) {
        Some(Cell::Number(number)) => Some(*number),
        Some(Cell::Text(text)) => {
            return Err(Error::Format {
                location: Location::of(&log.source).line(table.lines[row]).field(measure.name()),
                problem: format!("\"{}\" is not a number", excerpt(text)),
                fix: format!("correct it, or leave the cell empty and say {GAP_POLICY}"),
            });
        }
        Some(Cell::Missing) | None => None,
    };
    let time = Selection::TIMES.iter().find_map(|name| table.column(name));
    let at = time.and_then(|column| match &column.cells[row] {
        Cell::Text(text) => text.parse().ok(),
        _ => None,
    });
    Ok(Observation { value, at, line: Some(table.lines[row]), ..blank() })
}

fn blank() -> Observation {
    Observation { value: None, failed: false, at: None, source: 0, position: 0, line: None, companion: None }
}

fn rows(log: &Log) -> usize {
    match &log.content {
        Content::Session(session) => session.records.len(),
        Content::Table(table) => table.rows(),
    }
}

/// A value to group by.
fn label(log: &Log, row: usize, name: &str) -> Option<String> {
    if name == "session" {
        return Some(session_name(log));
    }
    match &log.content {
        Content::Session(session) => record_label(session, &session.records[row], name),
        Content::Table(table) => table.column(name)?.cells[row].label(),
    }
}

fn record_label(session: &Session, record: &RequestRecord, name: &str) -> Option<String> {
    match name {
        "provider" => session.provider_of(record).map(str::to_owned),
        "model" => session.model_of(record).map(str::to_owned),
        _ => match record.attributes.get(name) {
            Some(value) => Some(value.label()),
            None => session.header.labels.get(name).cloned(),
        },
    }
}

/// A session's own name, or that of its file.
fn session_name(log: &Log) -> String {
    let own = match &log.content {
        Content::Session(session) => session.header.name.clone(),
        Content::Table(_) => None,
    };
    if log.source == "-" && own.is_none() {
        return "standard input".to_owned();
    }
    own.unwrap_or_else(|| {
        Path::new(&log.source)
            .file_stem()
            .map_or_else(|| log.source.clone(), |stem| stem.to_string_lossy().into_owned())
    })
}

fn cell(log: &Log, row: usize, name: &str) -> Cell {
    match &log.content {
        Content::Session(session) => match session.records[row].attributes.get(name) {
            Some(AttributeValue::Number(number)) => Cell::Number(*number),
            _ => record_label(session, &session.records[row], name).map_or(Cell::Missing, Cell::Text),
        },
        Content::Table(table) => table.column(name).map_or(Cell::Missing, |column| column.cells[row].clone()),
    }
}

fn offers(log: &Log, measure: &Measure) -> bool {
    match (&log.content, measure) {
        (Content::Session(_), Measure::Metric(Metric::ErrorRate)) => true,
        (Content::Session(session), Measure::Metric(metric)) => {
            session.records.iter().any(|record| record.metric(*metric).is_some())
        }
        (Content::Session(session), Measure::Column(name)) => {
            session.records.iter().any(|record| record.attribute(name).is_some())
        }
        (Content::Table(table), measure) => table.column(measure.name()).is_some(),
    }
}

/// What could be judged, to say so in an error.
fn offered(logs: &[&Log]) -> String {
    let mut names: Vec<String> = Vec::new();
    let mut add = |name: &str| {
        if !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    };
    for log in logs {
        match &log.content {
            Content::Session(session) => {
                Metric::ALL.iter().filter(|m| offers(log, &Measure::Metric(**m))).for_each(|m| add(m.name()));
                let attributes = session.records.iter().flat_map(|record| &record.attributes);
                attributes.filter(|(_, v)| matches!(v, AttributeValue::Number(_))).for_each(|(name, _)| add(name));
            }
            Content::Table(table) => table.numeric_columns().for_each(&mut add),
        }
    }
    if names.is_empty() { "a log with at least one number".to_owned() } else { names.join(", ") }
}
