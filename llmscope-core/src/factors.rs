//! The constants of control charts: d₂, d₃, d₄, c₄, and the chart factors derived from them.
//!
//! For a sample of n independent normal values with standard deviation σ, let W be its range divided by σ and
//! S its standard deviation (n − 1) divided by σ. Then
//!
//! | constant | is | integral or formula |
//! | --- | --- | --- |
//! | d₂ | E(W) | ∫ 1 − Φ(x)ⁿ − (1 − Φ(x))ⁿ dx (Tippett 1925) |
//! | d₃ | √Var(W) | √∫ (w − d₂)² g(w) dw |
//! | d₄ | the median of W | the root of G(w) = ½ |
//! | c₄ | E(S) | √(2/(n−1)) Γ(n/2)/Γ((n−1)/2) |
//! | c₅ | √Var(S) | √(1 − c₄²) |
//!
//! with Φ and φ the standard normal distribution function and density, and the distribution function G and density g
//! of W (Hartley 1942, *Biometrika* 32) in terms of the midpoint m of the extremes, a = m − w/2 and b = m + w/2:
//!
//! - g(w) = n(n−1) ∫ φ(a) φ(b) \[Φ(b) − Φ(a)\]ⁿ⁻² dm
//! - G(w) = n ∫ ½(φ(a) + φ(b)) \[Φ(b) − Φ(a)\]ⁿ⁻¹ dm
//!
//! Both integrands are even in m. Every integrand here is analytic and decreases at least exponentially, and for such
//! functions the trapezoidal rule converges geometrically (Trefethen and Weideman 2014, *SIAM Review* 56(3)). A fixed
//! step therefore gives nearly all digits of an `f64`. Up to n = 100 the values are in a table; beyond, each call
//! integrates them. Both agree with 30-digit arithmetic to a relative error below 1e-13.
//!
//! No function here panics. A sample of fewer than two values has no range and no standard deviation: its constants are
//! 0, and [`Factors::of`] returns `None`.

mod table;

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::stats::special::normal_sf;

/// Step of the trapezoidal rule over values of x, m and (transformed) w.
///
/// The narrowest integrand, at the largest representable n, is a ninth as wide as the normal density; this step still
/// resolves it to 1e-13.
const STEP: f64 = 1.0 / 32.0;

/// The summation ends at a term this small relative to the sum so far, in the tail of an integrand.
const NEGLIGIBLE: f64 = 1e-18;

/// d₂(n): the expected range of n standard normal values (0 for n < 2).
///
/// Divides an average range, or with n = 2 an average moving range, to estimate σ. Relative error below 1e-13.
///
/// ```
/// use llmscope_core::factors::d2;
///
/// assert_eq!(format!("{:.3} {:.3}", d2(2), d2(5)), "1.128 2.326"); // Montgomery, appendix VI
/// ```
#[must_use]
pub fn d2(n: usize) -> f64 {
    tabulated(n).map_or_else(|| if n < 2 { 0.0 } else { integrate_d2(n) }, |row| row[0])
}

/// d₃(n): the standard deviation of the range of n standard normal values (0 for n < 2).
///
/// Relative error below 1e-13. Above n = 100, a call takes about a millisecond.
///
/// ```
/// use llmscope_core::factors::d3;
///
/// assert_eq!(format!("{:.3} {:.3}", d3(2), d3(5)), "0.853 0.864"); // Montgomery, appendix VI
/// ```
#[must_use]
pub fn d3(n: usize) -> f64 {
    tabulated(n).map_or_else(|| if n < 2 { 0.0 } else { integrate_d3(n) }, |row| row[1])
}

/// d₄(n): the median of the range of n standard normal values (0 for n < 2); d₄(2) = 0.953873.
///
/// Divides a median range, or with n = 2 a median moving range, to estimate σ robustly. Relative error below 1e-13.
///
/// ```
/// use llmscope_core::factors::d4;
///
/// assert_eq!(format!("{:.4}", d4(2)), "0.9539");
/// ```
#[must_use]
pub fn d4(n: usize) -> f64 {
    tabulated(n).map_or_else(|| if n < 2 { 0.0 } else { solve_d4(n) }, |row| row[2])
}

