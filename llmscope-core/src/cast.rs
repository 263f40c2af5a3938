//! Counts as numbers to compute with.

/// A count as `f64`: exact below 2⁵³, more values than fit in memory.
#[allow(clippy::cast_precision_loss, reason = "a count above 2^53 values does not occur")]
pub(crate) const fn float(count: usize) -> f64 {
    count as f64
}
