//! Selects series from logs and groups them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use super::columns::{KnownColumn, Outline, columns_of};
use super::contradictions::{at_one_time, late_first_tokens};
use super::meaning;
use super::series::{Observations, Series, put, reorder};
use crate::column::{Meaning, StatedMeanings, two_units};
use crate::error::{Error, Location, Result};
use crate::ingest::{
    Cell, Content, FailureKind, Log, Mapping, Projection, ReadOptions, Rows, SESSION, StatusRule, Stream,
    StreamSummary, Table, Tally, Time, Tool,
};
use crate::measure::Measure;
use crate::metric::{Metric, TpotDefinition};
use crate::quantity::counted;
use crate::sample::Missing;
use crate::session::{ClientHealth, RunEvent, Session, SessionHeader, Warning};

/// The columns and values that identify a group.
pub(super) type Key = BTreeMap<String, String>;

/// What to select from logs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Selection {
    /// The measures to judge; if empty, the default metrics that are present.
    pub measures: Vec<Measure>,
    /// The columns to group by, which may be an empty list. By default, provider, model, run and step of the load if the
    /// data have them, else the file; summaries of runs by the settings of their runs.
    pub by: Option<Vec<String>>,
    /// A further column to read: subgroup labels or sample sizes.
    pub companion: Option<String>,
    /// Mappings of table columns with other names.
    pub mappings: Vec<Mapping>,
    /// Units and preferences of columns that the user states.
    pub stated: StatedMeanings,
    /// What the caller states about the logs.
    pub reading: ReadOptions,
}

impl Selection {
    /// The columns by which requests are grouped by default.
    pub const GROUPS: [&str; 4] = ["provider", "model", "run", Self::STEP];
    /// The load of a request in a run with several loads, one after the other: `8 clients`, `4/s`. A change of the load
    /// is not a change of the server, so each load is a series of its own.
    pub const STEP: &str = "load_step";
    /// The settings of runs that name their group, even if all groups have the same.
    const NAMED_SETTINGS: [&str; 3] = ["dataset", "concurrency", "request_rate_per_s"];

    /// Groups for a comparison of two sides: by the default columns, but never by file, because each file is a run.
    #[must_use]
    pub fn groups_of_runs() -> Vec<String> {
        Self::GROUPS.map(str::to_owned).to_vec()
    }

    /// The statistics of runs that are judged by default: for each metric, the first one that is present.
    const STATISTICS: [&str; 2] = ["p50", "mean"];

