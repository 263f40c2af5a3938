//! Judges the parts of a series: level, dispersion, failures, single slow requests.

use super::super::Series;
use super::change::{Change, Direction, Part, Since};
use super::family::{self, Family, MIN_VALUES};
use super::judged_run::JudgedRun;
use super::runs::{MIN_RUNS, NamedRuns, RunLevels, RunsJudged};
use super::sequence::{Sequence, Sequences};
use super::{Answer, LoadChange, SeriesVerdict, SlowRequests, failures, load, objectives, since, words};
use crate::cast::float;
use crate::stats;

/// Fewer independent measurements than this cannot be judged.
const MIN_EFFECTIVE: f64 = 10.0;

/// What was found in a series.
pub(super) struct Findings {
    changes: Vec<Change>,
    failures: failures::Found,
    slow: Option<SlowRequests>,
    load: Option<Vec<LoadChange>>,
    runs: Option<RunsJudged>,
    objectives: objectives::Judged,
    effective: f64,
    need: Option<usize>,
    /// The smallest p-value of a part, for a series without a change.
    nearest: Option<(f64, f64)>,
}

impl Findings {
    pub(super) fn of(series: &Series, sequences: &Sequences, objectives: objectives::Judged, family: &Family) -> Self {
        let failures = failures::Found::of(series, family.level(Part::Failures));
        let mut found = Self {
            changes: Vec::new(),
            failures,
            slow: None,
            load: load::changes(series, &sequences.observations),
            runs: None,
            objectives,
            effective: 0.0,
            need: None,
            nearest: None,
        };
        found.add_measurements(series, sequences, family);
        found.add_failures(series, family);
        found.add_slow_requests(series, sequences, family);
        found.changes.sort_by_key(|change| (change.part, change.since.index));
        found
    }

    pub(super) fn verdict(&self) -> SeriesVerdict {
        if self.failures.is_failing || self.objectives.has_too_many_failures() {
            SeriesVerdict::Failing
        } else if !self.changes.is_empty() {
            SeriesVerdict::Changed
        } else if self.need.is_some() {
            SeriesVerdict::NotEnoughData
        } else {
            SeriesVerdict::Stable
        }
    }

    fn add_measurements(&mut self, series: &Series, sequences: &Sequences, family: &Family) {
        let runs = &sequences.runs;
        if runs.is_empty() {
            let (count, fewest) = (sequences.observations.len(), family::fewest(series));
            let is_rate = self.failures.is_judged && count >= fewest;
            self.need = (!is_rate).then(|| fewest - count.min(fewest - 1));
            if series.of_runs {
                self.runs = Some(RunsJudged { count, need: self.need, ..RunsJudged::default() });
            }
            if sequences.unordered {
                self.need = Some(0);
            }
            self.effective = float(sequences.observations.len());
            return;
        }
        if series.of_runs {
            self.add_between(series, sequences, &[1.0], family);
            return;
        }
        // Half of the share of the level is for the comparison of the runs.
        let among = if runs.len() > 1 { 2.0 * float(runs.len()) } else { 1.0 };
        let mut inflations = Vec::new();
        for run in runs {
            let judged =
                JudgedRun::of(run, family.level(Part::Level) / among, family.level(Part::Spread) / float(runs.len()));
            inflations.push(judged.level.inflation);
            self.effective += float(run.values.len()) / judged.level.inflation;
            if judged.is_informative() {
                self.note(Part::Level, (judged.level.p * among).min(1.0), family);
                if judged.is_spread_informative() {
                    self.note(Part::Spread, (judged.spread.p * float(runs.len())).min(1.0), family);
                }
                self.changes.extend(judged.changes(series, sequences, family, among));
            }
            let slow = judged.slow_requests(series.unit());
            let slow = slow.map(|slow| SlowRequests { p: (slow.p * float(runs.len())).min(1.0), ..slow });
            self.add_slow(series, sequences, run, slow);
        }
        if runs.len() > 1 {
            self.add_between(series, sequences, &inflations, family);
        } else {
            self.need = needed(runs[0].values.len(), inflations[0]);
        }
    }

