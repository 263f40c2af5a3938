//! Fisher's exact test of two shares.

use crate::cast::float;

/// One-sided p-value of Fisher's exact test (1934): the probability that k₂ or more of the k₁ + k₂ events are among n₂ of
/// the n₁ + n₂ places, if the share of k₂ is the larger one; otherwise that of k₂ or fewer. Places count as independent.
///
/// The sum of hypergeometric probabilities C(n₂, k)·C(n₁, K − k)/C(n₁ + n₂, K) with K = k₁ + k₂, by logarithms of the
/// gamma function. It is accurate to about 1e-9 for a million places.
///
/// ```
/// use llmscope_core::stats::fisher_exact;
///
/// // No event among 3 places and 3 events among 3 others: 1 of the C(6, 3) = 20 divisions.
/// assert!((fisher_exact((0, 3), (3, 3)) - 0.05).abs() < 1e-12);
/// ```
///
/// # Panics
/// If there are more events than places.
#[doc(alias = "contingency table")]
#[must_use]
pub fn fisher_exact((k1, n1): (usize, usize), (k2, n2): (usize, usize)) -> f64 {
    assert!(k1 <= n1 && k2 <= n2, "more events than places: {k1} of {n1}, {k2} of {n2}");
    let (events, places) = (k1 + k2, n1 + n2);
    let ln_choose = |n: usize, k: usize| {
        let ln_factorial = |n: usize| libm::lgamma(float(n) + 1.0);
        ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k)
    };
    let all = ln_choose(places, events);
    let probability = |k: usize| (ln_choose(n2, k) + ln_choose(n1, events - k) - all).exp();
    let (fewest, most) = (events.saturating_sub(n1), events.min(n2));
    let rises = float(k2) * float(n1) >= float(k1) * float(n2);
    let tail: f64 = if rises { (k2..=most).map(probability).sum() } else { (fewest..=k2).map(probability).sum() };
    tail.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tail_is_that_of_scipy() {
        // SciPy 1.17.1: hypergeom(300, 12, 100).sf(8), hypergeom(400, 1, 200).sf(0), hypergeom(400, 30, 200).cdf(10).
        for (one, other, expected) in [
            ((3, 200), (9, 100), 0.003_235_136_412_294_879),
            ((0, 200), (1, 200), 0.5),
            ((20, 200), (10, 200), 0.043_048_402_119_699_236),
        ] {
            let tail = fisher_exact(one, other);
            assert!((tail - expected).abs() <= 1e-9 * expected, "{one:?} {other:?}: {tail}");
        }
    }
}
