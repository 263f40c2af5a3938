//! Judging the results of one endpoint as they come.

use jiff::Timestamp;
use llmscope_core::analysis::{Baseline, MIN_POINTS};
use llmscope_core::session::RequestRecord;
use llmscope_core::watch::{Step, Watch};
use llmscope_core::{Metric, Side};

use super::alarm::{Alarm, Change, Notice, NoticeKind};
use super::{Judging, Watched};
use crate::error::{Error, Result};

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
    watch: Watch,
    alarm: Alarm,
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
            let (bounds, rules) = (metric.bounds(), judging.rules.clone());
            let watch = match frozen {
                None => Watch::learning(bounds, rules, judging.learn)?.on_scale(judging.transform),
                Some(baseline) => Watch::frozen(bounds, rules, baseline.standards)?,
            };
            Ok(MetricJudge { metric, watch, alarm: Alarm::default() })
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
            judge.watch.gap();
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
            if let Some(value) = record.metric(judge.metric) {
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

impl MetricJudge {
    fn push(&mut self, value: f64, recover_after: usize) -> Option<NoticeKind> {
        let metric = self.metric;
        if !self.watch.takes(value) {
            self.watch.gap();
            return None;
        }
        let signals = match self.watch.push(value).ok()? {
            Step::Learning { .. } => return None,
            Step::Learned { limits, standards, values: results, left_out } => {
                return Some(NoticeKind::Learned { metric, limits, standards, results, left_out });
            }
            Step::Judged { signals, .. } => signals,
        };
        match self.alarm.push(!signals.is_empty(), recover_after) {
            Change::None => None,
            Change::Cleared(results) => Some(NoticeKind::Recovery { metric, value, results }),
            Change::Raised => {
                let code = |rule: usize| self.watch.rules().rules()[rule].code().to_string();
                let rules = signals.iter().map(|signal| code(signal.rule)).collect();
                let side = signals.iter().map(|signal| signal.side).reduce(|a, b| if a == b { a } else { Side::Both });
                let (limits, side) = (self.watch.limits()?, side.unwrap_or(Side::Both));
                Some(NoticeKind::Violation { metric, rules, side, value, limits })
            }
        }
    }
}
