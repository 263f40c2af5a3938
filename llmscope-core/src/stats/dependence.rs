//! The effective sample size of a dependent series.
//!
//! The variance of a mean of n dependent values is that of n/V independent ones, with V = 1 + 2Σρ_k. The same holds for
//! a share, and therefore for the order statistics that bound a quantile (Woodruff 1952, *JASA* 47; with the effective
//! sample size in the binomial, Korn & Graubard 1998, *Survey Methodology* 24).

use std::f64::consts::PI;

use super::ranks::Ranking;
use super::special::normal_quantile;
use super::{Sorted, lagged};
use crate::cast::float;
use crate::sample::segments;

/// Rounds of correction for the estimated mean.
const ROUNDS: usize = 3;
/// Autocorrelations below this are neglected.
const NEGLIGIBLE: f64 = 1e-4;

/// An autoregression fitted to a series.
///
/// Yule–Walker by Levinson and Durbin's recursion, of the order from 1 to 10·log₁₀ n with the smallest AICc (Hurvich &
/// Tsai 1989). The order is never 0, because a test that sets small correlations to zero also drops relevant ones. The
/// autocovariances are corrected for the mean, which is estimated from the same values and therefore lowers each by
/// γ₀V/n.
#[derive(Debug, Clone, PartialEq)]
pub struct Autoregression {
    /// Coefficients φ₁…φ_p.
    coefficients: Vec<f64>,
    /// V = 1 + 2Σρ_k of the fitted process, at least 1 and at most n.
    inflation: f64,
    /// n(1 − ρ₁²)/2p: the degrees of freedom of a χ² with the variance of the estimated V (Berk 1974, *Annals of
    /// Statistics* 2).
    degrees_of_freedom: f64,
    /// Number of values.
    n: usize,
}

impl Autoregression {
    /// Fits the values; `breaks` are positions before which a value is missing. A series without variation, or of fewer
    /// than four values, counts as independent.
    #[must_use]
    pub fn of(values: &[f64], breaks: &[usize]) -> Self {
        let n = values.len();
        let highest = highest_order(n);
        let raw = if n < 4 { Vec::new() } else { autocovariances(values, breaks, highest) };
        if raw.first().is_none_or(|&variance| variance <= 0.0) {
            return Self { coefficients: vec![0.0], inflation: 1.0, degrees_of_freedom: float(n.max(2)) / 2.0, n };
        }
        let mut fitted = fit(&raw, n);
        for _ in 0..ROUNDS {
            let lost = raw[0] * fitted.inflation.min(float(n) / 4.0) / float(n);
            let corrected: Vec<f64> = raw.iter().map(|covariance| covariance + lost).collect();
            fitted = fit(&corrected, n);
        }
        fitted
    }

    /// V = 1 + 2Σρ_k: the factor by which dependence inflates the variance of the mean. It is at least 1, so that an
    /// effective size never exceeds the real one.
    ///
    /// ```
    /// use llmscope_core::stats::Autoregression;
    ///
    /// // Four levels, each for 25 values: neighbours are alike, so that 100 values say little about the mean.
    /// let wandering: Vec<f64> = (0..100).map(|i| f64::from(i / 25 * 7 % 4) + f64::from(i * 37 % 11) / 20.0).collect();
    /// assert!(Autoregression::of(&wandering, &[]).inflation() > 5.0);
    /// // A sawtooth alternates: its mean is known at least as well as that of independent values.
    /// let alternating: Vec<f64> = (0..100).map(|i| f64::from(i % 2)).collect();
    /// assert_eq!(Autoregression::of(&alternating, &[]).inflation(), 1.0);
    /// ```
    #[must_use]
    pub fn inflation(&self) -> f64 {
        self.inflation
    }

