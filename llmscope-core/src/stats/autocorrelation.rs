//! Dependence of successive measurements.

use super::{Moments, double_double};
use crate::sample::Sample;

/// Autocorrelation at a lag: r_k = Σ(xᵢ − x̄)(xᵢ₊ₖ − x̄) / Σ(xᵢ − x̄)² (Box & Jenkins 1976).
///
/// Pairs that span a gap are omitted from the numerator. `None` if the sample has no variation or no such pair.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let alternating = Sample::new(vec![1.0, -1.0, 1.0, -1.0])?;
/// assert_eq!(stats::autocorrelation(&alternating, 1), Some(-0.75));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn autocorrelation(sample: &Sample<'_>, lag: usize) -> Option<f64> {
    let moments = Moments::of(sample.values());
    let (mean, rest) = (moments.mean()?, moments.mean_rest());
    let products = |segment: &[f64]| {
        let later = segment.get(lag..).unwrap_or_default();
        let deviation = |x: f64| (x - mean) - rest;
        double_double::sum_of_pairs(&segment[..later.len()], later, |a, b| deviation(a) * deviation(b))
    };
    let pairs: usize = sample.segments().map(|segment| segment.len().saturating_sub(lag)).sum();
    let numerator = sample.segments().map(products).fold(double_double::DoubleDouble::default(), |a, b| a.plus(b));
    let correlation = numerator.value() / moments.sum_of_squares();
    (pairs > 0 && !moments.is_constant() && correlation.is_finite()).then_some(correlation)
}
