//! Special functions: the normal distribution with accurate tails, the incomplete gamma function, and the χ² quantile.
//!
//! All functions are pure functions of `f64`. For arguments in the documented domain, they neither panic nor return
//! NaN; quantile functions return `None` outside their domain. Accuracies are relative errors, measured against
//! 40-digit arithmetic.

use std::f64::consts::{FRAC_1_SQRT_2, PI, SQRT_2};

use libm::erfc;
use statrs::function::erf::erfc_inv;

/// ln √(2π).
const LN_SQRT_2PI: f64 = 0.918_938_533_204_672_8;

/// From this shape on, the omitted terms of [`gamma_tails_of_large_shape`] are below 1e-13 even 37σ from the mean.
const LARGE_SHAPE: f64 = 1e8;

/// φ(z) = exp(−z²/2)/√(2π): the density of the standard normal distribution, for every finite z.
///
/// Accurate to z²·1e-16; 0 where the value is below the smallest `f64` (|z| > 38.6).
///
/// ```
/// use llmscope_core::stats::special::normal_pdf;
///
/// assert!((normal_pdf(0.0) - 1.0 / (2.0 * std::f64::consts::PI).sqrt()).abs() < 1e-15);
/// ```
#[must_use]
pub fn normal_pdf(z: f64) -> f64 {
    (-0.5 * z * z - LN_SQRT_2PI).exp()
}

/// Φ(z) = ½ erfc(−z/√2): the probability that a standard normal variable is at most z, for every z.
///
/// Accurate to 1e-13 for z > −37, including the lower tail; 0 where the value is below the smallest `f64` (z < −38.5).
/// The complementary error function is that of Sun's fdlibm (1993).
///
/// ```
/// use llmscope_core::stats::special::normal_cdf;
///
/// assert_eq!(normal_cdf(0.0), 0.5);
/// assert!((normal_cdf(1.0) - normal_cdf(-1.0) - 0.682_689_492_137_085_9).abs() < 1e-15);
/// ```
#[must_use]
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * erfc(-z * FRAC_1_SQRT_2)
}

/// 1 − Φ(z) = Φ(−z): the probability that a standard normal variable exceeds z, for every z.
///
/// Keeps its precision in the upper tail, where 1 − [`normal_cdf`] has lost all digits.
///
/// ```
/// use llmscope_core::stats::special::{normal_cdf, normal_sf};
///
/// assert_eq!(1.0 - normal_cdf(9.0), 0.0); // no digits are left
/// assert!((normal_sf(9.0) / 1.128_588_405_953_840_6e-19 - 1.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn normal_sf(z: f64) -> f64 {
    0.5 * erfc(z * FRAC_1_SQRT_2)
}

/// ln Φ(z), for every z, accurate to 1e-13.
///
/// Far in the lower tail, where Φ itself underflows, it is the asymptotic series of Laplace (Abramowitz and Stegun
/// 1964, 26.2.12): Φ(z) ~ φ(z)/|z| · (1 − 1/z² + 1·3/z⁴ − 1·3·5/z⁶ + …). −∞ where the value is below the range of `f64`
/// (z < −1.8e154). ln(1 − Φ(z)) is `normal_ln_cdf(-z)`.
///
/// ```
/// use llmscope_core::stats::special::normal_ln_cdf;
///
/// assert!((normal_ln_cdf(0.0) - 0.5_f64.ln()).abs() < 1e-15);
/// assert!((normal_ln_cdf(-100.0) / -5_005.524_208_694_205 - 1.0).abs() < 1e-12); // Φ itself is 0
/// ```
#[must_use]
pub fn normal_ln_cdf(z: f64) -> f64 {
    // At the switch, the first omitted term is 1e-16 relative to 1.
    const SWITCH: f64 = -20.0;
    const TERMS: i32 = 8;
    if z > 0.0 {
        (-normal_sf(z)).ln_1p()
    } else if z > SWITCH {
        normal_cdf(z).ln()
    } else {
        let inverse_square = 1.0 / (z * z);
        let series = (1..=TERMS).rev().fold(0.0, |rest, k| -f64::from(2 * k - 1) * inverse_square * (1.0 + rest));
        -0.5 * z * z - (-z).ln() - LN_SQRT_2PI + series.ln_1p()
    }
}

