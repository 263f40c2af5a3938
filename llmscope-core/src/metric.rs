//! Metrics of requests, with their units and physical bounds.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, by_name};

/// A metric of a language-model request.
///
/// All times are differences of a monotonic clock, in seconds. `t_issue` is the time at which the request is passed to
/// the client; `t_first` and `t_last` are the arrival times of the first and last chunk with generated content; `t_end`
/// is the end of the stream; `n` is the number of output tokens that the server reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum Metric {
    /// Time to first token: `t_first − t_issue`, in seconds.
    #[serde(rename = "ttft_s")]
    Ttft,
    /// End-to-end latency: `t_end − t_issue`, in seconds.
    #[serde(rename = "e2e_s")]
    E2e,
    /// Time per output token after the first chunk: `(t_last − t_first)/(n − tokens in the first chunk)`, in seconds.
    ///
    /// Other tools call it inter-token latency; `itl_s` is accepted as its name.
    #[serde(rename = "tpot_s", alias = "itl_s")]
    Tpot,
    /// Output tokens per second of one request: `n / e2e_s`.
    #[serde(rename = "output_tokens_per_s")]
    OutputTokensPerS,
    /// Time to first token, measured from the time at which the last byte of the request was written, in seconds.
    #[serde(rename = "ttft_from_write_s")]
    TtftFromWrite,
    /// Time to a usable connection, in seconds.
    #[serde(rename = "connect_s")]
    Connect,
    /// Delay of the request relative to its schedule: `t_issue − t_scheduled`, in seconds (open loop).
    #[serde(rename = "sched_delay_s")]
    SchedDelay,
    /// End-to-end latency from the scheduled time: free of coordinated omission, in seconds.
    #[serde(rename = "sched_e2e_s")]
    SchedE2e,
    /// The cost of the request, in US dollars.
    #[serde(rename = "cost_usd")]
    Cost,
    /// The share of failed requests, on a p chart.
    #[serde(rename = "error_rate")]
    ErrorRate,
}

impl Metric {
    /// Every metric, in the order of reports.
    pub const ALL: [Self; 10] = [
        Self::Ttft,
        Self::E2e,
        Self::Tpot,
        Self::OutputTokensPerS,
        Self::TtftFromWrite,
        Self::Connect,
        Self::SchedDelay,
        Self::SchedE2e,
        Self::Cost,
        Self::ErrorRate,
    ];

    /// The metrics that are judged by default.
    pub const DEFAULT: [Self; 3] = [Self::Ttft, Self::E2e, Self::Tpot];

    /// The metric's name in files and on the command line, with its unit.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ttft => "ttft_s",
            Self::E2e => "e2e_s",
            Self::Tpot => "tpot_s",
            Self::OutputTokensPerS => "output_tokens_per_s",
            Self::TtftFromWrite => "ttft_from_write_s",
            Self::Connect => "connect_s",
            Self::SchedDelay => "sched_delay_s",
            Self::SchedE2e => "sched_e2e_s",
            Self::Cost => "cost_usd",
            Self::ErrorRate => "error_rate",
        }
    }

    /// The metric's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Ttft => "time to first token",
            Self::E2e => "end-to-end latency",
            Self::Tpot => "time per output token",
            Self::OutputTokensPerS => "output tokens per second",
            Self::TtftFromWrite => "time to first token after the request was written",
            Self::Connect => "time to connect",
            Self::SchedDelay => "delay from schedule to send",
            Self::SchedE2e => "latency from scheduled time",
            Self::Cost => "cost",
            Self::ErrorRate => "error rate",
        }
    }

    /// The metric's unit.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::OutputTokensPerS => Unit::PerSecond,
            Self::Tpot => Unit::SecondPerToken,
            Self::Cost => Unit::UsDollar,
            Self::ErrorRate => Unit::One,
            _ => Unit::Second,
        }
    }

    /// The physical bounds of the metric.
    #[must_use]
    pub const fn bounds(self) -> Bounds {
        match self {
            Self::ErrorRate => Bounds::PROPORTION,
            // A request can be sent ahead of its schedule by the clock's resolution.
            Self::SchedDelay => Bounds::NONE,
            _ => Bounds::NON_NEGATIVE,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let canonical = if name == "itl_s" { "tpot_s" } else { name };
        by_name("metric", canonical, &Self::ALL, Self::name)
    }
}

/// The physical bounds of a quantity: a control limit beyond them is clamped to them.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Bounds {
    /// The smallest possible value.
    pub lower: Option<f64>,
    /// The largest possible value.
    pub upper: Option<f64>,
}

