//! How often the rules signal although nothing changed, on series like the judged one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::study::NOTABLE_LAG1;
use crate::cast::float;
use crate::factors::d2;
use crate::limits::Line;
use crate::rules::{self, RuleSet};
use crate::split_mix::SplitMix64;
use crate::stats::special::{normal_cdf, normal_quantile};
use crate::stats::{Moments, Sorted, anderson_darling, mean};

/// Simulated series: the standard error of the share is at most 5 %.
const SERIES: usize = 100;
/// If all of the first series signal, the others are not simulated.
const FIRST: usize = 40;
/// With a smaller p-value of the Anderson–Darling test, the measurements are not normal.
const NOT_NORMAL: f64 = 0.05;
/// Points of a simulated series at most. Longer ones count as several that signal independently of each other.
const MOST_POINTS: usize = 300;

/// The share of stable series like the judged one in which a rule signals at least once.
///
/// The series are simulated, with fixed pseudorandom numbers. Each has the limits of an individuals chart of its own values.
/// These are normal, unless the Anderson–Darling test rejects that for the measurements of the judged stage (p < 0.05). They are
/// then drawn from these measurements, without outliers, by the smoothed bootstrap (Silverman 1986, *Density Estimation*, ch.
/// 6.4): x̄ + (xᵢ − x̄ + hsε)/√(1 + h²) with h = 0.9 n^(−1/5).
///
/// If the rank autocorrelation r of the measurements is at least 0.1, the values follow a Gaussian first-order autoregression
/// with ρ = 2 sin(πr/6) (Pearson 1907), converted to their distribution (Cario & Nelson 1996, *Operations Research Letters*
/// 19). From more than m = 300 points, the share p of series of m points is extrapolated to 1 − (1 − p)^(n/m).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FalseAlarm {
    /// The share of series with a signal.
    pub share: f64,
    /// The number of points of such a series: that of the judged ones.
    pub points: usize,
    /// The number of simulated series.
    pub series: usize,
}

impl FalseAlarm {
    /// `kept` are the measurements behind the limits, on their scale. `None` without rules or without variation.
    pub(super) fn of(kept: &[f64], points: usize, lag1: Option<f64>, rules: &RuleSet) -> Option<Self> {
        let sorted = Sorted::of(kept);
        if rules.rules().is_empty() || sorted.values().first() == sorted.values().last() {
            return None;
        }
        let length = points.min(MOST_POINTS);
        let lag1 = lag1.filter(|lag1| lag1.abs() >= NOTABLE_LAG1).unwrap_or(0.0);
        let distribution = Distribution::of(&sorted)?;
        let mut numbers = Numbers { random: SplitMix64(1) };
        let (mut signals, mut series) = (0_usize, 0_usize);
        while series < SERIES && !(series == FIRST && signals == FIRST) {
            signals += usize::from(signals_in(&distribution.series(&mut numbers, length, lag1), rules)?);
            series += 1;
        }
        let share = float(signals) / float(series);
        let share = 1.0 - (1.0 - share).powf(float(points) / float(length));
        Some(Self { share, points, series })
    }

    /// `98 % of stable series of 300 such points`.
    #[must_use]
    pub fn describe(&self) -> String {
        let percent = match 100.0 * self.share {
            most if most > 95.0 => "more than 95".to_owned(),
            least if least < 5.0 => "less than 5".to_owned(),
            percent => format!("about {percent:.0}"),
        };
        format!("these rules signal in {percent} % of stable series of {} such points", self.points)
    }
}

/// True if a rule signals on the individuals chart of the values; `None` if the chart has no limits.
fn signals_in(values: &[f64], rules: &RuleSet) -> Option<bool> {
    let ranges: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).abs()).sum();
    let sigma = ranges / float(values.len().checked_sub(1)?) / d2(2);
    let judged = rules::judge(values, &Line::Constant(mean(values)?), &Line::Constant(sigma), &[], rules);
    judged.ok().map(|judgement| !judgement.is_in_control())
}

/// The distribution of the values of a series.
enum Distribution<'s> {
    Normal,
    /// Measurements in order, their mean, and the standard deviation of the noise that smooths them.
    Smoothed {
        sorted: &'s [f64],
        mean: f64,
        noise: f64,
        shrinkage: f64,
    },
}

