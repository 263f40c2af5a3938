//! The shift of a typical request and of quantiles.

use super::chart::{self, FrozenChart};
use super::family::{Figures, Levels, Power, adjusted, rounded, together};
use super::load::{LoadEffect, SameLoad};
use super::measured::{Measured, Values};
use super::pairing::SeriesPair;
use super::plan::{GatePlan, Statistic};
use super::planning::Planning;
use super::requests::Requests;
use super::runs::{RunComponent, Runs};
use super::share::Shares;
use super::{Arm, Comparison, Decision, Load, OpenInterval, Pair, RankTest};
use crate::analysis::Series;
use crate::cast::float;
use crate::column::Preference;
use crate::error::Result;
use crate::quantity::counted;
use crate::stats::special::{chi_squared_quantile, normal_quantile_upper, normal_sf};
use crate::stats::{
    Contrast, MannWhitney, bounding_ranks, fewest_values, hodges_lehmann, shift_bounds, smallest_level,
    smallest_shift_level,
};

/// With fewer independent measurements on a side, neither the quantiles nor the dependence are known well enough for
/// the guaranteed rate: see the simulation in `docs/gate.md`.
pub(super) const MIN_EFFECTIVE: f64 = 20.0;

/// The effective sample size of each side of a figure, for one end of its interval.
#[derive(Clone, Copy, PartialEq)]
struct EffectiveSizes {
    baseline: f64,
    candidate: f64,
    degrees_of_freedom: f64,
}

impl EffectiveSizes {
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
    near: EffectiveSizes,
    /// For the other end, with the candidate's own dependence.
    far: EffectiveSizes,
}

impl Figure {
    fn of(statistic: Statistic, baseline: &Measured, candidate: &Measured) -> Self {
        let (one, other) = (baseline.effective(statistic), candidate.effective(statistic));
        let freedom = baseline.degrees_of_freedom();
        let largest = baseline.n() / one * unlikely_factor(freedom);
        let worth = |candidate_worth: f64| EffectiveSizes {
            baseline: one,
            candidate: candidate_worth,
            degrees_of_freedom: together((1.0 / one, freedom), (1.0 / candidate_worth, candidate.degrees_of_freedom())),
        };
        Self { statistic, near: worth(other.max((candidate.n() / largest).min(candidate.n()))), far: worth(other) }
    }
}

/// The factor by which a variance exceeds its estimate with a probability of one in 100: ν/χ²₀.₀₁.
fn unlikely_factor(degrees_of_freedom: f64) -> f64 {
    chi_squared_quantile(0.01, degrees_of_freedom).filter(|&low| low > 0.0).map_or(1.0, |low| degrees_of_freedom / low)
}

/// A pair of series, with all computations that do not depend on the level.
pub(super) struct Draft<'s> {
    series: SeriesPair<'s>,
    baseline: Measured,
    candidate: Measured,
    arms: (Arm, Arm),
    runs: Option<RunComponent>,
    load: Option<Load>,
    load_effect: Option<LoadEffect>,
    /// The typical request, whether it is compared or not.
    typical: Figure,
    figures: Vec<Figure>,
    missed: Option<Shares>,
    less_is_worse: bool,
    /// True if it is not known which direction is worse: then both are.
    either_is_worse: bool,
    objective: Option<f64>,
}

