//! `/api/v1/sessions`: logs of any tool that is read, kept beside what arrives live.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use jiff::Timestamp;
use llmscope_core::Session;
use llmscope_core::ingest::{self, Content};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::App;
use super::super::answer::FileFormat;
use super::super::operation::Operation;
use super::super::problem::Problem;
use super::super::take::{Id, Query, body};
use crate::session::{SessionSummary, Upload};

/// The largest log.
const LOG_BYTES: usize = 256 << 20;
const LONGEST_NAME: usize = 200;

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UploadAsked")]
struct Named {
    /// What it is to be called.
    #[serde(default)]
    name: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SessionAsked")]
struct As {
    /// How it is written.
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
    /// Its requests.
    deleted: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/sessions", "Uploaded sessions, the newest first", list).gives::<Sessions>(),
        Operation::post("/api/v1/sessions", "Keeps a log of any tool that is read", upload)
            .asks::<Named>()
            .takes_kind("application/octet-stream")
            .takes_kind("application/json")
            .up_to(LOG_BYTES)
            .gives_with::<SessionSummary>(StatusCode::CREATED),
        Operation::get("/api/v1/sessions/{id}", "The session, as it was", one)
            .asks::<As>()
            .gives::<Session>()
            .gives_kind("application/x-ndjson")
            .gives_kind("text/csv")
            .gives_kind("application/vnd.apache.parquet"),
        Operation::delete("/api/v1/sessions/{id}", "Removes a session", delete).gives::<Deleted>(),
    ]
}

async fn list(State(app): State<App>) -> Result<Json<Sessions>, Problem> {
    Ok(Json(Sessions { sessions: app.ask(|store| store.sessions()).await? }))
}

async fn upload(State(app): State<App>, Query(asked): Query<Named>, request: Request) -> Result<Response, Problem> {
    let at = Timestamp::now();
    let bytes = body(request, &app).await?;
    let (upload, notices) = app.work(move |_| read(asked.name, &bytes, at)).await?;
    let summary = app.recorder.change(move |transaction, _| transaction.insert_session(&upload)).await?;
    Ok((StatusCode::CREATED, Json(SessionSummary { notices, ..summary })).into_response())
}

/// The session of a log, and what was odd about it.
fn read(name: Option<String>, bytes: &[u8], at: Timestamp) -> Result<(Upload, Vec<String>), Problem> {
    if name.as_ref().is_some_and(|name| name.len() > LONGEST_NAME) {
        return Err(Problem::query("name", format!("a name has at most {LONGEST_NAME} bytes")));
    }
    let source = name.clone().unwrap_or_else(|| "body".to_owned());
    if bytes.starts_with(b"PAR1") || bytes.starts_with(b"ARROW1") {
        // A damaged one could take the service down: it is turned into JSON Lines where nothing else is lost with it.
        let words = "Parquet and Arrow files are not read here: turn it into JSON Lines (llmscope-cli convert)";
        return Err(Problem::Unsupported(words.to_owned()));
    }
    let log = ingest::read(&source, bytes, None).map_err(|error| Problem::body(error.to_string()))?;
    let notices = log.notices.iter().map(|notice| format!("{}: {}", notice.location, notice.message)).collect();
    let Content::Session(session) = log.content else {
        let words = "the log holds no requests with times of known meaning, but a table: name its columns and make it a \
                     session (llmscope-cli convert --map ttft_s=COLUMN:ms … -o run.json)";
        return Err(Problem::body(words));
    };
    let session = Arc::unwrap_or_clone(session);
    session.check(&source).map_err(|error| Problem::body(error.to_string()))?;
    let name = name.or_else(|| session.header.name.clone()).unwrap_or_else(|| format!("{} {at:.0}", log.tool.name()));
    Ok((Upload { name, tool: log.tool.name().to_owned(), at, session }, notices))
}

async fn one(State(app): State<App>, Id(id): Id, Query(asked): Query<As>) -> Result<Response, Problem> {
    let format = asked.format.unwrap_or_default();
    app.work(move |store| format.file(&store.session(id)?, &format!("session-{id}"))).await
}

async fn delete(State(app): State<App>, Id(id): Id) -> Result<Json<Deleted>, Problem> {
    let deleted = app.recorder.change(move |transaction, _| transaction.delete_session(id)).await?;
    Ok(Json(Deleted { deleted }))
}
