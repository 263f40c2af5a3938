//! The level between several runs: the run is the unit.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Series;
use super::sequence::Sequence;
use crate::cast::float;
use crate::ingest::on_one_line;
use crate::stats::{self, Moments, fisher_quantile_upper, fisher_sf};

/// Fewer runs cannot be compared with each other.
pub const MIN_RUNS: usize = 8;
/// The share of the last run in the level of a comparison of runs: it is the one that a nightly check asks about.
const LAST_SHARE: f64 = 0.5;

/// What was judged between the runs of a series.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RunsJudged {
    /// The number of runs.
    pub count: usize,
    /// If there are too few for a verdict between runs, how many more are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The probability of so clear a change of the run medians if the runs differ by chance only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
    /// The level of the last run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<f64>,
    /// The limits that the other runs predict for the last one, if the levels of runs are normal, or lognormal where all
    /// values are positive. Beyond them, the last run alone is a change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<[f64; 2]>,
}

/// The run with which a change begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SinceRun {
    /// Position of the run in the order of the runs.
    pub index: usize,
    /// The 95 % interval of that position, both ends included.
    pub interval: [usize; 2],
    /// The file of the run, with the line of its summary if a file holds several.
    pub name: String,
    /// The time at which the run began, or the date of its summary, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The number of runs since, this one included.
    pub count: usize,
}

/// A change between runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RunChange {
    /// The first run after the change.
    pub(super) at: usize,
    /// The difference of the mean levels, and its 95 % interval.
    pub(super) difference: f64,
    pub(super) half_width: f64,
    pub(super) p: f64,
}

/// The rank of each source of a series in the order of the times at which the runs began; that of the sources if a time is
/// unknown.
pub(in super::super) fn order(series: &Series) -> Vec<usize> {
    let count = series.sources.len().max(1);
    let mut starts = vec![None; count];
    for request in 0..series.values.len() {
        if let Some(start) = starts.get_mut(series.observations.source(request)).filter(|start| start.is_none()) {
            *start = series.observations.at(request);
        }
    }
    let mut order: Vec<usize> = (0..count).collect();
    if starts.iter().all(Option::is_some) {
        order.sort_by_key(|&run| starts[run]);
    }
    let mut ranks = vec![0; count];
    order.into_iter().enumerate().for_each(|(rank, run)| ranks[run] = rank);
    ranks
}

/// The runs of a series as the answer names them, given the first observation of each.
pub(super) struct NamedRuns<'s> {
    series: &'s Series,
    firsts: Vec<usize>,
}

impl<'s> NamedRuns<'s> {
    pub(super) const fn new(series: &'s Series, firsts: Vec<usize>) -> Self {
        Self { series, firsts }
    }

    /// The run with which a change begins.
    pub(super) fn since(&self, index: usize, interval: [usize; 2]) -> SinceRun {
        let t = self.firsts.get(index).and_then(|&first| self.series.observations.at(first));
        let count = self.firsts.len().saturating_sub(index);
        SinceRun { index, interval, name: self.name(index), t, count }
    }

    /// `nights/07.json`, or `nightly.jsonl:7` for a summary in a file of several.
    fn name(&self, index: usize) -> String {
        let Some(&first) = self.firsts.get(index) else { return String::new() };
        let source = self.series.observations.source(first);
        let file = self.series.sources.get(source).map(|source| on_one_line(source)).unwrap_or_default();
        let is_shared =
            self.firsts.iter().any(|&other| other != first && self.series.observations.source(other) == source);
        match self.series.observations.line(first).filter(|_| self.series.of_runs && is_shared) {
            Some(line) => format!("{file}:{line}"),
            None => file,
        }
    }
}

/// The levels of runs and how well each of them is known.
pub(super) struct RunLevels {
    /// Median of each run, or its logarithm.
    levels: Scaled,
    /// The medians themselves, if the levels are logarithms: a change is one on both scales.
    plain: Option<Scaled>,
}

/// The levels on one scale.
struct Scaled {
    levels: Vec<f64>,
    /// The mean variance of a level within its run.
    variance_within: f64,
}

