//! Restarts of a service on the same file, and files that are not stores.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;

mod crash;
mod definitions;
mod files;
mod judging;
mod memory;
mod migration;
mod retries;
mod rules;

use client::values::{records, steady, unsteady};
use client::{Client, Running, by_rules};
use llmscope_server::WatchSettings;
use serde_json::{Value, json};

/// The number of values to learn limits from in these tests.
const LEARN: usize = 20;

/// Records of one series: steady while limits are learned, then unsteady.
fn history(seed: u64, n: usize) -> Vec<Value> {
    let latencies_s = [steady(seed, LEARN), unsteady(seed, n - LEARN)].concat();
    records("openai", "gpt-4o", &latencies_s.into_iter().map(Some).collect::<Vec<_>>())
}

fn keep(client: &Client, records: &[Value]) {
    if !records.is_empty() {
        client.post("/api/v1/records", &json!(records)).ok();
    }
}

/// Limits from [`LEARN`] values.
fn watch() -> WatchSettings {
    WatchSettings { learn: LEARN, ..by_rules() }
}

fn series(client: &Client) -> Value {
    client.get("/api/v1/series").ok()["series"].clone()
}

fn violations(client: &Client) -> Vec<Value> {
    client.get("/api/v1/violations?limit=1000").ok()["violations"].as_array().unwrap().clone()
}
