//! Annotations of violations: who, when, and the text.

use llmscope_server::Keys;
use serde_json::{Value, json};

use super::client::KEY;
use super::client::values::steady;
use super::{LEARN, Running, keep_latencies, violations};

/// A service with a violation and the keys of two users.
fn violated() -> (Running, String) {
    let running = Running::with(|settings| {
        settings.watch.learn = LEARN;
        settings.keys = Keys::new(Some(KEY), Some("ops:write:key-of-ops,night:admin:key-of-night")).unwrap();
    });
    keep_latencies(&running.client, &steady(1, LEARN));
    keep_latencies(&running.client, &[9.0]);
    let path = format!("/api/v1/violations/{}", violations(&running.client, "")[0]["id"]);
    (running, path)
}

#[test]
fn acknowledgement_resolution_and_notes_are_stored() {
    let (running, path) = violated();
    let (ops, night) = (running.client.with_key("key-of-ops"), running.client.with_key("key-of-night"));
    let new = ops.get(&path).ok();
    assert_eq!((&new["status"], new.get("acknowledged"), new.get("resolved")), (&json!("new"), None, None));
    assert_eq!(new["notes"], json!([]));

    let seen = ops.post(format!("{path}/acknowledge"), &json!({"note": " looking at it "})).ok();
    assert_eq!((&seen["status"], &seen["acknowledged"]["by"]), (&json!("acknowledged"), &json!("ops")));
    let noted = night.post(format!("{path}/notes"), &json!({"text": "driver update\nsecond line"})).ok();
    assert_eq!((&noted["status"], noted.get("resolved")), (&json!("acknowledged"), None));
    let done = night.post(format!("{path}/resolve"), &json!({"note": "rolled back"})).ok();
    assert_eq!((&done["status"], &done["resolved"]["by"]), (&json!("resolved"), &json!("night")));
    assert_eq!(done["acknowledged"], seen["acknowledged"]);

    let notes: Vec<_> =
        done["notes"].as_array().unwrap().iter().map(|note| (note["by"].clone(), note["text"].clone())).collect();
    let written = [("ops", "looking at it"), ("night", "driver update\nsecond line"), ("night", "rolled back")];
    assert_eq!(notes, written.map(|(by, text)| (json!(by), json!(text))));
    assert_eq!(running.client.get(&path).ok(), done);
}

#[test]
fn a_resolved_violation_stays_resolved() {
    let (running, path) = violated();
    running.client.post(format!("{path}/resolve"), &json!({})).ok();
    let seen = running.client.post(format!("{path}/acknowledge"), &json!({})).ok();
    assert_eq!((&seen["status"], &seen["resolved"]["by"]), (&json!("resolved"), &json!("default")));
}

#[test]
fn annotations_stay_while_a_violation_continues() {
    let (running, path) = violated();
    running.client.post(format!("{path}/acknowledge"), &json!({"note": "seen"})).ok();
    keep_latencies(&running.client, &[9.0, 9.0]);
    let on = running.client.get(&path).ok();
    assert_eq!((&on["status"], &on["signals"], &on["open"]), (&json!("acknowledged"), &json!(3), &json!(true)));
    keep_latencies(&running.client, &[0.3]);
    let over = running.client.get(&path).ok();
    assert_eq!((&over["status"], &over["signals"], &over["open"]), (&json!("acknowledged"), &json!(3), &json!(false)));
    assert_eq!(over["notes"].as_array().unwrap().len(), 1);
}

#[test]
fn an_invalid_note_is_refused() {
    let (running, path) = violated();
    for (call, body) in [
        ("notes", json!({})),
        ("notes", json!({"text": ""})),
        ("notes", json!({"text": "  \n"})),
        ("notes", json!({"text": 5})),
        ("notes", json!({"text": "x".repeat(10_001)})),
        ("notes", json!({"text": "ok", "by": "another user"})),
        ("acknowledge", json!({"note": 5})),
        ("resolve", json!({"note": "x".repeat(10_001)})),
        ("resolve", json!([])),
        ("acknowledge", json!(["a note"])),
    ] {
        running.client.post(format!("{path}/{call}"), &body).field_error();
    }
    let untouched = running.client.get(&path).ok();
    assert_eq!((&untouched["status"], &untouched["notes"]), (&json!("new"), &json!([])));
}

#[test]
fn an_unknown_violation_cannot_be_annotated() {
    let (running, _) = violated();
    for call in ["acknowledge", "resolve"] {
        assert_eq!(
            running.client.post(format!("/api/v1/violations/999/{call}"), &json!({})).refusal(404),
            "there is no violation 999"
        );
    }
    running.client.post("/api/v1/violations/999/notes", &json!({"text": "x"})).refusal(404);
    running.client.get("/api/v1/violations/999").refusal(404);
    for id in ["x", "1.5", "99999999999999999999"] {
        assert_eq!(
            running.client.get(format!("/api/v1/violations/{id}")).field_error().0,
            [json!("path"), json!("id")]
        );
    }
    assert_eq!(violations(&running.client, "")[0]["status"], Value::from("new"));
}
