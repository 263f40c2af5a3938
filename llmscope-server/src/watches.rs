//! Judging every value as it arrives: one watch for each series, whose state is kept with the values it has judged.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::watch::{Step, Turn, Watch};
use llmscope_core::{Metric, RequestRecord, RuleCode, RuleSet, Standards, Verdict};

use crate::error::StoreError;
use crate::live::{Event, Pulse, Records};
use crate::moment::{of_ns, to_ns};
use crate::series::{Measurement, Series, SeriesName, SeriesState as Stage, Source};
use crate::store::{Memory, Result, SeriesState, Store, StoredSeries, Transaction};
use crate::violation::{Status, Violation};

/// How values are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judging {
    /// Metrics that are judged.
    pub metrics: Vec<Metric>,
    /// Rules that they are judged by.
    pub rules: RuleSet,
    /// Values to learn limits from.
    pub learn: usize,
}

impl Default for Judging {
    /// Time to first token, end-to-end latency and time per output token, by Nelson's eight rules, against limits from
    /// the first 100 values.
    fn default() -> Self {
        Self { metrics: Metric::DEFAULT.to_vec(), rules: RuleSet::nelson(), learn: 100 }
    }
}

impl Judging {
    /// A watch with these limits, or one that learns its own.
    fn watch(&self, metric: Metric, frozen: Option<Standards>) -> llmscope_core::Result<Watch> {
        let (bounds, rules) = (metric.bounds(), self.rules.clone());
        match frozen {
            Some(standards) => Watch::frozen(bounds, rules, standards),
            None => Watch::learning(bounds, rules, self.learn),
        }
    }
}

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

/// One series that is watched.
struct Watched {
    state: SeriesState,
    /// The violations that are going on, each with its first signal.
    open: Vec<(usize, Violation)>,
    is_changed: bool,
}

