//! `/api/v1/baselines`: the frozen limits, in and out, learned anew.

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use jiff::Timestamp;
use llmscope_core::Transform;
use llmscope_core::analysis::Baseline;
use llmscope_core::watch::Limits;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::{Body, Id, body};
use crate::error::StoreError;
use crate::series::Series;
use crate::store::{Filter, Store, StoredSeries};
use crate::watches::Study;

#[derive(Serialize, JsonSchema)]
struct Replaced {
    replaced: Vec<Series>,
}

/// Which part of a series limits come from.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Part {
    /// Not before.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    from: Option<Timestamp>,
    /// Before.
    #[serde(default)]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    to: Option<Timestamp>,
    /// The newest so many.
    #[serde(default)]
    limit: Option<usize>,
    /// The scale of the limits; that of the service unless told.
    #[serde(default)]
    transform: Option<Transform>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/baselines", "The frozen limits of all series (llmscope.baseline/1)", export)
            .gives::<serde_json::Value>(),
        Operation::put("/api/v1/baselines", "Limits of an earlier study for the series that they name", import)
            .takes::<serde_json::Value>()
            .gives::<Replaced>(),
        Operation::post("/api/v1/series/{id}/baseline", "Limits from a part of the series", freeze)
            .takes::<Part>()
            .gives::<Series>(),
        Operation::delete("/api/v1/series/{id}/baseline", "Learns limits anew from the next values", learn)
            .gives::<Series>(),
    ]
}

async fn export(State(app): State<App>) -> Result<Response, Problem> {
    let baselines: Vec<Baseline> =
        app.ask(|store| store.series()).await?.iter().filter_map(StoredSeries::baseline).collect();
    let text = if baselines.is_empty() {
        "{\"schema\":\"llmscope.baseline/1\",\"baselines\":[]}\n".to_owned()
    } else {
        Baseline::to_json(&baselines)?
    };
    Ok(([(CONTENT_TYPE, "application/json")], text).into_response())
}

async fn import(State(app): State<App>, request: Request) -> Result<Json<Replaced>, Problem> {
    let bytes = body(request, &app).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::body("the body is not UTF-8"))?;
    let baselines = Baseline::read("body", text).map_err(|error| Problem::body(error.to_string()))?;
    let known = app.ask(|store| store.series()).await?;
    // A series that no baseline names keeps what it has.
    let study_of = |series: &StoredSeries| {
        let state = &series.state;
        Some((state.name.id, Study::among(&baselines, &state.source, state.name.metric)?))
    };
    let chosen: Vec<_> = known.iter().filter_map(study_of).collect();
    if chosen.is_empty() {
        return Err(Problem::body("no series of the service is named by these limits"));
    }
    let at = Timestamp::now();
    let replaced = app
        .recorder
        .change(move |_, watches| chosen.into_iter().map(|(id, study)| watches.freeze(id, Some(study), at)).collect());
    Ok(Json(Replaced { replaced: replaced.await? }))
}

async fn freeze(State(app): State<App>, Id(id): Id, Body(part): Body<Part>) -> Result<Json<Series>, Problem> {
    let transform = part.transform.unwrap_or(app.transform);
    let study = app.work(move |store| studied(store, id, &part, transform)).await?;
    let at = Timestamp::now();
    Ok(Json(app.recorder.change(move |_, watches| watches.freeze(id, Some(study), at)).await?))
}

/// The limits of a part of a series, without what lies beyond them.
fn studied(store: &dyn Store, id: i64, part: &Part, transform: Transform) -> Result<Study, Problem> {
    let all = store.series()?;
    let series = all.into_iter().find(|series| series.state.name.id == id);
    let state = series.ok_or(StoreError::Absent { what: "series", id })?.state;
    let filter =
        Filter { source: Some(state.source.id), from: part.from, to: part.to, limit: part.limit, ..Filter::default() };
    let found = store.measurements(&filter, state.name.metric)?;
    let has_a_place = |value: &f64| *value > 0.0 || !transform.needs_positive();
    let values: Vec<f64> = found.into_iter().flat_map(|own| own.values).flatten().filter(has_a_place).collect();
    let learned = Limits::learned(state.name.metric.bounds(), transform, &values);
    learned.map(|(_, standards, left_out)| Study { standards, points: values.len() - left_out }).ok_or_else(|| {
        Problem::body(format!("{} values of this part make no limits: too few, or all of them are equal", values.len()))
    })
}

async fn learn(State(app): State<App>, Id(id): Id) -> Result<Json<Series>, Problem> {
    let at = Timestamp::now();
    Ok(Json(app.recorder.change(move |_, watches| watches.freeze(id, None, at)).await?))
}