    /// The precision of V, in degrees of freedom.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> f64 {
        self.degrees_of_freedom
    }

    /// V of a function of a Gaussian series, given its correlation as a function of the series' own correlation at each
    /// lag.
    fn inflation_of(&self, correlation: impl Fn(f64) -> f64) -> f64 {
        let n = float(self.n);
        let total: f64 = self
            .correlations()
            .enumerate()
            .map(|(index, rho)| (1.0 - float(index + 1) / n).max(0.0) * correlation(rho))
            .sum();
        (1.0 + 2.0 * total).clamp(1.0, n.max(1.0))
    }

    /// ρ₁, ρ₂, … of the fitted process, until they are negligible.
    fn correlations(&self) -> impl Iterator<Item = f64> + '_ {
        let phi = &self.coefficients;
        let initial = initial_correlations(phi);
        let order = phi.len();
        let mut recent = initial.clone();
        let mut small = 0;
        (0..self.n.min(10_000)).map_while(move |index| {
            let rho = if index < order {
                initial[index]
            } else {
                let next: f64 = phi.iter().zip(recent.iter().rev()).map(|(phi, rho)| phi * rho).sum();
                recent.remove(0);
                recent.push(next);
                next
            };
            small = if rho.abs() < NEGLIGIBLE { small + 1 } else { 0 };
            (small <= order).then_some(rho.clamp(-1.0, 1.0))
        })
    }
}

/// The effect of dependence on the quantiles and ranks of a sample.
#[derive(Debug, Clone, PartialEq)]
pub struct Dependence {
    scores: Autoregression,
}

impl Dependence {
    /// The dependence of values in time order with `breaks`, from their ranking.
    ///
    /// The autoregression is fitted to the normal scores Φ⁻¹(R/(n + 1)), so that skewness and outliers have no effect.
    #[must_use]
    pub fn of(ranking: &Ranking, breaks: &[usize]) -> Self {
        Self { scores: Autoregression::of(&normal_scores(ranking), breaks) }
    }

    /// The precision of the inflation, in degrees of freedom.
    #[must_use]
    pub fn degrees_of_freedom(&self) -> f64 {
        self.scores.degrees_of_freedom()
    }

    /// Inflation of the variance of the mean rank, with Spearman's correlation (6/π)·asin(ρ/2) of a Gaussian pair
    /// (Pearson 1907).
    #[must_use]
    pub fn inflation_of_ranks(&self) -> f64 {
        self.scores.inflation_of(|rho| 6.0 / PI * (rho / 2.0).asin())
    }

    /// Inflation of the variance of the share below the p-quantile, 0 < p < 1. It is the larger of two estimates: the
    /// one implied by a Gaussian series with these correlations, and the one of the series of exceedances. Only the
    /// latter detects a stall that hits several requests in a row.
    #[must_use]
    pub fn inflation_at(&self, p: f64, values: &[f64], breaks: &[usize], sorted: &Sorted) -> f64 {
        let implied = self.inflation_of_share(p);
        let threshold = sorted.quantile(p, super::QuantileMethod::HyndmanFan7).unwrap_or(f64::INFINITY);
        let above: Vec<f64> = values.iter().map(|&x| if x > threshold { 1.0 } else { 0.0 }).collect();
        implied.max(Autoregression::of(&above, breaks).inflation())
    }

    /// The first of the two estimates.
    #[must_use]
    pub(crate) fn inflation_of_share(&self, p: f64) -> f64 {
        let Some(z) = normal_quantile(p) else { return 1.0 };
        self.scores.inflation_of(|rho| orthant_excess(z, rho) / (p * (1.0 - p)))
    }
}

fn highest_order(n: usize) -> usize {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most 10·log10 of a length")]
    let customary = (10.0 * float(n.max(1)).log10()) as usize;
    customary.min(n / 4).max(1)
}

/// γ₀, γ₁, … with divisor n, of pairs that span no break, scaled up for the omitted pairs. They end before the lag for which
/// fewer than half of the pairs are left: a few pairs that stand for all are noise, from which an autoregression makes a
/// dependence of any strength. γ₁ is always there.
fn autocovariances(values: &[f64], breaks: &[usize], highest: usize) -> Vec<f64> {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / float(n);
    let centered: Vec<f64> = values.iter().map(|x| x - mean).collect();
    let mut sums = vec![0.0; highest.min(n - 1) + 1];
    segments(&centered, breaks).for_each(|segment| lagged::add_products(segment, 0, &mut sums));
    let covariance = |(lag, sum): (usize, f64)| {
        let pairs: usize = segments(&centered, breaks).map(|segment| segment.len().saturating_sub(lag)).sum();
        let is_known = lag <= 1 || 2 * pairs >= n - lag;
        let scaled = || if pairs == 0 { 0.0 } else { sum / float(pairs) * float(n - lag) / float(n) };
        is_known.then(scaled)
    };
    sums.into_iter().enumerate().map_while(covariance).collect()
}

