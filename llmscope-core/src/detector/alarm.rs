//! What an alarm says.

use serde::{Deserialize, Serialize};

use super::Scale;
use super::allowance::NEEDED;
use super::mixture::{Inflation, Leading};
use super::prediction::Prediction;
use super::reference::Reference;
use crate::cast::float;
use crate::stats::special::normal_cdf;
use crate::stats::{Contrast, MannWhitney, QuantileMethod, Sorted, hodges_lehmann, shift_bounds};

/// The last residuals that are kept for the size of a change.
pub(super) const KEPT: usize = 128;
/// Values of the reference that the size is measured against.
const REFERENCE: usize = 256;
/// Two-sided: 95 %.
const TAIL: f64 = 0.0005;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changed {
    /// Values are larger than before.
    Larger,
    /// Values are smaller than before.
    Smaller,
    /// Values vary more than before.
    MoreVaried,
}

/// The evidence exceeded its threshold.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alarm {
    /// What changed.
    pub changed: Changed,
    /// The 0-based number of the value at which the change most probably began.
    pub since: u64,
    /// The 0-based number of the value that raised the alarm.
    pub at: u64,
    /// Its size by Hodges and Lehmann's estimate: a ratio on the logarithmic scale, otherwise a difference. `None` if values
    /// vary more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<f64>,
    /// The 95 % interval of the size by Mann and Whitney's test. The beginning counts as known. `None` with fewer than about
    /// four values since then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<(f64, f64)>,
}

/// What the last residuals are compared with.
pub(super) struct Baseline<'d> {
    pub(super) scale: Scale,
    pub(super) prediction: &'d Prediction,
    pub(super) reference: &'d Reference,
    pub(super) inflation: Inflation,
}

impl Alarm {
    /// The alarm, and how strong the change is: the mean score since it began, or the mean square of the scores if they vary more.
    /// `recent` are the last residuals, the one that raised the alarm last.
    pub(super) fn of(leading: Leading, recent: &[(u64, f64)], baseline: &Baseline<'_>) -> Option<(Self, f64)> {
        let &(at, _) = recent.last()?;
        let leading = baseline.explained(leading, recent);
        let (mut since, mut first) = (leading.since, 0);
        if recent.first().is_some_and(|&(oldest, _)| oldest <= leading.since) {
            first = baseline.start(leading, recent);
            since = recent[first].0;
        }
        let since_then = recent.iter().skip(first);
        let scores = since_then.clone().map(|(_, residual)| baseline.reference.score(*residual));
        let power = if leading.shift.is_some() { 1 } else { 2 };
        let strength = scores.map(|score| score.powi(power)).sum::<f64>() / float(recent.len() - first);
        let changed = match leading.shift {
            Some(shift) if shift > 0.0 => Changed::Larger,
            Some(_) => Changed::Smaller,
            None => Changed::MoreVaried,
        };
        let sized = leading.shift.and_then(|_| {
            let after = Sorted::of(&since_then.map(|&(_, residual)| residual).collect::<Vec<_>>());
            baseline.size(&after)
        });
        let (size, interval) = sized.unzip();
        Some((Self { changed, since, at, size, interval: interval.flatten() }, strength))
    }
}

