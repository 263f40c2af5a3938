//! `/api/v1/violations`: what was found, and what people made of it.

use axum::Json;
use axum::extract::{Extension, State};
use jiff::Timestamp;
use llmscope_core::{Metric, RuleSet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::operation::Operation;
use super::super::problem::{Flaw, Problem};
use super::super::take::{Between, Body, Id, MaybeBody, Query};
use crate::access::Caller;
use crate::store::{Annotation, ViolationFilter};
use crate::violation::{Status, Violation};

/// A page, unless told.
const PAGE: usize = 100;
/// The longest note, in bytes.
const LONGEST_NOTE: usize = 10_000;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ViolationsAsked")]
struct Asked {
    /// `new`, `acknowledged`, `resolved`, or several separated by commas.
    #[serde(default)]
    status: Option<String>,
    /// Still signalling, or not any more.
    #[serde(default)]
    open: Option<bool>,
    /// Of this rule: its code, or Nelson's number.
    #[serde(default)]
    rule: Option<String>,
    /// Of the series of this number.
    #[serde(default)]
    series: Option<i64>,
    /// Of this provider.
    #[serde(default)]
    provider: Option<String>,
    /// Of this model.
    #[serde(default)]
    model: Option<String>,
    /// Of this metric.
    #[serde(default)]
    metric: Option<Metric>,
    /// At most so many.
    #[serde(default)]
    limit: Option<Between<1, 1000>>,
    /// From before the violation of this number.
    #[serde(default)]
    before: Option<i64>,
}

#[derive(Serialize, JsonSchema)]
struct Violations {
    violations: Vec<Violation>,
    /// Where the next page begins: `before`.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<i64>,
}

/// Words that may go with it.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
struct MaybeNote {
    #[serde(default)]
    note: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoteText {
    text: String,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/violations", "Violations, the newest first", list)
            .asks::<Asked>()
            .gives::<Violations>(),
        Operation::get("/api/v1/violations/{id}", "A violation", one).gives::<Violation>(),
        Operation::post("/api/v1/violations/{id}/acknowledge", "Somebody took note of it", acknowledge)
            .takes::<MaybeNote>()
            .gives::<Violation>(),
        Operation::post("/api/v1/violations/{id}/resolve", "Somebody dealt with it", resolve)
            .takes::<MaybeNote>()
            .gives::<Violation>(),
        Operation::post("/api/v1/violations/{id}/notes", "Adds a note", note).takes::<NoteText>().gives::<Violation>(),
    ]
}

async fn list(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Json<Violations>, Problem> {
    let status = asked.status.as_deref().unwrap_or_default().split(',').filter(|name| !name.is_empty());
    let status = status.map(str::parse).collect::<Result<Vec<Status>, String>>();
    let limit = asked.limit.map_or(PAGE, |limit| limit.0 as usize);
    let filter = ViolationFilter {
        status: status.map_err(|words| Problem::query("status", words))?,
        open: asked.open,
        rule: asked.rule.as_deref().map(code).transpose()?,
        series: asked.series,
        provider: asked.provider,
        model: asked.model,
        metric: asked.metric,
        before: asked.before,
        limit,
    };
    let violations = app.ask(move |store| store.violations(&filter)).await?;
    let next = violations.last().filter(|_| violations.len() == limit).map(|violation| violation.id);
    Ok(Json(Violations { violations, next }))
}

/// The code of a rule, by it or by Nelson's number.
fn code(name: &str) -> Result<String, Problem> {
    let known = name.parse::<RuleSet>().map_err(|error| Problem::query("rule", error.to_string()))?;
    match known.rules() {
        [only] => Ok(only.code().to_string()),
        _ => Err(Problem::query("rule", format!("\"{name}\" is not one rule, such as nelson-2 or 2"))),
    }
}

async fn one(State(app): State<App>, Id(id): Id) -> Result<Json<Violation>, Problem> {
    app.ask(move |store| store.violation(id)).await.map(Json)
}

async fn acknowledge(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    MaybeBody(body): MaybeBody<MaybeNote>,
) -> Result<Json<Violation>, Problem> {
    annotate(&app, &caller, id, Some(Status::Acknowledged), body.note).await
}

async fn resolve(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    MaybeBody(body): MaybeBody<MaybeNote>,
) -> Result<Json<Violation>, Problem> {
    annotate(&app, &caller, id, Some(Status::Resolved), body.note).await
}

async fn note(
    State(app): State<App>,
    Extension(caller): Extension<Caller>,
    Id(id): Id,
    Body(body): Body<NoteText>,
) -> Result<Json<Violation>, Problem> {
    if body.text.trim().is_empty() {
        return Err(Problem::Invalid(vec![Flaw::new("body", Some("text"), "the note is empty")]));
    }
    annotate(&app, &caller, id, None, Some(body.text)).await
}

async fn annotate(
    app: &App,
    caller: &Caller,
    id: i64,
    status: Option<Status>,
    note: Option<String>,
) -> Result<Json<Violation>, Problem> {
    let note = note.map(|note| note.trim().to_owned()).filter(|note| !note.is_empty());
    if note.as_ref().is_some_and(|note| note.len() > LONGEST_NOTE) {
        return Err(Problem::body(format!("a note has at most {LONGEST_NOTE} bytes")));
    }
    let annotation = Annotation { status, note, by: caller.name.to_string(), at: Timestamp::now() };
    let annotated = app.recorder.change(move |transaction, watches| {
        let violation = transaction.annotate(id, &annotation)?;
        watches.note(&violation);
        Ok(violation)
    });
    Ok(Json(annotated.await?))
}
