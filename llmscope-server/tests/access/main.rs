//! Authentication, origins, limits of sizes and rates.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;

mod bodies;
mod connections;
mod headers;
mod hosts;
mod origins;
mod rates;
mod scopes;
mod secrets;

use client::values::{records, steady};
use client::{Client, KEY, Running};
use llmscope_server::Keys;
use serde_json::{Value, json};

/// A key for each scope, in addition to the key with the scope admin.
const KEYS: &str = "grafana:read:key-of-grafana,ci:write:key-of-ci,ops:admin:key-of-ops";

/// A service with keys for every scope, and with a violation, a session and a series.
fn populated() -> Running {
    let running = Running::with(|settings| {
        settings.watch.learn = 20;
        settings.keys = Keys::new(Some(KEY), Some(KEYS)).unwrap();
    });
    let latencies_s: Vec<_> = [steady(1, 20), vec![9.0]].concat().into_iter().map(Some).collect();
    running.client.post("/api/v1/records", &json!(records("openai", "gpt-4o", &latencies_s))).ok();
    let session = json!({"schema": "llmscope.session/1", "provider": "p", "records": [{"e2e_s": 0.3}]});
    running.client.post("/api/v1/sessions", &session).ok();
    running
}

/// Every operation of the OpenAPI document: method, path, description.
fn operations(client: &Client) -> Vec<(String, String, Value)> {
    let document = client.without_key().get("/api/v1/openapi.json").ok();
    let mut all = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            all.push((method.to_uppercase(), path.clone(), operation.clone()));
        }
    }
    assert!(all.len() > 30, "{} operations", all.len());
    all
}
