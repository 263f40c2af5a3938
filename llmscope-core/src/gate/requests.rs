//! The requests of a series: which failed, and the measurements of the others.

use super::Arm;
use crate::analysis::{Excluded, Measure, RunOrder, Series};
use crate::metric::Metric;

/// Requests in the order of their runs and in time order in each run, excluding the warm-up.
pub(super) struct Requests {
    /// The outcome of each request.
    pub(super) outcomes: Vec<Outcome>,
    /// Positions at which another file begins.
    pub(super) breaks: Vec<usize>,
    /// True if the log records which requests failed; a table without a status does not.
    pub(super) tell_failures: bool,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Outcome {
    Failed,
    Measured(f64),
    /// The request succeeded, but this metric was not recorded.
    Missing,
}

impl Outcome {
    pub(super) const fn value(self) -> Option<f64> {
        match self {
            Self::Measured(value) => Some(value),
            Self::Failed | Self::Missing => None,
        }
    }
}

impl Requests {
    /// Reads a series' observations. No other function of the gate does.
    pub(super) fn of(series: &Series) -> Self {
        let observations = &series.observations;
        let outcome = |failed: bool, value: Option<f64>| match value {
            _ if failed => Outcome::Failed,
            Some(value) => Outcome::Measured(value),
            None => Outcome::Missing,
        };
        let value = |index: usize| Some(series.values[index]).filter(|value| !value.is_nan());
        let runs = RunOrder::of(series.values.len(), |index| observations.source(index));
        let outcomes = runs.order.iter().map(|&index| outcome(observations.failed(index), value(index))).collect();
        // Each value of a series of runs is a run, not a request.
        let tell_failures = !series.of_runs && series.tells_failures();
        Self { outcomes, breaks: runs.starts, tell_failures }
    }

    fn count(&self, what: impl Fn(&Outcome) -> bool) -> usize {
        self.outcomes.iter().filter(|outcome| what(outcome)).count()
    }

    /// The description of an arm, without the effective size and the quantiles, which the caller adds.
    pub(super) fn arm(&self, series: &Series) -> Arm {
        let of_errors = series.measure == Measure::Metric(Metric::ErrorRate);
        let failed = self.count(|outcome| *outcome == Outcome::Failed);
        let missing = self.count(|outcome| *outcome == Outcome::Missing);
        let n = self.outcomes.len() - missing - if of_errors { 0 } else { failed };
        Arm {
            source: series.sources.clone(),
            n,
            excluded: Excluded {
                failed: if of_errors { 0 } else { failed },
                warmup: series.warmup,
                missing: missing - series.out_of_bounds.len(),
                out_of_bounds: series.out_of_bounds.len(),
                not_positive: 0,
            },
            effective: crate::cast::float(n),
            quantiles: None,
        }
    }
}
