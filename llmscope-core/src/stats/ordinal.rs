//! Integers in the order of numbers, so that a bisection of them ends at adjacent numbers.

/// The integer of a number; −0 has that of 0.
pub(super) fn ordinal(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The number of an integer.
pub(super) fn number(ordinal: u64) -> f64 {
    f64::from_bits(if ordinal >> 63 == 1 { ordinal & !(1 << 63) } else { !ordinal })
}
