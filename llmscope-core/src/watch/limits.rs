//! Limits that stay as they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::chart::{Standards, individuals};
use crate::limits::LIMIT_MULTIPLE;
use crate::metric::Bounds;
use crate::sample::Sample;
use crate::sigma::SigmaEstimator;

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
    /// Within sigma.
    pub sigma: f64,
}

impl Limits {
    pub(super) fn new(bounds: Bounds, center: f64, sigma: f64) -> Self {
        let lower = (center - LIMIT_MULTIPLE * sigma).max(bounds.lower.unwrap_or(f64::NEG_INFINITY));
        let upper = (center + LIMIT_MULTIPLE * sigma).min(bounds.upper.unwrap_or(f64::INFINITY));
        Self { lower, center, upper, sigma }
    }

    /// Limits from these values, without those that lie beyond the limits of all (phase I, once revised: Montgomery
    /// 2013, section 6.2); what they are drawn from; and how many values were left out. `None` without variation, for
    /// too few values, or where too few lie within the limits of all (those of two far levels may not).
    #[must_use]
    pub fn learned(bounds: Bounds, values: &[f64]) -> Option<(Self, Standards, usize)> {
        let of = |values: &[f64]| {
            let sample = Sample::new(values).ok()?;
            let standards = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange).ok()?.standards;
            let sigma = standards.within?.sigma;
            (sigma > 0.0).then(|| (Self::new(bounds, standards.center, sigma), standards))
        };
        let (first, standards) = of(values)?;
        let kept: Vec<f64> = values.iter().copied().filter(|x| (first.lower..=first.upper).contains(x)).collect();
        let left_out = values.len() - kept.len();
        let (limits, standards) = if left_out == 0 { (first, standards) } else { of(&kept)? };
        Some((limits, standards, left_out))
    }
}
