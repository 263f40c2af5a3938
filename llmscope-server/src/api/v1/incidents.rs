//! `/api/v1/incidents`: changes from their alarm to their end, and their annotations.

use axum::Json;
use axum::extract::{Extension, State};
use llmscope_core::Metric;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::{ApiError, FieldError};
use super::super::extract::{Between, Body, Id, MaybeBody, Query};
use super::super::operation::Operation;
use super::annotation::{MaybeNote, NoteText, annotation, statuses, text};
use crate::access::Caller;
use crate::incident::{Incident, IncidentFilter};
use crate::violation::ViolationStatus;

/// The default number of incidents on a page.
const PAGE: usize = 100;
/// The most incidents that one call annotates.
const MOST_IDS: usize = 1000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct IncidentsQuery {
    /// Only incidents with one of these statuses: `new`, `acknowledged`, `resolved`, or several separated by commas.
    #[serde(default)]
    status: Option<String>,
    /// Only incidents that are open (true) or have ended (false).
    #[serde(default)]
    open: Option<bool>,
    /// Only incidents of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only incidents with a member of this model.
    #[serde(default)]
    model: Option<String>,
    /// Only incidents with a member of this metric.
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

/// Incidents, and an optional note.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Several {
    /// The ids of 1 to 1000 incidents.
    ids: Vec<i64>,
    #[serde(default)]
    note: Option<String>,
}

/// Incidents, and a note about all of them.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SeveralNotes {
    /// The ids of 1 to 1000 incidents.
    ids: Vec<i64>,
    text: String,
}

#[derive(Serialize, JsonSchema)]
struct Annotated {
    incidents: Vec<Incident>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/incidents", "List incidents, newest first", list)
            .query::<IncidentsQuery>()
            .response::<Incidents>(),
        Operation::get("/api/v1/incidents/{id}", "Return an incident", one).response::<Incident>(),
        Operation::post("/api/v1/incidents/{id}/acknowledge", "Acknowledge an incident", acknowledge)
            .body::<MaybeNote>()
            .response::<Incident>(),
        Operation::post("/api/v1/incidents/{id}/resolve", "Resolve an incident: it sends no further message", resolve)
            .body::<MaybeNote>()
            .response::<Incident>(),
        Operation::post("/api/v1/incidents/{id}/notes", "Add a note to an incident", note)
            .body::<NoteText>()
            .response::<Incident>(),
        Operation::post("/api/v1/incidents/acknowledge", "Acknowledge several incidents", acknowledge_several)
            .body::<Several>()
            .of_resources()
            .response::<Annotated>(),
        Operation::post("/api/v1/incidents/resolve", "Resolve several incidents", resolve_several)
            .body::<Several>()
            .of_resources()
            .response::<Annotated>(),
        Operation::post("/api/v1/incidents/notes", "Add a note to several incidents", note_several)
            .body::<SeveralNotes>()
            .of_resources()
            .response::<Annotated>(),
    ]
}

async fn list(State(app): State<App>, Query(query): Query<IncidentsQuery>) -> Result<Json<Incidents>, ApiError> {
    let IncidentsQuery { status, open, provider, model, metric, limit, before } = query;
    let limit = limit.map_or(PAGE, |limit| limit.0 as usize);
    let status = statuses(status.as_deref())?;
    let filter = IncidentFilter { status, open, provider, model, metric, before, limit };
    let incidents = app.read(move |store| store.incidents(&filter)).await?;
    let next = incidents.last().filter(|_| incidents.len() == limit).map(|incident| incident.id);
    Ok(Json(Incidents { incidents, next }))
}

async fn one(State(app): State<App>, Id(id): Id) -> Result<Json<Incident>, ApiError> {
    app.read(move |store| store.incident(id)).await.map(Json)
}

async fn acknowledge(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    MaybeBody(body): MaybeBody<MaybeNote>,
) -> Result<Json<Incident>, ApiError> {
    annotate_one(&app, &caller, id, Some(ViolationStatus::Acknowledged), body.note).await
}

async fn resolve(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    MaybeBody(body): MaybeBody<MaybeNote>,
) -> Result<Json<Incident>, ApiError> {
    annotate_one(&app, &caller, id, Some(ViolationStatus::Resolved), body.note).await
}

async fn note(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Body(body): Body<NoteText>,
) -> Result<Json<Incident>, ApiError> {
    annotate_one(&app, &caller, id, None, Some(text(body.text)?)).await
}

async fn acknowledge_several(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<Several>,
) -> Result<Json<Annotated>, ApiError> {
    annotate(&app, &caller, body.ids, Some(ViolationStatus::Acknowledged), body.note).await.map(Json)
}

async fn resolve_several(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<Several>,
) -> Result<Json<Annotated>, ApiError> {
    annotate(&app, &caller, body.ids, Some(ViolationStatus::Resolved), body.note).await.map(Json)
}

async fn note_several(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Body(body): Body<SeveralNotes>,
) -> Result<Json<Annotated>, ApiError> {
    annotate(&app, &caller, body.ids, None, Some(text(body.text)?)).await.map(Json)
}

async fn annotate_one(
    app: &App,
    caller: &Caller,
    id: i64,
    status: Option<ViolationStatus>,
    note: Option<String>,
) -> Result<Json<Incident>, ApiError> {
    let annotated = annotate(app, caller, vec![id], status, note).await?;
    annotated.incidents.into_iter().next().map(Json).ok_or(ApiError::Internal)
}

/// Annotates all of these incidents, or none of them.
async fn annotate(
    app: &App,
    caller: &Caller,
    mut ids: Vec<i64>,
    status: Option<ViolationStatus>,
    note: Option<String>,
) -> Result<Annotated, ApiError> {
    if ids.is_empty() || ids.len() > MOST_IDS {
        let message = format!("{} ids: expected 1 to {MOST_IDS}", ids.len());
        return Err(ApiError::Invalid(vec![FieldError::new("body", Some("ids"), message)]));
    }
    ids.sort_unstable();
    ids.dedup();
    let annotation = annotation(caller, status, note)?;
    let annotated = app.recorder.change(move |transaction, watches| {
        // First in the store: an unknown id discards the transaction, and the watches must know nothing of it.
        let incidents =
            ids.iter().map(|&id| transaction.annotate_incident(id, &annotation)).collect::<Result<Vec<_>, _>>()?;
        incidents.iter().for_each(|incident| watches.note_incident(incident.clone()));
        Ok(incidents)
    });
    Ok(Annotated { incidents: annotated.await? })
}