    fn note(&mut self, part: Part, p: f64, family: &Family) {
        let p_call = family.adjusted(part, p);
        if self.nearest.is_none_or(|(_, least)| p_call < least) {
            self.nearest = Some((p, p_call));
        }
    }

    /// Judges the levels of the runs.
    fn add_between(&mut self, series: &Series, sequences: &Sequences, inflations: &[f64], family: &Family) {
        let part = Part::Level;
        let each: Vec<Sequence> = if series.of_runs {
            let run = &sequences.runs[0];
            let of_run = |(&value, &position)| Sequence { values: vec![value], positions: vec![position] };
            run.values.iter().zip(&run.positions).map(of_run).collect()
        } else {
            sequences.runs.clone()
        };
        let mut judged = RunsJudged { count: each.len(), ..RunsJudged::default() };
        if series.of_runs {
            self.effective = float(each.len());
        }
        if each.len() < MIN_RUNS {
            judged.need = Some(MIN_RUNS - each.len());
            self.need = judged.need;
            self.runs = Some(judged);
            return;
        }
        let on_logarithms = each.iter().all(|run| run.values.iter().all(|&x| x > 0.0));
        let levels = if series.of_runs {
            RunLevels::of_summaries(&sequences.runs[0].values, on_logarithms)
        } else {
            RunLevels::of(&each, inflations, on_logarithms)
        };
        let scaled = |x: f64| if on_logarithms { x.exp() } else { x };
        // Within runs and between them, each has half of the share.
        let among = if series.of_runs { 1.0 } else { 2.0 };
        judged.limits = levels.limits_of_last(family.level(part) / among);
        judged.last = levels.levels().last().copied().map(scaled);
        if let Some(change) = levels.change() {
            let p = (change.p * among).min(1.0);
            judged.p = Some(p);
            self.note(part, p, family);
            if family.adjusted(part, p) <= family.alpha() {
                let medians: Vec<f64> = each.iter().filter_map(|run| stats::median(&run.values)).collect();
                let middle = |values: &[f64]| stats::median(values).unwrap_or(f64::NAN);
                let start = |run: usize| each[run].positions[0];
                let observation = |run: &Sequence| sequences.observations.get(run.positions[0]).copied();
                let named = NamedRuns::new(series, each.iter().filter_map(observation).collect());
                let [first, last] = since::interval(levels.levels(), change.at, 1.0);
                let interval = [first, last.min(each.len() - 1)];
                let (low, high) = (change.difference - change.half_width, change.difference + change.half_width);
                let size = scaled(change.difference);
                let place = at_position(series, sequences, start(change.at), interval.map(start));
                self.changes.push(Change {
                    part,
                    direction: Direction::of_level(series.meaning().preference, change.difference > 0.0),
                    since: Since { run: Some(named.since(change.at, interval)), ..place },
                    ratio: on_logarithms.then_some(size),
                    difference: (!on_logarithms).then_some(size),
                    interval: Some([scaled(low), scaled(high)]),
                    before: middle(&medians[..change.at]),
                    after: middle(&medians[change.at..]),
                    p,
                    p_call: family.adjusted(part, p),
                });
            }
        }
        self.runs = Some(judged);
    }

    fn add_slow(&mut self, series: &Series, sequences: &Sequences, run: &Sequence, slow: Option<SlowRequests>) {
        let Some(slow) = slow else { return };
        let position = run.positions[slow.index];
        let observation = sequences.observations[position];
        let slowest = series.values[observation];
        let slow = SlowRequests { index: position, t: series.observations.at(observation), slowest, ..slow };
        self.slow = Some(match self.slow {
            Some(known) if known.slowest >= slow.slowest => SlowRequests { count: known.count + slow.count, ..known },
            Some(known) => SlowRequests { count: known.count + slow.count, ..slow },
            None => slow,
        });
    }

    fn add_failures(&mut self, series: &Series, family: &Family) {
        // Each observation of a series of runs is one.
        let runs = series.of_runs.then(|| NamedRuns::new(series, (0..series.values.len()).collect()));
        for change in &self.failures.changes {
            let run = runs.as_ref().map(|runs| runs.since(change.at, change.interval));
            let t = series.observations.at(change.at);
            self.changes.push(Change {
                part: Part::Failures,
                direction: Direction::of(change.after > change.before),
                since: Since { index: change.at, t, interval: change.interval, run },
                ratio: None,
                difference: Some(change.after - change.before),
                interval: None,
                before: change.before,
                after: change.after,
                p: change.p,
                p_call: family.adjusted(Part::Failures, change.p),
            });
        }
    }

