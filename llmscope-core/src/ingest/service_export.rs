//! The export of the llmscope service (`GET /api/export`): rows of its log, newest first, latency in seconds.
//!
//! Traps: the timestamp is the time of logging, not of issue. The latency of a failed request is the time until it
//! failed. Times without an offset are UTC. Metadata have a meaning only if llmscope's own monitor wrote them.

use jiff::{Timestamp, civil, tz};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::gathered;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::quantity::counted;
use crate::session::{AttributeValue, RequestError, RequestRecord, Software, Status, Warning};

pub(super) const FORMAT: Format = Format {
    name: "llmscope-export",
    title: "Export of the LLMscope service",
    recognizes: |signature| signature.has_all(&["export_time", "record_count", "data"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Export {
    data: Vec<ServiceRow>,
}

/// A request as the service logs it: what `POST /api/log` takes and `GET /api/export` gives.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct ServiceRow {
    /// When the request was logged.
    pub timestamp: Option<String>,
    /// The provider.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// End-to-end latency in seconds; for a failed request, the time until it failed.
    pub latency: Option<f64>,
    /// Tokens of the prompt.
    pub tokens_in: Option<u64>,
    /// Tokens generated.
    pub tokens_out: Option<u64>,
    /// Cost in US dollars.
    pub cost: Option<f64>,
    /// Whether the response was complete; true if absent.
    pub success: Option<Flag>,
    /// Why the request failed.
    pub error_message: Option<String>,
    /// The endpoint of the request.
    pub endpoint: Option<String>,
    /// Other information from the client: an object, or an object as text.
    pub metadata: Option<Value>,
}

/// A boolean, which SQLite stores as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    /// True or false.
    Bool(bool),
    /// True unless 0.
    Number(i64),
}

impl ServiceRow {
    /// The request that the row describes. Metadata that llmscope's own monitor adds keep their meaning.
    #[must_use]
    pub fn into_record(self) -> RequestRecord {
        record(self, &mut 0)
    }
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let export: Export = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if export.data.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("data"),
            problem: "no requests".to_owned(),
            fix: "export more hours (hours=168)".to_owned(),
        });
    }
    let mut without_offset = 0_usize;
    // Oldest first: rows with the same time are then in the order in which they were logged.
    let records = export.data.into_iter().rev().map(|row| record(row, &mut without_offset)).collect();
    let warnings = match without_offset {
        0 => Vec::new(),
        count => vec![Warning {
            location: Location::of(source).field("data[].timestamp"),
            message: format!("{} without an offset: read as UTC", counted(count, "time")),
        }],
    };
    Ok(Parsed::Session(
        gathered::session(Software { name: "LLMscope service".to_owned(), version: None }, records),
        warnings,
    ))
}

fn record(row: ServiceRow, without_offset: &mut usize) -> RequestRecord {
    let metadata = object(row.metadata);
    // Metadata have a known meaning only if llmscope's own monitor posted them.
    let is_ours = metadata.get("recorder").and_then(Value::as_str) == Some("llmscope");
    let own = |name: &str| metadata.get(name).filter(|_| is_ours);
    let failed = !row.success.is_none_or(Flag::is_set);
    let logged_at = row.timestamp.as_deref().and_then(|text| timestamp(text, without_offset));
    // Other clients provide only the time of logging, which is later than the issue by the latency and the transfer.
    let started_at = own("started_at").and_then(Value::as_str).and_then(|text| text.parse().ok()).or(logged_at);
    let error = failed.then(|| RequestError {
        kind: own("error_type").and_then(Value::as_str).unwrap_or("_OTHER").to_owned(),
        code: None,
        message: row.error_message.filter(|message| !message.is_empty()),
    });
    let status = match &error {
        Some(error) if error.kind.to_ascii_lowercase().contains("timeout") => Status::Timeout,
        Some(_) => Status::Error,
        None => Status::Ok,
    };
    let seconds = |name: &str| own(name).and_then(Value::as_f64).filter(|_| !failed);
    let (ttft_s, tpot_s) = (seconds("ttft_s"), seconds("tpot_s"));
    let known = ["recorder", "started_at", "error_type", "ttft_s", "tpot_s"];
    let others = metadata.iter().filter(|(name, _)| !(is_ours && known.contains(&name.as_str())));
    let mut attributes: std::collections::BTreeMap<String, AttributeValue> =
        others.filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect();
    attributes.extend(row.endpoint.map(|endpoint| ("endpoint".to_owned(), AttributeValue::Text(endpoint))));
    if let Some(latency_s) = row.latency.filter(|_| failed) {
        attributes.insert("failed_after_s".to_owned(), AttributeValue::Number(latency_s));
    }
    RequestRecord {
        started_at,
        provider: row.provider,
        model: row.model,
        status,
        error,
        ttft_s,
        tpot_s,
        e2e_s: row.latency.filter(|_| !failed),
        input_tokens: row.tokens_in,
        output_tokens: row.tokens_out,
        cost_usd: row.cost.filter(|_| !failed),
        attributes,
        ..RequestRecord::default()
    }
}

impl Flag {
    /// The value as a `bool`.
    #[must_use]
    pub fn is_set(self) -> bool {
        match self {
            Self::Bool(flag) => flag,
            Self::Number(number) => number != 0,
        }
    }
}

/// An object, or an object as text, as SQLite stores it.
fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object,
        Some(Value::String(text)) => serde_json::from_str(&text).unwrap_or_default(),
        _ => Map::new(),
    }
}

fn plain(value: &Value) -> Option<AttributeValue> {
    match value {
        Value::String(text) => Some(AttributeValue::Text(text.clone())),
        Value::Bool(flag) => Some(AttributeValue::Bool(*flag)),
        Value::Number(number) => number.as_f64().filter(|number| number.is_finite()).map(AttributeValue::Number),
        _ => None,
    }
}

fn timestamp(text: &str, without_offset: &mut usize) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let at = tz::TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok()?;
    *without_offset += 1;
    Some(at)
}
