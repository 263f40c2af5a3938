//! `POST /api/log`: accepted bodies, and refused ones with the location of the error.

use serde_json::{Value, json};

use super::Running;
use super::client::shape::assert_shape;
use super::client::values::Numbers;

#[test]
fn a_request_is_logged() {
    let running = Running::start();
    let answer = running.client.post("/api/log", &json!({"provider": "openai", "latency": 0.31})).ok();
    assert_shape(&answer, &json!({"status": "text", "timestamp": "time"}));
    // Microseconds and an offset, which Python before 3.11 reads.
    let time = answer["timestamp"].as_str().unwrap();
    assert!(time.len() == 32 && time.ends_with("+00:00"), "{time}");
    assert_eq!(answer["status"], "logged");
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn every_field_of_a_request_is_stored() {
    let running = Running::start();
    let sent = json!({
        "provider": "openai", "latency": 1.25, "model": "gpt-4o", "tokens_in": 12, "tokens_out": 345, "cost": 0.0125,
        "success": true, "error_message": null, "endpoint": "/v1/chat/completions",
        "metadata": {"region": "eu", "try": 2, "deep": {"list": [1, "two", null]}},
    });
    let logged = running.client.post("/api/log", &sent).ok();
    let export = running.client.get("/api/export").ok();
    let row = &export["data"][0];
    for field in ["provider", "latency", "model", "tokens_in", "tokens_out", "cost", "endpoint"] {
        assert_eq!(row[field], sent[field], "{field}");
    }
    let metadata: Value = serde_json::from_str(row["metadata"].as_str().unwrap()).unwrap();
    assert_eq!(metadata, sent["metadata"]);
    assert_eq!((&row["success"], &row["error_message"]), (&json!(1), &Value::Null));
    assert_eq!(row["timestamp"], logged["timestamp"]);
}

#[test]
fn a_failed_request_keeps_its_message_and_duration() {
    let running = Running::start();
    let sent = json!({"provider": "openai", "latency": 30.0, "success": false, "error_message": "timed out"});
    running.client.post("/api/log", &sent).ok();
    let row = running.client.get("/api/export").ok()["data"][0].clone();
    assert_eq!(
        (&row["latency"], &row["success"], &row["error_message"]),
        (&json!(30.0), &json!(0), &json!("timed out"))
    );
    assert_eq!(running.client.get("/api/stats").ok()["logs"][0]["success"], false);
}

#[test]
fn numbers_and_booleans_may_be_text() {
    let running = Running::start();
    let sent = json!({"provider": "p", "latency": "0.5", "tokens_in": "7", "tokens_out": 8.0, "cost": "0.25", "success": "no"});
    running.client.post("/api/log", &sent).ok();
    let row = running.client.get("/api/export").ok()["data"][0].clone();
    for (field, value) in
        [("latency", json!(0.5)), ("tokens_in", json!(7)), ("tokens_out", json!(8)), ("cost", json!(0.25))]
    {
        assert_eq!(row[field], value, "{field}");
    }
    assert_eq!(row["success"], 0);
}

#[test]
fn unknown_fields_are_ignored() {
    let running = Running::start();
    let sent =
        json!({"provider": "p", "latency": 0, "tokens_in": null, "cost": null, "metadata": null, "color": "red"});
    running.client.post("/api/log", &sent).ok();
    assert_eq!(running.client.get("/api/export").ok()["data"][0]["latency"], 0.0);
}

/// Bodies that are refused, with the location and the kind of the error.
fn bad_bodies() -> Vec<(Value, Value, &'static str)> {
    let with = |field: &str, value: Value| {
        let mut body = json!({"provider": "p", "latency": 0.5});
        body[field] = value;
        body
    };
    let at = |field: &str| json!(["body", field]);
    let mut all = vec![
        (json!({"latency": 0.5}), at("provider"), "missing"),
        (json!({"provider": "p"}), at("latency"), "missing"),
        (json!({}), at("provider"), "missing"),
        (with("provider", json!(5)), at("provider"), "type_error"),
        (with("provider", json!(null)), at("provider"), "type_error"),
        (with("provider", json!("")), at("provider"), "value_error"),
        (with("provider", json!("  ")), at("provider"), "value_error"),
        (with("latency", json!(-0.001)), at("latency"), "greater_than_equal"),
        (with("latency", json!("fast")), at("latency"), "value_error"),
        (with("latency", json!(null)), at("latency"), "value_error"),
        (with("latency", json!("NaN")), at("latency"), "value_error"),
        (with("model", json!(["m"])), at("model"), "type_error"),
        (with("tokens_in", json!(-1)), at("tokens_in"), "greater_than_equal"),
        (with("tokens_in", json!(1.5)), at("tokens_in"), "value_error"),
        (with("tokens_out", json!("many")), at("tokens_out"), "value_error"),
        (with("latency", json!(1e300)), at("latency"), "less_than_equal"),
        (with("cost", json!(-1e-9)), at("cost"), "greater_than_equal"),
        (with("cost", json!(1.1e15)), at("cost"), "less_than_equal"),
        (with("success", json!("maybe")), at("success"), "value_error"),
        (with("endpoint", json!(1)), at("endpoint"), "type_error"),
        (with("metadata", json!([1])), at("metadata"), "type_error"),
        (with("metadata", json!("text")), at("metadata"), "type_error"),
    ];
    let in_a_row = json!(["p", 0.5, null, null, null, null, null, null, null, null]);
    all.extend([json!([]), in_a_row].map(|body| (body, json!(["body"]), "type_error")));
    all.extend([json!("text"), json!(5), json!(null)].map(|body| (body, json!(["body"]), "type_error")));
    all
}

#[test]
fn an_invalid_body_gives_422_with_the_location() {
    let running = Running::start();
    for (body, place, kind) in bad_bodies() {
        let (loc, found) = running.client.post("/api/log", &body).field_error();
        assert_eq!((Value::from(loc), found.as_str()), (place, kind), "{body}");
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
}

#[test]
fn a_body_without_json_gives_422() {
    let running = Running::start();
    let bodies =
        ["", "{", "provider=p&latency=1", "{\"provider\": \"p\", \"latency\": 0.5} x", "{\"provider\": \"p\",}"];
    for body in bodies {
        let (loc, kind) = running.client.post_bytes("/api/log", "application/json", body.as_bytes()).field_error();
        assert_eq!((Value::from(loc), kind.as_str()), (json!(["body"]), "json_invalid"), "{body}");
    }
    // A latency that overflows, and bytes that are not text.
    for body in [&b"{\"provider\": \"p\", \"latency\": 1e999}"[..], b"{\"provider\": \"\xff\", \"latency\": 1}"] {
        running.client.post_bytes("/api/log", "application/json", body).field_error();
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
}

#[test]
fn a_body_with_another_media_type_is_refused() {
    let running = Running::start();
    let body = br#"{"provider": "p", "latency": 0.5}"#;
    for kind in ["text/plain", "application/xml", "multipart/form-data; boundary=x"] {
        assert!(running.client.post_bytes("/api/log", kind, body).refusal(415).contains("application/json"), "{kind}");
    }
    // The default of `curl -d` and Python's urllib.
    for kind in ["application/x-www-form-urlencoded", "application/json; charset=utf-8", "Application/JSON"] {
        running.client.post_bytes("/api/log", kind, body).ok();
    }
    running.client.send("POST", "/api/log", &[], body).ok();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 4);
}

#[test]
fn no_bytes_crash_the_service() {
    let running = Running::start();
    let mut numbers = Numbers::of(7);
    let good = br#"{"provider": "p", "latency": 0.5, "metadata": {"a": [1, 2, {"b": "\u00e9"}]}, "success": true}"#;
    for _ in 0..300 {
        let mut body = good.to_vec();
        for _ in 0..=numbers.below(4) {
            let place = usize::try_from(numbers.below(body.len() as u64)).unwrap();
            body[place] = u8::try_from(numbers.below(256)).unwrap();
        }
        let status = running.client.post_bytes("/api/log", "application/json", &body).status;
        assert!([200, 422].contains(&status), "{status}: {}", String::from_utf8_lossy(&body));
    }
    assert_eq!(running.client.get("/health").ok()["status"], "healthy");
}
