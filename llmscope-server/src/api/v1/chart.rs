//! `GET /api/v1/chart.svg`, `chart.png`: the chart of the first analysis as a picture.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use llmscope_core::{Transform, plot};

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::Query;
use super::analysis::{Asked, analyses};
use crate::store::Store;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/chart.svg", "The chart as SVG", svg).asks::<Asked>().gives_kind("image/svg+xml"),
        Operation::get("/api/v1/chart.png", "The chart as PNG", png).asks::<Asked>().gives_kind("image/png"),
    ]
}

async fn svg(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let usual = app.transform;
    let picture = app.work(move |store| drawn(store, &asked, usual)).await?;
    // The picture's own styles, and nothing else, where it is opened by itself.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok(([(CONTENT_TYPE, "image/svg+xml"), (CONTENT_SECURITY_POLICY, policy)], picture).into_response())
}

async fn png(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let usual = app.transform;
    let picture = app.work(move |store| Ok(plot::png(&drawn(store, &asked, usual)?)?)).await?;
    Ok(([(CONTENT_TYPE, "image/png")], picture).into_response())
}

fn drawn(store: &dyn Store, asked: &Asked, usual: Transform) -> Result<String, Problem> {
    let first = analyses(store, asked, usual)?.into_iter().next();
    let analysis = first.ok_or_else(|| Problem::NotFound("no values are selected".to_owned()))?;
    Ok(plot::svg(&analysis))
}
