//! Simulated latencies with a known truth: skewed, and each correlated with the previous one.

use llmscope_core::stats::special::{chi_squared_quantile, normal_cdf, normal_quantile};

/// The shape of a latency's distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// exp(0.5 Z). The p99 is three times the median.
    Lognormal,
    /// Four of five requests are gamma(4), and one waits in a queue. This gives a second mode and an exponential tail.
    Queued,
}

impl Shape {
    pub(crate) const ALL: [Self; 2] = [Self::Lognormal, Self::Queued];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lognormal => "lognormal",
            Self::Queued => "gamma + queue",
        }
    }
}

/// Latencies of one shape, as a function of a standard normal variable.
pub(crate) struct Latencies {
    shape: Shape,
    /// Quantiles of the gamma part at evenly spaced probabilities.
    gamma: Vec<f64>,
}

const STEPS: usize = 4096;
const QUEUED_SHARE: f64 = 0.2;

impl Latencies {
    pub(crate) fn new(shape: Shape) -> Self {
        let quantile = |step: usize| {
            let p = (step as f64 + 0.5) / STEPS as f64;
            chi_squared_quantile(p, 8.0).unwrap_or(0.0) / 2.0
        };
        Self { shape, gamma: (0..STEPS).map(quantile).collect() }
    }

    /// Draws `n` latencies in seconds. A Gaussian copula joins consecutive values; `rho` is its autoregression coefficient.
    pub(crate) fn draw(&self, random: &mut Random, rho: f64, n: usize, factor: f64) -> Vec<f64> {
        let mut z = random.normal();
        let innovation = (1.0 - rho * rho).sqrt();
        (0..n)
            .map(|_| {
                z = rho * z + innovation * random.normal();
                factor * self.at(z)
            })
            .collect()
    }

    fn at(&self, z: f64) -> f64 {
        match self.shape {
            Shape::Lognormal => 0.3 * (0.5 * z).exp(),
            Shape::Queued => {
                let u = normal_cdf(z);
                let fast = 1.0 - QUEUED_SHARE;
                if u < fast {
                    0.05 * self.gamma_at(u / fast)
                } else {
                    0.4 - 0.3 * ((1.0 - u) / QUEUED_SHARE).max(1e-12).ln()
                }
            }
        }
    }

    fn gamma_at(&self, p: f64) -> f64 {
        let position = (p * STEPS as f64 - 0.5).clamp(0.0, (STEPS - 1) as f64);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the table")]
        let below = (position as usize).min(STEPS - 2);
        self.gamma[below] + (position - below as f64) * (self.gamma[below + 1] - self.gamma[below])
    }
}

/// SplitMix64 of Steele, Lea & Flood (2014). Each number is a hash of a counter, the same on every platform.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0xD134_2543_DE82_EF95));
        random.next();
        random
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// A uniform number between 0 and 1, both excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1u64 << 52) as f64
    }

    /// A standard normal number.
    pub(crate) fn normal(&mut self) -> f64 {
        normal_quantile(self.uniform()).unwrap_or(0.0)
    }
}
