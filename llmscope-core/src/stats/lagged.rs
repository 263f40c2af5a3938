//! Sums over pairs of values that are some lag apart, for many lags in one pass.

use multiversion::multiversion;

use super::lanes::LANES;

/// Lags whose sums are in registers at the same time.
const TOGETHER: usize = 4;
/// Chunks of values that stay in the cache while all lags pass over them.
const BLOCK: usize = 256;

type Chunk = [f64; LANES];

/// Adds to each sum the products of the values that are `first`, `first + 1`, … apart.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add_products(values: &[f64], first: usize, sums: &mut [f64]) {
    add(values, first, sums, |a, b| a * b);
}

/// Adds to each sum the squared differences of the values that are `first`, `first + 1`, … apart.
#[multiversion(targets("x86_64+avx2"))]
pub(super) fn add_squared_differences(values: &[f64], first: usize, sums: &mut [f64]) {
    add(values, first, sums, |a, b| (a - b) * (a - b));
}

/// Each lag has lanes of its own, which add the terms in the order of the values. A sum therefore does not depend on the lags
/// that are summed with it.
#[inline(always)]
fn add(values: &[f64], first: usize, sums: &mut [f64], term: impl Fn(f64, f64) -> f64 + Copy) {
    let lags = sums.len().min(values.len().saturating_sub(first));
    let mut lanes = vec![[0.0; LANES]; lags];
    // The chunks that every lag has.
    let shared = (values.len() + 1).saturating_sub(first + lags) / LANES;
    for start in (0..shared).step_by(BLOCK) {
        let count = BLOCK.min(shared - start);
        let chunks = |lag: usize| &values[start * LANES + lag..].as_chunks::<LANES>().0[..count];
        let (groups, others) = lanes.as_chunks_mut::<TOGETHER>();
        let grouped = first + groups.len() * TOGETHER;
        for (lag, lanes) in (first..).step_by(TOGETHER).zip(groups) {
            add_chunks(chunks(0), std::array::from_fn(|index| chunks(lag + index)), lanes, term);
        }
        for (lag, lanes) in (grouped..).zip(others) {
            add_chunks(chunks(0), [chunks(lag)], std::array::from_mut(lanes), term);
        }
    }
    for ((lag, mut lanes), sum) in (first..).zip(lanes).zip(sums) {
        let (earlier, later) = (&values[shared * LANES..values.len() - lag], &values[shared * LANES + lag..]);
        let ((chunks, rest), (later, later_rest)) = (earlier.as_chunks::<LANES>(), later.as_chunks::<LANES>());
        add_chunks(chunks, [later], std::array::from_mut(&mut lanes), term);
        *sum += lanes.iter().sum::<f64>() + rest.iter().zip(later_rest).map(|(&a, &b)| term(a, b)).sum::<f64>();
    }
}

/// Adds the terms of chunks with those of several lags.
#[inline(always)]
fn add_chunks<const LAGS: usize>(
    earlier: &[Chunk],
    later: [&[Chunk]; LAGS],
    lanes: &mut [Chunk; LAGS],
    term: impl Fn(f64, f64) -> f64,
) {
    let mut sums = *lanes;
    for (at, chunk) in earlier.iter().enumerate() {
        for lag in 0..LAGS {
            let other = &later[lag][at];
            for lane in 0..LANES {
                sums[lag][lane] += term(chunk[lane], other[lane]);
            }
        }
    }
    *lanes = sums;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cast::float;

    /// The sum of one lag in lanes, one chunk after the other.
    fn summed(values: &[f64], lag: usize, term: fn(f64, f64) -> f64) -> f64 {
        let pairs: Vec<f64> = values.iter().zip(values.get(lag..).unwrap_or(&[])).map(|(&a, &b)| term(a, b)).collect();
        let (chunks, rest) = pairs.as_chunks::<LANES>();
        let lanes: [f64; LANES] = std::array::from_fn(|lane| chunks.iter().fold(0.0, |sum, chunk| sum + chunk[lane]));
        lanes.iter().sum::<f64>() + rest.iter().sum::<f64>()
    }

    #[test]
    fn sums_of_many_lags_are_those_of_each_lag_alone() {
        for n in [0, 1, 7, 8, 30, 61, 500, 5 * BLOCK * LANES / 2 + 3] {
            let values: Vec<f64> = (0..n).map(|i| float(i * 7919 % 1009).sqrt() - 20.0).collect();
            for (first, lags) in [(0, 1), (1, 5), (0, 61), (31, 30)] {
                let (mut products, mut squares) = (vec![1.0; lags], vec![1.0; lags]);
                add_products(&values, first, &mut products);
                add_squared_differences(&values, first, &mut squares);
                for index in 0..lags {
                    let lag = first + index;
                    assert_eq!(products[index], 1.0 + summed(&values, lag, |a, b| a * b), "lag {lag} of {n}");
                    assert_eq!(
                        squares[index],
                        1.0 + summed(&values, lag, |a, b| (a - b) * (a - b)),
                        "lag {lag} of {n}"
                    );
                }
            }
        }
    }
}
