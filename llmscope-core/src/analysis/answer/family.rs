//! How the parts of all series of a call share its alpha.

use super::super::{Plan, Series};
use super::change::Part;
use crate::cast::float;

/// Fewer values than this are not judged: with ten values on each side of a change, even the clearest one would not signal.
pub(super) const MIN_VALUES: usize = 30;
/// Values on each side of a change.
pub(super) const FEWEST: usize = 10;

/// The share of alpha of each part of each series (Bonferroni's correction). Series that cannot signal whatever their
/// values are have no share (Tarone 1990, *Biometrics* 46).
pub(super) struct Family {
    alpha: f64,
    series: usize,
    with_slow_requests: bool,
}

impl Family {
    pub(super) fn of(plan: &Plan) -> Self {
        Self { alpha: plan.alpha, series: plan.family.max(1), with_slow_requests: plan.slow_requests }
    }

    fn share(&self, part: Part) -> f64 {
        match (part, self.with_slow_requests) {
            (Part::Level, false) => 0.5,
            (Part::Spread | Part::Failures, false) | (_, true) => 0.25,
            // Without a share, no p-value signals.
            (Part::SlowRequests, false) => 0.0,
        }
    }

    /// The level at which a part of a series is tested.
    pub(super) fn level(&self, part: Part) -> f64 {
        self.alpha * self.share(part) / float(self.series)
    }

    /// The p-value of a part of one series, adjusted for the call: at most alpha if and only if the part signals.
    pub(super) fn adjusted(&self, part: Part, p: f64) -> f64 {
        let share = self.share(part);
        if share > 0.0 { (p * float(self.series) / share).min(1.0) } else { 1.0 }
    }

    pub(super) const fn alpha(&self) -> f64 {
        self.alpha
    }
}

/// The number of series that can signal at all, which share the alpha of a call; at least 1.
#[must_use]
pub fn family_of<'s>(series: impl IntoIterator<Item = &'s Series>) -> usize {
    series.into_iter().filter(|series| has_a_verdict(series)).count().max(1)
}

/// The fewest values of a series that are judged: requests, or runs.
pub(super) const fn fewest(series: &Series) -> usize {
    if series.of_runs { super::runs::MIN_RUNS } else { MIN_VALUES }
}

/// True if a series has enough requests, or runs, for one of its parts to signal.
#[must_use]
pub fn has_a_verdict(series: &Series) -> bool {
    let needed = fewest(series);
    let measured = series.values.iter().filter(|value| !value.is_nan()).take(needed).count();
    let counts = series.observations.counts();
    let has_failures = || match series.of_runs {
        true => (0..series.values.len()).any(|run| counts.failures(run).is_some_and(|(failed, _)| failed > 0.0)),
        false => series.observations.failures() > 0,
    };
    measured >= needed || (series.values.len() >= needed && has_failures())
}
