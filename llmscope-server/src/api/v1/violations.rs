//! `/api/v1/violations`: violations and their annotations.

use axum::Json;
use axum::extract::{Extension, State};
use llmscope_core::{Metric, RuleSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Between, Body, Id, MaybeBody, Query};
use super::super::operation::Operation;
use super::annotation::{MaybeNote, NoteText, annotation, statuses, text};
use crate::access::Caller;
use crate::store::ViolationFilter;
use crate::violation::{Violation, ViolationStatus};

/// The default number of violations on a page.
const PAGE: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ViolationsQuery {
    /// Only violations with one of these statuses: `new`, `acknowledged`, `resolved`, or several separated by commas.
    #[serde(default)]
    status: Option<String>,
    /// Only violations whose rule still signals (true) or no longer signals (false).
    #[serde(default)]
    open: Option<bool>,
    /// Only violations of this rule: its code, or the number of a Nelson rule.
    #[serde(default)]
    rule: Option<String>,
    /// Only violations of the series with this id.
    #[serde(default)]
    series: Option<i64>,
    /// Only violations of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Only violations of this model.
    #[serde(default)]
    model: Option<String>,
    /// Only violations of this metric.
    #[serde(default)]
    metric: Option<Metric>,
    /// At most N violations.
    #[serde(default)]
    limit: Option<Between<1, 1000>>,
    /// Only violations older than the violation with this id.
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct Violations {
    violations: Vec<Violation>,
    /// The value of `before` for the next page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/violations", "List violations, newest first", list)
            .query::<ViolationsQuery>()
            .response::<Violations>(),
        Operation::get("/api/v1/violations/{id}", "Return a violation", one).response::<Violation>(),
        Operation::post("/api/v1/violations/{id}/acknowledge", "Acknowledge a violation", acknowledge)
            .body::<MaybeNote>()
            .response::<Violation>(),
        Operation::post("/api/v1/violations/{id}/resolve", "Resolve a violation", resolve)
            .body::<MaybeNote>()
            .response::<Violation>(),
        Operation::post("/api/v1/violations/{id}/notes", "Add a note to a violation", note)
            .body::<NoteText>()
            .response::<Violation>(),
    ]
}

async fn list(State(app): State<App>, Query(query): Query<ViolationsQuery>) -> Result<Json<Violations>, ApiError> {
    let limit = query.limit.map_or(PAGE, |limit| limit.0 as usize);
    let filter = ViolationFilter {
        status: statuses(query.status.as_deref())?,
        open: query.open,
        rule: query.rule.as_deref().map(code).transpose()?,
        series: query.series,
        provider: query.provider,
        model: query.model,
        metric: query.metric,
        before: query.before,
        limit,
    };
    let violations = app.read(move |store| store.violations(&filter)).await?;
    let next = violations.last().filter(|_| violations.len() == limit).map(|violation| violation.id);
    Ok(Json(Violations { violations, next }))
}

/// The code of a rule that is given by its code or by the number of a Nelson rule.
fn code(name: &str) -> Result<String, ApiError> {
    let known = name.parse::<RuleSet>().map_err(|error| ApiError::query("rule", error.to_string()))?;
    match known.rules() {
        [only] => Ok(only.code().to_string()),
        _ => Err(ApiError::query(
            "rule",
            format!("invalid rule \"{name}\": expected a single rule, such as nelson-2 or 2"),
        )),
    }
}

async fn one(State(app): State<App>, Id(id): Id) -> Result<Json<Violation>, ApiError> {
    app.read(move |store| store.violation(id)).await.map(Json)
}

async fn acknowledge(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    MaybeBody(body): MaybeBody<MaybeNote>,
) -> Result<Json<Violation>, ApiError> {
    annotate(&app, &caller, id, Some(ViolationStatus::Acknowledged), body.note).await
}

async fn resolve(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    MaybeBody(body): MaybeBody<MaybeNote>,
) -> Result<Json<Violation>, ApiError> {
    annotate(&app, &caller, id, Some(ViolationStatus::Resolved), body.note).await
}

async fn note(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Body(body): Body<NoteText>,
) -> Result<Json<Violation>, ApiError> {
    annotate(&app, &caller, id, None, Some(text(body.text)?)).await
}

async fn annotate(
    app: &App,
    caller: &Caller,
    id: i64,
    status: Option<ViolationStatus>,
    note: Option<String>,
) -> Result<Json<Violation>, ApiError> {
    let annotation = annotation(caller, status, note)?;
    let annotated = app.recorder.change(move |transaction, watches| {
        let violation = transaction.annotate(id, &annotation)?;
        watches.note(&violation);
        Ok(violation)
    });
    Ok(Json(annotated.await?))
}