/// Levinson and Durbin's recursion: coefficients and prediction error of the autoregressions of the orders 1, 2, … with
/// these autocovariances γ₀, γ₁, …
pub(crate) fn fits(covariances: &[f64]) -> impl Iterator<Item = (Vec<f64>, f64)> + '_ {
    let mut phi: Vec<f64> = Vec::new();
    let mut error = covariances[0];
    (1..covariances.len()).map(move |order| {
        let predicted: f64 = phi.iter().enumerate().map(|(k, phi)| phi * covariances[order - 1 - k]).sum();
        let reflection = ((covariances[order] - predicted) / error).clamp(-0.999, 0.999);
        phi = phi.iter().zip(phi.iter().rev()).map(|(a, b)| a - reflection * b).collect();
        phi.push(reflection);
        error *= 1.0 - reflection * reflection;
        (phi.clone(), error)
    })
}

/// The autoregression of the order with the smallest AICc.
fn fit(covariances: &[f64], n: usize) -> Autoregression {
    let mut best: Option<(f64, Vec<f64>)> = None;
    for (phi, error) in fits(covariances) {
        let score = aicc(n, phi.len(), error);
        if best.as_ref().is_none_or(|(least, _)| score < *least) {
            best = Some((score, phi));
        }
    }
    let coefficients = best.map_or_else(|| vec![0.0], |(_, phi)| phi);
    let rho = initial_correlations(&coefficients);
    let sum: f64 = coefficients.iter().sum();
    // V = σ²/(1 − Σφ)² over γ₀, with γ₀ = σ²/(1 − Σφρ) of the process.
    let explained: f64 = coefficients.iter().zip(&rho).map(|(phi, rho)| phi * rho).sum();
    let inflation = (1.0 - explained) / (1.0 - sum).powi(2);
    let count = float(n);
    let inflation = if inflation.is_finite() { inflation.clamp(1.0, count) } else { count };
    let first = rho[0].clamp(-0.99, 0.99);
    let degrees_of_freedom = (count * (1.0 - first * first) / (2.0 * float(coefficients.len()))).max(2.0);
    Autoregression { coefficients, inflation, degrees_of_freedom, n }
}

/// Akaike's criterion for an autoregression of n values with this prediction error, corrected for few values (Hurvich & Tsai
/// 1989, *Biometrika* 76). The smallest is the best.
pub(crate) fn aicc(n: usize, order: usize, error: f64) -> f64 {
    let (n, p) = (float(n), float(order));
    n * error.max(f64::MIN_POSITIVE).ln() + 2.0 * (p + 1.0) * n / (n - p - 2.0).max(1.0)
}

/// ρ₁…ρ_p of an autoregression, by Levinson and Durbin's recursion run backwards and forwards again.
fn initial_correlations(phi: &[f64]) -> Vec<f64> {
    let mut levels = vec![phi.to_vec()];
    while levels[levels.len() - 1].len() > 1 {
        let last = &levels[levels.len() - 1];
        let reflection = last[last.len() - 1];
        let shorter = &last[..last.len() - 1];
        let scale = (1.0 - reflection * reflection).max(f64::EPSILON);
        let stepped = shorter.iter().zip(shorter.iter().rev()).map(|(a, b)| (a + reflection * b) / scale).collect();
        levels.push(stepped);
    }
    let mut rho: Vec<f64> = Vec::with_capacity(phi.len());
    for coefficients in levels.iter().rev() {
        // ρ_k = Σⱼ φ_kj ρ_{k−j}, with ρ₀ = 1.
        let order = coefficients.len();
        let correlation = |lag: usize| if lag == 0 { 1.0 } else { rho[lag - 1] };
        let next: f64 = coefficients.iter().enumerate().map(|(j, phi)| phi * correlation(order - 1 - j)).sum();
        rho.push(next);
    }
    rho
}

