//! Scores of ranks.

use super::Sorted;
use super::ordinal::ordinal;
use crate::cast::float;

/// The rank of each value, which starts at 1 and is the mean rank among ties; `sorted` holds the same values.
#[must_use]
pub fn mid_ranks(values: &[f64], sorted: &Sorted) -> Vec<f64> {
    scored_by_rank(values, sorted, |rank| rank)
}

/// A score of each value's rank, which starts at 1 and is the mean rank among ties; `sorted` holds the same values.
pub(super) fn scored_by_rank(values: &[f64], sorted: &Sorted, score: impl Fn(f64) -> f64) -> Vec<f64> {
    let ordered = sorted.values();
    // The score of each distinct value is computed once and then looked up.
    let mut scores: Vec<f64> = Vec::with_capacity(ordered.len());
    for run in ordered.chunk_by(|a, b| a == b) {
        let rank = float(scores.len()) + (float(run.len()) + 1.0) / 2.0;
        scores.extend(std::iter::repeat_n(score(rank), run.len()));
    }
    let buckets = Buckets::of(ordered);
    let score = |&value: &f64| scores.get(buckets.below(value)).copied().unwrap_or(0.0);
    values.iter().map(score).collect()
}

/// Sorted values in buckets of equal width on the scale of [`ordinal`], which is about logarithmic. A search in all values
/// would wait for the memory at each of its steps.
struct Buckets<'v> {
    ordered: &'v [f64],
    least: u64,
    shift: u32,
    /// The number of values before each bucket, and that of all values.
    starts: Vec<usize>,
}

impl<'v> Buckets<'v> {
    /// The number of a bucket has at most this number of bits.
    const BITS: u32 = 16;

    fn of(ordered: &'v [f64]) -> Self {
        let least = ordered.first().map_or(0, |&value| ordinal(value));
        let range = ordered.last().map_or(0, |&value| ordinal(value)) - least;
        let shift = (u64::BITS - range.leading_zeros()).saturating_sub(Self::BITS);
        let mut buckets = Self { ordered, least, shift, starts: vec![0] };
        for (at, &value) in ordered.iter().enumerate() {
            let bucket = buckets.bucket(value);
            buckets.starts.resize(bucket + 1, at);
        }
        buckets.starts.push(ordered.len());
        buckets
    }

    fn bucket(&self, value: f64) -> usize {
        #[allow(clippy::cast_possible_truncation, reason = "a number of 16 bits, for values of the sample")]
        let bucket = (ordinal(value).saturating_sub(self.least) >> self.shift) as usize;
        bucket
    }

    /// The number of values below this one.
    fn below(&self, value: f64) -> usize {
        let Some([start, end]) = self.starts.get(self.bucket(value)..).and_then(|starts| starts.first_chunk()) else {
            return self.ordered.len();
        };
        start + self.ordered[*start..*end].partition_point(|&x| x < value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_in_buckets_counts_what_a_search_in_all_values_does() {
        let far = [-1e300, -2.5, -0.0, 0.0, 1e-320, 0.1, 0.1, 0.2, 7.0, 1e300];
        let ties: Vec<f64> = (0..1100).map(|i: usize| float(i / 100)).collect();
        let even: Vec<f64> = (0..100_000).map(|i: usize| 0.1 + float(i) / 1e6).collect();
        for ordered in [&[][..], &[3.0], &far, &ties, &even] {
            let buckets = Buckets::of(ordered);
            let others = (-3..30).map(|half| f64::from(half) / 2.0).chain([f64::MIN, f64::MAX]);
            for value in ordered.iter().step_by(7).copied().chain(others).chain(far) {
                assert_eq!(buckets.below(value), ordered.partition_point(|&x| x < value), "{value}");
            }
        }
    }
}
