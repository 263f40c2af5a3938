//! The exponentially weighted moving average: a chart with memory, for small lasting shifts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Chart, ChartKind, Phase, Standards, wrong_chart};
use crate::error::{Error, Result};
use crate::limits::{ControlLimits, LIMIT_MULTIPLE, Line};
use crate::sample::{Sample, segments};
use crate::sigma::SigmaEstimator;
use crate::transform::PowerTransform;

/// The parameters of an EWMA chart: weight and limit width.
#[doc(alias("EWMA", "exponentially weighted moving average"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Ewma {
    /// Weight λ of the newest point, above 0 and at most 1: the smaller, the longer the memory.
    pub lambda: f64,
    /// Distance L of the limits from the center line, in standard deviations of the average.
    pub multiple: f64,
}

impl Default for Ewma {
    /// λ = 0.2, L = 3: the defaults of qcc.
    fn default() -> Self {
        Self { lambda: 0.2, multiple: LIMIT_MULTIPLE }
    }
}

impl Ewma {
    /// Creates parameters from a weight and a width.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless 0 < λ ≤ 1 and L is finite and positive.
    ///
    /// ```
    /// use llmscope_core::chart::ewma::Ewma;
    ///
    /// assert!(Ewma::new(1.0, 3.0).is_ok()); // a Shewhart chart
    /// assert!(Ewma::new(0.0, 3.0).is_err()); // no point would count
    /// ```
    pub fn new(lambda: f64, multiple: f64) -> Result<Self> {
        if !(lambda > 0.0 && lambda <= 1.0) {
            return Err(Error::Parameter {
                name: "lambda",
                value: lambda.to_string(),
                expected: "a number above 0 and at most 1",
            });
        }
        if !(multiple > 0.0 && multiple <= 100.0) {
            let expected = "a number above 0 and at most 100 sigmas";
            return Err(Error::Parameter { name: "limit width", value: multiple.to_string(), expected });
        }
        Ok(Self { lambda, multiple })
    }

    /// Standard deviation of the i-th average (1-based) at σ = 1: √(λ/(2−λ)·(1 − (1−λ)²ⁱ)).
    fn deviation(self, i: i32) -> f64 {
        (self.lambda / (2.0 - self.lambda) * (1.0 - (1.0 - self.lambda).powi(2).powi(i))).sqrt()
    }
}

/// Phase I: zᵢ = λxᵢ + (1−λ)zᵢ₋₁ from z₀ = x̄, with limits x̄ ± Lσ̂√(λ/(2−λ)·(1 − (1−λ)²ⁱ)), exact at every point
/// (Roberts 1959, *Technometrics* 1(3); Lucas & Saccucci 1990). After a gap the average restarts.
///
/// # Errors
/// Those of [`individuals::estimate`](super::individuals::estimate).
///
/// ```
/// use llmscope_core::{Sample, SigmaEstimator, chart::ewma::{self, Ewma}};
///
/// let sample = Sample::new(vec![0.31, 0.29, 0.30, 0.32, 0.30, 0.31])?;
/// let chart = ewma::estimate(&sample, SigmaEstimator::AverageMovingRange, Ewma::new(0.2, 3.0)?)?;
/// assert!(chart.limits.upper.at(5) > chart.limits.upper.at(0)); // the limits widen to their asymptote
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn estimate(sample: &Sample<'_>, estimator: SigmaEstimator, ewma: Ewma) -> Result<Chart<'static>> {
    estimate_on(sample, estimator, ewma, None)
}

/// Phase I with a transformation: the average of the transformed measurements, converted back to their unit together with
/// its limits. With the logarithm, it is a geometric average. Without a transformation, this function equals [`estimate`].
///
/// # Errors
/// The errors of [`estimate`]; [`Error::NotPositive`] for a measurement that cannot be transformed.
pub fn estimate_on(
    sample: &Sample<'_>,
    estimator: SigmaEstimator,
    ewma: Ewma,
    transform: Option<PowerTransform>,
) -> Result<Chart<'static>> {
    let standards = Standards::estimated(ChartKind::Ewma, sample, estimator, transform)?;
    chart(Phase::I, Standards { ewma: Some(ewma), ..standards }, sample)
}

/// Phase II: judges new data against frozen standards.
///
/// # Errors
/// [`Error::Parameter`] if the standards belong to another kind of chart; [`Error::NotPositive`] for a measurement that
/// cannot be transformed.
///
/// ```
/// use llmscope_core::{ChartKind, Sample, SigmaEstimate, Standards, chart::ewma::{self, Ewma}};
///
/// let known = Standards::of_measurements(ChartKind::Ewma, 10.0, SigmaEstimate::given(1.0)?)?;
/// let standards = Standards { ewma: Some(Ewma::new(0.5, 3.0)?), ..known };
/// let chart = ewma::monitor(&standards, &Sample::new(vec![12.0, 12.0])?)?;
/// assert_eq!(&chart.points[..], [11.0, 11.5]);
/// assert_eq!(chart.limits.upper.at(0), 11.5); // 10 + 3·√(λ²)
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn monitor(standards: &Standards, sample: &Sample<'_>) -> Result<Chart<'static>> {
    chart(Phase::II, *standards, sample)
}

fn chart(phase: Phase, standards: Standards, sample: &Sample<'_>) -> Result<Chart<'static>> {
    let within = standards.within_for(ChartKind::Ewma)?;
    let ewma = standards.ewma.ok_or_else(|| wrong_chart(standards.chart, "ewma, with its lambda"))?;
    let transformed = standards.transformed(sample)?;
    let sample = transformed.as_ref().unwrap_or(sample);
    let (mut points, mut sigmas) = (Vec::with_capacity(sample.len()), Vec::with_capacity(sample.len()));
    for segment in segments(sample.values(), sample.breaks()) {
        let mut average = standards.center;
        for (i, x) in (1_i32..=i32::MAX).zip(segment) {
            average += ewma.lambda * (x - average);
            points.push(average);
            // Sigma is scaled so that the limits are at three sigmas, as on every chart.
            sigmas.push(within.sigma * ewma.deviation(i) * ewma.multiple / LIMIT_MULTIPLE);
        }
    }
    let limits = ControlLimits::three_sigma(Line::Constant(standards.center), Line::through(sigmas));
    let mut chart = Chart::plain(phase, points, limits, standards).drawn_back()?;
    chart.breaks = sample.breaks().to_vec();
    Ok(chart)
}
