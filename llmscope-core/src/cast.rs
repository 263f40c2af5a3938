//! Conversion of counts to `f64`.

/// A count as `f64`: exact below 2⁵³, which exceeds the number of values that fit into memory.
#[allow(clippy::cast_precision_loss, reason = "a count above 2^53 values does not occur")]
pub(crate) const fn float(count: usize) -> f64 {
    count as f64
}
