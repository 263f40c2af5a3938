//! The API of the previous LLMscope service: every call with its response formats, statuses and messages, without its
//! bugs.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;

mod bounds;
mod cost;
mod data;
mod export;
mod keys;
mod log;
mod spc;
mod state;
mod stats;

use client::values::records;
use client::{Client, Running};
use serde_json::{Value, json};

/// Logs requests of one provider like a monitor.
fn log_all(client: &Client, provider: &str, latencies_s: &[f64]) {
    for latency in latencies_s {
        client.post("/api/log", &json!({"provider": provider, "latency": latency})).ok();
    }
}

/// Stores many requests at once; `None` is a failed one.
fn keep_all(client: &Client, provider: &str, model: &str, latencies_s: &[Option<f64>]) {
    let records = records(provider, model, latencies_s);
    assert_eq!(client.post("/api/v1/records", &Value::Array(records)).ok()["stored"], latencies_s.len());
}

fn all_succeeded(latencies_s: &[f64]) -> Vec<Option<f64>> {
    latencies_s.iter().copied().map(Some).collect()
}

#[track_caller]
fn assert_close(found: &Value, expected: f64, what: &str) {
    let found = found.as_f64().unwrap();
    assert!((found - expected).abs() <= 1e-12 * expected.abs().max(1e-3), "{what}: {found}, expected {expected}");
}
