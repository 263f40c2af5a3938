//! Individuals and moving range (I-MR).

use super::{Chart, ChartKind, Phase, Standards};
use crate::error::Result;
use crate::factors::{d2, d3};
use crate::limits::{ControlLimits, Line};
use crate::metric::Bounds;
use crate::sample::Sample;
use crate::sigma::{SigmaEstimator, moving_ranges};
use crate::transform::PowerTransform;

/// Phase I: limits x̄ ± 3σ̂ from these data. Pass [`SigmaEstimator::AverageMovingRange`] for the usual σ̂ from the
/// moving ranges (Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4).
///
/// The dispersion chart is the moving range chart: center d₂σ̂, limits d₂σ̂ ± 3d₃σ̂, not below 0.
///
/// # Errors
/// [`crate::Error::NotEnoughData`] for fewer than two values or no two adjacent ones; [`crate::Error::Parameter`] for an
/// estimator that needs subgroups.
///
/// ```
/// use llmscope_core::{Sample, SigmaEstimator, chart::individuals};
///
/// // Flow rates of ten batches (NIST/SEMATECH e-Handbook 6.3.2.2).
/// let sample = Sample::new(vec![49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])?;
/// let chart = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange)?;
/// assert_eq!(format!("{:.3}", chart.limits.upper.at(0)), "55.802");
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("XmR", "I-MR", "XMR chart"))]
pub fn estimate<'a>(sample: &Sample<'a>, estimator: SigmaEstimator) -> Result<Chart<'a>> {
    estimate_on(sample, estimator, None)
}

/// Phase I with a transformation: center line and limits x̄ ± 3σ̂ of the transformed measurements, converted back to
/// their unit. The points are the measurements themselves; sigma, zones and moving ranges are those of the transformed
/// measurements. With the logarithm, the center line is the geometric mean, and the limits are the same factor above
/// and below it. Without a transformation, this function equals [`estimate`].
///
/// # Errors
/// The errors of [`estimate`]; [`crate::Error::NotPositive`] for a measurement that cannot be transformed.
///
/// ```
/// use llmscope_core::{PowerTransform, Sample, SigmaEstimator, chart::individuals};
///
/// let sample = Sample::new(vec![1.0, 2.0, 4.0, 2.0, 1.0, 2.0, 4.0, 2.0])?;
/// let chart = individuals::estimate_on(&sample, SigmaEstimator::AverageMovingRange, Some(PowerTransform::LOG))?;
/// let (lower, center, upper) = (chart.limits.lower.at(0), chart.limits.center.at(0), chart.limits.upper.at(0));
/// assert!((center - 2.0).abs() < 1e-12);
/// assert!((upper / center - center / lower).abs() < 1e-12);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn estimate_on<'a>(
    sample: &Sample<'a>,
    estimator: SigmaEstimator,
    transform: Option<PowerTransform>,
) -> Result<Chart<'a>> {
    chart(Phase::I, Standards::estimated(ChartKind::Individuals, sample, estimator, transform)?, sample)
}

/// Phase II: judges new data against frozen standards, with their transformation.
///
/// # Errors
/// [`crate::Error::Parameter`] if the standards belong to another kind of chart; [`crate::Error::NotPositive`] for a
/// measurement that cannot be transformed.
///
/// ```
/// use llmscope_core::{ChartKind, RuleSet, Sample, SigmaEstimate, Standards, chart::individuals};
///
/// let frozen = Standards::of_measurements(ChartKind::Individuals, 0.30, SigmaEstimate::given(0.01)?)?;
/// let chart = individuals::monitor(&frozen, &Sample::new(vec![0.31, 0.29, 0.34])?)?;
/// assert_eq!(chart.judge(&RuleSet::nelson())?.violations[0].first, 2);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor<'a>(standards: &Standards, sample: &Sample<'a>) -> Result<Chart<'a>> {
    if let Some(power) = standards.transform {
        power.sample(sample)?;
    }
    chart(Phase::II, *standards, sample)
}

fn chart<'a>(phase: Phase, standards: Standards, sample: &Sample<'a>) -> Result<Chart<'a>> {
    standards.within_for(ChartKind::Individuals)?;
    let limits = standards.limits_of_single_measurements()?;
    let mut chart = Chart::plain(phase, sample.shared(), limits, standards);
    chart.judged_center = standards.transform.map(|_| Line::Constant(standards.center));
    chart.breaks = sample.breaks().to_vec();
    Ok(chart)
}

/// The chart of the moving ranges. If sigma differs between stages, each stage has its own limits, and no range spans
/// two stages.
pub(super) fn moving_range(chart: &Chart<'_>) -> Chart<'static> {
    let (ranges, positions) = moving_ranges(&chart.judged_points(), &chart.breaks);
    let line = |factor: f64| match &chart.limits.sigma {
        Line::Constant(sigma) => Line::Constant(factor * sigma),
        Line::PerPoint(sigmas) => Line::through(positions.iter().map(|&at| factor * sigmas[at]).collect()),
    };
    let limits = ControlLimits::three_sigma(line(d2(2)), line(d3(2))).clamped_to(Bounds::NON_NEGATIVE);
    let standards = Standards { chart: ChartKind::MovingRange, transform: None, ..chart.standards };
    let breaks = (1..positions.len()).filter(|&i| positions[i] != positions[i - 1] + 1).collect();
    Chart { breaks, positions: Some(positions), ..Chart::plain(chart.phase, ranges, limits, standards) }
}
