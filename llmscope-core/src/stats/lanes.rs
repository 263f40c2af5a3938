//! Sums in lanes, which the compiler can vectorize: a sum in order would wait for each addition.

/// Interleaved partial sums.
const LANES: usize = 8;

/// The sum of a term of each value.
#[inline(always)]
pub(super) fn sum(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for chunk in chunks {
        for lane in 0..LANES {
            sums[lane] += term(chunk[lane]);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&x| term(x)).sum::<f64>()
}

/// The sum of a term of each pair of values at the same position. The longer slice is cut.
#[inline(always)]
pub(super) fn sum_of_pairs(left: &[f64], right: &[f64], term: impl Fn(f64, f64) -> f64) -> f64 {
    let n = left.len().min(right.len());
    let ((lefts, left_rest), (rights, right_rest)) = (left[..n].as_chunks::<LANES>(), right[..n].as_chunks::<LANES>());
    let mut sums = [0.0; LANES];
    for (a, b) in lefts.iter().zip(rights) {
        for lane in 0..LANES {
            sums[lane] += term(a[lane], b[lane]);
        }
    }
    sums.iter().sum::<f64>() + left_rest.iter().zip(right_rest).map(|(&a, &b)| term(a, b)).sum::<f64>()
}
