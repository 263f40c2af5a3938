//! What a user should know of a change.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::Direction;
use crate::analysis::answer::comparative;
use crate::column::Meaning;
use crate::detector::Learning;
use crate::metric::{Metric, Unit};
use crate::quantity::{counted, percent, with_unit};

/// An event of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event")]
pub enum AlarmEvent {
    /// A metric needs more values, because each depends on those before it.
    #[serde(rename = "learning")]
    Learning {
        /// The metric.
        metric: Metric,
        /// The number of values so far.
        values: usize,
        /// How many independent values carry as much information. 25 are needed.
        information: f64,
    },
    /// A metric is judged from the next value on.
    #[serde(rename = "learned")]
    Learned {
        /// The metric.
        metric: Metric,
        /// The number of values that were learned.
        values: usize,
        /// The smallest change that can be noticed, as a ratio.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        smallest_visible: Option<f64>,
    },
    /// A change began.
    #[serde(rename = "incident.opened")]
    Opened(IncidentReport),
    /// It has become larger by half.
    #[serde(rename = "incident.worse")]
    Worse(IncidentReport),
    /// It ended.
    #[serde(rename = "incident.ended")]
    Ended(IncidentReport),
}

/// What an incident is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentPart {
    /// The level of a metric.
    Level,
    /// The dispersion of a metric.
    Spread,
    /// The share of failed requests.
    Failures,
    /// The endpoint is silent.
    NoData,
}

/// A change of one metric or of the share of failed requests, or the silence of an endpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentReport {
    /// The metric; absent for failures and silence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// What changed.
    pub part: IncidentPart,
    /// Whether it is for the worse.
    pub direction: Direction,
    /// When it most probably began.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
    /// The time of this report's last value.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The number of requests from the beginning to the last alarm.
    pub requests: u64,
    /// The level as a multiple of the one before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
    /// The level less the one before, for values that can be negative.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
    /// The 95 % interval of the ratio or the difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// The failed ones among the requests, for failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<u64>,
    /// The share of failed requests before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_before: Option<f64>,
    /// The last failure: its kind and message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// True if token counts were taken into account.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adjusted_for_load: bool,
    /// How often such an alarm of this series is false: once in this number of values. Absent if it follows a fixed rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarms: Option<f64>,
    /// The usual time between requests in seconds, if the endpoint is silent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beat_s: Option<f64>,
    /// True if it ended because a user took the present level as normal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
}

impl IncidentReport {
    /// An endpoint that is silent since its last request.
    #[must_use]
    pub fn no_data(since: Timestamp, at: Timestamp, beat: Option<SignedDuration>) -> Self {
        Self {
            metric: None,
            part: IncidentPart::NoData,
            direction: Direction::Worse,
            since,
            at,
            requests: 0,
            ratio: None,
            difference: None,
            interval: None,
            failed: None,
            share_before: None,
            error: None,
            adjusted_for_load: false,
            false_alarms: None,
            beat_s: beat.map(|beat| beat.as_secs_f64()),
            accepted: false,
        }
    }
}

impl AlarmEvent {
    /// The metric; `None` for failures.
    #[must_use]
    pub const fn metric(&self) -> Option<Metric> {
        match self {
            Self::Learning { metric, .. } | Self::Learned { metric, .. } => Some(*metric),
            Self::Opened(report) | Self::Worse(report) | Self::Ended(report) => report.metric,
        }
    }

    /// The incident; `None` if the event is about none.
    #[must_use]
    pub const fn incident(&self) -> Option<&IncidentReport> {
        match self {
            Self::Learning { .. } | Self::Learned { .. } => None,
            Self::Opened(report) | Self::Worse(report) | Self::Ended(report) => Some(report),
        }
    }
}

