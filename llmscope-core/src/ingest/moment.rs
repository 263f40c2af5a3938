//! Moments as tools write them.

use jiff::Timestamp;

/// A moment in seconds since 1970, as Python's `time.time()` gives it: a double that resolves a quarter of a
/// microsecond today, so microseconds are all that it tells.
pub(super) fn of_epoch_s(seconds: f64) -> Option<Timestamp> {
    let microseconds = (seconds * 1e6).round();
    // A double of a time that can be told is far inside of an i64; what is not is refused by the range of timestamps.
    #[allow(clippy::cast_possible_truncation, reason = "saturates, and is refused then")]
    let microseconds = microseconds.is_finite().then_some(microseconds as i64)?;
    Timestamp::from_microsecond(microseconds).ok()
}

/// A moment in nanoseconds since 1970.
pub(super) fn of_epoch_ns(nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()
}

/// A moment in ISO 8601 with its offset. A local time without one tells no moment.
pub(super) fn of_text(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}
