//! The service itself: the caller's identity, the machine, the cleanup of old records, backups.

use std::io::Read as _;

use axum::Json;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream::{self, StreamExt as _};
use jiff::Timestamp;
use llmscope_core::session::Environment;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::App;
use super::super::api_error::ApiError;
use super::super::operation::Operation;
use super::super::response::file;
use crate::access::{Scope, caller};
use crate::machine::MachineReading;
use crate::retention;

#[derive(Serialize, JsonSchema)]
struct Whoami {
    /// The name of the caller's key; absent without a valid key.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// The scopes of the caller.
    scopes: Vec<Scope>,
    /// True if the service has no keys: then every client on this machine has all scopes.
    keyless: bool,
    version: &'static str,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "MachineAnswer")]
struct MachineNow {
    environment: Environment,
    #[serde(skip_serializing_if = "Option::is_none")]
    sample: Option<MachineReading>,
}

#[derive(Serialize, JsonSchema)]
struct Cleaned {
    deleted: u64,
}

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/api/v1/whoami", "Report the caller's identity and scopes", whoami).open().response::<Whoami>(),
        Operation::get("/api/v1/machine", "Describe the machine and its utilization", machine).response::<MachineNow>(),
        Operation::post("/api/v1/cleanup", "Remove records and violations older than their retention periods", cleanup)
            .admin()
            .response::<Cleaned>(),
        Operation::post("/api/v1/backup", "Download a backup of the store, taken while it is in use", backup)
            .admin()
            .response_type("application/vnd.sqlite3"),
    ]
}

/// A caller with a missing or wrong key has no name and no scopes. Only too many wrong keys are refused.
async fn whoami(State(app): State<App>, request: Request) -> Result<Json<Whoami>, ApiError> {
    let caller = match caller(&app, &request) {
        Ok(caller) => Some(caller),
        Err(ApiError::Unauthenticated | ApiError::WrongKey) => None,
        Err(error) => return Err(error),
    };
    let may = |scope: &Scope| caller.as_ref().is_some_and(|caller| *scope <= caller.scope);
    Ok(Json(Whoami {
        scopes: Scope::ALL.into_iter().filter(may).collect(),
        name: caller.map(|caller| caller.name.to_string()),
        keyless: app.keys.is_empty(),
        version: env!("CARGO_PKG_VERSION"),
    }))
}

async fn machine(State(app): State<App>) -> Json<MachineNow> {
    Json(MachineNow { environment: app.machine.environment(), sample: app.machine.latest() })
}

async fn cleanup(State(app): State<App>) -> Result<Json<Cleaned>, ApiError> {
    let deleted = retention::clean(&app.recorder, app.retention_days).await?;
    app.metrics.removed_records.add(deleted);
    app.metrics.removed_violations.add(retention::clean_violations(&app.recorder, app.violation_days).await?);
    Ok(Json(Cleaned { deleted }))
}

async fn backup(State(app): State<App>) -> Result<Response, ApiError> {
    let copy = app.run_blocking(|store| {
        // The file has a name only while it is written; it is removed when the last reader closes it.
        let copy = tempfile::NamedTempFile::new().map_err(|error| broken(&error))?;
        store.backup(copy.path())?;
        copy.reopen().map_err(|error| broken(&error))
    });
    let name = format!("llmscope-{}.db", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    Ok(file(streamed(copy.await?), "application/vnd.sqlite3", &name))
}

/// Streams a file in pieces, because a store may be larger than the memory.
fn streamed(mut file: std::fs::File) -> Body {
    const PIECE: usize = 256 << 10;
    let (pieces, waiting) = tokio::sync::mpsc::channel::<std::io::Result<Bytes>>(2);
    tokio::task::spawn_blocking(move || {
        loop {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece).map(|read| {
                piece.truncate(read);
                Bytes::from(piece)
            });
            let is_broken = read.is_err();
            // If the reader is gone, there is nothing left to do.
            if matches!(&read, Ok(piece) if piece.is_empty()) || pieces.blocking_send(read).is_err() || is_broken {
                return;
            }
        }
    });
    // The compression layer polls once more after the end.
    let pieces = stream::unfold(waiting, async |mut waiting| Some((waiting.recv().await?, waiting)));
    Body::from_stream(pieces.fuse())
}

fn broken(error: &std::io::Error) -> ApiError {
    tracing::error!(%error, "cannot write a backup");
    ApiError::Internal
}