impl fmt::Display for AlarmEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Learning { metric, values, information } => {
                let carry = format!("{values} requests carry the information of {information:.0} independent ones");
                write!(f, "{metric} is still learned: {carry}, of which {:.0} are needed", Learning::NEEDED)
            }
            Self::Learned { metric, values, smallest_visible } => {
                write!(f, "{metric} is judged from now on: learned from {values} requests")?;
                let Some(ratio) = smallest_visible else { return Ok(()) };
                write!(f, "; a change below {} cannot be noticed", percent(ratio - 1.0))
            }
            Self::Opened(report) => write!(f, "{report} since {}{}", moment(report.since), report.evidence()),
            Self::Worse(report) => write!(f, "{report} now, since {}{}", moment(report.since), report.evidence()),
            Self::Ended(report) => {
                let (change, since, at) = (report.change(), moment(report.since), moment(report.at));
                match report.metric {
                    _ if report.part == IncidentPart::NoData => {
                        write!(f, "requests arrive again since {at}; there were none from {since} on")
                    }
                    _ if report.accepted => write!(f, "{report} since {since}: taken as normal at {at}"),
                    Some(metric) => write!(f, "{metric} as before since {at}; it was {change} from {since} on"),
                    None => write!(f, "requests are answered again since {at}; {change} from {since} on"),
                }
            }
        }
    }
}

impl IncidentReport {
    /// `slower by 52 % (31 to 80 %)`, `12 of 14 requests failed (0.5 % before)`.
    fn change(&self) -> String {
        if self.part == IncidentPart::NoData {
            return "no requests".to_owned();
        }
        let Some(metric) = self.metric else { return self.failures() };
        if self.part == IncidentPart::Spread {
            return "more irregular".to_owned();
        }
        let larger = self.ratio.map_or(self.difference.unwrap_or(0.0) > 0.0, |ratio| ratio > 1.0);
        format!("{}{}", comparative(&Meaning::of_metric(metric), larger), self.size(metric, larger))
    }

    fn failures(&self) -> String {
        let (failed, requests) = (self.failed.unwrap_or(0), counted(self.requests, "request"));
        let before = self.share_before.map(|share| format!(" ({} before)", percent(share)));
        format!("{failed} of {requests} failed{}", before.unwrap_or_default())
    }

    /// ` by 52 % (31 to 80 %)`; nothing without a size.
    fn size(&self, metric: Metric, larger: bool) -> String {
        let shown = |size: f64| with_unit(metric.unit(), size);
        let signed = |ratio: f64| percent(if larger { ratio - 1.0 } else { 1.0 - ratio }).replace('-', "−");
        let bounds = self.interval.map(|[lower, upper]| if larger { (lower, upper) } else { (upper, lower) });
        let (size, interval) = match (self.ratio, self.difference) {
            (Some(ratio), _) => (percent((ratio - 1.0).abs()), bounds.map(|(near, far)| (signed(near), signed(far)))),
            (None, Some(difference)) => {
                let sign = if larger { 1.0 } else { -1.0 };
                (shown(difference.abs()), bounds.map(|(near, far)| (shown(sign * near), shown(sign * far))))
            }
            (None, None) => return String::new(),
        };
        let interval = interval.map(|(near, far)| format!(" ({} to {far})", near.trim_end_matches(" %")));
        format!(" by {size}{}", interval.unwrap_or_default())
    }

    /// What the report is based on.
    fn evidence(&self) -> String {
        if self.part == IncidentPart::NoData {
            let beat = self.beat_s.map(|beat| format!(", usually one in {}", with_unit(Unit::Second, beat)));
            return beat.unwrap_or_default();
        }
        if self.part == IncidentPart::Failures {
            return self.error.as_ref().map_or_else(String::new, |error| format!(", the last one: {error}"));
        }
        let mut text = format!(", {}", counted(self.requests, "request"));
        if self.adjusted_for_load {
            text += ", at equal token counts";
        }
        if let Some(values) = self.false_alarms {
            text += &format!(" (one false alarm in {} values)", rounded(values));
        }
        text
    }
}

/// `ttft_s slower by 52 % (31 to 80 %)`.
impl fmt::Display for IncidentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(metric) = self.metric {
            write!(f, "{metric} ")?;
        }
        f.write_str(&self.change())
    }
}

/// `1000`, `131,000`, `8.4 million`.
fn rounded(values: f64) -> String {
    match values {
        ..1e5 => format!("{values:.0}"),
        ..999_500.0 => format!("{:.0},000", values / 1e3),
        _ => format!("{:.1} million", values / 1e6),
    }
}

/// A time to the second, in UTC as in all files.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::rounded;

    #[test]
    fn numbers_of_values_are_rounded() {
        let cases = [(1000.0, "1000"), (99_999.0, "99999"), (131_072.0, "131,000"), (999_400.0, "999,000")];
        for (values, text) in cases.into_iter().chain([(999_600.0, "1.0 million"), (8_388_608.0, "8.4 million")]) {
            assert_eq!(rounded(values), text);
        }
    }
}
