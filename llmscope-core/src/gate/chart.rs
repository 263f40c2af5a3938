//! The candidate on the baseline's frozen control chart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::pairing::SeriesPair;
use super::plan::GatePlan;
use crate::analysis::answer::Since;
use crate::analysis::{Analysis, Baseline, Direction, Origin, Plan, Series, Verdict, analyze, charted};
use crate::chart::ChartKind;
use crate::error::Result;
use crate::limits::ControlLimits;

/// The candidate's requests on the control chart of the baseline's requests. For information only: on many points,
/// eight rules signal now and then even if nothing has changed, so the signals do not set the verdict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
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
pub(super) fn frozen(series: &SeriesPair<'_>, plan: &GatePlan) -> Result<Option<FrozenChart>> {
    let study = study(plan);
    let baseline = charted(series.baseline, &study)?;
    let Some(standards) = baseline.baseline() else { return Ok(None) };
    let frozen = Baseline { group: series.candidate.group.clone(), ..standards };
    let candidate = charted(series.candidate, &Plan { origin: Origin::Baseline(vec![frozen]), ..study })?;
    Ok(frozen_chart(&baseline, &candidate))
}

/// Where the candidate changed for the worse while it was measured, and the sentence about it.
pub(super) fn change(candidate: &Series, plan: &GatePlan) -> Result<Option<(Since, String)>> {
    let answer = analyze(candidate, &study(plan))?.answer;
    let is_worse = !matches!(answer.direction, Some(Direction::Better) | None);
    Ok(answer.since.filter(|_| is_worse).map(|since| (since, answer.text)))
}

fn study(plan: &GatePlan) -> Plan {
    Plan { rules: plan.rules.clone(), missing: plan.missing, ..Plan::default() }
}

fn frozen_chart(baseline: &Analysis, candidate: &Analysis) -> Option<FrozenChart> {
    let drawing = candidate.drawing.as_ref()?;
    let mut signals =
        candidate.patterns.violations.iter().flat_map(|violation| violation.signals()).collect::<Vec<usize>>();
    signals.sort_unstable();
    signals.dedup();
    Some(FrozenChart {
        chart: candidate.chart,
        limits: candidate.limits.clone(),
        baseline: baseline.patterns.verdict,
        candidate: candidate.patterns.verdict,
        points: drawing.chart.points.len(),
        signals: signals.len(),
        first_signal: signals.first().copied(),
        broken_rules: candidate.broken_rules(),
    })
}
