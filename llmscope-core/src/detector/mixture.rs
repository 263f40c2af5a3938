//! The evidence for a change: a mixture of Shiryaev–Roberts sums.

use serde::{Deserialize, Serialize};

/// Changes of the level that the sums look for, in half standard deviations of a score, each with its weight.
const SHIFTS: [(i32, f64); 6] = [(1, 0.2), (2, 0.2), (4, 0.1), (-1, 0.1), (-2, 0.1), (-4, 0.05)];
/// The change of the spread that the last sum looks for: scores with this standard deviation,
const SPREAD: f64 = 1.7;
/// and its logarithm.
const LN_SPREAD: f64 = 0.530_628_251_062_170_4;
const WEIGHT_OF_SPREAD: f64 = 0.25;
/// exp(−δ²/2) of the shifts δ of ½, 1 and 2.
const LOSSES: [f64; 3] = [0.882_496_902_584_595_4, 0.606_530_659_712_633_4, 0.135_335_283_236_612_7];
const PARTS: usize = SHIFTS.len() + 1;

/// S ← (S + 1)·f for each part, f the likelihood ratio of the score under the change of this part. Each f has mean 1 if
/// nothing changed, so that the weighted sum of the S minus the number of values is a martingale: before an alarm at A, A values
/// pass on average, whatever the distribution was (Shiryaev 1963; Roberts 1966; Pollak 1985, *Annals of Statistics* 13;
/// e-detectors: Shin, Ramdas & Rinaldo 2023).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mixture {
    sums: [f64; PARTS],
    /// The logarithm of the likelihood ratio of each part since the start that makes it largest (Page 1954).
    walks: [f64; PARTS],
    /// The number of the value at that start.
    starts: [u64; PARTS],
}

/// How the variance of the scores differs from that of independent ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Inflation {
    /// Of the sum of scores.
    pub(super) level: f64,
    /// Of the sum of their squares.
    pub(super) spread: f64,
}

/// What the evidence points to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Leading {
    /// Positive for larger values, negative for smaller ones; `None` for values that vary more.
    pub(super) shift: Option<f64>,
    /// The number of the value at which the change began.
    pub(super) since: u64,
}

impl Mixture {
    /// Adds the score of the value with this number, and returns the evidence.
    pub(super) fn push(&mut self, score: f64, inflation: Inflation, number: u64) -> f64 {
        let half = 0.5 * score / inflation.level.sqrt();
        // The factors of all shifts are powers of one exponential, and constants: the most expensive part of a push.
        let up = half.exp();
        let down = up.recip();
        let powers = [up, up * up, up.powi(4), down, down * down, down.powi(4)];
        let mut evidence = 0.0;
        for (part, (halves, weight)) in SHIFTS.into_iter().enumerate() {
            let shift = f64::from(halves);
            let log_ratio = shift * half - 0.125 * shift * shift;
            evidence += weight * self.add(part, powers[part] * LOSSES[part % LOSSES.len()], log_ratio, number);
        }
        let log_ratio = -LN_SPREAD + 0.5 * score * score * (1.0 - 1.0 / (SPREAD * SPREAD));
        let log_ratio = log_ratio / inflation.spread;
        evidence + WEIGHT_OF_SPREAD * self.add(PARTS - 1, log_ratio.exp(), log_ratio, number)
    }

    fn add(&mut self, part: usize, ratio: f64, log_ratio: f64, number: u64) -> f64 {
        self.sums[part] = (self.sums[part] + 1.0) * ratio;
        if self.walks[part] <= 0.0 {
            self.walks[part] = 0.0;
            self.starts[part] = number;
        }
        self.walks[part] += log_ratio;
        self.sums[part]
    }

    /// The evidence starts again from 0.
    pub(super) fn restart(&mut self) {
        *self = Self::default();
    }

    /// The part whose change explains the scores best, and since when.
    pub(super) fn leading(&self) -> Leading {
        let walks = self.walks.iter().enumerate();
        let best = walks.reduce(|a, b| if b.1 > a.1 { b } else { a }).map_or(0, |(part, _)| part);
        Leading { shift: SHIFTS.get(best).map(|&(halves, _)| 0.5 * f64::from(halves)), since: self.starts[best] }
    }

    /// True if no sum is one that values can lead to. A state from outside must not overflow.
    pub(super) fn is_valid(&self) -> bool {
        /// An alarm comes long before.
        const LARGEST: f64 = 1e15;
        self.sums.iter().all(|sum| (0.0..LARGEST).contains(sum)) && self.walks.iter().all(|walk| walk.is_finite())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Inflation = Inflation { level: 1.0, spread: 1.0 };

    #[test]
    fn the_weights_are_a_distribution() {
        let total: f64 = SHIFTS.iter().map(|(_, weight)| weight).sum::<f64>() + WEIGHT_OF_SPREAD;
        assert!((total - 1.0).abs() < 1e-12, "{total}");
    }

    #[test]
    fn the_constants_are_those_of_the_shifts() {
        for (loss, (halves, _)) in LOSSES.iter().zip(SHIFTS) {
            let shift = 0.5 * f64::from(halves);
            assert!((loss - (-0.5 * shift * shift).exp()).abs() < 1e-16, "{shift}");
        }
        assert!((LN_SPREAD - SPREAD.ln()).abs() < 1e-15);
    }

    #[test]
    fn the_leading_part_says_what_changed_and_since_when() {
        let of = |scores: &[f64]| {
            let mut mixture = Mixture::default();
            let quiet = [-0.6, 0.6, -0.2, 0.2].repeat(20);
            for (number, &score) in quiet.iter().chain(scores).enumerate() {
                mixture.push(score, NONE, number as u64);
            }
            mixture.leading()
        };
        let larger = of(&[1.0; 12]);
        assert!(larger.shift.is_some_and(|shift| shift > 0.0) && larger.since.abs_diff(80) < 2, "{larger:?}");
        let smaller = of(&[-1.2; 12]);
        assert!(smaller.shift.is_some_and(|shift| shift < 0.0), "{smaller:?}");
        let varied = of(&[2.0, -2.0, 2.1, -2.2, 2.0, -2.0, 1.9, -2.1]);
        assert_eq!(varied.shift, None, "{varied:?}");
    }
}
