//! The F distribution, by the incomplete beta function.

use super::special::{deviance, normal_quantile_upper, stirling_error_of};

/// The probability that an F variable with `d1` and `d2` degrees of freedom, any real numbers above 0, exceeds `f`;
/// `None` outside f ≥ 0 and for degrees of freedom that are not positive and finite.
///
/// I_y(d₂/2, d₁/2) at y = d₂/(d₂ + d₁f) (Abramowitz and Stegun 1964, 26.6.2). Accurate to 1e-12 for degrees of freedom
/// up to 1e6; 0 where the value is below the smallest `f64`.
///
/// ```
/// use llmscope_core::stats::fisher_sf;
///
/// // With 2 and d₂ degrees of freedom it is (1 + 2f/d₂)^(−d₂/2).
/// assert!((fisher_sf(3.0, 2.0, 6.0).unwrap() - 0.125).abs() < 1e-15);
/// ```
#[must_use]
pub fn fisher_sf(f: f64, d1: f64, d2: f64) -> Option<f64> {
    Some(tails(f, d1, d2)?.1)
}

/// The f that an F variable exceeds with probability `q`; `None` unless 0 < q < 1 and the degrees of freedom are positive
/// and finite. Bisection in ln f on the smaller tail, to 1e-14.
///
/// ```
/// use llmscope_core::stats::fisher_quantile_upper;
///
/// // With 2 and 6 degrees of freedom the tail is (1 + f/3)^−3.
/// assert!((fisher_quantile_upper(0.125, 2.0, 6.0).unwrap() - 3.0).abs() < 1e-12);
/// assert_eq!(fisher_quantile_upper(0.0, 2.0, 6.0), None);
/// ```
#[must_use]
pub fn fisher_quantile_upper(q: f64, d1: f64, d2: f64) -> Option<f64> {
    if !(q > 0.0 && q < 1.0) {
        return None;
    }
    let (mut low, mut high) = (-700.0_f64, 700.0_f64);
    while high - low > 1e-14 * high.abs().max(1.0) {
        let middle = f64::midpoint(low, high);
        let (below, above) = tails(middle.exp(), d1, d2)?;
        // 1 − q is exact for q of at least one half, and `below` keeps its digits while `above` has lost them.
        let exceeds = if q <= 0.5 { above > q } else { below < 1.0 - q };
        if middle <= low || middle >= high {
            break;
        } else if exceeds {
            low = middle;
        } else {
            high = middle;
        }
    }
    Some(f64::midpoint(low, high).exp())
}

/// The t that a Student variable with `degrees_of_freedom` exceeds with probability `q`; `None` unless 0 < q < ½ and the
/// degrees of freedom are positive and finite.
///
/// t² has the F distribution with 1 and these degrees of freedom. The logarithm of the tail falls with ln t, ever more
/// steeply, so that Newton's method converges from the right, in about five rounds.
///
/// ```
/// use llmscope_core::stats::student_quantile_upper;
///
/// // SciPy 1.17.1: t.isf(q, df).
/// for (q, df, t) in [
///     (0.002, 8.0, 3.990_950_391_465_57),
///     (0.01, 2.0, 6.964_556_734_283_274),
///     (0.000_625, 4.0, 8.121_636_503_574_988),
///     (0.05, 1.0, 6.313_751_514_675_044),
///     (0.01, 100.0, 2.364_217_366_238_481_8),
/// ] {
///     assert!((student_quantile_upper(q, df).unwrap() - t).abs() < 1e-11 * t);
/// }
/// ```
#[doc(alias = "t distribution")]
#[must_use]
pub fn student_quantile_upper(q: f64, degrees_of_freedom: f64) -> Option<f64> {
    const ROUNDS: usize = 60;
    let nu = degrees_of_freedom;
    let mut t = normal_quantile_upper(q).filter(|&z| z > 0.0)?;
    let ln_density_at_0 =
        libm::lgamma(0.5 * (nu + 1.0)) - libm::lgamma(0.5 * nu) - 0.5 * (std::f64::consts::PI * nu).ln();
    for _ in 0..ROUNDS {
        let tail = 0.5 * fisher_sf(t * t, 1.0, nu)?;
        let density = (ln_density_at_0 - 0.5 * (nu + 1.0) * (t * t / nu).ln_1p()).exp();
        let step = (tail / q).ln() * tail / (t * density);
        if !step.is_finite() {
            break;
        }
        t *= step.exp();
        if step.abs() < 1e-14 {
            return Some(t);
        }
    }
    // A tail that is too far out for the density: bisection.
    fisher_quantile_upper(2.0 * q, 1.0, nu).map(f64::sqrt)
}

