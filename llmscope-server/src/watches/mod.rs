//! Judges every value as it arrives: one watch for each series, whose state is stored together with the values.

mod changes;
mod settings;
mod watched_series;

use std::cmp::Ordering;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::{Metric, RequestRecord, TpotDefinition};

pub(crate) use changes::Changes;
pub(crate) use settings::Study;
pub use settings::{AlarmKind, WatchSettings};
use watched_series::WatchedSeries;
pub(crate) use watched_series::view;

use crate::alarms::{AlarmBoard, Alarms};
use crate::error::StoreError;
use crate::incident::{Incident, IncidentTurn};
use crate::series::{Measurement, Series, Source};
use crate::store::{Annotation, Result, SeriesState, Store, StoredSeries, Transaction};
use crate::violation::Violation;

/// The watches of all series.
pub(crate) struct Watches {
    settings: WatchSettings,
    of_source: HashMap<i64, Vec<WatchedSeries>>,
    /// The number of series.
    series: usize,
    /// The ids of sources with a changed series.
    touched: BTreeSet<i64>,
    /// Frozen limits for series that do not exist yet.
    baselines: Vec<Baseline>,
    /// The alarms about shifts; `None` if shifts raise none.
    alarms: Option<Alarms>,
    changes: Changes,
}

impl Watches {
    /// Restores the watches from the store.
    pub(crate) fn restored(settings: WatchSettings, store: &dyn Store, started: Timestamp) -> Result<Self> {
        let alarms = settings.alarms().map(|alarms| Alarms::restored(alarms, store, started)).transpose()?;
        let mut watches = Self {
            settings,
            alarms,
            of_source: HashMap::new(),
            series: 0,
            touched: BTreeSet::new(),
            baselines: Vec::new(),
            changes: Changes::default(),
        };
        watches.restore(store)?;
        Ok(watches)
    }

    /// Resets the watches to the state in the store, which discards uncommitted changes.
    pub(crate) fn restore(&mut self, store: &dyn Store) -> Result<()> {
        // Read first: if the store does not answer, the current state stays.
        let stored = store.series()?;
        if let Some(alarms) = &mut self.alarms {
            alarms.discard(store)?;
        }
        self.changes = Changes::default();
        self.touched.clear();
        self.of_source.clear();
        self.series = stored.len();
        for StoredSeries { state, open } in stored {
            self.of_source.entry(state.source.id).or_default().push(WatchedSeries { state, open, is_changed: false });
        }
        Ok(())
    }

    /// Applies the rules of the settings to watches that were saved with other rules. Their open violations end, and
    /// their limits stay.
    pub(crate) fn adopt_rules(&mut self) -> Result<()> {
        let rules = self.settings.rules.clone();
        for watched in self.of_source.values_mut().flatten() {
            if *watched.state.memory.watch.rules() != rules {
                let watch = watched.state.memory.watch.clone().with_rules(rules.clone());
                watched.replace(watch.map_err(refused)?, watched.state.memory.studied, &mut self.changes);
                self.touched.insert(watched.state.source.id);
            }
        }
        Ok(())
    }

