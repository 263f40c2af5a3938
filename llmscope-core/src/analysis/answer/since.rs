//! How well the place of a change is known.

use crate::cast::float;

/// The interval of the place of a change, both ends included, at the 95 % level. `values` are the values between the
/// neighboring changes, `at` is the change, and `inflation` is V of their dependence.
///
/// The places t with ℓ(at) − ℓ(t) ≤ c, for ℓ(t) = −n/(2V)·ln SSE(t) of the values about the means on both sides. Near a
/// true change ℓ behaves like a two-sided random walk with a negative drift, whose maximum on each side is exponential
/// with mean 1 (Siegmund 1988, *Annals of Statistics* 16). The larger of the two is at most c with probability
/// (1 − e^(−c))², which is 0.95 for c = 3.68. The place that was found is not that of the largest ℓ, and V is estimated:
/// c = 5.5 holds at least 95 % in the simulations.
pub(super) fn interval(values: &[f64], at: usize, inflation: f64) -> [usize; 2] {
    const C: f64 = 5.5;
    let n = values.len();
    let shift = values.get(at).copied().unwrap_or(0.0);
    let (mut sum, mut squares) = (0.0, 0.0);
    for value in values {
        sum += value - shift;
        squares += (value - shift) * (value - shift);
    }
    let mut before = 0.0;
    let log_likelihoods: Vec<f64> = (1..n)
        .map(|t| {
            before += values[t - 1] - shift;
            let after = sum - before;
            let explained = before * before / float(t) + after * after / float(n - t);
            let rest = (squares - explained).max(squares * 1e-12).max(f64::MIN_POSITIVE);
            -float(n) / (2.0 * inflation) * rest.ln()
        })
        .collect();
    let Some(&best) = at.checked_sub(1).and_then(|index| log_likelihoods.get(index)) else { return [at, at] };
    let within = |log_likelihood: &f64| best - log_likelihood <= C;
    let first = log_likelihoods.iter().position(within).map_or(at, |index| index + 1);
    let last = log_likelihoods.iter().rposition(within).map_or(at, |index| index + 1);
    [first.min(at), last.max(at)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clear_change_is_known_exactly_and_a_faint_one_is_not() {
        let noise = |i: usize| float(i * 7919 % 100) / 100.0;
        let step = |size: f64| (0..100).map(|i| noise(i) + if i < 40 { 0.0 } else { size }).collect::<Vec<f64>>();
        assert_eq!(interval(&step(9.0), 40, 1.0), [40, 40]);
        let [first, last] = interval(&step(0.4), 40, 1.0);
        assert!(first < 40 && 40 < last, "{first} to {last}");
        let [earlier, later] = interval(&step(0.4), 40, 4.0);
        assert!(earlier < first && last < later, "dependence widens the interval: {earlier} to {later}");
    }

    #[test]
    fn equal_values_have_no_better_place() {
        assert_eq!(interval(&[1.0; 20], 10, 1.0), [1, 19]);
    }
}
