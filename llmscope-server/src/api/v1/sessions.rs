//! `/api/v1/sessions`: uploaded logs of supported tools, stored separately from live records.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use llmscope_core::ingest::{self, Content, Table};
use llmscope_core::session::RequestRecord;
use llmscope_core::{Metric, Session};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::api_error::ApiError;
use super::super::extract::{Id, Query, body};
use super::super::operation::Operation;
use super::super::response::FileFormat;
use crate::session::{SessionSummary, Upload};

/// The largest log, in bytes.
const LOG_BYTES: usize = 256 << 20;
const LONGEST_NAME: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UploadQuery {
    /// The name of the session; by default, that in the log, or else the tool and the time.
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SessionQuery {
    /// The format of the file.
    #[serde(default)]
    format: Option<FileFormat>,
}

#[derive(Serialize, JsonSchema)]
struct Sessions {
    sessions: Vec<SessionSummary>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeletedRecords")]
struct Deleted {
    /// The number of removed requests.
    deleted: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/sessions", "List uploaded sessions, newest first", list).response::<Sessions>(),
        Operation::post("/api/v1/sessions", "Upload a log of a supported tool", upload)
            .query::<UploadQuery>()
            .body_type("application/octet-stream")
            .body_type("application/json")
            .body_limit(LOG_BYTES)
            .response_with_status::<SessionSummary>(StatusCode::CREATED),
        Operation::get("/api/v1/sessions/{id}", "Download a session", one)
            .query::<SessionQuery>()
            .response::<Session>()
            .response_type("application/x-ndjson")
            .response_type("text/csv")
            .response_type("application/vnd.apache.parquet"),
        Operation::delete("/api/v1/sessions/{id}", "Remove a session and its requests", delete).response::<Deleted>(),
    ]
}

async fn list(State(app): State<App>) -> Result<Json<Sessions>, ApiError> {
    Ok(Json(Sessions { sessions: app.read(|store| store.sessions()).await? }))
}

async fn upload(
    State(app): State<App>,
    Query(query): Query<UploadQuery>,
    request: Request,
) -> Result<Response, ApiError> {
    let at = Timestamp::now();
    let bytes = body(request, &app).await?;
    let (upload, warnings) = app.parse(move || read(query.name, &bytes, at)).await?;
    let summary = app.recorder.change(move |transaction, _| transaction.insert_session(&upload)).await?;
    Ok((StatusCode::CREATED, Json(SessionSummary { warnings, ..summary })).into_response())
}

/// Reads the session of a log, and the reader's warnings.
fn read(name: Option<String>, bytes: &[u8], at: Timestamp) -> Result<(Upload, Vec<String>), ApiError> {
    if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
        return Err(ApiError::query("name", format!("the name is too long: expected at most {LONGEST_NAME} bytes")));
    }
    let source = name.clone().unwrap_or_else(|| "body".to_owned());
    if bytes.starts_with(b"PAR1") || bytes.starts_with(b"ARROW1") {
        // A damaged file could crash the reader and the service with it, so users convert such files themselves.
        let message = "the service does not read Parquet and Arrow files: convert the log to JSON Lines with \
        `llmscope convert`";
        return Err(ApiError::Unsupported(message.to_owned()));
    }
    let log = ingest::read(&source, bytes, None).map_err(|error| ApiError::body(error.to_string()))?;
    let warnings = log.warnings.iter().map(|warning| format!("{}: {}", warning.location, warning.message)).collect();
    let session = match log.content {
        Content::Session(session) => Arc::unwrap_or_clone(session),
        Content::Table(table) => session_of(&table, &source)?,
    };
    session.check(&source).map_err(|error| ApiError::body(error.to_string()))?;
    let name = name.or_else(|| session.header.name.clone()).unwrap_or_else(|| format!("{} {at:.0}", log.tool.name()));
    Ok((Upload { name, tool: log.tool.name().to_owned(), at, session }, warnings))
}

/// The rows of a table as requests, if its columns have names of metrics or tell failures.
fn session_of(table: &Table, source: &str) -> Result<Session, ApiError> {
    if table.of_runs {
        let message = "the log has summaries of runs, without their requests: judge it with `llmscope analyze`";
        return Err(ApiError::body(message));
    }
    let session = table.to_session(source).map_err(|error| ApiError::body(error.to_string()))?;
    // The error rate of a request that succeeded says nothing, if nothing else is known.
    let is_known = |record: &RequestRecord, metric| metric != Metric::ErrorRate && record.metric(metric).is_some();
    let says_something =
        |record: &RequestRecord| !record.succeeded() || Metric::ALL.iter().any(|metric| is_known(record, *metric));
    if !session.records.iter().any(says_something) {
        let message = "the log is a table of numbers without known metrics: map its columns and convert it to a session \
        with `llmscope convert --map ttft_s=COLUMN:ms … -o run.json`";
        return Err(ApiError::body(message));
    }
    Ok(session)
}

async fn one(State(app): State<App>, Id(id): Id, Query(query): Query<SessionQuery>) -> Result<Response, ApiError> {
    let format = query.format.unwrap_or_default();
    app.run_blocking(move |store| format.file(&store.session(id)?, &format!("session-{id}"))).await
}

async fn delete(State(app): State<App>, Id(id): Id) -> Result<Json<Deleted>, ApiError> {
    let deleted = app.recorder.change(move |transaction, _| transaction.delete_session(id)).await?;
    Ok(Json(Deleted { deleted }))
}
