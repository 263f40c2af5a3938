//! The limits by default: those of the last stage, without its outliers, on the scale that suits the quantity.

use std::ops::Range;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{MIN_POINTS, outliers};
use crate::chart::{Chart, Phase, individuals};
use crate::error::Result;
use crate::metric::Unit;
use crate::sample::Sample;
use crate::sigma::SigmaEstimator;
use crate::stats;
use crate::transform::PowerTransform;

/// A model whose criterion of Akaike is larger by more than this has "essentially no support" (Burnham & Anderson 2002, *Model
/// Selection and Multimodel Inference*, ch. 2.6).
const NO_SUPPORT: f64 = 10.0;

/// The measurements from which the limits, the within sigma and the capability come by default: the last stage without its
/// outliers. The rules judge the points of this stage.
///
/// A stage begins where the level or the dispersion changes, and with each run of a series of several runs. If the last one
/// has fewer than 10 measurements, the limits are those of all of them. Outliers are farther from the median than 0.01 of as
/// many normal values are by chance, by the median absolute deviation, and at most 5 % of the stage.
///
/// Limits of durations are those of the logarithms. They are not, if a value is not positive, or if a normal distribution
/// describes the stage clearly better than a lognormal one: by more than 10 in Akaike's criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Basis {
    /// The first point of the stage.
    pub first: usize,
    /// The last point of the stage.
    pub last: usize,
    /// The time of the first point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The number of measurements, without the outliers.
    pub n: usize,
    /// The number of outliers, which the rules judge, but which do not affect the limits.
    pub outliers: usize,
}

/// The last stage of a sample.
pub(super) struct LastStage {
    pub(super) points: Range<usize>,
    /// The logarithm for durations, unless a value is not positive or a normal distribution describes them clearly better.
    pub(super) power: Option<PowerTransform>,
    /// The measurements of the stage without its outliers, which become gaps.
    kept: Sample<'static>,
}

impl LastStage {
    /// `stages` are those of the answer, the last one last.
    pub(super) fn of(unit: Unit, sample: &Sample<'_>, stages: &[Range<usize>]) -> Result<Self> {
        let points = stages.last().filter(|stage| stage.len() >= MIN_POINTS).cloned();
        let points = points.unwrap_or(0..sample.len());
        let stage = sample.slice(points.clone());
        let has_logarithms = || sample.values().iter().all(|&x| PowerTransform::LOG.apply(x).is_some());
        if unit.is_duration() && has_logarithms() {
            let power = Some(PowerTransform::LOG);
            let kept = without_outliers(&stage, power)?;
            let is_clearly_worse = PowerTransform::log_disadvantage(kept.values()) > NO_SUPPORT;
            if !is_clearly_worse {
                return Ok(Self { points, power, kept });
            }
        }
        let kept = without_outliers(&stage, None)?;
        Ok(Self { points, power: None, kept })
    }

    /// The number of measurements from which the limits are estimated.
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }

    /// These measurements on the scale of the limits.
    pub(super) fn scaled(&self) -> Vec<f64> {
        self.kept.values().iter().map(|&x| on_scale(self.power, x)).collect()
    }

    /// The chart of all measurements with the limits of the stage. Runs of points do not extend beyond the stage.
    pub(super) fn chart<'a>(&self, sample: &Sample<'a>) -> Result<Chart<'a>> {
        let estimated = individuals::estimate_on(&self.kept, SigmaEstimator::AverageMovingRange, self.power)?;
        let mut chart = individuals::monitor(&estimated.standards, sample)?;
        chart.phase = Phase::I;
        let ends = [self.points.start, self.points.end];
        chart.breaks.extend(ends.into_iter().filter(|&at| at > 0 && at < sample.len()));
        chart.breaks.sort_unstable();
        chart.breaks.dedup();
        Ok(chart)
    }

    pub(super) fn basis(&self, time: impl Fn(usize) -> Option<Timestamp>) -> Basis {
        let Range { start: first, end } = self.points;
        Basis { first, last: end - 1, t: time(first), n: self.kept.len(), outliers: end - first - self.kept.len() }
    }
}

fn on_scale(power: Option<PowerTransform>, x: f64) -> f64 {
    power.and_then(|power| power.apply(x)).unwrap_or(x)
}

/// The measurements without outliers on this scale.
fn without_outliers(stage: &Sample<'_>, power: Option<PowerTransform>) -> Result<Sample<'static>> {
    let scaled: Vec<f64> = stage.values().iter().map(|&x| on_scale(power, x)).collect();
    let median = stats::median(&scaled).unwrap_or(0.0);
    let residuals: Vec<f64> = scaled.iter().map(|x| x - median).collect();
    let distance = outliers::sigma(&residuals)
        .and_then(|sigma| outliers::distance(residuals.len(), sigma))
        .unwrap_or(f64::INFINITY);
    let is_outlier = |residual: &&f64| residual.abs() > distance;
    let count = residuals.iter().filter(is_outlier).count();
    let distance = if outliers::are_many(count, residuals.len()) { f64::INFINITY } else { distance };
    let (mut values, mut breaks, mut after_gap) = (Vec::with_capacity(stage.len()), Vec::new(), false);
    let mut gaps = stage.breaks().iter().copied().peekable();
    for (index, (&value, residual)) in stage.values().iter().zip(&residuals).enumerate() {
        after_gap |= gaps.next_if_eq(&index).is_some();
        if residual.abs() > distance {
            after_gap = true;
            continue;
        }
        if after_gap && !values.is_empty() {
            breaks.push(values.len());
        }
        after_gap = false;
        values.push(value);
    }
    Sample::new(values)?.with_breaks(breaks)
}
