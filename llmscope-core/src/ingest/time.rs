//! When rows were measured.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A wall-clock time in eight bytes, or its absence: nanosecond resolution, years 1678 to 2261.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(i64);

impl Time {
    /// The time is not known.
    pub const NONE: Self = Self(i64::MIN);

    /// The timestamp, if there is one.
    #[must_use]
    pub fn get(self) -> Option<Timestamp> {
        (self != Self::NONE).then(|| Timestamp::from_nanosecond(self.0.into()).ok()).flatten()
    }
}

impl From<Option<Timestamp>> for Time {
    fn from(at: Option<Timestamp>) -> Self {
        at.and_then(|at| i64::try_from(at.as_nanosecond()).ok()).map_or(Self::NONE, Self)
    }
}

/// Parses times in the most frequent form, `2026-11-24T08:15:30.123Z`. Consecutive times tend to fall on the same day,
/// so the calendar computation runs once per day.
#[derive(Debug)]
pub(super) struct UsualTimes {
    date: [u8; DATE],
    /// The start of the cached day, in nanoseconds. The first representable day begins before the first [`Time`].
    midnight: i128,
}

const DATE: usize = "2026-11-24".len();
const CLOCK: usize = "T08:15:30".len();
const NANOSECOND_DIGITS: usize = 9;

impl Default for UsualTimes {
    fn default() -> Self {
        Self { date: *b"1970-01-01", midnight: 0 }
    }
}

impl UsualTimes {
    /// `None` for any other form, which needs a full parser.
    pub(super) fn read(&mut self, text: &str) -> Option<Time> {
        let (date, rest) = text.as_bytes().split_first_chunk::<DATE>()?;
        let ([b'T', h, hh, b':', m, mm, b':', s, ss], rest) = rest.split_first_chunk::<CLOCK>()? else { return None };
        let (hour, minute, second) = (number(&[*h, *hh])?, number(&[*m, *mm])?, number(&[*s, *ss])?);
        // A leap second is left to the full parser.
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let nanoseconds = match rest {
            b"Z" => 0,
            [b'.', digits @ .., b'Z'] if (1..=NANOSECOND_DIGITS).contains(&digits.len()) => {
                number(digits)? * 10_i64.pow((NANOSECOND_DIGITS - digits.len()) as u32)
            }
            _ => return None,
        };
        let since_midnight = (hour * 3_600 + minute * 60 + second) * 1_000_000_000 + nanoseconds;
        let at = i64::try_from(self.midnight(date)? + i128::from(since_midnight)).ok()?;
        Some(Time(at)).filter(|at| *at != Time::NONE)
    }

    fn midnight(&mut self, date: &[u8; DATE]) -> Option<i128> {
        if *date != self.date {
            let [_, _, _, _, b'-', _, _, b'-', _, _] = date else { return None };
            let text = format!("{}T00:00:00Z", std::str::from_utf8(date).ok()?);
            *self = Self { date: *date, midnight: text.parse::<Timestamp>().ok()?.as_nanosecond() };
        }
        Some(self.midnight)
    }
}

/// A number of a fixed number of digits.
fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use proptest::prelude::*;

    use super::*;

    fn fully(text: &str) -> Option<Time> {
        text.parse::<Timestamp>().ok().map(|at| Time::from(Some(at)))
    }

    proptest! {
        #[test]
        fn usual_times_are_read_as_the_full_parser_reads_them(
            // Includes times outside the range of nanoseconds.
            times in prop::collection::vec((-13_000_000_000_i64..13_000_000_000, 0_i32..1_000_000_000, 0_usize..10), 1..9),
            apart_s in prop::sample::select(vec![1_i64, 86_400]),
        ) {
            let mut usual = UsualTimes::default();
            for (second, nanosecond, digits) in times {
                for second in [second, second + apart_s] {
                    let at = Timestamp::new(second, nanosecond).unwrap();
                    let text = format!("{at:.digits$}");
                    let expected = fully(&text).filter(|time| *time != Time::NONE);
                    prop_assert_eq!(usual.read(&text), expected, "{}", text);
                }
            }
        }

        #[test]
        fn what_looks_like_a_time_and_is_none_is_left_to_the_full_parser(text in "[0-9:TZ.+-]{0,32}") {
            prop_assert!(UsualTimes::default().read(&text).is_none_or(|time| Some(time) == fully(&text)));
        }

        #[test]
        fn a_fault_in_a_usual_time_is_seen(at in 0_usize..24, byte in "[0-9:TZ.+ -]") {
            let mut text = "2026-11-24T08:15:30.123Z".to_owned();
            text.replace_range(at..=at, &byte);
            let mut usual = UsualTimes::default();
            for _ in 0..2 {
                prop_assert!(usual.read(&text).is_none_or(|time| Some(time) == fully(&text)), "{}", text);
            }
        }
    }

    #[test]
    fn the_days_in_which_times_begin_and_end_are_read_as_far_as_there_are_times() {
        let mut usual = UsualTimes::default();
        let (first, last) = ("1677-09-21T00:12:43.145224193Z", "2262-04-11T23:47:16.854775807Z");
        assert_eq!(usual.read(first), Some(Time(i64::MIN + 1)));
        assert_eq!(usual.read(last), Some(Time(i64::MAX)));
        for beyond in ["1677-09-21T00:12:43.145224192Z", "1677-09-20T23:59:59Z", "2262-04-11T23:47:16.854775808Z"] {
            assert_eq!(usual.read(beyond), None, "{beyond}");
        }
        for edge in [first, "1677-09-21T23:59:59Z", "2262-04-11T00:00:00Z", last] {
            assert_eq!(usual.read(edge), fully(edge), "{edge}");
        }
    }

    #[test]
    fn days_and_seconds_that_are_none_are_left_to_the_full_parser() {
        let mut usual = UsualTimes::default();
        for text in ["2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-12-31T23:59:60Z", "2026-11-24T24:00:00Z"] {
            assert_eq!(usual.read(text), None, "{text}");
        }
        assert_eq!(usual.read("1970-01-01T00:00:01.5Z"), Some(Time(1_500_000_000)));
    }
}
