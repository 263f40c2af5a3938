//! How far dependence inflates the variance of rank sums: V = 1 + 2Σρ_k of ranks whose level changes.

use super::dependence::fits;
use super::{about_means, lagged};
use crate::cast::float;
use crate::sample::{ranges_between, segments};

/// The positions of both lists in order, each once.
fn merged(at: &[usize], breaks: &[usize]) -> Vec<usize> {
    let mut cuts = [at, breaks].concat();
    cuts.sort_unstable();
    cuts.dedup();
    cuts
}

/// Sum and number of the squared differences of values that are 1, 2, … `lags` apart.
fn squared_differences(stretches: &[&[f64]], lags: usize) -> Vec<(f64, f64)> {
    let mut sums = vec![0.0; lags];
    stretches.iter().for_each(|stretch| lagged::add_squared_differences(stretch, 1, &mut sums));
    let count = |lag: usize| stretches.iter().map(|stretch| float(stretch.len().saturating_sub(lag))).sum();
    sums.into_iter().zip((1..).map(count)).collect()
}

/// (1 + ρ)/(1 − ρ), with ρ such that Σ d_k/d₁ over the lags 2 to 5 is that of a first-order autoregression,
/// Σ (1 + ρ + … + ρᵏ⁻¹). Negative correlation counts as none. ρ is then shifted by 35/n − 1 standard errors
/// √\[(1 − ρ²)/n\]: a short series needs a cautious estimate, and in a long one the other two estimates are larger.
pub(super) fn inflation_of_neighbours(ranks: &[f64], at: &[usize], breaks: &[usize]) -> f64 {
    const LAGS: usize = 5;
    const MOST: f64 = 0.995;
    const BISECTIONS: usize = 60;
    let cuts = merged(at, breaks);
    let stretches: Vec<&[f64]> = segments(ranks, &cuts).collect();
    let mean_square = |(sum, count): (f64, f64)| (count > 0.0).then(|| sum / count);
    let differences: Vec<f64> = squared_differences(&stretches, LAGS).into_iter().map_while(mean_square).collect();
    let Some((&first, rest)) = differences.split_first().filter(|(first, _)| **first > 0.0) else { return 1.0 };
    let ratio = rest.iter().sum::<f64>() / first;
    let expected = |rho: f64| {
        let powers = (0..differences.len()).scan(1.0, |power, _| Some(std::mem::replace(power, *power * rho)));
        let partial_sums = powers.scan(0.0, |sum, power| {
            *sum += power;
            Some(*sum)
        });
        partial_sums.skip(1).sum::<f64>()
    };
    let (mut low, mut high) = (0.0, if expected(0.0) < ratio { MOST } else { 0.0 });
    for _ in 0..BISECTIONS {
        let middle = 0.5 * (low + high);
        if expected(middle) < ratio {
            low = middle;
        } else {
            high = middle;
        }
    }
    let n = float(ranks.len());
    let rho = (high + (35.0 / n - 1.0) * ((1.0 - high * high) / n).sqrt()).clamp(0.0, MOST);
    (1.0 + rho) / (1.0 - rho)
}

/// 1 + 2 Σ (1 − d_k/d_∞) over the lags k = 1 to K = 2∛n, with d_∞ the mean squared difference at the lags from K + 1 to
/// 2K. All lags are those of the same stretches, of at least 3K values, because stretches differ in dispersion; K is
/// reduced until they hold half of the values.
pub(super) fn inflation_of_differences(ranks: &[f64], at: &[usize], breaks: &[usize]) -> f64 {
    /// More lags would take longer than the search.
    const MOST: usize = 30;
    let cuts = merged(at, breaks);
    let n = ranks.len();
    let long = |lags: usize| segments(ranks, &cuts).filter(move |stretch| stretch.len() >= 3 * lags);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cube root of a length")]
    let mut lags = ((2.0 * float(n).cbrt()).round() as usize).clamp(2, MOST);
    while lags > 2 && 2 * long(lags).map(<[f64]>::len).sum::<usize>() < n {
        lags -= 1;
    }
    let differences = squared_differences(&long(lags).collect::<Vec<_>>(), 2 * lags);
    let (near, far) = differences.split_at(lags);
    let (sum, count) = far.iter().fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1));
    if sum <= 0.0 {
        return 1.0;
    }
    let correlation = |(squares, pairs): &(f64, f64)| 1.0 - squares / pairs / (sum / count);
    1.0 + 2.0 * near.iter().map(correlation).sum::<f64>()
}

/// How well changes describe the ranks: n ln σ² of the prediction errors about the means of the stretches, in units of
/// each stretch's dispersion, plus a penalty for each change. Smaller is better. The predictor is the better one of an
/// autoregression of at most the order 8 (Akaike's criterion) and exponential smoothing.
pub(super) fn description(ranks: &[f64], at: &[usize], breaks: &[usize]) -> f64 {
    const ORDER: usize = 8;
    const SMOOTHING: [f64; 6] = [0.05, 0.1, 0.2, 0.3, 0.45, 0.6];
    /// Of a stretch of equal ranks, whose logarithm would be infinite.
    const LEAST_VARIANCE: f64 = 1.0;
    let mut residuals = about_means(ranks, at);
    let n = float(residuals.len());
    let mut dispersion = 0.0;
    for stretch in ranges_between(at, residuals.len()) {
        let stretch = &mut residuals[stretch];
        let count = float(stretch.len());
        let variance = (stretch.iter().map(|x| x * x).sum::<f64>() / count).max(LEAST_VARIANCE);
        dispersion += count * variance.ln();
        stretch.iter_mut().for_each(|x| *x /= variance.sqrt());
    }
    let covariance = |lag: usize| {
        let products = segments(&residuals, breaks)
            .filter(|segment| segment.len() > lag)
            .map(|segment| segment.iter().zip(&segment[lag..]).map(|(a, b)| a * b).sum::<f64>());
        products.sum::<f64>() / n
    };
    let mut covariances: Vec<f64> = (0..=ORDER.min(residuals.len() / 8).max(1)).map(covariance).collect();
    covariances[0] = covariances[0].max(f64::MIN_POSITIVE);
    let criterion = |(phi, error): (Vec<f64>, f64)| n * error.ln() + 2.0 * float(phi.len());
    let mut least = fits(&covariances).map(criterion).fold(n * covariances[0].ln(), f64::min);
    for weight in SMOOTHING {
        let (mut level, mut squares) = (residuals[0], 0.0);
        for x in &residuals {
            let error = x - level;
            squares += error * error;
            level += weight * error;
        }
        least = least.min(n * (squares / n).max(f64::MIN_POSITIVE).ln() + 2.0);
    }
    least + dispersion + float(at.len()) * (3.4 * n.ln()).max(17.5)
}
