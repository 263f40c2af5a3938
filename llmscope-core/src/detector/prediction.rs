//! The part of a value that the values before it predict.

use serde::{Deserialize, Serialize};

use super::orders::Orders;
use crate::cast::float;
use crate::stats::{self, Sorted};

/// Lags at most.
pub(super) const MOST_LAGS: usize = 8;
/// Values that each lag needs.
const VALUES_OF_A_LAG: usize = 15;
/// Unusual values are clipped this many robust standard deviations from the median while the coefficients are estimated,
const CLIP_OF_FIT: f64 = 3.0;
/// and where they predict the next one. There, clipping at 3 breaks rare promises: on the way to a rare alarm the values
/// themselves are beyond 3, and what is clipped returns as a residual of the same sign.
const CLIP_OF_PREDICTION: f64 = 8.0;

/// An autoregression x_t = Σφ_j·x_(t−j) + e_t. It removes the dependence of neighbours (residual charts: Alwan & Roberts 1988,
/// *Journal of Business & Economic Statistics* 6).
///
/// Yule–Walker by Levinson and Durbin's recursion, the order of the smallest AICc (Hurvich & Tsai 1989, *Biometrika* 76).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Prediction {
    coefficients: Vec<f64>,
    clip: (f64, f64),
}

impl Prediction {
    /// Fits values in time order.
    pub(super) fn fit(values: &[f64]) -> Self {
        let sorted = Sorted::of(values);
        let median = sorted.median().unwrap_or(0.0);
        let deviations: Vec<f64> = values.iter().map(|x| (x - median).abs()).collect();
        let mut scale = 1.4826 * stats::median(&deviations).unwrap_or(0.0);
        if scale <= 0.0 {
            // Most values are equal.
            scale = (deviations.iter().map(|d| d * d).sum::<f64>() / float(values.len().max(1))).sqrt() + 1e-12;
        }
        let within = |k: f64| (median - k * scale, median + k * scale);
        let (lower, upper) = within(CLIP_OF_FIT);
        let clipped: Vec<f64> = values.iter().map(|x| x.clamp(lower, upper)).collect();
        let most = (values.len() / VALUES_OF_A_LAG).clamp(1, MOST_LAGS);
        let orders = Orders::of(&clipped, most);
        Self { coefficients: orders.best(1).coefficients.clone(), clip: within(CLIP_OF_PREDICTION) }
    }

    /// The order.
    pub(super) fn lags(&self) -> usize {
        self.coefficients.len()
    }

    /// Σφ_j.
    pub(super) fn sum(&self) -> f64 {
        self.coefficients.iter().sum()
    }

    /// The value less its prediction from those before it, the last one first.
    pub(super) fn residual<'v>(&self, value: f64, before: impl Iterator<Item = &'v f64>) -> f64 {
        let (lower, upper) = self.clip;
        let predicted: f64 = self.coefficients.iter().zip(before).map(|(phi, x)| phi * x.clamp(lower, upper)).sum();
        value - predicted
    }

    /// The residuals of values in time order, but for the first ones, which have too few values before them.
    pub(super) fn residuals(&self, values: &[f64]) -> Vec<f64> {
        (self.lags()..values.len()).map(|t| self.residual(values[t], values[..t].iter().rev())).collect()
    }

    /// True if a state from outside can be used.
    pub(super) fn is_valid(&self) -> bool {
        (1..=MOST_LAGS).contains(&self.lags())
            && self.coefficients.iter().all(|phi| phi.is_finite())
            && self.clip.0.is_finite()
            && self.clip.1.is_finite()
            && self.clip.0 <= self.clip.1
    }
}