/// c₄(n) = √(2/(n−1)) Γ(n/2)/Γ((n−1)/2): the expected standard deviation of n standard normal values (0 for n < 2).
///
/// Relative error below 1e-15 at every n: beyond the table, it is the exponential of a small number instead of a ratio
/// of huge ones.
///
/// ```
/// use llmscope_core::factors::c4;
///
/// assert!((c4(2) - (2.0 / std::f64::consts::PI).sqrt()).abs() < 1e-15);
/// assert_eq!(format!("{:.4}", c4(5)), "0.9400"); // Montgomery, appendix VI
/// ```
#[must_use]
pub fn c4(n: usize) -> f64 {
    tabulated(n).map_or_else(|| if n < 2 { 0.0 } else { ln_c4(n).exp() }, |row| row[3])
}

/// c₅(n) = √(1 − c₄²): the standard deviation of the standard deviation of n standard normal values (0 for n < 2).
///
/// Avoids the cancellation in 1 − c₄², which leaves no digits for large n: relative error below 1e-14 at every n.
///
/// ```
/// use llmscope_core::factors::{c4, c5};
///
/// assert!((c4(5).powi(2) + c5(5).powi(2) - 1.0).abs() < 1e-15);
/// ```
#[must_use]
pub fn c5(n: usize) -> f64 {
    if n < 2 { 0.0 } else { (-(2.0 * ln_c4(n)).exp_m1()).sqrt() }
}

/// Bissell's fₙ: an average of k standard deviations of n values each, as an estimate of σ, has about fₙ·k·(n − 1)
/// degrees of freedom (0 for n < 2).
///
/// These are the two-digit values of Bissell (1990, *Applied Statistics* 39(3)) as statistical packages print and use
/// them, so that confidence intervals agree with those packages. They approximate c₄²/(2(1 − c₄²)(n − 1)), the degrees
/// of freedom of a χ variable with the same coefficient of variation as S, and equal its rounded value except at n = 3,
/// 10, 17 and 51 to 64, where they differ by 0.01.
///
/// ```
/// use llmscope_core::factors::bissell_f;
///
/// // Twenty standard deviations of five values each.
/// assert_eq!(bissell_f(5) * 20.0 * 4.0, 76.0);
/// ```
#[must_use]
pub fn bissell_f(n: usize) -> f64 {
    match n {
        0 | 1 => 0.0,
        2 => 0.88,
        3 => 0.92,
        4 => 0.94,
        5 => 0.95,
        6 | 7 => 0.96,
        8 | 9 => 0.97,
        10..=17 => 0.98,
        18..=64 => 0.99,
        _ => 1.0,
    }
}

/// The factors of Shewhart charts with 3σ limits, for subgroups of n values.
///
/// The names and formulas are those of ASTM E2587 and Montgomery (*Introduction to Statistical Quality Control*,
/// appendix VI). X̿ is the grand mean, R̄ the average range, S̄ the average standard deviation.
///
/// ```
/// use llmscope_core::factors::Factors;
///
/// // Montgomery, appendix VI.
/// let five = Factors::of(5).unwrap();
/// assert_eq!(format!("{:.3} {:.3} {:.3}", five.A2, five.D3, five.D4), "0.577 0.000 2.114");
/// assert_eq!(format!("{:.3} {:.3} {:.3}", five.A3, five.B3, five.B4), "1.427 0.000 2.089");
/// ```
#[doc(alias("control chart constants", "A2", "D3", "D4", "B3", "B4"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[allow(non_snake_case, reason = "A2 and a2 would be two things to a reader of the literature; these are its names")]
#[non_exhaustive]
pub struct Factors {
    /// The size of the subgroups.
    pub n: usize,
    /// Expected range over σ: σ̂ = R̄/d₂. See [`d2`].
    pub d2: f64,
    /// Standard deviation of the range over σ. See [`d3`].
    pub d3: f64,
    /// Expected standard deviation over σ: σ̂ = S̄/c₄. See [`c4`].
    pub c4: f64,
    /// A₂ = 3/(d₂√n): limits of the mean are X̿ ± A₂R̄.
    pub A2: f64,
    /// A₃ = 3/(c₄√n): limits of the mean are X̿ ± A₃S̄.
    pub A3: f64,
    /// B₃ = max(0, 1 − 3c₅/c₄): the lower limit of the standard deviation is B₃S̄.
    pub B3: f64,
    /// B₄ = 1 + 3c₅/c₄: the upper limit of the standard deviation is B₄S̄.
    pub B4: f64,
    /// B₅ = max(0, c₄ − 3c₅): the lower limit of the standard deviation is B₅σ when σ is known.
    pub B5: f64,
    /// B₆ = c₄ + 3c₅: the upper limit of the standard deviation is B₆σ when σ is known.
    pub B6: f64,
    /// D₃ = max(0, 1 − 3d₃/d₂): the lower limit of the range is D₃R̄.
    pub D3: f64,
    /// D₄ = 1 + 3d₃/d₂: the upper limit of the range is D₄R̄.
    pub D4: f64,
    /// E₂ = 3/d₂: limits of individual values are X̄ ± E₂R̄, R̄ being the average moving range of span n.
    pub E2: f64,
}