impl<'s> Distribution<'s> {
    fn of(sorted: &'s Sorted) -> Option<Self> {
        if anderson_darling(sorted).is_none_or(|normality| normality.p >= NOT_NORMAL) {
            return Some(Self::Normal);
        }
        let moments = Moments::of(sorted.values());
        let width = 0.9 * float(sorted.values().len()).powf(-0.2);
        let (mean, sigma) = (moments.mean()?, moments.standard_deviation()?);
        Some(Self::Smoothed { sorted: sorted.values(), mean, noise: width * sigma, shrinkage: 1.0 / width.hypot(1.0) })
    }

    fn series(&self, numbers: &mut Numbers, length: usize, lag1: f64) -> Vec<f64> {
        let z = numbers.autoregression(length, lag1);
        let Self::Smoothed { sorted, mean, noise, shrinkage } = self else { return z };
        let smoothing = numbers.autoregression(length, lag1);
        let value = |(z, smoothing): (f64, f64)| {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a length")]
            let index = (normal_cdf(z) * float(sorted.len())) as usize;
            mean + (sorted[index.min(sorted.len() - 1)] - mean + noise * smoothing) * shrinkage
        };
        z.into_iter().zip(smoothing).map(value).collect()
    }
}

/// Pseudorandom numbers.
struct Numbers {
    random: SplitMix64,
}

impl Numbers {
    /// A Gaussian first-order autoregression with this rank autocorrelation at lag 1.
    fn autoregression(&mut self, length: usize, lag1: f64) -> Vec<f64> {
        let correlation = 2.0 * (std::f64::consts::PI * lag1 / 6.0).sin();
        let noise = (1.0 - correlation * correlation).max(0.0).sqrt();
        let mut z = self.normal();
        let mut values = Vec::with_capacity(length);
        for _ in 0..length {
            values.push(z);
            z = correlation * z + noise * self.normal();
        }
        values
    }

    fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform()).unwrap_or(0.0)
    }

    /// A number between 0 and 1, both excluded.
    #[allow(clippy::cast_precision_loss, reason = "53 bits")]
    fn uniform(&mut self) -> f64 {
        ((self.random.next() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(rules: &str, points: usize, lag1: f64) -> f64 {
        let normal: Vec<f64> = (1..1000).filter_map(|i| normal_quantile(f64::from(i) / 1000.0)).collect();
        let rules: RuleSet = rules.parse().expect("rules");
        FalseAlarm::of(&normal, points, Some(lag1), &rules).expect("variation").share
    }

    #[test]
    fn shares_are_those_of_a_simulation_with_numpy() {
        // 20,000 normal series each, and 5,000 of 1,000 points (NumPy 2.4.6), judged by the rules as docs/methods.md defines
        // them, with limits from their own moving ranges. An autoregression with ρ 0.5 has the rank correlation 0.4826.
        for (rules, points, lag1, expected) in [
            ("1", 100, 0.0, 0.233),
            ("1", 1000, 0.0, 0.930),
            ("1", 100, 0.4826, 0.941),
            ("nelson", 30, 0.0, 0.260),
            ("nelson", 100, 0.0, 0.710),
        ] {
            let found = share(rules, points, lag1);
            assert!((found - expected).abs() < 0.12, "{rules} on {points} points: {found}, not {expected}");
        }
    }

    #[test]
    fn long_tails_signal_more_often() {
        // Cornish and Fisher's expansion of Student's t with 3 degrees of freedom.
        let quantile = |p: f64| {
            let z = normal_quantile(p).expect("a probability");
            z + z * (z * z + 1.0) / 12.0 + z * (5.0 * z.powi(4) + 16.0 * z * z + 3.0) / 864.0
        };
        let heavy: Vec<f64> = (1..400).map(|i| quantile(f64::from(i) / 400.0)).collect();
        let rules: RuleSet = "1".parse().expect("a rule");
        let found = FalseAlarm::of(&heavy, 100, None, &rules).expect("variation").share;
        // 20,000 series of the same smoothed bootstrap, NumPy 2.4.6; 23 % of normal ones.
        assert!((found - 0.858).abs() < 0.12, "{found}");
    }

    #[test]
    fn there_is_nothing_to_simulate_without_rules_or_variation() {
        let nelson = RuleSet::nelson();
        assert_eq!(FalseAlarm::of(&[0.3; 40], 40, None, &nelson), None);
        assert_eq!(FalseAlarm::of(&[], 0, None, &nelson), None);
        assert_eq!(FalseAlarm::of(&[0.3, 0.4], 40, None, &RuleSet::none()), None);
    }
}
