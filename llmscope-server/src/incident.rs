//! An incident of a source: a change, from its alarm to its end.

use jiff::Timestamp;
use llmscope_core::Metric;
use llmscope_core::watch::{AlarmEvent, IncidentReport};
use schemars::JsonSchema;
use serde::Serialize;

use crate::series::Source;

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Incident {
    /// Its id; later incidents have larger ids.
    pub id: i64,
    /// The provider.
    pub provider: String,
    /// The model, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// When its first alarm was raised.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub opened_at: Timestamp,
    /// When it ended; absent while it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub ended_at: Option<Timestamp>,
    /// The incident in one sentence.
    pub text: String,
    /// What changed, since when, and by how much.
    #[serde(flatten)]
    pub report: IncidentReport,
    /// The id of its source in the store.
    #[serde(skip)]
    #[schemars(skip)]
    pub source: i64,
}

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncidentTurn {
    /// It opened.
    Opened,
    /// It has become larger by half.
    Worse,
    /// It ended.
    Ended,
}

impl IncidentTurn {
    /// The name of the live event.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Opened => "incident.opened",
            Self::Worse => "incident.worse",
            Self::Ended => "incident.ended",
        }
    }
}

impl Incident {
    /// An incident of a source. An id of 0 is replaced by that of the store.
    #[must_use]
    pub fn new(id: i64, source: &Source, times: (Timestamp, Option<Timestamp>), report: IncidentReport) -> Self {
        let (opened_at, ended_at) = times;
        let event = match ended_at {
            None => AlarmEvent::Opened(report.clone()),
            Some(_) => AlarmEvent::Ended(report.clone()),
        };
        Self {
            id,
            provider: source.provider.clone(),
            model: source.model.clone(),
            opened_at,
            ended_at,
            text: event.to_string(),
            report,
            source: source.id,
        }
    }

    /// The metric that changed; `None` for failed requests.
    #[must_use]
    pub const fn metric(&self) -> Option<Metric> {
        self.report.metric
    }

    /// A short label: `openai · gpt-4o`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        let parts = [Some(self.provider.as_str()), self.model.as_deref()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// A selection of incidents.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct IncidentFilter {
    /// Only incidents that are open (true) or have ended (false).
    pub open: Option<bool>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only of this metric.
    pub metric: Option<Metric>,
    /// Only those older than the incident with this id.
    pub before: Option<i64>,
    /// At most N.
    pub limit: usize,
}
