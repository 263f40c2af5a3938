//! Comparisons of two samples by ranks: Mann and Whitney's test, Hodges and Lehmann's shift.

use super::Sorted;
use super::contrasts::{Contrast, of_rank};
use super::special::{normal_quantile_upper, normal_sf};
use crate::cast::float;

/// Probabilities are exact if neither sample is larger than this and there are no ties.
const LARGEST_EXACT: usize = 50;

/// Mann and Whitney's U of two samples (1947, *Annals of Mathematical Statistics* 18(1)).
///
/// ```
/// use llmscope_core::stats::{MannWhitney, Sorted};
///
/// // One of the 20 arrangements of six values has all of the candidate's on top.
/// let test = MannWhitney::of(&Sorted::of(&[1.0, 2.0, 3.0]), &Sorted::of(&[4.0, 5.0, 6.0])).unwrap();
/// assert_eq!((test.u, test.superiority, test.p_greater), (9.0, 1.0, 0.05));
/// ```
#[doc(alias("Wilcoxon", "rank sum test"))]
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MannWhitney {
    /// The number of pairs in which the candidate's value is larger; a tie counts one half.
    pub u: f64,
    /// U/nm: the probability that a value of the candidate exceeds one of the baseline.
    pub superiority: f64,
    /// Probability of a U at least as large if both samples come from the same distribution.
    pub p_greater: f64,
    /// Probability of a U at least as small.
    pub p_less: f64,
    /// Probability of a U at least as far from nm/2 on either side.
    pub p_two_sided: f64,
    /// Standard deviation of U if both samples come from the same distribution, corrected for ties.
    pub sigma: f64,
    /// True if the probabilities are exact, false for the normal approximation with a continuity correction.
    pub exact: bool,
}

impl MannWhitney {
    /// Compares a candidate with a baseline; `None` if one of them is empty.
    ///
    /// Exact for samples of up to 50 values without ties. Otherwise U is approximated as normal with variance nm/12·(N
    /// + 1 − Σ(t³ − t)/(N(N − 1))), with t the sizes of the ties among N = n + m (Hollander & Wolfe, ch. 4).
    ///
    /// ```
    /// use llmscope_core::stats::{MannWhitney, Sorted};
    ///
    /// let same = Sorted::of(&[1.0, 2.0, 3.0, 4.0]);
    /// assert_eq!(MannWhitney::of(&same, &same).unwrap().superiority, 0.5);
    /// assert!(MannWhitney::of(&same, &Sorted::of(&[])).is_none());
    /// ```
    #[must_use]
    pub fn of(baseline: &Sorted, candidate: &Sorted) -> Option<Self> {
        let (x, y) = (baseline.values(), candidate.values());
        if x.is_empty() || y.is_empty() {
            return None;
        }
        let (n, m) = (float(x.len()), float(y.len()));
        let (u, ties) = count(x, y);
        let total = n + m;
        let sigma = (n * m / 12.0 * (total + 1.0 - ties / (total * (total - 1.0)))).max(0.0).sqrt();
        let exact = ties == 0.0 && x.len().max(y.len()) <= LARGEST_EXACT;
        let (p_greater, p_less) = if exact {
            let below = |u: f64| exact_below(u, x.len(), y.len());
            (below(n * m - u), below(u))
        } else if sigma > 0.0 {
            let z = |excess: f64| (excess - 0.5) / sigma;
            (normal_sf(z(u - n * m / 2.0)), normal_sf(z(n * m / 2.0 - u)))
        } else {
            (1.0, 1.0)
        };
        let p_two_sided = (2.0 * p_greater.min(p_less)).min(1.0);
        Some(Self { u, superiority: u / (n * m), p_greater, p_less, p_two_sided, sigma, exact })
    }
}

/// U and Σ(t³ − t), in one pass through two sorted samples.
fn count(x: &[f64], y: &[f64]) -> (f64, f64) {
    let (mut u, mut ties) = (0.0, 0.0);
    let (mut i, mut j) = (0, 0);
    while j < y.len() {
        let value = y[j];
        let from = i + x[i..].iter().take_while(|&&x| x < value).count();
        // Ties among the skipped values of the baseline.
        ties += x[i..from].chunk_by(|a, b| a == b).map(|run| cubed(run.len())).sum::<f64>();
        let equal_x = x[from..].iter().take_while(|&&x| x == value).count();
        let equal_y = y[j..].iter().take_while(|&&y| y == value).count();
        u += float(equal_y) * (float(from) + float(equal_x) / 2.0);
        ties += cubed(equal_x + equal_y);
        i = from + equal_x;
        j += equal_y;
    }
    ties += x[i..].chunk_by(|a, b| a == b).map(|run| cubed(run.len())).sum::<f64>();
    (u, ties)
}

