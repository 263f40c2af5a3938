//! Sums in lanes, which the compiler can vectorize: a sum in order would wait for each addition.

/// Interleaved partial sums.
pub(super) const LANES: usize = 8;

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