impl Baseline<'_> {
    /// Scores that are all large look more varied, too. They are a shift if one of any size, since any of them, has a larger
    /// likelihood ratio, nw̄²/2, than a larger spread has, n(q − 1 − ln q)/2 with q = Σw²/n.
    fn explained(&self, leading: Leading, recent: &[(u64, f64)]) -> Leading {
        if leading.shift.is_some() {
            return leading;
        }
        let (mut sum, mut squares) = (0.0, 0.0);
        let (mut shift, mut spread) = ((0.0, 0.0), 0.0_f64);
        let since_then = recent.iter().rev().take_while(|(number, _)| *number >= leading.since);
        for (before, (_, residual)) in since_then.enumerate() {
            let (n, score) = (float(before + 1), self.reference.score(*residual));
            sum += score;
            squares += score * score;
            let (mean, square) = (sum / n, squares / n);
            if n * mean * mean > shift.0 {
                shift = (n * mean * mean, mean);
            }
            if square > 1.0 {
                spread = spread.max(n * (square - 1.0 - square.ln()));
            }
        }
        let (ratio, mean) = shift;
        if ratio > spread { Leading { shift: Some(mean), ..leading } } else { leading }
    }

    /// Where the change begins among the last residuals: the largest likelihood ratio of a shift of any size, (Σw)²/n of the n
    /// scores since then. That of the mixture's own shifts is too early for large changes. A larger spread keeps that one.
    fn start(&self, leading: Leading, recent: &[(u64, f64)]) -> usize {
        let Some(shift) = leading.shift else {
            return recent.iter().position(|&(number, _)| number >= leading.since).unwrap_or(recent.len() - 1);
        };
        let (mut sum, mut best) = (0.0, (recent.len() - 1, f64::NEG_INFINITY));
        for (values, (at, (_, residual))) in recent.iter().enumerate().rev().enumerate() {
            sum += self.reference.score(*residual) * shift.signum();
            let ratio = sum / float(values + 1).sqrt();
            if ratio > best.1 {
                best = (at, ratio);
            }
        }
        best.0
    }

    /// The shift of the residuals against those of the reference. A shift of the level returns in each residual without the
    /// share that its prediction takes away, 1 − Σφ.
    fn size(&self, after: &Sorted) -> Option<(f64, Option<(f64, f64)>)> {
        let before = Sorted::of(&self.reference.typical(REFERENCE.min(self.reference.len())));
        let share = (1.0 - self.prediction.sum()).max(0.02);
        let of_level = |shift: f64| match self.scale {
            Scale::Logarithm => (shift / share).clamp(-700.0, 700.0).exp(),
            Scale::Linear => shift / share,
        };
        let size = hodges_lehmann(&before, after, Contrast::Difference)?;
        let sigma = MannWhitney::of(&before, after)?.sigma * self.inflation.level.sqrt();
        let bounds = shift_bounds(&before, after, Contrast::Difference, sigma, TAIL);
        Some((of_level(size), bounds.map(|(lower, upper)| (of_level(lower), of_level(upper)))))
    }

    /// The beginning of a change that continues, among the last residuals, and its size: from its last 25 independent values, or
    /// from more if its alarm is about more.
    pub(super) fn measure(&self, alarm: &mut Alarm, recent: &[(u64, f64)]) {
        let of_alarm = recent.iter().filter(|(number, _)| *number >= alarm.since).count();
        let shift = match alarm.changed {
            Changed::Larger => 1.0,
            Changed::Smaller => -1.0,
            Changed::MoreVaried => return,
        };
        let start = self.start(Leading { shift: Some(shift), since: alarm.since }, recent);
        alarm.since = recent[start].0;
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "25 values, times at most e⁵")]
        let least = (NEEDED * self.inflation.level.max(1.0)).ceil() as usize;
        // Values from before the change would make it smaller.
        let after = recent[start..].iter().rev().take(least.max(of_alarm)).map(|&(_, residual)| residual);
        if let Some((size, interval)) = self.size(&Sorted::of(&after.collect::<Vec<_>>())) {
            (alarm.size, alarm.interval) = (Some(size), interval);
        }
    }

    /// The smallest change of the level that the evidence can ever show, √(2 ln A·V/n) in scores: a smaller one becomes part of
    /// the reference first. In the unit of [`Alarm::size`].
    pub(super) fn smallest_visible(&self, threshold: f64) -> f64 {
        let score = (2.0 * threshold.ln() * self.inflation.level / float(self.reference.len().max(1))).sqrt();
        // The change of a residual whose score is so large.
        let typical = Sorted::of(&self.reference.typical(REFERENCE.min(self.reference.len())));
        let at = |z: f64| typical.quantile(normal_cdf(z), QuantileMethod::default());
        let width = at(1.0).zip(at(-1.0)).map_or(0.0, |(upper, lower)| upper - lower);
        let shift = score * 0.5 * width / (1.0 - self.prediction.sum()).max(0.02);
        match self.scale {
            Scale::Logarithm => shift.min(700.0).exp(),
            Scale::Linear => shift,
        }
    }
}