/// The probabilities below and above f.
fn tails(f: f64, d1: f64, d2: f64) -> Option<(f64, f64)> {
    let positive = |d: f64| d > 0.0 && d.is_finite();
    if !(f >= 0.0 && positive(d1) && positive(d2)) {
        return None;
    }
    // x and 1 − x, each to full precision.
    let (x, y) = match d1 * f / d2 {
        0.0 => return Some((0.0, 1.0)),
        odds if odds.is_infinite() => return Some((1.0, 0.0)),
        odds => (odds / (1.0 + odds), 1.0 / (1.0 + odds)),
    };
    Some(incomplete_beta(0.5 * d1, 0.5 * d2, x, y))
}

/// I_x(a, b) and its complement, with y = 1 − x.
fn incomplete_beta(a: f64, b: f64, x: f64, y: f64) -> (f64, f64) {
    if x == 0.0 || y == 0.0 {
        return if x == 0.0 { (0.0, 1.0) } else { (1.0, 0.0) };
    }
    let kernel = beta_kernel(a, b, x, y);
    if x <= a / (a + b) {
        let lower = (kernel * beta_fraction(a, b, x, y)).clamp(0.0, 1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (kernel * beta_fraction(b, a, y, x)).clamp(0.0, 1.0);
        (1.0 - upper, upper)
    }
}

/// xᵃyᵇ/B(a, b), in the cancellation-free form of Loader (2000): deviances and errors of Stirling's formula.
fn beta_kernel(a: f64, b: f64, x: f64, y: f64) -> f64 {
    let n = a + b;
    let stirling = stirling_error_of(n) - stirling_error_of(a) - stirling_error_of(b);
    let distance = deviance(a, n * x) + deviance(b, n * y);
    (stirling - distance).exp() * (a / (2.0 * std::f64::consts::PI) * (b / n)).sqrt()
}

/// I_x(a, b) over the kernel, for x at most the mean a/(a + b): the continued fraction of Didonato & Morris (1992, *ACM
/// Transactions on Mathematical Software* 18(3)), which has no cancellation.
fn beta_fraction(a: f64, b: f64, x: f64, y: f64) -> f64 {
    // a − (a + b)x, from the more precise one of x and y.
    let below_mean = if a > b { (a + b) * y - b } else { a - (a + b) * x };
    let first = 1.0 + below_mean.max(0.0);
    let mut numerators = (0.0, 1.0);
    let mut denominators = (1.0, first / (1.0 + 1.0 / a));
    let mut value = numerators.1 / denominators.1;
    let mut k = 0.0;
    loop {
        k += 1.0;
        let w = k * (b - k) * x;
        let s = a + 2.0 * k - 1.0;
        // p(p + b/a)(a/s)²wx with p = 1 + (k − 1)/a.
        let alpha = (a + k - 1.0) * (a + b + k - 1.0) / (s * s) * (w * x);
        let beta = k + w / s + (a + k) / (a + 1.0 + 2.0 * k) * (first + k * (1.0 + y));
        numerators = (numerators.1, alpha * numerators.0 + beta * numerators.1);
        denominators = (denominators.1, alpha * denominators.0 + beta * denominators.1);
        let next = numerators.1 / denominators.1;
        if (next - value).abs() <= 1e-16 * next || k > 1e6 {
            return next;
        }
        value = next;
        // Only the ratio matters; it is kept near 1.
        let scale = denominators.1;
        numerators = (numerators.0 / scale, value);
        denominators = (denominators.0 / scale, 1.0);
    }
}
