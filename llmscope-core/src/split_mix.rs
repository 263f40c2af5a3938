//! Pseudorandom numbers that are the same on every platform.

/// `SplitMix64` (Steele, Lea & Flood 2014, *OOPSLA*).
#[derive(Debug, Clone)]
pub(crate) struct SplitMix64(pub(crate) u64);

impl SplitMix64 {
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

    /// As if this number of numbers had been drawn from the seed 0.
    pub(crate) const fn after(numbers: u64) -> Self {
        Self(numbers.wrapping_mul(Self::STEP))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(Self::STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number between 0 and 1, both excluded, of 32 random bits.
    #[cfg(test)]
    #[allow(clippy::cast_possible_truncation, reason = "the upper 32 bits")]
    pub(crate) fn uniform(&mut self) -> f64 {
        (f64::from((self.next() >> 32) as u32) + 0.5) / 4_294_967_296.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_reference() {
        // `splitmix64.c` of Sebastiano Vigna (public domain), seed 1234567.
        let mut random = SplitMix64(1_234_567);
        let expected = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(expected.map(|_| random.next()), expected);
        let mut later = SplitMix64(0);
        for _ in 0..7 {
            later.next();
        }
        assert_eq!(SplitMix64::after(7).next(), later.next());
    }
}
