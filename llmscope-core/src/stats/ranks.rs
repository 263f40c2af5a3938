//! The order of values: one sort for their ranks, quantiles and extremes.

use super::Sorted;
use super::bucket_sort::in_order;
use super::ordinal::number;
use crate::cast::float;

/// Values in ascending order, with their positions.
///
/// ```
/// use llmscope_core::stats::Ranking;
///
/// let ranking = Ranking::of(&[0.3, 0.1, 0.2]);
/// assert_eq!(ranking.sorted().values(), [0.1, 0.2, 0.3]);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Ranking {
    sorted: Sorted,
    /// The position of each sorted value among the values.
    order: Vec<usize>,
}

impl Ranking {
    /// Sorts finite values.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let pairs = in_order(values, |key, at| (key, at), |&(key, _)| key);
        // From the integers in order: reading the values in the order of their ranks would wait for the memory.
        let sorted = Sorted::from_ascending(pairs.iter().map(|&(key, _)| number(key)).collect());
        Self { sorted, order: pairs.into_iter().map(|(_, at)| at).collect() }
    }

    /// The values, ascending.
    #[must_use]
    pub fn sorted(&self) -> &Sorted {
        &self.sorted
    }

    /// The values, ascending.
    #[must_use]
    pub fn into_sorted(self) -> Sorted {
        self.sorted
    }

    /// The rank of each value, which starts at 1 and is the mean rank among ties.
    ///
    /// ```
    /// use llmscope_core::stats::Ranking;
    ///
    /// assert_eq!(Ranking::of(&[0.3, 0.1, 0.3]).mid_ranks(), [2.5, 1.0, 2.5]);
    /// ```
    #[must_use]
    pub fn mid_ranks(&self) -> Vec<f64> {
        self.scores(|rank| rank)
    }

    /// A score of the rank of each value. The score of each distinct value is computed once.
    pub(super) fn scores(&self, score: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut scores = vec![0.0; self.order.len()];
        let mut below = 0;
        for run in self.sorted.values().chunk_by(|a, b| a == b) {
            let of_run = score(float(below) + (float(run.len()) + 1.0) / 2.0);
            let end = below + run.len();
            self.order[below..end].iter().for_each(|&at| scores[at] = of_run);
            below = end;
        }
        scores
    }
}

/// The rank of each value, which starts at 1 and is the mean rank among ties.
///
/// ```
/// use llmscope_core::stats::mid_ranks;
///
/// assert_eq!(mid_ranks(&[10.0, 30.0, 20.0, 20.0]), [1.0, 4.0, 2.5, 2.5]);
/// ```
#[must_use]
pub fn mid_ranks(values: &[f64]) -> Vec<f64> {
    Ranking::of(values).mid_ranks()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ranks by counting, which takes n² steps.
    fn counted(values: &[f64]) -> Vec<f64> {
        let rank = |value: &f64| {
            let below = values.iter().filter(|&other| other < value).count();
            let equal = values.iter().filter(|&other| other == value).count();
            float(below) + (float(equal) + 1.0) / 2.0
        };
        values.iter().map(rank).collect()
    }

    #[test]
    fn ranks_and_order_are_those_of_counting_and_sorting() {
        let far = vec![-1e300, 7.0, -0.0, 1e300, 0.0, 1e-320, 0.1, 0.2, 0.1, -2.5];
        let spread = |n: usize| (0..n).map(|i| 0.1 + float(i * 7919 % n) / 1e6).collect::<Vec<f64>>();
        let ties = (0..9000).map(|i: usize| float(i * 7919 % 90)).collect();
        let clock = (0..9000).map(|i: usize| if i % 7 == 3 { -1e9 } else { 5.0 }).collect();
        let long = [spread(9000), far.clone()].concat();
        for values in [vec![], vec![3.0], vec![2.0; 5000], far, spread(300), ties, clock, long] {
            let ranking = Ranking::of(&values);
            assert_eq!(ranking.mid_ranks(), counted(&values));
            let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(ranking.sorted().values()), bits(Sorted::of(&values).values()));
        }
    }
}
