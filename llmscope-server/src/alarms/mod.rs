//! The alarms of all sources: judged as records arrive, at one promise for the whole service.
//!
//! The state of a source is stored now and then, and the records after it are judged again at the start. Detection depends
//! only on the records, so the result is that of a service that did not stop.

mod board;
mod pace;
mod source_alarms;

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use llmscope_core::watch::{AlarmEvent, AlarmWatch, IncidentReport, Promise};
use llmscope_core::{Metric, RequestRecord};

pub(crate) use board::AlarmBoard;
pub use board::SeriesAlarm;
use pace::Pace;
use source_alarms::{Learned, SourceAlarms};

use crate::error::StoreError;
use crate::incident::{Incident, IncidentTurn};
use crate::record::StoredRecord;
use crate::series::Source;
use crate::store::{Result, Store, StoredAlarms, Transaction};

/// How shifts raise alarms.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AlarmSettings {
    pub(crate) metrics: Vec<Metric>,
    pub(crate) false_alarms: Promise,
    pub(crate) learn: usize,
}

/// The alarms of all sources.
pub(crate) struct Alarms {
    settings: AlarmSettings,
    /// The state of a source of which nothing is known.
    fresh: Learned,
    sources: HashMap<i64, SourceAlarms>,
    /// The number of metrics with values, of all sources.
    metrics: usize,
    /// Sources that the present transaction changed.
    touched: BTreeSet<i64>,
    /// Series whose alarms are in another state since the last commit.
    changed: BTreeSet<(i64, Metric)>,
}

impl Alarms {
    /// Restores the alarms from the store.
    pub(crate) fn restored(settings: AlarmSettings, store: &dyn Store) -> Result<Self> {
        let AlarmSettings { metrics, false_alarms, learn } = &settings;
        let watch = AlarmWatch::new(metrics, *false_alarms, *learn).map_err(refused)?;
        let fresh = Learned { watch, pace: Pace::default() };
        let (sources, touched, changed) = (HashMap::new(), BTreeSet::new(), BTreeSet::new());
        let mut alarms = Self { settings, fresh, sources, metrics: 0, touched, changed };
        alarms.restore(store, None)?;
        Ok(alarms)
    }

    /// Resets the sources that were changed to the state in the store.
    pub(crate) fn discard(&mut self, store: &dyn Store) -> Result<()> {
        let touched = self.touched.clone();
        if !touched.is_empty() {
            self.restore(store, Some(&touched))?;
        }
        self.touched.clear();
        self.changed.clear();
        Ok(())
    }

    fn restore(&mut self, store: &dyn Store, only: Option<&BTreeSet<i64>>) -> Result<()> {
        let is_chosen = |source: i64| only.is_none_or(|only| only.contains(&source));
        // Read first: if the store does not answer, the present state stays.
        let stored: Vec<StoredAlarms> = store.alarms()?.into_iter().filter(|it| is_chosen(it.source.id)).collect();
        self.sources.retain(|source, _| !is_chosen(*source));
        let first = stored.iter().map(|it| it.record).min();
        for StoredAlarms { source, record, state, open } in stored {
            let learned = self.read(&state).unwrap_or_else(|problem| {
                let endpoint = source.provider.as_str();
                tracing::warn!(endpoint, problem, "the alarms are learned again: their state cannot be read");
                self.fresh.clone()
            });
            let mut alarms = SourceAlarms::new(source, learned, record);
            alarms.open = open;
            self.sources.insert(alarms.source.id, alarms);
        }
        if let Some(first) = first {
            store.records_after(first, &mut |source, record| {
                if let Some(alarms) = self.sources.get_mut(&source).filter(|alarms| record.id > alarms.record) {
                    alarms.push(record.id, &record.record, time_of(&record));
                }
            })?;
        }
        self.metrics = self.sources.values().map(SourceAlarms::metrics).sum();
        Ok(())
    }

    fn read(&self, state: &str) -> Result<Learned, String> {
        let mut learned: Learned = serde_json::from_str(state).map_err(|error| error.to_string())?;
        if !learned.pace.is_valid() {
            return Err("contradictory fields".to_owned());
        }
        let AlarmSettings { metrics, false_alarms, learn } = &self.settings;
        learned.watch.watch_metrics(metrics, *false_alarms, *learn).map_err(|error| error.to_string())?;
        Ok(learned)
    }

