//! A series: one metric of one provider and model, with its state.

use jiff::Timestamp;
use llmscope_core::watch::Limits;
use llmscope_core::{Metric, TpotDefinition, Unit, Verdict};
use schemars::JsonSchema;
use serde::Serialize;

pub use crate::alarms::SeriesAlarm;

/// A provider with one of its models.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Source {
    /// Its id in the store.
    pub id: i64,
    /// The provider (OpenTelemetry: `gen_ai.provider.name`).
    pub provider: String,
    /// The model, if known (OpenTelemetry: `gen_ai.request.model`).
    pub model: Option<String>,
}

/// The name of a series.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct SeriesName {
    /// The id of the series.
    pub id: i64,
    /// The provider.
    pub provider: String,
    /// The model, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The metric.
    pub metric: Metric,
    /// Its unit.
    pub unit: Unit,
}

impl SeriesName {
    /// The name of the series of this source and metric.
    #[must_use]
    pub fn new(id: i64, source: &Source, metric: Metric) -> Self {
        Self { id, provider: source.provider.clone(), model: source.model.clone(), metric, unit: metric.unit() }
    }

    /// A short label: `openai · gpt-4o · e2e_s`.
    #[must_use]
    pub fn label(&self) -> String {
        let parts = [Some(self.provider.as_str()), self.model.as_deref(), Some(self.metric.name())];
        parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
    }
}

/// The current state of a series.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Series {
    /// Its name.
    #[serde(flatten)]
    pub name: SeriesName,
    /// The title of the metric.
    pub title: &'static str,
    /// Whether the limits are still being learned.
    pub state: SeriesPhase,
    /// The number of values so far.
    pub n: u64,
    /// The number of values collected to learn limits from; absent once the limits are frozen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learned: Option<usize>,
    /// The number of values needed to learn limits; absent once the limits are frozen.
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
    /// The definition of the values, if they are times per token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tpot_definition: Option<TpotDefinition>,
    /// Why limits were learned again, if they were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The verdict: out of control while an incident for the worse is open; without alarms about shifts, while a violation
    /// is open.
    pub verdict: Verdict,
    /// Violations whose rules still signal.
    pub open_violations: usize,
    /// The alarm about shifts; absent if shifts raise none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alarm: Option<SeriesAlarm>,
    /// The id of its source in the store.
    #[serde(skip)]
    #[schemars(skip)]
    pub source: i64,
}

impl Series {
    /// Sets its alarm, which gives the verdict.
    pub(crate) fn set_alarm(&mut self, alarm: Option<SeriesAlarm>) {
        self.verdict = alarm.as_ref().map_or(self.verdict, SeriesAlarm::verdict);
        self.alarm = alarm;
    }
}

/// Whether the limits are still being learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "SeriesState")]
pub enum SeriesPhase {
    /// The limits will come from the next values.
    Learning,
    /// The limits are frozen, and every value is judged.
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