impl<'s> Draft<'s> {
    pub(super) fn of(series: &SeriesPair<'s>, plan: &GatePlan) -> Result<Option<Self>> {
        let raw = (Values::of(series.baseline, plan.missing)?, Values::of(series.candidate, plan.missing)?);
        let SameLoad { baseline, candidate, load, effect } =
            SameLoad::of((series.baseline, raw.0), (series.candidate, raw.1));
        let (baseline, candidate) = (Measured::of(baseline), Measured::of(candidate));
        let typical = Figure::of(Statistic::Typical, &baseline, &candidate);
        let wanted = plan.statistics.iter().filter(|statistic| !statistic.is_share());
        let figure = |&statistic: &Statistic| match statistic {
            Statistic::Typical => typical,
            _ => Figure::of(statistic, &baseline, &candidate),
        };
        let figures: Vec<_> = wanted.map(figure).collect();
        let requests = (Requests::of(series.baseline), Requests::of(series.candidate));
        let objective = plan.objective(series.baseline.measure.name());
        // Each value of a series of runs has the effect of its own run.
        let assumed_run_sd = plan.assumed_run_sd(series.baseline);
        let runs = (!series.baseline.of_runs).then(|| RunComponent::of(&baseline, &candidate, assumed_run_sd));
        let missed = objective.and_then(|limit| Shares::beyond(limit, &requests.0, &requests.1));
        if figures.is_empty() && missed.is_none() {
            return Ok(None);
        }
        let arm = |requests: &Requests, series: &Series, measured: &Measured, effective: f64| Arm {
            n: measured.len(),
            effective,
            quantiles: measured.quantiles(),
            ..requests.arm(series)
        };
        let arms = (
            arm(&requests.0, series.baseline, &baseline, typical.far.baseline),
            arm(&requests.1, series.candidate, &candidate, typical.far.candidate),
        );
        let preference = series.baseline.meaning().preference;
        let (less_is_worse, either_is_worse) = (preference == Preference::Higher, preference == Preference::Unknown);
        Ok(Some(Self {
            series: *series,
            baseline,
            candidate,
            arms,
            runs,
            load,
            load_effect: effect,
            typical,
            figures,
            missed,
            less_is_worse,
            either_is_worse,
            objective,
        }))
    }

    pub(super) const fn series(&self) -> &Series {
        self.series.baseline
    }

    pub(super) fn runs(&self) -> Option<Runs> {
        self.runs.as_ref().map(RunComponent::runs)
    }

    pub(super) fn planned(&self, figures: Figures) -> usize {
        let missed = usize::from(figures == Figures::Other && self.missed.is_some());
        self.of_kind(figures).count() * self.directions() + missed
    }

    /// The number of directions in which a shift can be worse.
    const fn directions(&self) -> usize {
        if self.either_is_worse { 2 } else { 1 }
    }

    fn of_kind(&self, figures: Figures) -> impl Iterator<Item = &Figure> {
        let is_typical = |figure: &Figure| figure.statistic == Statistic::Typical;
        self.figures.iter().filter(move |figure| is_typical(figure) == (figures == Figures::Typical))
    }

    /// The number of comparisons that could fail the gate at this level.
    pub(super) fn feasible(&self, level: f64, figures: Figures) -> usize {
        let can = |figure: &&Figure| {
            let sizes = figure.near;
            let level = adjusted(level, sizes.degrees_of_freedom);
            let (n, m) = sizes.whole();
            let smallest = match figure.statistic {
                Statistic::Quantile(p) if self.either_is_worse => smallest_level(p, n, m).min(smallest_level(p, m, n)),
                Statistic::Quantile(p) if self.less_is_worse => smallest_level(p, n, m),
                Statistic::Quantile(p) => smallest_level(p, m, n),
                _ => smallest_shift_level(self.baseline.n(), self.candidate.n(), self.rank_sigma(sizes)),
            };
            sizes.is_enough() && smallest <= level
        };
        let missed = usize::from(figures == Figures::Other && self.missed.is_some());
        self.of_kind(figures).filter(can).count() * self.directions() + missed
    }

    pub(super) fn judged(self, plan: &GatePlan, levels: &Levels) -> Result<Pair> {
        // Avoids −0, which JSON would show.
        let allowed = if self.less_is_worse { 0.0 - plan.max_shift } else { plan.max_shift };
        let rank_test = self.rank_test();
        let mut comparisons: Vec<Comparison> = self
            .figures
            .iter()
            .map(|&figure| self.compared(figure, allowed, levels.of_figure(figure.statistic)))
            .collect();
        comparisons.extend(
            self.missed
                .as_ref()
                .map(|missed| missed.compared(plan.max_share_increase, levels.other, self.runs.as_ref())),
        );
        let is_worse = comparisons.iter().any(|comparison| comparison.decision == Decision::Worse);
        let change = if is_worse { chart::change(self.series.candidate, plan)? } else { None };
        let (since, since_text) = change.unzip();
        let frozen = chart::frozen(&self.series, plan)?;
        let warnings = self.warnings(frozen.as_ref());
        let (baseline, candidate) = self.arms;
        let meaning = self.series.baseline.meaning();
        Ok(Pair {
            group: self.series.baseline.group.clone(),
            candidate_group: self.series.other_group(),
            metric: self.series.baseline.measure.name().to_owned(),
            unit: self.series.baseline.unit(),
            less_is_worse: self.less_is_worse,
            direction: meaning.preference,
            direction_from: meaning.preference_from,
            baseline,
            candidate,
            runs: self.runs.map(|component| component.runs()),
            load: self.load,
            comparisons,
            failures: Vec::new(),
            rank_test,
            since,
            since_text,
            chart: frozen,
            objective: self.objective,
            warnings,
        })
    }

