//! Tests with third-party programs: OpenTelemetry's SDK exports spans to the service, and Schemathesis generates
//! requests from its OpenAPI document. `make engines` installs them.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;
mod otlp;
mod schemathesis;

use std::path::PathBuf;
use std::process::Command;

/// A program of the environment that `make engines` creates.
fn program(name: &str) -> Command {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/engines/python/bin").join(name);
    assert!(built.exists(), "{} does not exist: run `make engines`", built.display());
    Command::new(built)
}
