//! Langfuse: observations as its API and its exports write them, as JSON (pages, arrays, one a line, a trace with its
//! observations) and CSV.
//!
//! Traps: only generations and embeddings are requests to a model; spans and events are steps. `latency` and
//! `timeToFirstToken` are rounded, so the times count. Times without an offset are UTC. A failure has the level `ERROR`.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use super::spans::{self, Span};
use super::values::of_object;
use crate::error::Result;
use crate::ingest::documents;
use crate::ingest::rows::{self, Row};
use crate::ingest::signature::Signature;
use crate::ingest::timestamp::of_text_or_utc;
use crate::ingest::tool::{Format, Parsed, Reading};
use crate::session::{Software, Warning};

pub(in crate::ingest) const JSON: Format = Format {
    name: "langfuse",
    title: "Langfuse observations (JSON)",
    recognizes: |signature| {
        let has = |name: &str| {
            ["", "[].", "data[].", "observations[]."].iter().any(|prefix| signature.has(&format!("{prefix}{name}")))
        };
        FIELDS.iter().any(|names| names.iter().all(|name| has(name)))
    },
    reading: Reading::Whole(read_json),
};

pub(in crate::ingest) const CSV: Format = Format {
    name: "langfuse-csv",
    title: "Langfuse observations (CSV)",
    recognizes: |signature: &Signature<'_>| FIELDS.iter().any(|names| signature.has_columns(names)),
    reading: Reading::Whole(read_csv),
};

/// Fields of every observation, in the API and in exports from its database.
const FIELDS: [&[&str]; 2] = [
    &["traceId", "startTime", "completionStartTime", "level"],
    &["trace_id", "start_time", "completion_start_time", "level"],
];

/// An observation, or a page or trace that contains observations.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Observation {
    data: Vec<Observation>,
    observations: Vec<Observation>,
    id: Option<String>,
    #[serde(alias = "trace_id")]
    trace_id: Option<String>,
    #[serde(alias = "parent_observation_id")]
    parent_observation_id: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(alias = "start_time")]
    start_time: Option<String>,
    #[serde(alias = "end_time")]
    end_time: Option<String>,
    #[serde(alias = "completion_start_time")]
    completion_start_time: Option<String>,
    level: Option<String>,
    #[serde(alias = "status_message")]
    status_message: Option<String>,
    model: Option<String>,
    #[serde(alias = "provided_model_name")]
    provided_model_name: Option<String>,
    #[serde(alias = "usage_details")]
    usage_details: Option<Value>,
    usage: Option<Value>,
}

fn read_json(source: &str, text: &str) -> Result<Parsed> {
    let (documents, warnings) = documents::read::<Observation>(source, text)?;
    session(source, documents.into_iter().flat_map(|document| document.value.all()), warnings)
}

fn read_csv(source: &str, text: &str) -> Result<Parsed> {
    let mut observations = Vec::new();
    let warnings = rows::read(source, text, "export a time range that contains requests", |row| {
        observations.push(Observation::of_row(row));
        Ok(())
    })?;
    session(source, observations.into_iter(), warnings)
}

fn session(source: &str, all: impl Iterator<Item = Observation>, warnings: Vec<Warning>) -> Result<Parsed> {
    let spans = all.map(Observation::common).collect();
    spans::session(source, Software { name: "Langfuse".to_owned(), version: None }, spans, warnings)
}

impl Observation {
    /// The observation itself, or those that it contains.
    fn all(self) -> Vec<Self> {
        match (self.data.is_empty(), self.observations.is_empty()) {
            (false, _) => self.data,
            (_, false) => self.observations,
            _ => vec![self],
        }
    }

    fn of_row(row: &Row<'_>) -> Self {
        let either = |camel: &str, snake: &str| row.text(camel).or_else(|| row.text(snake)).map(str::to_owned);
        Self {
            id: either("id", "id"),
            trace_id: either("traceId", "trace_id"),
            parent_observation_id: either("parentObservationId", "parent_observation_id"),
            kind: either("type", "type"),
            start_time: either("startTime", "start_time"),
            end_time: either("endTime", "end_time"),
            completion_start_time: either("completionStartTime", "completion_start_time"),
            level: either("level", "level"),
            status_message: either("statusMessage", "status_message"),
            model: either("model", "model"),
            provided_model_name: either("providedModelName", "provided_model_name"),
            usage_details: either("usageDetails", "usage_details").map(Value::from),
            usage: either("usage", "usage").map(Value::from),
            ..Self::default()
        }
    }

    /// The observation under the names of Langfuse's own spans.
    fn common(self) -> Span {
        let failed = self.level.as_deref() == Some("ERROR");
        let mut attributes = json!({
            // An export of generations only has no type.
            "langfuse.observation.type": self.kind.map_or_else(|| "generation".to_owned(), |kind| kind.to_lowercase()),
        });
        for (name, value) in [
            ("model.name", self.provided_model_name.or(self.model).map(Value::from)),
            ("usage_details", self.usage_details.or(self.usage)),
            (
                "completion_start_time",
                self.completion_start_time.and_then(|at| of_text_or_utc(&at)).map(|at| at.to_string().into()),
            ),
            ("level", self.level.map(Value::from)),
            ("status_message", self.status_message.map(Value::from)),
        ] {
            attributes[format!("langfuse.observation.{name}")] = value.unwrap_or_default();
        }
        let at = |text: Option<String>| text.and_then(|text| of_text_or_utc(&text)).map(Timestamp::as_nanosecond);
        Span {
            trace: self.trace_id.unwrap_or_default(),
            id: self.id.unwrap_or_default(),
            parent: self.parent_observation_id.unwrap_or_default(),
            of_server: false,
            begin_ns: at(self.start_time),
            end_ns: at(self.end_time),
            failed,
            message: None,
            attributes: of_object(attributes).unwrap_or_default(),
            events: Vec::new(),
            service: None,
        }
    }
}