/// A place between two runs: the difference of the mean levels after and before it.
#[derive(Debug, Clone, Copy)]
struct Contrast {
    at: usize,
    difference: f64,
    squared_error: f64,
}

impl Contrast {
    fn squared_t(&self) -> f64 {
        self.difference * self.difference / self.squared_error
    }
}

impl Scaled {
    /// Student's statistic of the runs before against those after each place, with the variance between runs pooled over
    /// both sides. The variance is at least that of a level within its run, so that rounded levels, which are all equal, do
    /// not make the smallest difference certain.
    fn contrasts(&self) -> Vec<Contrast> {
        let n = self.levels.len();
        // Sums about the mean, which is exact enough for levels of one series.
        let middle = self.levels.iter().sum::<f64>() / float(n);
        let total: f64 = self.levels.iter().map(|x| (x - middle).powi(2)).sum();
        let mut sum = 0.0;
        let contrast = |at: usize| {
            sum += self.levels[at - 1] - middle;
            let (m1, m2) = (sum / float(at), -sum / float(n - at));
            let squares = (total - sum * sum / float(at) - sum * sum / float(n - at)).max(0.0);
            let squared_error = self.variance(squares, float(n - 2)) * (1.0 / float(at) + 1.0 / float(n - at));
            Contrast { at, difference: m2 - m1, squared_error }
        };
        (1..n).map(contrast).collect()
    }

    /// The limits that the other runs predict for the last one, with this probability of a run beyond them.
    fn limits_of_last(&self, p: f64) -> Option<[f64; 2]> {
        let (_, others) = self.levels.split_last()?;
        let degrees_of_freedom = float(others.len() - 1);
        let moments = Moments::of(others);
        let (mean, deviation) = (moments.mean()?, moments.standard_deviation()?);
        let variance = self.variance(deviation * deviation * degrees_of_freedom, degrees_of_freedom);
        let quantile = fisher_quantile_upper(p, 1.0, degrees_of_freedom)?.sqrt();
        let half_width = quantile * (variance * (1.0 + 1.0 / float(others.len()))).sqrt();
        Some([mean - half_width, mean + half_width])
    }

    fn variance(&self, squares: f64, degrees_of_freedom: f64) -> f64 {
        (squares / degrees_of_freedom).max(self.variance_within).max(f64::MIN_POSITIVE)
    }
}

impl RunLevels {
    /// `inflations` are V of the dependence within each run.
    pub(super) fn of(runs: &[Sequence], inflations: &[f64], on_logarithms: bool) -> Self {
        let mut variances = [0.0; 2];
        let (mut medians, mut levels) = (Vec::new(), Vec::new());
        for (run, inflation) in runs.iter().zip(inflations) {
            let Some(median) = stats::median(&run.values) else { continue };
            medians.push(median);
            variances[0] += variance_of_median(&run.values, *inflation);
            if on_logarithms {
                let logarithms: Vec<f64> = run.values.iter().map(|x| x.ln()).collect();
                variances[1] += variance_of_median(&logarithms, *inflation);
                levels.extend(stats::median(&logarithms));
            }
        }
        let count = float(medians.len().max(1));
        let plain = Scaled { levels: medians, variance_within: variances[0] / count };
        if !on_logarithms {
            return Self { levels: plain, plain: None };
        }
        Self { levels: Scaled { levels, variance_within: variances[1] / count }, plain: Some(plain) }
    }

    /// The levels of runs of which only a summary is known. Their variance within a run is at least that of rounding to the
    /// last digit that a value has.
    pub(super) fn of_summaries(values: &[f64], on_logarithms: bool) -> Self {
        let step = values.iter().map(|&value| last_digit(value)).fold(f64::INFINITY, f64::min);
        let step = if step.is_finite() { step } else { 0.0 };
        let rounding = |step: f64| step * step / 12.0;
        let plain = Scaled { levels: values.to_vec(), variance_within: rounding(step) };
        if !on_logarithms {
            return Self { levels: plain, plain: None };
        }
        let relative = step / stats::median(values).unwrap_or(1.0);
        let levels = values.iter().map(|x| x.ln()).collect();
        Self { levels: Scaled { levels, variance_within: rounding(relative) }, plain: Some(plain) }
    }

