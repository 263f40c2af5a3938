//! `/api/v1/series`: the series and their state.

use axum::Json;
use axum::extract::{Extension, State};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Id, MaybeBody, Query};
use super::super::operation::Operation;
use crate::access::Caller;
use crate::error::StoreError;
use crate::series::Series;
use crate::store::{Filter, Store, StoredSeries};
use crate::watches::view;

#[derive(Serialize, JsonSchema)]
struct SeriesList {
    series: Vec<Series>,
}

/// The endpoints whose present level is normal; without a name, all of them.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
struct Endpoints {
    #[serde(default)]
    provider: Option<String>,
    #[serde(default)]
    model: Option<String>,
}

/// The default number of values of a series in a sparkline.
const SPARKLINE: usize = 60;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SparklinesQuery {
    /// The last N requests of each provider and model; by default 60.
    #[serde(default)]
    points: Option<Between<2, 200>>,
}

#[derive(Serialize, JsonSchema)]
struct Sparklines {
    series: Vec<Sparkline>,
}

/// The last values of a series.
#[derive(Serialize, JsonSchema)]
struct Sparkline {
    /// The id of the series.
    id: i64,
    /// The values, oldest first.
    values: Vec<f64>,
}

#[derive(Serialize, JsonSchema)]
struct Removed {
    /// The id of the removed series.
    deleted: i64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/series", "List all series and their state", list).response::<SeriesList>(),
        Operation::get("/api/v1/sparklines", "List the last values of all series", sparklines)
            .query::<SparklinesQuery>()
            .response::<Sparklines>(),
        Operation::post(
            "/api/v1/series/{id}/relearn",
            "Take the present level as normal: learn limits and alarm again, and end the incident",
            relearn,
        )
        .response::<Series>(),
        Operation::post(
            "/api/v1/relearn",
            "Take the present level of an endpoint or of all as normal: learn again, and end their incidents",
            relearn_endpoints,
        )
        .body::<Endpoints>()
        .response::<SeriesList>(),
        Operation::delete("/api/v1/series/{id}", "Remove a series and its violations, but not its records", delete)
            .admin()
            .response::<Removed>(),
    ]
}

async fn list(State(app): State<App>) -> Result<Json<SeriesList>, ApiError> {
    let stored = app.read(|store| store.series()).await?;
    Ok(Json(SeriesList { series: with_alarms(&app, &stored) }))
}

async fn sparklines(
    State(app): State<App>,
    Query(query): Query<SparklinesQuery>,
) -> Result<Json<Sparklines>, ApiError> {
    let points = query.points.map_or(SPARKLINE, |points| points.0 as usize);
    let series = app.run_blocking(move |store| Ok(last_values(store, points)?)).await?;
    Ok(Json(Sparklines { series }))
}

/// The values of the last requests of each series.
fn last_values(store: &dyn Store, requests: usize) -> Result<Vec<Sparkline>, StoreError> {
    let of_series = |StoredSeries { state, .. }: StoredSeries| {
        let filter = Filter { source: Some(state.source.id), limit: Some(requests), ..Filter::default() };
        let found = store.measurements(&filter, state.name.metric)?;
        let values = found.into_iter().flat_map(|of_source| of_source.values).flatten();
        Ok(Sparkline { id: state.name.id, values: values.filter(|value| value.is_finite()).collect() })
    };
    store.series()?.into_iter().map(of_series).collect()
}

/// The public view of series, with their alarms.
pub(in crate::api) fn with_alarms(app: &App, stored: &[StoredSeries]) -> Vec<Series> {
    let with_alarm = |series: &StoredSeries| {
        let mut view = view(&series.state, series.open.len());
        view.set_alarm(app.alarms.of(view.source, view.name.metric));
        view
    };
    stored.iter().map(with_alarm).collect()
}

pub(super) async fn relearn(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
) -> Result<Json<Series>, ApiError> {
    let (by, at) = (caller.name.to_string(), Timestamp::now());
    Ok(Json(app.recorder.change(move |transaction, watches| watches.relearn(transaction, id, (&by, at))).await?))
}

async fn relearn_endpoints(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    MaybeBody(Endpoints { provider, model }): MaybeBody<Endpoints>,
) -> Result<Json<SeriesList>, ApiError> {
    let (by, at) = (caller.name.to_string(), Timestamp::now());
    let names = (provider.clone(), model.clone());
    let series = app.recorder.change(move |transaction, watches| {
        let (provider, model) = names;
        watches.relearn_endpoints(transaction, (provider.as_deref(), model.as_deref()), (&by, at))
    });
    let (series, sources) = series.await?;
    match provider.or(model) {
        Some(name) if series.is_empty() && sources == 0 => {
            Err(ApiError::body(format!("there is no series of \"{name}\"")))
        }
        _ => Ok(Json(SeriesList { series })),
    }
}

async fn delete(State(app): State<App>, Id(id): Id) -> Result<Json<Removed>, ApiError> {
    let at = Timestamp::now();
    app.recorder.change(move |transaction, watches| watches.delete(transaction, id, at)).await?;
    Ok(Json(Removed { deleted: id }))
}
