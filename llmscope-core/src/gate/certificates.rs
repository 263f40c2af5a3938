//! Whether the candidate meets the objectives of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::plan::GatePlan;
use crate::analysis::Series;
use crate::analysis::answer::{certified, unknown_metric};
use crate::error::Result;
use crate::metric::Metric;
use crate::objective::{Certificate, Objective};

/// The certificate of an objective for one group of the candidate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Certified {
    /// The properties that the requests have in common.
    pub group: BTreeMap<String, String>,
    /// The certificate.
    #[serde(flatten)]
    pub certificate: Certificate,
}

/// The certificates of the objectives of a run, for each group of these series.
///
/// # Errors
/// [`Error::Unknown`](crate::Error::Unknown) if no series has the metric of an objective.
pub(super) fn of(series: &[Series], plan: &GatePlan) -> Result<Vec<Certified>> {
    let mut certificates = Vec::new();
    for objective in plan.objectives.iter().filter(|objective| objective.allowed_share().is_some()) {
        let found = of_groups(*objective, series, plan)?;
        if found.is_empty() {
            return Err(unknown_metric(*objective, series));
        }
        certificates.extend(found);
    }
    Ok(certificates)
}

fn of_groups(objective: Objective, series: &[Series], plan: &GatePlan) -> Result<Vec<Certified>> {
    let mut certificates: Vec<Certified> = Vec::new();
    for series in series {
        // All metrics of a group have the same failed requests. Times per token of two definitions are judged apart.
        let is_judged_apart = objective.metric() == Metric::Tpot && series.is_part;
        let group = if is_judged_apart { series.labels() } else { series.group.clone() };
        if certificates.iter().any(|known| known.group == group) {
            continue;
        }
        let certificate = certified(objective, series, plan.missing, plan.alpha)?;
        certificates.extend(certificate.map(|certificate| Certified { group, certificate }));
    }
    Ok(certificates)
}
