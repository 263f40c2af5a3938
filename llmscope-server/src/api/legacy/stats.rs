//! `GET /api/stats`: the newest requests.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::Query;
use super::super::operation::Operation;
use super::latencies::{Figures, Latencies};
use super::time::Time;
use crate::record::StoredRecord;
use crate::store::Filter;

/// The number of requests in the response.
const NEWEST: usize = 200;

#[derive(Deserialize, JsonSchema)]
struct StatsQuery {
    /// Include statistics.
    #[serde(default)]
    summary: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct Stats {
    logs: Vec<LogRow>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<Summary>,
}

/// A request. Its latency is in seconds; for a failed request it is the time until the failure, and null if unknown.
#[derive(Serialize, JsonSchema)]
struct LogRow {
    provider: String,
    model: Option<String>,
    latency: Option<f64>,
    tokens_in: Option<u64>,
    tokens_out: Option<u64>,
    cost: Option<f64>,
    success: bool,
    timestamp: Time,
}

/// Statistics of these requests' latencies, in seconds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StatsSummary")]
struct Summary {
    mean: f64,
    std_dev: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    min: f64,
    max: f64,
    ucl: f64,
    lcl: f64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/stats", "List the newest 200 requests, newest first", stats)
            .was_open()
            .query::<StatsQuery>()
            .response::<Stats>(),
    ]
}

async fn stats(State(app): State<App>, Query(query): Query<StatsQuery>) -> Result<Json<Stats>, ApiError> {
    let summary = query.summary.unwrap_or(false);
    let filter = Filter { limit: Some(NEWEST), ..Filter::default() };
    let stats = app.run_blocking(move |store| {
        let logs = store.records(&filter, None)?.into_iter().map(LogRow::of).collect();
        let summary = summary.then(|| Latencies::of(store, &filter).and_then(|latencies| Summary::of(&latencies)));
        Ok(Stats { logs, summary: summary.transpose()? })
    });
    stats.await.map(Json)
}

impl LogRow {
    fn of(stored: StoredRecord) -> Self {
        let record = &stored.record;
        Self {
            latency: latency_s(&stored),
            success: record.succeeded(),
            timestamp: record.started_at.unwrap_or(stored.received_at).into(),
            tokens_in: record.input_tokens,
            tokens_out: record.output_tokens,
            cost: record.cost_usd,
            provider: stored.record.provider.unwrap_or_default(),
            model: stored.record.model,
        }
    }
}

/// The latency of a request, or the time until its failure.
pub(super) fn latency_s(stored: &StoredRecord) -> Option<f64> {
    stored.record.e2e_s.or_else(|| stored.record.attribute("failed_after_s"))
}

impl Summary {
    fn of(latencies: &Latencies) -> Result<Self, ApiError> {
        let chart = latencies.chart()?;
        let Figures { mean, standard_deviation: std_dev, p50, p95, p99, min, max, ucl, lcl } =
            latencies.figures(chart.as_ref());
        Ok(Self { mean, std_dev, p50, p95, p99, min, max, ucl, lcl })
    }
}
