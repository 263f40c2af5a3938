//! When the last values were measured.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Each ring keeps this number of times,
const KEPT: usize = 128;
/// of every value, of every 16th, and of every 256th one.
const STEPS: [u64; 3] = [1, 16, 256];

/// The times of a series' values: exact for the last 128, and those of fewer values further back.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Times {
    /// The number of values so far.
    pushed: u64,
    /// In nanoseconds, the last one at the end.
    rings: [VecDeque<i64>; STEPS.len()],
}

impl Times {
    /// The last values whose times are exact.
    pub(super) const EXACT: u64 = KEPT as u64;

    pub(super) fn push(&mut self, at: Timestamp) {
        let ns = ns(at);
        for (ring, step) in self.rings.iter_mut().zip(STEPS) {
            if self.pushed.is_multiple_of(step) {
                if ring.len() == KEPT {
                    ring.pop_front();
                }
                ring.push_back(ns);
            }
        }
        self.pushed += 1;
    }

    /// When the value with this 0-based number was measured. For a value further back: the time of the last known one before
    /// it, or of the first known one.
    pub(super) fn at(&self, number: u64) -> Option<Timestamp> {
        let last = self.pushed.checked_sub(1)?;
        let of_ring = |(ring, step): (&VecDeque<i64>, u64)| {
            let back = (last / step).checked_sub(number / step)?;
            ring.len().checked_sub(1 + usize::try_from(back).ok()?).map(|place| ring[place])
        };
        let found = self.rings.iter().zip(STEPS).find_map(of_ring);
        let oldest = || self.rings.iter().rev().find_map(|ring| ring.front().copied());
        Timestamp::from_nanosecond(found.or_else(oldest)?.into()).ok()
    }

    /// True if a state from outside can be used.
    pub(super) fn is_valid(&self) -> bool {
        self.rings.iter().all(|ring| ring.len() <= KEPT && ring.len() as u64 <= self.pushed)
    }
}

/// The nanoseconds since 1970, up to the year 2262.
pub(super) fn ns(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recent_times_are_exact_and_older_ones_nearly() {
        let mut times = Times::default();
        assert_eq!(times.at(0), None);
        let second = |number: u64| Timestamp::from_second(number.cast_signed()).ok();
        for number in 0..100_000 {
            times.push(second(number).expect("a time"));
        }
        assert_eq!(times.at(99_999), second(99_999));
        assert_eq!(times.at(99_872), second(99_872));
        assert_eq!(times.at(99_871), second(99_856), "every 16th");
        assert_eq!(times.at(97_000), second(96_768), "every 256th");
        assert_eq!(times.at(3), second(67_328), "the oldest that is known");
        assert!(times.is_valid());
    }
}
