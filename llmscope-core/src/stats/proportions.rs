//! Intervals of shares and of their differences.

use super::special::normal_quantile_upper;
use super::{fisher_quantile_upper, fisher_sf};

/// A share of requests, with its effective sample size.
///
/// ```
/// use llmscope_core::stats::Proportion;
///
/// let failed = Proportion { share: 3.0 / 200.0, size: 200.0 };
/// let (lower, upper) = failed.clopper_pearson(0.025).unwrap();
/// // R: binom.test(3, 200).
/// assert_eq!(format!("{lower:.4} {upper:.4}"), "0.0031 0.0432");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Proportion {
    /// The share, 0 to 1.
    pub share: f64,
    /// The effective number of independent observations, which need not be whole.
    pub size: f64,
}

impl Proportion {
    /// Wilson's interval (1927, *JASA* 22): the shares within z of their own standard errors. Each end is exceeded with
    /// probability `level`; `None` without observations, or for a level that is not between 0 and ½.
    ///
    /// (2np + z² ∓ z√(z² + 4np(1 − p)))/(2(n + z²)).
    ///
    /// ```
    /// use llmscope_core::stats::Proportion;
    ///
    /// // Newcombe (1998), method 3: 81 of 263.
    /// let (lower, upper) = Proportion { share: 81.0 / 263.0, size: 263.0 }.wilson(0.025).unwrap();
    /// assert_eq!(format!("{lower:.4} {upper:.4}"), "0.2553 0.3662");
    /// ```
    #[must_use]
    pub fn wilson(self, level: f64) -> Option<(f64, f64)> {
        let z = normal_quantile_upper(level).filter(|&z| z > 0.0)?;
        let Self { share: p, size: n } = self;
        if !(n > 0.0 && (0.0..=1.0).contains(&p)) {
            return None;
        }
        let center = 2.0 * n * p + z * z;
        let half = z * (z * z + 4.0 * n * p * (1.0 - p)).max(0.0).sqrt();
        let end = |sum: f64| (sum / (2.0 * (n + z * z))).clamp(0.0, 1.0);
        let lower = if p == 0.0 { 0.0 } else { end(center - half).min(p) };
        let upper = if p == 1.0 { 1.0 } else { end(center + half).max(p) };
        Some((lower, upper))
    }

    /// Newcombe's interval for the difference `self` − `other` (1998, *Statistics in Medicine* 17, method 10): the distances
    /// from each share to its Wilson limits, squared and added.
    ///
    /// ```
    /// use llmscope_core::stats::Proportion;
    ///
    /// // Newcombe (1998), method 10: 56/70 − 48/80.
    /// let (first, second) = (Proportion { share: 0.8, size: 70.0 }, Proportion { share: 0.6, size: 80.0 });
    /// let (lower, upper) = first.minus(second, 0.025).unwrap();
    /// assert_eq!(format!("{lower:.4} {upper:.4}"), "0.0524 0.3339");
    /// ```
    #[must_use]
    pub fn minus(self, other: Self, level: f64) -> Option<(f64, f64)> {
        let ((l1, u1), (l2, u2)) = (self.wilson(level)?, other.wilson(level)?);
        let (p1, p2) = (self.share, other.share);
        Some((p1 - p2 - (p1 - l1).hypot(u2 - p2), p1 - p2 + (u1 - p1).hypot(p2 - l2)))
    }

    /// Clopper and Pearson's exact interval (1934, *Biometrika* 26): the shares that a one-sided binomial test does not
    /// reject. Each end is exceeded with probability at most `level`; `None` without observations, or for a level that
    /// is not between 0 and ½.
    ///
    /// With x = np, the ends are quantiles of Beta(x, n − x + 1) and Beta(x + 1, n − x), from those of the F
    /// distribution. For dependent observations n is the effective size, and neither n nor x need be whole (Korn &
    /// Graubard 1998, *Survey Methodology* 24).
    ///
    /// ```
    /// use llmscope_core::stats::Proportion;
    ///
    /// // No failure in 300 requests: the share is below 1 − 0.05^(1/300), about 3/300, with 95 % confidence.
    /// let (lower, upper) = Proportion { share: 0.0, size: 300.0 }.clopper_pearson(0.05).unwrap();
    /// assert!(lower == 0.0 && (upper - (1.0 - 0.05_f64.powf(1.0 / 300.0))).abs() < 1e-14);
    /// ```
    #[must_use]
    pub fn clopper_pearson(self, level: f64) -> Option<(f64, f64)> {
        if !(level > 0.0 && level < 0.5) {
            return None;
        }
        let (x, rest) = self.counts()?;
        // The values a/(a + b/f) of Beta(a, b), at the f that an F variable exceeds with probability `level`.
        let exceeded = |a: f64, b: f64| Some((a, b / fisher_quantile_upper(level, 2.0 * a, 2.0 * b)?));
        let lower = if x > 0.0 { exceeded(rest + 1.0, x).map(|(a, b)| b / (a + b))? } else { 0.0 };
        let upper = if rest > 0.0 { exceeded(x + 1.0, rest).map(|(a, b)| a / (a + b))? } else { 1.0 };
        Some((lower, upper))
    }

