//! `/api/v1/series`: the series and their state.

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::Id;
use super::super::operation::Operation;
use crate::series::Series;
use crate::store::StoredSeries;
use crate::watches::view;

#[derive(Serialize, JsonSchema)]
struct SeriesList {
    series: Vec<Series>,
}

#[derive(Serialize, JsonSchema)]
struct Removed {
    /// The id of the removed series.
    deleted: i64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/series", "List all series and their state", list).response::<SeriesList>(),
        Operation::post(
            "/api/v1/series/{id}/relearn",
            "Take the present level as normal: learn limits and alarm again, and end the incident",
            relearn,
        )
        .response::<Series>(),
        Operation::delete("/api/v1/series/{id}", "Remove a series and its violations, but not its records", delete)
            .admin()
            .response::<Removed>(),
    ]
}

async fn list(State(app): State<App>) -> Result<Json<SeriesList>, ApiError> {
    let stored = app.read(|store| store.series()).await?;
    Ok(Json(SeriesList { series: with_alarms(&app, &stored) }))
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

async fn relearn(State(app): State<App>, Id(id): Id) -> Result<Json<Series>, ApiError> {
    let at = Timestamp::now();
    Ok(Json(app.recorder.change(move |transaction, watches| watches.relearn(transaction, id, at)).await?))
}

async fn delete(State(app): State<App>, Id(id): Id) -> Result<Json<Removed>, ApiError> {
    app.recorder.change(move |transaction, watches| watches.delete(transaction, id)).await?;
    Ok(Json(Removed { deleted: id }))
}
