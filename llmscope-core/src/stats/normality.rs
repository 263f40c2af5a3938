//! The Anderson–Darling test of normality.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cast::float;

use super::special::normal_ln_cdf;
use super::{Moments, Sorted};

/// Result of the Anderson–Darling test of normality with estimated mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Normality {
    /// The statistic A².
    pub anderson_darling: f64,
    /// Probability of an A² at least as large if the data were normal.
    pub p: f64,
}

/// The smallest sample for which the test's p-value was derived.
pub const MIN_NORMALITY: usize = 8;

/// Anderson–Darling test of normality (Anderson & Darling 1954).
///
/// A² = −n − (1/n) Σ (2i − 1)\[ln Φ(zᵢ) + ln(1 − Φ(zₙ₊₁₋ᵢ))\] with z₍ᵢ₎ = (x₍ᵢ₎ − x̄)/s. The p-value is Stephens' (1986,
/// table 4.9) for the adjusted A²(1 + 0.75/n + 2.25/n²); below 3.7e-24 it is reported as 3.7e-24.
///
/// `None` for fewer than [`MIN_NORMALITY`] values or without variation.
///
/// ```
/// use llmscope_core::stats::{Sorted, anderson_darling, special::normal_quantile};
///
/// let normal: Vec<f64> = (1..40).filter_map(|i| normal_quantile(f64::from(i) / 40.0)).collect();
/// let skewed: Vec<f64> = normal.iter().map(|z| z.exp()).collect();
/// assert!(anderson_darling(&Sorted::of(&normal)).unwrap().p > 0.5);
/// assert!(anderson_darling(&Sorted::of(&skewed)).unwrap().p < 0.005);
/// ```
#[doc(alias("normality test", "Shapiro-Wilk"))]
#[must_use]
pub fn anderson_darling(sorted: &Sorted) -> Option<Normality> {
    let values = sorted.values();
    let moments = Moments::of(values);
    let (mean, sd) = (moments.mean()?, moments.standard_deviation()?);
    if values.len() < MIN_NORMALITY || sd == 0.0 {
        return None;
    }
    let n = float(values.len());
    let z = |i: usize| (values[i] - mean) / sd;
    let (mut total, mut weight) = (0.0, 1.0);
    for i in 0..values.len() {
        total += weight * (normal_ln_cdf(z(i)) + normal_ln_cdf(-z(values.len() - 1 - i)));
        weight += 2.0;
    }
    let statistic = -n - total / n;
    let p = p_value(statistic * (1.0 + 0.75 / n + 2.25 / (n * n)));
    statistic.is_finite().then_some(Normality { anderson_darling: statistic, p })
}

/// Stephens (1986), in D'Agostino & Stephens, *Goodness-of-Fit Techniques*, table 4.9.
fn p_value(adjusted: f64) -> f64 {
    let a = adjusted;
    match a {
        _ if a < 0.2 => 1.0 - (-13.436 + 101.14 * a - 223.73 * a * a).exp(),
        _ if a < 0.34 => 1.0 - (-8.318 + 42.796 * a - 59.938 * a * a).exp(),
        _ if a < 0.6 => (0.9177 - 4.279 * a - 1.38 * a * a).exp(),
        _ if a < 10.0 => (1.2937 - 5.709 * a + 0.0186 * a * a).exp(),
        _ => 3.7e-24,
    }
}
