//! A series: one metric of one provider and model, and what is known of it.

use jiff::Timestamp;
use llmscope_core::watch::Limits;
use llmscope_core::{Metric, Unit, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

/// Who answers requests.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its number in the store.
    pub id: i64,
    /// Who serves (OpenTelemetry: `gen_ai.provider.name`).
    pub provider: String,
    /// Which model, if that was said (OpenTelemetry: `gen_ai.request.model`).
    pub model: Option<String>,
}

/// A series by name.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeriesName {
    /// Its number.
    pub id: i64,
    /// Who serves.
    pub provider: String,
    /// Which model, if that was said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The metric.
    pub metric: Metric,
    /// Its unit.
    pub unit: Unit,
}

impl SeriesName {
    /// The name of a metric of a source.
    #[must_use]
    pub fn new(id: i64, source: &Source, metric: Metric) -> Self {
        Self { id, provider: source.provider.clone(), model: source.model.clone(), metric, unit: metric.unit() }
    }

    /// The series in a few words: `openai · gpt-4o · e2e_s`.
    #[must_use]
    pub fn words(&self) -> String {
        let parts = [Some(self.provider.as_str()), self.model.as_deref(), Some(self.metric.name())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// A series as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Series {
    /// Its name.
    #[serde(flatten)]
    pub name: SeriesName,
    /// The metric in words.
    pub title: &'static str,
    /// Whether limits are still learned.
    pub state: SeriesState,
    /// Values so far.
    pub n: u64,
    /// Values to learn limits from, so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<usize>,
    /// How many it takes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub need: Option<usize>,
    /// The frozen limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// When they were frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub frozen_at: Option<Timestamp>,
    /// The last value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Measurement>,
    /// Whether it is in control: out of it while a violation is open.
    pub verdict: Verdict,
    /// Violations whose rules still signal.
    pub open_violations: usize,
}

/// Whether limits are still learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesState {
    /// From the next values.
    Learning,
    /// They are frozen: every value is judged.
    Watching,
}

/// A value and its time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Measurement {
    /// When the request was issued.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The value, in the metric's unit.
    pub value: f64,
}
