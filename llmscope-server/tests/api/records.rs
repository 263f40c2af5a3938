//! `POST /api/v1/records`: three formats, all or nothing, and the location of errors.

use jiff::{SignedDuration, Timestamp};
use llmscope_core::RequestRecord;
use serde_json::{Value, json};

use super::Running;
use super::client::shape::{assert_shape, texts};

#[test]
fn an_object_a_list_and_lines_are_equivalent() {
    let running = Running::start();
    let records = [json!({"provider": "a", "e2e_s": 0.1}), json!({"provider": "b", "model": "m", "status": "timeout"})];
    let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
    let named = running.client.post("/api/v1/records", &json!({"records": records}));
    let bare = running.client.post("/api/v1/records", &json!(records));
    let lined =
        running.client.post_bytes("/api/v1/records", "application/x-ndjson", format!("\n{lines}\r\n \n").as_bytes());
    for (first, answer) in [1, 3, 5].into_iter().zip([named, bare, lined]) {
        assert_eq!(answer.status, 201);
        assert_eq!(answer.json(), json!({"stored": 2, "first_id": first, "last_id": first + 1}));
    }
    let kept = running.client.get("/api/v1/records").ok()["records"].clone();
    assert_eq!(texts(&kept, "provider"), ["b", "a", "b", "a", "b", "a"]);
}

#[test]
fn a_record_survives_a_round_trip() {
    let running = Running::start();
    let sent = json!({
        "started_at": "2026-03-01T12:00:00.123456789Z", "provider": "openai", "model": "gpt-4o", "warmup": true,
        "status": "error", "error": {"type": "http", "code": 500, "message": "a \"word\" — and a \u{1f534}"},
        "ttft_s": 0.1, "e2e_s": 1.5, "tpot_s": 0.012_345_678_901_234_5, "icl_s": [0.01, 0.02], "ttft_from_write_s": 0.09,
        "connect_s": 0.01, "sched_delay_s": -1e-6, "input_tokens": 5, "output_tokens": 6, "tokens_estimated": true,
        "cost_usd": 0.25, "attributes": {"try": 2.0, "region": "eu", "cached": false},
    });
    running.client.post("/api/v1/records", &json!([sent])).ok();
    let mut kept = running.client.get("/api/v1/records").ok()["records"][0].clone();
    assert_shape(&kept["id"], &json!("integer"));
    assert_shape(&kept["received_at"], &json!("time"));
    for own in ["id", "received_at"] {
        kept.as_object_mut().unwrap().remove(own);
    }
    let record = |value: Value| serde_json::from_value::<RequestRecord>(value).unwrap();
    assert_eq!(kept, serde_json::to_value(record(sent)).unwrap());
}

#[test]
fn a_record_without_a_time_gets_the_time_of_its_arrival() {
    let running = Running::start();
    let before = Timestamp::now();
    running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 0.3}])).ok();
    let kept = running.client.get("/api/v1/records").ok()["records"][0].clone();
    assert_eq!(kept["started_at"], kept["received_at"]);
    let at: Timestamp = kept["started_at"].as_str().unwrap().parse().unwrap();
    assert!((before..=Timestamp::now()).contains(&at));
}

/// A valid batch with one field of its third record set to a value.
fn batch(field: &str, value: &Value) -> Vec<Value> {
    let mut batch = vec![json!({"provider": "p", "e2e_s": 0.3}); 4];
    batch[2][field] = value.clone();
    batch
}

