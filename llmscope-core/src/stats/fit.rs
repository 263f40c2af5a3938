//! Distributions fitted by maximum likelihood, and their goodness of fit.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::special::{
    chi_squared_quantile, chi_squared_quantile_upper, incomplete_gamma, normal_cdf, normal_ln_cdf, normal_quantile,
    normal_sf, stirling_error_of,
};
use super::{MIN_NORMALITY, Moments, Sorted, mean, sum};
use crate::cast::float;

/// A distribution with its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "distribution", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Distribution {
    /// Normal.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        sigma: f64,
    },
    /// Lognormal: the logarithm is normal.
    Lognormal {
        /// Mean of the logarithm.
        mu: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
    /// Weibull, for values from 0.
    Weibull {
        /// Shape.
        shape: f64,
        /// Scale.
        scale: f64,
    },
    /// Gamma, for values from 0.
    Gamma {
        /// Shape.
        shape: f64,
        /// Scale.
        scale: f64,
    },
}

impl Distribution {
    /// The distribution's name.
    ///
    /// ```
    /// use llmscope_core::stats::Distribution;
    ///
    /// assert_eq!(Distribution::Gamma { shape: 2.0, scale: 1.0 }.name(), "gamma");
    /// ```
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Normal { .. } => "normal",
            Self::Lognormal { .. } => "lognormal",
            Self::Weibull { .. } => "Weibull",
            Self::Gamma { .. } => "gamma",
        }
    }

    /// The probabilities below and above `x`, each to full precision.
    ///
    /// ```
    /// use llmscope_core::stats::Distribution;
    ///
    /// let normal = Distribution::Normal { mean: 10.0, sigma: 2.0 };
    /// let (below, above) = normal.tails(10.0);
    /// assert_eq!((below, above), (0.5, 0.5));
    /// // Eight sigmas out, 1 − p would have no digits.
    /// assert!((normal.tails(26.0).1 / 6.220_960_574_271_786e-16 - 1.0).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn tails(&self, x: f64) -> (f64, f64) {
        match *self {
            Self::Normal { mean, sigma } => both_tails((x - mean) / sigma),
            _ if x <= 0.0 => (0.0, 1.0),
            Self::Lognormal { mu, sigma } => both_tails((x.ln() - mu) / sigma),
            Self::Weibull { shape, scale } => {
                let hazard = (x / scale).powf(shape);
                (-(-hazard).exp_m1(), (-hazard).exp())
            }
            Self::Gamma { shape, scale } => incomplete_gamma(shape, x / scale).unwrap_or((0.0, 1.0)),
        }
    }

    /// The quantile: a share p of the values is below it. `None` unless 0 < p < 1.
    ///
    /// ```
    /// use llmscope_core::stats::Distribution;
    ///
    /// let lognormal = Distribution::Lognormal { mu: 0.0, sigma: 1.0 };
    /// assert!((lognormal.quantile(0.5).unwrap() - 1.0).abs() < 1e-15);
    /// assert_eq!(lognormal.quantile(1.0), None);
    /// ```
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        let z = normal_quantile(p)?;
        let quantile = match *self {
            Self::Normal { mean, sigma } => mean + z * sigma,
            Self::Lognormal { mu, sigma } => (mu + z * sigma).exp(),
            Self::Weibull { shape, scale } => scale * (-(-p).ln_1p()).powf(1.0 / shape),
            Self::Gamma { shape, scale } => {
                // Computes each tail to full precision.
                let chi = if p <= 0.5 {
                    chi_squared_quantile(p, 2.0 * shape)
                } else {
                    chi_squared_quantile_upper(1.0 - p, 2.0 * shape)
                };
                0.5 * scale * chi?
            }
        };
        quantile.is_finite().then_some(quantile)
    }

    fn ln_tails(&self, x: f64) -> (f64, f64) {
        let of_z = |z: f64| (normal_ln_cdf(z), normal_ln_cdf(-z));
        match *self {
            Self::Normal { mean, sigma } => of_z((x - mean) / sigma),
            Self::Lognormal { mu, sigma } => of_z((x.ln() - mu) / sigma),
            Self::Weibull { shape, scale } => {
                let hazard = (x / scale).powf(shape);
                ((-(-hazard).exp_m1()).ln(), -hazard)
            }
            Self::Gamma { .. } => {
                let (below, above) = self.tails(x);
                (below.ln(), above.ln())
            }
        }
    }

    /// A² = −n − (1/n)Σ(2i − 1)\[ln F(x₍ᵢ₎) + ln(1 − F(x₍ₙ₊₁₋ᵢ₎))\] (Anderson & Darling 1954). `None` if the tail
    /// probability of a value is 0.
    #[must_use]
    pub fn anderson_darling(&self, sorted: &Sorted) -> Option<f64> {
        let values = sorted.values();
        let n = float(values.len());
        let (mut total, mut weight) = (0.0, 1.0);
        for (&x, &mirrored) in values.iter().zip(values.iter().rev()) {
            total += weight * (self.ln_tails(x).0 + self.ln_tails(mirrored).1);
            weight += 2.0;
        }
        Some(-n - total / n).filter(|statistic| statistic.is_finite())
    }

    /// The critical value, which A² exceeds in 5 % of samples from the fitted family: D'Agostino & Stephens (1986,
    /// *Goodness-of-Fit Techniques*, tables 4.7, 4.17 and 4.21), adjusted to n values.
    fn critical(&self, n: usize) -> f64 {
        const GAMMA: [(f64, f64); 9] = [
            (1.0, 0.786),
            (2.0, 0.768),
            (3.0, 0.762),
            (4.0, 0.759),
            (5.0, 0.758),
            (6.0, 0.757),
            (8.0, 0.755),
            (10.0, 0.754),
            (20.0, 0.753),
        ];
        let n = float(n);
        match *self {
            Self::Normal { .. } | Self::Lognormal { .. } => 0.752 / (1.0 + 0.75 / n + 2.25 / (n * n)),
            Self::Weibull { .. } => 0.757 / (1.0 + 0.2 / n.sqrt()),
            Self::Gamma { shape, .. } => GAMMA.iter().rfind(|&&(from, _)| shape >= from).map_or(0.786, |&(_, a)| a),
        }
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

fn both_tails(z: f64) -> (f64, f64) {
    (normal_cdf(z), normal_sf(z))
}

/// A distribution fitted to a sample.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Fit {
    /// The distribution.
    #[serde(flatten)]
    pub distribution: Distribution,
    /// Logarithm of the likelihood.
    pub log_likelihood: f64,
    /// Akaike's criterion (1974): 4 − 2 ln L, for two parameters. Smaller is better.
    pub aic: f64,
    /// A²; absent if the distribution excludes one of the values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anderson_darling: Option<f64>,
    /// The critical value of A² at 5 %.
    pub critical: f64,
}