    /// One series for each group and measure, in order of first appearance. The observations of a group are sorted by
    /// time if all of them have a time.
    ///
    /// # Errors
    /// [`Error::Format`] for text in a numeric column; [`Error::Unknown`] if no log has the requested measure, with the
    /// measures that are present.
    ///
    /// ```
    /// use llmscope_core::analysis::Selection;
    /// use llmscope_core::{Metric, Measure, ingest};
    ///
    /// let log = ingest::read("run.csv", b"ttft_s,model\n0.31,a\n0.29,b\n0.30,a\n", None)?;
    /// let selection = Selection { by: Some(vec!["model".to_owned()]), ..Selection::default() };
    /// let series = selection.series([&log])?;
    /// assert_eq!(series.iter().map(|one| one.values.len()).collect::<Vec<_>>(), [2, 1]);
    /// assert_eq!(series[0].measure, Measure::Metric(Metric::Ttft));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn series<'l>(&self, logs: impl IntoIterator<Item = &'l Log>) -> Result<Vec<Series>> {
        let mut gathering = SeriesBuilder::new(self.clone());
        for log in logs {
            gathering.add(log)?;
        }
        gathering.finish()
    }

    /// The columns to read from a log.
    fn projection(&self, of_runs: bool) -> Projection {
        let by = self.by.as_deref().map(|by| by.iter().map(String::as_str).collect::<Vec<_>>());
        let labels = by.unwrap_or(Self::GROUPS.to_vec()).into_iter();
        let measures = if self.measures.is_empty() { default_measures(of_runs) } else { self.measures.clone() };
        Projection {
            tokens: !of_runs && measures.iter().any(depends_on_tokens),
            counts: of_runs,
            measures,
            labels: labels.map(str::to_owned).collect(),
            companion: self.companion.clone(),
            mappings: self.mappings.clone(),
            // A row that summarizes a run did not fail: it counts the requests that did.
            reading: if of_runs {
                ReadOptions { status: StatusRule::None, ..self.reading.clone() }
            } else {
                self.reading.clone()
            },
            outcomes: Vec::new(),
        }
    }

    /// What a measure means: as the user states it, else as the tool does in summaries of runs, else by its name, or by
    /// the name of the column that is mapped to it.
    fn meaning(&self, measure: &Measure, of_runs: bool) -> Meaning {
        let mut meaning = measure.meaning();
        if of_runs {
            meaning = meaning.stated_by_tool();
        }
        if let Some(mapping) = self.mapping_to(measure).filter(|_| !of_runs) {
            meaning = meaning.completed_by(Meaning::of_name(&mapping.from));
        }
        self.stated.applied(measure.name(), meaning)
    }

    fn mapping_to(&self, measure: &Measure) -> Option<&Mapping> {
        self.mappings.iter().find(|mapping| mapping.to == measure.name())
    }

    /// What contradicts the meaning of a measure.
    fn contradictions(&self, measure: &Measure) -> Vec<String> {
        let mapping = self.mapping_to(measure);
        let of_mapping = mapping.and_then(Mapping::contradiction);
        let is_stated = mapping.map_or(self.stated.unit(measure.name()).is_some(), |mapping| mapping.unit.is_some());
        let named = mapping.map_or(measure.name(), |mapping| mapping.from.as_str());
        let of_name = two_units(named).filter(|_| !is_stated);
        of_mapping.into_iter().chain(self.stated.contradiction(measure.name())).chain(of_name).collect()
    }

    /// The columns by which the rows of a table are grouped. By default, runs are grouped by their settings: runs with
    /// equal settings are one series.
    fn labels_of_runs(&self, table: &Table) -> Option<Vec<String>> {
        (self.by.is_none() && table.of_runs).then(|| table.settings())
    }

    /// The group of rows with these labels in a session of this name.
    fn key(&self, labels: &[String], values: &[Option<String>], session: &str, of_runs: bool) -> Key {
        let named = labels.iter().zip(values).filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        let mut key: Key = named.collect();
        let by_session = match &self.by {
            Some(by) => by.iter().any(|name| name == SESSION),
            // A summary is a run, wherever it is kept.
            None => key.is_empty() && !of_runs,
        };
        if by_session {
            // A column of a table can assign each row to a session.
            key.entry(SESSION.to_owned()).or_insert_with(|| session.to_owned());
        }
        key
    }
}

/// True for the latencies that are judged given the tokens of a request.
pub(super) fn depends_on_tokens(measure: &Measure) -> bool {
    matches!(measure, Measure::Metric(Metric::Ttft | Metric::E2e))
}

fn default_measures(of_runs: bool) -> Vec<Measure> {
    if !of_runs {
        return Metric::DEFAULT.map(Measure::Metric).to_vec();
    }
    let statistics = |metric: Metric| Selection::STATISTICS.map(|statistic| format!("{}.{statistic}", metric.name()));
    Metric::DEFAULT.into_iter().flat_map(statistics).map(Measure::Column).collect()
}

/// Builds series from logs, one log at a time, without keeping the logs.
pub struct SeriesBuilder {
    selection: Selection,
    requests: Projection,
    runs: Projection,
    sources: Vec<SourceLog>,
    groups: Vec<Group>,
    places: HashMap<(Key, bool), usize>,
    failures: Vec<FailureKind>,
    /// The columns of the logs.
    columns: Vec<KnownColumn>,
    /// Columns and attributes of any kind, by which rows can be grouped.
    labels: BTreeSet<String>,
    /// The settings by which runs are grouped.
    settings: BTreeSet<String>,
    offered: BTreeMap<String, bool>,
    /// The identities of the records so far.
    identities: HashSet<u64>,
}

