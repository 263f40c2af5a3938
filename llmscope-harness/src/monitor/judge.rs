//! Judging the results of one endpoint as they come.

use jiff::Timestamp;
use llmscope_core::analysis::{Baseline, MIN_POINTS};
use llmscope_core::chart::individuals;
use llmscope_core::session::RequestRecord;
use llmscope_core::{Metric, Monitor, RuleSet, Sample, Side, SigmaEstimator, Standards};
use serde::Serialize;

use super::alarm::{Alarm, Change, Notice, NoticeKind};
use super::{Judging, Watched};
use crate::error::{Error, Result};

/// Frozen limits of an individuals chart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Limits {
    /// Lower control limit, not below what the metric can be.
    pub lower: f64,
    /// Center line.
    pub center: f64,
    /// Upper control limit.
    pub upper: f64,
    /// Within sigma.
    pub sigma: f64,
}

impl Limits {
    fn new(metric: Metric, center: f64, sigma: f64) -> Self {
        let lowest = metric.bounds().lower.unwrap_or(f64::NEG_INFINITY);
        Self { lower: (center - 3.0 * sigma).max(lowest), center, upper: center + 3.0 * sigma, sigma }
    }

    /// Limits from results, without those that lie beyond the limits of all (phase I, once revised: Montgomery 2013,
    /// section 6.2). `None` without variation or for too few results.
    fn learned(metric: Metric, values: &[f64]) -> Option<(Self, Standards, usize)> {
        let of = |values: &[f64]| {
            let sample = Sample::new(values).ok()?;
            let standards = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange).ok()?.standards;
            let sigma = standards.within?.sigma;
            (sigma > 0.0).then(|| (Self::new(metric, standards.center, sigma), standards))
        };
        let (first, standards) = of(values)?;
        let kept: Vec<f64> = values.iter().copied().filter(|x| (first.lower..=first.upper).contains(x)).collect();
        let left_out = values.len() - kept.len();
        let (limits, standards) = if left_out == 0 { (first, standards) } else { of(&kept)? };
        Some((limits, standards, left_out))
    }
}

/// Judges the results of one endpoint.
#[derive(Debug)]
pub struct Judge {
    endpoint: String,
    metrics: Vec<MetricJudge>,
    recover_after: usize,
    failures_to_alarm: usize,
    failures: usize,
}

#[derive(Debug)]
struct MetricJudge {
    metric: Metric,
    rules: RuleSet,
    state: State,
    alarm: Alarm,
}

#[derive(Debug)]
enum State {
    Learning { values: Vec<f64>, need: usize },
    Watching { monitor: Box<Monitor>, limits: Limits },
}

impl Judge {
    /// A judge of an endpoint's results, with the limits that were frozen for it or with none.
    ///
    /// # Errors
    /// [`Error::Core`] for limits that are none; [`Error::Setting`] if it would learn from next to nothing.
    pub fn new(watched: &Watched, judging: &Judging) -> Result<Self> {
        if judging.learn < MIN_POINTS {
            return Err(Error::Setting {
                name: "--learn",
                value: judging.learn.to_string(),
                expected: format!("expected at least {MIN_POINTS} results: fewer make no limits"),
            });
        }
        let metrics = judging.metrics.iter().map(|&metric| {
            let frozen = judging.baselines.iter().find(|baseline| fits(baseline, watched, metric));
            let state = match frozen {
                None => State::Learning { values: Vec::new(), need: judging.learn },
                Some(baseline) => {
                    let sigma = baseline.standards.within.map_or(0.0, |within| within.sigma);
                    State::watching(&judging.rules, Limits::new(metric, baseline.standards.center, sigma))?
                }
            };
            Ok(MetricJudge { metric, rules: judging.rules.clone(), state, alarm: Alarm::default() })
        });
        Ok(Self {
            endpoint: watched.name.clone(),
            metrics: metrics.collect::<Result<_>>()?,
            recover_after: judging.recover_after,
            failures_to_alarm: judging.failures.max(1),
            failures: 0,
        })
    }

    /// Judges one result, and says what is new.
    pub fn push(&mut self, record: &RequestRecord) -> Vec<Notice> {
        let at = record.started_at.unwrap_or_else(Timestamp::now);
        let kinds = if record.succeeded() { self.judge(record) } else { self.note_failure(record) };
        kinds.into_iter().map(|kind| Notice { at, endpoint: self.endpoint.clone(), kind }).collect()
    }

    fn note_failure(&mut self, record: &RequestRecord) -> Vec<NoticeKind> {
        self.failures += 1;
        for judge in &mut self.metrics {
            // No run goes on across a request that has no latency.
            if let State::Watching { monitor, .. } = &mut judge.state {
                monitor.gap();
            }
        }
        if self.failures != self.failures_to_alarm {
            return Vec::new();
        }
        let (error, message) = record
            .error
            .as_ref()
            .map_or_else(Default::default, |error| (error.kind.clone(), error.message.clone().unwrap_or_default()));
        vec![NoticeKind::Failing { error, message, failures: self.failures }]
    }

    fn judge(&mut self, record: &RequestRecord) -> Vec<NoticeKind> {
        let failures = std::mem::take(&mut self.failures);
        let mut kinds = Vec::new();
        if failures >= self.failures_to_alarm {
            kinds.push(NoticeKind::Answering { failures });
        }
        for judge in &mut self.metrics {
            if let Some(value) = record.metric(judge.metric).filter(|value| value.is_finite()) {
                kinds.extend(judge.push(value, self.recover_after));
            }
        }
        kinds
    }
}

fn fits(baseline: &Baseline, watched: &Watched, metric: Metric) -> bool {
    let agrees = |name: &str, value: &str| baseline.group.get(name).is_none_or(|known| known == value);
    baseline.metric == metric.name()
        && baseline.standards.within.is_some()
        && agrees("provider", &watched.target.provider)
        && agrees("model", &watched.target.model)
}

impl State {
    fn watching(rules: &RuleSet, limits: Limits) -> Result<Self> {
        let monitor = Monitor::new(rules.clone(), limits.center, limits.sigma)?;
        Ok(Self::Watching { monitor: Box::new(monitor), limits })
    }
}

impl MetricJudge {
    fn push(&mut self, value: f64, recover_after: usize) -> Option<NoticeKind> {
        match &mut self.state {
            State::Learning { values, need } => {
                values.push(value);
                if values.len() < *need {
                    return None;
                }
                let results = values.len();
                let (limits, standards, left_out) = Limits::learned(self.metric, values)?;
                self.state = State::watching(&self.rules, limits).ok()?;
                Some(NoticeKind::Learned { metric: self.metric, limits, standards, results, left_out })
            }
            State::Watching { monitor, limits } => {
                let signals = monitor.push(value).map(<[_]>::to_vec).unwrap_or_default();
                match self.alarm.push(!signals.is_empty(), recover_after) {
                    Change::None => None,
                    Change::Cleared(results) => Some(NoticeKind::Recovery { metric: self.metric, value, results }),
                    Change::Raised => {
                        let code = |rule: usize| self.rules.rules()[rule].code().to_string();
                        let rules = signals.iter().map(|signal| code(signal.rule)).collect();
                        let side =
                            signals.iter().map(|signal| signal.side).reduce(|a, b| if a == b { a } else { Side::Both });
                        let (metric, side) = (self.metric, side.unwrap_or(Side::Both));
                        Some(NoticeKind::Violation { metric, rules, side, value, limits: *limits })
                    }
                }
            }
        }
    }
}
