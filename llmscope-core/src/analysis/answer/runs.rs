//! The level between several runs: the run is the unit.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Series;
use super::sequence::Sequence;
use crate::cast::float;
use crate::stats::{Sorted, fisher_quantile_upper, fisher_sf};

/// Fewer runs cannot be compared with each other.
pub const MIN_RUNS: usize = 8;

/// What was judged between the runs of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunsJudged {
    /// The number of runs.
    pub count: usize,
    /// If there are too few for a verdict between runs, how many more are needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The probability of so clear a change of the run medians if the runs differ by chance only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
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
pub(super) fn order(series: &Series) -> Vec<usize> {
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

/// The levels of runs and how well each of them is known.
pub(super) struct RunLevels {
    /// Median of each run, or its logarithm.
    pub(super) levels: Vec<f64>,
    /// The mean variance of such a median within its run.
    variance_within: f64,
}

impl RunLevels {
    /// `inflations` are V of the dependence within each run.
    pub(super) fn of(runs: &[Sequence], inflations: &[f64], on_logarithms: bool) -> Self {
        let scaled = |x: &f64| if on_logarithms { x.ln() } else { *x };
        let mut variances = 0.0;
        let mut levels = Vec::new();
        for (run, inflation) in runs.iter().zip(inflations) {
            let values: Vec<f64> = run.values.iter().map(scaled).collect();
            let sorted = Sorted::of(&values);
            let Some(median) = sorted.median() else { continue };
            let distances: Vec<f64> = values.iter().map(|x| (x - median).abs()).collect();
            let sigma = 1.4826 * Sorted::of(&distances).median().unwrap_or(0.0);
            // The variance of a median of n normal values is πσ²/2n.
            variances += std::f64::consts::FRAC_PI_2 * sigma * sigma * inflation / float(values.len());
            levels.push(median);
        }
        let count = float(levels.len().max(1));
        Self { levels, variance_within: variances / count }
    }

    /// The clearest change of the levels: Student's test of the runs before against those after each place, with the
    /// variance between runs pooled over both sides, times the number of places (Bonferroni). Run effects count as normal.
    ///
    /// The variance is at least that of a median within its run, so that rounded medians, which are all equal, do not make
    /// the smallest difference certain.
    pub(super) fn change(&self) -> Option<RunChange> {
        let n = self.levels.len();
        if n < MIN_RUNS {
            return None;
        }
        let degrees_of_freedom = float(n - 2);
        // Sums about the mean, which is exact enough for levels of one series.
        let middle = self.levels.iter().sum::<f64>() / float(n);
        let total: f64 = self.levels.iter().map(|x| (x - middle).powi(2)).sum();
        let mut sum = 0.0;
        let places = (1..n).map(|at| {
            sum += self.levels[at - 1] - middle;
            let (m1, m2) = (sum / float(at), -sum / float(n - at));
            let squares = (total - sum * sum / float(at) - sum * sum / float(n - at)).max(0.0);
            let variance = (squares / degrees_of_freedom).max(self.variance_within).max(f64::MIN_POSITIVE);
            let squared_error = variance * (1.0 / float(at) + 1.0 / float(n - at));
            (at, m2 - m1, squared_error)
        });
        let (at, difference, squared_error) = places.max_by(|a, b| (a.1 * a.1 / a.2).total_cmp(&(b.1 * b.1 / b.2)))?;
        let p = fisher_sf(difference * difference / squared_error, 1.0, degrees_of_freedom)? * float(n - 1);
        let quantile = fisher_quantile_upper(1.0 - super::CONFIDENCE, 1.0, degrees_of_freedom)?.sqrt();
        Some(RunChange { at, difference, half_width: quantile * squared_error.sqrt(), p: p.min(1.0) })
    }
}
