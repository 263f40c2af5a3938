//! The shift of a typical request and of quantiles.

use super::family::{Power, adjusted, rounded, together};
use super::pairing::Couple;
use super::plan::{GatePlan, Statistic};
use super::requests::{Outcome, Requests};
use super::share::Shares;
use super::{Bounded, Comparison, Decision, Pair, RankTest, Side, chart};
use crate::analysis::{Measure, Quantiles, Series};
use crate::cast::float;
use crate::error::Result;
use crate::metric::{Metric, Unit};
use crate::quantity::counted;
use crate::sample::{Missing, Sample};
use crate::stats::special::{chi_squared_quantile, normal_sf};
use crate::stats::{
    Contrast, Dependence, MannWhitney, QuantileMethod, Sorted, bounding_ranks, fewest_values, hodges_lehmann,
    shift_bounds, smallest_level, smallest_shift_level,
};

/// With fewer independent measurements on a side, neither the quantiles nor the dependence are known well enough for
/// the guaranteed rate: see the simulation in `docs/gate.md`.
pub(super) const MIN_EFFECTIVE: f64 = 8.0;

/// The measurements of one side.
struct Measured<'s> {
    sample: Sample<'s>,
    sorted: Sorted,
    dependence: Dependence,
}

impl<'s> Measured<'s> {
    fn of(series: &'s Series, missing: Option<Missing>) -> Result<Self> {
        let (sample, _) = series.sample(missing)?;
        let sorted = Sorted::of(sample.values());
        let dependence = Dependence::of(sample.values(), sample.breaks(), &sorted);
        Ok(Self { sample, sorted, dependence })
    }

    fn n(&self) -> f64 {
        float(self.sample.len())
    }

    /// The number of independent measurements that carry the same information about this figure.
    fn effective(&self, statistic: Statistic) -> f64 {
        let (values, breaks) = (self.sample.values(), self.sample.breaks());
        let inflation = match statistic {
            Statistic::Quantile(p) => self.dependence.inflation_at(p, values, breaks, &self.sorted),
            _ => self.dependence.inflation_of_ranks(),
        };
        self.n() / inflation
    }

    fn quantile(&self, p: f64) -> Option<f64> {
        self.sorted.quantile(p, QuantileMethod::HyndmanFan7)
    }

    /// The value at a rank among `effective` values, scaled to the real sample; a fractional rank is interpolated.
    fn at_rank(&self, rank: f64, effective: f64) -> f64 {
        let position = rank / (effective.floor() + 1.0) * (self.n() + 1.0);
        self.sorted
            .quantile(((position - 1.0) / (self.n() - 1.0)).clamp(0.0, 1.0), QuantileMethod::HyndmanFan7)
            .unwrap_or(0.0)
    }

    fn quantiles(&self) -> Option<Quantiles> {
        let at = |p| self.quantile(p);
        Some(Quantiles { p50: at(0.5)?, p90: at(0.9)?, p95: at(0.95)?, p99: at(0.99)? })
    }
}

/// The effective sample size of each side of a figure, for one end of its interval.
#[derive(Clone, Copy, PartialEq)]
struct Worth {
    baseline: f64,
    candidate: f64,
    degrees_of_freedom: f64,
}

