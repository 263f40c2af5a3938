//! `kill -9` during many writes: every acknowledged record is stored, and judging continues with the same state.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use super::{Serving, entry, wait_until};
use crate::client::Connection;

const WRITERS: usize = 8;
/// The service is killed after this many acknowledgements.
const ACKNOWLEDGED: usize = 600;
const FURTHER: usize = 60;

#[test]
fn a_kill_loses_nothing_that_was_acknowledged_and_no_state() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("llmscope.db");
    let mut serving = Serving::start(&database);
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let next = Arc::new(AtomicUsize::new(0));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (client, acknowledged, next) = (serving.client(), acknowledged.clone(), next.clone());
            thread::spawn(move || {
                let mut connection = Connection::to(client.address);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let body = result(number).to_string();
                    let head = client.head("POST", "/api/log", &[("content-type", "application/json")], body.len());
                    connection.send(&head, body.as_bytes());
                    match connection.try_answer("POST") {
                        Some(answer) if answer.status == 200 => acknowledged.lock().unwrap().push(number),
                        _ => return,
                    }
                }
            })
        })
        .collect();
    wait_until("enough records are acknowledged", || acknowledged.lock().unwrap().len() >= ACKNOWLEDGED);
    // SIGKILL, which a process cannot catch.
    serving.process.kill().unwrap();
    serving.process.wait().unwrap();
    writers.into_iter().for_each(|writer| writer.join().unwrap());

    let after = Serving::start(&database);
    let kept = kept(&after);
    let acknowledged = acknowledged.lock().unwrap();
    let missing: Vec<_> = acknowledged.iter().filter(|&&number| !kept.contains(&number)).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    assert!(kept.len() <= acknowledged.len() + WRITERS, "each writer had one request in progress");

    // A second service gets the same records in the same order, without a kill.
    let other = Serving::start(&folder.path().join("other.db"));
    post(&other, kept.iter().copied());
    assert_eq!(states(&after), states(&other));
    // The state of the rules affects the results of further records.
    let further = 1_000_000..1_000_000 + FURTHER;
    post(&after, further.clone());
    post(&other, further);
    let violations = states(&after);
    assert_eq!(violations, states(&other));
    assert!(violations[1]["violations"].as_array().unwrap().len() > 3, "{violations:?}");
}

/// A result that only depends on its number, with spikes, failures and runs.
fn result(number: usize) -> Value {
    let wave = [0.30, 0.31, 0.29, 0.32, 0.30, 0.28, 0.31][number % 7];
    let shifted = if number % 200 > 150 { 0.03 } else { 0.0 };
    let spike = if number.is_multiple_of(97) { 0.4 } else { 0.0 };
    entry(number, wave + shifted + spike, number % 61 != 60)
}

fn post(serving: &Serving, numbers: impl Iterator<Item = usize>) {
    let client = serving.client();
    numbers.for_each(|number| assert_eq!(client.post("/api/log", &result(number)).status, 200));
}

/// The numbers of the stored records, in the order in which they were stored.
fn kept(serving: &Serving) -> Vec<usize> {
    let export = serving.client().get("/api/export?hours=87600").json();
    let rows = export["data"].as_array().unwrap().iter().rev();
    rows.map(|row| usize::try_from(row["tokens_in"].as_u64().unwrap()).unwrap()).collect()
}

/// Everything that judging has produced.
fn states(serving: &Serving) -> [Value; 3] {
    ["/api/v1/series", "/api/v1/violations?limit=1000", "/api/v1/baselines"]
        .map(|path| serving.client().get(path).json())
}