    fn rank_test(&self) -> Option<RankTest> {
        let test = MannWhitney::of(&self.baseline.sorted, &self.candidate.sorted)?;
        let inflation = self.inflation(self.typical.far);
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
    fn inflation(&self, worth: EffectiveSizes) -> f64 {
        let independent = 1.0 / self.baseline.n() + 1.0 / self.candidate.n();
        ((1.0 / worth.baseline + 1.0 / worth.candidate) / independent).sqrt()
    }

    /// Standard deviation of U if nothing has changed. It ignores ties, which makes it slightly too large.
    fn rank_sigma(&self, worth: EffectiveSizes) -> f64 {
        let (n, m) = (self.baseline.n(), self.candidate.n());
        (n * m / 12.0 * (n + m + 1.0)).sqrt() * self.inflation(worth)
    }

    fn compared(&self, figure: Figure, allowed: f64, level: f64) -> Comparison {
        let Figure { statistic, near, .. } = figure;
        let blank = Comparison {
            statistic,
            baseline: None,
            candidate: None,
            shift: None,
            shift_interval: None,
            difference: None,
            difference_interval: None,
            allowed,
            level,
            decision: Decision::NotEnoughData,
            p: None,
            minimal_detectable: None,
            need: None,
            need_runs: None,
            reason: None,
        };
        let Some(shift) = self.estimated(figure, level) else {
            return Comparison { reason: Some("no measurement on one side".to_owned()), ..blank };
        };
        let Shift { baseline, candidate, difference, ratio, ratio_bounds: within, .. } = shift;
        let known =
            Comparison { baseline: Some(baseline), candidate: Some(candidate), difference: Some(difference), ..blank };
        let known = Comparison { shift: ratio.map(|ratio| ratio - 1.0), ..known };
        let open = |bounds: OpenInterval| bounds.lower.is_none() && bounds.upper.is_none();
        if open(shift.difference_bounds) {
            let level = adjusted(level, near.degrees_of_freedom);
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
        let difference_bounds = self.widened_difference(statistic, &shift, level);
        let known = Comparison { difference_interval: Some(difference_bounds), ..known };
        let Some(ratio) = ratio else {
            let reason = "a relative shift needs values above 0".to_owned();
            return Comparison { decision: Decision::CannotTell, reason: Some(reason), ..known };
        };
        let ratio_bounds = self.widened_ratio(statistic, ratio, within, level);
        let shifts =
            OpenInterval { lower: ratio_bounds.lower.map(|r| r - 1.0), upper: ratio_bounds.upper.map(|r| r - 1.0) };
        let decision = self.decided(shifts, allowed);
        let sign = if self.less_is_worse { -1.0 } else { 1.0 };
        let power = Power::at(level);
        let known = Comparison {
            shift_interval: Some(shifts),
            decision,
            minimal_detectable: self
                .half_width(ratio, ratio_bounds)
                .map(|half| (sign * power.detectable((1.0 + allowed).ln().abs(), half)).exp() - 1.0),
            ..known
        };
        let undecided = decision == Decision::CannotTell;
        let planning = if undecided { self.planning(ratio, within, allowed, level) } else { None };
        match planning {
            Some(planning) => self.with_needs(known, planning),
            None => known,
        }
    }

    fn estimated(&self, figure: Figure, level: f64) -> Option<Shift> {
        let Figure { statistic, near, far } = figure;
        let (lower, upper) = match (self.either_is_worse, self.less_is_worse) {
            (true, _) => (near, near),
            (false, true) => (far, near),
            (false, false) => (near, far),
        };
        match statistic {
            Statistic::Quantile(p) => self.quantile_shift(p, lower, upper, level),
            _ => self.typical_shift(lower, upper, level),
        }
    }

    /// The interval of a ratio with what is unknown about the load and the runs, given that of the requests.
    fn widened_ratio(&self, statistic: Statistic, ratio: f64, within: OpenInterval, level: f64) -> OpenInterval {
        if !(ratio > 0.0 && ratio.is_finite()) {
            return within;
        }
        let mut ends = within.ends(f64::ln);
        if let Some(load) = self.load_effect {
            ends = load.widened(ratio.ln(), ends, level);
        }
        if let Some(runs) = &self.runs {
            let effect = runs.effect((&self.baseline, &self.candidate), statistic, level, f64::ln, 1.0);
            ends = effect.widened(ratio.ln(), ends);
        }
        OpenInterval::of_ends(ends, f64::exp)
    }

    /// The same for a difference.
    fn widened_difference(&self, statistic: Statistic, shift: &Shift, level: f64) -> OpenInterval {
        let Some(runs) = &self.runs else { return shift.difference_bounds };
        let size = shift.baseline.abs().max(shift.candidate.abs());
        let effect = runs.effect((&self.baseline, &self.candidate), statistic, level, |value| value, size);
        let ends = effect.widened(shift.difference, shift.difference_bounds.ends(|bound| bound));
        OpenInterval::of_ends(ends, |end| end)
    }

    /// The distance from a ratio to the end of its interval toward no change, in logarithms, so that a ratio and its
    /// inverse are equally far from no change.
    fn half_width(&self, ratio: f64, bounds: OpenInterval) -> Option<f64> {
        let bound = if self.less_is_worse { bounds.upper } else { bounds.lower };
        bound.filter(|&bound| bound > 0.0 && ratio > 0.0).map(|bound| (ratio.ln() - bound.ln()).abs())
    }

    /// What each figure would need.
    pub(super) fn plannings(&self, max_shift: f64, levels: &Levels) -> Vec<(Statistic, Option<Planning>)> {
        let allowed = if self.less_is_worse { 0.0 - max_shift } else { max_shift };
        let of_figure = |&figure: &Figure| {
            let level = levels.of_figure(figure.statistic);
            let shift = self.estimated(figure, level);
            let planning = shift.and_then(|shift| self.planning(shift.ratio?, shift.ratio_bounds, allowed, level));
            (figure.statistic, planning)
        };
        self.figures.iter().map(of_figure).collect()
    }

    /// What would decide, given the interval of the requests alone: the detection of twice the allowed shift, or of 5 % if
    /// none is allowed.
    fn planning(&self, ratio: f64, within: OpenInterval, allowed: f64, level: f64) -> Option<Planning> {
        let (n, m) = (self.baseline.n(), self.candidate.n());
        let error = self.half_width(ratio, within)? / normal_quantile_upper(level)?;
        let variance_of_request = error * error / (1.0 / n + 1.0 / m);
        let variance_of_run = self.runs.as_ref().map(RunComponent::runs).map_or(0.0, |runs| {
            let requests_per_run = (n / float(runs.baseline)).min(m / float(runs.candidate));
            let within_runs = if runs.assumed { 0.0 } else { variance_of_request / requests_per_run };
            (runs.sd * runs.sd - within_runs).max(0.0)
        });
        let distance = match allowed {
            0.0 => 1.05f64.ln(),
            allowed => (1.0 + 2.0 * allowed).max(0.01).ln().abs() - (1.0 + allowed).ln().abs(),
        };
        let assumed_variance_of_run = self.runs.as_ref().map_or(0.0, |runs| runs.assumed_sd() * runs.assumed_sd());
        Some(Planning { level, distance, variance_of_request, variance_of_run, assumed_variance_of_run })
    }

    fn with_needs(&self, comparison: Comparison, planning: Planning) -> Comparison {
        let runs = self.runs.as_ref().map_or(1, |component| component.runs().baseline.min(component.runs().candidate));
        let need = planning.requests(runs);
        let requests_per_run = self.baseline.n().min(self.candidate.n()) / float(runs);
        let need_runs = if need.is_none() { planning.runs(requests_per_run) } else { None };
        Comparison { need, need_runs, ..comparison }
    }

    fn decided(&self, shifts: OpenInterval, allowed: f64) -> Decision {
        if self.either_is_worse {
            let is_beyond = |bound: Option<f64>, sign: f64| bound.map(|bound| sign * bound > allowed);
            let inside = (is_beyond(shifts.upper, 1.0), is_beyond(shifts.lower, -1.0));
            return match (is_beyond(shifts.lower, 1.0), is_beyond(shifts.upper, -1.0)) {
                (Some(true), _) | (_, Some(true)) => Decision::Worse,
                _ if inside == (Some(false), Some(false)) => Decision::NotWorse,
                _ => Decision::CannotTell,
            };
        }
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
    fn typical_shift(&self, lower: EffectiveSizes, upper: EffectiveSizes, level: f64) -> Option<Shift> {
        let (x, y) = (&self.baseline.sorted, &self.candidate.sorted);
        let bounds = |contrast| {
            let pair = |worth: EffectiveSizes| {
                let level = adjusted(level, worth.degrees_of_freedom);
                let bounds = || shift_bounds(x, y, contrast, self.rank_sigma(worth), level);
                if worth.is_enough() { bounds() } else { None }
            };
            let below = pair(lower);
            let above = if lower == upper { below } else { pair(upper) };
            OpenInterval { lower: below.map(|(lower, _)| lower), upper: above.map(|(_, upper)| upper) }
        };
        let positive = x.values().first().zip(y.values().first()).is_some_and(|(&x, &y)| x > 0.0 && y > 0.0);
        let nothing = OpenInterval { lower: None, upper: None };
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
    fn quantile_shift(&self, p: f64, lower: EffectiveSizes, upper: EffectiveSizes, level: f64) -> Option<Shift> {
        let (baseline, candidate) = (self.baseline.quantile(p)?, self.candidate.quantile(p)?);
        // The lower bound takes a low order statistic of the candidate and a high one of the baseline; the upper bound
        // does the reverse.
        let below = self.bounding(p, lower, level, true);
        let above = self.bounding(p, upper, level, false);
        let difference = candidate - baseline;
        let difference_bounds = OpenInterval {
            lower: below.map(|at| difference - at.half(candidate - at.candidate, at.baseline - baseline)),
            upper: above.map(|at| difference + at.half(at.candidate - candidate, baseline - at.baseline)),
        };
        let positive = baseline > 0.0 && candidate > 0.0;
        // A bound at 0 or below leaves the ratio unbounded on that side.
        let ln = |from: f64, to: f64| if from > 0.0 { (to / from).ln() } else { f64::INFINITY };
        let ratio = candidate / baseline;
        let bounded = |half: f64, sign: f64| Some(ratio * (sign * half).exp()).filter(|bound| bound.is_finite());
        let ratio_bounds = OpenInterval {
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
    fn bounding(&self, p: f64, worth: EffectiveSizes, level: f64, from_below: bool) -> Option<Bounding> {
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

    fn warnings(&self, chart: Option<&FrozenChart>) -> Vec<String> {
        let (one, other) = (&self.arms.0, &self.arms.1);
        let mut warnings: Vec<String> =
            self.series.baseline.warnings.iter().chain(&self.series.candidate.warnings).cloned().collect();
        for (name, arm) in [("baseline", one), ("candidate", other)] {
            let all = arm.n + arm.excluded.failed + arm.excluded.missing;
            if arm.excluded.failed > 0 {
                warnings.push(format!(
                    "{} of {} in the {name} failed and {} no latency: the error rate is compared separately",
                    arm.excluded.failed,
                    counted(all, "request"),
                    if arm.excluded.failed == 1 { "has" } else { "have" }
                ));
            }
            if arm.effective < 0.5 * float(arm.n) {
                warnings.push(format!(
                    "the {name} is autocorrelated: {} requests carry the information of {:.0} independent ones",
                    arm.n, arm.effective
                ));
            }
        }
        if self.load_effect.is_some_and(LoadEffect::is_open) {
            warnings.push(
                "the token counts of the sides differ, and those of the baseline do not vary: the shift may be that of \
                 the load, up to the ratio of the tokens"
                    .to_owned(),
            );
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
    difference_bounds: OpenInterval,
    ratio: Option<f64>,
    ratio_bounds: OpenInterval,
}
