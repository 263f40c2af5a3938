//! Many readers: probes and writers do not wait for them.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::Running;
use super::client::Connection;
use super::client::values::{records, unsteady};
use super::client::wait_for;

const ANALYSIS: &str = "/api/v1/analysis?limit=20000&points=true";
/// More than run and wait at the same time.
const READERS: usize = 100;

#[test]
fn probes_and_writers_do_not_wait_for_analyses() {
    let running = Running::start();
    let latencies_s: Vec<_> = unsteady(1, 20_000).into_iter().map(Some).collect();
    for batch in records("openai", "gpt-4o", &latencies_s).chunks(10_000) {
        running.client.post("/api/v1/records", &json!(batch)).ok();
    }
    let client = &running.client;
    let (answered, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..READERS {
            scope.spawn(|| {
                let answer = client.get(ANALYSIS);
                if answer.status == 503 {
                    assert_eq!(answer.header("retry-after"), Some("5"), "{}", answer.text());
                    assert!(answer.text().contains("try again"), "{}", answer.text());
                    refused.fetch_add(1, Ordering::Relaxed);
                } else {
                    answer.ok();
                }
                answered.fetch_add(1, Ordering::Relaxed);
            });
        }
        wait_for("a refusal", || (refused.load(Ordering::Relaxed) > 0).then_some(()));
        for _ in 0..20 {
            client.without_key().get("/ready").ok();
            client.post("/api/log", &json!({"provider": "p", "latency": 0.3})).ok();
        }
        assert!(answered.load(Ordering::Relaxed) < READERS, "no analysis was left to wait for");
    });
    assert!(answered.into_inner() > refused.into_inner(), "none was answered");
}

#[test]
fn listeners_are_bounded() {
    let running = Running::start();
    let listen = || {
        let mut connection = Connection::to(running.client.address);
        connection.send(&running.client.head("GET", "/api/v1/events", &[], 0), b"");
        let status = connection.answer_head().unwrap().status;
        (status, connection)
    };
    let mut open: Vec<_> = (0..1000).map(|_| listen()).collect();
    assert!(open.iter().all(|(status, _)| *status == 200));
    assert_eq!(listen().0, 503);
    open.clear();
    wait_for("a free place", || (listen().0 == 200).then_some(()));
}
