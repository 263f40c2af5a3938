//! `GET /health`, `GET /ready`: whether the service runs and its store answers.

use std::path::Path;

use axum::Json;
use axum::extract::{Request, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::operation::Operation;
use super::time::Time;
use crate::access::caller;

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
    database: String,
    /// The number of live records; absent without a valid key.
    #[serde(skip_serializing_if = "Option::is_none")]
    total_requests: Option<u64>,
    retention_days: u32,
    timestamp: Time,
}

#[derive(Serialize, JsonSchema)]
struct Ready {
    status: &'static str,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/health", "Report the health of the service and the size of its store", health)
            .open()
            .response::<Health>(),
        Operation::get("/ready", "Check that the store answers", ready).open().response::<Ready>(),
    ]
}

async fn health(State(app): State<App>, request: Request) -> Result<Json<Health>, ApiError> {
    let counts = app.open_legacy || caller(&app, &request).is_ok();
    let place = app.probe(|store| store.ping().map(|()| store.place())).await.map_err(unavailable)?;
    let total_requests = match counts {
        true => Some(app.read(|store| store.count()).await.map_err(unavailable)?),
        false => None,
    };
    // The file's name without its folder: this endpoint needs no key.
    let database = Path::new(&place).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let retention_days = app.retention_days;
    Ok(Json(Health { status: "healthy", database, total_requests, retention_days, timestamp: Timestamp::now().into() }))
}

async fn ready(State(app): State<App>) -> Result<Json<Ready>, ApiError> {
    if app.damage.was_seen() {
        return Err(ApiError::Unavailable("the store is damaged: the log of the service has the reason".to_owned()));
    }
    app.probe(|store| store.ping()).await.map_err(unavailable)?;
    Ok(Json(Ready { status: "ready" }))
}

fn unavailable(_: ApiError) -> ApiError {
    ApiError::Unavailable("the store does not answer".to_owned())
}
