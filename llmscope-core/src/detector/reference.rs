//! The values so far, among which a new one has its rank.

use serde::{Deserialize, Serialize};

use crate::cast::float;
use crate::stats::special::{normal_cdf, normal_quantile};

/// Bins of a long reference. 512 of them change no rate.
const BINS: usize = 128;
/// Bins beyond each end of the values that made the bins.
const BEYOND: usize = BINS / 16;

/// Ranks among all values so far are independent and uniform, whatever the distribution of the values is
/// (Barndorff-Nielsen 1963, *Annals of Mathematical Statistics* 34), so that one threshold serves every series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reference {
    /// The values in ascending order.
    Exact(Vec<f64>),
    /// Counts of a long reference.
    Binned(Bins),
}

/// Counts between edges. New values wait, and join when they are as many as the others: a small lasting change is then judged
/// against a reference that does not contain it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Bins {
    /// In ascending order; the first bin is below the first edge, and the last bin at or above the last one.
    edges: Vec<f64>,
    counts: Vec<u32>,
    /// Their sum.
    known: usize,
    waiting: Vec<u32>,
    /// Their sum.
    waits: usize,
    /// The normal score of each bin.
    scores: Vec<f64>,
}

impl Reference {
    /// Values in any order.
    pub(super) fn exact(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self::Exact(values)
    }

    /// A long reference of values in any order.
    pub(super) fn binned(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        Self::Binned(Bins::of(&values))
    }

    /// Number of values.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Exact(values) => values.len(),
            Self::Binned(bins) => bins.known,
        }
    }

    /// Φ⁻¹((r + ½)/(n + 1)) for the mid-rank r of a value among the n others.
    pub(super) fn score(&self, value: f64) -> f64 {
        match self {
            Self::Exact(values) => {
                let below = values.partition_point(|&x| x < value);
                let equal = values[below..].partition_point(|&x| x <= value);
                score_of(float(below) + 0.5 * float(equal), values.len())
            }
            Self::Binned(bins) => bins.scores[bins.bin(value)],
        }
    }

    /// About `count` values, evenly spaced in rank.
    pub(super) fn typical(&self, count: usize) -> Vec<f64> {
        match self {
            Self::Exact(values) => {
                let step = values.len().div_ceil(count).max(1);
                values.iter().skip(step / 2).step_by(step).copied().collect()
            }
            Self::Binned(bins) => bins.typical(count),
        }
    }

    pub(super) fn is_valid(&self) -> bool {
        let ascending = |values: &[f64]| values.iter().all(|x| x.is_finite()) && values.is_sorted();
        match self {
            Self::Exact(values) => !values.is_empty() && ascending(values),
            Self::Binned(Bins { edges, counts, known, waiting, waits, scores }) => {
                let bins = edges.len() + 1;
                (2..=BINS).contains(&bins)
                    && [counts.len(), waiting.len(), scores.len()] == [bins; 3]
                    && ascending(edges)
                    && *known > 0
                    && [*known, *waits] == [counts, waiting].map(|counts| total(counts))
                    && scores.iter().all(|score| score.is_finite())
            }
        }
    }
}

impl Bins {
    /// Edges at order statistics that are evenly spaced in normal score, and equal steps beyond both ends.
    fn of(sorted: &[f64]) -> Self {
        /// Half of the values' width, four times beyond each end.
        const REACH: f64 = 4.0;
        let n = sorted.len();
        let (first, middle, last) = (sorted[0], sorted[n / 2], sorted[n - 1]);
        let largest = -normal_quantile(0.5 / float(n)).unwrap_or(-1.0);
        let step = |width: f64, i: usize| (width / largest).max(1e-9) * float(i) * REACH / float(BEYOND);
        let inner = BINS - 2 * BEYOND;
        let mut edges: Vec<f64> = (1..=BEYOND).rev().map(|i| first - step(middle - first, i)).collect();
        for i in 1..inner {
            let z = largest * (2.0 * float(i) / float(inner) - 1.0);
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and n")]
            let at = (normal_cdf(z) * float(n)) as usize;
            edges.push(sorted[at.min(n - 1)]);
        }
        // The largest value itself is inside.
        edges.extend((0..BEYOND).map(|i| last.next_up() + step(last - middle, i)));
        let bins = edges.len() + 1;
        let (counts, waiting, scores) = (vec![0; bins], vec![0; bins], vec![0.0; bins]);
        let mut made = Self { edges, counts, known: n, waiting, waits: 0, scores };
        for &value in sorted {
            let bin = made.bin(value);
            made.counts[bin] += 1;
        }
        made.rescore();
        made
    }

