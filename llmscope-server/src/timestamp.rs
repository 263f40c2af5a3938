//! Times in the store: nanoseconds since 1970, which cover the years 1677 to 2262.

use jiff::Timestamp;

/// Converts a time to nanoseconds. Times outside the range of 64 bits are clamped to it.
pub(crate) fn to_ns(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(if at < Timestamp::UNIX_EPOCH { i64::MIN } else { i64::MAX })
}

/// Converts nanoseconds to a time.
pub(crate) fn from_ns(ns: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(ns)).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Converts nanoseconds to milliseconds, for charts.
pub(crate) fn to_ms(ns: i64) -> i64 {
    ns.div_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_a_round_trip() {
        for text in ["1970-01-01T00:00:00Z", "2026-11-26T18:41:37.123456789Z", "1969-12-31T23:59:59.999999999Z"] {
            let at: Timestamp = text.parse().unwrap();
            assert_eq!(from_ns(to_ns(at)), at, "{text}");
        }
        assert_eq!(to_ns("3000-01-01T00:00:00Z".parse().unwrap()), i64::MAX);
        assert_eq!(to_ns(Timestamp::MIN), i64::MIN);
        assert_eq!((to_ms(-1), to_ms(1_999_999)), (-1, 1));
    }
}