impl Bounds {
    /// Any real number.
    pub const NONE: Self = Self { lower: None, upper: None };
    /// A latency, a count, a price.
    pub const NON_NEGATIVE: Self = Self { lower: Some(0.0), upper: None };
    /// A share: between 0 and 1.
    pub const PROPORTION: Self = Self { lower: Some(0.0), upper: Some(1.0) };
}

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
    /// A ratio, or a number without a known unit.
    #[serde(rename = "1")]
    One,
    /// Milliseconds: only in columns of other tools whose name says so.
    #[serde(rename = "ms")]
    Millisecond,
}

impl Unit {
    /// The unit from the suffix of a column's name (`latency_ms`, `ttft_s`), else [`Unit::One`].
    #[must_use]
    pub fn of_column(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        if let Ok(metric) = name.parse::<Metric>() {
            return metric.unit();
        }
        match name.rsplit('_').next() {
            Some("s" | "sec" | "seconds") if name.contains('_') => {
                if name.ends_with("_per_s") {
                    Self::PerSecond
                } else {
                    Self::Second
                }
            }
            Some("ms" | "millis" | "milliseconds") => Self::Millisecond,
            Some("usd") => Self::UsDollar,
            _ => Self::One,
        }
    }

    /// The unit's symbol, empty for a pure number.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::SecondPerToken => "s/token",
            Self::PerSecond => "1/s",
            Self::UsDollar => "USD",
            Self::One => "",
            Self::Millisecond => "ms",
        }
    }

    /// Parses a quantity such as `0.8`, `800ms`, `1.5 s` or `2%` into this unit.
    ///
    /// # Errors
    /// [`Error::Quantity`] if the number is not finite or its suffix is not valid for the unit.
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
    #[must_use]
    pub fn convert(self, value: f64, suffix: &str) -> Option<f64> {
        if suffix.is_empty() {
            return Some(value);
        }
        match self {
            Self::Second => seconds(value, suffix),
            Self::SecondPerToken => seconds(value, suffix.strip_suffix("/token").unwrap_or(suffix)),
            Self::Millisecond => match suffix {
                "ms" => Some(value),
                _ => Some(seconds(value, suffix)? * 1e3),
            },
            Self::PerSecond => matches!(suffix, "1/s" | "/s" | "tok/s" | "tokens/s").then_some(value),
            Self::UsDollar => (suffix == "USD").then_some(value),
            Self::One => (suffix == "%").then_some(value / 100.0),
        }
    }

    const fn hint(self) -> &'static str {
        match self {
            Self::Second | Self::SecondPerToken | Self::Millisecond => "a number with the unit ns, us, ms, s, min or h",
            Self::PerSecond => "a plain number (per second)",
            Self::UsDollar => "a plain number (US dollars)",
            Self::One => "a plain number or a percentage",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if matches!(self, Self::One) { "1" } else { self.symbol() })
    }
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

fn seconds(value: f64, suffix: &str) -> Option<f64> {
    match suffix {
        "ns" => Some(value / 1e9),
        "us" | "µs" | "μs" => Some(value / 1e6),
        "ms" => Some(value / 1e3),
        "s" => Some(value),
        "m" | "min" => Some(value * 60.0),
        "h" => Some(value * 3600.0),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        for metric in Metric::ALL {
            assert_eq!(metric.name().parse::<Metric>(), Ok(metric));
        }
        assert_eq!("itl_s".parse::<Metric>(), Ok(Metric::Tpot));
        assert!("ttft".parse::<Metric>().is_err());
    }

    #[test]
    fn quantities_convert_to_the_unit_of_the_metric() {
        for (text, expected) in
            [("0.8", 0.8), ("800ms", 0.8), ("8e-1 s", 0.8), ("1.5e3us", 0.0015), ("2min", 120.0), ("-3", -3.0)]
        {
            assert_eq!(Unit::Second.parse(text), Ok(expected), "{text}");
        }
        assert_eq!(Unit::One.parse("2%"), Ok(0.02));
        assert_eq!(Unit::SecondPerToken.parse("30ms/token"), Ok(0.03));
        assert_eq!(Unit::Millisecond.parse("0.8s"), Ok(800.0));
    }

    #[test]
    fn nonsense_quantities_are_refused() {
        for text in ["", "fast", "5 apples", "1e999", "inf", "nan", "1..2", "e5", "2e"] {
            assert!(Unit::Second.parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_column_announces_its_unit_by_its_suffix() {
        for (name, unit) in [
            ("latency", Unit::One),
            ("latency_ms", Unit::Millisecond),
            ("ttft_s", Unit::Second),
            ("output_tokens_per_s", Unit::PerSecond),
            ("s", Unit::One),
        ] {
            assert_eq!(Unit::of_column(name), unit, "{name}");
        }
    }
}
