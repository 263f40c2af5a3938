//! `GET /api/export`: requests as rows, newest first. `POST /api/cleanup`: removes records past the retention.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use llmscope_core::session::AttributeValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Query};
use super::super::operation::Operation;
use super::latencies::hours_ago;
use super::stats::latency_s;
use super::time::Time;
use crate::record::StoredRecord;
use crate::retention;
use crate::store::Filter;

#[derive(Deserialize, JsonSchema)]
struct ExportQuery {
    /// Only requests of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only requests of the last N hours.
    #[serde(default)]
    hours: Option<Between<1, 87_600>>,
}

#[derive(Serialize, JsonSchema)]
struct Export {
    export_time: Time,
    record_count: usize,
    data: Vec<Row>,
}

/// A request. Its latency is in seconds; for a failed request it is the time until the failure, and null if unknown.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ExportRow")]
struct Row {
    id: i64,
    timestamp: Time,
    provider: String,
    model: Option<String>,
    latency: Option<f64>,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    cost: Option<f64>,
    success: u8,
    error_message: Option<String>,
    endpoint: Option<String>,
    /// JSON as text.
    metadata: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Cleanup {
    status: &'static str,
    deleted_records: u64,
    retention_days: u32,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/export", "Export requests as rows, newest first", export)
            .query::<ExportQuery>()
            .response::<Export>(),
        Operation::post("/api/cleanup", "Remove records older than the retention period", cleanup)
            .admin()
            .response::<Cleanup>(),
    ]
}

async fn export(State(app): State<App>, Query(query): Query<ExportQuery>) -> Result<Json<Export>, ApiError> {
    let from = Some(hours_ago(query.hours.map_or(24, |hours| hours.0)));
    let filter = Filter { provider: query.provider, from, ..Filter::default() };
    let records = app.read(move |store| store.records(&filter, None)).await?;
    let data: Vec<Row> = records.into_iter().map(Row::of).collect();
    Ok(Json(Export { export_time: Timestamp::now().into(), record_count: data.len(), data }))
}

impl Row {
    fn of(stored: StoredRecord) -> Self {
        let latency = latency_s(&stored);
        let StoredRecord { id, received_at, record, metadata } = stored;
        let endpoint = record.attributes.get("endpoint").map(|value| value.label());
        let metadata = metadata.or_else(|| attributes_as_text(&record.attributes));
        Self {
            id,
            timestamp: received_at.into(),
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

/// The attributes of a record that arrived through another call, in place of metadata. Those that have a column of their
/// own are left out.
fn attributes_as_text(attributes: &BTreeMap<String, AttributeValue>) -> Option<String> {
    let other = attributes.iter().filter(|(name, _)| !["endpoint", "failed_after_s"].contains(&name.as_str()));
    let other: BTreeMap<_, _> = other.collect();
    if other.is_empty() { None } else { serde_json::to_string(&other).ok() }
}

async fn cleanup(State(app): State<App>) -> Result<Json<Cleanup>, ApiError> {
    let deleted_records = retention::clean(&app.recorder, app.retention_days).await?;
    app.metrics.removed_records.add(deleted_records);
    Ok(Json(Cleanup { status: "completed", deleted_records, retention_days: app.retention_days }))
}
