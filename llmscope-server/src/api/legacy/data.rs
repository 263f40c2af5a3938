//! `GET /api/data`: latencies of the last hours, their statistics and violations. `DELETE /api/data`: removes all data.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Query};
use super::super::operation::Operation;
use super::latencies::{Figures, Latencies, hours_ago};
use super::time::Time;
use crate::store::{Filter, Store};
use crate::timestamp::from_ns;

#[derive(Deserialize, JsonSchema)]
struct DataQuery {
    /// Only requests of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only requests of the last N hours.
    #[serde(default)]
    hours: Option<Between<1, 168>>,
    /// At most the newest N requests.
    #[serde(default)]
    limit: Option<Between<1, 10_000>>,
}

#[derive(Serialize, JsonSchema)]
struct Data {
    series: Vec<Point>,
    stats: Statistics,
    violations: Vec<Violation>,
}

/// A latency in seconds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DataPoint")]
struct Point {
    t: Time,
    y: f64,
}

/// Statistics in seconds; 0 if no request has a latency.
#[derive(Serialize, JsonSchema, Default)]
#[schemars(rename = "DataStatistics")]
struct Statistics {
    mean: f64,
    std: f64,
    p50: f64,
    p95: f64,
    p99: f64,
    min: f64,
    max: f64,
    ucl: f64,
    lcl: f64,
    count: usize,
    total_cost: f64,
    error_rate: f64,
}

/// A violation of one of Nelson's rules `R1` to `R8`, with its positions in the series.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DataViolation")]
struct Violation {
    rule: String,
    start_idx: usize,
    end_idx: usize,
    count: usize,
}

#[derive(Serialize, JsonSchema)]
struct Deleted {
    status: &'static str,
    count: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/data", "Return latencies with statistics and violations", data)
            .query::<DataQuery>()
            .response::<Data>(),
        Operation::delete("/api/data", "Remove all live records, series and violations", delete)
            .admin()
            .response::<Deleted>(),
    ]
}

async fn data(State(app): State<App>, Query(query): Query<DataQuery>) -> Result<Json<Data>, ApiError> {
    app.run_blocking(move |store| of(store, query)).await.map(Json)
}

fn of(store: &dyn Store, query: DataQuery) -> Result<Data, ApiError> {
    let hours = query.hours.map_or(24, |hours| hours.0);
    let limit = query.limit.map_or(2000, |limit| limit.0);
    let filter = Filter {
        provider: query.provider,
        from: Some(hours_ago(hours)),
        limit: Some(limit as usize),
        ..Filter::default()
    };
    let latencies = Latencies::of(store, &filter)?;
    let cost = store.cost_usd(&filter)?;
    let chart = latencies.chart()?;
    let judgement = chart.as_ref().map(Latencies::judged).transpose()?;
    let Figures { mean, standard_deviation: std, p50, p95, p99, min, max, ucl, lcl } =
        latencies.figures(chart.as_ref());
    let count = latencies.values_s.len();
    #[allow(clippy::cast_precision_loss, reason = "at most 10,000 requests")]
    let error_rate = latencies.failed as f64 / latencies.requests.max(1) as f64;
    let violations = judgement.map(|judgement| judgement.violations).unwrap_or_default();
    let points = latencies.at_ns.iter().zip(&latencies.values_s);
    Ok(Data {
        series: points.map(|(&at, &y)| Point { t: from_ns(at).into(), y }).collect(),
        stats: Statistics { mean, std, p50, p95, p99, min, max, ucl, lcl, count, total_cost: cost, error_rate },
        violations: violations
            .iter()
            .map(|found| Violation {
                rule: found.rule.as_str().replace("nelson-", "R"),
                start_idx: found.first,
                end_idx: found.last,
                count: found.last - found.first + 1,
            })
            .collect(),
    })
}

async fn delete(State(app): State<App>) -> Result<Json<Deleted>, ApiError> {
    let count = app.recorder.change(|transaction, watches| watches.clear(transaction)).await?;
    app.telemetry.clear();
    Ok(Json(Deleted { status: "deleted", count }))
}
