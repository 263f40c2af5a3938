//! Limits that stay as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chart::{Standards, individuals};
use crate::error::{Error, Result};
use crate::limits::{ControlLimits, Line};
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
    /// [`Error::Parameter`] if they are those of counts, which have no sigma of a single measurement, and as
    /// [`individuals::estimate_transformed`].
    pub(super) fn of(bounds: Bounds, standards: &Standards) -> Result<Self> {
        let within = standards.within.ok_or_else(|| Error::Parameter {
            name: "frozen limits",
            value: format!("those of the {}", standards.chart.title()),
            expected: "those of a chart of measurements",
        })?;
        let (center, sigma) = (Line::Constant(standards.center), Line::Constant(within.sigma));
        let mut limits = ControlLimits::three_sigma(center, sigma);
        if let Some(power) = standards.transform {
            limits = limits.drawn_back(power)?;
        }
        let limits = limits.clamped_to(bounds);
        let [lower, center, upper] = [&limits.lower, &limits.center, &limits.upper].map(|line| line.at(0));
        Ok(Self { lower, center, upper, sigma: within.sigma, transform: standards.transform })
    }

    /// Limits from these values, without those that lie beyond the limits of all (phase I, once revised: Montgomery
    /// 2013, section 6.2); what they are drawn from; and how many values were left out. `None` without variation, for
    /// too few values, for values that cannot be transformed as they are to be, or where too few lie within the limits
    /// of all (those of two far levels may not).
    #[must_use]
    pub fn learned(bounds: Bounds, transform: Transform, values: &[f64]) -> Option<(Self, Standards, usize)> {
        let of_power = |values: &[f64], power: Option<PowerTransform>| {
            let (sample, estimator) = (Sample::new(values).ok()?, SigmaEstimator::AverageMovingRange);
            let chart = match power {
                None => individuals::estimate(&sample, estimator),
                Some(power) => individuals::estimate_transformed(&sample, estimator, power),
            };
            let standards = chart.ok()?.standards;
            (standards.within?.sigma > 0.0).then(|| Some((Self::of(bounds, &standards).ok()?, standards)))?
        };
        let power = transform.choose(values).ok()?;
        // Where values swing so much that a power has no value at the upper limit, the logarithm has.
        let of = |values| of_power(values, power).or_else(|| of_power(values, power.map(|_| PowerTransform::LOG)));
        let (first, standards) = of(values)?;
        let kept: Vec<f64> = values.iter().copied().filter(|x| (first.lower..=first.upper).contains(x)).collect();
        let left_out = values.len() - kept.len();
        let (limits, standards) = if left_out == 0 { (first, standards) } else { of(&kept)? };
        Some((limits, standards, left_out))
    }
}