/// Φ⁻¹(R/(n + 1)) of each value's rank R, the mean rank among ties (van der Waerden 1952).
fn normal_scores(ranking: &Ranking) -> Vec<f64> {
    let n = float(ranking.sorted().values().len());
    ranking.scores(|rank| normal_quantile(rank / (n + 1.0)).unwrap_or(0.0))
}

/// P(Z₁ ≤ z, Z₂ ≤ z) − Φ(z)² of a standard Gaussian pair with correlation ρ: ∫₀^asin ρ exp(−z²/(1 + sin θ)) dθ / 2π
/// (Plackett 1954), by Gauss and Legendre's rule of eight points.
fn orthant_excess(z: f64, rho: f64) -> f64 {
    const NODES: [(f64, f64); 4] = [
        (0.183_434_642_495_649_8, 0.362_683_783_378_362),
        (0.525_532_409_916_329, 0.313_706_645_877_887_3),
        (0.796_666_477_413_626_7, 0.222_381_034_453_374_5),
        (0.960_289_856_497_536_3, 0.101_228_536_290_376_26),
    ];
    let half = rho.clamp(-1.0, 1.0).asin() / 2.0;
    let integrand = |theta: f64| (-z * z / (1.0 + theta.sin()).max(f64::EPSILON)).exp();
    let total: f64 = NODES.iter().map(|&(x, w)| w * (integrand(half * (1.0 + x)) + integrand(half * (1.0 - x)))).sum();
    total * half / (2.0 * PI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_of_a_gaussian_fall_together_as_often_as_scipy_says() {
        // SciPy's multivariate_normal.cdf − norm.cdf².
        for (z, rho, expected) in [
            (0.0, 0.6, 0.102_416_382_349_567),
            (1.281_551_565_544_600_4, 0.6, 0.029_017_465_045_129),
            (2.326_347_874_040_840_8, 0.9, 0.005_319_709_336_300),
            (1.644_853_626_951_472_2, -0.4, -0.002_307_853_638_452),
        ] {
            let excess = orthant_excess(z, rho);
            assert!((excess - expected).abs() < 2e-7, "z {z}, ρ {rho}: {excess}, not {expected}");
        }
    }

    #[test]
    fn many_gaps_are_no_dependence() {
        // Independent values of which every tenth is missing. Rescaled lags of 20 pairs once gave V = n.
        let hash = |i: u64| {
            let mut x = i.wrapping_mul(0x9E37_79B9_7F4A_7C15);
            x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            #[allow(clippy::cast_precision_loss, reason = "a number for a test")]
            let uniform = ((x ^ (x >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
            uniform
        };
        for seed in 0..200 {
            let values: Vec<f64> = (0..180).map(|i| hash(seed * 1000 + i)).collect();
            let breaks: Vec<usize> = (1..20).map(|gap| gap * 9).collect();
            let inflation = Autoregression::of(&values, &breaks).inflation();
            assert!(inflation < 4.0, "series {seed}: V = {inflation}");
        }
    }

    #[test]
    fn an_autoregression_has_the_correlations_of_its_process() {
        let fitted = Autoregression { coefficients: vec![0.5, 0.3], inflation: 1.0, degrees_of_freedom: 9.0, n: 1000 };
        // ρ₁ = φ₁/(1 − φ₂), ρ₂ = φ₁ρ₁ + φ₂, ρ₃ = φ₁ρ₂ + φ₂ρ₁ (Box & Jenkins 1976).
        let expected = [0.5 / 0.7, 0.25 / 0.7 + 0.3, 0.5 * (0.25 / 0.7 + 0.3) + 0.3 * 0.5 / 0.7];
        for (rho, expected) in fitted.correlations().zip(expected) {
            assert!((rho - expected).abs() < 1e-12, "{rho}, not {expected}");
        }
    }
}