/// Φ⁻¹(p) = −√2 erfc⁻¹(2p): the z that a standard normal variable stays below with probability p; `None` unless
/// 0 < p < 1.
///
/// Accurate to 1e-15 of the exact inverse at p, down to the smallest p. Near p = 1, p itself has few digits: use
/// [`normal_quantile_upper`] there.
///
/// ```
/// use llmscope_core::stats::special::normal_quantile;
///
/// assert!((normal_quantile(0.975).unwrap() - 1.959_963_984_540_054).abs() < 1e-14);
/// assert_eq!(normal_quantile(1.0), None);
/// ```
#[must_use]
pub fn normal_quantile(p: f64) -> Option<f64> {
    // The subtraction gives the median as 0 rather than −0.
    normal_quantile_upper(p).map(|z| 0.0 - z)
}

/// The z that a standard normal variable exceeds with probability q, Φ⁻¹(1 − q) = −Φ⁻¹(q); `None` unless 0 < q < 1.
///
/// In the far upper tail (q = 1e-300) as accurate as [`normal_quantile`] in the lower.
///
/// ```
/// use llmscope_core::stats::special::normal_quantile_upper;
///
/// // The tail beyond six sigmas.
/// assert!((normal_quantile_upper(9.865_876_450_376_946e-10).unwrap() - 6.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn normal_quantile_upper(q: f64) -> Option<f64> {
    is_probability(q).then(|| SQRT_2 * erfc_inv(2.0 * q) + 0.0)
}

/// The regularized incomplete gamma functions (P, Q) of shape a > 0 at x ≥ 0; `None` outside this domain.
///
/// P(a, x) = ∫₀ˣ tᵃ⁻¹e⁻ᵗ dt / Γ(a) and Q = 1 − P: the probabilities that a gamma variable of shape a and scale 1 is
/// below and above x. A χ² variable with ν degrees of freedom is twice a gamma variable of shape ν/2.
///
/// Below x = a + 1 the power series of P, above it the continued fraction of Q (Abramowitz and Stegun 1964, 6.5.29 and
/// 6.5.31), each times xᵃe⁻ˣ/Γ(a + 1) in the cancellation-free form of Loader (2000, *Fast and Accurate Computation of
/// Binomial Probabilities*). The computed one of the two is accurate to 1e-13, and the other is its complement. Above a
/// = 1e8, where these take 1e5 terms, the uniform asymptotic expansion of Temme (1979).
///
/// ```
/// use llmscope_core::stats::special::incomplete_gamma;
///
/// let (below, above) = incomplete_gamma(1.0, 2.0).unwrap();
/// assert!((above - (-2.0_f64).exp()).abs() < 1e-15 && (below + above - 1.0).abs() < 1e-15);
/// assert_eq!(incomplete_gamma(-1.0, 2.0), None);
/// ```
#[must_use]
pub fn incomplete_gamma(a: f64, x: f64) -> Option<(f64, f64)> {
    if !(a > 0.0 && a.is_finite() && x >= 0.0) {
        None
    } else if x == 0.0 {
        Some((0.0, 1.0))
    } else if x.is_infinite() {
        Some((1.0, 0.0))
    } else {
        Some(gamma_tails(a, x))
    }
}

/// The quantile of the χ² distribution with `df` degrees of freedom, any real number above 0: the variable is below it
/// with probability p. `None` unless 0 < p < 1 and `df` is positive and finite.
///
/// Accurate to 1e-13 for `df` from 0.5 to 1e9 and p from 1e-300 to 1 − 1e-16. Newton's method on
/// the logarithm of the smaller tail probability against ln x, kept inside a shrinking bracket. 0 where the quantile is
/// below the smallest `f64` (tiny p with `df` below 1).
///
/// ```
/// use llmscope_core::stats::special::chi_squared_quantile;
///
/// // With 2 degrees of freedom it is −2 ln(1 − p).
/// assert!((chi_squared_quantile(0.95, 2.0).unwrap() + 2.0 * 0.05_f64.ln()).abs() < 1e-12);
/// ```
#[must_use]
pub fn chi_squared_quantile(p: f64, df: f64) -> Option<f64> {
    if !(is_probability(p) && df > 0.0 && df.is_finite()) {
        None
    } else if p <= 0.5 {
        Some(2.0 * gamma_quantile(0.5 * df, p, Tail::Lower))
    } else {
        // Exact: for p above one half, 1 − p is not rounded.
        Some(2.0 * gamma_quantile(0.5 * df, 1.0 - p, Tail::Upper))
    }
}

