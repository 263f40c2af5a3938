//! Judging every value as it arrives: one watch for each series, whose state is kept with the values it has judged.

mod judging;
mod news;
mod watched;

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use llmscope_core::analysis::Baseline;

pub use judging::Judging;
pub(crate) use judging::Study;
pub(crate) use news::News;
use watched::Watched;
pub(crate) use watched::view;

use crate::error::StoreError;
use crate::series::{Measurement, Series, Source};
use crate::store::{Result, Store, StoredSeries, Transaction};
use crate::violation::Violation;

/// The watches of all series.
pub(crate) struct Watches {
    judging: Judging,
    of_source: HashMap<i64, Vec<Watched>>,
    /// Sources with a series that has changed.
    touched: BTreeSet<i64>,
    /// Limits of earlier studies, for series that are still to come.
    baselines: Vec<Baseline>,
    news: News,
}

impl Watches {
    /// The watches as the store has them.
    pub(crate) fn restored(judging: Judging, store: &dyn Store) -> Result<Self> {
        let mut watches = Self {
            judging,
            of_source: HashMap::new(),
            touched: BTreeSet::new(),
            baselines: Vec::new(),
            news: News::default(),
        };
        watches.restore(store)?;
        Ok(watches)
    }

    /// Forgets what was not committed.
    pub(crate) fn restore(&mut self, store: &dyn Store) -> Result<()> {
        // Read first: where the store does not answer, what is known stays.
        let stored = store.series()?;
        self.news = News::default();
        self.touched.clear();
        self.of_source.clear();
        for StoredSeries { state, open } in stored {
            self.of_source.entry(state.source.id).or_default().push(Watched { state, open, is_changed: false });
        }
        Ok(())
    }

    /// Brings watches that were judged by other rules to those of today: their violations end, their limits stay.
    pub(crate) fn adopt_rules(&mut self) -> Result<()> {
        let rules = self.judging.rules.clone();
        for watched in self.of_source.values_mut().flatten() {
            if *watched.state.memory.watch.rules() != rules {
                let watch = watched.state.memory.watch.clone().with_rules(rules.clone());
                watched.replace(watch.map_err(refused)?, watched.state.memory.studied, &mut self.news);
                self.touched.insert(watched.state.source.id);
            }
        }
        Ok(())
    }

    /// Judges a request that was just kept.
    pub(crate) fn judge(
        &mut self,
        transaction: &mut dyn Transaction,
        source: &Source,
        record: &RequestRecord,
        at: Timestamp,
    ) -> Result<()> {
        self.news.count += 1;
        if record.warmup {
            return Ok(());
        }
        self.touched.insert(source.id);
        let all = self.of_source.entry(source.id).or_default();
        for &metric in &self.judging.metrics {
            let value = record.metric(metric).filter(|value| value.is_finite());
            let place = all.iter().position(|watched| watched.state.name.metric == metric);
            match (value, place) {
                (Some(value), place) => {
                    let place = match place {
                        Some(place) => place,
                        None => {
                            let study = Study::among(&self.baselines, source, metric);
                            all.push(Watched::new(source, metric, &self.judging, study, at, transaction)?);
                            all.len() - 1
                        }
                    };
                    all[place].push(Measurement { at, value }, transaction, &mut self.news)?;
                }
                // No run goes on across a request that has no value.
                (None, Some(place)) => all[place].gap(),
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Gives a series the limits of a study; `None` lets it learn anew.
    pub(crate) fn freeze(&mut self, id: i64, study: Option<Study>, at: Timestamp) -> Result<Series> {
        let watched = self.of_source.values_mut().flatten().find(|watched| watched.state.name.id == id);
        let watched = watched.ok_or(StoreError::Absent { what: "series", id })?;
        let watch = self.judging.watch(watched.state.name.metric, study);
        watched.replace(watch.map_err(refused)?, study.map_or(0, |study| study.points), &mut self.news);
        watched.state.frozen_at = study.map(|_| at);
        self.touched.insert(watched.state.source.id);
        let series = watched.view();
        self.news.series.insert(id, series.clone());
        Ok(series)
    }

    /// Limits of earlier studies for the series that they name, those that are known and those to come.
    pub(crate) fn adopt_baselines(&mut self, baselines: Vec<Baseline>, at: Timestamp) -> Result<()> {
        self.baselines = baselines;
        let all = self.of_source.values().flatten();
        let known: Vec<_> = all
            .filter_map(|watched| {
                let study = Study::among(&self.baselines, &watched.state.source, watched.state.name.metric)?;
                // A restart does not begin anew what is judged by these limits already.
                let is_new = watched.state.memory.watch.standards() != Some(study.standards);
                is_new.then_some((watched.state.name.id, study))
            })
            .collect();
        known.into_iter().try_for_each(|(id, study)| self.freeze(id, Some(study), at).map(drop))
    }

    /// Says what somebody made of a violation.
    pub(crate) fn note(&mut self, violation: &Violation) {
        let open = self.of_source.values_mut().flatten().flat_map(|watched| &mut watched.open);
        if let Some((_, known)) = open.into_iter().find(|(_, known)| known.id == violation.id) {
            *known = violation.clone();
        }
        self.news.violations.insert(violation.id, violation.clone());
    }

    /// Keeps what has changed.
    pub(crate) fn save(&mut self, transaction: &mut dyn Transaction) -> Result<()> {
        for source in std::mem::take(&mut self.touched) {
            let all = self.of_source.get_mut(&source).into_iter().flatten();
            for watched in all.filter(|watched| watched.is_changed) {
                transaction.save_series(&watched.state)?;
                watched.is_changed = false;
            }
        }
        self.news.violations.values().try_for_each(|violation| transaction.save_violation(violation))
    }

    /// Removes a series with its violations.
    pub(crate) fn delete(&mut self, transaction: &mut dyn Transaction, id: i64) -> Result<()> {
        self.of_source.values_mut().for_each(|all| all.retain(|watched| watched.state.name.id != id));
        transaction.delete_series(id)
    }

    /// Removes all live records, series and violations.
    pub(crate) fn clear(&mut self, transaction: &mut dyn Transaction) -> Result<u64> {
        self.of_source.clear();
        self.touched.clear();
        transaction.clear()
    }

    /// What has happened since it was last asked.
    pub(crate) fn news(&mut self) -> News {
        std::mem::take(&mut self.news)
    }
}

/// What the core refuses although it was checked: said, and no panic.
#[allow(clippy::needless_pass_by_value, reason = "it stands where a function from error to error is taken")]
fn refused(error: llmscope_core::Error) -> StoreError {
    StoreError::Other { place: "a watch".to_owned(), message: error.to_string() }
}
