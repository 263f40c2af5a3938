//! The service itself: who asks, the machine, old records, a copy of the store.

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
use super::super::answer::file;
use super::super::operation::Operation;
use super::super::problem::Problem;
use crate::access::{Scope, caller};
use crate::machine::MachineReading;
use crate::retention;

#[derive(Serialize, JsonSchema)]
struct Whoami {
    /// The name of the key; absent for who has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// What it may do.
    scopes: Vec<Scope>,
    /// True if there are no keys: whoever is on this machine may do everything.
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
        Operation::get("/api/v1/whoami", "Who asks, and what they may", whoami).open().gives::<Whoami>(),
        Operation::get("/api/v1/machine", "What the machine is and does", machine).gives::<MachineNow>(),
        Operation::post("/api/v1/cleanup", "Removes what is older than the retention", cleanup)
            .admin()
            .gives::<Cleaned>(),
        Operation::post("/api/v1/backup", "A copy of the store, taken while it is in use", backup)
            .admin()
            .gives_kind("application/vnd.sqlite3"),
    ]
}

/// Whoever has no key, or a wrong one, is nobody; only too many wrong ones are refused.
async fn whoami(State(app): State<App>, request: Request) -> Result<Json<Whoami>, Problem> {
    let caller = match caller(&app, &request) {
        Ok(caller) => Some(caller),
        Err(Problem::Unauthenticated | Problem::WrongKey) => None,
        Err(problem) => return Err(problem),
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

async fn cleanup(State(app): State<App>) -> Result<Json<Cleaned>, Problem> {
    Ok(Json(Cleaned { deleted: retention::clean(&app.recorder, app.retention_days).await? }))
}

async fn backup(State(app): State<App>) -> Result<Response, Problem> {
    let copy = app.work(|store| {
        // It has a name as long as it is written, and goes with the last who reads it.
        let copy = tempfile::NamedTempFile::new().map_err(|error| broken(&error))?;
        store.backup(copy.path())?;
        copy.reopen().map_err(|error| broken(&error))
    });
    let name = format!("llmscope-{}.db", Timestamp::now().strftime("%Y%m%dT%H%M%SZ"));
    Ok(file(streamed(copy.await?), "application/vnd.sqlite3", &name))
}

/// A file, piece by piece: a store may be larger than the memory.
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
            // Whoever reads may have gone: then there is no more to do.
            if matches!(&read, Ok(piece) if piece.is_empty()) || pieces.blocking_send(read).is_err() || is_broken {
                return;
            }
        }
    });
    // Who packs it asks once more after its end.
    let pieces = stream::unfold(waiting, async |mut waiting| Some((waiting.recv().await?, waiting)));
    Body::from_stream(pieces.fuse())
}

fn broken(error: &std::io::Error) -> Problem {
    tracing::error!(%error, "a backup could not be written");
    Problem::Internal
}