/// The x that a χ² variable with `df` degrees of freedom exceeds with probability q: [`chi_squared_quantile`] at 1 − q,
/// with the same domain and accuracy, and full accuracy for tiny q.
///
/// ```
/// use llmscope_core::stats::special::chi_squared_quantile_upper;
///
/// // With 2 degrees of freedom it is −2 ln q, however small q is.
/// assert!((chi_squared_quantile_upper(1e-100, 2.0).unwrap() + 2.0 * 1e-100_f64.ln()).abs() < 1e-9);
/// ```
#[must_use]
pub fn chi_squared_quantile_upper(q: f64, df: f64) -> Option<f64> {
    if !(is_probability(q) && df > 0.0 && df.is_finite()) {
        None
    } else if q <= 0.5 {
        Some(2.0 * gamma_quantile(0.5 * df, q, Tail::Upper))
    } else {
        Some(2.0 * gamma_quantile(0.5 * df, 1.0 - q, Tail::Lower))
    }
}

/// Whether `p` lies strictly between 0 and 1; false for NaN.
fn is_probability(p: f64) -> bool {
    p > 0.0 && p < 1.0
}

/// The side of x to which a probability refers.
#[derive(Clone, Copy)]
enum Tail {
    Lower,
    Upper,
}

/// The x at which the `tail` of a gamma variable of shape a has the given probability, which is at most one half.
fn gamma_quantile(a: f64, probability: f64, tail: Tail) -> f64 {
    let target = probability.ln();
    let (mut low, mut high) = (f64::MIN_POSITIVE, upper_bound(a, target, tail));
    let mut x = first_guess(a, probability, tail).clamp(low, high);
    for _ in 0..200 {
        let (p, q) = gamma_tails(a, x);
        // `slope` is d ln(tail)/d ln x; both logarithms are concave in ln x, so Newton's steps converge from one side.
        let density = a * gamma_kernel(a, x);
        let (value, slope) = match tail {
            Tail::Lower => (p, density / p),
            Tail::Upper => (q, -density / q),
        };
        let excess = value.ln() - target;
        if (excess > 0.0) == matches!(tail, Tail::Lower) {
            high = x;
        } else {
            low = x;
        }
        let step = -excess / slope;
        let newton = x * step.exp();
        // A step this small leaves an error of its square, or is the rounding error of ln(tail), magnified by a small
        // slope.
        if step.abs() < 1e-10 + 1e-15 / a {
            return newton;
        }
        // Newton's step is not finite if a tail underflows, and outside the bracket if the curve is almost flat: halve
        // the bracket in ln x.
        x = if newton >= low && newton <= high { newton } else { low.sqrt() * high.sqrt() };
    }
    if x <= 2.0 * f64::MIN_POSITIVE { 0.0 } else { x }
}

/// An upper bound of the quantile: the mean a, which exceeds the median, or for an upper tail of probability e⁻ᴸ the
/// bound a + √(2aL) + L (Boucheron, Lugosi and Massart 2013, *Concentration Inequalities*, section 2.4).
fn upper_bound(a: f64, ln_probability: f64, tail: Tail) -> f64 {
    match tail {
        Tail::Lower => a,
        Tail::Upper => a + (-2.0 * a * ln_probability).sqrt() - ln_probability,
    }
}

/// The initial guess of [`gamma_quantile`]: the cube-root normal approximation of Wilson and Hilferty (1931), or, near
/// 0 where that fails, the leading term P(a, x) ≈ xᵃ/Γ(a + 1).
fn first_guess(a: f64, probability: f64, tail: Tail) -> f64 {
    let upper = SQRT_2 * erfc_inv(2.0 * probability);
    let z = if matches!(tail, Tail::Lower) { -upper } else { upper };
    let ninth = 1.0 / (9.0 * a);
    let root = 1.0 - ninth + z * ninth.sqrt();
    if root > 0.3 || matches!(tail, Tail::Upper) {
        a * root.max(0.3).powi(3)
    } else {
        ((probability.ln() + libm::lgamma(a + 1.0)) / a).exp()
    }
}

/// P(a, x) and Q(a, x) for finite a, x > 0.
fn gamma_tails(a: f64, x: f64) -> (f64, f64) {
    if a > LARGE_SHAPE {
        return gamma_tails_of_large_shape(a, x);
    }
    let kernel = gamma_kernel(a, x);
    if x < a + 1.0 {
        let p = (kernel * gamma_series(a, x)).min(1.0);
        (p, 1.0 - p)
    } else {
        let q = (kernel * a * gamma_fraction(a, x)).min(1.0);
        (1.0 - q, q)
    }
}

