//! `GET /health`, `GET /ready`: is the service there, does its store answer?

use std::path::Path;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
    database: String,
    total_requests: u64,
    retention_days: u32,
    #[schemars(with = "String", extend("format" = "date-time"))]
    timestamp: Timestamp,
}

#[derive(Serialize, JsonSchema)]
struct Ready {
    status: &'static str,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/health", "The service, its store, and how many requests it holds", health)
            .open()
            .gives::<Health>(),
        Operation::get("/ready", "Whether the store answers", ready).open().gives::<Ready>(),
    ]
}

async fn health(State(app): State<App>) -> Result<Json<Health>, Problem> {
    let (place, total_requests) = app.ask(|store| Ok((store.place(), store.count()?))).await.map_err(unavailable)?;
    // The file's name, and not where it lies: everyone may ask.
    let database = Path::new(&place).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let retention_days = app.retention_days;
    Ok(Json(Health { status: "healthy", database, total_requests, retention_days, timestamp: Timestamp::now() }))
}

async fn ready(State(app): State<App>) -> Result<Json<Ready>, Problem> {
    app.ask(|store| store.ping()).await.map_err(unavailable)?;
    Ok(Json(Ready { status: "ready" }))
}

fn unavailable(_: Problem) -> Problem {
    Problem::Unavailable("the store does not answer".to_owned())
}