impl Worth {
    fn is_enough(&self) -> bool {
        self.baseline.min(self.candidate) >= MIN_EFFECTIVE
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most a length")]
    fn whole(&self) -> (usize, usize) {
        (self.baseline as usize, self.candidate as usize)
    }
}

/// A figure with the effective sizes behind its interval.
#[derive(Clone, Copy)]
struct Figure {
    statistic: Statistic,
    /// For the end towards no change. The false-alarm rate refers to a candidate that has not changed, so its
    /// autocorrelation is bounded by that of the baseline. A candidate that became worse half way through
    /// looks autocorrelated, and its effective size would otherwise be reduced by the very change that the gate should
    /// detect.
    near: Worth,
    /// For the other end, with the candidate's own dependence.
    far: Worth,
}

impl Figure {
    fn of(statistic: Statistic, baseline: &Measured<'_>, candidate: &Measured<'_>) -> Self {
        let (one, other) = (baseline.effective(statistic), candidate.effective(statistic));
        let freedom = baseline.dependence.degrees_of_freedom();
        let largest = baseline.n() / one * unlikely_factor(freedom);
        let worth = |candidate_worth: f64| Worth {
            baseline: one,
            candidate: candidate_worth,
            degrees_of_freedom: together(
                (1.0 / one, freedom),
                (1.0 / candidate_worth, candidate.dependence.degrees_of_freedom()),
            ),
        };
        Self { statistic, near: worth(other.max((candidate.n() / largest).min(candidate.n()))), far: worth(other) }
    }
}

/// The factor by which a variance exceeds its estimate with a probability of one in 100: ν/χ²₀.₀₁.
fn unlikely_factor(degrees_of_freedom: f64) -> f64 {
    chi_squared_quantile(0.01, degrees_of_freedom).filter(|&low| low > 0.0).map_or(1.0, |low| degrees_of_freedom / low)
}

/// A couple, with all computations that do not depend on the level.
pub(super) struct Draft<'s> {
    couple: Couple<'s>,
    baseline: Measured<'s>,
    candidate: Measured<'s>,
    sides: (Side, Side),
    figures: Vec<Figure>,
    missed: Option<Shares>,
    less_is_worse: bool,
    objective: Option<f64>,
}

