//! Units of metrics and of columns.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The unit of a metric or of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Unit {
    /// Seconds.
    #[serde(rename = "s")]
    Second,
    /// Seconds per output token.
    #[serde(rename = "s/token")]
    SecondPerToken,
    /// A rate: tokens or requests per second.
    #[serde(rename = "1/s")]
    PerSecond,
    /// US dollars.
    #[serde(rename = "USD")]
    UsDollar,
    /// A ratio, a count, or a number without a known unit.
    #[serde(rename = "1")]
    One,
    /// Milliseconds. The units from here on occur only in columns of other tools.
    #[serde(rename = "ms")]
    Millisecond,
    /// Microseconds.
    #[serde(rename = "us")]
    Microsecond,
    /// Nanoseconds.
    #[serde(rename = "ns")]
    Nanosecond,
    /// Minutes.
    #[serde(rename = "min")]
    Minute,
    /// Hours.
    #[serde(rename = "h")]
    Hour,
    /// A rate per millisecond.
    #[serde(rename = "1/ms")]
    PerMillisecond,
    /// A rate per microsecond.
    #[serde(rename = "1/us")]
    PerMicrosecond,
    /// A rate per nanosecond.
    #[serde(rename = "1/ns")]
    PerNanosecond,
    /// A rate per minute.
    #[serde(rename = "1/min")]
    PerMinute,
    /// A rate per hour.
    #[serde(rename = "1/h")]
    PerHour,
    /// Hundredths of a ratio.
    #[serde(rename = "%")]
    Percent,
}

/// The notations of units of time.
const TIMES: [(Unit, &[&str]); 6] = [
    (Unit::Nanosecond, &["ns", "nsec", "nsecs", "nanos", "nanosecond", "nanoseconds"]),
    (Unit::Microsecond, &["us", "µs", "μs", "usec", "usecs", "micros", "microsecond", "microseconds"]),
    (Unit::Millisecond, &["ms", "msec", "msecs", "millis", "millisec", "millisecond", "milliseconds"]),
    (Unit::Second, &["s", "sec", "secs", "second", "seconds"]),
    (Unit::Minute, &["m", "min", "mins", "minute", "minutes"]),
    (Unit::Hour, &["h", "hr", "hrs", "hour", "hours"]),
];

/// What is counted by a rate.
const COUNTED: [&str; 18] = [
    "1", "tok", "toks", "token", "tokens", "req", "reqs", "request", "requests", "query", "queries", "item", "items",
    "op", "ops", "byte", "bytes", "b",
];

