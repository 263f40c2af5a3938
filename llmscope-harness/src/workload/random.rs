//! Random numbers from a seed, independent of the versions of the libraries.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

/// The purpose of random numbers. Each purpose has its own streams, so that one does not affect another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    /// Sizes of synthetic prompts.
    Sizes = 1,
    /// Position of the first words of synthetic prompts.
    Lead = 2,
    /// Words of a synthetic prompt.
    Words = 3,
    /// Words of a block that prompts of a trace share.
    Block = 4,
    /// An incident log.
    Incidents = 5,
}

/// One stream of random numbers.
pub(super) struct Random(ChaCha8Rng);

impl Random {
    /// The stream for a seed, a purpose and a number. Creating a stream is cheap, so each prompt has its own: the
    /// hundredth prompt is the same for any number of prompts.
    pub(super) fn new(seed: u64, purpose: Purpose, number: u64) -> Self {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&number.to_le_bytes());
        key[16] = purpose as u8;
        Self(ChaCha8Rng::from_seed(key))
    }

    /// An integer below `end`, or 0 if `end` is 0. The bias is less than `end` in 2⁶⁴.
    pub(super) fn below(&mut self, end: usize) -> usize {
        ((u128::from(self.0.next_u64()) * end as u128) >> 64) as usize
    }

    /// One of the items, which must not be empty.
    pub(super) fn pick<'i, T: ?Sized>(&mut self, items: &[&'i T]) -> &'i T {
        items[self.below(items.len())]
    }

    /// A standard normal number (Box and Muller 1958).
    pub(super) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.unit().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.unit()).cos()
    }

    /// A number above 0, so that its logarithm is finite, and at most 1.
    fn unit(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = Random::new(1, Purpose::Sizes, 0);
        let draws: Vec<f64> = (0..100_000).map(|_| random.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }

    #[test]
    fn streams_differ_by_seed_purpose_and_number() {
        let first = |seed, purpose, number| Random::new(seed, purpose, number).below(usize::MAX);
        let base = first(1, Purpose::Words, 1);
        assert_eq!(base, first(1, Purpose::Words, 1));
        assert!(
            [first(2, Purpose::Words, 1), first(1, Purpose::Block, 1), first(1, Purpose::Words, 2)]
                .iter()
                .all(|&other| other != base)
        );
    }
}
