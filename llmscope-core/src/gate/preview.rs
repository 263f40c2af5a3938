//! How many requests and runs a gate would need, before the candidate is measured.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::{GatePlan, Statistic};
use super::planning::Planning;
use super::runs::Runs;
use super::{Drafts, pairing};
use crate::analysis::Series;
use crate::error::Result;

/// The numbers of requests per run for which the number of runs is given.
const REQUESTS_PER_RUN: [u32; 7] = [100, 200, 500, 1000, 2000, 5000, 10_000];

/// The schema version of previews.
const SCHEMA: &str = "llmscope.gate-preview/1";

/// How many requests and runs per side decide, as far as the baseline shows: an unchanged candidate passes, and one that is
/// slower by twice the allowed shift fails, each four times out of five.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct GatePreview {
    /// The schema version: `llmscope.gate-preview/1`.
    pub schema: String,
    /// The probability of failing an unchanged candidate.
    pub alpha: f64,
    /// The number of comparisons that share alpha.
    pub family: usize,
    /// The largest allowed shift.
    pub max_shift: f64,
    /// One table for each group and metric.
    pub tables: Vec<PreviewTable>,
}

/// The numbers for one metric of one group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PreviewTable {
    /// The properties that the requests have in common.
    pub group: BTreeMap<String, String>,
    /// The metric or column.
    pub metric: String,
    /// The runs of the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
    /// The statistics, in the order of the numbers in each row.
    pub statistics: Vec<Statistic>,
    /// The rows.
    pub rows: Vec<PreviewRow>,
}

/// The runs per side that decide each statistic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PreviewRow {
    /// The number of requests of each run.
    pub requests_per_run: usize,
    /// The number of runs per side for each statistic; null if 200 runs are not enough, or if the baseline has too few
    /// requests to show it.
    pub runs: Vec<Option<usize>>,
}

/// Previews a gate against this baseline.
///
/// # Errors
/// Those of [`gate`](super::gate).
pub fn preview(baseline: &[Series], plan: &GatePlan) -> Result<GatePreview> {
    plan.check()?;
    let matched = pairing::matched(baseline, baseline)?;
    let drafts = Drafts::of(&matched, plan)?;
    let levels = drafts.levels(plan);
    let tables = drafts.shifts.iter().map(|draft| {
        let (statistics, plannings): (Vec<_>, Vec<_>) = draft.plannings(plan.max_shift, &levels).into_iter().unzip();
        PreviewTable {
            group: draft.series().group.clone(),
            metric: draft.series().measure.name().to_owned(),
            runs: draft.runs(),
            statistics,
            rows: REQUESTS_PER_RUN.into_iter().map(|requests| row(requests, &plannings)).collect(),
        }
    });
    let tables = tables.collect();
    Ok(GatePreview {
        schema: SCHEMA.to_owned(),
        alpha: plan.alpha,
        family: levels.family,
        max_shift: plan.max_shift,
        tables,
    })
}

fn row(requests_per_run: u32, plannings: &[Option<Planning>]) -> PreviewRow {
    let runs = |planning: &Option<Planning>| planning.as_ref()?.runs(f64::from(requests_per_run));
    PreviewRow { requests_per_run: requests_per_run as usize, runs: plannings.iter().map(runs).collect() }
}