impl<'s> Draft<'s> {
    pub(super) fn of(couple: &Couple<'s>, plan: &GatePlan) -> Result<Option<Self>> {
        let baseline = Measured::of(couple.baseline, plan.missing)?;
        let candidate = Measured::of(couple.candidate, plan.missing)?;
        let wanted = plan.statistics.iter().filter(|statistic| !statistic.is_share());
        let figures: Vec<_> = wanted.map(|&statistic| Figure::of(statistic, &baseline, &candidate)).collect();
        let requests = (Requests::of(couple.baseline), Requests::of(couple.candidate));
        let objective = plan.objective(couple.baseline.measure.name());
        let missed = objective.and_then(|limit| {
            Shares::of(Statistic::MissedObjective, &requests.0, &requests.1, |outcome| match outcome {
                Outcome::Failed => Some(true),
                Outcome::Measured(value) => Some(value > limit),
                Outcome::Missing => None,
            })
        });
        if figures.is_empty() && missed.is_none() {
            return Ok(None);
        }
        let side = |requests: &Requests, series: &Series, measured: &Measured<'_>| Side {
            n: measured.sample.len(),
            effective: measured.effective(Statistic::Typical),
            quantiles: measured.quantiles(),
            ..requests.side(series)
        };
        let sides = (side(&requests.0, couple.baseline, &baseline), side(&requests.1, couple.candidate, &candidate));
        let less_is_worse = couple.baseline.measure.unit() == Unit::PerSecond
            || couple.baseline.measure == Measure::Metric(Metric::OutputTokensPerS);
        Ok(Some(Self { couple: *couple, baseline, candidate, sides, figures, missed, less_is_worse, objective }))
    }

    pub(super) fn planned(&self) -> usize {
        self.figures.len() + usize::from(self.missed.is_some())
    }

    /// The number of comparisons that could fail the gate at this level.
    pub(super) fn feasible(&self, level: f64) -> usize {
        let can = |figure: &&Figure| {
            let worth = figure.near;
            let level = adjusted(level, worth.degrees_of_freedom);
            let (n, m) = worth.whole();
            let smallest = match figure.statistic {
                Statistic::Quantile(p) if self.less_is_worse => smallest_level(p, n, m),
                Statistic::Quantile(p) => smallest_level(p, m, n),
                _ => smallest_shift_level(self.baseline.n(), self.candidate.n(), self.rank_sigma(worth)),
            };
            worth.is_enough() && smallest <= level
        };
        self.figures.iter().filter(can).count() + usize::from(self.missed.is_some())
    }

    pub(super) fn judged(self, plan: &GatePlan, level: f64) -> Result<Pair> {
        // Avoids −0, which JSON would show.
        let allowed = if self.less_is_worse { 0.0 - plan.max_shift } else { plan.max_shift };
        let rank_test = self.rank_test();
        let mut comparisons: Vec<Comparison> =
            self.figures.iter().map(|&figure| self.compared(figure, allowed, level)).collect();
        comparisons.extend(self.missed.as_ref().map(|missed| missed.compared(plan.max_share_increase, level)));
        let chart = chart::frozen(&self.couple, plan)?;
        let warnings = self.warnings(chart.as_ref());
        let (baseline, candidate) = self.sides;
        Ok(Pair {
            group: self.couple.baseline.group.clone(),
            candidate_group: self.couple.other_group(),
            metric: self.couple.baseline.measure.name().to_owned(),
            unit: self.couple.baseline.measure.unit(),
            less_is_worse: self.less_is_worse,
            baseline,
            candidate,
            comparisons,
            rank_test,
            chart,
            objective: self.objective,
            warnings,
        })
    }

    fn rank_test(&self) -> Option<RankTest> {
        let test = MannWhitney::of(&self.baseline.sorted, &self.candidate.sorted)?;
        let inflation = self.inflation(Figure::of(Statistic::Typical, &self.baseline, &self.candidate).far);
        let pairs = self.baseline.n() * self.candidate.n();
        let p = if inflation > 1.0 && test.sigma > 0.0 {
            let z = ((test.u - pairs / 2.0).abs() - 0.5).max(0.0) / (test.sigma * inflation);
            (2.0 * normal_sf(z)).min(1.0)
        } else {
            test.p_two_sided
        };
        Some(RankTest { u: test.u, superiority: test.superiority, p })
    }

    /// The factor by which dependence increases the variance of U.
    fn inflation(&self, worth: Worth) -> f64 {
        let independent = 1.0 / self.baseline.n() + 1.0 / self.candidate.n();
        ((1.0 / worth.baseline + 1.0 / worth.candidate) / independent).sqrt()
    }

    /// Standard deviation of U if nothing has changed. It ignores ties, which makes it slightly too large.
    fn rank_sigma(&self, worth: Worth) -> f64 {
        let (n, m) = (self.baseline.n(), self.candidate.n());
        (n * m / 12.0 * (n + m + 1.0)).sqrt() * self.inflation(worth)
    }

    fn compared(&self, figure: Figure, allowed: f64, level: f64) -> Comparison {
        let Figure { statistic, near, far } = figure;
        let (lower, upper) = if self.less_is_worse { (far, near) } else { (near, far) };
        let blank = Comparison {
            statistic,
            baseline: None,
            candidate: None,
            shift: None,
            shift_interval: None,
            difference: None,
            difference_interval: None,
            allowed,
            decision: Decision::NotEnoughData,
            minimal_detectable: None,
            need: None,
            reason: None,
        };
        let estimated = match statistic {
            Statistic::Quantile(p) => self.quantile_shift(p, lower, upper, level),
            _ => self.typical_shift(lower, upper, level),
        };
        let Some(Shift { baseline, candidate, difference, difference_bounds, ratio, ratio_bounds }) = estimated else {
            return Comparison { reason: Some("no measurement on one side".to_owned()), ..blank };
        };
        let known =
            Comparison { baseline: Some(baseline), candidate: Some(candidate), difference: Some(difference), ..blank };
        let known = Comparison { shift: ratio.map(|ratio| ratio - 1.0), ..known };
        let open = |bounds: Bounded| bounds.lower.is_none() && bounds.upper.is_none();
        let level = adjusted(level, near.degrees_of_freedom);
        if open(difference_bounds) {
            let inflation = (self.baseline.n() / near.baseline).max(self.candidate.n() / near.candidate);
            let fewest = match statistic {
                Statistic::Quantile(p) => fewest_values(p, level),
                _ => fewest_values(0.5, level),
            };
            let reason = format!(
                "too few requests for an interval: effectively {:.0} and {:.0} independent ones",
                near.baseline, near.candidate
            );
            let need = fewest.map(|fewest| fewest.max(MIN_EFFECTIVE) * inflation * 1.05);
            return Comparison { need: need.and_then(rounded), reason: Some(reason), ..known };
        }
        let known = Comparison { difference_interval: Some(difference_bounds), ..known };
        let Some(ratio) = ratio else {
            let reason = "a relative shift needs values above 0".to_owned();
            return Comparison { decision: Decision::CannotTell, reason: Some(reason), ..known };
        };
        let shifts = Bounded { lower: ratio_bounds.lower.map(|r| r - 1.0), upper: ratio_bounds.upper.map(|r| r - 1.0) };
        let decision = self.decided(shifts, allowed);
        // Half widths and sizes in logarithms, so that a ratio and its inverse are equally far from no change.
        let bound = if self.less_is_worse { ratio_bounds.upper } else { ratio_bounds.lower };
        let half = bound.filter(|&bound| bound > 0.0 && ratio > 0.0).map(|bound| (ratio.ln() - bound.ln()).abs());
        let sign = if self.less_is_worse { -1.0 } else { 1.0 };
        let log_allowed = (1.0 + allowed).ln().abs();
        let target = if allowed == 0.0 { 1.05f64.ln() } else { (1.0 + 2.0 * allowed).max(0.01).ln().abs() };
        let power = Power::at(level);
        let sizes = (self.baseline.sample.len(), self.candidate.sample.len());
        Comparison {
            shift_interval: Some(shifts),
            decision,
            minimal_detectable: half.map(|half| (sign * power.detectable(log_allowed, half)).exp() - 1.0),
            need: half
                .filter(|_| decision == Decision::CannotTell)
                .and_then(|half| power.need(sizes, log_allowed, target, half)),
            ..known
        }
    }

    fn decided(&self, shifts: Bounded, allowed: f64) -> Decision {
        let (near, far) = if self.less_is_worse { (shifts.upper, shifts.lower) } else { (shifts.lower, shifts.upper) };
        let sign = if self.less_is_worse { -1.0 } else { 1.0 };
        let beyond = |bound: f64| sign * bound > sign * allowed;
        if near.is_some_and(beyond) {
            Decision::Worse
        } else if far.is_some_and(|bound| !beyond(bound)) {
            Decision::NotWorse
        } else {
            Decision::CannotTell
        }
    }

    /// Hodges and Lehmann's shift, with the variance of ranks adjusted for dependence.
    fn typical_shift(&self, lower: Worth, upper: Worth, level: f64) -> Option<Shift> {
        let (x, y) = (&self.baseline.sorted, &self.candidate.sorted);
        let bounds = |contrast| {
            let pair = |worth: Worth| {
                let level = adjusted(level, worth.degrees_of_freedom);
                let bounds = || shift_bounds(x, y, contrast, self.rank_sigma(worth), level);
                if worth.is_enough() { bounds() } else { None }
            };
            let below = pair(lower);
            let above = if lower == upper { below } else { pair(upper) };
            Bounded { lower: below.map(|(lower, _)| lower), upper: above.map(|(_, upper)| upper) }
        };
        let positive = x.values().first().zip(y.values().first()).is_some_and(|(&x, &y)| x > 0.0 && y > 0.0);
        let nothing = Bounded { lower: None, upper: None };
        Some(Shift {
            baseline: x.median()?,
            candidate: y.median()?,
            difference: hodges_lehmann(x, y, Contrast::Difference)?,
            difference_bounds: bounds(Contrast::Difference),
            ratio: if positive { hodges_lehmann(x, y, Contrast::Ratio) } else { None },
            ratio_bounds: if positive { bounds(Contrast::Ratio) } else { nothing },
        })
    }

    /// The shift of the p-quantile. The distance from each side's quantile to its bounding order statistic is combined
    /// in two ways: added, which is exact if both distributions have the same shape; and squared and added (Zou &
    /// Donner 2008, *Statistics in Medicine* 27), which is correct in large samples of any shapes. The wider result is
    /// used.
    fn quantile_shift(&self, p: f64, lower: Worth, upper: Worth, level: f64) -> Option<Shift> {
        let (baseline, candidate) = (self.baseline.quantile(p)?, self.candidate.quantile(p)?);
        // The lower bound takes a low order statistic of the candidate and a high one of the baseline; the upper bound
        // does the reverse.
        let below = self.bounding(p, lower, level, true);
        let above = self.bounding(p, upper, level, false);
        let difference = candidate - baseline;
        let difference_bounds = Bounded {
            lower: below.map(|at| difference - at.half(candidate - at.candidate, at.baseline - baseline)),
            upper: above.map(|at| difference + at.half(at.candidate - candidate, baseline - at.baseline)),
        };
        let positive = baseline > 0.0 && candidate > 0.0;
        // A bound at 0 or below leaves the ratio unbounded on that side.
        let ln = |from: f64, to: f64| if from > 0.0 { (to / from).ln() } else { f64::INFINITY };
        let ratio = candidate / baseline;
        let bounded = |half: f64, sign: f64| Some(ratio * (sign * half).exp()).filter(|bound| bound.is_finite());
        let ratio_bounds = Bounded {
            lower: below.and_then(|at| bounded(at.half(ln(at.candidate, candidate), ln(baseline, at.baseline)), -1.0)),
            upper: above.and_then(|at| bounded(at.half(ln(candidate, at.candidate), ln(at.baseline, baseline)), 1.0)),
        };
        Some(Shift {
            baseline,
            candidate,
            difference,
            difference_bounds,
            ratio: positive.then_some(ratio).filter(|ratio| ratio.is_finite()),
            ratio_bounds,
        })
    }

    /// The order statistics that bound a shift of the p-quantile from one side.
    fn bounding(&self, p: f64, worth: Worth, level: f64, from_below: bool) -> Option<Bounding> {
        if !worth.is_enough() {
            return None;
        }
        let level = adjusted(level, worth.degrees_of_freedom);
        let (n, m) = worth.whole();
        let ranks = if from_below { bounding_ranks(p, m, n, level)? } else { bounding_ranks(p, n, m, level)? };
        let (one, other) = if from_below { (ranks.high, ranks.low) } else { (ranks.low, ranks.high) };
        let (a, b) = (1.0 / worth.baseline, 1.0 / worth.candidate);
        Some(Bounding {
            baseline: self.baseline.at_rank(one, worth.baseline),
            candidate: self.candidate.at_rank(other, worth.candidate),
            widening: (a.sqrt() + b.sqrt()) / (a + b).sqrt(),
        })
    }

    fn warnings(&self, chart: Option<&chart::FrozenChart>) -> Vec<String> {
        let (one, other) = (&self.sides.0, &self.sides.1);
        let mut warnings: Vec<String> =
            self.couple.baseline.warnings.iter().chain(&self.couple.candidate.warnings).cloned().collect();
        for (name, side) in [("baseline", one), ("candidate", other)] {
            let all = side.n + side.excluded.failed + side.excluded.missing;
            if side.excluded.failed > 0 {
                warnings.push(format!(
                    "{} of {} in the {name} failed and {} no latency: the error rate is compared separately",
                    side.excluded.failed,
                    counted(all, "request"),
                    if side.excluded.failed == 1 { "has" } else { "have" }
                ));
            }
            if side.effective < 0.5 * float(side.n) {
                warnings.push(format!(
                    "the {name} is autocorrelated: {} requests carry the information of {:.0} independent ones",
                    side.n, side.effective
                ));
            }
        }
        if chart.is_some_and(|chart| chart.baseline == crate::analysis::Verdict::OutOfControl) {
            warnings.push("the baseline itself is out of control: it may not predict the next run".to_owned());
        }
        warnings
    }
}

/// Two order statistics, and the factor from the root of their squared distances to a half width.
#[derive(Clone, Copy)]
struct Bounding {
    baseline: f64,
    candidate: f64,
    widening: f64,
}

impl Bounding {
    fn half(self, one: f64, other: f64) -> f64 {
        (one.max(0.0) + other.max(0.0)).max(self.widening * one.hypot(other))
    }
}

/// An estimated shift with its bounds.
struct Shift {
    baseline: f64,
    candidate: f64,
    difference: f64,
    difference_bounds: Bounded,
    ratio: Option<f64>,
    ratio_bounds: Bounded,
}
