//! Multiple comparisons with one false-alarm rate.

use super::{Decision, GateVerdict, Pair};
use crate::cast::float;
use crate::stats::special::{normal_quantile_upper, normal_sf};

/// The number of comparisons that share alpha: the smallest K such that at most K of them could be decided at level
/// alpha/K (Tarone 1990, *Biometrics* 46: Bonferroni's correction without the comparisons whose sample is too small to
/// fail the gate).
pub(super) fn size(planned: usize, alpha: f64, feasible: impl Fn(f64) -> usize) -> usize {
    (1..=planned).find(|&size| feasible(alpha / float(size)) <= size).unwrap_or(planned.max(1))
}

pub(super) fn verdict(pairs: &[Pair]) -> GateVerdict {
    let decisions = |pair: &Pair| pair.comparisons.iter().map(|comparison| comparison.decision).collect::<Vec<_>>();
    let undecided = |pair: &Pair| {
        let shares_only = pair.comparisons.iter().all(|comparison| comparison.statistic.is_share());
        // Failures are rare: if their rate cannot be bounded, the decisions on the latencies still hold.
        let matters = !shares_only || pairs.len() == 1;
        matters && !decisions(pair).contains(&Decision::NotWorse)
    };
    if pairs.iter().any(|pair| decisions(pair).contains(&Decision::Worse)) {
        GateVerdict::Fail
    } else if pairs.is_empty() || pairs.iter().any(undecided) {
        GateVerdict::NotEnoughData
    } else {
        GateVerdict::Pass
    }
}

/// The level for a normal deviate if the variance itself is estimated with this many degrees of freedom: Student's
/// quantile by the expansion of Cornish & Fisher (Abramowitz & Stegun 1964, 26.7.5).
pub(super) fn adjusted(level: f64, degrees_of_freedom: f64) -> f64 {
    let Some(z) = normal_quantile_upper(level) else { return level };
    let nu = degrees_of_freedom.max(4.0);
    let first = (z.powi(3) + z) / (4.0 * nu);
    let second = (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * nu * nu);
    normal_sf(z + first + second)
}

/// Degrees of freedom of the sum of two estimated variances (Satterthwaite 1946; Welch 1947).
pub(super) fn together((variance, freedom): (f64, f64), (other, other_freedom): (f64, f64)) -> f64 {
    let total = variance + other;
    if total > 0.0 { total * total / (variance * variance / freedom + other * other / other_freedom) } else { f64::MAX }
}

/// Relates the half width of an interval to the smallest change that is detected with this power.
pub(super) struct Power {
    /// (z + z₀.₈)/z: the distance between the allowed and the detectable change, in half widths.
    multiple: f64,
}

/// Φ⁻¹(0.8): a power of four in five.
const Z_POWER: f64 = 0.841_621_233_572_914_2;

impl Power {
    pub(super) fn at(level: f64) -> Self {
        Self { multiple: normal_quantile_upper(level).map_or(2.0, |z| (z + Z_POWER) / z) }
    }

    /// The smallest detectable change beyond the allowed one, both on the scale of the half width.
    pub(super) fn detectable(&self, allowed: f64, half: f64) -> f64 {
        allowed + half * self.multiple
    }

    /// The number of requests per side that would reduce the smallest detectable change to `target`.
    pub(super) fn need(&self, sizes: (usize, usize), allowed: f64, target: f64, half: f64) -> Option<usize> {
        let harmonic = 2.0 / (1.0 / float(sizes.0) + 1.0 / float(sizes.1));
        let need = harmonic * (half * self.multiple / (target - allowed)).powi(2);
        rounded(need)
    }
}

/// A number of requests, rounded up to two digits; `None` if it is too large to be practical.
pub(super) fn rounded(need: f64) -> Option<usize> {
    if !(need > 0.0 && need < 1e12) {
        return None;
    }
    let unit = 10f64.powf((need.log10().floor() - 1.0).max(0.0));
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 1e12")]
    Some(((need / unit).ceil() * unit) as usize)
}
