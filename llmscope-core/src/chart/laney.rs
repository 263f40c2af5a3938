//! Laney's p′ and u′: charts of large samples, whose rates vary more (or less) than binomial or Poisson counts.

use super::attributes::Counts;
use super::{Chart, ChartKind, Phase, Standards, limits_by_size, wrong_chart};
use crate::error::{Error, Result};
use crate::metric::Bounds;
use crate::sample::Sample;
use crate::sigma::SigmaEstimator;

/// Phase I: limits p̄ ± 3σ_{p,i}·σ_z, where σ_z = MR̄/d₂ of zᵢ = (pᵢ − p̄)/σ_{p,i} measures the variation beyond the
/// binomial; likewise for u (Laney 2002, *Quality Engineering* 14(4), 531–537).
///
/// # Errors
/// [`Error::NotEnoughData`] for fewer than two samples; [`Error::Parameter`] for another kind of chart.
///
/// ```
/// use llmscope_core::{ChartKind, Counts, chart::{attributes, laney}};
///
/// // Samples of a million: the binomial limits are so narrow that ordinary days are outside.
/// let counts = Counts::of_items(vec![9_000.0, 11_000.0, 10_000.0, 12_000.0, 8_000.0], vec![1e6; 5])?;
/// let binomial = attributes::estimate(&counts, ChartKind::P)?;
/// let laney = laney::estimate(&counts, ChartKind::LaneyP)?;
/// assert!(binomial.points[3] > binomial.limits.upper.at(3));
/// assert!(laney.points[3] < laney.limits.upper.at(3));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("p-prime", "overdispersion"))]
pub fn estimate(counts: &Counts, kind: ChartKind) -> Result<Chart<'static>> {
    let center = counts.overall_rate()?;
    let standards = Standards::of_counts(kind, center)?;
    let sigma = sampling_sigma(kind, center)?;
    let z: Vec<f64> = counts
        .rates()
        .iter()
        .zip(counts.sizes())
        .map(|(rate, &size)| {
            let sigma = sigma(size);
            // Rates without variation (all 0, or all 1) have no deviation.
            if sigma > 0.0 { (rate - center) / sigma } else { 0.0 }
        })
        .collect();
    let inflation = SigmaEstimator::AverageMovingRange.of_sample(&Sample::new(z)?)?.sigma;
    chart(Phase::I, Standards { inflation: Some(inflation), ..standards }, counts)
}

/// Phase II: judges new counts against frozen standards, including σ_z.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart.
///
/// ```
/// use llmscope_core::{ChartKind, Counts, Standards, chart::laney};
///
/// // σ_z = 2 doubles the width of a p chart's limits: 0.10 ± 3·2·0.03.
/// let frozen = Standards { inflation: Some(2.0), ..Standards::of_counts(ChartKind::LaneyP, 0.10)? };
/// let chart = laney::monitor(&frozen, &Counts::of_items(vec![12.0], vec![100.0])?)?;
/// assert!((chart.limits.upper.at(0) - 0.28).abs() < 1e-12);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor(standards: &Standards, counts: &Counts) -> Result<Chart<'static>> {
    chart(Phase::II, *standards, counts)
}

fn chart(phase: Phase, standards: Standards, counts: &Counts) -> Result<Chart<'static>> {
    let inflation = standards.inflation.ok_or_else(|| wrong_chart(standards.chart, "laney-p or laney-u"))?;
    let sigma = sampling_sigma(standards.chart, standards.center)?;
    let bounds = if standards.chart == ChartKind::LaneyP { Bounds::PROPORTION } else { Bounds::NON_NEGATIVE };
    let limits = limits_by_size(standards.center, counts.sizes(), |size| sigma(size) * inflation);
    Ok(Chart::plain(phase, counts.rates(), limits.clamped_to(bounds), standards))
}

/// Standard deviation of a rate due to sampling alone, as a function of the sample size.
fn sampling_sigma(kind: ChartKind, center: f64) -> Result<impl Fn(f64) -> f64> {
    let variance = match kind {
        ChartKind::LaneyP => center * (1.0 - center),
        ChartKind::LaneyU => center,
        other => return Err::<_, Error>(wrong_chart(other, "laney-p or laney-u")),
    };
    Ok(move |size: f64| (variance / size).sqrt())
}
