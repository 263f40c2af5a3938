//! Failed requests of runs of which only summaries are known: their shares are compared between the runs.

use super::super::Series;
use super::failures::{FailedRuns, Failures, Found, IN_A_ROW, ShareChange};
use super::runs::{MIN_RUNS, RunLevels};
use super::since;
use crate::cast::float;

/// A run whose failures are known.
struct Counted {
    /// The observation of the run.
    at: usize,
    failed: f64,
    requests: f64,
}

impl Counted {
    fn has_only_failures(&self) -> bool {
        self.failed >= self.requests
    }
}

/// Judges the shares of failures of the runs at this level.
pub(super) fn found(series: &Series, level: f64) -> Found {
    let counts = series.observations.counts();
    let counted = |at: usize| counts.failures(at).map(|(failed, requests)| Counted { at, failed, requests });
    let runs: Vec<Counted> = (0..series.values.len()).filter_map(counted).collect();
    let failed: f64 = runs.iter().map(|run| run.failed).sum();
    let requests: f64 = runs.iter().map(|run| run.requests).sum();
    let is_judged = runs.len() >= MIN_RUNS;
    if failed <= 0.0 {
        return Found { is_judged, ..Found::default() };
    }
    let change = share_change(&runs, level);
    let last_in_a_row = runs.iter().rev().take_while(|run| run.has_only_failures()).map(|run| run.requests).sum();
    let last_in_a_row = whole(last_in_a_row);
    let is_failing = 2.0 * failed >= requests
        || change.as_ref().is_some_and(|change| change.after >= 0.5)
        || last_in_a_row >= IN_A_ROW;
    let count = |is: &dyn Fn(&Counted) -> bool| runs.iter().filter(|run| is(run)).count();
    let failures = Failures {
        count: whole(failed),
        requests: whole(requests),
        share: failed / requests,
        last_in_a_row,
        kinds: Vec::new(),
        runs: Some(FailedRuns {
            count: runs.len(),
            with_failures: count(&|run| run.failed > 0.0),
            all_failed: count(&Counted::has_only_failures),
        }),
    };
    Found { failures: Some(failures), changes: change.into_iter().collect(), is_failing, is_judged }
}

/// The clearest change of the shares, if it is significant at this level. The run is the unit: failures of one run depend on
/// each other.
fn share_change(runs: &[Counted], level: f64) -> Option<ShareChange> {
    let shares: Vec<(f64, f64)> = runs.iter().map(|run| (run.failed, run.requests)).collect();
    let levels = RunLevels::of_failures(&shares);
    let change = levels.change().filter(|change| change.p <= level)?;
    let share = |runs: &[(f64, f64)]| {
        let (failed, requests) = runs.iter().fold((0.0, 0.0), |(k, n), run| (k + run.0, n + run.1));
        failed / requests
    };
    let interval = since::interval(levels.levels(), change.at, 1.0);
    Some(ShareChange {
        at: runs[change.at].at,
        interval: interval.map(|place| runs[place.min(runs.len() - 1)].at),
        before: share(&shares[..change.at]),
        after: share(&shares[change.at..]),
        p: change.p,
    })
}

/// A number of requests. Counts beyond 2^53 mean nothing, and are clamped.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to whole numbers that a double holds"
)]
fn whole(count: f64) -> usize {
    count.clamp(0.0, float(1 << 53)).round() as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(failed: &[f64]) -> Vec<Counted> {
        failed.iter().enumerate().map(|(at, &failed)| Counted { at, failed, requests: 100.0 }).collect()
    }

    #[test]
    fn a_last_run_with_many_failures_is_a_change_and_a_few_are_none() {
        let change = share_change(&runs(&[0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 40.0]), 0.0025);
        let change = change.expect("40 % after 0.5 %");
        assert_eq!((change.at, change.before, change.after), (10, 0.005, 0.4));
        assert_eq!(share_change(&runs(&[0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 4.0]), 0.0025), None);
        assert_eq!(share_change(&runs(&[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 40.0]), 0.0025), None, "too few runs");
    }
}
