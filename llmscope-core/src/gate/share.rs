//! The share of requests that failed or missed an objective.

use super::family::{Power, adjusted, together};
use super::pairing::SeriesPair;
use super::plan::{GatePlan, Statistic};
use super::requests::{Outcome, Requests};
use super::runs::RunComponent;
use super::{Arm, Comparison, Decision, OpenInterval, Pair};
use crate::analysis::Series;
use crate::analysis::answer::failure_counts;
use crate::cast::float;
use crate::column::{Preference, Source};
use crate::metric::{Metric, Unit};
use crate::stats::{Autoregression, Proportion, fisher_exact};

/// A share on each side, with its effective size.
pub(super) struct Shares {
    statistic: Statistic,
    baseline: Share,
    candidate: Share,
    /// The candidate's latencies behind the share of an objective.
    latencies: Option<Latencies>,
}

/// The latencies of the candidate's requests, and the objective for them.
struct Latencies {
    sorted: Vec<f64>,
    failed: usize,
    limit: f64,
}

impl Latencies {
    /// The share of requests that would miss the objective if all latencies were this many times as long.
    fn missed(&self, factor: f64) -> f64 {
        let within = self.sorted.partition_point(|&value| value * factor <= self.limit);
        float(self.failed + self.sorted.len() - within) / float(self.failed + self.sorted.len())
    }
}

/// The share of the requests of one side that count.
struct Share {
    count: usize,
    n: usize,
    proportion: Proportion,
    degrees_of_freedom: f64,
}

impl Shares {
    /// The share of failed requests. `None` if a side has no request.
    fn failed(baseline: &Requests, candidate: &Requests) -> Option<Self> {
        let failed = |outcome: Outcome| Some(outcome == Outcome::Failed);
        Some(Self {
            statistic: Statistic::ErrorRate,
            baseline: Share::of(baseline, failed)?,
            candidate: Share::of(candidate, failed)?,
            latencies: None,
        })
    }

