//! How often a service may raise a false alarm.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::detector::FalseAlarmRate;
use crate::error::{Error, Result};

const EXPECTED: &str = "1/N values, such as 1/1000, or 1/hour, 1/day, 1/week or 1/month for all series together";

/// How often an alarm may be false.
///
/// ```
/// use llmscope_core::watch::{Channel, Promise};
///
/// let promise: Promise = "1/week".parse()?;
/// // 100 series with a value every 15 s: one false alarm of this series in 8.3 million values.
/// let rate = promise.rate(Channel::Shift, 1.0 / 15.0, 100);
/// assert!((8.0e6..8.6e6).contains(&rate.values()));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Promise {
    /// One false alarm in this number of values, the same for every series.
    Values(FalseAlarmRate),
    /// One false alarm of all series and channels together in this period.
    Period(Period),
}

/// A period of a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// 60 minutes.
    Hour,
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

/// A kind of alarm. Each has a share of the promise for a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// The level or the spread of a metric: one half, among all metrics of all endpoints.
    Shift,
    /// The share of failed requests: one quarter, among all endpoints.
    Failures,
}

impl Channel {
    const fn share(self) -> f64 {
        match self {
            Self::Shift => 0.5,
            Self::Failures => 0.25,
        }
    }
}

impl Period {
    const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    const fn name(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    const fn seconds(self) -> f64 {
        match self {
            Self::Hour => 3_600.0,
            Self::Day => 86_400.0,
            Self::Week => 604_800.0,
            Self::Month => 2_592_000.0,
        }
    }
}

impl Promise {
    /// One false alarm a week.
    pub const WEEKLY: Self = Self::Period(Period::Week);

    /// The rate of one of `series` that share the promise, if it gets `values_per_s`.
    ///
    /// By the union bound the shares hold however the series depend on each other. They are rounded to rarer alarms, by at most
    /// 41 %, so that a further series changes few thresholds.
    #[must_use]
    pub fn rate(self, channel: Channel, values_per_s: f64, series: usize) -> FalseAlarmRate {
        let period = match self {
            Self::Values(rate) => return rate,
            Self::Period(period) => period,
        };
        let of_period = (values_per_s * period.seconds()).max(1.0);
        let values = of_period * crate::cast::float(series.max(1)) / channel.share();
        let rounded = (2.0 * values.log2()).ceil() / 2.0;
        let bounded = rounded.exp2().clamp(FalseAlarmRate::MOST_FREQUENT, FalseAlarmRate::RAREST);
        FalseAlarmRate::one_in(bounded).unwrap_or_default()
    }
}

impl Default for Promise {
    fn default() -> Self {
        Self::WEEKLY
    }
}

impl FromStr for Promise {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let period = text.trim().strip_prefix("1/").map(str::trim);
        if let Some(period) = Period::ALL.into_iter().find(|known| Some(known.name()) == period) {
            return Ok(Self::Period(period));
        }
        let refuse = || Error::Parameter { name: "false alarms", value: text.to_owned(), expected: EXPECTED };
        text.parse().map(Self::Values).map_err(|_| refuse())
    }
}

impl fmt::Display for Promise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Values(rate) => rate.fmt(f),
            Self::Period(period) => write!(f, "1/{}", period.name()),
        }
    }
}

impl TryFrom<String> for Promise {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Promise> for String {
    fn from(promise: Promise) -> Self {
        promise.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_read_and_written() {
        for text in ["1/1000", "1/hour", "1/day", "1/week", "1/month"] {
            assert_eq!(text.parse::<Promise>().map(|promise| promise.to_string()).ok().as_deref(), Some(text));
        }
        for text in ["", "week", "2/week", "1/year", "1/50", "1/"] {
            let error = text.parse::<Promise>().expect_err(text).to_string();
            assert!(error.contains("1/week"), "{error}");
        }
    }

    #[test]
    fn shares_add_up_to_the_promise() {
        let week = |series, seconds: f64| {
            let rate = Promise::WEEKLY.rate(Channel::Shift, 1.0 / seconds, series);
            604_800.0 / seconds / rate.values()
        };
        // The expected number of false alarms of all series in a week.
        let expected = 60.0 * week(100, 15.0) + 40.0 * week(100, 600.0);
        assert!((0.25..=0.5).contains(&expected), "{expected}");
        assert_eq!(Promise::WEEKLY.rate(Channel::Shift, 0.0, 0).values(), FalseAlarmRate::MOST_FREQUENT);
        assert_eq!(Promise::WEEKLY.rate(Channel::Failures, 1e9, 1 << 40).values(), FalseAlarmRate::RAREST);
        let thousand = Promise::Values(FalseAlarmRate::default());
        assert_eq!(thousand.rate(Channel::Shift, 3.0, 9), FalseAlarmRate::default());
    }
}
