//! Frozen limits: exported, imported, learned again, and estimated from a part of a series.

use llmscope_core::analysis::Baseline;
use llmscope_core::watch::Limits;
use llmscope_core::{Bounds, Standards, Transform};
use serde_json::{Value, json};

use super::client::values::{records, steady};
use super::{LEARN, Running, keep, keep_latencies, learned, series, violations};

fn baselines(running: &Running) -> Vec<Baseline> {
    Baseline::read("baselines", &running.client.get("/api/v1/baselines").text()).unwrap()
}

#[test]
fn there_are_none_before_they_are_learned() {
    let running = Running::learning(LEARN);
    let none = json!({"schema": "llmscope.baseline/1", "baselines": []});
    assert_eq!(running.client.get("/api/v1/baselines").ok(), none);
    keep_latencies(&running.client, &[0.3]);
    assert_eq!(running.client.get("/api/v1/baselines").ok(), none);
}

#[test]
fn they_are_the_ones_that_the_core_learns() {
    let running = learned();
    let [baseline] = baselines(&running).try_into().unwrap();
    let (_, standards, _) = Limits::learned(Bounds::NON_NEGATIVE, Transform::None, &steady(1, LEARN)).unwrap();
    assert_eq!((baseline.metric.as_str(), baseline.n, baseline.standards), ("e2e_s", LEARN, standards));
    assert_eq!(json!(baseline.group), json!({"provider": "openai", "model": "gpt-4o"}));
}

#[test]
fn exported_limits_can_be_imported_into_another_service() {
    let (one, other) = (learned(), Running::learning(LEARN));
    keep(&other.client, &records("openai", "gpt-4o", &[Some(9.0)]));
    keep(&other.client, &records("openai", "other", &[Some(9.0)]));
    let answer = other.client.put_text("/api/v1/baselines", &one.client.get("/api/v1/baselines").text()).ok();
    let [replaced] = answer["replaced"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!((&replaced["model"], &replaced["state"]), (&json!("gpt-4o"), &json!("watching")));
    assert_eq!(replaced["limits"], series(&one.client)[0]["limits"]);
    assert_eq!(baselines(&other)[0].standards, baselines(&one)[0].standards);
    // A series that is not named continues to learn.
    assert_eq!(series(&other.client).iter().filter(|one| one["state"] == "learning").count(), 1);
    keep(&other.client, &records("openai", "gpt-4o", &[Some(9.0)]));
    assert_eq!(violations(&other.client, "rule=nelson-1").len(), 1);
}

#[test]
fn replaced_limits_end_open_violations() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    let text = running.client.get("/api/v1/baselines").text();
    running.client.put_text("/api/v1/baselines", &text).ok();
    assert_eq!(violations(&running.client, "open=true"), [] as [Value; 0]);
    assert_eq!(series(&running.client)[0]["verdict"], "in_control");
}

#[test]
fn invalid_baselines_and_unknown_series_are_refused() {
    let running = learned();
    let mut stranger = baselines(&running);
    stranger[0].group.insert("provider".to_owned(), "unknown".to_owned());
    let counts = Standards::of_counts(llmscope_core::ChartKind::P, 0.1).unwrap();
    let mut of_counts = baselines(&running);
    of_counts[0].standards = counts;
    let bodies = [
        String::new(),
        "{}".to_owned(),
        json!({"schema": "llmscope.baseline/9", "baselines": []}).to_string(),
        json!({"schema": "llmscope.baseline/1", "baselines": []}).to_string(),
        Baseline::to_json(&stranger).unwrap(),
        Baseline::to_json(&of_counts).unwrap(),
    ];
    let before = series(&running.client);
    for body in bodies {
        let answer = running.client.put_text("/api/v1/baselines", &body);
        assert_eq!(answer.status, 422, "{body}: {}", answer.text());
    }
    assert_eq!(series(&running.client), before);
}

#[test]
fn limits_are_learned_again_from_the_next_values() {
    let running = learned();
    keep_latencies(&running.client, &[9.0]);
    let id = series(&running.client)[0]["id"].clone();
    let again = running.client.delete(format!("/api/v1/series/{id}/baseline")).ok();
    assert_eq!((&again["id"], &again["state"], &again["learned"]), (&id, &json!("learning"), &json!(0)));
    assert_eq!((again.get("limits"), again.get("frozen_at")), (None, None));
    assert_eq!(violations(&running.client, "open=true"), [] as [Value; 0]);
    let later: Vec<f64> = steady(7, LEARN).iter().map(|latency| latency + 5.0).collect();
    keep_latencies(&running.client, &later);
    let (limits, ..) = Limits::learned(Bounds::NON_NEGATIVE, Transform::None, &later).unwrap();
    assert_eq!(series(&running.client)[0]["limits"], serde_json::to_value(limits).unwrap());
}

#[test]
fn limits_are_frozen_from_a_part_of_the_series() {
    let running = learned();
    let later: Vec<f64> = steady(8, 30).iter().map(|latency| latency + 2.0).collect();
    let requests = records("openai", "gpt-4o", &later.iter().copied().map(Some).collect::<Vec<_>>());
    keep(&running.client, &requests);
    let path = format!("/api/v1/series/{}/baseline", series(&running.client)[0]["id"]);
    let limits = |values: &[f64]| {
        serde_json::to_value(Limits::learned(Bounds::NON_NEGATIVE, Transform::None, values).unwrap().0).unwrap()
    };

    let newest = running.client.post(&path, &json!({"limit": 30})).ok();
    assert_eq!((&newest["limits"], &newest["verdict"]), (&limits(&later), &json!("in_control")));
    let part = json!({"from": requests[5]["started_at"], "to": requests[25]["started_at"]});
    assert_eq!(running.client.post(&path, &part).ok()["limits"], limits(&later[5..25]));
    let whole = learned();
    assert_eq!(whole.client.post(&path, &json!({})).ok()["limits"], limits(&steady(1, LEARN)));
}

#[test]
fn a_part_without_limits_is_refused() {
    let running = learned();
    let path = format!("/api/v1/series/{}/baseline", series(&running.client)[0]["id"]);
    let before = series(&running.client);
    for part in [
        json!({"limit": 1}),
        json!({"limit": 0}),
        json!({"to": "2000-01-01T00:00:00Z"}),
        json!({"first": 5}),
        json!([]),
        json!({"from": "x"}),
    ] {
        running.client.post(&path, &part).field_error();
    }
    assert_eq!(series(&running.client), before);
    running.client.post("/api/v1/series/999/baseline", &json!({})).refusal(404);
    running.client.delete("/api/v1/series/999/baseline").refusal(404);
}
