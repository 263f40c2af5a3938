//! The export of the LLMscope service (`GET /api/export`): rows of its log, the newest first, latency in seconds.

use jiff::{Timestamp, civil, tz};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::gathered;
use super::tool::{Format, Found, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, Notice, RequestError, RequestRecord, Software, Status};

pub(super) const FORMAT: Format = Format {
    name: "llmscope-export",
    title: "Export of the LLMscope service",
    recognizes: |outline| outline.has_all(&["export_time", "record_count", "data"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Export {
    data: Vec<ServiceRow>,
}

/// A request as the service logs it: what `POST /api/log` takes and `GET /api/export` gives.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
pub struct ServiceRow {
    /// When it was logged.
    pub timestamp: Option<String>,
    /// Who served it.
    pub provider: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// End-to-end latency in seconds; of a failed request, how long it took to fail.
    pub latency: Option<f64>,
    /// Tokens of the prompt.
    pub tokens_in: Option<u64>,
    /// Tokens generated.
    pub tokens_out: Option<u64>,
    /// Cost in US dollars.
    pub cost: Option<f64>,
    /// Whether a complete answer came; it did unless something else is said.
    pub success: Option<Flag>,
    /// Why not.
    pub error_message: Option<String>,
    /// What was asked.
    pub endpoint: Option<String>,
    /// What else the client knew: an object, or the text of one.
    pub metadata: Option<Value>,
}

/// A truth value, which SQLite keeps as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Flag {
    /// True or false.
    Bool(bool),
    /// True unless 0.
    Number(i64),
}

impl ServiceRow {
    /// The request that the row tells of. What our own monitor adds as metadata keeps its meaning.
    #[must_use]
    pub fn into_record(self) -> RequestRecord {
        record(self, &mut 0)
    }
}

fn read(source: &str, text: &str) -> Result<Found> {
    let export: Export = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if export.data.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("data"),
            problem: "no requests".to_owned(),
            fix: "export more hours (hours=168)".to_owned(),
        });
    }
    let mut without_offset = 0_usize;
    // The oldest first: rows of one time then stand in the order in which they were logged.
    let records = export.data.into_iter().rev().map(|row| record(row, &mut without_offset)).collect();
    let notices = match without_offset {
        0 => Vec::new(),
        count => vec![Notice {
            location: Location::of(source).field("data[].timestamp"),
            message: format!("{count} times without an offset were taken as UTC"),
        }],
    };
    Ok(Found::Session(
        gathered::session(Software { name: "LLMscope service".to_owned(), version: None }, records),
        notices,
    ))
}

fn record(row: ServiceRow, without_offset: &mut usize) -> RequestRecord {
    let metadata = object(row.metadata);
    // What our own monitor posted keeps its meaning; nobody else's metadata have one.
    let is_ours = metadata.get("recorder").and_then(Value::as_str) == Some("llmscope");
    let own = |name: &str| metadata.get(name).filter(|_| is_ours);
    let failed = !row.success.is_none_or(Flag::is_set);
    let logged_at = row.timestamp.as_deref().and_then(|text| moment(text, without_offset));
    // The time of the log is all that others leave: it is later than the issue by the latency and the way.
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
    /// What it says.
    #[must_use]
    pub fn is_set(self) -> bool {
        match self {
            Self::Bool(flag) => flag,
            Self::Number(number) => number != 0,
        }
    }
}

/// An object, or the text of one, as a column of SQLite holds it.
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

fn moment(text: &str, without_offset: &mut usize) -> Option<Timestamp> {
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let at = tz::TimeZone::UTC.to_timestamp(text.parse::<civil::DateTime>().ok()?).ok()?;
    *without_offset += 1;
    Some(at)
}
