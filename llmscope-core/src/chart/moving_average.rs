//! The moving average: each point is the mean of the last few measurements.

use super::{Chart, ChartKind, Phase, Standards, wrong_chart};
use crate::cast::float;
use crate::error::{Error, Result};
use crate::limits::{ControlLimits, Line};
use crate::sample::{Sample, segments};
use crate::sigma::SigmaEstimator;
use crate::stats::mean;
use crate::transform::PowerTransform;

/// The default span.
pub const SPAN: usize = 5;
/// For a longer memory, use stages.
const LONGEST_SPAN: usize = 1000;

/// Phase I: Mᵢ = (xᵢ + xᵢ₋₁ + … + xᵢ₋w₊₁)/w with limits x̄ ± 3σ̂/√w. The means before `span` = w measurements have
/// fewer measurements and wider limits accordingly (Montgomery, *Introduction to Statistical Quality Control*, ch.
/// 9.3). After a gap the average restarts.
///
/// # Errors
/// [`Error::Parameter`] unless the span is from 1 to 1000; those of
/// [`individuals::estimate`](super::individuals::estimate).
///
/// ```
/// use llmscope_core::{Sample, SigmaEstimator, chart::moving_average};
///
/// let sample = Sample::new(vec![0.31, 0.29, 0.30, 0.32])?;
/// let chart = moving_average::estimate(&sample, SigmaEstimator::AverageMovingRange, 2)?;
/// assert!((chart.points[1] - 0.30).abs() < 1e-15);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias = "rolling mean")]
pub fn estimate(sample: &Sample<'_>, estimator: SigmaEstimator, span: usize) -> Result<Chart<'static>> {
    estimate_on(sample, estimator, span, None)
}

/// Phase I with a transformation: the mean of the transformed measurements, converted back to their unit together with its
/// limits. With the logarithm, it is a geometric mean. Without a transformation, this function equals [`estimate`].
///
/// # Errors
/// The errors of [`estimate`]; [`Error::NotPositive`] for a measurement that cannot be transformed.
pub fn estimate_on(
    sample: &Sample<'_>,
    estimator: SigmaEstimator,
    span: usize,
    transform: Option<PowerTransform>,
) -> Result<Chart<'static>> {
    let standards = Standards::estimated(ChartKind::MovingAverage, sample, estimator, transform)?;
    chart(Phase::I, Standards { span: Some(span), ..standards }, sample)
}

/// Phase II: judges new data against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart; [`Error::NotPositive`] for a measurement that
/// cannot be transformed.
///
/// ```
/// use llmscope_core::{ChartKind, Sample, SigmaEstimate, Standards, chart::moving_average};
///
/// let known = Standards::of_measurements(ChartKind::MovingAverage, 10.0, SigmaEstimate::given(1.0)?)?;
/// let standards = Standards { span: Some(4), ..known };
/// let chart = moving_average::monitor(&standards, &Sample::new(vec![10.0, 12.0, 10.0, 12.0, 14.0])?)?;
/// assert_eq!(chart.points[4], 12.0);
/// assert_eq!(chart.limits.upper.at(4), 11.5); // 10 + 3/√4
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor(standards: &Standards, sample: &Sample<'_>) -> Result<Chart<'static>> {
    chart(Phase::II, *standards, sample)
}

fn chart(phase: Phase, standards: Standards, sample: &Sample<'_>) -> Result<Chart<'static>> {
    let sigma = standards.within_for(ChartKind::MovingAverage)?.sigma;
    let span = standards.span.ok_or_else(|| wrong_chart(standards.chart, "moving-average, with its span"))?;
    if !(1..=LONGEST_SPAN).contains(&span) {
        return Err(Error::Parameter { name: "span", value: span.to_string(), expected: "1 to 1000 points" });
    }
    let transformed = standards.transformed(sample)?;
    let sample = transformed.as_ref().unwrap_or(sample);
    let (mut points, mut sigmas) = (Vec::with_capacity(sample.len()), Vec::with_capacity(sample.len()));
    for segment in segments(sample.values(), sample.breaks()) {
        for end in 1..=segment.len() {
            let window = &segment[end.saturating_sub(span)..end];
            points.extend(mean(window));
            sigmas.push(sigma / float(window.len()).sqrt());
        }
    }
    let limits = ControlLimits::three_sigma(Line::Constant(standards.center), Line::through(sigmas));
    let mut chart = Chart::plain(phase, points, limits, standards).drawn_back()?;
    chart.breaks = sample.breaks().to_vec();
    Ok(chart)
}