/// A log that was read.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SourceLog {
    /// The file's name as given.
    pub source: String,
    /// The tool that wrote the log.
    pub tool: Tool,
    /// The header, which applies to all requests; `None` for a table.
    pub header: Option<SessionHeader>,
    /// Other events during the recording.
    pub events: Vec<RunEvent>,
    /// The recorded health of the load generator.
    pub client_health: Option<ClientHealth>,
    /// True if the log holds summaries of runs instead of requests.
    pub of_runs: bool,
    /// The number of requests including warm-up, or of rows.
    pub records: usize,
    /// The number of warm-up requests.
    pub warmup: usize,
    /// The number of failed requests, excluding the warm-up.
    pub failed: usize,
    /// Warnings of the reader.
    pub warnings: Vec<Warning>,
    /// The number of records that repeat another one, and were left out.
    pub repeated: usize,
    /// Counts of what the rows leave open.
    pub tally: Tally,
    /// True if a mapping can apply: the log is a table.
    pub(super) is_table: bool,
    /// True if a field tells whether a row succeeded.
    pub(super) tells_outcomes: bool,
    /// A column that looks like the outcome of the rows, and is not read as one.
    pub(super) unread_outcome: Option<String>,
    /// A column that holds times, and is not read as one.
    pub(super) unread_time: Option<String>,
    /// Columns that are read as outcomes because their values look like them.
    pub(super) guessed_outcomes: Vec<String>,
}

/// A group of rows, column by column.
struct Group {
    key: Key,
    of_runs: bool,
    missing: Missing,
    warmup: usize,
    /// The indices of the logs with rows of this group.
    logs: Vec<usize>,
    values: Vec<Vec<f64>>,
    rows: usize,
    observations: Observations,
    /// True if the times are counted from the starts of runs.
    elapsed: bool,
}

impl SeriesBuilder {
    /// Creates a builder without logs.
    #[must_use]
    pub fn new(mut selection: Selection) -> Self {
        let mut seen = Vec::new();
        selection.measures.retain(|measure| {
            !seen.contains(measure) && {
                seen.push(measure.clone());
                true
            }
        });
        Self {
            requests: selection.projection(false),
            runs: selection.projection(true),
            selection,
            sources: Vec::new(),
            groups: Vec::new(),
            places: HashMap::new(),
            failures: Vec::new(),
            columns: Vec::new(),
            labels: BTreeSet::new(),
            settings: BTreeSet::new(),
            offered: BTreeMap::new(),
            identities: HashSet::new(),
        }
    }

    /// Adds a log.
    ///
    /// # Errors
    /// [`Error::Format`] for text in a numeric column; [`Error::Unknown`] for a mapping of a missing column.
    pub fn add(&mut self, log: &Log) -> Result<()> {
        self.learn(log)?;
        let blank = SourceLog { warnings: log.warnings.clone(), ..SourceLog::new(&log.source, log.tool) };
        match &log.content {
            Content::Session(session) => {
                let Session { header, records, events, client_health, .. } = &**session;
                meaning::check_conditions(&self.selection, &meaning::labels_of(log))?;
                let (rows, labels) = (self.requests.of_records(header, records), self.requests.labels.clone());
                self.sources.push(SourceLog {
                    header: Some(header.clone()),
                    events: events.clone(),
                    client_health: client_health.clone(),
                    ..blank
                });
                self.take(&rows, &labels);
            }
            Content::Table(table) => {
                let mut projection = if table.of_runs { self.runs.clone() } else { self.requests.clone() };
                if let Some(settings) = self.selection.labels_of_runs(table) {
                    self.settings.extend(settings.iter().cloned());
                    projection.labels = settings;
                }
                projection.outcomes = projection.outcomes_by_value(&log.source, table)?;
                let rows = projection.of_table(&log.source, table)?;
                self.sources.push(SourceLog {
                    guessed_outcomes: projection.guessed_outcomes(),
                    of_runs: table.of_runs,
                    is_table: true,
                    unread_outcome: projection.unread_outcome(table),
                    unread_time: projection.unread_time(table),
                    ..blank
                });
                self.take(&rows, &projection.labels);
            }
        }
        self.check_last()
    }

