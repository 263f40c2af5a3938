//! The alarms of all sources: judged as records arrive, at one promise for the whole service.
//!
//! The state of a source is stored now and then, and the records after it are judged again at the start. Detection depends
//! only on the records, so the result is that of a service that did not stop.

mod board;
mod incident_book;
mod pace;
mod silence;
mod source_alarms;

use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};
use llmscope_core::watch::{AlarmWatch, GapWatch, Promise};
use llmscope_core::{Metric, RequestRecord};

pub(crate) use board::AlarmBoard;
pub use board::SeriesAlarm;
use incident_book::IncidentBook;
pub(crate) use incident_book::IncidentTurns;
use pace::Pace;
use source_alarms::{Learned, SourceAlarms};

use crate::error::StoreError;
use crate::incident::{Incident, SeriesIncident, Signal};
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
    incidents: IncidentBook,
    /// The number of metrics with values, of all sources.
    metrics: usize,
    /// When the service began to listen.
    started: Timestamp,
    /// Sources that the present transaction changed.
    touched: BTreeSet<i64>,
    /// Series whose alarms are in another state since the last commit.
    changed: BTreeSet<(i64, Metric)>,
}

impl Alarms {
    /// Restores the alarms from the store.
    pub(crate) fn restored(settings: AlarmSettings, store: &dyn Store, started: Timestamp) -> Result<Self> {
        let AlarmSettings { metrics, false_alarms, learn } = &settings;
        let watch = AlarmWatch::new(metrics, *false_alarms, *learn).map_err(refused)?;
        let fresh = Learned { watch, pace: Pace::default(), gaps: GapWatch::default() };
        let (sources, touched, changed) = (HashMap::new(), BTreeSet::new(), BTreeSet::new());
        let incidents = IncidentBook::default();
        let mut alarms = Self { settings, fresh, sources, incidents, metrics: 0, started, touched, changed };
        alarms.restore(store, None)?;
        Ok(alarms)
    }

