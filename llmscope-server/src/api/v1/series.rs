//! `/api/v1/series`: what is watched, and how it stands.

use axum::Json;
use axum::extract::State;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use crate::series::Series;
use crate::watches::view;

#[derive(Serialize, JsonSchema)]
struct SeriesList {
    series: Vec<Series>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::get("/api/v1/series", "Every series and how it stands", list).gives::<SeriesList>()]
}

async fn list(State(app): State<App>) -> Result<Json<SeriesList>, Problem> {
    let stored = app.ask(|store| store.series()).await?;
    let series = stored.iter().map(|series| view(&series.state, series.open.len())).collect();
    Ok(Json(SeriesList { series }))
}
