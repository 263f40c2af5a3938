//! A watched series.

use std::collections::VecDeque;

use jiff::Timestamp;
use llmscope_core::watch::{Step, Turn, Watch};
use llmscope_core::{Metric, RuleCode, TpotDefinition, Verdict};

use super::{Changes, Study, WatchSettings, refused};
use crate::live::SeriesUpdate;
use crate::series::{Measurement, Series, SeriesName, SeriesPhase, Source};
use crate::store::{Memory, Result, SeriesState, Transaction};
use crate::timestamp::{from_ns, to_ns};
use crate::violation::{Violation, ViolationStatus};

/// A watched series.
pub(super) struct WatchedSeries {
    pub(super) state: SeriesState,
    /// The open violations, each with the position of its first signal.
    pub(super) open: Vec<(usize, Violation)>,
    pub(super) is_changed: bool,
}

impl WatchedSeries {
    pub(super) fn new(
        source: &Source,
        (metric, tpot_definition): (Metric, TpotDefinition),
        settings: &WatchSettings,
        study: Option<Study>,
        at: Timestamp,
        transaction: &mut dyn Transaction,
    ) -> Result<Self> {
        let watch = settings.watch(metric, study).map_err(refused)?;
        let mut state = SeriesState {
            name: SeriesName::new(0, source, metric),
            source: source.clone(),
            n: 0,
            last: None,
            frozen_at: study.map(|_| at),
            memory: Memory {
                watch,
                times_ns: VecDeque::new(),
                studied: study.map_or(0, |study| study.points),
                tpot_definition,
                given_up: None,
            },
        };
        state.name.id = transaction.save_series(&state)?;
        Ok(Self { state, open: Vec::new(), is_changed: true })
    }

    pub(super) fn push(
        &mut self,
        last: Measurement,
        transaction: &mut dyn Transaction,
        changes: &mut Changes,
    ) -> Result<()> {
        if !self.state.memory.watch.takes(last.value) {
            self.gap();
            return Ok(());
        }
        let before = self.phase();
        self.remember(last);
        let mut signals = Vec::new();
        match self.state.memory.watch.push(last.value).map_err(refused)? {
            Step::Learning { .. } => {}
            Step::Learned { values, left_out, .. } => {
                self.state.frozen_at = Some(last.at);
                self.state.memory.studied = values - left_out;
            }
            Step::Judged { signals: raised, turns } => {
                let rules = self.state.memory.watch.rules();
                signals = raised.iter().map(|signal| rules.rules()[signal.rule].code().clone()).collect();
                for turn in &turns {
                    self.turn(turn, last, transaction, changes)?;
                }
            }
        }
        self.record_update(last, &signals, changes);
        if self.phase() != before {
            changes.series.insert(self.state.name.id, self.view());
        }
        Ok(())
    }

    pub(super) fn gap(&mut self) {
        self.is_changed = true;
        self.state.memory.watch.gap();
    }

    /// Replaces the watch, which ends the open violations.
    pub(super) fn replace(&mut self, watch: Watch, studied: usize, changes: &mut Changes) {
        self.is_changed = true;
        for (_, violation) in self.open.drain(..) {
            changes.violations.insert(violation.id, Violation { open: false, ..violation });
        }
        let tpot_definition = self.state.memory.tpot_definition;
        self.state.memory = Memory { watch, times_ns: VecDeque::new(), studied, tpot_definition, given_up: None };
        changes.series.insert(self.state.name.id, self.view());
    }

    /// Continues with values of a newer definition: with the limits of a study of it, or with limits to learn.
    pub(super) fn redefine(
        &mut self,
        definition: TpotDefinition,
        (settings, study): (&WatchSettings, Option<Study>),
        at: Timestamp,
        changes: &mut Changes,
    ) -> Result<()> {
        let name = &self.state.name;
        let watch = settings.watch(name.metric, study).map_err(refused)?;
        let former = self.state.memory.tpot_definition;
        tracing::warn!(series = %name.label(), "values of {definition} arrive: the limits of {former} are learned again");
        self.state.frozen_at = study.map(|_| at);
        self.state.memory.tpot_definition = definition;
        self.replace(watch, study.map_or(0, |study| study.points), changes);
        self.state.memory.given_up = Some(former);
        changes.series.insert(self.state.name.id, self.view());
        Ok(())
    }

