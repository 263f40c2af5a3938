//! `/health`, `/api/system`, `POST /api/cleanup`, `DELETE /api/data`.

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::client::shape::assert_shape;
use super::client::values::{steady, unsteady};
use super::{Running, all_succeeded, keep_all, log_all};

#[test]
fn health_describes_the_store() {
    let running = Running::start();
    log_all(&running.client, "p", &[0.3, 0.4]);
    let health = running.client.get("/health").ok();
    assert_shape(
        &health,
        &json!({"status": "text", "database": "text", "total_requests": "integer", "retention_days": "integer", "timestamp": "time"}),
    );
    assert_eq!((&health["status"], &health["total_requests"]), (&json!("healthy"), &json!(2)));
    assert_eq!(health["retention_days"], 7);
    // Without a key this call is open, so it does not reveal the folder of the file.
    assert_eq!(health["database"], "llmscope.db");
}

#[test]
fn system_describes_the_machine() {
    let running = Running::start();
    let system = running.client.get("/api/system").ok();
    assert_shape(
        &system,
        &json!({
            "cpu": "number", "memory": "number", "gpuTemp": "number?", "cpuTemp": "number?",
            "info": {"system": "text", "release": "text", "machine": "text"},
        }),
    );
    for share in ["cpu", "memory"] {
        assert!((0.0..=100.0).contains(&system[share].as_f64().unwrap()), "{share}: {system}");
    }
    assert!(!system["info"]["machine"].as_str().unwrap().is_empty());
}

#[test]
fn cleanup_removes_records_older_than_the_retention() {
    let running = Running::with(|settings| settings.retention_days = 3);
    assert_eq!(running.client.poke("/api/cleanup").ok()["deleted_records"], 0);
    for days in [1, 2, 4, 5, 400] {
        let at = Timestamp::now() - SignedDuration::from_hours(24 * days);
        running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 0.3, "started_at": at}])).ok();
    }
    log_all(&running.client, "p", &[0.3]);
    let cleaned = running.client.poke("/api/cleanup").ok();
    assert_eq!(cleaned, json!({"status": "completed", "deleted_records": 3, "retention_days": 3}));
    assert_eq!(running.client.get("/health").ok()["total_requests"], 3);
    assert_eq!(running.client.poke("/api/cleanup").ok()["deleted_records"], 0);
}

#[test]
fn a_retention_of_0_days_removes_nothing() {
    let running = Running::with(|settings| settings.retention_days = 0);
    let at = Timestamp::now() - SignedDuration::from_hours(24 * 1000);
    running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 0.3, "started_at": at}])).ok();
    let cleaned = running.client.poke("/api/cleanup").ok();
    assert_eq!(cleaned, json!({"status": "completed", "deleted_records": 0, "retention_days": 0}));
}

#[test]
fn deletion_removes_all_live_data() {
    let running = Running::learning(20);
    let latencies_s = [steady(1, 20), unsteady(1, 80)].concat();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    assert_ne!(running.client.get("/api/v1/violations").ok()["violations"], json!([]));
    let deleted = running.client.delete("/api/data").ok();
    assert_eq!(deleted, json!({"status": "deleted", "count": 100}));
    assert_eq!(running.client.get("/api/data").ok()["series"], json!([]));
    assert_eq!(running.client.get("/api/stats").ok()["logs"], json!([]));
    assert_eq!(running.client.get("/api/providers").ok()["providers"], json!([]));
    assert_eq!(running.client.get("/api/v1/series").ok()["series"], json!([]));
    assert_eq!(running.client.get("/api/v1/violations").ok()["violations"], json!([]));
    assert_eq!(running.client.delete("/api/data").ok()["count"], 0);
    // The next record starts a new series.
    log_all(&running.client, "p", &[0.3]);
    assert_eq!(running.client.get("/api/v1/series").ok()["series"][0]["learned"], 1);
}
