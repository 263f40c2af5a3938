//! `GET /api/export`: requests as rows, the newest first. `POST /api/cleanup`: what is too old goes.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::{Between, Query};
use super::latencies::hours_ago;
use super::stats::latency_s;
use crate::record::StoredRecord;
use crate::retention;
use crate::store::Filter;

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "ExportAsked")]
struct Asked {
    /// Of this provider only.
    #[serde(default)]
    provider: Option<String>,
    /// Of the last so many hours.
    #[serde(default)]
    hours: Option<Between<1, 87_600>>,
}

#[derive(Serialize, JsonSchema)]
struct Export {
    #[schemars(with = "String", extend("format" = "date-time"))]
    export_time: Timestamp,
    record_count: usize,
    data: Vec<Row>,
}

/// A request; its latency in seconds, of a failed one how long it took to fail, null where nobody said.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExportRow")]
struct Row {
    id: i64,
    #[schemars(with = "String", extend("format" = "date-time"))]
    timestamp: Timestamp,
    provider: String,
    model: Option<String>,
    latency: Option<f64>,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    cost: Option<f64>,
    success: u8,
    error_message: Option<String>,
    endpoint: Option<String>,
    metadata: Option<Value>,
}

#[derive(Serialize, JsonSchema)]
struct Cleanup {
    status: &'static str,
    deleted_records: u64,
    retention_days: u32,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/export", "Requests as rows, the newest first", export).asks::<Asked>().gives::<Export>(),
        Operation::post("/api/cleanup", "Removes what is older than the retention", cleanup).admin().gives::<Cleanup>(),
    ]
}

async fn export(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Export>, Problem> {
    let from = Some(hours_ago(asked.hours.map_or(24, |hours| hours.0)));
    let filter = Filter { provider: asked.provider, from, ..Filter::default() };
    let records = app.ask(move |store| store.records(&filter, None)).await?;
    let data: Vec<Row> = records.into_iter().map(Row::of).collect();
    Ok(Json(Export { export_time: Timestamp::now(), record_count: data.len(), data }))
}

impl Row {
    fn of(stored: StoredRecord) -> Self {
        let latency = latency_s(&stored);
        let StoredRecord { id, received_at, record, metadata } = stored;
        let endpoint = record.attributes.get("endpoint").map(|value| value.label());
        let metadata = match metadata {
            Some(text) => serde_json::from_str(&text).ok(),
            None if record.attributes.is_empty() => None,
            // A record that came another way: what else was known of it.
            None => serde_json::to_value(&record.attributes).ok(),
        };
        Self {
            id,
            timestamp: received_at,
            latency,
            tokens_in: record.input_tokens,
            tokens_out: record.output_tokens,
            cost: record.cost_usd,
            success: u8::from(record.succeeded()),
            error_message: record.error.and_then(|error| error.message),
            provider: record.provider.unwrap_or_default(),
            model: record.model,
            endpoint,
            metadata,
        }
    }
}

async fn cleanup(State(app): State<App>) -> Result<Json<Cleanup>, Problem> {
    let deleted_records = retention::clean(&app.recorder, app.retention_days).await?;
    Ok(Json(Cleanup { status: "completed", deleted_records, retention_days: app.retention_days }))
}
