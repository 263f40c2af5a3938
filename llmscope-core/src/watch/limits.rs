//! Limits that stay as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chart::{Standards, individuals};
use crate::error::Result;
use crate::metric::Bounds;
use crate::sample::Sample;
use crate::sigma::SigmaEstimator;
use crate::transform::{PowerTransform, Transform};

/// Frozen limits of an individuals chart.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "FrozenLimits")]
pub struct Limits {
    /// Lower control limit, not below what the metric can be.
    pub lower: f64,
    /// Center line.
    pub center: f64,
    /// Upper control limit, not above what the metric can be.
    pub upper: f64,
    /// Within sigma; of the transformed values where there is a transformation.
    pub sigma: f64,
    /// The transformation on whose scale the limits stand three sigmas from the center line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<PowerTransform>,
}

impl Limits {
    /// The limits of these standards.
    ///
    /// # Errors
    /// Those of [`Standards::limits_of_single_measurements`].
    pub(super) fn of(bounds: Bounds, standards: &Standards) -> Result<Self> {
        let limits = standards.limits_of_single_measurements()?.clamped_to(bounds);
        let [lower, center, upper] = [&limits.lower, &limits.center, &limits.upper].map(|line| line.at(0));
        Ok(Self { lower, center, upper, sigma: limits.sigma.at(0), transform: standards.transform })
    }

    /// Limits from these values, without those that lie beyond the limits of all (phase I, once revised: Montgomery
    /// 2013, section 6.2); what they are drawn from; and how many values were left out. `None` without variation, for
    /// too few values, for values that cannot be transformed as they are to be, or where too few lie within the limits
    /// of all (those of two far levels may not).
    #[must_use]
    pub fn learned(bounds: Bounds, transform: Transform, values: &[f64]) -> Option<(Self, Standards, usize)> {
        let of = |values: &[f64]| {
            let (sample, estimator) = (Sample::new(values).ok()?, SigmaEstimator::AverageMovingRange);
            let standards = individuals::estimate_on(&sample, estimator, transform.choose(values)).ok()?.standards;
            (standards.within?.sigma > 0.0).then(|| Some((Self::of(bounds, &standards).ok()?, standards)))?
        };
        let (first, standards) = of(values)?;
        let kept: Vec<f64> = values.iter().copied().filter(|x| (first.lower..=first.upper).contains(x)).collect();
        let left_out = values.len() - kept.len();
        let (limits, standards) = if left_out == 0 { (first, standards) } else { of(&kept)? };
        Some((limits, standards, left_out))
    }
}