    /// Resets the sources that were changed to the state in the store.
    pub(crate) fn discard(&mut self, store: &dyn Store) -> Result<()> {
        let touched = self.touched.clone();
        if touched.is_empty() {
            self.incidents = IncidentBook::restored(store)?;
        } else {
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
        self.incidents = IncidentBook::restored(store)?;
        self.sources.retain(|source, _| !is_chosen(*source));
        let first = stored.iter().map(|it| it.record).min();
        for StoredAlarms { source, record, state } in stored {
            let learned = self.read(&state).unwrap_or_else(|problem| {
                let endpoint = source.provider.as_str();
                tracing::warn!(endpoint, problem, "the alarms are learned again: their state cannot be read");
                self.fresh.clone()
            });
            self.sources.insert(source.id, SourceAlarms::new(source, learned, record));
        }
        if let Some(first) = first {
            store.records_after(first, &mut |source, record| {
                if let Some(alarms) = self.sources.get_mut(&source).filter(|alarms| record.id > alarms.record) {
                    alarms.push(record.id, &record.record, (time_of(&record), record.received_at));
                }
            })?;
        }
        let chosen = self.sources.iter_mut().filter(|(source, _)| is_chosen(**source));
        chosen.for_each(|(_, alarms)| alarms.learned.gaps.resume(self.started));
        self.metrics = self.sources.values().map(SourceAlarms::metrics).sum();
        Ok(())
    }

    fn read(&self, state: &str) -> Result<Learned, String> {
        let mut learned: Learned = serde_json::from_str(state).map_err(|error| error.to_string())?;
        if !learned.pace.is_valid() || !learned.gaps.is_valid() {
            return Err("contradictory fields".to_owned());
        }
        let AlarmSettings { metrics, false_alarms, learn } = &self.settings;
        learned.watch.watch_metrics(metrics, *false_alarms, *learn).map_err(|error| error.to_string())?;
        Ok(learned)
    }

    /// Ends the members of incidents of which the alarms know nothing, as after a state that could not be read.
    pub(crate) fn end_unknown(&mut self, transaction: &mut dyn Transaction, at: Timestamp) -> Result<()> {
        for alarms in self.sources.values() {
            let watch = &alarms.learned.watch;
            let signals = self.incidents.signals_of(alarms.source.id).into_iter();
            let is_known = |signal: &Signal| {
                *signal == Signal::NoData || watch.incidents().any(|report| Signal::of(report) == *signal)
            };
            for signal in signals.filter(|signal| !is_known(signal)) {
                self.incidents.end_signal(transaction, (&alarms.source, signal), at, true)?;
            }
        }
        Ok(())
    }

    /// Judges a record that was just stored, with the times at which it counts and arrived, and stores the incidents that it opens, changes or ends.
    pub(crate) fn judge(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        (id, record): (i64, &RequestRecord),
        times: (Timestamp, Timestamp),
    ) -> Result<IncidentTurns> {
        let (at, received_at) = times;
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
        let events = alarms.push(id, record, times);
        self.metrics += alarms.metrics().saturating_sub(before);
        self.changed.extend(events.iter().filter_map(|event| Some((source.id, event.metric()?))));
        let mut turns = self.incidents.end_signal(transaction, (source, Signal::NoData), received_at, false)?;
        for event in events {
            turns.extend(self.incidents.change(transaction, source, event, at)?);
        }
        if !self.incidents.is_empty() {
            self.incidents.refresh(transaction, source.id, alarms.learned.watch.incidents())?;
            turns.extend(self.incidents.report_lasting(transaction, &source.provider, at)?);
        }
        Ok(turns)
    }

    /// The present level of a metric counts as normal from now on.
    pub(crate) fn relearn(
        &mut self,
        transaction: &mut dyn Transaction,
        source: i64,
        metric: Option<Metric>,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        let Some(alarms) = self.sources.get_mut(&source) else { return Ok(Vec::new()) };
        self.touched.insert(source);
        alarms.must_save = true;
        let mut turns = IncidentTurns::new();
        if metric.is_none() {
            alarms.learned.gaps.relearn();
        }
        for event in alarms.learned.watch.relearn(metric, at) {
            turns.extend(self.incidents.change(transaction, &alarms.source, event, at)?);
        }
        Ok(turns)
    }

    /// Forgets what was learned of a metric of a source, and ends its incident.
    pub(crate) fn forget(
        &mut self,
        transaction: &mut dyn Transaction,
        source: i64,
        metric: Metric,
        at: Timestamp,
    ) -> Result<IncidentTurns> {
        let Some(alarms) = self.sources.get_mut(&source) else { return Ok(Vec::new()) };
        self.touched.insert(source);
        alarms.must_save = true;
        let before = alarms.metrics();
        alarms.learned.watch.forget(metric).map_err(refused)?;
        self.metrics = self.metrics.saturating_sub(before - alarms.metrics());
        self.incidents.end_signal(transaction, (&alarms.source, Signal::Metric(metric)), at, true)
    }

    /// Replaces the annotations of an incident.
    pub(crate) fn annotate(&mut self, annotated: &Incident) {
        self.incidents.annotate(annotated);
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

    /// The ids of the chosen sources.
    pub(crate) fn sources(&self, is_chosen: impl Fn(&Source) -> bool) -> Vec<i64> {
        let chosen = self.sources.values().map(|alarms| &alarms.source).filter(|source| is_chosen(source));
        chosen.map(|source| source.id).collect()
    }

    /// The alarm of a series.
    pub(crate) fn of(&self, source: i64, metric: Metric) -> Option<SeriesAlarm> {
        let open = self.incidents.of(source, Signal::Metric(metric));
        let incident = open.map(|(incident, member)| SeriesIncident { id: incident.id, member: member.clone() });
        SeriesAlarm::of(self.sources.get(&source)?, metric, incident)
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
        self.incidents = IncidentBook::default();
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
