//! What the requests of a series say about the objectives of the call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Plan, Series};
use super::failures::indicator;
use super::sequence::run_count;
use crate::error::Result;
use crate::measure::Measure;
use crate::objective::{Certificate, CertificateStatus, Objective};
use crate::sample::Sample;

/// The share of requests that meet an objective of a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Goodput {
    /// The objective.
    pub objective: Objective,
    /// The share of all requests that succeeded within the limit.
    pub share: f64,
}

/// The certificates and the goodput of a series.
#[derive(Default)]
pub(super) struct Judged {
    pub(super) certificates: Vec<Certificate>,
    pub(super) goodput: Vec<Goodput>,
}

impl Judged {
    /// Judges the objectives that concern this series: those of its metric, and the share of failures.
    pub(super) fn of(series: &Series, sample: &Sample<'_>, plan: &Plan) -> Result<Self> {
        let mut judged = Self::default();
        let runs = run_count(series);
        for &objective in &plan.objectives {
            let is_own = series.measure == Measure::Metric(objective.metric());
            match objective {
                Objective::Errors { .. } if !series.of_runs => {
                    let failed = indicator(series).into_iter().map(|failed| if failed { 1.0 } else { 0.0 });
                    let failed = Sample::new(failed.collect::<Vec<f64>>())?;
                    judged.certificates.extend(objective.certify(&failed, runs, plan.alpha)?);
                }
                Objective::Quantile { .. } if is_own && !series.of_runs => {
                    judged.certificates.extend(objective.certify(sample, runs, plan.alpha)?);
                }
                Objective::Request { .. } if is_own => {
                    let values = series.values.iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
                    judged.goodput.extend(objective.met_share(values).map(|share| Goodput { objective, share }));
                }
                _ => {}
            }
        }
        Ok(judged)
    }

    /// True if too many requests fail for an objective.
    pub(super) fn has_too_many_failures(&self) -> bool {
        let is_missed = |certificate: &Certificate| {
            matches!(certificate.objective, Objective::Errors { .. }) && certificate.status == CertificateStatus::Missed
        };
        self.certificates.iter().any(is_missed)
    }
}
