//! `GET /api/v1/chart.svg`, `chart.png`: the chart of the first analysis as an image.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use llmscope_core::{Transform, plot};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::Query;
use super::super::operation::Operation;
use super::analysis::{AnalysisQuery, judged};
use crate::store::Store;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/chart.svg", "Draw the chart as SVG", svg)
            .query::<AnalysisQuery>()
            .response_type("image/svg+xml"),
        Operation::get("/api/v1/chart.png", "Draw the chart as PNG", png)
            .query::<AnalysisQuery>()
            .response_type("image/png"),
    ]
}

async fn svg(State(app): State<App>, Query(query): Query<AnalysisQuery>) -> Result<Response, ApiError> {
    let usual = app.transform;
    let picture = app.run_blocking(move |store| draw(store, &query, usual)).await?;
    // If the image is opened on its own, allow its inline styles and nothing else.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    Ok(([(CONTENT_TYPE, "image/svg+xml"), (CONTENT_SECURITY_POLICY, policy)], picture).into_response())
}

async fn png(State(app): State<App>, Query(query): Query<AnalysisQuery>) -> Result<Response, ApiError> {
    let usual = app.transform;
    let picture = app.run_blocking(move |store| Ok(plot::png(&draw(store, &query, usual)?)?)).await?;
    Ok(([(CONTENT_TYPE, "image/png")], picture).into_response())
}

fn draw(store: &dyn Store, query: &AnalysisQuery, usual: Transform) -> Result<String, ApiError> {
    let first = judged(store, query, usual)?.report.analyses.into_iter().next();
    let analysis = first.ok_or_else(|| ApiError::NotFound("no values match the query".to_owned()))?;
    Ok(plot::svg(&analysis))
}
