//! Dependence of successive measurements.

use std::ops::Range;

use super::{Moments, double_double, mid_ranks};
use crate::cast::float;
use crate::sample::{Sample, segments};

/// Autocorrelation at a lag: r_k = Σ(xᵢ − x̄)(xᵢ₊ₖ − x̄) / Σ(xᵢ − x̄)² (Box & Jenkins 1976).
///
/// Pairs that span a gap are omitted from the numerator. `None` if the sample has no variation or no such pair.
///
/// ```
/// use llmscope_core::{Sample, stats};
///
/// let alternating = Sample::new(vec![1.0, -1.0, 1.0, -1.0])?;
/// assert_eq!(stats::autocorrelation(&alternating, 1), Some(-0.75));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias = "ACF")]
#[must_use]
pub fn autocorrelation(sample: &Sample<'_>, lag: usize) -> Option<f64> {
    let moments = Moments::of(sample.values());
    let (mean, rest) = (moments.mean()?, moments.mean_rest());
    let products = |segment: &[f64]| {
        let later = segment.get(lag..).unwrap_or_default();
        let deviation = |x: f64| (x - mean) - rest;
        double_double::sum_of_pairs(&segment[..later.len()], later, |a, b| deviation(a) * deviation(b))
    };
    let pairs: usize = sample.segments().map(|segment| segment.len().saturating_sub(lag)).sum();
    let numerator = sample.segments().map(products).fold(double_double::DoubleDouble::default(), |a, b| a.plus(b));
    let correlation = numerator.value() / moments.sum_of_squares();
    (pairs > 0 && !moments.is_constant() && correlation.is_finite()).then_some(correlation)
}

/// The autocorrelation of ranks at `lag`, within stages: the mean product of the scores (R − (n + 1)/2)/n of values that are
/// `lag` apart, divided by the mean square of all scores. R is the mid-rank of a value within its stage of n values.
///
/// It is a serial correlation of ranks (Wald & Wolfowitz 1943, *Annals of Mathematical Statistics* 14), so that neither a
/// spike nor a change of the level between two stages affects it. `None` without pairs within a stage, or if the values of each
/// stage are equal.
///
/// ```
/// use llmscope_core::{Sample, stats::rank_autocorrelation};
///
/// let rising = Sample::new(vec![1.0, 2.0, 3.0, 4.0, 500.0, 6.0, 7.0, 8.0])?;
/// assert!(rank_autocorrelation(&rising, 1, &[0..8]).unwrap() > 0.3);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
///
/// # Panics
/// If a stage is not within the sample.
#[must_use]
pub fn rank_autocorrelation(sample: &Sample<'_>, lag: usize, stages: &[Range<usize>]) -> Option<f64> {
    let (mut products, mut pairs, mut squares, mut count) = (0.0, 0_usize, 0.0, 0_usize);
    for stage in stages {
        let stage = sample.slice(stage.clone());
        let n = float(stage.len());
        let ranks = mid_ranks(stage.values());
        let scores: Vec<f64> = ranks.iter().map(|rank| (rank - (n + 1.0) / 2.0) / n).collect();
        squares += scores.iter().map(|score| score * score).sum::<f64>();
        count += scores.len();
        for segment in segments(&scores, stage.breaks()) {
            let later = segment.get(lag..).unwrap_or_default();
            products += segment.iter().zip(later).map(|(a, b)| a * b).sum::<f64>();
            pairs += later.len();
        }
    }
    let correlation = (products / float(pairs)) / (squares / float(count));
    (pairs > 0 && correlation.is_finite()).then_some(correlation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_correlated_within_their_stages() {
        // Mean products of scipy.stats.rankdata (SciPy 1.17.1), centered and divided by n, over mean squares.
        let sample = Sample::new(vec![3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0]).expect("finite");
        let all = [0..10, 0..4];
        let whole = rank_autocorrelation(&sample, 1, &all[..1]).expect("pairs");
        assert!((whole + 0.192_043_895_747_599_47).abs() < 1e-14, "{whole}");
        let halves = rank_autocorrelation(&sample, 1, &[0..5, 5..10]).expect("pairs");
        assert!((halves + 0.769_230_769_230_769_2).abs() < 1e-14, "{halves}");
        assert_eq!(rank_autocorrelation(&sample, 1, &[0..1, 1..2]), None);
        assert_eq!(rank_autocorrelation(&Sample::new(vec![2.0; 4]).expect("finite"), 1, &all[1..]), None);
    }
}