impl Fit {
    /// True if A² does not reject the distribution at 5 %.
    ///
    /// ```
    /// use llmscope_core::stats::{Fit, Sorted, special::normal_quantile};
    ///
    /// let normal: Vec<f64> = (1..100).filter_map(|i| normal_quantile(f64::from(i) / 100.0)).collect();
    /// assert!(Fit::all(&Sorted::of(&normal))[0].is_good());
    /// ```
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.anderson_darling.is_some_and(|statistic| statistic <= self.critical)
    }

    /// Fits the normal distribution and, to positive values, the lognormal, Weibull and gamma distributions, all with
    /// location 0. The fits are ordered by Akaike's criterion, the best one first. Empty for fewer than 8 values or
    /// without variation.
    ///
    /// ```
    /// use llmscope_core::stats::{Fit, Sorted};
    ///
    /// let skewed: Vec<f64> = (1..200).map(|i| (0.4 * f64::from(i % 17) - 3.0).exp()).collect();
    /// assert_ne!(Fit::all(&Sorted::of(&skewed))[0].distribution.name(), "normal");
    /// ```
    #[must_use]
    pub fn all(sorted: &Sorted) -> Vec<Self> {
        let values = sorted.values();
        let moments = Moments::of(values);
        if values.len() < MIN_NORMALITY || moments.is_constant() {
            return Vec::new();
        }
        let mut found = vec![normal(&moments)];
        if values[0] > 0.0 {
            let logs = Logs::of(values, &moments);
            found.extend([lognormal(&logs), weibull(&logs), gamma(&logs)]);
        }
        let with = |(distribution, log_likelihood): (Distribution, f64)| Self {
            distribution,
            log_likelihood,
            aic: 4.0 - 2.0 * log_likelihood,
            anderson_darling: distribution.anderson_darling(sorted),
            critical: distribution.critical(values.len()),
        };
        let mut fits: Vec<Self> =
            found.into_iter().flatten().filter(|(_, likelihood)| likelihood.is_finite()).map(with).collect();
        fits.sort_by(|a, b| a.aic.total_cmp(&b.aic));
        fits
    }
}

/// Sums for the likelihoods of positive values.
struct Logs {
    logs: Vec<f64>,
    moments: Moments,
    n: f64,
    mean: f64,
    /// ln x̄ − mean of ln x ≥ 0.
    skew: f64,
}

impl Logs {
    fn of(values: &[f64], moments: &Moments) -> Self {
        let logs: Vec<f64> = values.iter().map(|x| x.ln()).collect();
        let center = moments.mean().unwrap_or(1.0);
        let n = float(values.len());
        // Computed about the mean, which avoids cancellation for values with little variation.
        let skew = -sum(values, |x| ((x - center) / center).ln_1p()).value() / n;
        Self { moments: Moments::of(&logs), logs, n, mean: center, skew }
    }

