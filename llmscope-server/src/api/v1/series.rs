//! `/api/v1/series`: what is watched, and how it stands.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::Id;
use crate::series::Series;
use crate::watches::view;

#[derive(Serialize, JsonSchema)]
struct SeriesList {
    series: Vec<Series>,
}

#[derive(Serialize, JsonSchema)]
struct Removed {
    /// Its number.
    deleted: i64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/series", "Every series and how it stands", list).gives::<SeriesList>(),
        Operation::delete("/api/v1/series/{id}", "Removes a series with its violations; its records stay", delete)
            .admin()
            .gives::<Removed>(),
    ]
}

async fn list(State(app): State<App>) -> Result<Json<SeriesList>, Problem> {
    let stored = app.ask(|store| store.series()).await?;
    let series = stored.iter().map(|series| view(&series.state, series.open.len())).collect();
    Ok(Json(SeriesList { series }))
}

async fn delete(State(app): State<App>, Id(id): Id) -> Result<Json<Removed>, Problem> {
    app.recorder.change(move |transaction, watches| watches.delete(transaction, id)).await?;
    Ok(Json(Removed { deleted: id }))
}
