//! Multiple comparisons with one false-alarm rate.

use super::planning::Z_POWER;
use super::{Certified, Comparison, Decision, GateVerdict, Pair, Statistic};
use crate::cast::float;
use crate::objective::{CertificateStatus, Objective};
use crate::stats::special::{normal_quantile_upper, normal_sf};

/// The two kinds of figures that share alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figures {
    /// The typical request, which sees the smallest shifts.
    Typical,
    /// Quantiles and shares.
    Other,
}

/// The levels of the comparisons.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Levels {
    /// The number of comparisons that share alpha.
    pub(super) family: usize,
    pub(super) typical: f64,
    pub(super) other: f64,
}

impl Levels {
    /// Half of alpha is for the typical requests and half for the other figures, if both are compared: most changes shift
    /// all figures, which makes equal shares a waste. In each half, the comparisons that could be decided have equal shares.
    /// Each kind is given as the number of planned comparisons and the number that could be decided at a level.
    pub(super) fn of(
        alpha: f64,
        (typical, feasible): (usize, &dyn Fn(f64) -> usize),
        (other, other_feasible): (usize, &dyn Fn(f64) -> usize),
    ) -> Self {
        let half = if typical > 0 && other > 0 { alpha / 2.0 } else { alpha };
        let (typical, other) = (size(typical, half, feasible), size(other, half, other_feasible));
        let level = |size: usize| half / float(size.max(1));
        Self { family: typical + other, typical: level(typical), other: level(other) }
    }

    pub(super) fn of_figure(&self, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Typical => self.typical,
            _ => self.other,
        }
    }
}

/// The number of comparisons that share a part of alpha: the smallest K such that at most K of them could be decided at
/// level alpha/K (Tarone 1990, *Biometrics* 46: Bonferroni's correction without the comparisons whose sample is too small to
/// fail the gate). 0 if none is planned.
fn size(planned: usize, alpha: f64, feasible: impl Fn(f64) -> usize) -> usize {
    (1..=planned).find(|&size| feasible(alpha / float(size)) <= size).unwrap_or(planned)
}

/// The verdict of comparisons and certificates together.
pub(super) fn verdict(pairs: &[Pair], certificates: &[Certified]) -> GateVerdict {
    let is = |status: CertificateStatus| certificates.iter().any(|one| one.certificate.status == status);
    match verdict_of(pairs) {
        _ if is(CertificateStatus::Missed) => GateVerdict::Fail,
        GateVerdict::Pass if is(CertificateStatus::CannotTell) => GateVerdict::NotEnoughData,
        GateVerdict::NotEnoughData if pairs.is_empty() && !certificates.is_empty() => {
            if is(CertificateStatus::CannotTell) { GateVerdict::NotEnoughData } else { GateVerdict::Pass }
        }
        verdict => verdict,
    }
}

/// True if failed requests fail the gate.
pub(super) fn is_failing(pairs: &[Pair], certificates: &[Certified]) -> bool {
    let mut comparisons = pairs.iter().flat_map(|pair| &pair.comparisons);
    let is_worse = |one: &Comparison| one.statistic == Statistic::ErrorRate && one.decision == Decision::Worse;
    let is_missed = |one: &Certified| {
        matches!(one.certificate.objective, Objective::Errors { .. })
            && one.certificate.status == CertificateStatus::Missed
    };
    comparisons.any(is_worse) || certificates.iter().any(is_missed)
}

fn verdict_of(pairs: &[Pair]) -> GateVerdict {
    let decisions = |pair: &Pair| pair.comparisons.iter().map(|comparison| comparison.decision).collect::<Vec<_>>();
    let undecided = |pair: &Pair| !decisions(pair).contains(&Decision::NotWorse);
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

impl Power {
    pub(super) fn at(level: f64) -> Self {
        Self { multiple: normal_quantile_upper(level).map_or(2.0, |z| (z + Z_POWER) / z) }
    }

    /// The smallest detectable change beyond the allowed one, both on the scale of the half width.
    pub(super) fn detectable(&self, allowed: f64, half: f64) -> f64 {
        allowed + half * self.multiple
    }

    /// The number of requests per side that would reduce the smallest detectable change of a share to `target`.
    pub(super) fn need(&self, sizes: (usize, usize), allowed: f64, target: f64, half: f64) -> Option<usize> {
        let harmonic = 2.0 / (1.0 / float(sizes.0) + 1.0 / float(sizes.1));
        rounded(harmonic * (half * self.multiple / (target - allowed)).powi(2))
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
