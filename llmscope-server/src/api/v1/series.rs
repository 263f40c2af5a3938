//! `/api/v1/series`: the series and their state.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::Id;
use super::super::operation::Operation;
use crate::series::Series;
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
        Operation::delete("/api/v1/series/{id}", "Remove a series and its violations, but not its records", delete)
            .admin()
            .response::<Removed>(),
    ]
}

async fn list(State(app): State<App>) -> Result<Json<SeriesList>, ApiError> {
    let stored = app.read(|store| store.series()).await?;
    let series = stored.iter().map(|series| view(&series.state, series.open.len())).collect();
    Ok(Json(SeriesList { series }))
}

async fn delete(State(app): State<App>, Id(id): Id) -> Result<Json<Removed>, ApiError> {
    app.recorder.change(move |transaction, watches| watches.delete(transaction, id)).await?;
    Ok(Json(Removed { deleted: id }))
}
