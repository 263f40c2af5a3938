//! Individuals and moving range (I-MR).

use super::{Chart, ChartKind, Phase, Standards};
use crate::error::{Error, Result};
use crate::factors::{d2, d3};
use crate::limits::{ControlLimits, Line};
use crate::metric::Bounds;
use crate::sample::Sample;
use crate::sigma::{SigmaEstimator, moving_ranges};
use crate::stats::mean;

/// Phase I: limits x̄ ± 3σ̂ from these data, with σ̂ from the moving ranges unless another estimator is named
/// (Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4).
///
/// The companion is the moving range chart: center d₂σ̂, limits d₂σ̂ ± 3d₃σ̂, not below 0.
///
/// # Errors
/// [`Error::NotEnoughData`] for fewer than two values or no two neighbours; [`Error::Parameter`] for an estimator
/// that needs subgroups.
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
pub fn estimate<'a>(sample: &Sample<'a>, estimator: SigmaEstimator) -> Result<Chart<'a>> {
    let center =
        mean(sample.values()).ok_or(Error::NotEnoughData { what: "a center line (values)", have: 0, need: 1 })?;
    let within = estimator.of_sample(sample)?;
    let standards = Standards::of_measurements(ChartKind::Individuals, center, within)?;
    chart(Phase::I, standards, sample)
}

/// Phase II: the same chart of new data against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart.
pub fn monitor<'a>(standards: &Standards, sample: &Sample<'a>) -> Result<Chart<'a>> {
    chart(Phase::II, *standards, sample)
}

fn chart<'a>(phase: Phase, standards: Standards, sample: &Sample<'a>) -> Result<Chart<'a>> {
    let sigma = standards.within_for(ChartKind::Individuals)?.sigma;
    let limits = ControlLimits::three_sigma(Line::Constant(standards.center), Line::Constant(sigma));
    let mut chart = Chart::plain(phase, sample.shared(), limits, standards);
    chart.breaks = sample.breaks().to_vec();
    Ok(chart)
}

/// The chart of the moving ranges, stage by stage where sigma changes: no range reaches across a stage.
pub(super) fn moving_range(chart: &Chart<'_>) -> Chart<'static> {
    let (ranges, positions) = moving_ranges(&chart.points, &chart.breaks);
    let line = |factor: f64| match &chart.limits.sigma {
        Line::Constant(sigma) => Line::Constant(factor * sigma),
        Line::PerPoint(sigmas) => Line::through(positions.iter().map(|&at| factor * sigmas[at]).collect()),
    };
    let limits = ControlLimits::three_sigma(line(d2(2)), line(d3(2))).clamped_to(Bounds::NON_NEGATIVE);
    let standards = Standards { chart: ChartKind::MovingRange, ..chart.standards };
    let breaks = (1..positions.len()).filter(|&i| positions[i] != positions[i - 1] + 1).collect();
    Chart { breaks, positions: Some(positions), ..Chart::plain(chart.phase, ranges, limits, standards) }
}
