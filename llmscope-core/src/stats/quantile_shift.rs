//! Intervals for the shift of a quantile between two samples, from order statistics.

use super::special::{normal_quantile_upper, normal_sf};
use crate::cast::float;

/// The order statistics that bound a shift: ranks among n, starting at 1; a fractional rank is between two order
/// statistics.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct BoundingRanks {
    /// The rank in the sample that is assumed higher: its quantile is at least this order statistic.
    pub low: f64,
    /// The rank in the other sample: its quantile is at most this order statistic.
    pub high: f64,
}

/// The ranks of a one-sided bound for the shift of the p-quantile. If all values come from one distribution, order
/// statistic `low` of `higher` independent values exceeds order statistic `high` of `lower` others with probability
/// `level`.
///
/// The difference of two one-sample sign intervals (Hettmansperger 1984, *Applied Statistics* 33(1)) is
/// distribution-free, because P(X₍ᵣ₎ < Y₍ₛ₎) depends only on ranks. Both ranks are the same number of standard
/// deviations from p, the smallest number that satisfies the level. Between the last pair that does not satisfy it and
/// the first that does, ranks are interpolated in the logarithm of the level (after Hettmansperger & Sheather 1986).
/// `None` if the samples are too small, or if the level is not between 0 and ½.
///
/// ```
/// use llmscope_core::stats::bounding_ranks;
///
/// let ranks = bounding_ranks(0.5, 100, 100, 0.05).unwrap();
/// assert!(ranks.low < 50.5 && ranks.high > 50.5);
/// assert!(bounding_ranks(0.99, 20, 20, 0.05).is_none()); // too few values for a p99
/// ```
#[must_use]
pub fn bounding_ranks(p: f64, higher: usize, lower: usize, level: f64) -> Option<BoundingRanks> {
    let largest = widest(p, higher, lower)?;
    if !(level > 0.0 && level < 0.5) || chance(pair(p, higher, lower, largest), higher, lower) > level {
        return None;
    }
    let (mut inside, mut outside) = (0.0, largest);
    // The pair changes by whole ranks: 60 halvings are more than enough to separate two changes.
    for _ in 0..60 {
        let middle = f64::midpoint(inside, outside);
        if chance(pair(p, higher, lower, middle), higher, lower) > level {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    let (wide, narrow) = (pair(p, higher, lower, outside), pair(p, higher, lower, inside));
    let (below, above) = (chance(wide, higher, lower), chance(narrow, higher, lower));
    let weight = if above > level && below > 0.0 { (above / level).ln() / (above / below).ln() } else { 1.0 };
    let between = |from: usize, to: usize| float(from) + weight.clamp(0.0, 1.0) * (float(to) - float(from));
    Some(BoundingRanks { low: between(narrow.0, wide.0), high: between(narrow.1, wide.1) })
}

/// The smallest level at which [`bounding_ranks`] exists, or 1.
///
/// ```
/// use llmscope_core::stats::smallest_level;
///
/// assert!(smallest_level(0.5, 100, 100) < 1e-9);
/// assert_eq!(smallest_level(0.5, 0, 100), 1.0);
/// ```
#[must_use]
pub fn smallest_level(p: f64, higher: usize, lower: usize) -> f64 {
    widest(p, higher, lower).map_or(1.0, |largest| chance(pair(p, higher, lower, largest), higher, lower))
}

/// The equal sample size from which [`bounding_ranks`] exists at this level, by the normal approximation.
#[must_use]
pub fn fewest_values(p: f64, level: f64) -> Option<f64> {
    let z = normal_quantile_upper(level)?;
    Some((z * z / 2.0 * (p / (1.0 - p)).max((1.0 - p) / p)).max(2.0))
}

/// The number of standard deviations at which one of the ranks leaves its sample.
fn widest(p: f64, higher: usize, lower: usize) -> Option<f64> {
    let (m, n) = (float(higher), float(lower));
    let spread = |n: f64| (n * p * (1.0 - p)).sqrt();
    let down = (p * (m + 1.0) - 1.0) / spread(m);
    let up = (n - p * (n + 1.0)) / spread(n);
    let widest = down.min(up);
    (widest.is_finite() && widest > 0.0).then_some(widest)
}

/// (low, high) at this number of standard deviations from p.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1..=n")]
fn pair(p: f64, higher: usize, lower: usize, multiple: f64) -> (usize, usize) {
    let (m, n) = (float(higher), float(lower));
    let spread = |n: f64| multiple * (n * p * (1.0 - p)).sqrt();
    let low = (p * (m + 1.0) - spread(m) + 1e-9).floor().clamp(1.0, m) as usize;
    let high = (p * (n + 1.0) + spread(n) - 1e-9).ceil().clamp(1.0, n) as usize;
    (low, high)
}

/// P(Y₍ₛ₎ > X₍ᵣ₎) for m values Y and n values X of one continuous distribution: fewer than s values of Y are below
/// X₍ᵣ₎. Their number has the negative hypergeometric distribution P(j) = C(r+j−1, j)·C(n−r+m−j, m−j)/C(n+m, m).
///
/// # Panics
/// Unless 1 ≤ s ≤ m and 1 ≤ r ≤ n.
///
/// ```
/// use llmscope_core::stats::exceedance;
///
/// // The larger of two values exceeds the smaller of two others in 5 of 6 orders.
/// assert!((exceedance(2, 2, 1, 2) - 5.0 / 6.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn exceedance(s: usize, m: usize, r: usize, n: usize) -> f64 {
    assert!((1..=m).contains(&s) && (1..=n).contains(&r), "ranks {s} of {m} and {r} of {n}");
    chance((s, r), m, n)
}

fn chance((s, r): (usize, usize), m: usize, n: usize) -> f64 {
    let (mf, nf, rf) = (float(m), float(n), float(r));
    let choose = |a: f64, b: f64| libm::lgamma(a + 1.0) - libm::lgamma(b + 1.0) - libm::lgamma(a - b + 1.0);
    let first = float(s) - 1.0;
    if mf + nf > LARGE {
        // For very large samples, both order statistics are normal to more digits than are displayed.
        let u = (rf - 0.5) / nf - (float(s) - 0.5) / mf;
        let p = (rf / nf + float(s) / mf) / 2.0;
        return normal_sf(u / (p * (1.0 - p) * (1.0 / nf + 1.0 / mf)).sqrt());
    }
    let mut term =
        (choose(rf + first - 1.0, first) + choose(nf - rf + mf - first, mf - first) - choose(nf + mf, mf)).exp();
    let mut total = 0.0;
    let mut j = first;
    loop {
        total += term;
        if j < 1.0 || term < total * 1e-17 {
            return total.min(1.0);
        }
        term *= j / (rf + j - 1.0) * (nf - rf + mf - j + 1.0) / (mf - j + 1.0);
        j -= 1.0;
    }
}

/// Above this many values, the normal approximation replaces the exact sum.
const LARGE: f64 = 1e8;