    /// Ends the incidents of which the alarms know nothing, as after a state that could not be read.
    pub(crate) fn end_unknown(&mut self, transaction: &mut dyn Transaction, at: Timestamp) -> Result<()> {
        for alarms in self.sources.values_mut() {
            let watch = &alarms.learned.watch;
            let is_known = |incident: &Incident| watch.incidents().any(|report| report.metric == incident.metric());
            let (known, unknown) = std::mem::take(&mut alarms.open).into_iter().partition(is_known);
            alarms.open = known;
            for incident in unknown {
                transaction.save_incident(&Incident { ended_at: Some(at), ..incident })?;
            }
        }
        Ok(())
    }

    /// Judges a record that was just stored, and stores the incidents that it opens, changes or ends.
    pub(crate) fn judge(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        (id, record, at): (i64, &RequestRecord, Timestamp),
    ) -> Result<Vec<(IncidentTurn, Incident)>> {
        self.touched.insert(source.id);
        if !self.sources.contains_key(&source.id) {
            // A record of which nothing is stored cannot be judged again.
            let mut alarms = SourceAlarms::new(source.clone(), self.fresh.clone(), id);
            alarms.must_save = true;
            self.sources.insert(source.id, alarms);
        }
        let sources = self.sources.len();
        let Some(alarms) = self.sources.get_mut(&source.id) else { return Ok(Vec::new()) };
        alarms.share(&self.settings, self.metrics.max(1), sources);
        let before = alarms.metrics();
        let events = alarms.push(id, record, at);
        self.metrics += alarms.metrics().saturating_sub(before);
        self.changed.extend(events.iter().filter_map(|event| Some((source.id, event.metric()?))));
        let turns = events.into_iter().filter_map(|event| turn(alarms, event, at, transaction).transpose()).collect();
        refresh(alarms, transaction)?;
        turns
    }

    /// The present level of a metric counts as normal from now on.
    pub(crate) fn relearn(
        &mut self,
        transaction: &mut dyn Transaction,
        source: i64,
        metric: Option<Metric>,
        at: Timestamp,
    ) -> Result<Vec<(IncidentTurn, Incident)>> {
        let Some(alarms) = self.sources.get_mut(&source) else { return Ok(Vec::new()) };
        self.touched.insert(source);
        alarms.must_save = true;
        let events = alarms.learned.watch.relearn(metric, at);
        events.into_iter().filter_map(|event| turn(alarms, event, at, transaction).transpose()).collect()
    }

    /// Stores what was learned of the sources that are due.
    pub(crate) fn save(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        for source in &self.touched {
            if let Some(alarms) = self.sources.get_mut(source).filter(|alarms| alarms.is_due()) {
                store(alarms, transaction)?;
            }
        }
        Ok(())
    }

    /// Stores what was learned from records before a time, which are about to be removed or to be read at a start. At most
    /// `most` sources; true if there are more.
    pub(crate) fn save_before(
        &mut self,
        transaction: &mut dyn Transaction,
        time: Timestamp,
        most: usize,
    ) -> Result<bool> {
        let is_due = |alarms: &&mut SourceAlarms| alarms.pending_since.is_some_and(|since| since < time);
        let mut due = self.sources.values_mut().filter(is_due);
        for alarms in due.by_ref().take(most) {
            store(alarms, transaction)?;
        }
        Ok(due.next().is_some())
    }

    /// The alarm of a series.
    pub(crate) fn of(&self, source: i64, metric: Metric) -> Option<SeriesAlarm> {
        SeriesAlarm::of(self.sources.get(&source)?, metric)
    }

    /// Shows all alarms to readers.
    pub(crate) fn show_all(&self, board: &AlarmBoard) {
        board.clear();
        for &source in self.sources.keys() {
            self.show(source, board);
        }
    }

