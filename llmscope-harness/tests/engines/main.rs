//! The harness against external servers: an engine, llama.cpp, and a gateway, aimock, with the dialects of the vendors.
//! `make engines` installs them. The vendors themselves are tested where the environment has a key.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod failures;
mod gateway;
mod llama_cpp;
mod server;
mod vendors;

use std::time::Duration;

use llmscope_core::session::{AttributeValue, RequestRecord, Status};
use llmscope_harness::vendor::Simulation;
use llmscope_harness::workload::{Conversation, Turn, Workload};
use llmscope_harness::{Bench, Load, Next, Plan, Target, TargetOptions, Update};

/// A plan with `clients` clients and `requests` requests.
fn plan(clients: usize, requests: u64) -> Plan {
    Plan {
        load: Load::Closed { concurrency: vec![clients] },
        requests: Some(requests),
        timeout: Duration::from_secs(30),
        ..Plan::default()
    }
}

/// A workload with one prompt.
fn ask(text: &str) -> Workload {
    let turns = vec![Turn { text: text.to_owned(), output_tokens: None }];
    Workload {
        name: "engines".to_owned(),
        conversations: vec![Conversation { turns, ..Conversation::default() }],
        ..Workload::default()
    }
}

fn options(url: &str, model: Option<&str>) -> TargetOptions {
    TargetOptions { url: Some(url.to_owned()), model: model.map(str::to_owned), ..TargetOptions::default() }
}

/// Executes a benchmark. Every request has exactly one record.
fn records(target: Target, workload: Workload, plan: Plan) -> Vec<RequestRecord> {
    let requests = plan.requests.unwrap();
    let handle = Bench::new(target, workload, plan, Simulation::default()).unwrap().start().unwrap();
    let mut records = Vec::new();
    let mut healthy = false;
    loop {
        match handle.next(Duration::from_secs(60)) {
            Next::Update(Update::Request(record)) => records.push(*record),
            Next::Update(update) => healthy |= matches!(update, Update::Health(_)),
            Next::Idle => panic!("no update for a minute"),
            Next::Finished => break,
        }
    }
    handle.join().unwrap();
    assert!(healthy, "a run ends with the health of the client");
    assert_eq!(records.len() as u64, requests, "one record for each request");
    records
}

fn number(record: &RequestRecord, name: &str) -> Option<f64> {
    match record.attributes.get(name) {
        Some(AttributeValue::Number(number)) => Some(*number),
        _ => None,
    }
}

fn text<'r>(record: &'r RequestRecord, name: &str) -> Option<&'r str> {
    match record.attributes.get(name) {
        Some(AttributeValue::Text(text)) => Some(text),
        _ => None,
    }
}

/// Checks the invariants of every complete response with several chunks.
#[track_caller]
fn check_response(record: &RequestRecord) {
    assert_eq!(record.status, Status::Ok, "{record:?}");
    let (ttft_s, e2e_s) = (record.ttft_s.unwrap(), record.e2e_s.unwrap());
    assert!(0.0 < ttft_s && ttft_s < e2e_s, "{record:?}");
    let (head_s, first_byte_s) = (number(record, "head_s").unwrap(), number(record, "ttfb_s").unwrap());
    assert!(head_s <= first_byte_s && first_byte_s <= ttft_s, "{record:?}");
    let chunks = number(record, "chunks").unwrap();
    assert!(chunks > 1.0, "{record:?}");
    assert_eq!(record.icl_s.len() as f64, chunks - 1.0, "{record:?}");
    assert!(record.icl_s.iter().all(|gap_s| *gap_s >= 0.0), "{record:?}");
    let last_chunk_s = ttft_s + record.icl_s.iter().sum::<f64>();
    assert!(last_chunk_s <= e2e_s + 1e-9, "{record:?}");
    assert!(record.ttft_from_write_s.unwrap() <= ttft_s, "{record:?}");
    assert!(text(record, "gen_ai.response.finish_reasons").is_some(), "{record:?}");
}
