//! What the requests of a series say about the objectives of the call.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::{Plan, RunOrder, Series};
use super::failures::indicator;
use crate::capability::SpecificationLimits;
use crate::error::{Error, Result};
use crate::objective::{Certificate, CertificateStatus, Objective};
use crate::sample::{Missing, Sample};

/// The share of requests that meet an objective of a request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
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
                && objective.limits(&series.measure)
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

/// Refuses an objective that concerns none of these series. That of failed requests concerns all of them.
///
/// # Errors
/// [`Error::Unknown`] with the metrics of the series.
pub fn check_objectives(objectives: &[Objective], series: &[Series]) -> Result<()> {
    for objective in objectives {
        let is_judged = series.iter().any(|series| objective.limits(&series.measure));
        if !matches!(objective, Objective::Errors { .. }) && !is_judged {
            return Err(unknown_metric(*objective, series));
        }
    }
    Ok(())
}

/// The error for an objective whose metric no series has.
pub(crate) fn unknown_metric(objective: Objective, series: &[Series]) -> Error {
    let names = series.iter().map(|series| series.measure.name()).collect::<BTreeSet<_>>();
    Error::Unknown {
        what: "metric of the objective",
        name: objective.to_string(),
        expected: names.into_iter().collect::<Vec<_>>().join(", "),
    }
}

/// The limit of a request in these objectives, as an upper specification limit of the metric of a series.
///
/// # Errors
/// [`Error::Specification`] for a limit that is not finite.
pub fn limit_of_requests(objectives: &[Objective], series: &Series) -> Result<Option<SpecificationLimits>> {
    let limit = objectives.iter().find_map(|objective| match objective {
        Objective::Request { limit, .. } if objective.limits(&series.measure) => Some(*limit),
        _ => None,
    });
    limit.map(|limit| SpecificationLimits::new(None, Some(limit), None)).transpose()
}

/// The certificate of an objective of a run for a series of requests that it concerns.
pub(crate) fn certified(
    objective: Objective,
    series: &Series,
    missing: Option<Missing>,
    alpha: f64,
) -> Result<Option<Certificate>> {
    let is_own = objective.limits(&series.measure);
    match objective {
        _ if series.of_runs => Ok(None),
        Objective::Errors { .. } if series.observations.outcomes_unknown() && !is_own => {
            Ok(Some(objective.without_outcomes(series.values.len(), alpha)))
        }
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
