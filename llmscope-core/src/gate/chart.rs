//! The candidate on the baseline's frozen control chart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pairing::Couple;
use super::plan::GatePlan;
use crate::analysis::{Baseline, Origin, Plan, Verdict, analyze};
use crate::chart::ChartKind;
use crate::error::Result;
use crate::limits::ControlLimits;

/// The candidate's requests on the control chart of the baseline's requests. For information only: on many points,
/// eight rules signal now and then even if nothing has changed, so the signals do not set the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FrozenChart {
    /// The chart.
    pub chart: ChartKind,
    /// The baseline's limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<ControlLimits>,
    /// Whether the baseline itself is in control.
    pub baseline: Verdict,
    /// Whether the candidate is in control within the baseline's limits.
    pub candidate: Verdict,
    /// The number of the candidate's points.
    pub points: usize,
    /// The number of points that signal.
    pub signals: usize,
    /// The 0-based position of the first signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_signal: Option<usize>,
    /// The violated rules with the number of violations: `nelson-1 ×3, nelson-5`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub broken_rules: String,
}

/// `None` if the baseline is too short for a chart.
pub(super) fn frozen(couple: &Couple<'_>, plan: &GatePlan) -> Result<Option<FrozenChart>> {
    let study = Plan { rules: plan.rules.clone(), missing: plan.missing, ..Plan::default() };
    let baseline = analyze(couple.baseline, &study)?;
    let Some(standards) = baseline.baseline() else { return Ok(None) };
    let frozen = Baseline { group: couple.candidate.group.clone(), ..standards };
    let candidate = analyze(couple.candidate, &Plan { origin: Origin::Baseline(vec![frozen]), ..study })?;
    let Some(drawing) = &candidate.drawing else { return Ok(None) };
    let mut signals =
        candidate.patterns.violations.iter().flat_map(|violation| violation.signals()).collect::<Vec<usize>>();
    signals.sort_unstable();
    signals.dedup();
    Ok(Some(FrozenChart {
        chart: candidate.chart,
        limits: candidate.limits.clone(),
        baseline: baseline.patterns.verdict,
        candidate: candidate.patterns.verdict,
        points: drawing.chart.points.len(),
        signals: signals.len(),
        first_signal: signals.first().copied(),
        broken_rules: candidate.broken_rules(),
    }))
}