    fn mean_log(&self) -> f64 {
        self.moments.mean().unwrap_or_default()
    }
}

fn normal(moments: &Moments) -> Option<(Distribution, f64)> {
    let (mean, sigma) = (moments.mean()?, moments.standard_deviation()?);
    #[allow(clippy::cast_precision_loss, reason = "a count above 2^53 values does not occur")]
    let n = moments.count() as f64;
    Some((Distribution::Normal { mean, sigma }, normal_likelihood(n, moments.sum_of_squares())))
}

/// −(n/2)(ln 2πσ̂² + 1) with σ̂² = SS/n.
fn normal_likelihood(n: f64, squares: f64) -> f64 {
    -0.5 * n * ((std::f64::consts::TAU * squares / n).ln() + 1.0)
}

fn lognormal(logs: &Logs) -> Option<(Distribution, f64)> {
    let squares = logs.moments.sum_of_squares();
    let sigma = (squares / logs.n).sqrt();
    let likelihood = normal_likelihood(logs.n, squares) - logs.n * logs.mean_log();
    (sigma > 0.0).then_some((Distribution::Lognormal { mu: logs.mean_log(), sigma }, likelihood))
}

/// The shape solves Σxᵏ ln x/Σxᵏ − 1/k = mean of ln x; Newton's method on ln k within a bracket.
fn weibull(logs: &Logs) -> Option<(Distribution, f64)> {
    let largest = logs.moments.max()?;
    // xᵏ is relative to the largest value, so that it cannot overflow.
    let weighted = |k: f64| {
        let (mut w, mut wy, mut wyy) = (0.0, 0.0, 0.0);
        for log in &logs.logs {
            let y = log - largest;
            let weight = (k * y).exp();
            w += weight;
            wy += weight * y;
            wyy += weight * y * y;
        }
        (w, wy / w, wyy / w)
    };
    // The logarithm of a Weibull variable has the standard deviation π/(k√6).
    let mut shape = std::f64::consts::PI / (6.0_f64.sqrt() * logs.moments.standard_deviation().filter(|&s| s > 0.0)?);
    let (mut low, mut high) = (0.0, f64::INFINITY);
    for _ in 0..100 {
        let (_, mean, square) = weighted(shape);
        let excess = mean - 1.0 / shape - (logs.mean_log() - largest);
        let slope = shape * (square - mean * mean) + 1.0 / shape;
        if excess > 0.0 {
            high = shape;
        } else {
            low = shape;
        }
        let newton = shape * (-excess / slope).exp();
        let next = match newton {
            inside if inside > low && inside < high => inside,
            _ if high.is_finite() => 0.5 * (low + high),
            _ => 2.0 * shape,
        };
        let settled = (next / shape - 1.0).abs() < 1e-14;
        shape = next;
        if settled {
            break;
        }
    }
    let (w, ..) = weighted(shape);
    let ln_scale = largest + (w / logs.n).ln() / shape;
    let likelihood = logs.n * (shape.ln() - shape * ln_scale + (shape - 1.0) * logs.mean_log() - 1.0);
    Some((Distribution::Weibull { shape, scale: ln_scale.exp() }, likelihood))
}

/// The shape solves ln a − ψ(a) = ln x̄ − mean of ln x; bisection on ln a. A gamma distribution with a shape above 10
/// 000 is practically normal and is omitted.
fn gamma(logs: &Logs) -> Option<(Distribution, f64)> {
    const LARGEST_SHAPE: f64 = 1e4;
    let (mut low, mut high) = (1e-6_f64.ln(), LARGEST_SHAPE.ln());
    let gap = |ln_shape: f64| ln_minus_digamma(ln_shape.exp());
    if !(gap(high) < logs.skew && logs.skew < gap(low)) {
        return None;
    }
    while high - low > 1e-15 * high.abs().max(1.0) {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            break;
        }
        if gap(middle) > logs.skew { low = middle } else { high = middle }
    }
    let shape = f64::midpoint(low, high).exp();
    let rest = 0.5 * (shape / std::f64::consts::TAU).ln() - stirling_error_of(shape);
    let likelihood = logs.n * (rest - shape * logs.skew - logs.mean_log());
    Some((Distribution::Gamma { shape, scale: logs.mean / shape }, likelihood))
}