impl Factors {
    /// The factors for subgroups of `n` values; `None` for n < 2, where dispersion is undefined.
    ///
    /// ```
    /// use llmscope_core::factors::Factors;
    ///
    /// // The limits of an individuals chart are X̄ ± 2.66 MR̄.
    /// assert_eq!(format!("{:.3}", Factors::of(2).unwrap().E2), "2.659");
    /// assert!(Factors::of(1).is_none());
    /// ```
    #[must_use]
    pub fn of(n: usize) -> Option<Self> {
        if n < 2 {
            return None;
        }
        let (d2, d3, c4, c5) = (d2(n), d3(n), c4(n), c5(n));
        let root_n = (n as f64).sqrt();
        let (s_spread, r_spread) = (3.0 * c5 / c4, 3.0 * d3 / d2);
        Some(Self {
            n,
            d2,
            d3,
            c4,
            A2: 3.0 / (d2 * root_n),
            A3: 3.0 / (c4 * root_n),
            B3: (1.0 - s_spread).max(0.0),
            B4: 1.0 + s_spread,
            B5: (c4 - 3.0 * c5).max(0.0),
            B6: c4 + 3.0 * c5,
            D3: (1.0 - r_spread).max(0.0),
            D4: 1.0 + r_spread,
            E2: 3.0 / d2,
        })
    }
}

/// The table's row \[d₂, d₃, d₄, c₄\] for n, if it has one.
fn tabulated(n: usize) -> Option<&'static [f64; 4]> {
    n.checked_sub(table::FIRST).and_then(|index| table::CONSTANTS.get(index))
}

/// d₂(n) by its integral, n ≥ 2.
fn integrate_d2(n: usize) -> f64 {
    let n = n as f64;
    even_integral(|x| {
        let tail = normal_sf(x);
        // 1 − Φⁿ − (1 − Φ)ⁿ, with the first difference computed without cancellation.
        -(n * (-tail).ln_1p()).exp_m1() - tail.powf(n)
    })
}

/// d₃(n) by its integral, n ≥ 2.
///
/// About d₂ the integrand is nowhere negative, so nothing cancels; E(W²) − d₂² would lose digits as n grows. The
/// substitution w = ln(1 + eᵘ) maps the half line of ranges to the real line; it leaves large w unchanged and decays
/// exponentially as w approaches 0.
fn integrate_d3(n: usize) -> f64 {
    let center = integrate_d2(n);
    let start = center.exp_m1().ln();
    let term = |u: f64| {
        let w = if u > 0.0 { u + (-u).exp().ln_1p() } else { u.exp().ln_1p() };
        let deviation = w - center;
        let term = deviation * deviation * range_density(n, w) / (1.0 + (-u).exp());
        // The integrand is also 0 at the center, which is not its tail.
        (term, deviation.abs() > 1.0)
    };
    let mut sum = 0.0;
    for direction in [STEP, -STEP] {
        let mut u = start + direction;
        loop {
            let (term, outside) = term(u);
            sum += term;
            if outside && term <= NEGLIGIBLE * sum {
                break;
            }
            u += direction;
        }
    }
    (sum * STEP).sqrt()
}

/// d₄(n), n ≥ 2: the root of G(w) = ½ by Newton's method from the mean, which is less than d₃/4 away.
fn solve_d4(n: usize) -> f64 {
    let mut w = integrate_d2(n);
    for _ in 0..20 {
        let correction = (range_distribution(n, w) - 0.5) / range_density(n, w);
        w -= correction;
        if correction.abs() < 1e-14 * w {
            break;
        }
    }
    w
}