    /// The shares of failed requests of runs on the scale asin √share, on which independent failures have the variance 1/4n
    /// whatever their share (Anscombe 1948, *Biometrika* 35).
    pub(super) fn of_failures(runs: &[(f64, f64)]) -> Self {
        let level = |&(failed, requests): &(f64, f64)| ((failed + 0.375) / (requests + 0.75)).sqrt().asin();
        let variance_within = runs.iter().map(|(_, requests)| 0.25 / requests).sum::<f64>() / float(runs.len().max(1));
        Self { levels: Scaled { levels: runs.iter().map(level).collect(), variance_within }, plain: None }
    }

    /// The levels, in the order of the runs.
    pub(super) fn levels(&self) -> &[f64] {
        &self.levels.levels
    }

    /// The clearest change of the levels, by Student's test at each place. Run effects count as normal or as lognormal:
    /// the smaller statistic of the two scales counts, so that either is enough.
    ///
    /// The places share the level (a weighted Bonferroni correction): one half is for the last run alone, and the other
    /// places have equal shares of the other half. For the last run, the test is whether it lies beyond the limits that
    /// the other runs predict.
    pub(super) fn change(&self) -> Option<RunChange> {
        let n = self.levels().len();
        if n < MIN_RUNS {
            return None;
        }
        let degrees_of_freedom = float(n - 2);
        let contrasts = self.levels.contrasts();
        let plain = self.plain.as_ref().map(Scaled::contrasts);
        let squared_t = |contrast: &Contrast| {
            let of_plain = plain.as_ref().map_or(f64::INFINITY, |plain| plain[contrast.at - 1].squared_t());
            contrast.squared_t().min(of_plain)
        };
        let mut p = 1.0_f64;
        for contrast in &contrasts {
            let share = if contrast.at == n - 1 { LAST_SHARE } else { (1.0 - LAST_SHARE) / float(n - 2) };
            p = p.min(fisher_sf(squared_t(contrast), 1.0, degrees_of_freedom)? / share);
        }
        let clearest = contrasts.iter().max_by(|a, b| squared_t(a).total_cmp(&squared_t(b)))?;
        let quantile = fisher_quantile_upper(1.0 - super::CONFIDENCE, 1.0, degrees_of_freedom)?.sqrt();
        let half_width = quantile * clearest.squared_error.sqrt();
        Some(RunChange { at: clearest.at, difference: clearest.difference, half_width, p })
    }

    /// The limits that the other runs predict for the last one at this level of the comparison, in the unit of the values.
    pub(super) fn limits_of_last(&self, level: f64) -> Option<[f64; 2]> {
        if self.levels().len() < MIN_RUNS {
            return None;
        }
        let limits = self.levels.limits_of_last(level * LAST_SHARE)?;
        let Some(plain) = &self.plain else { return Some(limits) };
        let [low, high] = limits.map(f64::exp);
        let [plain_low, plain_high] = plain.limits_of_last(level * LAST_SHARE)?;
        Some([low.min(plain_low.max(0.0)), high.max(plain_high)])
    }
}

/// The variance of the median of a run: πσ²/2n for normal values, with σ by the median absolute deviation.
fn variance_of_median(values: &[f64], inflation: f64) -> f64 {
    let median = stats::median(values).unwrap_or(0.0);
    let distances: Vec<f64> = values.iter().map(|x| (x - median).abs()).collect();
    let sigma = 1.4826 * stats::median(&distances).unwrap_or(0.0);
    std::f64::consts::FRAC_PI_2 * sigma * sigma * inflation / float(values.len().max(1))
}

