//! Frozen limits.

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
    /// Lower control limit, clamped to the bounds of the metric.
    pub lower: f64,
    /// Center line.
    pub center: f64,
    /// Upper control limit, clamped to the bounds of the metric.
    pub upper: f64,
    /// Within sigma; with a transformation, sigma of the transformed values.
    pub sigma: f64,
    /// The transformation, if any. On its scale, the limits are three sigmas from the center line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transform: Option<PowerTransform>,
}

impl Limits {
    /// The limits of these standards.
    ///
    /// # Errors
    /// The errors of [`Standards::limits_of_single_measurements`].
    pub(super) fn of(bounds: Bounds, standards: &Standards) -> Result<Self> {
        let limits = standards.limits_of_single_measurements()?.clamped_to(bounds);
        let [lower, center, upper] = [&limits.lower, &limits.center, &limits.upper].map(|line| line.at(0));
        Ok(Self { lower, center, upper, sigma: limits.sigma.at(0), transform: standards.transform })
    }

    /// Limits estimated from the values that are inside the limits of all values (phase I with one revision: Montgomery
    /// 2013, section 6.2), with their standards and the number of excluded values. `None` without variation, for too
    /// few values, for values that cannot be transformed as requested, or if too few values are inside the limits of
    /// all (which can happen with two distant levels).
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
