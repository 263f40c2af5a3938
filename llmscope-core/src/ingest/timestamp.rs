//! Timestamps as tools write them.

use jiff::{Timestamp, civil, tz};

/// A timestamp in seconds since 1970, as Python's `time.time()` returns it. At present-day times a double resolves a
/// quarter of a microsecond, so only whole microseconds are significant.
pub(super) fn of_epoch_s(seconds: f64) -> Option<Timestamp> {
    let microseconds = (seconds * 1e6).round();
    // A representable time is far inside the range of an i64. All other values are rejected by the range of timestamps.
    #[allow(clippy::cast_possible_truncation, reason = "saturates, and is then rejected")]
    let microseconds = microseconds.is_finite().then_some(microseconds as i64)?;
    Timestamp::from_microsecond(microseconds).ok()
}

/// A timestamp in nanoseconds since 1970.
pub(super) fn of_epoch_ns(nanoseconds: i64) -> Option<Timestamp> {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).ok()
}

/// A timestamp in ISO 8601 with an offset. A local time without one does not identify an instant.
pub(super) fn of_text(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok()
}

/// A timestamp with an offset, or in UTC without one, as databases write it.
pub(super) fn of_text_or_utc(text: &str) -> Option<Timestamp> {
    let in_utc = || tz::TimeZone::UTC.to_timestamp(text.trim().parse::<civil::DateTime>().ok()?).ok();
    of_text(text).or_else(in_utc)
}
