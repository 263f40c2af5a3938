//! `GET /api/providers`, `GET /api/cost/summary`: requests, latency and cost by provider.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Query};
use super::super::operation::Operation;
use super::latencies::hours_ago;

#[derive(Serialize, JsonSchema)]
struct Providers {
    providers: Vec<Provider>,
}

/// Totals of a provider over the last 24 hours, with the mean latency in seconds; that of a failed request is the time
/// until its failure.
#[derive(Serialize, JsonSchema)]
struct Provider {
    name: String,
    requests_24h: u64,
    avg_latency: f64,
    cost_24h: f64,
}

#[derive(Deserialize, JsonSchema)]
struct CostQuery {
    /// The last N days, today included.
    #[serde(default)]
    days: Option<Between<1, 30>>,
}

/// The days with a cost, newest first. Requests without a cost are not counted.
#[derive(Serialize, JsonSchema)]
struct CostSummary {
    summary: Vec<Day>,
    total_period_cost: f64,
}

/// One day (UTC).
#[derive(Default, Serialize, JsonSchema)]
struct Day {
    date: String,
    total_cost: f64,
    requests: u64,
    providers: BTreeMap<String, DayOfProvider>,
}

#[derive(Serialize, JsonSchema)]
struct DayOfProvider {
    cost: f64,
    requests: u64,
    avg_latency: f64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/providers", "Summarize the last 24 hours by provider", providers).response::<Providers>(),
        Operation::get("/api/cost/summary", "Summarize costs by day and provider", summary)
            .query::<CostQuery>()
            .response::<CostSummary>(),
    ]
}

async fn providers(State(app): State<App>) -> Result<Json<Providers>, ApiError> {
    let totals = app.read(|store| store.totals(hours_ago(24))).await?;
    let providers = totals.into_iter().map(|totals| Provider {
        requests_24h: totals.requests,
        avg_latency: totals.mean_latency_s(),
        cost_24h: totals.cost_usd,
        name: totals.provider,
    });
    Ok(Json(Providers { providers: providers.collect() }))
}

async fn summary(State(app): State<App>, Query(query): Query<CostQuery>) -> Result<Json<CostSummary>, ApiError> {
    let days = query.days.map_or(7, |days| days.0);
    let since = midnight(hours_ago(24 * (days - 1)));
    let totals = app.read(move |store| store.daily_totals(since)).await?;
    let mut summary: Vec<Day> = Vec::new();
    for (date, totals) in totals {
        if summary.last().is_none_or(|day| day.date != date) {
            summary.push(Day { date, ..Day::default() });
        }
        let Some(day) = summary.last_mut() else { continue };
        day.total_cost += totals.cost_usd;
        day.requests += totals.requests;
        let avg_latency = totals.mean_latency_s();
        let of_provider = DayOfProvider { cost: totals.cost_usd, requests: totals.requests, avg_latency };
        day.providers.insert(totals.provider, of_provider);
    }
    summary.reverse();
    // The sum of no numbers is -0.0.
    let total_period_cost = summary.iter().map(|day| day.total_cost).sum::<f64>() + 0.0;
    Ok(Json(CostSummary { summary, total_period_cost }))
}

/// Midnight (UTC) of the day of this time.
fn midnight(at: Timestamp) -> Timestamp {
    at.to_zoned(TimeZone::UTC).start_of_day().map_or(at, |day| day.timestamp())
}
