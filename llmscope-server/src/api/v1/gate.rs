//! `GET /api/v1/gate`: whether one session is worse than another.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{Gate, GatePlan, gate};
use llmscope_core::ingest::{Content, Log, Tool};
use llmscope_core::{Objective, Unit};
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::Query;
use super::super::operation::Operation;
use crate::store::Store;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GateQuery {
    /// Id of the baseline session.
    baseline: i64,
    /// Id of the candidate session, which is judged.
    candidate: i64,
    /// Metrics, separated by commas; by default, those of the default metrics that the sessions have.
    #[serde(default)]
    metric: Option<String>,
    /// Probability of failing an unchanged candidate.
    #[serde(default)]
    alpha: Option<String>,
    /// Largest allowed shift for the worse, such as 5%.
    #[serde(default)]
    max_shift: Option<String>,
    /// Objectives of a request or of a run, such as ttft=500ms,ttft.p99=1s,errors=1%.
    #[serde(default)]
    slo: Option<String>,
    /// Standard deviation between runs of one build, such as 10%. 0 restricts the answer to these two sessions.
    #[serde(default)]
    run_sd: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/gate", "Compare two sessions (llmscope.gate/2)", compare)
            .query::<GateQuery>()
            .response::<Gate>(),
    ]
}

async fn compare(State(app): State<App>, Query(query): Query<GateQuery>) -> Result<Json<Gate>, ApiError> {
    app.run_blocking(move |store| compared(store, &query)).await.map(Json)
}

fn compared(store: &dyn Store, query: &GateQuery) -> Result<Gate, ApiError> {
    let plan = plan(query)?;
    let (baseline, candidate) = (series(store, query, query.baseline)?, series(store, query, query.candidate)?);
    Ok(gate(&baseline, &candidate, &plan)?.at(Timestamp::now()))
}

fn plan(query: &GateQuery) -> Result<GatePlan, ApiError> {
    let defaults = GatePlan::default();
    let share = |name: &str, text: &Option<String>, usual: f64| match text {
        None => Ok(usual),
        Some(text) => Unit::One.parse(text).map_err(|error| ApiError::query(name, error.to_string())),
    };
    let objectives = query.slo.as_deref().map(Objective::list).transpose();
    Ok(GatePlan {
        alpha: share("alpha", &query.alpha, defaults.alpha)?,
        max_shift: share("max_shift", &query.max_shift, defaults.max_shift)?,
        run_sd: query.run_sd.is_some().then(|| share("run_sd", &query.run_sd, 0.0)).transpose()?,
        objectives: objectives.map_err(|error| ApiError::query("slo", error.to_string()))?.unwrap_or_default(),
        ..defaults
    })
}

fn series(store: &dyn Store, query: &GateQuery, id: i64) -> Result<Vec<Series>, ApiError> {
    let content = Content::Session(Arc::new(store.session(id)?));
    let log = Log { source: format!("session {id}"), tool: Tool::LLMSCOPE, content, warnings: Vec::new() };
    let names = query.metric.as_deref().unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let measures = names.map(|name| Ok(Measure::Metric(name.trim().parse()?))).collect::<Result<_, ApiError>>()?;
    Ok(Selection { measures, ..Selection::default() }.series([&log])?)
}