impl Unit {
    /// The unit's symbol, empty for a pure number.
    ///
    /// ```
    /// use llmscope_core::Unit;
    ///
    /// assert_eq!((Unit::SecondPerToken.symbol(), Unit::One.symbol()), ("s/token", ""));
    /// ```
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::SecondPerToken => "s/token",
            Self::PerSecond => "1/s",
            Self::UsDollar => "USD",
            Self::One => "",
            Self::Millisecond => "ms",
            Self::Microsecond => "µs",
            Self::Nanosecond => "ns",
            Self::Minute => "min",
            Self::Hour => "h",
            Self::PerMillisecond => "1/ms",
            Self::PerMicrosecond => "1/µs",
            Self::PerNanosecond => "1/ns",
            Self::PerMinute => "1/min",
            Self::PerHour => "1/h",
            Self::Percent => "%",
        }
    }

    /// True for durations, with or without a number of tokens.
    ///
    /// ```
    /// use llmscope_core::Unit;
    ///
    /// assert!(Unit::Millisecond.is_duration() && Unit::SecondPerToken.is_duration());
    /// assert!(!Unit::PerSecond.is_duration());
    /// ```
    #[must_use]
    pub const fn is_duration(self) -> bool {
        matches!(self, Self::SecondPerToken) || self.time_ns().is_some()
    }

    /// True for rates: a number per unit of time.
    ///
    /// ```
    /// use llmscope_core::Unit;
    ///
    /// assert!(Unit::PerMinute.is_rate() && !Unit::Minute.is_rate());
    /// ```
    #[must_use]
    pub const fn is_rate(self) -> bool {
        self.period_ns().is_some()
    }

    /// The unit of a duration in nanoseconds.
    const fn time_ns(self) -> Option<f64> {
        Some(match self {
            Self::Nanosecond => 1.0,
            Self::Microsecond => 1e3,
            Self::Millisecond => 1e6,
            Self::Second => 1e9,
            Self::Minute => 60e9,
            Self::Hour => 3600e9,
            _ => return None,
        })
    }

    /// The period of a rate in nanoseconds.
    const fn period_ns(self) -> Option<f64> {
        Some(match self {
            Self::PerNanosecond => 1.0,
            Self::PerMicrosecond => 1e3,
            Self::PerMillisecond => 1e6,
            Self::PerSecond => 1e9,
            Self::PerMinute => 60e9,
            Self::PerHour => 3600e9,
            _ => return None,
        })
    }

    /// The unit of time that a word names: `ms`, `usec`, `seconds`.
    pub(crate) fn of_time(word: &str) -> Option<Self> {
        TIMES.iter().find(|(_, words)| words.contains(&word)).map(|&(unit, _)| unit)
    }

    /// The rate with a unit of time as its period.
    pub(crate) const fn per(period: Self) -> Option<Self> {
        Some(match period {
            Self::Nanosecond => Self::PerNanosecond,
            Self::Microsecond => Self::PerMicrosecond,
            Self::Millisecond => Self::PerMillisecond,
            Self::Second => Self::PerSecond,
            Self::Minute => Self::PerMinute,
            Self::Hour => Self::PerHour,
            _ => return None,
        })
    }

    /// The unit of time that is a thousand times smaller.
    pub(crate) const fn thousandth(self) -> Option<&'static str> {
        Some(match self {
            Self::Second => "ms",
            Self::SecondPerToken => "ms/token",
            Self::Millisecond => "us",
            Self::Microsecond => "ns",
            _ => return None,
        })
    }

    /// The unit of time that is a thousand times larger.
    pub(crate) const fn thousandfold(self) -> Option<&'static str> {
        Some(match self {
            Self::Millisecond => "s",
            Self::Microsecond => "ms",
            Self::Nanosecond => "us",
            _ => return None,
        })
    }

    /// Parses a quantity such as `0.8`, `800ms`, `1.5 s` or `2%` into this unit.
    ///
    /// # Errors
    /// [`Error::Quantity`] if the number is not finite or its suffix is not valid for the unit.
    ///
    /// ```
    /// use llmscope_core::Unit;
    ///
    /// assert_eq!(Unit::Second.parse("800ms")?, 0.8);
    /// assert_eq!(Unit::One.parse("2%")?, 0.02);
    /// assert!(Unit::Second.parse("800 requests").is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn parse(self, text: &str) -> Result<f64> {
        let trimmed = text.trim();
        let split = trimmed
            .char_indices()
            .find(|&(i, c)| !(c.is_ascii_digit() || "+-.".contains(c) || is_exponent(trimmed, i)))
            .map_or(trimmed.len(), |(i, _)| i);
        let (number, suffix) = trimmed.split_at(split);
        let error = |hint| Error::Quantity { text: text.to_owned(), unit: self, hint };
        let value: f64 = number.parse().map_err(|_| error("a number such as 0.8 or 800ms"))?;
        let scaled = self.convert(value, suffix.trim()).ok_or_else(|| error(self.hint()))?;
        if scaled.is_finite() { Ok(scaled) } else { Err(error("a finite number")) }
    }

    /// Converts `value` from the unit `suffix` to `self`; `None` if the suffix is not valid for the unit. Divisions by
    /// powers of ten round once.
    ///
    /// ```
    /// use llmscope_core::Unit;
    ///
    /// assert_eq!(Unit::Second.convert(250.0, "ms"), Some(0.25));
    /// assert_eq!(Unit::PerMinute.convert(2.0, "1/s"), Some(120.0));
    /// assert_eq!(Unit::Second.convert(1.0, "USD"), None);
    /// ```
    #[must_use]
    pub fn convert(self, value: f64, suffix: &str) -> Option<f64> {
        if suffix.is_empty() {
            return Some(value);
        }
        if let Some(own) = self.time_ns() {
            return Some(scaled(value, time_ns(suffix)?, own));
        }
        if let Some(own) = self.period_ns() {
            // A longer period makes the number of a rate larger.
            return Some(scaled(value, own, period_ns(suffix)?));
        }
        match self {
            Self::SecondPerToken => Self::Second.convert(value, suffix.strip_suffix("/token").unwrap_or(suffix)),
            Self::UsDollar => (suffix == "USD").then_some(value),
            Self::Percent => (suffix == "%").then_some(value),
            _ => (suffix == "%").then_some(value / 100.0),
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            _ if self.is_duration() => "a number with the unit ns, us, ms, s, min or h",
            Self::PerSecond => "a plain number (per second)",
            Self::UsDollar => "a plain number (US dollars)",
            Self::Percent => "a plain number (percent)",
            _ if self.is_rate() => "a number with a unit such as 1/s or tokens/s",
            _ => "a plain number or a percentage, because no unit is known",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::One) { "1" } else { self.symbol() })
    }
}

impl FromStr for Unit {
    type Err = Error;

