//! Integers in the order of numbers, so that a bisection of them ends at adjacent numbers.

/// The integer of a number; −0 has that of 0.
pub(super) fn ordinal(value: f64) -> u64 {
    in_total_order(value + 0.0)
}

/// The integer of a number in the order of [`f64::total_cmp`], in which −0 is less than 0.
pub(super) fn in_total_order(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The number of an integer.
pub(super) fn number(ordinal: u64) -> f64 {
    f64::from_bits(if ordinal >> 63 == 1 { ordinal & !(1 << 63) } else { !ordinal })
}
