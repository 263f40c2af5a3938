//! A restart loses nothing.

use llmscope_server::WatchSettings;

use super::client::by_rules;
use serde_json::{Value, json};

use super::{Client, LEARN, Running, history, keep, series, violations};

/// The responses of all calls that return data, without the times of the responses.
fn everything(client: &Client) -> Vec<Value> {
    let paths = [
        "/api/v1/records?limit=1000",
        "/api/v1/series",
        "/api/v1/violations?limit=1000",
        "/api/v1/sessions",
        "/api/v1/sessions/1",
        "/api/v1/baselines",
        "/api/v1/analysis?points=true",
        "/api/v1/histogram",
        "/api/data",
        "/api/stats?summary=true",
        "/api/stats/spc",
        "/api/providers",
        "/api/cost/summary",
        "/api/export",
        "/health",
    ];
    let response = |path: &&str| {
        let mut answer = client.get(path).ok();
        for now in ["generated_at", "export_time", "timestamp"] {
            answer.as_object_mut().unwrap().remove(now);
        }
        answer
    };
    paths.iter().map(response).collect()
}

#[test]
fn all_data_survive_a_restart() {
    let mut running = Running::learning(LEARN);
    keep(&running.client, &history(1, 200));
    let metadata = json!({"provider": "ollama", "latency": 1.5, "metadata": {"a": {"b": [1, "c"]}}, "cost": 0.1});
    running.client.post("/api/log", &metadata).ok();
    let failed =
        json!({"provider": "ollama", "latency": 30, "success": false, "error_message": "no", "endpoint": "/v1"});
    running.client.post("/api/log", &failed).ok();
    let session =
        json!({"schema": "llmscope.session/1", "provider": "p", "records": [{"e2e_s": 0.3}, {"status": "timeout"}]});
    running.client.post("/api/v1/sessions?name=run", &session).ok();
    let ids: Vec<_> = violations(&running.client).iter().map(|found| found["id"].clone()).collect();
    assert!(ids.len() > 3, "{ids:?}");
    running.client.post(format!("/api/v1/violations/{}/acknowledge", ids[0]), &json!({"note": "seen"})).ok();
    running.client.post(format!("/api/v1/violations/{}/resolve", ids[1]), &json!({})).ok();
    running.client.post(format!("/api/v1/violations/{}/notes", ids[2]), &json!({"text": "driver update"})).ok();

    let before = everything(&running.client);
    running.restart(|settings| settings.watch = WatchSettings { learn: LEARN, ..by_rules() });
    for (before, after) in before.iter().zip(everything(&running.client)) {
        assert_eq!(*before, after);
    }
}

#[test]
fn ids_continue_after_a_restart() {
    let mut running = Running::start();
    running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 1}, {"provider": "p", "e2e_s": 1}])).ok();
    running.client.delete("/api/data").ok();
    running.restart(|_| {});
    // Ids are never reused.
    let stored = running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 1}])).ok();
    assert_eq!(stored, json!({"stored": 1, "first_id": 3, "last_id": 3}));
}

#[test]
fn learning_continues_after_a_restart() {
    let mut running = Running::learning(LEARN);
    let records = history(2, LEARN);
    keep(&running.client, &records[..12]);
    assert_eq!((&series(&running.client)[0]["learned"], &series(&running.client)[0]["need"]), (&json!(12), &json!(20)));
    // A series keeps the number of values that it needed at its start.
    running.restart(|settings| settings.watch = WatchSettings { learn: 500, ..by_rules() });
    assert_eq!((&series(&running.client)[0]["learned"], &series(&running.client)[0]["need"]), (&json!(12), &json!(20)));
    keep(&running.client, &records[12..]);
    let learned = series(&running.client)[0].clone();
    assert_eq!((&learned["state"], &learned["frozen_at"]), (&json!("watching"), &records[19]["started_at"]));
}

#[test]
fn a_service_may_start_and_stop_many_times() {
    let mut running = Running::learning(LEARN);
    keep(&running.client, &history(3, 60));
    let (before, found) = (series(&running.client), violations(&running.client));
    for _ in 0..10 {
        running.restart(|_| {});
    }
    assert_eq!((series(&running.client), violations(&running.client)), (before, found));
}