    /// Judges a request that was just stored with this id. `times` are those at which it counts and arrived.
    pub(crate) fn judge(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        (id, record): (i64, &RequestRecord),
        times: (Timestamp, Timestamp),
    ) -> Result<()> {
        let (at, _) = times;
        self.changes.count += 1;
        if record.warmup {
            return Ok(());
        }
        if self.series >= self.settings.max_series && !self.of_source.contains_key(&source.id) {
            let metrics = self.settings.metrics.iter();
            self.changes.unjudged += metrics.filter(|&&metric| record.metric(metric).is_some()).count() as u64;
            return Ok(());
        }
        self.touched.insert(source.id);
        if let Some(alarms) = &mut self.alarms {
            self.changes.incidents.extend(alarms.judge(transaction, source, (id, record), times)?);
        }
        let all = self.of_source.entry(source.id).or_default();
        for &metric in &self.settings.metrics {
            let value = record.metric(metric).filter(|value| value.is_finite());
            let place = all.iter().position(|watched| watched.state.name.metric == metric);
            let definition = definition(metric, record);
            match (value, place) {
                (Some(value), place) => {
                    let place = match place {
                        Some(place) => place,
                        None if self.series >= self.settings.max_series => {
                            self.changes.unjudged += 1;
                            continue;
                        }
                        None => {
                            let study = Study::among(&self.baselines, source, metric, definition);
                            let (settings, of) = (&self.settings, (metric, definition));
                            all.push(WatchedSeries::new(source, of, settings, study, at, transaction)?);
                            self.series += 1;
                            all.len() - 1
                        }
                    };
                    match definition.cmp(&all[place].state.memory.tpot_definition) {
                        Ordering::Equal => {}
                        Ordering::Greater => {
                            let study = Study::among(&self.baselines, source, metric, definition);
                            all[place].redefine(definition, (&self.settings, study), at, &mut self.changes)?;
                        }
                        // A client of a former version: its values are stored, and not judged by these limits.
                        Ordering::Less => {
                            all[place].gap();
                            continue;
                        }
                    }
                    all[place].push(Measurement { at, value }, transaction, &mut self.changes)?;
                }
                // A request without a value ends every run of points.
                (None, Some(place)) => all[place].gap(),
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Opens incidents for the endpoints that are silent for too long.
    pub(crate) fn open_silences(&mut self, transaction: &mut dyn Transaction, now: Timestamp) -> Result<()> {
        if let Some(alarms) = &mut self.alarms {
            self.changes.incidents.extend(alarms.open_silences(transaction, now)?);
        }
        Ok(())
    }

    /// The alarms about shifts; `None` if shifts raise none.
    pub(crate) fn alarms(&mut self) -> Option<&mut Alarms> {
        self.alarms.as_mut()
    }

    /// The present level of a series counts as normal from now on: its limits and its alarm are learned again.
    pub(crate) fn relearn(
        &mut self,
        transaction: &mut dyn Transaction,
        id: i64,
        (by, at): (&str, Timestamp),
    ) -> Result<Series> {
        let series = self.freeze(id, None, at)?;
        let only = Some(series.name.metric);
        self.accept(transaction, &[series.source], only, (by, at))?;
        Ok(series)
    }

    /// The present level of all series of a provider and a model counts as normal from now on, and so do its failures; without
    /// a name, that of all of them. Returns the series, and the number of sources with alarms.
    pub(crate) fn relearn_endpoints(
        &mut self,
        transaction: &mut dyn Transaction,
        (provider, model): (Option<&str>, Option<&str>),
        (by, at): (&str, Timestamp),
    ) -> Result<(Vec<Series>, usize)> {
        let is_chosen = |source: &Source| {
            provider.is_none_or(|name| source.provider == name)
                && model.is_none_or(|name| source.model.as_deref() == Some(name))
        };
        let all = self.of_source.values().flatten().map(|watched| &watched.state);
        let mut chosen: Vec<_> =
            all.filter(|state| is_chosen(&state.source)).map(|state| (state.source.id, state.name.id)).collect();
        chosen.sort_unstable();
        let series = chosen.iter().map(|&(_, id)| self.freeze(id, None, at)).collect::<Result<Vec<_>>>()?;
        let mut sources = match &self.alarms {
            Some(alarms) => alarms.sources(is_chosen),
            None => Vec::new(),
        };
        sources.sort_unstable();
        self.accept(transaction, &sources, None, (by, at))?;
        Ok((series, sources.len()))
    }

    /// Takes the present level of sources as normal, and notes that in their incidents.
    fn accept(
        &mut self,
        transaction: &mut dyn Transaction,
        sources: &[i64],
        metric: Option<Metric>,
        (by, at): (&str, Timestamp),
    ) -> Result<()> {
        let Some(alarms) = &mut self.alarms else { return Ok(()) };
        let mut turns = Vec::new();
        for &source in sources {
            turns.extend(alarms.relearn(transaction, source, metric, at)?);
        }
        let ids: BTreeSet<i64> = turns.iter().map(|(_, incident)| incident.id).collect();
        self.changes.incidents.extend(turns);
        let note = Some("the present level is normal".to_owned());
        let annotation = Annotation { status: None, note, by: by.to_owned(), at };
        for id in ids {
            let annotated = transaction.annotate_incident(id, &annotation)?;
            self.note_incident(annotated);
        }
        Ok(())
    }

    /// Replaces the limits of a series with those of a study; with `None`, the series learns new limits.
    pub(crate) fn freeze(&mut self, id: i64, study: Option<Study>, at: Timestamp) -> Result<Series> {
        let watched = self.of_source.values_mut().flatten().find(|watched| watched.state.name.id == id);
        let watched = watched.ok_or(StoreError::Absent { what: "series", id })?;
        let watch = self.settings.watch(watched.state.name.metric, study);
        watched.replace(watch.map_err(refused)?, study.map_or(0, |study| study.points), &mut self.changes);
        watched.state.frozen_at = study.map(|_| at);
        self.touched.insert(watched.state.source.id);
        let series = watched.view();
        self.changes.series.insert(id, series.clone());
        Ok(series)
    }

    /// Freezes the limits of baselines for the series that they name, including series that do not exist yet.
    pub(crate) fn adopt_baselines(&mut self, baselines: Vec<Baseline>, at: Timestamp) -> Result<()> {
        self.baselines = baselines;
        let all = self.of_source.values().flatten();
        let known: Vec<_> = all
            .filter_map(|watched| {
                let SeriesState { name, source, memory, .. } = &watched.state;
                let study = Study::among(&self.baselines, source, name.metric, memory.tpot_definition)?;
                // After a restart, a series that has these limits already keeps its state.
                let is_new = memory.watch.standards() != Some(study.standards);
                is_new.then_some((watched.state.name.id, study))
            })
            .collect();
        known.into_iter().try_for_each(|(id, study)| self.freeze(id, Some(study), at).map(drop))
    }

    /// Records the annotation of a violation.
    pub(crate) fn note(&mut self, violation: &Violation) {
        let open = self.of_source.values_mut().flatten().flat_map(|watched| &mut watched.open);
        if let Some((_, known)) = open.into_iter().find(|(_, known)| known.id == violation.id) {
            *known = violation.clone();
        }
        self.changes.violations.insert(violation.id, violation.clone());
    }

    /// Stores the changed series and violations.
    pub(crate) fn save(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        for source in std::mem::take(&mut self.touched) {
            let all = self.of_source.get_mut(&source).into_iter().flatten();
            for watched in all.filter(|watched| watched.is_changed) {
                transaction.save_series(&watched.state)?;
                watched.is_changed = false;
            }
        }
        if let Some(alarms) = &mut self.alarms {
            alarms.save(transaction)?;
        }
        self.changes.violations.values().try_for_each(|violation| transaction.save_violation(violation))
    }

    /// Removes a series with its violations and what its alarm has learned, and ends its incident.
    pub(crate) fn delete(&mut self, transaction: &mut dyn Transaction, id: i64, at: Timestamp) -> Result<()> {
        let watched = self.of_source.values().flatten().find(|watched| watched.state.name.id == id);
        let of = watched.map(|watched| (watched.state.source.id, watched.state.name.metric));
        transaction.delete_series(id)?;
        self.of_source.values_mut().for_each(|all| all.retain(|watched| watched.state.name.id != id));
        self.series = self.of_source.values().map(Vec::len).sum();
        if let (Some(alarms), Some((source, metric))) = (&mut self.alarms, of) {
            self.changes.incidents.extend(alarms.forget(transaction, source, metric, at)?);
        }
        Ok(())
    }

    /// What happened to incidents in this transaction.
    pub(crate) fn incidents(&self) -> &[(IncidentTurn, Incident)] {
        &self.changes.incidents
    }

    /// Records the annotation of an incident.
    pub(crate) fn note_incident(&mut self, incident: Incident) {
        if let Some(alarms) = &mut self.alarms {
            alarms.annotate(&incident);
        }
        self.changes.incidents.push((IncidentTurn::Changed, incident));
    }

    /// Removes all live records, series and violations.
    pub(crate) fn clear(&mut self, transaction: &mut dyn Transaction) -> Result<u64> {
        self.of_source.clear();
        self.series = 0;
        self.touched.clear();
        if let Some(alarms) = &mut self.alarms {
            alarms.clear();
        }
        transaction.clear()
    }

    /// Returns the changes since the last call, and shows the alarms to readers.
    pub(crate) fn take_changes(&mut self, board: &AlarmBoard) -> Changes {
        let mut changes = std::mem::take(&mut self.changes);
        let Some(alarms) = &mut self.alarms else { return changes };
        for (source, metric) in alarms.take_changed() {
            let all = self.of_source.get(&source).into_iter().flatten();
            let watched = all.filter(|watched| watched.state.name.metric == metric);
            changes.series.extend(watched.map(|watched| (watched.state.name.id, watched.view())));
        }
        for series in changes.series.values_mut() {
            series.set_alarm(alarms.of(series.source, series.name.metric));
        }
        alarms.show_changes(board);
        changes
    }

    /// Shows all alarms to readers.
    pub(crate) fn show_alarms(&self, board: &AlarmBoard) {
        if let Some(alarms) = &self.alarms {
            alarms.show_all(board);
        }
    }
}

/// The definition of a record's value of a metric. Only the time per token has several.
fn definition(metric: Metric, record: &RequestRecord) -> TpotDefinition {
    if metric == Metric::Tpot { record.tpot_definition() } else { TpotDefinition::FIRST }
}

/// Converts an error that the checks of the settings should have prevented.
#[allow(clippy::needless_pass_by_value, reason = "used as a function that converts errors")]
fn refused(error: llmscope_core::Error) -> StoreError {
    StoreError::Other { place: "a watch".to_owned(), message: error.to_string() }
}