    /// Adds a log that is read as a stream.
    ///
    /// # Errors
    /// The errors of [`Stream::rows`].
    pub fn add_stream(&mut self, stream: Stream) -> Result<()> {
        let (mut unread_outcome, mut unread_time) = (None, None);
        stream.head.as_ref().map_or(Ok(()), |head| self.learn(head))?;
        let mut projection = self.requests.clone();
        if let Some(Content::Table(table)) = stream.head.as_ref().map(|head| &head.content) {
            projection.outcomes = projection.outcomes_by_value(&stream.source, table)?;
            unread_outcome = projection.unread_outcome(table);
            unread_time = projection.unread_time(table);
        }
        let header = stream.header.clone();
        let is_table = header.is_none();
        self.sources.push(SourceLog {
            header,
            is_table,
            unread_outcome,
            unread_time,
            guessed_outcomes: projection.guessed_outcomes(),
            ..SourceLog::new(&stream.source, stream.tool)
        });
        let StreamSummary { warnings, events, client_health } = stream.rows(&projection, |rows| {
            self.take(&rows, &projection.labels);
            Ok(())
        })?;
        if let Some(log) = self.sources.last_mut() {
            log.warnings = warnings;
            log.events = events;
            log.client_health = client_health;
        }
        self.check_last()
    }

    /// Notes the names of a log. Mapped columns and those of conditions must exist, and a log with a single number a row
    /// has that number as its measure.
    fn learn(&mut self, log: &Log) -> Result<()> {
        let labels = meaning::labels_of(log);
        if let Content::Table(table) = &log.content {
            meaning::check_names(&self.selection, &log.source, table)?;
            let labels = self.selection.mappings.iter().map(|mapping| mapping.to.clone());
            self.labels.extend(labels);
        }
        self.labels.extend(labels);
        let columns = columns_of(log);
        if self.sources.is_empty() && self.selection.measures.is_empty() {
            let numeric = columns.iter().filter(|column| column.is_numeric);
            let names: Vec<String> = numeric.map(|column| column.name.clone()).collect();
            if let Some(only) = meaning::only_measure(&self.requests, log, &names) {
                self.selection.measures = vec![only];
                self.requests = self.selection.projection(false);
                self.runs = self.selection.projection(true);
            }
        }
        self.learn_columns(columns);
        Ok(())
    }

    /// Refuses the last log if nothing of what the caller states about it yields a value; warns of what it leaves open.
    fn check_last(&mut self) -> Result<()> {
        let Some(log) = self.sources.last_mut() else { return Ok(()) };
        meaning::check(&self.selection, log)?;
        let warnings = meaning::warnings(log);
        log.warnings.extend(warnings);
        Ok(())
    }

    /// The logs that were added.
    #[must_use]
    pub fn sources(&self) -> &[SourceLog] {
        &self.sources
    }

    /// One series for each group and measure, in order of first appearance. The observations of a group are sorted by
    /// time if all of them have a time.
    ///
    /// # Errors
    /// [`Error::Unknown`] if no log has the requested measure, with the measures that are present.
    pub fn finish(mut self) -> Result<Vec<Series>> {
        meaning::check_all(
            &self.selection,
            &self.sources,
            &self.labels,
            &self.groups.iter().map(|group| &group.key).collect::<Vec<_>>(),
            self.groups.iter().any(|group| !group.observations.companion.is_empty()),
        )?;
        let measures = self.present_measures()?;
        self.check_stated(&measures)?;
        self.name_runs_by_what_differs();
        let groups = std::mem::take(&mut self.groups);
        let alone = groups.len() == 1;
        let mut all = Vec::new();
        for group in groups {
            let known = if group.of_runs { &self.runs.measures } else { &self.requests.measures };
            let known = known.clone();
            let mut measures = measures.clone();
            let is_usual = self.selection.measures.is_empty() && self.selection.by.is_none();
            if is_usual && group.lost_runs(&known, &measures) {
                measures.push(Measure::Metric(Metric::ErrorRate));
            }
            let of_group = group.into_series(&self, &known, &measures);
            // A group without any value of a metric that other groups have is left out, unless all its requests failed.
            let says = |series: &Series| {
                alone || !series.observations.failed.is_empty() || series.values.iter().any(|value| !value.is_nan())
            };
            all.extend(of_group.into_iter().filter(says));
        }
        Ok(all)
    }

    /// Leaves out of the names of groups of runs the settings that all of them share.
    fn name_runs_by_what_differs(&mut self) {
        let of_runs = |group: &&mut Group| group.of_runs;
        for name in self.settings.clone() {
            let is_named =
                Selection::GROUPS.contains(&name.as_str()) || Selection::NAMED_SETTINGS.contains(&name.as_str());
            let mut values = self.groups.iter().filter(|group| group.of_runs).map(|group| group.key.get(&name));
            let first = values.next();
            if !is_named && values.all(|value| Some(value) == first) {
                self.groups.iter_mut().filter(of_runs).for_each(|group| drop(group.key.remove(&name)));
            }
        }
    }

