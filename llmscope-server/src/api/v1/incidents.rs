//! `/api/v1/incidents`: changes from their alarm to their end.

use axum::Json;
use axum::extract::State;
use llmscope_core::Metric;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Id, Query};
use super::super::operation::Operation;
use crate::incident::{Incident, IncidentFilter};

/// The default number of incidents on a page.
const PAGE: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncidentsQuery {
    /// Only incidents that are open (true) or have ended (false).
    #[serde(default)]
    open: Option<bool>,
    /// Only incidents of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only incidents of this model.
    #[serde(default)]
    model: Option<String>,
    /// Only incidents of this metric.
    #[serde(default)]
    metric: Option<Metric>,
    /// At most N incidents.
    #[serde(default)]
    limit: Option<Between<1, 1000>>,
    /// Only incidents older than the incident with this id.
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct Incidents {
    incidents: Vec<Incident>,
    /// The value of `before` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/incidents", "List incidents, newest first", list)
            .query::<IncidentsQuery>()
            .response::<Incidents>(),
        Operation::get("/api/v1/incidents/{id}", "Return an incident", one).response::<Incident>(),
    ]
}

async fn list(State(app): State<App>, Query(query): Query<IncidentsQuery>) -> Result<Json<Incidents>, ApiError> {
    let IncidentsQuery { open, provider, model, metric, limit, before } = query;
    let limit = limit.map_or(PAGE, |limit| limit.0 as usize);
    let filter = IncidentFilter { open, provider, model, metric, before, limit };
    let incidents = app.read(move |store| store.incidents(&filter)).await?;
    let next = incidents.last().filter(|_| incidents.len() == limit).map(|incident| incident.id);
    Ok(Json(Incidents { incidents, next }))
}

async fn one(State(app): State<App>, Id(id): Id) -> Result<Json<Incident>, ApiError> {
    app.read(move |store| store.incident(id)).await.map(Json)
}
