//! `GET /api/v1/gate`: is one session worse than another?

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jiff::Timestamp;
use llmscope_core::Metric;
use llmscope_core::Unit;
use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{Gate, GatePlan, Objective, gate};
use llmscope_core::ingest::{Content, Log, Tool};
use llmscope_harness::Objectives;
use schemars::JsonSchema;
use serde::Deserialize;

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::Query;
use crate::store::Store;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "GateAsked")]
struct Asked {
    /// The session that is compared with.
    baseline: i64,
    /// The session that is judged.
    candidate: i64,
    /// Metrics, separated by commas; without them, those that are present of the usual ones.
    #[serde(default)]
    metric: Option<String>,
    /// Chance of failing a candidate that has not changed.
    #[serde(default)]
    alpha: Option<String>,
    /// Largest shift for the worse that is allowed, such as 5%.
    #[serde(default)]
    max_shift: Option<String>,
    /// Objectives, such as ttft=500ms,e2e=2s.
    #[serde(default)]
    slo: Option<String>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/gate", "Two sessions compared (llmscope.gate/1)", compare)
            .asks::<Asked>()
            .gives::<Gate>(),
    ]
}

async fn compare(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Gate>, Problem> {
    app.work(move |store| compared(store, &asked)).await.map(Json)
}

fn compared(store: &dyn Store, asked: &Asked) -> Result<Gate, Problem> {
    let plan = plan(asked)?;
    let (baseline, candidate) = (series(store, asked, asked.baseline)?, series(store, asked, asked.candidate)?);
    Ok(Gate { generated_at: Some(Timestamp::now()), ..gate(&baseline, &candidate, &plan)? })
}

fn plan(asked: &Asked) -> Result<GatePlan, Problem> {
    let defaults = GatePlan::default();
    let share = |name: &str, text: &Option<String>, usual: f64| match text {
        None => Ok(usual),
        Some(text) => Unit::One.parse(text).map_err(|error| Problem::query(name, error.to_string())),
    };
    let slo = asked.slo.as_deref().map(str::parse::<Objectives>).transpose();
    let slo = slo.map_err(|error| Problem::query("slo", error.to_string()))?.unwrap_or_default();
    let limits = [(Metric::Ttft, slo.ttft_s), (Metric::Tpot, slo.tpot_s), (Metric::E2e, slo.e2e_s)];
    Ok(GatePlan {
        alpha: share("alpha", &asked.alpha, defaults.alpha)?,
        max_shift: share("max_shift", &asked.max_shift, defaults.max_shift)?,
        objectives: limits.iter().filter_map(|&(metric, limit)| Some(Objective { metric, limit: limit? })).collect(),
        ..defaults
    })
}

fn series(store: &dyn Store, asked: &Asked, id: i64) -> Result<Vec<Series>, Problem> {
    let content = Content::Session(Arc::new(store.session(id)?));
    let log = Log { source: format!("session {id}"), tool: Tool::LLMSCOPE, content, notices: Vec::new() };
    let names = asked.metric.as_deref().unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let measures = names.map(|name| Ok(Measure::Metric(name.trim().parse()?))).collect::<Result<_, Problem>>()?;
    Ok(Selection { measures, ..Selection::default() }.series([&log])?)
}