    /// The share of requests that failed or took longer than an objective. `None` if a side has no request.
    pub(super) fn beyond(limit: f64, baseline: &Requests, candidate: &Requests) -> Option<Self> {
        let missed = |outcome: Outcome| match outcome {
            Outcome::Failed => Some(true),
            Outcome::Measured(value) => Some(value > limit),
            Outcome::Missing => None,
        };
        let (one, other) = (Share::of(baseline, missed)?, Share::of(candidate, missed)?);
        let mut sorted: Vec<f64> = candidate.outcomes.iter().filter_map(|outcome| outcome.value()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let failed = candidate.outcomes.iter().filter(|outcome| **outcome == Outcome::Failed).count();
        let latencies = Some(Latencies { sorted, failed, limit });
        Some(Self { statistic: Statistic::MissedObjective, baseline: one, candidate: other, latencies })
    }

    /// Compares the shares. Dependence and the differences between runs widen the interval.
    pub(super) fn compared(&self, allowed: f64, level: f64, runs: Option<&RunComponent>) -> Comparison {
        let stated = level;
        let level = self.adjusted(stated);
        let interval = match (&self.latencies, runs) {
            (Some(latencies), Some(runs)) => {
                let factor = runs.half_width(level).exp();
                let at = |factor: f64| Proportion { share: latencies.missed(factor), ..self.candidate.proportion };
                let ends = |candidate: Proportion| candidate.minus(self.baseline.proportion, level);
                ends(at(1.0 / factor)).zip(ends(at(factor))).map(|((lower, _), (_, upper))| (lower, upper))
            }
            _ => self.interval(level),
        };
        let decision = match interval {
            Some((lower, _)) if lower > allowed => Decision::Worse,
            Some((_, upper)) if upper <= allowed => Decision::NotWorse,
            Some(_) => Decision::CannotTell,
            None => Decision::NotEnoughData,
        };
        Comparison { level: stated, ..self.described(allowed, level, interval, decision) }
    }

    /// Compares the shares of failed requests. What failed has failed: requests count as independent, so that a burst counts
    /// in full, and the decision is about the requests that were measured. The interval, which allows for dependence, does
    /// not decide.
    fn compared_in_full(&self, allowed: f64, level: f64) -> Comparison {
        let (one, other) = (&self.baseline, &self.candidate);
        let p = fisher_exact((one.count, one.n), (other.count, other.n));
        let exceeds = self.difference() > allowed;
        let decision = match exceeds {
            true if p <= level => Decision::Worse,
            true => Decision::CannotTell,
            false => Decision::NotWorse,
        };
        let adjusted = self.adjusted(level);
        let comparison = self.described(allowed, adjusted, self.interval(adjusted), decision);
        Comparison { level, p: exceeds.then_some(p), ..comparison }
    }

    fn adjusted(&self, level: f64) -> f64 {
        let of_share = |share: &Share| (1.0 / share.proportion.size, share.degrees_of_freedom);
        adjusted(level, together(of_share(&self.baseline), of_share(&self.candidate)))
    }

    fn difference(&self) -> f64 {
        self.candidate.proportion.share - self.baseline.proportion.share
    }

    fn interval(&self, level: f64) -> Option<(f64, f64)> {
        self.candidate.proportion.minus(self.baseline.proportion, level)
    }

    fn described(&self, allowed: f64, level: f64, interval: Option<(f64, f64)>, decision: Decision) -> Comparison {
        // The half width that an unchanged share would have. If nothing failed, the upper half of the interval replaces
        // the lower.
        let unchanged = Proportion { share: self.baseline.proportion.share, size: self.candidate.proportion.size }
            .minus(self.baseline.proportion, level);
        let half = unchanged.map(|(lower, upper)| (-lower).max(upper));
        let power = Power::at(level);
        let undecided = decision == Decision::CannotTell;
        let target = if allowed > 0.0 { 2.0 * allowed } else { 0.01 };
        let sizes = (self.baseline.n, self.candidate.n);
        Comparison {
            statistic: self.statistic,
            baseline: Some(self.baseline.proportion.share),
            candidate: Some(self.candidate.proportion.share),
            shift: None,
            shift_interval: None,
            difference: Some(self.difference()),
            difference_interval: interval.map(|(l, u)| OpenInterval { lower: Some(l), upper: Some(u) }),
            allowed,
            level,
            decision,
            p: None,
            minimal_detectable: half.map(|half| power.detectable(allowed, half)).filter(|&share| share <= 1.0),
            need: half.filter(|_| undecided).and_then(|half| power.need(sizes, allowed, target, half)),
            need_runs: None,
            reason: None,
        }
    }
}

impl Share {
    /// The share of the requests for which `counts` returns true; requests for which it returns `None` are excluded.
    fn of(requests: &Requests, counts: impl Fn(Outcome) -> Option<bool>) -> Option<Self> {
        let (mut marks, mut breaks) = (Vec::new(), Vec::new());
        let mut begins = requests.breaks.iter().peekable();
        for (at, &outcome) in requests.outcomes.iter().enumerate() {
            let is_break = begins.next_if(|&&begin| begin <= at).is_some();
            if is_break && !marks.is_empty() && breaks.last() != Some(&marks.len()) {
                breaks.push(marks.len());
            }
            marks.extend(counts(outcome).map(|yes| if yes { 1.0 } else { 0.0 }));
        }
        let n = marks.len();
        if n == 0 {
            return None;
        }
        breaks.retain(|&at| at < n);
        let dependence = Autoregression::of(&marks, &breaks);
        let count = marks.iter().filter(|&&mark| mark > 0.0).count();
        let proportion = Proportion { share: float(count) / float(n), size: float(n) / dependence.inflation() };
        Some(Self { count, n, proportion, degrees_of_freedom: dependence.degrees_of_freedom() })
    }
}

/// The error rates of one group.
pub(super) struct Draft<'s> {
    series: SeriesPair<'s>,
    arms: (Arm, Arm),
    shares: Shares,
}

impl<'s> Draft<'s> {
    /// `None` if the plan does not compare the error rate, or if the log does not record which requests failed.
    pub(super) fn errors(series: &SeriesPair<'s>, plan: &GatePlan) -> Option<Self> {
        if !plan.statistics.contains(&Statistic::ErrorRate) {
            return None;
        }
        let (one, other) = (Requests::of(series.baseline), Requests::of(series.candidate));
        if !(one.tell_failures && other.tell_failures) {
            return None;
        }
        let shares = Shares::failed(&one, &other)?;
        let arm = |requests: &Requests, series: &Series, share: &Share| {
            let arm = requests.arm(series);
            Arm {
                n: requests.outcomes.len(),
                effective: share.proportion.size,
                excluded: crate::analysis::Excluded { failed: 0, missing: 0, ..arm.excluded },
                ..arm
            }
        };
        let arms = (arm(&one, series.baseline, &shares.baseline), arm(&other, series.candidate, &shares.candidate));
        Some(Self { series: *series, arms, shares })
    }

    pub(super) fn judged(self, plan: &GatePlan, level: f64) -> Pair {
        let (baseline, candidate) = self.arms;
        Pair {
            group: self.series.baseline.group.clone(),
            candidate_group: self.series.other_group(),
            metric: Metric::ErrorRate.name().to_owned(),
            unit: Unit::One,
            less_is_worse: false,
            direction: Preference::Lower,
            direction_from: Source::Metric,
            baseline,
            candidate,
            runs: None,
            load: None,
            comparisons: vec![self.shares.compared_in_full(plan.max_share_increase, level)],
            failures: failure_counts(self.series.candidate),
            rank_test: None,
            since: None,
            since_text: None,
            chart: None,
            objective: None,
            warnings: Vec::new(),
        }
    }
}
