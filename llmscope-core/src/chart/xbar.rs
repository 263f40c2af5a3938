//! Subgroup means with a dispersion chart: X̄–R and X̄–S, for subgroups of any sizes.

use super::{Chart, ChartKind, Phase, Standards, limits_by_size};
use crate::cast::float;
use crate::error::{Error, Result};
use crate::factors::{c4, c5, d2, d3};
use crate::limits::{ControlLimits, Line};
use crate::metric::Bounds;
use crate::sample::Subgroups;
use crate::sigma::{self, SigmaEstimator};
use crate::stats::Moments;

/// Phase I: limits x̿ ± 3σ̂/√nᵢ from these subgroups (Montgomery, *Introduction to Statistical Quality Control*,
/// ch. 6.2 and 6.3). Without an estimator, X̄–R uses R̄/d₂ and X̄–S uses S̄/c₄.
///
/// The dispersion chart is the R chart (center d₂σ̂, ± 3d₃σ̂) or the S chart (center c₄σ̂, ± 3c₅σ̂), not below 0.
///
/// # Errors
/// [`Error::NotEnoughData`] without subgroups; [`Error::Parameter`] if `kind` is not an X̄ chart, or for an estimator
/// of single values.
///
/// ```
/// use llmscope_core::{ChartKind, Sample, Subgroups, chart::xbar};
///
/// let sample = Sample::new(vec![74.03, 74.002, 73.995, 73.992, 73.988, 74.024])?;
/// let chart = xbar::estimate(&Subgroups::of_size(&sample, 2)?, ChartKind::XbarR, None)?;
/// assert_eq!(chart.points.len(), 3);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("X-bar", "Xbar"))]
pub fn estimate(
    subgroups: &Subgroups<'_>,
    kind: ChartKind,
    estimator: Option<SigmaEstimator>,
) -> Result<Chart<'static>> {
    let estimator = estimator.unwrap_or(match kind {
        ChartKind::XbarS => SigmaEstimator::AverageStandardDeviation,
        _ => SigmaEstimator::AverageRange,
    });
    let within = estimator.of_subgroups(subgroups)?;
    // The mean of all measurements, which weights each subgroup by its size.
    let center = Moments::of(subgroups.values()).mean().unwrap_or_default();
    chart(Phase::I, Standards::of_measurements(kind, center, within)?, subgroups)
}

/// Phase II: judges new subgroups, of any sizes, against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart.
///
/// ```
/// use llmscope_core::{ChartKind, Sample, SigmaEstimate, Standards, Subgroups, chart::xbar};
///
/// let frozen = Standards::of_measurements(ChartKind::XbarR, 74.0, SigmaEstimate::given(0.01)?)?;
/// let sample = Sample::new(vec![74.00, 74.02, 73.99, 74.01])?;
/// let chart = xbar::monitor(&frozen, &Subgroups::of_size(&sample, 4)?)?;
/// assert!((chart.limits.upper.at(0) - 74.015).abs() < 1e-9); // 74 + 3·0.01/√4
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor(standards: &Standards, subgroups: &Subgroups<'_>) -> Result<Chart<'static>> {
    chart(Phase::II, *standards, subgroups)
}

fn chart(phase: Phase, standards: Standards, subgroups: &Subgroups<'_>) -> Result<Chart<'static>> {
    if !standards.chart.needs_subgroups() {
        return Err(Error::Parameter {
            name: "chart kind",
            value: standards.chart.name().to_owned(),
            expected: "xbar-r or xbar-s",
        });
    }
    let sigma = standards.within_for(standards.chart)?.sigma;
    let sizes = sizes(subgroups);
    let means: Vec<f64> = subgroups.iter().map(|subgroup| Moments::of(subgroup).mean().unwrap_or_default()).collect();
    let limits = limits_by_size(standards.center, &sizes, |n| sigma / n.sqrt());
    let mut chart = Chart::plain(phase, means, limits, standards);
    chart.dispersion = Some(Box::new(dispersion(phase, standards, sigma, subgroups)));
    Ok(chart)
}

/// The R or S chart: each subgroup's dispersion against its expectation at σ̂ and the subgroup's size.
fn dispersion(phase: Phase, standards: Standards, sigma: f64, subgroups: &Subgroups<'_>) -> Chart<'static> {
    type OfSubgroup = fn(&[f64]) -> f64;
    type OfSize = fn(usize) -> f64;
    let (kind, statistic, mean, deviation): (_, OfSubgroup, OfSize, OfSize) = match standards.chart {
        ChartKind::XbarS => (ChartKind::StandardDeviation, sigma::standard_deviation, c4, c5),
        _ => (ChartKind::Range, sigma::range, d2, d3),
    };
    let line = |of_size: OfSize| Line::through(subgroups.sizes().iter().map(|&n| of_size(n) * sigma).collect());
    let limits = ControlLimits::three_sigma(line(mean), line(deviation)).clamped_to(Bounds::NON_NEGATIVE);
    let points: Vec<f64> = subgroups.iter().map(statistic).collect();
    Chart::plain(phase, points, limits, Standards { chart: kind, ..standards })
}

fn sizes(subgroups: &Subgroups<'_>) -> Vec<f64> {
    subgroups.sizes().iter().map(|&size| float(size)).collect()
}