/// The weight of the last decimal digit that a number has: 0.01 for 1.23, and 100 for 1200.
fn last_digit(value: f64) -> f64 {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    let exponent: i32 = exponent.parse().unwrap_or(0);
    10_f64.powi(exponent - i32::try_from(decimals).unwrap_or(i32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten runs about 100 ms and one of 505 ms, as a tool rounds them.
    const NIGHTS: [f64; 11] = [0.099, 0.1, 0.101, 0.102, 0.099, 0.1, 0.101, 0.102, 0.099, 0.1, 0.505];

    #[test]
    fn a_last_run_is_compared_with_what_the_others_predict() {
        let levels = RunLevels::of_summaries(&NIGHTS, true);
        let change = levels.change().expect("enough runs");
        assert_eq!(change.at, 10);
        // scipy.stats.ttest_ind of the last logarithm and the others, of SciPy 1.17.1, for half of the level.
        assert!((change.p / 7.534_678_091_385_246e-16 - 1.0).abs() < 1e-6, "{}", change.p);
        // mean ± t(0.99875; 9)·s·√1.1 of the other values, and of their logarithms: the wider limit on each side.
        let limits = levels.limits_of_last(0.005).expect("enough runs");
        let expected = [0.095_258_323_798_535_79, 0.105_456_248_292_041_31];
        assert!(limits.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-9), "{limits:?}");
        let seven = RunLevels::of_summaries(&NIGHTS[4..], true);
        assert!(seven.change().is_none() && seven.limits_of_last(0.005).is_none());
    }

    /// Pseudorandom normal values: sums of twelve uniform ones (xorshift of Marsaglia).
    fn normal(state: &mut u64) -> f64 {
        let mut uniform = || {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            float(usize::try_from(*state >> 33).unwrap_or(0)) / float(1 << 31)
        };
        (0..12).map(|_| uniform()).sum::<f64>() - 6.0
    }

    #[test]
    fn runs_that_do_not_change_are_called_changed_at_most_as_often_as_the_level_allows() {
        const SERIES: usize = 400;
        const LEVEL: f64 = 0.05;
        let shapes: [fn(f64) -> f64; 5] =
            [|z| 1.0 + 0.02 * z, |z| 1.0 + 0.15 * z, |z| (0.02 * z).exp(), |z| (0.1 * z).exp(), |z| (0.5 * z).exp()];
        let mut state = 20_261_129;
        let (mut changed, mut cells) = (0, 0);
        for (shape, of_normal) in shapes.iter().enumerate() {
            for n in [8, 11, 20, 60] {
                let is_changed = |_: &usize| {
                    let values: Vec<f64> = (0..n).map(|_| of_normal(normal(&mut state))).collect();
                    let levels = RunLevels::of_summaries(&values, values.iter().all(|&x| x > 0.0));
                    levels.change().is_some_and(|change| change.p <= LEVEL)
                };
                let count = (0..SERIES).filter(is_changed).count();
                // Of 400 series, 20 are expected at most; 36 or more are once in a thousand times.
                assert!(count < 36, "{count} of {SERIES}: shape {shape}, n {n}");
                changed += count;
                cells += 1;
            }
        }
        assert!(float(changed) <= LEVEL * float(cells * SERIES), "{changed} in {cells} cells");
    }

    #[test]
    fn rounding_does_not_make_a_small_difference_certain() {
        let mut equal = [0.1; 11];
        equal[10] = 0.2;
        // The last digit is 0.1: the values are between 0.05 and 0.15, and the last one between 0.15 and 0.25.
        let p = RunLevels::of_summaries(&equal, false).change().expect("enough runs").p;
        assert!(p > 0.005, "{p}");
        equal[10] = 0.505;
        let p = RunLevels::of_summaries(&equal, false).change().expect("enough runs").p;
        assert!(p < 1e-6, "{p}");
    }

    #[test]
    fn the_last_digit_of_a_number_has_its_weight() {
        let weights = [1.23, 1200.0, 0.005, 7.0, 0.0].map(last_digit);
        let expected = [0.01, 100.0, 0.001, 1.0, 1.0];
        assert!(weights.iter().zip(expected).all(|(one, other)| (one / other - 1.0_f64).abs() < 1e-12), "{weights:?}");
    }
}
