//! `/api/v1/baselines`: exports, imports and replaces frozen limits.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use llmscope_core::Transform;
use llmscope_core::analysis::Baseline;
use llmscope_core::quantity::counted;
use llmscope_core::watch::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Body, Id, body};
use super::super::operation::Operation;
use crate::error::StoreError;
use crate::series::Series;
use crate::store::{Filter, Store, StoredSeries};
use crate::watches::Study;

#[derive(Serialize, JsonSchema)]
struct Replaced {
    replaced: Vec<Series>,
}

/// The part of a series to estimate limits from.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// Only records at or after this time.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    from: Option<Timestamp>,
    /// Only records before this time.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    to: Option<Timestamp>,
    /// At most the newest N records.
    #[serde(default)]
    limit: Option<usize>,
    /// The transformation of the limits; by default, that of the service.
    #[serde(default)]
    transform: Option<Transform>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/baselines", "Export the frozen limits of all series (llmscope.baseline/1)", export)
            .response::<serde_json::Value>(),
        Operation::put("/api/v1/baselines", "Import frozen limits for the series that they name", import)
            .body::<serde_json::Value>()
            .response::<Replaced>(),
        Operation::post(
            "/api/v1/series/{id}/baseline",
            "Freeze limits that are estimated from a part of the series",
            freeze,
        )
        .body::<Part>()
        .response::<Series>(),
        Operation::delete(
            "/api/v1/series/{id}/baseline",
            "Discard the limits and what the alarm has learned, and learn from the next values",
            super::series::relearn,
        )
        .response::<Series>(),
    ]
}

async fn export(State(app): State<App>) -> Result<Response, ApiError> {
    let baselines: Vec<Baseline> =
        app.read(|store| store.series()).await?.iter().filter_map(StoredSeries::baseline).collect();
    let text = if baselines.is_empty() {
        "{\"schema\":\"llmscope.baseline/1\",\"baselines\":[]}\n".to_owned()
    } else {
        Baseline::to_json(&baselines)?
    };
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

async fn import(State(app): State<App>, request: Request) -> Result<Json<Replaced>, ApiError> {
    let bytes = body(request, &app).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| ApiError::body("the body is not UTF-8"))?;
    let baselines = Baseline::read("body", text).map_err(|error| ApiError::body(error.to_string()))?;
    let known = app.read(|store| store.series()).await?;
    // A series that no baseline names keeps its limits.
    let study_of = |series: &StoredSeries| {
        let state = &series.state;
        Some((state.name.id, Study::among(&baselines, &state.source, state.name.metric, state.memory.tpot_definition)?))
    };
    let chosen: Vec<_> = known.iter().filter_map(study_of).collect();
    if chosen.is_empty() {
        return Err(ApiError::body("the baselines name no series of this service with the definition of its metric"));
    }
    let at = Timestamp::now();
    let replaced = app
        .recorder
        .change(move |_, watches| chosen.into_iter().map(|(id, study)| watches.freeze(id, Some(study), at)).collect());
    Ok(Json(Replaced { replaced: replaced.await? }))
}

async fn freeze(State(app): State<App>, Id(id): Id, Body(part): Body<Part>) -> Result<Json<Series>, ApiError> {
    let transform = part.transform.unwrap_or(app.transform);
    let study = app.run_blocking(move |store| studied(store, id, &part, transform)).await?;
    let at = Timestamp::now();
    Ok(Json(app.recorder.change(move |_, watches| watches.freeze(id, Some(study), at)).await?))
}

/// Estimates limits from a part of a series, without the values beyond the limits.
fn studied(store: &dyn Store, id: i64, part: &Part, transform: Transform) -> Result<Study, ApiError> {
    let all = store.series()?;
    let series = all.into_iter().find(|series| series.state.name.id == id);
    let state = series.ok_or(StoreError::Absent { what: "series", id })?.state;
    let filter =
        Filter { source: Some(state.source.id), from: part.from, to: part.to, limit: part.limit, ..Filter::default() };
    let found = store.measurements(&filter, state.name.metric)?;
    let can_be_transformed = |value: &f64| *value > 0.0 || !transform.needs_positive();
    let definition = state.memory.tpot_definition;
    let measured = found.into_iter().flat_map(|own| own.values.into_iter().zip(own.definitions));
    let values = measured.filter(|(_, of_value)| *of_value == definition).filter_map(|(value, _)| value);
    let values: Vec<f64> = values.filter(can_be_transformed).collect();
    let learned = Limits::learned(state.name.metric.bounds(), transform, &values);
    learned.map(|(_, standards, left_out)| Study { standards, points: values.len() - left_out }).ok_or_else(|| {
        ApiError::body(format!(
            "cannot estimate limits from {}: too few values, or all of them are equal",
            counted(values.len(), "value")
        ))
    })
}
