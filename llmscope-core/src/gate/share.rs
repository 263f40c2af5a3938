//! The share of requests that failed or missed an objective.

use super::family::{Power, adjusted, together};
use super::pairing::Couple;
use super::plan::{GatePlan, Statistic};
use super::requests::{Outcome, Requests};
use super::{Bounded, Comparison, Decision, Pair, Side};
use crate::cast::float;
use crate::metric::{Metric, Unit};
use crate::stats::{Autoregression, Proportion};

/// A share on each side, with its effective size.
pub(super) struct Shares {
    statistic: Statistic,
    baseline: Proportion,
    candidate: Proportion,
    sizes: (usize, usize),
    degrees_of_freedom: f64,
}

impl Shares {
    /// The share of the requests for which `counts` returns true; requests for which it returns `None` are excluded.
    /// `None` if a side has no request.
    pub(super) fn of(
        statistic: Statistic,
        baseline: &Requests,
        candidate: &Requests,
        counts: impl Fn(Outcome) -> Option<bool>,
    ) -> Option<Self> {
        let (one, one_freedom, n) = share(baseline, &counts)?;
        let (other, other_freedom, m) = share(candidate, &counts)?;
        let variance = |share: Proportion| 1.0 / share.size;
        let degrees_of_freedom = together((variance(one), one_freedom), (variance(other), other_freedom));
        Some(Self { statistic, baseline: one, candidate: other, sizes: (n, m), degrees_of_freedom })
    }

    pub(super) fn compared(&self, allowed: f64, level: f64) -> Comparison {
        let level = adjusted(level, self.degrees_of_freedom);
        let difference = self.candidate.share - self.baseline.share;
        let interval = self.candidate.minus(self.baseline, level);
        let decision = match interval {
            Some((lower, _)) if lower > allowed => Decision::Worse,
            Some((_, upper)) if upper <= allowed => Decision::NotWorse,
            Some(_) => Decision::CannotTell,
            None => Decision::NotEnoughData,
        };
        // The half width that an unchanged share would have. If nothing failed, the upper half of the interval replaces
        // the lower.
        let unchanged =
            Proportion { share: self.baseline.share, size: self.candidate.size }.minus(self.baseline, level);
        let half = unchanged.map(|(lower, upper)| (-lower).max(upper));
        let power = Power::at(level);
        let undecided = decision == Decision::CannotTell;
        let target = if allowed > 0.0 { 2.0 * allowed } else { 0.01 };
        Comparison {
            statistic: self.statistic,
            baseline: Some(self.baseline.share),
            candidate: Some(self.candidate.share),
            shift: None,
            shift_interval: None,
            difference: Some(difference),
            difference_interval: interval.map(|(l, u)| Bounded { lower: Some(l), upper: Some(u) }),
            allowed,
            decision,
            minimal_detectable: half.map(|half| power.detectable(allowed, half)).filter(|&share| share <= 1.0),
            need: half.filter(|_| undecided).and_then(|half| power.need(self.sizes, allowed, target, half)),
            reason: None,
        }
    }
}

fn share(requests: &Requests, counts: impl Fn(Outcome) -> Option<bool>) -> Option<(Proportion, f64, usize)> {
    let (mut marks, mut breaks) = (Vec::new(), Vec::new());
    let mut begins = requests.breaks.iter().peekable();
    for (at, &outcome) in requests.outcomes.iter().enumerate() {
        if begins.next_if(|&&begin| begin <= at).is_some() && !marks.is_empty() && breaks.last() != Some(&marks.len()) {
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
    let share = marks.iter().sum::<f64>() / float(n);
    let size = float(n) / dependence.inflation();
    Some((Proportion { share, size }, dependence.degrees_of_freedom(), n))
}

/// The error rates of one group.
pub(super) struct Draft<'s> {
    couple: Couple<'s>,
    sides: (Side, Side),
    shares: Shares,
}

impl<'s> Draft<'s> {
    /// `None` if the plan does not compare the error rate, or if the log does not record which requests failed.
    pub(super) fn errors(couple: &Couple<'s>, plan: &GatePlan) -> Option<Self> {
        if !plan.statistics.contains(&Statistic::ErrorRate) {
            return None;
        }
        let (one, other) = (Requests::of(couple.baseline), Requests::of(couple.candidate));
        if !(one.tell_failures && other.tell_failures) {
            return None;
        }
        let failed = |outcome: Outcome| Some(outcome == Outcome::Failed);
        let shares = Shares::of(Statistic::ErrorRate, &one, &other, failed)?;
        let side = |requests: &Requests, series: &crate::analysis::Series, effective: f64| {
            let side = requests.side(series);
            let n = requests.outcomes.len();
            Side {
                n,
                effective,
                excluded: crate::analysis::Excluded { failed: 0, missing: 0, ..side.excluded },
                ..side
            }
        };
        let sides =
            (side(&one, couple.baseline, shares.baseline.size), side(&other, couple.candidate, shares.candidate.size));
        Some(Self { couple: *couple, sides, shares })
    }

    pub(super) fn judged(self, plan: &GatePlan, level: f64) -> Pair {
        let (baseline, candidate) = self.sides;
        Pair {
            group: self.couple.baseline.group.clone(),
            candidate_group: self.couple.other_group(),
            metric: Metric::ErrorRate.name().to_owned(),
            unit: Unit::One,
            less_is_worse: false,
            baseline,
            candidate,
            comparisons: vec![self.shares.compared(plan.max_share_increase, level)],
            rank_test: None,
            chart: None,
            objective: None,
            warnings: Vec::new(),
        }
    }
}
