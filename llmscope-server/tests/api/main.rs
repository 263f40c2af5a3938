//! `/api/v1` on real sockets, compared with the results of the core for the same requests.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;

mod analysis;
mod annotations;
mod baselines;
mod events;
mod files;
mod incidents;
mod joined;
mod lifecycle;
mod load;
mod metrics;
mod openapi;
mod paging;
mod records;
mod service;
mod sessions;
mod silence;
mod spans;
mod transforms;
mod violations;

use client::values::{records, steady};
use client::{Client, Running};
use serde_json::{Value, json};

/// The number of values to learn limits from in these tests.
const LEARN: usize = 20;

/// Stores records.
fn keep(client: &Client, records: &[Value]) {
    assert_eq!(client.post("/api/v1/records", &json!(records)).ok()["stored"], records.len());
}

/// Stores latencies of `openai`'s `gpt-4o`.
fn keep_latencies(client: &Client, latencies_s: &[f64]) {
    keep(client, &records("openai", "gpt-4o", &latencies_s.iter().copied().map(Some).collect::<Vec<_>>()));
}

/// A service with limits of `openai`'s `gpt-4o`, learned from steady latencies.
fn learned() -> Running {
    let running = Running::learning(LEARN);
    keep_latencies(&running.client, &steady(1, LEARN));
    running
}

fn series(client: &Client) -> Vec<Value> {
    client.get("/api/v1/series").ok()["series"].as_array().unwrap().clone()
}

fn violations(client: &Client, query: &str) -> Vec<Value> {
    client.get(format!("/api/v1/violations?limit=1000&{query}")).ok()["violations"].as_array().unwrap().clone()
}

/// The path of a fixture of the repository.
fn fixture(path: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
