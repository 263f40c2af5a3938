//! The settings of watches and alarms, and frozen limits.

use llmscope_core::analysis::Baseline;
use llmscope_core::watch::{AlarmWatch, Promise, Watch};
use llmscope_core::{Metric, RuleSet, Standards, TpotDefinition, Transform};

use crate::alarms::AlarmSettings;
use crate::series::Source;

/// What raises an alarm, and gives a series its verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum AlarmKind {
    /// A shift of a metric, or more failed requests, at a stated rate of false alarms.
    Shift(Promise),
    /// Violations of rules.
    Rules,
    /// Nothing does; violations of rules give the verdict.
    Nothing,
}

/// How values are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct WatchSettings {
    /// The metrics to judge.
    pub metrics: Vec<Metric>,
    /// What raises an alarm.
    pub alarm: AlarmKind,
    /// The rules whose violations are stored and drawn.
    pub rules: RuleSet,
    /// The number of values to learn limits from, and of requests that alarms learn from.
    pub learn: usize,
    /// The transformation on whose scale limits are learned.
    pub transform: Transform,
    /// The most series. Values of further ones are stored and not judged.
    pub max_series: usize,
}

impl Default for WatchSettings {
    /// Judges time to first token, end-to-end latency and time per output token: shifts raise alarms, of which one a week is
    /// false. Nelson's eight rules are drawn, with limits from the first 100 values.
    fn default() -> Self {
        Self {
            metrics: Metric::DEFAULT.to_vec(),
            alarm: AlarmKind::Shift(Promise::WEEKLY),
            rules: RuleSet::nelson(),
            learn: 100,
            transform: Transform::None,
            max_series: Self::MAX_SERIES,
        }
    }
}

impl WatchSettings {
    /// The default number of series: 1,666 models with three metrics each.
    pub const MAX_SERIES: usize = 5000;

    /// Refuses too few values to learn from.
    pub(crate) fn check(&self) -> llmscope_core::Result<()> {
        if let AlarmKind::Shift(promise) = self.alarm {
            AlarmWatch::new(&self.metrics, promise, self.learn)?;
        }
        self.metrics.iter().try_for_each(|&metric| self.watch(metric, None).map(drop))
    }

    /// The settings of alarms about shifts; `None` if shifts raise none.
    pub(super) fn alarms(&self) -> Option<AlarmSettings> {
        let AlarmKind::Shift(false_alarms) = self.alarm else { return None };
        Some(AlarmSettings { metrics: self.metrics.clone(), false_alarms, learn: self.learn })
    }

    /// Creates a watch with the limits of a study, or one that learns its limits.
    pub(super) fn watch(&self, metric: Metric, study: Option<Study>) -> llmscope_core::Result<Watch> {
        let (bounds, rules) = (metric.bounds(), self.rules.clone());
        match study {
            Some(study) => Watch::frozen(bounds, rules, study.standards),
            None => Ok(Watch::learning(bounds, rules, self.learn)?.on_scale(self.transform)),
        }
    }
}

/// Frozen limits, and the number of values that they are based on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Study {
    pub(crate) standards: Standards,
    pub(crate) points: usize,
}

impl Study {
    /// The baseline among these that applies to a metric of a source, in this definition. Baselines without a within sigma, such as those
    /// of counts, do not apply.
    pub(crate) fn among(
        baselines: &[Baseline],
        source: &Source,
        metric: Metric,
        definition: TpotDefinition,
    ) -> Option<Self> {
        let fits = |baseline: &&Baseline| {
            let is_defined = baseline.tpot_definition == definition && baseline.standards.within.is_some();
            is_defined && names(baseline, source, metric)
        };
        let found = baselines.iter().find(fits)?;
        Some(Self { standards: found.standards, points: found.n })
    }
}

/// True if a baseline applies to a metric of a source. A group without a provider or model matches any.
fn names(baseline: &Baseline, source: &Source, metric: Metric) -> bool {
    let agrees = |(name, value): (&String, &String)| match name.as_str() {
        "provider" => *value == source.provider,
        "model" => Some(value) == source.model.as_ref(),
        _ => false,
    };
    baseline.metric == metric.name() && baseline.group.iter().all(agrees)
}