    fn remember(&mut self, last: Measurement) {
        self.is_changed = true;
        self.state.n += 1;
        self.state.last = Some(last);
        let Memory { watch, times_ns, .. } = &mut self.state.memory;
        let reach = watch.rules().rules().iter().map(|rule| rule.pattern().span()).max().unwrap_or(1);
        times_ns.push_back(to_ns(last.at));
        while times_ns.len() > reach {
            times_ns.pop_front();
        }
    }

    fn turn(
        &mut self,
        turn: &Turn,
        last: Measurement,
        transaction: &mut dyn Transaction,
        changes: &mut Changes,
    ) -> Result<()> {
        match turn {
            Turn::Began(found) => {
                let Some(mut violation) = self.begun(found, last) else { return Ok(()) };
                violation.id = transaction.begin_violation(&violation, found.first_signal)?;
                changes.begun.push(violation.id);
                changes.violations.insert(violation.id, violation.clone());
                self.open.push((found.first_signal, violation));
            }
            Turn::WentOn(found) => {
                if let Some((_, violation)) = self.open.iter_mut().find(|(first, open)| is_it(found, *first, open)) {
                    violation.side = found.side;
                    violation.last_at = last.at;
                    violation.signals += 1;
                    changes.violations.insert(violation.id, violation.clone());
                }
            }
            Turn::Ended(found) => {
                if let Some(place) = self.open.iter().position(|(first, open)| is_it(found, *first, open)) {
                    let (_, violation) = self.open.remove(place);
                    changes.violations.insert(violation.id, Violation { open: false, ..violation });
                }
            }
        }
        Ok(())
    }

    /// Creates a violation; `None` only if the watch has no limits, which does not happen when it finds a violation.
    fn begun(&self, found: &llmscope_core::Violation, last: Measurement) -> Option<Violation> {
        let Memory { watch, times_ns, .. } = &self.state.memory;
        let rule = watch.rules().rules().iter().find(|rule| *rule.code() == found.rule);
        let back = times_ns.len().saturating_sub(found.last - found.first + 1);
        Some(Violation {
            id: 0,
            series: self.state.name.clone(),
            rule: found.rule.clone(),
            words: rule.map(|rule| rule.pattern().describe()).unwrap_or_default(),
            side: found.side,
            first_at: times_ns.get(back).map_or(last.at, |&ns| from_ns(ns)),
            signal_at: last.at,
            last_at: last.at,
            signals: 1,
            open: true,
            value: last.value,
            limits: watch.limits()?,
            status: ViolationStatus::New,
            acknowledged: None,
            resolved: None,
            notes: Vec::new(),
        })
    }

    fn record_update(&self, last: Measurement, signals: &[RuleCode], changes: &mut Changes) {
        let id = self.state.name.id;
        let update = changes.updates.entry(id).or_insert(SeriesUpdate { id, n: 0, last, signals: Vec::new() });
        (update.n, update.last) = (self.state.n, last);
        update.add(signals);
    }

    /// The part of the state whose changes are published.
    fn phase(&self) -> (bool, bool) {
        (self.state.memory.watch.limits().is_some(), self.open.is_empty())
    }

    pub(super) fn view(&self) -> Series {
        view(&self.state, self.open.len())
    }
}

fn is_it(found: &llmscope_core::Violation, first_signal: usize, open: &Violation) -> bool {
    found.first_signal == first_signal && found.rule == open.rule
}

/// The public view of a series.
pub(crate) fn view(state: &SeriesState, open_violations: usize) -> Series {
    let watch = &state.memory.watch;
    let progress = watch.progress();
    Series {
        name: state.name.clone(),
        title: state.name.metric.label(),
        state: if progress.is_some() { SeriesPhase::Learning } else { SeriesPhase::Watching },
        n: state.n,
        learned: progress.map(|(have, _)| have),
        need: progress.map(|(_, need)| need),
        limits: watch.limits(),
        frozen_at: state.frozen_at,
        last: state.last,
        tpot_definition: (state.name.metric == Metric::Tpot).then_some(state.memory.tpot_definition),
        note: state.memory.given_up.map(|former| {
            format!("values of {} arrived: the limits of {former} are learned again", state.memory.tpot_definition)
        }),
        verdict: match (progress, open_violations) {
            (Some(_), _) => Verdict::NotEnoughData,
            (None, 0) => Verdict::InControl,
            (None, _) => Verdict::OutOfControl,
        },
        open_violations,
        alarm: None,
        source: state.source.id,
    }
}