    /// The series whose alarms are in another state since the last call: learned, or with or without an incident.
    pub(crate) fn take_changed(&mut self) -> BTreeSet<(i64, Metric)> {
        std::mem::take(&mut self.changed)
    }

    /// Shows the alarms of the sources that the last transaction changed.
    pub(crate) fn show_changes(&mut self, board: &AlarmBoard) {
        for source in std::mem::take(&mut self.touched) {
            self.show(source, board);
        }
    }

    fn show(&self, source: i64, board: &AlarmBoard) {
        for &metric in &self.settings.metrics {
            board.show(source, metric, self.of(source, metric));
        }
    }

    /// Forgets all sources.
    pub(crate) fn clear(&mut self) {
        self.sources.clear();
        self.touched.clear();
        self.metrics = 0;
    }
}

/// Converts an error that the checks of the settings should have prevented.
#[allow(clippy::needless_pass_by_value, reason = "used as a function that converts errors")]
fn refused(error: llmscope_core::Error) -> StoreError {
    StoreError::Other { place: "the alarms".to_owned(), message: error.to_string() }
}

/// How long a record may be part of no snapshot.
pub(crate) const SNAPSHOT_AGE: SignedDuration = SignedDuration::from_hours(1);

/// The time at which a stored record counts.
fn time_of(record: &StoredRecord) -> Timestamp {
    record.record.started_at.unwrap_or(record.received_at)
}

fn store(alarms: &mut SourceAlarms, transaction: &mut dyn Transaction) -> Result<()> {
    let state = serde_json::to_string(&alarms.learned).map_err(|error| StoreError::Other {
        place: "the state of the alarms".to_owned(),
        message: error.to_string(),
    })?;
    transaction.save_alarms(alarms.source.id, alarms.record, &state)?;
    alarms.saved();
    Ok(())
}

/// Brings open incidents up to date with what their later alarms say of their size and beginning.
fn refresh(alarms: &mut SourceAlarms, transaction: &mut dyn Transaction) -> Result<()> {
    let reports = alarms.learned.watch.incidents();
    let of = |metric| move |report: &&IncidentReport| report.metric == metric;
    let reports: Vec<IncidentReport> = if alarms.open.is_empty() { Vec::new() } else { reports.cloned().collect() };
    for incident in &mut alarms.open {
        let Some(report) = reports.iter().find(of(incident.metric())).filter(|report| **report != incident.report)
        else {
            continue;
        };
        *incident = Incident::new(incident.id, &alarms.source, (incident.opened_at, None), report.clone());
        transaction.save_incident(incident)?;
    }
    Ok(())
}

/// Stores what an event means for the incidents of a source.
fn turn(
    alarms: &mut SourceAlarms,
    event: AlarmEvent,
    at: Timestamp,
    transaction: &mut dyn Transaction,
) -> Result<Option<(IncidentTurn, Incident)>> {
    let (turn, report) = match event {
        AlarmEvent::Learning { .. } | AlarmEvent::Learned { .. } => return Ok(None),
        AlarmEvent::Opened(report) => (IncidentTurn::Opened, report),
        AlarmEvent::Worse(report) => (IncidentTurn::Worse, report),
        AlarmEvent::Ended(report) => (IncidentTurn::Ended, report),
    };
    let IncidentReport { metric, .. } = report;
    let known = alarms.incident_of(metric);
    let incident = match (turn, known) {
        (IncidentTurn::Ended, None) => return Ok(None),
        (IncidentTurn::Opened, None) | (IncidentTurn::Worse, None) => {
            let mut incident = Incident::new(0, &alarms.source, (at, None), report);
            incident.id = transaction.begin_incident(&incident)?;
            alarms.open.push(incident.clone());
            incident
        }
        (_, Some(place)) => {
            let ended_at = (turn == IncidentTurn::Ended).then_some(at);
            let known = &alarms.open[place];
            let incident = Incident::new(known.id, &alarms.source, (known.opened_at, ended_at), report);
            transaction.save_incident(&incident)?;
            if ended_at.is_some() {
                alarms.open.remove(place);
            } else {
                alarms.open[place] = incident.clone();
            }
            incident
        }
    };
    Ok(Some((turn, incident)))
}