/// g(w): the density of the range of n standard normal values.
fn range_density(n: usize, w: f64) -> f64 {
    let n = n as f64;
    // φ(a)φ(b) = exp(−m² − w²/4)/2π.
    let scale = n * (n - 1.0) * (-0.25 * w * w).exp() / (2.0 * PI);
    scale * even_integral(|m| (-m * m).exp() * probability_between(m, w, n - 2.0))
}

/// G(w): the probability that the range of n standard normal values is at most w.
fn range_distribution(n: usize, w: f64) -> f64 {
    let n = n as f64;
    let density = |x: f64| (-0.5 * x * x).exp();
    let scale = 0.5 * n / (2.0 * PI).sqrt();
    scale * even_integral(|m| (density(m - 0.5 * w) + density(m + 0.5 * w)) * probability_between(m, w, n - 1.0))
}

/// \[Φ(b) − Φ(a)\]ᵏ with a = m − w/2 and b = m + w/2, for m, w, k ≥ 0.
///
/// k may be huge, so a probability near 1 is computed from the two tails outside the interval.
fn probability_between(m: f64, w: f64, k: f64) -> f64 {
    let (a, b) = (m - 0.5 * w, m + 0.5 * w);
    if k == 0.0 {
        1.0
    } else if a > 0.0 {
        (normal_sf(a) - normal_sf(b)).max(0.0).powf(k)
    } else {
        (k * (-(normal_sf(-a) + normal_sf(b))).max(-1.0).ln_1p()).exp()
    }
}

/// The integral over the real line of an even, analytic function that decreases fast, by the trapezoidal rule.
fn even_integral(f: impl Fn(f64) -> f64) -> f64 {
    let mut sum = 0.5 * f(0.0);
    let mut x = STEP;
    loop {
        let term = f(x);
        sum += term;
        if term <= NEGLIGIBLE * sum {
            return 2.0 * STEP * sum;
        }
        x += STEP;
    }
}

/// ln c₄(n), n ≥ 2, with a small relative error.
///
/// With x = (n − 1)/2, c₄ = Γ(x + ½)/(√x Γ(x)), whose logarithm has the asymptotic series (Tricomi and Erdélyi 1951,
/// from the Bernoulli polynomials) −1/8x + 1/192x³ − 1/640x⁵ + … A small x is first increased by Γ(x + 1) = xΓ(x).
fn ln_c4(n: usize) -> f64 {
    const SERIES: [f64; 6] =
        [-1.0 / 8.0, 1.0 / 192.0, -1.0 / 640.0, 17.0 / 14336.0, -31.0 / 18432.0, 691.0 / 180_224.0];
    let mut x = 0.5 * (n as f64 - 1.0);
    let mut moved = 0.0;
    while x < 16.0 {
        // The step from x to x + 1 multiplies c₄ by (x + ½)/√(x(x + 1)) = √(1 + ¼/(x(x + 1))).
        moved += 0.5 * (0.25 / (x * (x + 1.0))).ln_1p();
        x += 1.0;
    }
    let square = 1.0 / (x * x);
    let series = SERIES.iter().rev().fold(0.0, |sum, coefficient| sum * square + coefficient) / x;
    series - moved
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The relative difference between an integral as computed here and its row in the table.
    fn largest_difference(n: usize) -> f64 {
        let computed = [integrate_d2(n), integrate_d3(n), solve_d4(n), ln_c4(n).exp()];
        let row = tabulated(n).unwrap();
        computed.iter().zip(row).map(|(value, tabulated)| (value / tabulated - 1.0).abs()).fold(0.0, f64::max)
    }

    /// The table was computed with higher precision, so this tests the integrals, the table and, at n = 100, the
    /// transition between them.
    #[test]
    fn integrals_agree_with_the_table() {
        let mut largest: f64 = 0.0;
        for n in 2..=100 {
            let off = largest_difference(n);
            assert!(off <= 1e-12, "n = {n} differs by {off:e}");
            largest = largest.max(off);
        }
        println!("largest difference {largest:e}");
        assert!(tabulated(1).is_none() && tabulated(101).is_none());
    }

    #[test]
    fn density_and_distribution_of_the_range_belong_together() {
        for n in [2, 3, 10, 1000] {
            let (w, h) = (d2(n), 1e-4);
            let slope = (range_distribution(n, w + h) - range_distribution(n, w - h)) / (2.0 * h);
            assert!((slope / range_density(n, w) - 1.0).abs() < 1e-7, "n = {n}");
        }
    }
}
