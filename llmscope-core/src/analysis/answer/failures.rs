//! Failed requests: how many, which, and since when.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Measure, Series};
use super::family::MIN_VALUES;
use super::judged_run::intervals;
use super::rare;
use crate::cast::float;
use crate::metric::Metric;
use crate::sample::Sample;
use crate::stats::{ChangeSearch, places, search_changes};

/// Requests on each side of a change of the share of failures.
const FEWEST: usize = 5;
/// This number of failures in a row at the end is an outage.
pub(super) const IN_A_ROW: usize = 5;
/// The kinds of failures that are listed.
const MOST_KINDS: usize = 5;

/// The failed requests of a series.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Failures {
    /// The number of failed requests.
    pub count: usize,
    /// The number of all requests.
    pub requests: usize,
    /// The share of failed requests.
    pub share: f64,
    /// The number of failed requests in a row at the end.
    pub last_in_a_row: usize,
    /// The kinds of failures, the most frequent ones first.
    pub kinds: Vec<FailureCount>,
    /// The runs with failures, if each value summarizes a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<FailedRuns>,
}

/// How failed requests are distributed over runs of which only summaries are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FailedRuns {
    /// The number of runs whose failures are known.
    pub count: usize,
    /// The number of runs with a failed request.
    pub with_failures: usize,
    /// The number of runs in which every request failed.
    pub all_failed: usize,
}

/// A kind of failure and how often it occurred.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FailureCount {
    /// What failed.
    pub label: String,
    /// How often.
    pub count: usize,
    /// The message of the first such failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

/// A change of the share of failed requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct ShareChange {
    /// Position of the first request after the change.
    pub(super) at: usize,
    /// The interval of that position, both ends included.
    pub(super) interval: [usize; 2],
    pub(super) before: f64,
    pub(super) after: f64,
    pub(super) p: f64,
}

/// What the requests of a series say about failures.
#[derive(Default)]
pub(super) struct Found {
    pub(super) failures: Option<Failures>,
    pub(super) changes: Vec<ShareChange>,
    pub(super) is_failing: bool,
    pub(super) is_judged: bool,
}

impl Found {
    /// Judges the failures at this level, in the order of the runs and of their requests.
    pub(super) fn of(series: &Series, level: f64) -> Self {
        if series.of_runs {
            return super::run_failures::found(series, level);
        }
        let failed = indicator(series);
        let requests = failed.len();
        let count = failed.iter().filter(|&&failed| failed).count();
        let is_judged = requests >= MIN_VALUES;
        if count == 0 {
            return Self { failures: None, changes: Vec::new(), is_failing: false, is_judged };
        }
        let order = order_of_runs(series, requests);
        let in_order: Vec<bool> = order.iter().map(|&request| failed[request]).collect();
        let found = share_changes(&in_order, level);
        let last_in_a_row = in_order.iter().rev().take_while(|failed| **failed).count();
        let is_failing =
            2 * count >= requests || found.last().is_some_and(|last| last.after >= 0.5) || last_in_a_row >= IN_A_ROW;
        let changes = found
            .into_iter()
            .map(|change| ShareChange {
                at: order[change.at],
                interval: change.interval.map(|place| order[place.min(requests - 1)]),
                ..change
            })
            .collect();
        let failures = Failures {
            count,
            requests,
            share: float(count) / float(requests),
            last_in_a_row,
            kinds: failure_counts(series),
            runs: None,
        };
        Self { failures: Some(failures), changes, is_failing, is_judged }
    }
}

/// For each request, whether it failed. An error rate of zeros and ones says it with its values.
pub(super) fn indicator(series: &Series) -> Vec<bool> {
    let is_rate = series.measure == Measure::Metric(Metric::ErrorRate) && !series.of_runs;
    let is_flag = |value: &f64| *value == 0.0 || *value == 1.0;
    if is_rate && series.values.iter().all(is_flag) {
        return series.values.iter().map(|&value| value > 0.0).collect();
    }
    (0..series.values.len()).map(|index| series.observations.failed(index)).collect()
}

/// The requests, run by run.
fn order_of_runs(series: &Series, requests: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..requests).collect();
    if series.sources.len() > 1 {
        let rank = super::runs::order(series);
        order.sort_by_key(|&request| rank.get(series.observations.source(request)).copied());
    }
    order
}

/// Where the share of failures changes: places that the search by ranks finds, which allows for bursts, and that the exact
/// test of rare events confirms.
fn share_changes(failed: &[bool], level: f64) -> Vec<ShareChange> {
    let values: Vec<f64> = failed.iter().map(|&failed| if failed { 1.0 } else { 0.0 }).collect();
    let Ok(sample) = Sample::new(values) else { return Vec::new() };
    if failed.len() < MIN_VALUES {
        return Vec::new();
    }
    let ChangeSearch { changes: found, inflation, .. } = search_changes(&sample, FEWEST, level);
    let intervals = intervals(sample.values(), &places(&found), inflation);
    let described = found.iter().zip(rare::divisions(failed, &found)).zip(intervals);
    let confirmed = described.map(|((change, division), interval)| {
        let rare::Division { before, after, p } = division;
        ShareChange { at: change.at, interval, before, after, p: change.p.max(p) }
    });
    confirmed.filter(|change| change.p <= level).collect()
}

/// The most frequent kinds of failures of a series.
pub(crate) fn failure_counts(series: &Series) -> Vec<FailureCount> {
    let mut kinds: Vec<FailureCount> = Vec::new();
    for (index, _) in indicator(series).into_iter().enumerate().filter(|(_, failed)| *failed) {
        let Some(kind) = series.observations.failure(index) else { continue };
        match kinds.iter_mut().find(|known| known.label == kind.label) {
            Some(known) => known.count += 1,
            None => kinds.push(FailureCount { label: kind.label.clone(), count: 1, example: kind.example.clone() }),
        }
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.count));
    kinds.truncate(MOST_KINDS);
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_found_at_its_first_failure() {
        let failed: Vec<bool> = (0..300).map(|i| i >= 280).collect();
        let found = share_changes(&failed, 0.0025);
        assert_eq!(found.iter().map(|change| (change.at, change.after)).collect::<Vec<_>>(), [(280, 1.0)]);
    }

    #[test]
    fn a_constant_share_does_not_change() {
        let failed: Vec<bool> = (0..300).map(|i| i * 7919 % 100 < 10).collect();
        assert_eq!(share_changes(&failed, 0.0025), []);
    }
}
