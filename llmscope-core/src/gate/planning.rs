//! How many requests and runs would decide a comparison.

use super::family::rounded;
use crate::cast::float;
use crate::stats::special::normal_quantile_upper;
use crate::stats::student_quantile_upper;

/// Φ⁻¹(0.8): a power of four in five.
pub(super) const Z_POWER: f64 = 0.841_621_233_572_914_2;
/// More runs per side are out of reach.
const MOST_RUNS: usize = 200;

/// The precision of a figure on the scale of logarithms, as a function of the numbers of requests and runs.
///
/// The standard error of a difference between two sides of R runs with n requests each is √(2(σ² + w²/n)/R), σ the standard
/// deviation between runs and w that of a single request, dependence included.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Planning {
    pub(super) level: f64,
    /// The distance between the allowed change and the one to be detected.
    pub(super) distance: f64,
    pub(super) variance_of_request: f64,
    pub(super) variance_of_run: f64,
    /// The variance between runs that is assumed for a single run on each side.
    pub(super) assumed_variance_of_run: f64,
}

impl Planning {
    /// The quantile that widens the standard error: that of Student's distribution if the runs are measured.
    fn quantile(&self, runs: usize) -> Option<f64> {
        match runs {
            1 => normal_quantile_upper(self.level),
            runs => student_quantile_upper(self.level, float(2 * runs - 2)),
        }
    }

    /// The number of requests in each of this number of runs per side that detects the change four times out of five;
    /// `None` if no number does.
    pub(super) fn requests_per_run(&self, runs: usize) -> Option<f64> {
        let largest_error = self.distance / (self.quantile(runs)? + Z_POWER);
        let variance_of_run = if runs == 1 { self.assumed_variance_of_run } else { self.variance_of_run };
        let left = largest_error * largest_error * float(runs) / 2.0 - variance_of_run;
        (left > 0.0).then(|| self.variance_of_request / left)
    }

    /// The number of requests per side that would decide with this number of runs.
    pub(super) fn requests(&self, runs: usize) -> Option<usize> {
        self.requests_per_run(runs).and_then(|requests| rounded(requests * float(runs)))
    }

    /// The number of runs per side, of this number of requests each, that would decide.
    pub(super) fn runs(&self, requests_per_run: f64) -> Option<usize> {
        let is_enough = |runs: usize| self.requests_per_run(runs).is_some_and(|needed| needed <= requests_per_run);
        // A single run relies on the assumption, and may need less than a few runs that measure it.
        if is_enough(1) {
            return Some(1);
        }
        let counts: Vec<usize> = (2..=MOST_RUNS).collect();
        counts.get(counts.partition_point(|&runs| !is_enough(runs))).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_requests_do_not_replace_runs() {
        let planning = Planning {
            level: 0.002,
            distance: 0.05,
            variance_of_request: 0.16,
            variance_of_run: 0.0004,
            assumed_variance_of_run: 0.01,
        };
        // (t + z) with SciPy 1.17.1: t.isf(0.002, 8) = 3.99095, so that the error is at most 0.05/4.83257 = 0.010346, and
        // 0.010346²·5/2 = 0.0002676 is less than 0.0004: no number of requests is enough for five runs.
        assert_eq!(planning.requests(5), None);
        // t.isf(0.002, 18) + norm.ppf(0.8) = 4.139499: (0.05/4.139499)²·10/2 = 0.000729482; 0.16/0.000329482 = 485.61.
        let requests = planning.requests_per_run(10).unwrap();
        assert!((requests - 485.61).abs() < 0.01, "{requests}");
        assert_eq!(planning.requests(10), Some(4900));
        assert!(planning.runs(486.0).is_some_and(|runs| runs <= 10));
        assert_eq!(planning.runs(0.01), None);
    }
}
