//! `GET /api/stats`: the newest requests.

use serde_json::json;

use super::client::shape::{assert_shape, numbers};
use super::client::values::steady;
use super::{Running, all_succeeded, keep_all, log_all};

#[test]
fn its_shape_is_that_of_the_previous_service() {
    let running = Running::start();
    running.client.post("/api/log", &json!({"provider": "p", "latency": 0.3})).ok();
    let full = json!({"provider": "p", "latency": 0.3, "model": "m", "tokens_in": 1, "tokens_out": 2, "cost": 0.1, "success": false});
    running.client.post("/api/log", &full).ok();
    let row = json!({
        "provider": "text", "model": "text?", "latency": "number", "tokens_in": "integer?", "tokens_out": "integer?",
        "cost": "number?", "success": "bool", "timestamp": "time",
    });
    assert_shape(&running.client.get("/api/stats").ok(), &json!({"logs": [row]}));
    assert_shape(
        &running.client.get("/api/stats?summary=true").ok(),
        &json!({
            "logs": [row],
            "summary": {
                "mean": "number", "std_dev": "number", "p50": "number", "p95": "number", "p99": "number",
                "min": "number", "max": "number", "ucl": "number", "lcl": "number",
            },
        }),
    );
}

#[test]
fn the_newest_200_come_first() {
    let running = Running::start();
    let latencies_s: Vec<f64> = (1..=230).map(|i| f64::from(i) / 1e3).collect();
    keep_all(&running.client, "p", "m", &all_succeeded(&latencies_s));
    let newest: Vec<f64> = latencies_s.iter().rev().take(200).copied().collect();
    assert_eq!(numbers(&running.client.get("/api/stats").ok()["logs"], "latency"), newest);
}

#[test]
fn the_summary_covers_these_requests() {
    let running = Running::start();
    keep_all(&running.client, "p", "m", &all_succeeded(&[vec![9.0; 50], steady(2, 200)].concat()));
    let summary = running.client.get("/api/stats?summary=true").ok()["summary"].clone();
    let data = running.client.get("/api/data?limit=200").ok()["stats"].clone();
    for (field, same) in [
        ("mean", "mean"),
        ("std_dev", "std"),
        ("p50", "p50"),
        ("p99", "p99"),
        ("max", "max"),
        ("ucl", "ucl"),
        ("lcl", "lcl"),
    ] {
        assert_eq!(summary[field], data[same], "{field}");
    }
    assert!(summary["max"].as_f64().unwrap() < 1.0);
}

#[test]
fn an_empty_store_is_not_an_error() {
    let running = Running::start();
    assert_eq!(running.client.get("/api/stats").ok(), json!({"logs": []}));
    let summary = running.client.get("/api/stats?summary=true").ok()["summary"].clone();
    assert!(summary.as_object().unwrap().values().all(|value| value.as_f64() == Some(0.0)), "{summary}");
    log_all(&running.client, "p", &[0.3]);
    assert_eq!(running.client.get("/api/stats").ok()["logs"].as_array().unwrap().len(), 1);
}
