//! Judges the results of one endpoint by rules, against frozen limits.

use llmscope_core::analysis::{Baseline, MIN_POINTS};
use llmscope_core::session::RequestRecord;
use llmscope_core::watch::{Step, Watch};
use llmscope_core::{Metric, Side, TpotDefinition};

use super::alarm::{Alarm, Change, MonitorEventKind};
use super::{MonitoredEndpoint, RuleAlarms};
use crate::error::{Error, Result};

/// Judges the results of one endpoint.
#[derive(Debug)]
pub(super) struct RuleJudge {
    metrics: Vec<MetricJudge>,
    recover_after: usize,
    failures_to_alarm: usize,
    failures: usize,
}

#[derive(Debug)]
struct MetricJudge {
    metric: Metric,
    watch: Watch,
    alarm: Alarm,
}

impl RuleJudge {
    /// A judge for an endpoint, with its frozen limits or, if there are none, with limits to learn.
    ///
    /// # Errors
    /// [`Error::Core`] for invalid limits; [`Error::Setting`] if there are too few results to learn from.
    pub(super) fn new(
        endpoint: &MonitoredEndpoint,
        metrics: &[Metric],
        learn: usize,
        alarms: &RuleAlarms,
    ) -> Result<Self> {
        if learn < MIN_POINTS {
            return Err(Error::Setting {
                name: "--learn",
                value: learn.to_string(),
                expected: format!("expected at least {MIN_POINTS} results, the minimum for limits"),
            });
        }
        let metrics = metrics.iter().map(|&metric| {
            let frozen = alarms.baselines.iter().find(|baseline| fits(baseline, endpoint, metric));
            let (bounds, rules) = (metric.bounds(), alarms.rules.clone());
            let watch = match frozen {
                None => Watch::learning(bounds, rules, learn)?.on_scale(alarms.transform),
                Some(baseline) => Watch::frozen(bounds, rules, baseline.standards)?,
            };
            Ok(MetricJudge { metric, watch, alarm: Alarm::default() })
        });
        Ok(Self {
            metrics: metrics.collect::<Result<_>>()?,
            recover_after: alarms.recover_after,
            failures_to_alarm: alarms.failures.max(1),
            failures: 0,
        })
    }

    /// Judges one result and returns the events that it causes.
    pub(super) fn push(&mut self, record: &RequestRecord) -> Vec<MonitorEventKind> {
        if record.succeeded() { self.judge_success(record) } else { self.judge_failure(record) }
    }

    fn judge_failure(&mut self, record: &RequestRecord) -> Vec<MonitorEventKind> {
        self.failures += 1;
        for judge in &mut self.metrics {
            // A failed request has no latency, so it interrupts a run of points.
            judge.watch.gap();
        }
        if self.failures != self.failures_to_alarm {
            return Vec::new();
        }
        let (error, message) = record
            .error
            .as_ref()
            .map_or_else(Default::default, |error| (error.kind.clone(), error.message.clone().unwrap_or_default()));
        vec![MonitorEventKind::Failing { error, message, failures: self.failures }]
    }

    fn judge_success(&mut self, record: &RequestRecord) -> Vec<MonitorEventKind> {
        let failures = std::mem::take(&mut self.failures);
        let mut kinds = Vec::new();
        if failures >= self.failures_to_alarm {
            kinds.push(MonitorEventKind::Answering { failures });
        }
        for judge in &mut self.metrics {
            if let Some(value) = record.metric(judge.metric) {
                kinds.extend(judge.push(value, self.recover_after));
            }
        }
        kinds
    }
}

fn fits(baseline: &Baseline, endpoint: &MonitoredEndpoint, metric: Metric) -> bool {
    let agrees = |name: &str, value: &str| baseline.group.get(name).is_none_or(|known| known == value);
    baseline.metric == metric.name()
        && (metric != Metric::Tpot || baseline.tpot_definition == TpotDefinition::CURRENT)
        && baseline.standards.within.is_some()
        && agrees("provider", &endpoint.target.provider)
        && agrees("model", &endpoint.target.model)
}

impl MetricJudge {
    fn push(&mut self, value: f64, recover_after: usize) -> Option<MonitorEventKind> {
        let metric = self.metric;
        if !self.watch.takes(value) {
            self.watch.gap();
            return None;
        }
        let signals = match self.watch.push(value).ok()? {
            Step::Learning { .. } => return None,
            Step::Learned { limits, standards, values: results, left_out } => {
                return Some(MonitorEventKind::Learned { metric, limits, standards, results, left_out });
            }
            Step::Judged { signals, .. } => signals,
        };
        match self.alarm.push(!signals.is_empty(), recover_after) {
            Change::None => None,
            Change::Cleared(results) => Some(MonitorEventKind::Recovery { metric, value, results }),
            Change::Raised => {
                let code = |rule: usize| self.watch.rules().rules()[rule].code().to_string();
                let rules = signals.iter().map(|signal| code(signal.rule)).collect();
                let side = signals.iter().map(|signal| signal.side).reduce(|a, b| if a == b { a } else { Side::Both });
                let (limits, side) = (self.watch.limits()?, side.unwrap_or(Side::Both));
                Some(MonitorEventKind::Violation { metric, rules, side, value, limits })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use llmscope_core::Sample;
    use llmscope_core::chart::individuals;
    use llmscope_core::sigma::SigmaEstimator;
    use llmscope_core::watch::Watch;

    use super::*;
    use crate::target::{Target, TargetOptions};
    use crate::vendor::{Simulation, VendorKind};

    fn endpoint() -> MonitoredEndpoint {
        let target = Target::new(VendorKind::Simulated, TargetOptions::default());
        MonitoredEndpoint {
            name: "simulated".to_owned(),
            target: target.unwrap_or_else(|error| panic!("{error}")),
            prompt: String::new(),
            output_tokens: None,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            simulation: Simulation::default(),
        }
    }

    /// The state of the watch of a metric with a baseline of this definition.
    fn watch(metric: Metric, tpot_definition: TpotDefinition) -> Watch {
        let values: Vec<f64> = (0..20).map(|i| 0.01 + f64::from(i % 5) * 1e-4).collect();
        let sample = Sample::new(values).unwrap_or_else(|error| panic!("{error}"));
        let chart = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange);
        let standards = chart.unwrap_or_else(|error| panic!("{error}")).standards;
        let (group, metric_name) = (std::collections::BTreeMap::new(), metric.name().to_owned());
        let baseline = Baseline { group, metric: metric_name, tpot_definition, n: 20, standards };
        let alarms = RuleAlarms { baselines: vec![baseline], ..RuleAlarms::default() };
        let judge = RuleJudge::new(&endpoint(), &[metric], 30, &alarms).unwrap_or_else(|error| panic!("{error}"));
        judge.metrics[0].watch.clone()
    }

    #[test]
    fn frozen_limits_of_a_former_definition_are_learned_again() {
        assert_eq!(watch(Metric::Tpot, TpotDefinition::FIRST).progress(), Some((0, 30)));
        assert_eq!(watch(Metric::Tpot, TpotDefinition::CURRENT).progress(), None);
        // No other metric has definitions.
        assert_eq!(watch(Metric::Ttft, TpotDefinition::FIRST).progress(), None);
    }
}
