//! Individuals and moving range (I-MR).

use super::{Chart, ChartKind, Phase, Standards};
use crate::error::{Error, Result};
use crate::factors::{d2, d3};
use crate::limits::{ControlLimits, Line};
use crate::metric::Bounds;
use crate::sample::Sample;
use crate::sigma::{SigmaEstimator, moving_ranges};
use crate::stats::Moments;

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
pub fn estimate(sample: &Sample<'_>, estimator: SigmaEstimator) -> Result<Chart> {
    let moments = Moments::of(sample.values());
    let center = moments.mean().ok_or(Error::NotEnoughData { what: "a center line (values)", have: 0, need: 1 })?;
    let within = estimator.of_sample(sample)?;
    let standards =
        Standards { chart: ChartKind::Individuals, center, within: Some(within), inflation: None, ewma: None };
    chart(Phase::I, standards, sample)
}

/// Phase II: the same chart of new data against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart.
pub fn monitor(standards: &Standards, sample: &Sample<'_>) -> Result<Chart> {
    chart(Phase::II, *standards, sample)
}

fn chart(phase: Phase, standards: Standards, sample: &Sample<'_>) -> Result<Chart> {
    let sigma = standards.within_for(ChartKind::Individuals)?.sigma;
    let limits = ControlLimits::three_sigma(Line::Constant(standards.center), Line::Constant(sigma));
    let mut chart = Chart::plain(phase, sample.values().to_vec(), limits, standards);
    chart.breaks = sample.breaks().to_vec();
    chart.companion = Some(Box::new(moving_range(phase, standards, sigma, sample)));
    Ok(chart)
}

fn moving_range(phase: Phase, standards: Standards, sigma: f64, sample: &Sample<'_>) -> Chart {
    let (ranges, positions) = moving_ranges(sample);
    let limits = ControlLimits::three_sigma(Line::Constant(d2(2) * sigma), Line::Constant(d3(2) * sigma))
        .clamped_to(Bounds::NON_NEGATIVE);
    let mut chart = Chart::plain(phase, ranges, limits, Standards { chart: ChartKind::MovingRange, ..standards });
    chart.breaks = (1..positions.len()).filter(|&i| positions[i] != positions[i - 1] + 1).collect();
    chart.positions = Some(positions);
    chart
}
