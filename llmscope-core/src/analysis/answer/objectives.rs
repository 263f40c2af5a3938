//! What the requests of a series say about the objectives of the call.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Plan, RunOrder, Series};
use super::failures::indicator;
use crate::error::Result;
use crate::measure::Measure;
use crate::objective::{Certificate, CertificateStatus, Objective};
use crate::sample::{Missing, Sample};

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
    pub(super) fn of(series: &Series, plan: &Plan) -> Result<Self> {
        let mut judged = Self::default();
        for &objective in &plan.objectives {
            judged.certificates.extend(certified(objective, series, plan.missing, plan.alpha)?);
            if let Objective::Request { .. } = objective
                && series.measure == Measure::Metric(objective.metric())
            {
                let values = series.values.iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
                judged.goodput.extend(objective.met_share(values).map(|share| Goodput { objective, share }));
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

/// The certificate of an objective of a run for a series of requests that it concerns.
pub(crate) fn certified(
    objective: Objective,
    series: &Series,
    missing: Option<Missing>,
    alpha: f64,
) -> Result<Option<Certificate>> {
    let is_own = series.measure == Measure::Metric(objective.metric());
    match objective {
        _ if series.of_runs => Ok(None),
        Objective::Errors { .. } => {
            let failed = indicator(series).into_iter().map(|failed| if failed { 1.0 } else { 0.0 });
            let sample = Sample::new(failed.collect::<Vec<f64>>())?;
            by_run(objective, series, &sample, |value| value, alpha)
        }
        Objective::Quantile { .. } if is_own => {
            let (sample, kept) = series.sample(missing)?;
            by_run(objective, series, &sample, |value| kept.at(value), alpha)
        }
        Objective::Quantile { .. } | Objective::Request { .. } => Ok(None),
    }
}

/// Certifies values whose observations are known, run by run.
fn by_run(
    objective: Objective,
    series: &Series,
    sample: &Sample<'_>,
    observation: impl Fn(usize) -> usize,
    alpha: f64,
) -> Result<Option<Certificate>> {
    let runs = RunOrder::of(sample.len(), |value| series.observations.source(observation(value)));
    let values: Vec<f64> = runs.order.iter().map(|&value| sample.values()[value]).collect();
    objective.certify(&Sample::new(values)?.with_breaks(runs.breaks(sample.breaks()))?, &runs.starts, alpha)
}
