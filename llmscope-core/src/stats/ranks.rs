//! Scores of ranks.

use super::Sorted;
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
    let score = |value: &f64| scores.get(ordered.partition_point(|x| x < value)).copied().unwrap_or(0.0);
    values.iter().map(score).collect()
}
