//! How values are judged, and against whose limits.

use llmscope_core::analysis::Baseline;
use llmscope_core::watch::Watch;
use llmscope_core::{Metric, RuleSet, Standards, Transform};

use crate::series::Source;

/// How values are judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Judging {
    /// Metrics that are judged.
    pub metrics: Vec<Metric>,
    /// Rules that they are judged by.
    pub rules: RuleSet,
    /// Values to learn limits from.
    pub learn: usize,
    /// The scale that limits are learned on.
    pub transform: Transform,
}

impl Default for Judging {
    /// Time to first token, end-to-end latency and time per output token, by Nelson's eight rules, against limits from
    /// the first 100 values.
    fn default() -> Self {
        Self { metrics: Metric::DEFAULT.to_vec(), rules: RuleSet::nelson(), learn: 100, transform: Transform::None }
    }
}

impl Judging {
    /// Refuses to learn from next to nothing.
    pub(crate) fn check(&self) -> llmscope_core::Result<()> {
        self.metrics.iter().try_for_each(|&metric| self.watch(metric, None).map(drop))
    }

    /// A watch with these limits, or one that learns its own.
    pub(super) fn watch(&self, metric: Metric, study: Option<Study>) -> llmscope_core::Result<Watch> {
        let (bounds, rules) = (metric.bounds(), self.rules.clone());
        match study {
            Some(study) => Watch::frozen(bounds, rules, study.standards),
            None => Ok(Watch::learning(bounds, rules, self.learn)?.on_scale(self.transform)),
        }
    }
}

/// Frozen limits, and how many values they stand on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Study {
    pub(crate) standards: Standards,
    pub(crate) points: usize,
}

impl Study {
    /// The study of a metric of a source, if there is one among these. One of counts has no sigma of a single value.
    pub(crate) fn among(baselines: &[Baseline], source: &Source, metric: Metric) -> Option<Self> {
        let fits = |baseline: &&Baseline| baseline.standards.within.is_some() && names(baseline, source, metric);
        let found = baselines.iter().find(fits)?;
        Some(Self { standards: found.standards, points: found.n })
    }
}

/// True if limits are those of a metric of a source: what their group does not say may be anything.
fn names(baseline: &Baseline, source: &Source, metric: Metric) -> bool {
    let agrees = |(name, value): (&String, &String)| match name.as_str() {
        "provider" => *value == source.provider,
        "model" => Some(value) == source.model.as_ref(),
        _ => false,
    };
    baseline.metric == metric.name() && baseline.group.iter().all(agrees)
}