    /// Refuses a statement about a column that no log has.
    fn check_stated(&self, measures: &[Measure]) -> Result<()> {
        let is_known = |name: &&str| {
            self.columns.iter().any(|known| known.name == *name)
                || measures.iter().any(|measure| measure.name() == *name)
        };
        let unknown = self.selection.stated.names().find(|name| !is_known(name));
        unknown.map_or(Ok(()), |name| {
            let expected = measures.iter().map(Measure::name).collect::<Vec<_>>().join(", ");
            Err(Error::Unknown { what: "column whose meaning is stated", name: name.to_owned(), expected })
        })
    }

    fn learn_columns(&mut self, columns: Vec<KnownColumn>) {
        for column in columns {
            match self.columns.iter_mut().find(|known| known.name == column.name) {
                Some(known) => known.is_numeric |= column.is_numeric,
                None => self.columns.push(column),
            }
        }
    }

    /// The columns of the logs, to describe them once the series are known.
    pub(super) fn outline(&self) -> Outline {
        Outline {
            columns: self.columns.clone(),
            selection: self.selection.clone(),
            labels: self.labels_used(),
            reads_tokens: self.requests.tokens,
        }
    }

    /// The columns by which the rows of these logs are grouped.
    fn labels_used(&self) -> Vec<String> {
        let has_requests = self.selection.by.is_some() || self.sources.iter().any(|log| !log.of_runs);
        let of_requests = self.requests.labels.iter().filter(|_| has_requests);
        of_requests.chain(&self.settings).cloned().collect()
    }

    /// The measures that are present, for error messages.
    fn names(&self) -> Vec<&str> {
        self.columns.iter().filter(|column| column.is_numeric).map(|column| column.name.as_str()).collect()
    }

    /// Adds rows of the last log to their groups, which these labels distinguish.
    fn take(&mut self, rows: &Rows, names: &[String]) {
        let log_index = self.sources.len() - 1;
        let log = &mut self.sources[log_index];
        let (of_runs, first) = (log.of_runs, log.records);
        log.records += rows.records;
        log.warmup += rows.warmup.iter().sum::<usize>();
        log.tally.add(&rows.tally);
        log.tells_outcomes |= rows.tells_outcomes;
        let (is_table, session) = (log.header.is_none(), log.session_name());
        let projection = if of_runs { &self.runs } else { &self.requests };
        for (measure, &offered) in projection.measures.iter().zip(&rows.offered) {
            *self.offered.entry(measure.name().to_owned()).or_default() |= offered;
        }
        let mut failures = Vec::with_capacity(rows.failures.len());
        for kind in &rows.failures {
            failures.push(FailureKind::number_in(&mut self.failures, kind.clone()));
        }
        let mut places = Vec::with_capacity(rows.groups.len());
        for (labels, &warmup) in rows.groups.iter().zip(&rows.warmup) {
            let key = self.selection.key(names, labels, &session, of_runs);
            let groups = &mut self.groups;
            let place = *self.places.entry((key, of_runs)).or_insert_with_key(|(key, _)| {
                groups.push(Group::new(key.clone(), of_runs, projection.measures.len()));
                groups.len() - 1
            });
            let group = &mut self.groups[place];
            group.warmup += warmup;
            group.elapsed |= rows.elapsed;
            // A run has no value if all its requests failed, or if the tool does not tell them apart.
            if is_table && !of_runs {
                group.missing = Missing::Error;
            }
            if group.logs.last() != Some(&log_index) {
                group.logs.push(log_index);
            }
            places.push(place);
        }
        for row in 0..rows.len() {
            let identity = rows.identity.get(row).copied().filter(|&identity| identity > 0);
            let log = &mut self.sources[log_index];
            if identity.is_some_and(|identity| !self.identities.insert(identity)) {
                log.repeated += 1;
                continue;
            }
            log.failed += usize::from(rows.failed.get(row).is_some_and(|&failed| failed));
            self.groups[places[rows.group[row] as usize]].push(rows, row, first, &failures);
        }
    }