/// ln a − ψ(a), by the recurrence ψ(a) = ψ(a + 1) − 1/a up to 10 and by the asymptotic series beyond (Abramowitz and
/// Stegun 1964, 6.3.5 and 6.3.18).
fn ln_minus_digamma(a: f64) -> f64 {
    const SERIES: [f64; 6] = [1.0 / 12.0, -1.0 / 120.0, 1.0 / 252.0, -1.0 / 240.0, 1.0 / 132.0, -691.0 / 32_760.0];
    let (mut x, mut recurred) = (a, 0.0);
    while x < 10.0 {
        recurred += 1.0 / x;
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = SERIES.iter().rev().fold(0.0, |rest, coefficient| (rest + coefficient) * square);
    (a / x).ln() + 0.5 / x + series + recurred
}

/// The power of Box & Cox (1964) that makes positive values most nearly normal.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct BoxCox {
    /// The power λ; 0 is the logarithm.
    pub lambda: f64,
    /// The geometric mean, by which values are divided before the transformation.
    pub geometric_mean: f64,
}

impl BoxCox {
    /// The search range of λ: more extreme powers are hard to interpret.
    const LARGEST: f64 = 5.0;

    /// Estimates λ by maximum likelihood, from −5 to 5. `None` for values that are not positive, for fewer than 8
    /// values, or without variation.
    ///
    /// The likelihood is −(n/2) ln Var((uᵏ − 1)/λ) with u = x/geometric mean, which includes the Jacobian.
    /// Golden-section search (Kiefer 1953), then a parabola through the last three points.
    ///
    /// ```
    /// use llmscope_core::stats::{BoxCox, Sorted, special::normal_quantile};
    ///
    /// // Squares of nearly normal values need the square root.
    /// let normal = (1..100).filter_map(|i| normal_quantile(f64::from(i) / 100.0));
    /// let squares: Vec<f64> = normal.map(|z| (10.0 + z).powi(2)).collect();
    /// assert!((BoxCox::of(&Sorted::of(&squares)).unwrap().lambda - 0.5).abs() < 0.05);
    /// ```
    #[must_use]
    pub fn of(sorted: &Sorted) -> Option<Self> {
        let values = sorted.values();
        if values.len() < MIN_NORMALITY || values[0] <= 0.0 || values[0] == values[values.len() - 1] {
            return None;
        }
        let logs: Vec<f64> = values.iter().map(|x| x.ln()).collect();
        let center = mean(&logs)?;
        let centered: Vec<f64> = logs.iter().map(|log| log - center).collect();
        let spread = |lambda: f64| {
            let transformed: Vec<f64> = centered.iter().map(|&log| power(lambda, log)).collect();
            Moments::of(&transformed).variance().unwrap_or(f64::INFINITY).ln()
        };
        let lambda = minimum(spread, -Self::LARGEST, Self::LARGEST);
        Some(Self { lambda, geometric_mean: center.exp() })
    }

    /// (uᵏ − 1)/λ, or ln u for λ = 0, with u = x/geometric mean. It increases with x for every λ. `None` unless x is
    /// positive.
    ///
    /// ```
    /// use llmscope_core::stats::{BoxCox, Sorted};
    ///
    /// let fitted = BoxCox::of(&Sorted::of(&[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0])).unwrap();
    /// assert!(fitted.transform(fitted.geometric_mean).unwrap().abs() < 1e-12);
    /// assert_eq!(fitted.transform(0.0), None);
    /// ```
    #[must_use]
    pub fn transform(&self, x: f64) -> Option<f64> {
        let transformed = power(self.lambda, (x / self.geometric_mean).ln());
        (x > 0.0 && transformed.is_finite()).then_some(transformed)
    }

    /// True if λ is at an end of the search range.
    #[must_use]
    pub fn is_at_the_end(&self) -> bool {
        self.lambda.abs() > Self::LARGEST - 1e-3
    }
}

/// (e^{λy} − 1)/λ.
fn power(lambda: f64, log: f64) -> f64 {
    if lambda.abs() < 1e-12 { log } else { (lambda * log).exp_m1() / lambda }
}

/// The minimum of a unimodal function.
fn minimum(f: impl Fn(f64) -> f64, mut low: f64, mut high: f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_8;
    // Near the minimum, rounding hides differences, so the parabola uses a width at which they are still significant.
    const WIDTH: f64 = 1e-3;
    let inner = |low: f64, high: f64| (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut left, mut right) = inner(low, high);
    let (mut at_left, mut at_right) = (f(left), f(right));
    while high - low > WIDTH {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = inner(low, high).0;
            at_left = f(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = inner(low, high).1;
            at_right = f(right);
        }
    }
    let middle = f64::midpoint(low, high);
    let h = 0.5 * WIDTH;
    let (before, here, after) = (f(middle - h), f(middle), f(middle + h));
    let step = 0.5 * h * (before - after) / (before - 2.0 * here + after);
    if step.abs() <= 4.0 * WIDTH { middle + step } else { middle }
}