    /// Reads a unit as people write it: `ms`, `µs`, `seconds`, `tok/s`, `1/min`, `s/token`, `USD`, `%`, `1`.
    fn from_str(text: &str) -> Result<Self> {
        let lower = text.trim().to_lowercase();
        let unit = match lower.as_str() {
            "1" => Some(Self::One),
            "%" | "percent" => Some(Self::Percent),
            "usd" | "$" => Some(Self::UsDollar),
            "tps" | "rps" | "qps" => Some(Self::PerSecond),
            "tpm" | "rpm" | "qpm" => Some(Self::PerMinute),
            _ => match lower.split_once('/') {
                None => Self::of_time(&lower),
                Some(("s" | "sec" | "seconds", "tok" | "token")) => Some(Self::SecondPerToken),
                Some((counted, period)) if is_counted(counted) => Self::of_time(period.trim()).and_then(Self::per),
                Some(_) => None,
            },
        };
        unit.ok_or_else(|| Error::Unknown {
            what: "unit",
            name: text.to_owned(),
            expected: "ns, us, ms, s, min, h, 1/s, tokens/s, s/token, USD, % or 1".to_owned(),
        })
    }
}

/// `value` × `from` / `to`, rounded once.
fn scaled(value: f64, from: f64, to: f64) -> f64 {
    if from >= to { value * (from / to) } else { value / (to / from) }
}

fn time_ns(word: &str) -> Option<f64> {
    Unit::of_time(word).and_then(Unit::time_ns)
}

/// The period of `tokens/s`, `1/min` or `/s`.
fn period_ns(text: &str) -> Option<f64> {
    let (counted, period) = text.split_once('/')?;
    is_counted(counted).then_some(())?;
    time_ns(period.trim())
}

fn is_counted(text: &str) -> bool {
    let text = text.trim().to_ascii_lowercase();
    text.is_empty() || COUNTED.contains(&text.as_str())
}

/// An `e` is part of a number only between digits: in `1e-3`, but not in `5ms` or `2e`.
fn is_exponent(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    let next = bytes.get(at + 1);
    matches!(bytes[at], b'e' | b'E')
        && at > 0
        && bytes[at - 1].is_ascii_digit()
        && (next.is_some_and(u8::is_ascii_digit)
            || (matches!(next, Some(b'+' | b'-')) && bytes.get(at + 2).is_some_and(u8::is_ascii_digit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_convert_to_the_unit_of_the_metric() {
        for (text, expected) in
            [("0.8", 0.8), ("800ms", 0.8), ("8e-1 s", 0.8), ("1.5e3us", 0.0015), ("2min", 120.0), ("-3", -3.0)]
        {
            assert_eq!(Unit::Second.parse(text), Ok(expected), "{text}");
        }
        assert_eq!(Unit::One.parse("2%"), Ok(0.02));
        assert_eq!(Unit::Percent.parse("2%"), Ok(2.0));
        assert_eq!(Unit::SecondPerToken.parse("30ms/token"), Ok(0.03));
        assert_eq!(Unit::Millisecond.parse("0.8s"), Ok(800.0));
        assert_eq!(Unit::Microsecond.parse("1ms"), Ok(1000.0));
        assert_eq!(Unit::Nanosecond.parse("1us"), Ok(1000.0));
        assert_eq!(Unit::PerMinute.parse("2req/s"), Ok(120.0));
        assert_eq!(Unit::PerSecond.parse("60/min"), Ok(1.0));
        assert_eq!(Unit::PerSecond.parse("50tokens/s"), Ok(50.0));
    }

    #[test]
    fn nonsense_quantities_are_refused() {
        for text in ["", "fast", "5 apples", "1e999", "inf", "nan", "1..2", "e5", "2e"] {
            assert!(Unit::Second.parse(text).is_err(), "{text}");
        }
        assert!(Unit::PerSecond.parse("5 apples/s").is_err());
        assert!(Unit::One.parse("1ms").is_err());
    }

    #[test]
    fn units_read_back_from_what_is_written() {
        let all = [
            Unit::Second,
            Unit::SecondPerToken,
            Unit::PerSecond,
            Unit::UsDollar,
            Unit::One,
            Unit::Millisecond,
            Unit::Microsecond,
            Unit::Nanosecond,
            Unit::Minute,
            Unit::Hour,
            Unit::PerMillisecond,
            Unit::PerMicrosecond,
            Unit::PerNanosecond,
            Unit::PerMinute,
            Unit::PerHour,
            Unit::Percent,
        ];
        for unit in all {
            assert_eq!(unit.to_string().parse(), Ok(unit));
            let json = serde_json::to_value(unit).ok().and_then(|name| name.as_str().map(str::to_owned));
            assert_eq!(json.as_deref().map(str::parse), Some(Ok(unit)), "the name in files");
        }
        assert!("apples".parse::<Unit>().is_err());
    }
}