    fn present_measures(&self) -> Result<Vec<Measure>> {
        let offered = |measure: &Measure| self.offered.get(measure.name()).is_some_and(|&offered| offered);
        let any_session = self.sources.iter().any(SourceLog::knows_outcomes);
        // A gate, which names its groups, compares no shares of runs.
        let by_settings = self.selection.by.is_none();
        let has_failures = any_session || (by_settings && self.groups.iter().any(Group::counts_failures));
        let is_error_rate = |measure: &Measure| has_failures && *measure == Measure::Metric(Metric::ErrorRate);
        let names = self.names();
        let known = || if names.is_empty() { "a log with at least one number".to_owned() } else { names.join(", ") };
        let all_failed = any_session && self.nothing_succeeded();
        let is_unmeasured = |measure: &Measure| {
            all_failed && (matches!(measure, Measure::Metric(_)) || names.contains(&measure.name()))
        };
        let is_known = |measure: &&Measure| offered(measure) || is_error_rate(measure) || is_unmeasured(measure);
        if let Some(absent) = self.selection.measures.iter().find(|measure| !is_known(measure)) {
            return Err(Error::Unknown { what: "metric or column", name: absent.name().to_owned(), expected: known() });
        }
        if !self.selection.measures.is_empty() {
            return Ok(self.selection.measures.clone());
        }
        let mut present: Vec<_> = self.requests.measures.iter().filter(|m| offered(m)).cloned().collect();
        for statistics in self.runs.measures.chunks(Selection::STATISTICS.len()) {
            present.extend(statistics.iter().find(|m| offered(m)).cloned());
        }
        if present.is_empty() && all_failed {
            // All requests failed: there is no latency, but the error rate can be judged.
            present.push(Measure::Metric(Metric::ErrorRate));
        }
        if present.is_empty() && by_settings && self.groups.iter().any(|group| group.lost_runs(&[], &[])) {
            // All runs failed: each group has its share of failures.
            return Ok(present);
        }
        if present.is_empty() && names.is_empty() {
            let sources = self.sources.iter().map(|log| log.source.as_str()).collect::<Vec<_>>().join(", ");
            return Err(Error::Format {
                location: Location::of(&sources),
                problem: match self.labels.is_empty() {
                    true => "no numeric column".to_owned(),
                    false => format!("no numeric column among {}", shortened(&self.labels)),
                },
                fix: "use a log of requests, or a table with a column of numbers".to_owned(),
            });
        }
        if present.is_empty() {
            return Err(Error::Unknown { what: "column to judge", name: String::new(), expected: known() });
        }
        Ok(present)
    }

    /// True if no request succeeded. If requests succeeded but have none of the default metrics, the user has to name
    /// another one, such as a server's times.
    fn nothing_succeeded(&self) -> bool {
        self.groups.iter().all(|group| (0..group.rows).all(|row| group.observations.failed(row)))
    }
}

impl SourceLog {
    fn new(source: &str, tool: Tool) -> Self {
        Self {
            source: source.to_owned(),
            tool,
            header: None,
            events: Vec::new(),
            client_health: None,
            of_runs: false,
            records: 0,
            warmup: 0,
            failed: 0,
            warnings: Vec::new(),
            repeated: 0,
            tally: Tally::default(),
            is_table: false,
            tells_outcomes: false,
            unread_outcome: None,
            unread_time: None,
            guessed_outcomes: Vec::new(),
        }
    }

    /// True if the log tells which requests failed; a session without requests could.
    fn knows_outcomes(&self) -> bool {
        self.tells_outcomes || self.header.as_ref().is_some_and(|header| !header.outcomes_unknown)
    }

    /// The session's name, or else that of its file.
    fn session_name(&self) -> String {
        let own = self.header.as_ref().and_then(|header| header.name.clone());
        own.unwrap_or_else(|| match self.source.as_str() {
            "-" => "standard input".to_owned(),
            source => Path::new(source).file_stem().map_or_else(|| source.into(), |stem| stem.to_string_lossy()).into(),
        })
    }

