//! The due times of the requests of an open loop.

use std::time::Duration;

use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;

use crate::plan::Arrival;

/// Due times of requests, counted from the start of the load, in ascending order.
#[derive(Debug)]
pub(crate) struct Arrivals {
    source: Source,
    number: usize,
}

#[derive(Debug)]
enum Source {
    /// A process with rate 1, scaled to the rate and its ramp.
    Process { rate_per_s: f64, ramp_s: f64, expected: f64, random: Option<Box<ChaCha8Rng>> },
    /// Recorded times.
    Trace { arrivals_s: Vec<f64>, speed: f64 },
}

impl Arrivals {
    /// Arrivals at a rate that grows linearly from 0 during the ramp and is constant afterwards.
    ///
    /// The expected number of arrivals up to t is Λ(t) = r·t²/(2T) during a ramp of length T and Λ(T) + r·(t − T)
    /// afterwards. The n-th arrival is Λ⁻¹(s), where s = n for even spacing. For a Poisson process, s is the n-th
    /// arrival of a Poisson process of rate 1 (Çinlar 1975, *Introduction to Stochastic Processes*, section 4.7).
    #[must_use]
    pub(crate) fn at_rate(rate_per_s: f64, arrival: Arrival, ramp: Duration, seed: u64) -> Self {
        let random = (arrival == Arrival::Poisson).then(|| Box::new(ChaCha8Rng::seed_from_u64(seed)));
        Self { source: Source::Process { rate_per_s, ramp_s: ramp.as_secs_f64(), expected: 0.0, random }, number: 0 }
    }

    /// Arrivals at recorded times.
    #[must_use]
    pub(crate) fn of_trace(arrivals_s: Vec<f64>, speed: f64) -> Self {
        Self { source: Source::Trace { arrivals_s, speed }, number: 0 }
    }
}

impl Iterator for Arrivals {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let number = self.number;
        self.number += 1;
        let due_s = match &mut self.source {
            Source::Trace { arrivals_s, speed } => arrivals_s.get(number)? / *speed,
            Source::Process { rate_per_s, ramp_s, expected, random } => {
                match random {
                    // 1 − u lies in (0, 1]: its logarithm is finite.
                    Some(random) => *expected -= (1.0 - random.random::<f64>()).ln(),
                    None => *expected = f64::from(u32::try_from(number).ok()?),
                }
                let within_ramp = *rate_per_s * *ramp_s / 2.0;
                if *expected < within_ramp {
                    (2.0 * *expected * *ramp_s / *rate_per_s).sqrt()
                } else {
                    *ramp_s + (*expected - within_ramp) / *rate_per_s
                }
            }
        };
        Duration::try_from_secs_f64(due_s).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(arrivals: Arrivals, count: usize) -> Vec<f64> {
        arrivals.take(count).map(|due| due.as_secs_f64()).collect()
    }

    #[test]
    fn even_spacing_is_even() {
        let due_s = seconds(Arrivals::at_rate(4.0, Arrival::Constant, Duration::ZERO, 1), 4);
        assert_eq!(due_s, [0.0, 0.25, 0.5, 0.75]);
    }

    #[test]
    fn a_ramp_has_half_as_many_requests() {
        let ramp = Duration::from_secs(10);
        let due_s = seconds(Arrivals::at_rate(100.0, Arrival::Constant, ramp, 1), 1500);
        // r·T/2 = 500 arrivals in the ramp, then 100 a second.
        assert_eq!(due_s.iter().filter(|&&s| s < 10.0).count(), 500);
        assert_eq!(due_s.iter().filter(|&&s| s < 15.0).count(), 1000);
        assert!((due_s[125] - 5.0).abs() < 1e-9, "a quarter of them in the first half: {}", due_s[125]);
    }

    #[test]
    fn poisson_gaps_are_exponential() {
        let due_s = seconds(Arrivals::at_rate(50.0, Arrival::Poisson, Duration::ZERO, 7), 200_001);
        let gaps: Vec<f64> = due_s.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let n = gaps.len() as f64;
        let mean = gaps.iter().sum::<f64>() / n;
        let variance = gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (n - 1.0);
        // Mean 1/r and standard deviation 1/r; four standard errors.
        assert!((mean * 50.0 - 1.0).abs() < 4.0 / n.sqrt(), "{mean}");
        assert!((variance.sqrt() * 50.0 - 1.0).abs() < 4.0 * (2.0 / n).sqrt(), "{variance}");
        let beyond = gaps.iter().filter(|&&gap| gap > 0.04).count() as f64 / n;
        assert!((beyond - (-2.0_f64).exp()).abs() < 4.0 * (0.117 / n).sqrt(), "{beyond}");
    }

    #[test]
    fn the_seed_decides() {
        let arrivals = |seed| seconds(Arrivals::at_rate(9.0, Arrival::Poisson, Duration::from_secs(1), seed), 100);
        assert_eq!(arrivals(3), arrivals(3));
        assert_ne!(arrivals(3), arrivals(4));
    }

    #[test]
    fn a_trace_ends_and_can_be_sped_up() {
        assert_eq!(seconds(Arrivals::of_trace(vec![0.0, 1.0, 4.0], 2.0), 9), [0.0, 0.5, 2.0]);
    }
}