#[test]
fn one_invalid_record_refuses_the_batch_and_is_named() {
    let running = Running::start();
    let now = Timestamp::now();
    let impossible = [
        ("provider", json!("")),
        ("provider", json!(" ")),
        ("provider", json!("x".repeat(257))),
        ("provider", json!(null)),
        ("started_at", json!(now + SignedDuration::from_hours(25))),
        ("started_at", json!("1969-12-31T23:59:59Z")),
        ("started_at", json!("yesterday")),
        ("e2e_s", json!(-0.001)),
        ("e2e_s", json!("fast")),
        ("e2e_s", json!(1e300)),
        ("ttft_s", json!(-1)),
        ("tpot_s", json!([1])),
        ("icl_s", json!([0.1, -0.1])),
        ("cost_usd", json!(-1)),
        ("status", json!("fine")),
        ("output_tokens", json!(1.5)),
        ("attributes", json!({"list": [1]})),
    ];
    for (field, value) in impossible {
        let records = batch(field, &value);
        let (loc, _) = running.client.post("/api/v1/records", &json!({"records": records})).field_error();
        assert_eq!(loc[..4], [json!("body"), json!("records"), json!(2), json!(field)], "{field} {value}");
        let (loc, _) = running.client.post("/api/v1/records", &json!(records)).field_error();
        assert!(loc.contains(&json!(2)) && loc.contains(&json!(field)), "{loc:?}: {field} {value}");
        let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
        let answer = running.client.post_bytes("/api/v1/records", "application/x-ndjson", lines.as_bytes());
        assert!(answer.field_error().0.contains(&json!(field)), "{}", answer.text());
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
    assert_eq!(running.client.get("/api/v1/series").ok()["series"], json!([]));
}

#[test]
fn a_successful_request_needs_a_measurement() {
    let running = Running::start();
    // The fields of the previous service are not accepted here.
    for record in [json!({"provider": "p"}), json!({"provider": "p", "latency": 0.5})] {
        running.client.post("/api/v1/records", &json!([record])).field_error();
    }
    let measured = json!([{"provider": "p", "status": "error"}, {"provider": "p", "ttft_s": 0.1}]);
    running.client.post("/api/v1/records", &measured).ok();
}

#[test]
fn a_body_with_another_media_type_is_refused() {
    let running = Running::start();
    for kind in ["text/csv", "application/octet-stream", "application/x-protobuf"] {
        running.client.post_bytes("/api/v1/records", kind, br#"[{"provider": "p", "e2e_s": 1}]"#).refusal(415);
    }
}

#[test]
fn an_invalid_line_is_named_by_its_number() {
    let running = Running::start();
    let lines = "{\"provider\": \"p\", \"e2e_s\": 1}\n\n{\"provider\": \"p\", \"e2e_s\": \"x\"}\n";
    let answer = running.client.post_bytes("/api/v1/records", "application/x-ndjson", lines.as_bytes());
    answer.field_error();
    assert!(answer.text().contains("line 3"), "{}", answer.text());
    let (_, kind) =
        running.client.post_bytes("/api/v1/records", "application/x-ndjson", b"{\"provider\":").field_error();
    assert_eq!(kind, "json_invalid");
}

#[test]
fn times_at_the_bounds_are_accepted() {
    let running = Running::with(|settings| settings.retention_days = 0);
    let soon = Timestamp::now() + SignedDuration::from_hours(23);
    for at in ["1970-01-01T00:00:00Z".to_owned(), "1970-01-01T01:00:00+01:00".to_owned(), soon.to_string()] {
        running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 0.3, "started_at": at}])).ok();
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 3);
}

#[test]
fn a_batch_has_a_limit() {
    let running = Running::start();
    for empty in [json!([]), json!({"records": []})] {
        running.client.post("/api/v1/records", &empty).field_error();
    }
    running.client.post_bytes("/api/v1/records", "application/x-ndjson", b"\n\n").field_error();
    running.client.post_bytes("/api/v1/records", "application/json", b"").field_error();
    let many = |n: usize| "{\"provider\":\"p\",\"e2e_s\":0.3}\n".repeat(n);
    let post = |n: usize| running.client.post_bytes("/api/v1/records", "application/x-ndjson", many(n).as_bytes());
    post(50_001).field_error();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
    assert_eq!(post(50_000).ok()["stored"], 50_000);
}

#[test]
fn concurrent_batches_lose_nothing() {
    let running = Running::start();
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let client = &running.client;
            scope.spawn(move || {
                for _ in 0..25 {
                    let record = json!({"provider": format!("p{writer}"), "e2e_s": 0.3});
                    let stored = client.post("/api/v1/records", &json!([record, record])).ok();
                    // The ids of a batch are consecutive.
                    assert_eq!(stored["last_id"].as_i64(), stored["first_id"].as_i64().map(|id| id + 1));
                }
            });
        }
    });
    assert_eq!(running.client.get("/health").ok()["total_requests"], 400);
    let series = super::series(&running.client);
    assert_eq!(series.len(), 8);
    assert!(series.iter().all(|one| one["n"] == 50));
}