/// P(a, x) and Q(a, x) for a above [`LARGE_SHAPE`], where series and fraction would take √a terms: the normal term and
/// the leading correction of the uniform asymptotic expansion of Temme (1979, *SIAM Journal on Mathematical Analysis*
/// 10(4)).
///
/// With η of the sign of x − a and aη²/2 the deviance, Q ~ 1 − Φ(η√a) + φ(η√a)(−1/3 + η/12 − 2η²/135 + η³/864 …)/√a.
fn gamma_tails_of_large_shape(a: f64, x: f64) -> (f64, f64) {
    let z = (2.0 * deviance(a, x).max(0.0)).sqrt().copysign(x - a);
    // Beyond ±1 the density is 0, and so is the correction, whatever the value of its series.
    let eta = (z / a.sqrt()).clamp(-1.0, 1.0);
    let series = -1.0 / 3.0 + eta * (1.0 / 12.0 + eta * (-2.0 / 135.0 + eta / 864.0));
    let correction = normal_pdf(z) * series / a.sqrt();
    ((normal_cdf(z) - correction).clamp(0.0, 1.0), (normal_sf(z) + correction).clamp(0.0, 1.0))
}

/// 1 + x/(a+1) + x²/((a+1)(a+2)) + …, which is P(a, x) over the kernel; for x < a + 1.
fn gamma_series(a: f64, x: f64) -> f64 {
    let (mut sum, mut term, mut k) = (1.0, 1.0, a);
    while term > 1e-17 * sum {
        k += 1.0;
        term *= x / k;
        sum += term;
    }
    sum
}

/// 1/(x+1−a− 1(1−a)/(x+3−a− 2(2−a)/(x+5−a− …))), which is Q(a, x)Γ(a)/xᵃe⁻ˣ; for x ≥ a + 1.
///
/// Evaluated forwards by the modified method of Lentz (Thompson and Barnett 1986, *Journal of Computational Physics*
/// 64); for x ≥ a + 1 no denominator is near 0.
fn gamma_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut c, mut d) = (f64::MAX, 1.0 / b);
    let (mut value, mut k) = (d, 0.0);
    loop {
        k += 1.0;
        let numerator = k * (a - k);
        b += 2.0;
        d = 1.0 / (numerator * d + b);
        c = b + numerator / c;
        let factor = c * d;
        value *= factor;
        if (factor - 1.0).abs() < 2e-16 || k > 1e7 {
            return value;
        }
    }
}

/// xᵃe⁻ˣ/Γ(a + 1).
fn gamma_kernel(a: f64, x: f64) -> f64 {
    if a < 10.0 {
        // In two factors: above x = 708, exp(−x) itself loses digits or underflows.
        let root = (-0.5 * x).exp();
        x.powf(a) * root * root / libm::tgamma(a + 1.0)
    } else {
        (-stirling_error(a) - deviance(a, x)).exp() / (2.0 * PI * a).sqrt()
    }
}

/// ln Γ(a+1) − ln(√(2πa) aᵃe⁻ᵃ), for every a > 0.
pub(super) fn stirling_error_of(a: f64) -> f64 {
    if a >= 10.0 { stirling_error(a) } else { libm::lgamma(a + 1.0) - (a + 0.5) * a.ln() + a - LN_SQRT_2PI }
}

/// ln Γ(a+1) − ln(√(2πa) aᵃe⁻ᵃ), by the Stirling series; for a ≥ 10.
fn stirling_error(a: f64) -> f64 {
    const SERIES: [f64; 7] =
        [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0, -691.0 / 360_360.0, 1.0 / 156.0];
    let square = 1.0 / (a * a);
    SERIES.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient) / a
}

/// a ln(a/x) + x − a ≥ 0: Loader's deviance, whose terms cancel where x is near a.
pub(super) fn deviance(a: f64, x: f64) -> f64 {
    let v = (x - a) / (x + a);
    if v.abs() > 0.5 {
        return a * (a / x).ln() + x - a;
    }
    // ln(a/x) = −2(v + v³/3 + v⁵/5 + …) and x − a = 2av/(1 − v); the two first terms sum to (x − a)v.
    let square = v * v;
    let mut sum = (x - a) * v;
    let (mut power, mut k) = (2.0 * a * v, 3.0);
    loop {
        power *= square;
        let next = sum - power / k;
        if next == sum {
            return sum;
        }
        sum = next;
        k += 2.0;
    }
}