    /// The exact binomial test of a true share of at least `limit`: the probability that no more than x of n
    /// observations count if the true share is the limit. It is at most `level` where the upper end of
    /// [`Self::clopper_pearson`] is at most the limit.
    ///
    /// ```
    /// use llmscope_core::stats::Proportion;
    ///
    /// // No failure in 100 requests: 0.97¹⁰⁰, if 3 % fail.
    /// let none = Proportion { share: 0.0, size: 100.0 };
    /// assert!((none.p_below(0.03).unwrap() - 0.97_f64.powi(100)).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn p_below(self, limit: f64) -> Option<f64> {
        let (x, rest) = self.counts()?;
        binomial_tail(x, rest, limit)
    }

    /// The exact binomial test of a true share of at most `limit`: the probability that at least x of n observations
    /// count if the true share is the limit.
    ///
    /// ```
    /// use llmscope_core::stats::Proportion;
    ///
    /// // All of 3 requests failed: 0.1³, if 10 % fail.
    /// assert!((Proportion { share: 1.0, size: 3.0 }.p_above(0.1).unwrap() - 0.001).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn p_above(self, limit: f64) -> Option<f64> {
        let (x, rest) = self.counts()?;
        binomial_tail(rest, x, 1.0 - limit)
    }

    /// The number of observations that count, and of those that do not.
    fn counts(self) -> Option<(f64, f64)> {
        let Self { share, size } = self;
        let known = size > 0.0 && size.is_finite() && (0.0..=1.0).contains(&share);
        known.then_some((share * size, size - share * size))
    }
}

/// P(X ≤ x) of a binomial variable with x + `rest` trials of probability `p`: the chance that Beta(x + 1, `rest`) exceeds
/// `p` (Johnson, Kemp & Kotz 2005, *Univariate Discrete Distributions*, equation 3.37).
fn binomial_tail(x: f64, rest: f64, p: f64) -> Option<f64> {
    if !(p > 0.0 && p < 1.0) {
        return None;
    }
    let a = x + 1.0;
    if rest > 0.0 { fisher_sf(p / a / ((1.0 - p) / rest), 2.0 * a, 2.0 * rest) } else { Some(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(value: f64, expected: f64) -> bool {
        (value - expected).abs() <= 1e-9 * expected.abs()
    }

    #[test]
    fn exact_limits_are_those_of_scipy() {
        // SciPy 1.17.1: binomtest(x, n, alternative='greater').proportion_ci(1 − level, method='exact').low, and .high of
        // alternative='less'.
        for (x, n, level, lower, upper) in [
            (12.0, 300.0, 0.01, 0.018_264_787_899_689, 0.074_701_090_332_954),
            (0.0, 300.0, 0.01, 0.0, 0.015_233_347_889_842),
            (20.0, 20.0, 0.05, 0.860_891_659_331_735, 1.0),
            (1.0, 459.0, 0.01, 2.189_591_682_449e-5, 0.014_374_131_423_559),
            (3.0, 1000.0, 0.001, 1.907_059_817_085e-4, 0.012_996_697_147_764),
            (15.0, 25.0, 0.05, 0.416_838_036_984_647, 0.764_413_869_598_757),
            (500.0, 100_000.0, 0.01, 0.004_495_677_218_111, 0.005_543_851_230_127),
        ] {
            let (low, high) = Proportion { share: x / n, size: n }.clopper_pearson(level).expect("limits");
            assert!(close(low, lower) && close(high, upper), "{x} of {n} at {level}: {low}, {high}");
        }
    }

    #[test]
    fn sizes_need_not_be_whole() {
        // SciPy 1.17.1: beta.ppf(level, x, n − x + 1), beta.isf(level, x + 1, n − x).
        for (share, size, level, lower, upper) in [
            (0.04, 43.7, 0.01, 0.002_247_034_060_286, 0.169_990_269_015_542),
            (0.0, 61.25, 0.01, 0.0, 0.072_429_477_189_727),
            (0.5, 20.5, 0.05, 0.304_403_700_201_124, 0.695_596_299_798_876),
            (1.0, 33.3, 0.01, 0.870_843_149_769_072, 1.0),
        ] {
            let (low, high) = Proportion { share, size }.clopper_pearson(level).expect("limits");
            assert!(close(low, lower) && close(high, upper), "{share} of {size}: {low}, {high}");
        }
    }

    #[test]
    fn a_test_at_a_limit_has_the_level_of_the_limit() {
        for (share, size) in [(0.04, 300.0), (0.04, 43.7), (0.0, 20.0), (0.9, 1000.0)] {
            let proportion = Proportion { share, size };
            let (lower, upper) = proportion.clopper_pearson(0.01).expect("limits");
            assert!(close(proportion.p_below(upper).expect("p"), 0.01), "{share} of {size}");
            let above = proportion.p_above(lower);
            assert!(lower == 0.0 || close(above.expect("p"), 0.01), "{share} of {size}: {above:?}");
        }
        assert_eq!(Proportion { share: 0.0, size: 20.0 }.p_above(0.1), Some(1.0));
        assert_eq!(Proportion { share: 1.0, size: 20.0 }.p_below(0.1), Some(1.0));
    }

    #[test]
    fn what_cannot_be_bounded_has_no_limits() {
        let share = |share: f64, size: f64| Proportion { share, size };
        assert_eq!(share(0.1, 0.0).clopper_pearson(0.01), None);
        assert_eq!(share(1.1, 10.0).clopper_pearson(0.01), None);
        assert_eq!(share(0.1, 10.0).clopper_pearson(0.5), None);
        assert_eq!(share(0.1, 10.0).p_above(0.0), None);
    }
}
