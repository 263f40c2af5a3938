//! What a user should know of a change.

use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::analysis::Direction;
use crate::analysis::answer::Part;
use crate::column::Meaning;
use crate::detector::Learning;
use crate::metric::Metric;
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

/// A change of one metric, or of the share of failed requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentReport {
    /// The metric; absent for failures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<Metric>,
    /// What changed.
    pub part: Part,
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
                let (since, at) = (moment(report.since), moment(report.at));
                write!(f, "{} as before since {at}: it was {report} from {since} on", report.subject())
            }
        }
    }
}

impl IncidentReport {
    /// What the report is about.
    fn subject(&self) -> &'static str {
        self.metric.map_or("failures", Metric::name)
    }

    fn evidence(&self) -> String {
        let requests = format!(", {}", counted(self.requests, "request"));
        let load = if self.adjusted_for_load { ", at equal token counts" } else { "" };
        match self.false_alarms {
            _ if self.part == Part::Failures => load.to_owned(),
            Some(values) => format!("{requests}{load} (one false alarm in {} values)", rounded(values)),
            None => requests + load,
        }
    }
}

/// `ttft_s slower by 52 % (31 to 80 %)`.
impl fmt::Display for IncidentReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(metric) = self.metric else {
            let failed = self.failed.unwrap_or(0);
            write!(f, "{failed} of {} failed", counted(self.requests, "request"))?;
            if let Some(share) = self.share_before {
                write!(f, " ({} before)", percent(share))?;
            }
            return self.error.as_ref().map_or(Ok(()), |error| write!(f, ", the last one: {error};"));
        };
        if self.part == Part::Spread {
            return write!(f, "{metric} more irregular");
        }
        let unit = metric.unit();
        let larger = self.ratio.map_or(self.difference.unwrap_or(0.0) > 0.0, |ratio| ratio > 1.0);
        let is_duration = Meaning::of_metric(metric).role.is_duration();
        let word = match (is_duration, larger) {
            (true, true) => "slower",
            (true, false) => "faster",
            (false, true) => "higher",
            (false, false) => "lower",
        };
        write!(f, "{metric} {word}")?;
        match (self.ratio, self.difference) {
            (Some(ratio), _) => write!(f, " by {}", percent((ratio - 1.0).abs()))?,
            (None, Some(difference)) => write!(f, " by {}", with_unit(unit, difference.abs()))?,
            (None, None) => {}
        }
        let Some([lower, upper]) = self.interval else { return Ok(()) };
        let (near, far) = if larger { (lower, upper) } else { (upper, lower) };
        if self.ratio.is_some() {
            let signed = |bound: f64| percent(if larger { bound - 1.0 } else { 1.0 - bound }).replace('-', "−");
            write!(f, " ({} to {})", signed(near).trim_end_matches(" %"), signed(far))
        } else {
            write!(f, " ({} to {})", with_unit(unit, near.abs()), with_unit(unit, far.abs()))
        }
    }
}

/// `1000`, `8.4 million`.
fn rounded(values: f64) -> String {
    if values < 1e5 { format!("{values:.0}") } else { format!("{:.1} million", values / 1e6) }
}

/// A time to the second, in UTC as in all files.
fn moment(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
