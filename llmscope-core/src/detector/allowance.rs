//! The allowance for dependence that an estimate may have missed.
//!
//! Charts for autocorrelated processes keep their rate on average only with wider limits (Apley & Lee 2003, *Technometrics*
//! 45).

use super::mixture::Inflation;
use super::orders::Orders;
use super::prediction::{MOST_LAGS, Prediction};
use crate::cast::float;
use crate::stats::mid_ranks;
use crate::stats::special::normal_quantile;

/// Standard errors that are allowed: the stated rate is kept on average over baselines. 1.28 would keep it with 90 %.
const ERRORS: f64 = 0.5;
/// Squares of scores are cut here.
const LARGEST_SQUARE: f64 = 9.0;
/// Values that a lag of the scores needs.
const VALUES_OF_A_LAG: usize = 15;

/// The information that values must carry before they are judged, in independent ones.
pub(super) const NEEDED: f64 = 25.0;

/// How many independent values carry the information of the n values that were fitted; Kendall's (1954) bias of Σφ added.
pub(super) fn information(prediction: &Prediction, n: usize) -> f64 {
    let (sum, n) = (prediction.sum(), float(n));
    let sum = (sum + (1.0 + 3.0 * sum.max(0.0)) / n).min(0.98);
    n * (1.0 - sum) / (1.0 + sum.max(0.0))
}

/// How many independent values each of many values counts as.
pub(super) fn information_of_each(prediction: &Prediction) -> f64 {
    let sum = prediction.sum().clamp(0.0, 0.98);
    (1.0 - sum) / (1.0 + sum)
}

/// The inflation of the sums, for residuals in time order of n values.
pub(super) fn inflation(prediction: &Prediction, residuals: &[f64], n: usize, threshold: f64) -> Inflation {
    let scores = scores(residuals);
    let squares: Vec<f64> = scores.iter().map(|w| (w * w).min(LARGEST_SQUARE)).collect();
    let lags = (n / VALUES_OF_A_LAG).clamp(1, MOST_LAGS);
    let (of_scores, _) = Orders::of(&scores, lags).long_run_ratio();
    let (of_squares, _) = Orders::of(&squares, lags).long_run_ratio();
    Inflation {
        level: of_estimate(prediction, n, threshold) * of_scores,
        spread: of_neighbours(&squares).max(of_squares),
    }
}

/// The inflation that is learned on from the scores' own autocovariances at lags 0, 1, ….
pub(super) fn of_scores(covariances: &[f64], n: usize, threshold: f64) -> f64 {
    let (ratio, lags) = Orders::of_covariances(covariances, n).long_run_ratio();
    let error = 2.0 * (float(lags.max(1)) / float(n)).sqrt();
    ratio * (errors(error, threshold) * error).exp()
}

/// exp of Kendall's bias and of the standard error of ln V.
fn of_estimate(prediction: &Prediction, n: usize, threshold: f64) -> f64 {
    /// A series of which nothing else is known.
    const MOST: f64 = 5.0;
    let sum = prediction.sum().clamp(-0.9, 0.98);
    let n = float(n);
    let factor = if sum > 0.0 { (1.0 + sum) / (1.0 - sum) } else { 1.0 };
    let bias = 2.0 * (1.0 + 3.0 * sum.max(0.0)) / (n * (1.0 - sum));
    let error = 2.0 * (float(prediction.lags()) * factor / n).sqrt();
    (bias + errors(error, threshold) * error).min(MOST).exp()
}

/// The rate is exponential in V: exp(ln A·δ) for a V that is δ too low in relative terms. Averaged over the error of ln V, that
/// costs ½(ln A·error)², which is an allowance of ½·ln A·error standard errors.
fn errors(error: f64, threshold: f64) -> f64 {
    (0.5 * threshold.ln() * error).max(ERRORS)
}

/// (1 + r)/(1 − r) of neighbouring squares, r at the upper end of its error.
fn of_neighbours(squares: &[f64]) -> f64 {
    let n = float(squares.len().max(1));
    let mean = squares.iter().sum::<f64>() / n;
    let variance: f64 = squares.iter().map(|q| (q - mean).powi(2)).sum();
    let covariance: f64 = squares.windows(2).map(|pair| (pair[0] - mean) * (pair[1] - mean)).sum();
    let r = if variance > 0.0 { covariance / variance } else { 0.0 };
    let r = (r + ERRORS / n.sqrt()).clamp(0.0, 0.95);
    (1.0 + r) / (1.0 - r)
}

/// Normal scores of the mid-ranks among themselves, in time order.
fn scores(residuals: &[f64]) -> Vec<f64> {
    let n = float(residuals.len());
    let ranks = mid_ranks(residuals);
    ranks.iter().map(|rank| normal_quantile((rank - 0.5) / n).unwrap_or(0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_do_not_look_dependent() {
        let constant = Prediction::fit(&[0.3; 200]);
        let allowed = inflation(&constant, &constant.residuals(&[0.3; 200]), 200, 550.0);
        assert!(allowed.level < 1.2 && allowed.spread < 1.2, "{allowed:?}");
    }

    #[test]
    fn fewer_values_and_rarer_promises_need_more_allowance() {
        let values: Vec<f64> = (0..2000).map(|i| f64::from(i * 7919 % 2003)).collect();
        let of = |n: usize, threshold| {
            let prediction = Prediction::fit(&values[..n]);
            inflation(&prediction, &prediction.residuals(&values[..n]), n, threshold).level
        };
        assert!(of(100, 550.0) > of(2000, 550.0) && of(100, 5.5e5) > of(100, 550.0));
    }
}