/// What a transaction brought, to be told once it is committed.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Records that were kept.
    pub(crate) count: u64,
    pub(crate) pulses: BTreeMap<i64, Pulse>,
    pub(crate) series: BTreeMap<i64, Series>,
    pub(crate) violations: BTreeMap<i64, Violation>,
    /// The violations that began.
    pub(crate) begun: Vec<i64>,
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
                watched.replace(watch.map_err(refused)?, &mut self.news);
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
            let fits = |baseline: &&Baseline| names(baseline, source, metric);
            let value = record.metric(metric).filter(|value| value.is_finite());
            let place = all.iter().position(|watched| watched.state.name.metric == metric);
            match (value, place) {
                (Some(value), place) => {
                    let place = match place {
                        Some(place) => place,
                        None => {
                            let frozen = self.baselines.iter().find(fits).map(|baseline| baseline.standards);
                            all.push(Watched::new(source, metric, &self.judging, frozen, at, transaction)?);
                            all.len() - 1
                        }
                    };
                    all[place].push(Measurement { at, value }, transaction, &mut self.news)?;
                }
                // No run goes on across a request that has no value.
                (None, Some(place)) => all[place].gap(&mut self.news),
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// Gives a series the limits of a study; `None` lets it learn anew.
    pub(crate) fn freeze(&mut self, id: i64, standards: Option<Standards>, at: Timestamp) -> Result<Series> {
        let watched = self.of_source.values_mut().flatten().find(|watched| watched.state.name.id == id);
        let watched = watched.ok_or(StoreError::Absent { what: "series", id })?;
        let watch = self.judging.watch(watched.state.name.metric, standards);
        watched.replace(watch.map_err(refused)?, &mut self.news);
        watched.state.frozen_at = standards.map(|_| at);
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
                let standards = self.baseline(&watched.state.source, watched.state.name.metric)?;
                // A restart does not begin anew what is judged by these limits already.
                (watched.state.memory.watch.standards() != Some(standards))
                    .then_some((watched.state.name.id, standards))
            })
            .collect();
        known.into_iter().try_for_each(|(id, standards)| self.freeze(id, Some(standards), at).map(drop))
    }

    fn baseline(&self, source: &Source, metric: Metric) -> Option<Standards> {
        let fits = |baseline: &&Baseline| names(baseline, source, metric);
        self.baselines.iter().find(fits).map(|baseline| baseline.standards)
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

impl Watched {
    fn new(
        source: &Source,
        metric: Metric,
        judging: &Judging,
        frozen: Option<Standards>,
        at: Timestamp,
        transaction: &mut dyn Transaction,
    ) -> Result<Self> {
        let watch = judging.watch(metric, frozen).map_err(refused)?;
        let mut state = SeriesState {
            name: SeriesName::new(0, source, metric),
            source: source.clone(),
            n: 0,
            last: None,
            frozen_at: frozen.map(|_| at),
            memory: Memory { watch, times_ns: VecDeque::new() },
        };
        state.name.id = transaction.save_series(&state)?;
        Ok(Self { state, open: Vec::new(), is_changed: true })
    }

    fn push(&mut self, last: Measurement, transaction: &mut dyn Transaction, news: &mut News) -> Result<()> {
        let before = self.stage();
        self.remember(last);
        let mut signals = Vec::new();
        match self.state.memory.watch.push(last.value).map_err(refused)? {
            Step::Learning { .. } => {}
            Step::Learned { .. } => self.state.frozen_at = Some(last.at),
            Step::Judged { signals: raised, turns } => {
                let rules = self.state.memory.watch.rules();
                signals = raised.iter().map(|signal| rules.rules()[signal.rule].code().clone()).collect();
                for turn in &turns {
                    self.turn(turn, Some((last, transaction)), news)?;
                }
            }
        }
        self.pulse(last, signals, news);
        if self.stage() != before {
            news.series.insert(self.state.name.id, self.view());
        }
        Ok(())
    }

    fn gap(&mut self, news: &mut News) {
        self.is_changed = true;
        let turns = self.state.memory.watch.gap();
        let ended = !turns.is_empty();
        for turn in &turns {
            self.end(turn, news);
        }
        if ended {
            news.series.insert(self.state.name.id, self.view());
        }
    }

    /// Another watch in place of this one: what is going on has ended.
    fn replace(&mut self, watch: Watch, news: &mut News) {
        self.gap(news);
        for (_, violation) in self.open.drain(..) {
            news.violations.insert(violation.id, Violation { open: false, ..violation });
        }
        self.state.memory = Memory { watch, times_ns: VecDeque::new() };
        news.series.insert(self.state.name.id, self.view());
    }

    fn remember(&mut self, last: Measurement) {
        self.is_changed = true;
        self.state.n += 1;
        self.state.last = Some(last);
        let Memory { watch, times_ns } = &mut self.state.memory;
        let reach = watch.rules().rules().iter().map(|rule| rule.pattern().span()).max().unwrap_or(1);
        times_ns.push_back(to_ns(last.at));
        while times_ns.len() > reach {
            times_ns.pop_front();
        }
    }

    fn turn(
        &mut self,
        turn: &Turn,
        new: Option<(Measurement, &mut (dyn Transaction + '_))>,
        news: &mut News,
    ) -> Result<()> {
        match (turn, new) {
            (Turn::Began(found), Some((last, transaction))) => {
                let Some(mut violation) = self.begun(found, last) else { return Ok(()) };
                violation.id = transaction.begin_violation(&violation, found.first_signal)?;
                news.begun.push(violation.id);
                news.violations.insert(violation.id, violation.clone());
                self.open.push((found.first_signal, violation));
            }
            (Turn::WentOn(found), Some((last, _))) => {
                if let Some((_, violation)) = self.open.iter_mut().find(|(first, open)| is_it(found, *first, open)) {
                    violation.side = found.side;
                    violation.last_at = last.at;
                    violation.signals += 1;
                    news.violations.insert(violation.id, violation.clone());
                }
            }
            _ => self.end(turn, news),
        }
        Ok(())
    }

    fn end(&mut self, turn: &Turn, news: &mut News) {
        let found = turn.violation();
        if let Some(place) = self.open.iter().position(|(first, open)| is_it(found, *first, open)) {
            let (_, violation) = self.open.remove(place);
            news.violations.insert(violation.id, Violation { open: false, ..violation });
        }
    }

    /// A violation that begins; a watch that finds one has limits.
    fn begun(&self, found: &llmscope_core::Violation, last: Measurement) -> Option<Violation> {
        let Memory { watch, times_ns } = &self.state.memory;
        let rule = watch.rules().rules().iter().find(|rule| *rule.code() == found.rule);
        let back = times_ns.len().saturating_sub(found.last - found.first + 1);
        Some(Violation {
            id: 0,
            series: self.state.name.clone(),
            rule: found.rule.clone(),
            words: rule.map(|rule| rule.pattern().describe()).unwrap_or_default(),
            side: found.side,
            first_at: times_ns.get(back).map_or(last.at, |&ns| of_ns(ns)),
            signal_at: last.at,
            last_at: last.at,
            signals: 1,
            open: true,
            value: last.value,
            limits: watch.limits()?,
            status: Status::New,
            acknowledged: None,
            resolved: None,
            notes: Vec::new(),
        })
    }

    fn pulse(&self, last: Measurement, signals: Vec<RuleCode>, news: &mut News) {
        let id = self.state.name.id;
        let pulse = news.pulses.entry(id).or_insert(Pulse { id, n: 0, last, signals: Vec::new() });
        (pulse.n, pulse.last) = (self.state.n, last);
        pulse.add(&signals);
    }

    /// What makes a change that is worth telling.
    fn stage(&self) -> (bool, bool) {
        (self.state.memory.watch.limits().is_some(), self.open.is_empty())
    }

    fn view(&self) -> Series {
        view(&self.state, self.open.len())
    }
}

fn is_it(found: &llmscope_core::Violation, first_signal: usize, open: &Violation) -> bool {
    found.first_signal == first_signal && found.rule == open.rule
}

/// A series as it is shown.
pub(crate) fn view(state: &SeriesState, open_violations: usize) -> Series {
    let watch = &state.memory.watch;
    let progress = watch.progress();
    Series {
        name: state.name.clone(),
        title: state.name.metric.title(),
        state: if progress.is_some() { Stage::Learning } else { Stage::Watching },
        n: state.n,
        learned: progress.map(|(have, _)| have),
        need: progress.map(|(_, need)| need),
        limits: watch.limits(),
        frozen_at: state.frozen_at,
        last: state.last,
        verdict: match (progress, open_violations) {
            (Some(_), _) => Verdict::NotEnoughData,
            (None, 0) => Verdict::InControl,
            (None, _) => Verdict::OutOfControl,
        },
        open_violations,
    }
}

/// True if limits are those of a metric of a source: what their group does not say may be anything.
pub(crate) fn names(baseline: &Baseline, source: &Source, metric: Metric) -> bool {
    let agrees = |(name, value): (&String, &String)| match name.as_str() {
        "provider" => *value == source.provider,
        "model" => Some(value) == source.model.as_ref(),
        _ => false,
    };
    baseline.metric == metric.name() && baseline.group.iter().all(agrees)
}

/// What the core refuses although it was checked: said, and no panic.
fn refused(error: llmscope_core::Error) -> StoreError {
    StoreError::Other { place: "a watch".to_owned(), message: error.to_string() }
}

impl News {
    /// The events that tell it.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let records = || Records { count: self.count, series: self.pulses.values().cloned().collect() };
        let records = (self.count > 0).then(|| Event::Records(records()));
        let series = self.series.values().map(|series| Event::Series(Box::new(series.clone())));
        let violations = self.violations.values().map(|violation| Event::Violation(Box::new(violation.clone())));
        records.into_iter().chain(violations).chain(series)
    }
}
