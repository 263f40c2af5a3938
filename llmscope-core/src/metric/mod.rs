//! Metrics of requests, with their units and physical bounds.

mod tpot_definition;
mod unit;

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use tpot_definition::TpotDefinition;
pub use unit::Unit;

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
    #[doc(alias = "TTFT")]
    #[serde(rename = "ttft_s")]
    Ttft,
    /// End-to-end latency: `t_end − t_issue`, in seconds.
    #[doc(alias = "latency")]
    #[serde(rename = "e2e_s")]
    E2e,
    /// Time per output token after the first chunk: `(t_last − t_first)/(n − tokens in the first chunk)`, in seconds.
    ///
    /// Other tools call it inter-token latency; `itl_s` is accepted as its name.
    #[doc(alias("TPOT", "ITL", "inter-token latency"))]
    #[serde(rename = "tpot_s", alias = "itl_s")]
    Tpot,
    /// Output tokens per second of one request: `n / e2e_s`.
    #[doc(alias("throughput", "TPS"))]
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
    ///
    /// ```
    /// use llmscope_core::Metric;
    ///
    /// assert_eq!(Metric::E2e.name(), "e2e_s");
    /// assert!(Metric::ALL.iter().all(|metric| metric.name().parse::<Metric>().unwrap() == *metric));
    /// ```
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
    ///
    /// ```
    /// use llmscope_core::Metric;
    ///
    /// assert_eq!(Metric::Ttft.label(), "time to first token");
    /// ```
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
    ///
    /// ```
    /// use llmscope_core::{Metric, Unit};
    ///
    /// assert_eq!((Metric::Ttft.unit(), Metric::OutputTokensPerS.unit()), (Unit::Second, Unit::PerSecond));
    /// ```
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
    ///
    /// ```
    /// use llmscope_core::{Bounds, Metric};
    ///
    /// assert_eq!(Metric::Ttft.bounds(), Bounds::NON_NEGATIVE);
    /// assert_eq!(Metric::ErrorRate.bounds().upper, Some(1.0));
    /// ```
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
///
/// ```
/// use llmscope_core::Bounds;
///
/// assert_eq!((Bounds::PROPORTION.lower, Bounds::PROPORTION.upper), (Some(0.0), Some(1.0)));
/// assert_eq!(Bounds::default(), Bounds::NONE);
/// ```
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
}
