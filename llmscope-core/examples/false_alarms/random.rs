//! Random numbers, the same on every platform.

use std::f64::consts::TAU;

/// SplitMix64 (Steele, Lea & Flood 2014, *OOPSLA*).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The numbers of one series: each series of each cell has its own seed, so that a result depends neither on the
    /// number of threads nor on the other cells.
    #[must_use]
    pub(crate) fn of_series(cell: &str, n: usize, series: usize) -> Self {
        // FNV-1a of Fowler, Noll & Vo, then one step of the generator for each number.
        let hashed = cell
            .bytes()
            .fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3));
        let mixed = [n, series].iter().fold(hashed, |seed, &number| Self(seed ^ number as u64).next());
        Self(mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A uniform number between 0 and 1, both excluded.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// True with this probability.
    pub(crate) fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// A standard normal number, by the transform of Box and Muller (1958).
    pub(crate) fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (TAU * self.uniform()).cos()
    }

    /// An exponential number of mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        -self.uniform().ln()
    }

    /// An autoregression of the first order, of variance 1, from its stationary distribution.
    pub(crate) fn autoregression(&mut self, n: usize, rho: f64) -> Vec<f64> {
        let mut last = self.normal();
        let next = |_| {
            let this = last;
            last = rho * last + (1.0 - rho * rho).sqrt() * self.normal();
            this
        };
        (0..n).map(next).collect()
    }

    /// A state that comes with this probability and, once there, lasts for `mean` values on average: a Markov chain of
    /// two states, from its stationary distribution.
    pub(crate) fn bursts(&mut self, n: usize, share: f64, mean: f64) -> Vec<bool> {
        let (ends, begins) = (1.0 / mean, share / (1.0 - share) / mean);
        let mut inside = self.chance(share);
        let next = |_| {
            let this = inside;
            inside = if inside { !self.chance(ends) } else { self.chance(begins) };
            this
        };
        (0..n).map(next).collect()
    }
}