    /// Warnings about the log.
    fn warnings(&self) -> Vec<String> {
        let source = if self.source == "-" { "standard input" } else { &self.source };
        let simulated = self.header.as_ref().is_some_and(|header| header.simulated);
        let simulated = simulated.then(|| format!("{source} is SIMULATED: it does not describe a real endpoint"));
        let health = self.client_health.as_ref().filter(|health| health.bottleneck);
        let busy = health
            .map(|health| format!("{source}: the load generator was the bottleneck: {}", health.reasons.join("; ")));
        simulated.into_iter().chain(busy).collect()
    }
}

/// That these logs hold only summaries, if they do.
fn warning_of_summaries(logs: &[&SourceLog]) -> Option<String> {
    let summaries: Vec<&&SourceLog> = logs.iter().filter(|log| log.of_runs).collect();
    let first = summaries.first()?;
    let source = if first.source == "-" { "standard input" } else { &first.source };
    let others = match summaries.len() {
        1 => String::new(),
        many => format!(" and {}", counted(many - 1, "other file")),
    };
    let tools: BTreeSet<&str> = summaries.iter().map(|log| log.tool.name()).collect();
    let tools = tools.into_iter().collect::<Vec<_>>().join(", ");
    let verb = if summaries.len() == 1 { "contains" } else { "contain" };
    Some(format!("{source}{others} {verb} only summaries ({tools}): each point is a run, without its requests"))
}

impl Group {
    fn new(key: Key, of_runs: bool, measures: usize) -> Self {
        Self {
            key,
            of_runs,
            missing: Missing::Break,
            warmup: 0,
            logs: Vec::new(),
            values: vec![Vec::new(); measures],
            rows: 0,
            observations: Observations::default(),
            elapsed: false,
        }
    }

    /// Adds a row of the last log of this group, which had `first` records before these rows. `failures` has the number
    /// of each kind of failure of these rows among all kinds.
    fn push(&mut self, rows: &Rows, row: usize, first: usize, failures: &[u32]) {
        for (column, values) in self.values.iter_mut().zip(&rows.values) {
            column.push(values[row]);
        }
        let (place, all) = (self.rows, &mut self.observations);
        self.rows += 1;
        put(&mut all.failed, place, rows.failed.get(row).copied(), false);
        put(&mut all.times, place, rows.times.get(row).copied(), Time::NONE);
        put(&mut all.source, place, u32::try_from(self.logs.len() - 1).ok().filter(|&log| log > 0), 0);
        let position = rows.position.get(row).map_or(row, |&position| position as usize);
        all.position.push(u32::try_from(first + position).unwrap_or(u32::MAX));
        put(&mut all.line, place, rows.line.get(row).copied(), 0);
        put(&mut all.companion, place, rows.companion.get(row).cloned(), Cell::Missing);
        let failure = rows.failure.get(row).and_then(|&kind| failures.get((kind as usize).checked_sub(1)?));
        put(&mut all.failure, place, failure.copied(), 0);
        all.tokens.push(place, rows.tokens.at(row));
        all.counts.push(place, rows.counts.at(row));
        put(&mut all.definitions, place, rows.definitions.get(row).copied(), TpotDefinition::FIRST);
    }

    /// True if the number of failed requests of a run is known.
    fn counts_failures(&self) -> bool {
        (0..self.rows).any(|run| self.observations.counts.failures(run).is_some())
    }

    /// True if a run with failures has none of these measures: only its share of failures is known.
    fn lost_runs(&self, known: &[Measure], wanted: &[Measure]) -> bool {
        let places: Vec<usize> =
            wanted.iter().filter_map(|wanted| known.iter().position(|known| known == wanted)).collect();
        let has_failures = |run: usize| self.observations.counts.failures(run).is_some_and(|(failed, _)| failed > 0.0);
        let has_no_value = |run: &usize| places.iter().all(|&place| self.values[place][*run].is_nan());
        self.of_runs && (0..self.rows).filter(has_no_value).any(has_failures)
    }