    /// Slow requests count as a change if they have a share of alpha.
    fn add_slow_requests(&mut self, series: &Series, sequences: &Sequences, family: &Family) {
        let part = Part::SlowRequests;
        let signals = |slow: &SlowRequests| family.level(part) > 0.0 && slow.p <= family.level(part);
        let Some(slow) = self.slow.filter(signals) else { return };
        self.changes.push(Change {
            part,
            direction: Direction::Worse,
            since: at_position(series, sequences, slow.index, [slow.index, slow.index]),
            ratio: Some(slow.slowest / slow.median),
            difference: None,
            interval: None,
            before: slow.median,
            after: slow.slowest,
            p: slow.p,
            p_call: family.adjusted(part, slow.p),
        });
    }

    /// The change that the answer is about: the largest one for the worse, of the level or else of another part.
    fn main(&self) -> Option<&Change> {
        let key = |change: &&Change| {
            (!change.direction.counts_as_worse(), change.part, std::cmp::Reverse(change.magnitude().to_bits()))
        };
        self.changes.iter().min_by_key(key)
    }

    pub(super) fn into_answer(self, series: &Series, sequences: &Sequences, verdict: SeriesVerdict) -> Answer {
        let main = self.main().cloned();
        let events = main.as_ref().map_or_else(Vec::new, |change| near_events(series, sequences, change));
        let nearest = self.nearest;
        let mut answer = Answer {
            part: main.as_ref().map(|change| change.part),
            direction: main.as_ref().map(|change| change.direction),
            since: main.as_ref().map(|change| change.since.clone()),
            ratio: main.as_ref().and_then(|change| change.ratio),
            difference: main.as_ref().and_then(|change| change.difference),
            interval: main.as_ref().and_then(|change| change.interval),
            p: main.as_ref().map(|change| change.p).or(nearest.map(|(p, _)| p)),
            p_call: main.as_ref().map(|change| change.p_call).or(nearest.map(|(_, p_call)| p_call)),
            adjusted_for: sequences.adjusted_for.clone(),
            load: self.load,
            events,
            changes: self.changes,
            failures: self.failures.failures,
            slow_requests: self.slow,
            runs: self.runs,
            objectives: self.objectives.certificates,
            goodput: self.objectives.goodput,
            effective_n: (self.effective > 0.0).then_some(self.effective),
            need: self.need.filter(|&need| need > 0 && verdict == SeriesVerdict::NotEnoughData),
            text: String::new(),
        };
        answer.text = words::text(series, sequences, verdict, &answer);
        answer
    }
}

/// How many more measurements are needed, if too few are known or they depend on each other too much.
pub(super) fn needed(n: usize, inflation: f64) -> Option<usize> {
    if n < MIN_VALUES {
        return Some(MIN_VALUES - n);
    }
    let missing = MIN_EFFECTIVE * inflation - float(n);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and ten times a length")]
    (missing > 0.0).then(|| missing.ceil() as usize)
}

pub(super) fn at_position(series: &Series, sequences: &Sequences, index: usize, interval: [usize; 2]) -> Since {
    let observation = sequences.observations.get(index).copied().unwrap_or(index);
    Since { index, t: series.observations.at(observation), interval, run: None }
}

/// The events from shortly before the interval of the change to shortly after it.
fn near_events(series: &Series, sequences: &Sequences, change: &Change) -> Vec<String> {
    const MARGIN: usize = 2;
    let observation = |position: usize| match change.part {
        Part::Failures => position,
        _ => sequences.observations.get(position).copied().unwrap_or(position),
    };
    let last = series.values.len().saturating_sub(1);
    let time = |position: usize| series.observations.at(observation(position).min(last));
    let [first, end] = change.since.interval;
    let span = time(first.saturating_sub(MARGIN)).zip(time(end + MARGIN)).zip(change.since.t);
    span.map_or_else(Vec::new, |((from, to), at)| super::events::between(&series.events, from, to, at))
}
