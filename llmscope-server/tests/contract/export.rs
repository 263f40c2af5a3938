//! `GET /api/export`: rows that the core reads as a session.

use jiff::{SignedDuration, Timestamp};
use llmscope_core::ingest::{self, Content};
use llmscope_core::session::Status;
use serde_json::json;

use super::client::shape::{assert_shape, texts};
use super::{Running, log_all};

#[test]
fn its_shape_is_that_of_the_previous_service() {
    let running = Running::start();
    log_all(&running.client, "p", &[0.3]);
    running
        .client
        .post("/api/log", &json!({"provider": "p", "latency": 0.3, "success": false, "error_message": "no", "endpoint": "/v1", "metadata": {"a": 1}}))
        .ok();
    let row = json!({
        "id": "integer", "timestamp": "time", "provider": "text", "model": "text?", "latency": "number",
        "tokens_in": "integer?", "tokens_out": "integer?", "cost": "number?", "success": "integer",
        "error_message": "text?", "endpoint": "text?", "metadata": "text?",
    });
    assert_shape(
        &running.client.get("/api/export").ok(),
        &json!({"export_time": "time", "record_count": "integer", "data": [row]}),
    );
}

#[test]
fn metadata_is_json_text() {
    let running = Running::start();
    for body in [
        json!({"provider": "p", "latency": 30.0, "success": false, "endpoint": "/v1"}),
        json!({"provider": "p", "latency": 0.3, "metadata": {"a": 1}}),
    ] {
        running.client.post("/api/log", &body).ok();
    }
    let export = running.client.get("/api/export").ok();
    assert_eq!((&export["data"][0]["metadata"], &export["data"][1]["metadata"]), (&json!("{\"a\":1}"), &json!(null)));
}

#[test]
fn the_newest_come_first() {
    let running = Running::start();
    for provider in ["first", "second", "third"] {
        log_all(&running.client, provider, &[0.3]);
    }
    let export = running.client.get("/api/export").ok();
    assert_eq!(export["record_count"], 3);
    assert_eq!(texts(&export["data"], "provider"), ["third", "second", "first"]);
}

#[test]
fn hours_and_provider_select() {
    let running = Running::start();
    for (hours, provider) in [(1, "a"), (2, "b"), (25, "a"), (200, "b")] {
        let at = Timestamp::now() - SignedDuration::from_hours(hours);
        running.client.post("/api/v1/records", &json!([{"provider": provider, "e2e_s": 1, "started_at": at}])).ok();
    }
    let count = |query: &str| running.client.get(format!("/api/export{query}")).ok()["record_count"].clone();
    assert_eq!(count(""), 2);
    assert_eq!(count("?hours=168"), 3);
    assert_eq!(count("?provider=a"), 1);
    assert_eq!(count("?provider=unknown"), 0);
    // A whole store can be exported: further back than in the previous service.
    assert_eq!(count("?hours=1000"), 4);
}

#[test]
fn the_core_reads_it_back_as_the_same_requests() {
    let running = Running::start();
    let sent = [
        json!({"provider": "openai", "latency": 0.31, "model": "gpt-4o", "tokens_in": 5, "tokens_out": 60, "cost": 0.01}),
        json!({"provider": "openai", "latency": 30.0, "success": false, "error_message": "timed out"}),
        json!({"provider": "ollama", "latency": 1.5, "endpoint": "/api/chat", "metadata": {"region": "eu"}}),
    ];
    for request in &sent {
        running.client.post("/api/log", request).ok();
    }
    let export = running.client.get("/api/export");
    let log = ingest::read("export.json", &export.body, None).unwrap();
    assert_eq!((log.tool.name(), &log.warnings[..]), ("llmscope-export", &[][..]));
    let Content::Session(session) = log.content else { panic!("a table") };
    assert_eq!(session.records.len(), 3);
    for (record, sent) in session.records.iter().zip(&sent) {
        let succeeded = sent["success"] != false;
        assert_eq!(record.status, if succeeded { Status::Ok } else { Status::Error });
        assert_eq!(session.provider_of(record), sent["provider"].as_str());
        assert_eq!(session.model_of(record), sent["model"].as_str());
        assert_eq!(record.e2e_s, sent["latency"].as_f64().filter(|_| succeeded));
        assert_eq!(
            (record.input_tokens, record.output_tokens),
            (sent["tokens_in"].as_u64(), sent["tokens_out"].as_u64())
        );
        assert_eq!(record.cost_usd, sent["cost"].as_f64());
        assert_eq!(record.error.as_ref().and_then(|error| error.message.as_deref()), sent["error_message"].as_str());
    }
    assert_eq!(session.records[1].attribute("failed_after_s"), Some(30.0));
    assert_eq!(session.records[2].attributes["endpoint"].label(), "/api/chat");
    assert_eq!(session.records[2].attributes["region"].label(), "eu");
}

#[test]
fn a_service_accepts_the_export_of_another_one() {
    let (one, other) = (Running::start(), Running::start());
    log_all(&one.client, "p", &[0.1, 0.2, 0.3]);
    let export = one.client.get("/api/export");
    let summary = other.client.post_bytes("/api/v1/sessions", "application/json", &export.body).ok();
    assert_eq!((&summary["tool"], &summary["records"]), (&json!("llmscope-export"), &json!(3)));
    assert_eq!(summary["providers"], json!(["p"]));
}