    fn bin(&self, value: f64) -> usize {
        self.edges.partition_point(|&edge| edge <= value)
    }

    /// All values of a bin share their mid-rank, as ties do.
    fn rescore(&mut self) {
        let n = self.known;
        let mut below = 0.0;
        for (score, &count) in self.scores.iter_mut().zip(&self.counts) {
            *score = score_of(below + 0.5 * f64::from(count), n);
            below += f64::from(count);
        }
    }

    /// A value waits. All that wait join when they are as many as the known ones, if they may.
    pub(super) fn wait(&mut self, value: f64, may_join: bool) {
        let bin = self.bin(value);
        self.waiting[bin] = self.waiting[bin].saturating_add(1);
        self.waits += 1;
        if may_join && self.waits >= self.known {
            for (count, waiting) in self.counts.iter_mut().zip(&mut self.waiting) {
                *count = count.saturating_add(std::mem::take(waiting));
            }
            (self.known, self.waits) = (total(&self.counts), 0);
            self.rescore();
        }
    }

    /// Drops the values that wait.
    pub(super) fn drop_waiting(&mut self) {
        self.waiting.fill(0);
        self.waits = 0;
    }

    fn typical(&self, count: usize) -> Vec<f64> {
        let n = self.known;
        let inside = |bin: usize| match bin {
            0 => self.edges[0],
            last if last == self.edges.len() => self.edges[last - 1],
            inner => 0.5 * (self.edges[inner - 1] + self.edges[inner]),
        };
        let mut below = 0.0;
        let mut values = Vec::with_capacity(count);
        for (bin, &of_bin) in self.counts.iter().enumerate() {
            below += f64::from(of_bin);
            while values.len() < count && (float(values.len()) + 0.5) / float(count) * float(n) <= below {
                values.push(inside(bin));
            }
        }
        values
    }
}

fn score_of(mid_rank: f64, n: usize) -> f64 {
    normal_quantile((mid_rank + 0.5) / (float(n) + 1.0)).unwrap_or(0.0)
}

fn total(counts: &[u32]) -> usize {
    counts.iter().map(|&count| count as usize).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_is_that_of_the_mid_rank() {
        let reference = Reference::exact(vec![3.0, 1.0, 2.0, 2.0]);
        // Two values are equal to 2, and one is below it: mid-rank 2 of 4.
        assert_eq!(reference.score(2.0), 0.0);
        assert_eq!(reference.score(9.0), normal_quantile(0.9).expect("inside"));
        assert_eq!(reference.score(-9.0), -reference.score(9.0));
    }

    #[test]
    fn bins_score_nearly_as_the_values_do() {
        let values: Vec<f64> = (0..2048).map(|i| normal_quantile((float(i) + 0.5) / 2048.0).expect("inside")).collect();
        let (exact, binned) = (Reference::exact(values.clone()), Reference::binned(values));
        assert_eq!(binned.len(), 2048);
        for i in -60..=60 {
            let value = f64::from(i) / 15.0;
            let (a, b) = (exact.score(value), binned.score(value));
            assert!((a - b).abs() < 0.12, "{value}: {a} and {b}");
        }
        assert!(binned.is_valid() && exact.is_valid());
        let typical = binned.typical(101);
        assert!(typical.len() == 101 && typical[50].abs() < 0.1, "{typical:?}");
    }

    #[test]
    fn values_join_when_they_are_as_many_as_the_others() {
        let Reference::Binned(mut bins) = Reference::binned((0..100).map(f64::from).collect()) else { unreachable!() };
        for _ in 0..99 {
            bins.wait(200.0, true);
        }
        assert_eq!(total(&bins.counts), 100);
        bins.wait(200.0, false);
        assert_eq!(total(&bins.counts), 100, "while the evidence is large, they wait");
        bins.wait(200.0, true);
        assert_eq!((total(&bins.counts), total(&bins.waiting)), (201, 0));
        bins.wait(1.0, true);
        bins.drop_waiting();
        assert_eq!(total(&bins.waiting), 0);
    }

    #[test]
    fn equal_values_have_bins() {
        let reference = Reference::binned(vec![5.0; 300]);
        assert!(reference.is_valid());
        assert!(reference.score(5.0).abs() < 1e-9 && reference.score(6.0) > 2.5 && reference.score(4.0) < -2.5);
    }
}
