//! One request: its times, tokens and outcome.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::metric::{Metric, TpotDefinition};

/// One request of a run. Durations are in seconds of a monotonic clock; a field that was not measured is absent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RequestRecord {
    /// When the request was issued, by the wall clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// The provider that served this request, if it differs from the session's provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The requested model, if it differs from the session's model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// True for requests that only warm the endpoint up: they are kept and excluded from every judgement.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub warmup: bool,
    /// How the request ended.
    #[serde(default)]
    pub status: Status,
    /// Why the request failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<RequestError>,
    /// Time to first token: first content chunk − issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_s: Option<f64>,
    /// End-to-end latency: end of stream − issue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub e2e_s: Option<f64>,
    /// Time per output token after the first chunk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tpot_s: Option<f64>,
    /// Gaps between successive content chunks (OpenTelemetry: time per output chunk).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub icl_s: Vec<f64>,
    /// Time to first token, counted from the last byte written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttft_from_write_s: Option<f64>,
    /// Time to a usable connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect_s: Option<f64>,
    /// Issue − scheduled time, in an open loop. It may be negative within the clock's resolution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sched_delay_s: Option<f64>,
    /// Tokens of the prompt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_tokens: Option<u64>,
    /// Tokens generated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_tokens: Option<u64>,
    /// True if the token counts are an estimate and not the server's report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub tokens_estimated: bool,
    /// Cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Other values that the recording tool stored with the request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<String, AttributeValue>,
}

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// A complete response.
    #[default]
    Ok,
    /// Rejected, interrupted or malformed.
    Error,
    /// No complete response within the time limit.
    Timeout,
    /// Stopped by the client.
    Cancelled,
}

impl Status {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Ok, Self::Error, Self::Timeout, Self::Cancelled];

    /// Its name in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with this name.
    ///
    /// ```
    /// use llmscope_core::session::Status;
    ///
    /// assert_eq!(Status::from_name("timeout"), Some(Status::Timeout));
    /// assert_eq!(Status::from_name("late"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Why a request failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RequestError {
    /// The kind of failure (OpenTelemetry: `error.type`).
    #[serde(rename = "type")]
    pub kind: String,
    /// The HTTP status or the tool's own code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// The message of the server or the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A value whose meaning only the recording tool knows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum AttributeValue {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// A boolean.
    Bool(bool),
}

impl AttributeValue {
    /// The value as text to group by.
    ///
    /// ```
    /// use llmscope_core::session::AttributeValue;
    ///
    /// assert_eq!(AttributeValue::Number(8.0).label(), "8");
    /// assert_eq!(AttributeValue::Text("eu-west".to_owned()).label(), "eu-west");
    /// ```
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
            Self::Bool(flag) => flag.to_string(),
        }
    }
}

impl RequestRecord {
    /// True if the response was complete.
    ///
    /// ```
    /// use llmscope_core::session::{RequestRecord, Status};
    ///
    /// assert!(RequestRecord::default().succeeded());
    /// assert!(!RequestRecord { status: Status::Timeout, ..RequestRecord::default() }.succeeded());
    /// ```
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status == Status::Ok
    }

    /// The request's value of a metric: as recorded, or derived from recorded values if the definition allows it.
    ///
    /// `None` for a failed request, which has no latency, and for values that were not recorded. [`Metric::ErrorRate`]
    /// is the exception: 1 for a failed request, 0 for one that succeeded.
    ///
    /// ```
    /// use llmscope_core::{Metric, session::{RequestRecord, Status}};
    ///
    /// let failed = RequestRecord { status: Status::Error, e2e_s: Some(0.1), ..RequestRecord::default() };
    /// assert_eq!(failed.metric(Metric::E2e), None); // the time to a failure is not a latency
    /// assert_eq!(failed.metric(Metric::ErrorRate), Some(1.0));
    /// ```
    #[must_use]
    pub fn metric(&self, metric: Metric) -> Option<f64> {
        if metric == Metric::ErrorRate {
            return Some(if self.succeeded() { 0.0 } else { 1.0 });
        }
        if !self.succeeded() {
            return None;
        }
        match metric {
            Metric::Ttft => self.ttft_s,
            Metric::E2e => self.e2e_s,
            Metric::Tpot => self.tpot_s,
            Metric::OutputTokensPerS => self.output_tokens_per_s(),
            Metric::TtftFromWrite => self.ttft_from_write_s,
            Metric::Connect => self.connect_s,
            Metric::SchedDelay => self.sched_delay_s,
            Metric::SchedE2e => Some(self.e2e_s? + self.sched_delay_s?),
            Metric::Cost => self.cost_usd,
            Metric::ErrorRate => None,
        }
    }

    fn output_tokens_per_s(&self) -> Option<f64> {
        let e2e_s = self.e2e_s.filter(|&e2e_s| e2e_s > 0.0)?;
        // Exact for every token count below 2⁵³.
        #[allow(clippy::cast_precision_loss, reason = "a token count is far below 2^53")]
        let tokens = self.output_tokens? as f64;
        Some(tokens / e2e_s).filter(|rate| rate.is_finite())
    }

    /// The value of a numeric attribute.
    ///
    /// ```
    /// use llmscope_core::session::{AttributeValue, RequestRecord};
    ///
    /// let mut record = RequestRecord::default();
    /// record.attributes.insert("queue_s".to_owned(), AttributeValue::Number(0.2));
    /// assert_eq!(record.attribute("queue_s"), Some(0.2));
    /// ```
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<f64> {
        match self.attributes.get(name) {
            Some(AttributeValue::Number(number)) => Some(*number),
            _ => None,
        }
    }

    /// The definition of `tpot_s`.
    #[must_use]
    pub fn tpot_definition(&self) -> TpotDefinition {
        TpotDefinition::stated(self.attribute(TpotDefinition::ATTRIBUTE))
    }

    /// The first impossible duration or amount: not finite, or negative where only zero or more is meaningful.
    #[must_use]
    pub fn impossible_field(&self) -> Option<(&'static str, f64)> {
        let amounts = [
            ("ttft_s", self.ttft_s),
            ("e2e_s", self.e2e_s),
            ("tpot_s", self.tpot_s),
            ("ttft_from_write_s", self.ttft_from_write_s),
            ("connect_s", self.connect_s),
            ("cost_usd", self.cost_usd),
        ];
        let gaps = self.icl_s.iter().map(|&gap| ("icl_s", Some(gap)));
        amounts.into_iter().chain(gaps).find_map(|(name, value)| match value {
            Some(value) if !(value >= 0.0 && value.is_finite()) => Some((name, value)),
            _ => None,
        })
    }
}