    fn into_series(mut self, of: &SeriesBuilder, known: &[Measure], wanted: &[Measure]) -> Vec<Series> {
        let sources = &of.sources;
        self.sort_by_time();
        let undated = self.undated();
        self.observations.failure_kinds.clone_from(&of.failures);
        self.observations.outcomes_unknown = self.logs.iter().any(|&log| !sources[log].tells_outcomes);
        let observations = Arc::new(self.observations);
        let mut events: Vec<RunEvent> = self.logs.iter().flat_map(|&log| sources[log].events.clone()).collect();
        events.sort_by_key(|event| event.at);
        let logs: Vec<&SourceLog> = self.logs.iter().map(|&log| &sources[log]).collect();
        let of_runs = warning_of_summaries(&logs).into_iter().chain(undated.filter(|_| self.of_runs));
        let warnings: Vec<_> = logs.iter().flat_map(|log| log.warnings()).chain(of_runs).collect();
        let at_once = at_one_time(&observations.times, self.rows);
        let late_first_tokens = late_first_tokens(known, &self.values);
        let mut values_of = |measure: &Measure| -> Option<Vec<f64>> {
            if let Some(place) = known.iter().position(|known| known == measure) {
                return Some(std::mem::take(&mut self.values[place]));
            }
            let failure = |index| if observations.failed(index) { 1.0 } else { 0.0 };
            let share = |run| observations.counts.failures(run).map_or(f64::NAN, |(failed, all)| failed / all);
            let is_error_rate = *measure == Measure::Metric(Metric::ErrorRate);
            is_error_rate
                .then(|| (0..self.rows).map(|row| if self.of_runs { share(row) } else { failure(row) }).collect())
        };
        let mut series = |measure: &Measure| {
            let mut series = Series {
                sources: self.logs.iter().map(|&log| sources[log].source.clone()).collect(),
                group: self.key.clone(),
                measure: measure.clone(),
                stated: Some(of.selection.meaning(measure, self.of_runs)),
                values: values_of(measure)?,
                out_of_bounds: Vec::new(),
                observations: observations.clone(),
                warmup: self.warmup,
                missing: self.missing,
                of_runs: self.of_runs,
                warnings: warnings.clone(),
                contradictions: Vec::new(),
                events: events.clone(),
                tpot_definition: TpotDefinition::FIRST,
                is_part: false,
            };
            of.selection.contradictions(measure).into_iter().for_each(|text| series.contradicted_by(text));
            let is_of_both = [Measure::Metric(Metric::Ttft), Measure::Metric(Metric::E2e)].contains(measure);
            let texts = at_once.iter().chain(late_first_tokens.iter().filter(|_| is_of_both));
            texts.for_each(|text| series.contradicted_by(text.clone()));
            Some(series.by_definition().into_iter().map(Series::within_bounds).collect::<Vec<_>>())
        };
        wanted.iter().filter_map(&mut series).flatten().collect()
    }

    /// That rows without a time keep the order of the input, if there are some.
    fn undated(&self) -> Option<String> {
        let dated = self.observations.times.iter().filter(|time| **time != Time::NONE).count();
        let count = self.rows - dated.min(self.rows);
        let runs = counted(self.rows, "run");
        let order = "the runs are in the order of the input";
        match count {
            0 => None,
            _ if self.rows < 2 => None,
            _ if dated == 0 => Some(format!("no run of {runs} has a date: {order}")),
            _ => Some(format!("{count} of {runs} have no date: {order}")),
        }
    }

    /// Sorts the rows by time if all of them have a time.
    fn sort_by_time(&mut self) {
        if self.elapsed {
            self.sort_by_elapsed_time();
            return;
        }
        let times = &self.observations.times;
        // Most logs are in order: skip sorting them.
        if times.is_sorted() || times.len() < self.rows || times.contains(&Time::NONE) {
            return;
        }
        let mut order: Vec<usize> = (0..self.rows).collect();
        order.sort_by_key(|&row| times[row]);
        self.put_in_order(&order);
    }

    /// Sorts the rows of each source by the time since the start of its run. That gives an order, not a time of day.
    fn sort_by_elapsed_time(&mut self) {
        let times = std::mem::take(&mut self.observations.times);
        if times.len() < self.rows || times.contains(&Time::NONE) {
            return;
        }
        let mut order: Vec<usize> = (0..self.rows).collect();
        order.sort_by_key(|&row| (self.observations.source(row), times[row]));
        self.put_in_order(&order);
    }

    fn put_in_order(&mut self, order: &[usize]) {
        self.values.iter_mut().for_each(|column| reorder(column, order));
        self.observations.select(order);
    }
}

/// The first names, as far as a message has room for them.
fn shortened(names: &BTreeSet<String>) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    crate::error::excerpt(&names.join(", "))
}
