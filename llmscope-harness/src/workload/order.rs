//! The order in which conversations are sent.

/// A seeded order of conversations. The n-th request of a run sends the same conversation, independent of how workers
/// interleave.
///
/// Each pass over the conversations is a separate permutation, so that every conversation is sent equally often and its
/// neighbors change. The permutation is a Feistel network over the next power of four, iterated until the result is a
/// valid index (Black and Rogaway, *Ciphers with Arbitrary Finite Domains*, 2002). Workers can query any position in
/// any order without a lock, and nothing is stored.
///
/// ```
/// use llmscope_harness::workload::Order;
///
/// let order = Order::new(3, 42);
/// let mut pass = [order.at(3), order.at(4), order.at(5)];
/// pass.sort_unstable();
/// assert_eq!(pass, [0, 1, 2]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    len: u64,
    seed: u64,
    /// Bits of each half of the network.
    half_bits: u32,
}

/// Four rounds are the minimum for a strong permutation (Luby and Rackoff 1988). The halves of a short list have few
/// bits, and more rounds compensate for that.
const ROUNDS: u64 = 8;

impl Order {
    /// The order of `len` conversations.
    #[must_use]
    pub fn new(len: usize, seed: u64) -> Self {
        let len = len as u64;
        let bits = u64::BITS - len.saturating_sub(1).leading_zeros();
        Self { len, seed, half_bits: bits.div_ceil(2) }
    }

    /// The index of the conversation for request `number`, from 0. It is 0 if there are no conversations.
    #[must_use]
    pub fn at(&self, number: u64) -> usize {
        if self.len < 2 {
            return 0;
        }
        let key = mix(self.seed ^ mix(number / self.len));
        let mut place = self.permute(number % self.len, key);
        // The domain of the network has at most four times as many values, so fewer than four iterations are needed on
        // average.
        while place >= self.len {
            place = self.permute(place, key);
        }
        place as usize
    }

    fn permute(&self, place: u64, key: u64) -> u64 {
        let mask = (1 << self.half_bits) - 1;
        let (mut left, mut right) = (place >> self.half_bits, place & mask);
        for round in 0..ROUNDS {
            (left, right) = (right, left ^ (mix(key ^ (round << 32) ^ right) & mask));
        }
        left << self.half_bits | right
    }
}

/// The finalizer of SplitMix64 (Steele, Lea and Flood 2014), after its increment.
const fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_pass_visits_each_conversation_once(len in 1_usize..3000, seed: u64, pass in 0_u64..1 << 40) {
            let order = Order::new(len, seed);
            let mut visits = vec![0; len];
            for number in 0..len as u64 {
                visits[order.at(pass * len as u64 + number)] += 1;
            }
            prop_assert!(visits.iter().all(|&count| count == 1));
        }

        #[test]
        fn any_number_of_any_length_has_a_place(len: usize, seed: u64, number: u64) {
            prop_assert!(Order::new(len, seed).at(number) < len.max(1));
        }
    }

    #[test]
    fn passes_and_seeds_differ() {
        let pass = |seed, pass: u64| (0..50).map(|n| Order::new(50, seed).at(pass * 50 + n)).collect::<Vec<_>>();
        assert_eq!(pass(1, 0), pass(1, 0));
        assert_ne!(pass(1, 0), pass(1, 1));
        assert_ne!(pass(1, 0), pass(2, 0));
    }

    #[test]
    fn every_conversation_comes_equally_often_at_every_place() {
        for len in [2_u64, 3, 5, 8, 13] {
            let order = Order::new(len as usize, 7);
            let passes = 4000 * len;
            let mut counts = vec![vec![0_u32; len as usize]; len as usize];
            for number in 0..passes * len {
                counts[(number % len) as usize][order.at(number)] += 1;
            }
            // Expected: 4000, with a standard deviation of about 63.
            assert!(counts.iter().flatten().all(|&count| count.abs_diff(4000) < 320), "{len}: {counts:?}");
        }
    }

    #[test]
    fn short_lists_take_every_order() {
        let order = Order::new(4, 3);
        let orders: std::collections::BTreeSet<Vec<usize>> =
            (0..5000).map(|pass| (0..4).map(|n| order.at(pass * 4 + n)).collect()).collect();
        assert_eq!(orders.len(), 24);
    }
}
