//! `POST /v1/traces`: OpenTelemetry spans become records.

use jiff::{SignedDuration, Timestamp};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use prost::Message as _;
use serde_json::{Value, json};

use super::Running;

/// An export of one span with these attributes, which took 1.5 seconds and ended now.
fn export(attributes: &[(&str, Value)]) -> Value {
    let end = Timestamp::now();
    let start = end - SignedDuration::from_millis(1500);
    let attributes: Vec<Value> = attributes.iter().map(|(key, value)| json!({"key": key, "value": value})).collect();
    json!({"resourceSpans": [{"resource": {"attributes": []}, "scopeSpans": [{"scope": {"name": "test"}, "spans": [{
        "traceId": "e484151feb9dcd8e67bad3e138a0813a", "spanId": "dd4bd3a416332645", "name": "chat gpt-4o", "kind": 3,
        "startTimeUnixNano": start.as_nanosecond().to_string(), "endTimeUnixNano": end.as_nanosecond().to_string(),
        "attributes": attributes, "status": {},
    }]}]}]})
}

fn chat() -> Value {
    export(&[
        ("gen_ai.operation.name", json!({"stringValue": "chat"})),
        ("gen_ai.provider.name", json!({"stringValue": "openai"})),
        ("gen_ai.request.model", json!({"stringValue": "gpt-4o"})),
        ("gen_ai.usage.output_tokens", json!({"intValue": "60"})),
    ])
}

#[track_caller]
fn assert_kept(running: &Running) {
    let [record] =
        running.client.get("/api/v1/records").ok()["records"].as_array().unwrap().clone().try_into().unwrap();
    assert_eq!(
        (&record["provider"], &record["model"], &record["output_tokens"]),
        (&json!("openai"), &json!("gpt-4o"), &json!(60))
    );
    assert_eq!(record["e2e_s"], 1.5);
}

#[test]
fn a_span_in_json_becomes_a_record() {
    let running = Running::start();
    let answer = running.client.post("/v1/traces", &chat());
    assert_eq!((answer.status, &answer.json()["partialSuccess"]), (200, &Value::Null));
    assert_kept(&running);
}

#[test]
fn a_span_in_protobuf_becomes_the_same_record() {
    let running = Running::start();
    let export: ExportTraceServiceRequest = serde_json::from_value(chat()).unwrap();
    let answer = running.client.post_bytes("/v1/traces", "application/x-protobuf", &export.encode_to_vec());
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/x-protobuf")));
    ExportTraceServiceResponse::decode(&answer.body[..]).unwrap();
    assert_kept(&running);
}

#[test]
fn other_spans_are_accepted_and_ignored() {
    let running = Running::start();
    for spans in [export(&[("http.request.method", json!({"stringValue": "GET"}))]), json!({"resourceSpans": []})] {
        assert_eq!(running.client.post("/v1/traces", &spans).status, 200);
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
}

#[test]
fn an_invalid_export_is_refused() {
    let running = Running::start();
    for body in [json!({}), json!([]), json!({"resourceSpans": 5})] {
        running.client.post("/v1/traces", &body).field_error();
    }
    running.client.post_bytes("/v1/traces", "application/json", b"{").field_error();
    running.client.post_bytes("/v1/traces", "application/x-protobuf", b"\xff\xff\xff").field_error();
    running.client.post_bytes("/v1/traces", "text/plain", b"spans").refusal(415);
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
}
