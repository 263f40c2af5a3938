//! The latencies of a time range, and their control chart.

use jiff::Timestamp;
use llmscope_core::chart::individuals;
use llmscope_core::rules::Judgement;
use llmscope_core::stats::{Moments, QuantileMethod, Sorted};
use llmscope_core::{Chart, Metric, RuleSet, Sample, SigmaEstimator, Standards};

use super::super::api_error::ApiError;
use crate::store::{Filter, Measurements, Store};

/// The latencies of requests, in time order. As in the previous service, that of a failed request is the time until its
/// failure.
pub(super) struct Latencies {
    pub(super) at_ns: Vec<i64>,
    pub(super) values_s: Vec<f64>,
    /// The number of requests, with or without a latency.
    pub(super) requests: usize,
    /// The number of failed requests.
    pub(super) failed: usize,
    /// The frozen limits, if all latencies belong to one series that has them.
    frozen: Option<Standards>,
}

impl Latencies {
    /// Reads the latencies from the store.
    pub(super) fn of(store: &dyn Store, filter: &Filter) -> Result<Self, ApiError> {
        let filter = Filter { failures_have_latencies: true, ..filter.clone() };
        let sources = store.measurements(&filter, Metric::E2e)?;
        let frozen = match &sources[..] {
            [one] => frozen(store, one)?,
            _ => None,
        };
        let requests = sources.iter().map(|source| source.values.len()).sum();
        let failed = sources.iter().map(|source| source.failed.iter().filter(|&&failed| failed).count()).sum();
        let each = sources.iter().flat_map(|source| source.at_ns.iter().zip(&source.values));
        let mut known: Vec<(i64, f64)> = each.filter_map(|(at, value)| Some(((*at)?, (*value)?))).collect();
        // A stable sort: requests of the same time stay in the order in which they were stored.
        known.sort_by_key(|(at, _)| *at);
        // Frozen limits on a transformed scale cannot judge a latency that the transformation does not accept.
        if let Some(power) = frozen.as_ref().and_then(|frozen: &Standards| frozen.transform) {
            known.retain(|&(_, value)| power.apply(value).is_some());
        }
        let (at_ns, values_s) = known.into_iter().unzip();
        Ok(Self { at_ns, values_s, requests, failed, frozen })
    }

    /// The control chart of the latencies. Its limits are the frozen ones if there are any; otherwise they come from the
    /// average moving range of the latencies. `None` for fewer than two latencies.
    pub(super) fn chart(&self) -> Result<Option<Chart<'_>>, ApiError> {
        if self.values_s.len() < 2 {
            return Ok(None);
        }
        let sample = Sample::new(&self.values_s[..])?;
        let chart = match &self.frozen {
            Some(standards) => individuals::monitor(standards, &sample)?,
            None => individuals::estimate(&sample, SigmaEstimator::AverageMovingRange)?,
        };
        Ok(Some(chart.with_bounds(Metric::E2e.bounds())))
    }

    /// Judges the chart by Nelson's eight rules, or by no rules if all latencies are equal.
    pub(super) fn judged(chart: &Chart<'_>) -> Result<Judgement, ApiError> {
        let rules = if chart.is_degenerate() { RuleSet::none() } else { RuleSet::nelson() };
        Ok(chart.judge(&rules)?)
    }

    /// Statistics of the latencies, with the limits of their chart if there is one.
    pub(super) fn figures(&self, chart: Option<&Chart<'_>>) -> Figures {
        let (moments, sorted) = (Moments::of(&self.values_s), Sorted::of(&self.values_s));
        let quantile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7).unwrap_or(0.0);
        let mean = moments.mean().unwrap_or(0.0);
        Figures {
            mean,
            standard_deviation: moments.standard_deviation().unwrap_or(0.0),
            p50: quantile(0.5),
            p95: quantile(0.95),
            p99: quantile(0.99),
            min: quantile(0.0),
            max: quantile(1.0),
            ucl: chart.map_or(mean, |chart| chart.limits.upper.at(0)),
            lcl: chart.map_or(mean, |chart| chart.limits.lower.at(0)),
        }
    }
}

/// Statistics of latencies in seconds; 0 if there are none.
pub(super) struct Figures {
    pub(super) mean: f64,
    pub(super) standard_deviation: f64,
    pub(super) p50: f64,
    pub(super) p95: f64,
    pub(super) p99: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) ucl: f64,
    pub(super) lcl: f64,
}

fn frozen(store: &dyn Store, of: &Measurements) -> Result<Option<Standards>, ApiError> {
    let all = store.series()?;
    let own = all.iter().find(|s| s.state.source.id == of.source.id && s.state.name.metric == Metric::E2e);
    Ok(own.and_then(|series| series.state.memory.watch.standards()))
}

/// The time `hours` hours ago.
pub(super) fn hours_ago(hours: u32) -> Timestamp {
    Timestamp::now() - jiff::SignedDuration::from_hours(hours.into())
}
