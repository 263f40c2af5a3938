//! Intervals of shares and of their differences.

use super::special::normal_quantile_upper;

/// A share of requests, with its effective sample size.
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
    #[must_use]
    pub fn minus(self, other: Self, level: f64) -> Option<(f64, f64)> {
        let ((l1, u1), (l2, u2)) = (self.wilson(level)?, other.wilson(level)?);
        let (p1, p2) = (self.share, other.share);
        Some((p1 - p2 - (p1 - l1).hypot(u2 - p2), p1 - p2 + (u1 - p1).hypot(p2 - l2)))
    }
}
