//! Deterministic series, which NumPy can make, too.

/// Sums of twelve numbers of a linear congruential generator (C's `rand` of the BSD libraries), less 6: nearly normal.
pub(crate) fn noise(count: usize) -> Vec<f64> {
    let mut state: u64 = 7;
    let mut uniform = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        f64::from(u32::try_from(state).expect("below 2^31")) / f64::from(1_u32 << 31)
    };
    (0..count).map(|_| (0..12).fold(0.0, |sum, _| sum + uniform()) - 6.0).collect()
}

/// 100 requests about 0.3 s and 100 about 0.45 s, two of which stalled.
pub(crate) fn slower() -> Vec<f64> {
    let level = |index: usize| if index < 100 { 0.3 } else { 0.45 };
    let mut values: Vec<f64> = noise(200).iter().enumerate().map(|(index, z)| level(index) * (0.1 * z).exp()).collect();
    [130, 170].into_iter().for_each(|stalled| values[stalled] *= 4.0);
    values
}
