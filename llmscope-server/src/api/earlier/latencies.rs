//! The latencies of a time, and the chart that they are judged on.

use jiff::Timestamp;
use llmscope_core::chart::individuals;
use llmscope_core::rules::Judgement;
use llmscope_core::stats::{Moments, QuantileMethod, Sorted};
use llmscope_core::{Chart, Metric, RuleSet, Sample, SigmaEstimator, Standards};

use super::super::problem::Problem;
use crate::store::{Filter, Measurements, Store};

/// The latencies of requests that succeeded, in time order.
pub(super) struct Latencies {
    pub(super) at_ns: Vec<i64>,
    pub(super) values_s: Vec<f64>,
    /// Requests that failed.
    pub(super) failed: usize,
    /// Frozen limits, if all are of one series that has some.
    frozen: Option<Standards>,
}

impl Latencies {
    /// What the store has.
    pub(super) fn of(store: &dyn Store, filter: &Filter) -> Result<Self, Problem> {
        let sources = store.measurements(filter, Metric::E2e)?;
        let frozen = match &sources[..] {
            [one] => frozen(store, one)?,
            _ => None,
        };
        let failed = sources.iter().map(|source| source.failed.iter().filter(|&&failed| failed).count()).sum();
        let each = sources.iter().flat_map(|source| source.at_ns.iter().zip(&source.values));
        let mut known: Vec<(i64, f64)> = each.filter_map(|(at, value)| Some(((*at)?, (*value)?))).collect();
        // Stable: requests of one moment keep the order in which they were kept.
        known.sort_by_key(|(at, _)| *at);
        // A latency that has no place on the scale of the limits is none that they could be about.
        if let Some(power) = frozen.as_ref().and_then(|frozen: &Standards| frozen.transform) {
            known.retain(|&(_, value)| power.apply(value).is_some());
        }
        let (at_ns, values_s) = known.into_iter().unzip();
        Ok(Self { at_ns, values_s, failed, frozen })
    }

    /// Their control chart: against frozen limits where there are some, else against their own, which are those of the
    /// within sigma and not of the spread of all. `None` for fewer than two.
    pub(super) fn chart(&self) -> Result<Option<Chart<'_>>, Problem> {
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

    /// What Nelson's eight rules say of the chart. Where all latencies are equal there is nothing to say.
    pub(super) fn judged(chart: &Chart<'_>) -> Result<Judgement, Problem> {
        let rules = if chart.is_degenerate() { RuleSet::none() } else { RuleSet::nelson() };
        Ok(chart.judge(&rules)?)
    }

    /// Their figures, with the limits of their chart if they make one.
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

/// What is told of latencies, in seconds; 0 where there are none.
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

fn frozen(store: &dyn Store, of: &Measurements) -> Result<Option<Standards>, Problem> {
    let all = store.series()?;
    let own = all.iter().find(|s| s.state.source.id == of.source.id && s.state.name.metric == Metric::E2e);
    Ok(own.and_then(|series| series.state.memory.watch.standards()))
}

/// So many hours ago.
pub(super) fn hours_ago(hours: u32) -> Timestamp {
    Timestamp::now() - jiff::SignedDuration::from_hours(hours.into())
}