fn cubed(size: usize) -> f64 {
    let t = float(size);
    t * t * t - t
}

/// P(U ≤ u) of two samples without ties: the number of arrangements with each U, by Mann and Whitney's recursion.
fn exact_below(u: f64, n: usize, m: usize) -> f64 {
    let (n, m) = (n.min(m), n.max(m));
    let largest = n * m;
    if u > float(largest) / 2.0 {
        // The distribution is symmetric, and small tails keep their precision: P(U ≤ u) = 1 − P(U ≤ nm − u − 1).
        return 1.0 - exact_below(float(largest) - u.floor() - 1.0, n, m);
    }
    // ways[u] of the Gaussian binomial coefficient: multiply by (1 − qᵐ⁺ⁱ), divide by (1 − qⁱ).
    let mut ways = vec![0.0; largest + 1];
    ways[0] = 1.0;
    for i in 1..=n {
        for at in (m + i..=largest).rev() {
            ways[at] -= ways[at - m - i];
        }
        for at in i..=largest {
            ways[at] += ways[at - i];
        }
    }
    let all: f64 = ways.iter().sum();
    let below: f64 = ways.iter().enumerate().take_while(|(at, _)| float(*at) <= u).map(|(_, ways)| ways).sum();
    (below / all).clamp(0.0, 1.0)
}

/// Hodges and Lehmann's estimate (1963, *Annals of Mathematical Statistics* 34(2)): the median of all nm contrasts of a
/// candidate's value with a baseline's; `None` if a sample is empty.
///
/// The nm contrasts are not materialized. Each step counts those below a bound in one pass through both sorted samples,
/// until few remain. The cost is O(n + m) after sorting.
///
/// ```
/// use llmscope_core::stats::{Contrast, Sorted, hodges_lehmann};
///
/// // One request that took 900 does not move the estimate.
/// let (baseline, candidate) = (Sorted::of(&[30.0, 31.0, 32.0]), Sorted::of(&[35.0, 36.0, 900.0]));
/// assert_eq!(hodges_lehmann(&baseline, &candidate, Contrast::Difference), Some(5.0));
/// ```
#[doc(alias = "shift estimate")]
#[must_use]
pub fn hodges_lehmann(baseline: &Sorted, candidate: &Sorted, contrast: Contrast) -> Option<f64> {
    let pairs = baseline.values().len().checked_mul(candidate.values().len()).filter(|&pairs| pairs > 0)?;
    let (low, high) = of_rank(baseline.values(), candidate.values(), contrast, (pairs - 1) / 2);
    Some(if pairs % 2 == 1 { low } else { contrast.between(low, high) })
}

/// The bounds of a shift, each exceeded with a probability of at most `level`, after Moses (Hollander & Wolfe, section
/// 4.3): contrast number nm/2 ∓ (zσ + ½), with σ the standard deviation of U. `None` if a bound would be beyond the
/// outermost contrast.
///
/// ```
/// use llmscope_core::stats::{Contrast, MannWhitney, Sorted, shift_bounds};
///
/// let baseline: Vec<f64> = (0..40).map(|i| 30.0 + f64::from(i * 7 % 11)).collect();
/// let candidate: Vec<f64> = baseline.iter().map(|x| x + 5.0).collect();
/// let (baseline, candidate) = (Sorted::of(&baseline), Sorted::of(&candidate));
/// let sigma = MannWhitney::of(&baseline, &candidate).unwrap().sigma;
/// let (low, high) = shift_bounds(&baseline, &candidate, Contrast::Difference, sigma, 0.025).unwrap();
/// assert!(low > 0.0 && low <= 5.0 && high >= 5.0);
/// ```
#[must_use]
pub fn shift_bounds(
    baseline: &Sorted,
    candidate: &Sorted,
    contrast: Contrast,
    sigma: f64,
    level: f64,
) -> Option<(f64, f64)> {
    let pairs = baseline.values().len().checked_mul(candidate.values().len()).filter(|&pairs| pairs > 0)?;
    let below = float(pairs) / 2.0 - normal_quantile_upper(level)? * sigma - 0.5;
    if below < 0.0 {
        return None;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and half the pairs")]
    let rank = below.floor() as usize;
    let at = |rank| of_rank(baseline.values(), candidate.values(), contrast, rank).0;
    Some((at(rank), at(pairs - 1 - rank)))
}

/// The smallest level at which [`shift_bounds`] exists for samples of these sizes and this σ.
#[must_use]
pub fn smallest_shift_level(n: f64, m: f64, sigma: f64) -> f64 {
    if sigma > 0.0 { normal_sf((n * m / 2.0 - 0.5) / sigma) } else { 0.0 }
}
