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
fn long_prompts_do_not_hide_what_is_read() {
    let running = Running::start();
    let mut export: ExportTraceServiceRequest = serde_json::from_value(chat()).unwrap();
    let span = &mut export.resource_spans[0].scope_spans[0].spans[0];
    let mut prompt = span.attributes[0].clone();
    prompt.key = "gen_ai.input.messages".to_owned();
    prompt.value = serde_json::from_value(json!({"stringValue": "word ".repeat(40_000)})).unwrap();
    // Before the attributes that are read, and after them.
    span.attributes.insert(0, prompt.clone());
    span.attributes.push(prompt.clone());
    for n in 0..200 {
        prompt.key = format!("llm.input_messages.{n}.message.content");
        prompt.value = serde_json::from_value(json!({"stringValue": "word ".repeat(400)})).unwrap();
        span.attributes.insert(0, prompt.clone());
    }
    let answer = running.client.post_bytes("/v1/traces", "application/x-protobuf", &export.encode_to_vec());
    assert_eq!(answer.status, 200);
    assert_kept(&running);
}

#[test]
fn an_export_is_read_in_pieces_and_counts_each_span() {
    let running = Running::start();
    let mut export: ExportTraceServiceRequest = serde_json::from_value(chat()).unwrap();
    let spans = &mut export.resource_spans[0].scope_spans[0].spans;
    let one = spans[0].clone();
    *spans = (0..1000_u64)
        .map(|id| {
            let mut span = one.clone();
            span.span_id = id.to_be_bytes().to_vec();
            span
        })
        .collect();
    let bytes = export.encode_to_vec();
    for _ in 0..2 {
        assert_eq!(running.client.post_bytes("/v1/traces", "application/x-protobuf", &bytes).status, 200);
        assert_eq!(total(&running), 1000);
    }
    // An export that ends within a field stores nothing.
    let cut = &bytes[..bytes.len() - 7];
    running.client.post_bytes("/v1/traces", "application/x-protobuf", cut).field_error();
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

const NESTED: [&str; 2] = [
    include_str!("../../../llmscope-core/tests/logs/otel/nested_1.json"),
    include_str!("../../../llmscope-core/tests/logs/otel/nested_2.json"),
];
const SERVER: &str = include_str!("../../../llmscope-core/tests/logs/otel/vllm_server.json");
const OPENINFERENCE: &str = include_str!("../../../llmscope-core/tests/logs/otel/openinference_stream.json");

fn total(running: &Running) -> Value {
    running.client.get("/health").ok()["total_requests"].clone()
}

fn post(running: &Running, text: &str) -> Value {
    let answer = running.client.post_bytes("/v1/traces", "application/json", text.as_bytes());
    assert_eq!(answer.status, 200);
    answer.json()
}

#[test]
fn one_call_in_two_exports_is_one_record() {
    let running = Running::start();
    for text in NESTED.iter().chain(&NESTED) {
        assert_eq!(post(&running, text)["partialSuccess"], Value::Null);
    }
    assert_eq!(total(&running), 1);
    let records = running.client.get("/api/v1/records").ok();
    // The client library's span is closest to the call.
    assert_eq!(records["records"][0]["e2e_s"], 0.33);
}

#[test]
fn spans_without_attributes_of_the_conventions_are_read() {
    let running = Running::start();
    assert_eq!(post(&running, OPENINFERENCE)["partialSuccess"], Value::Null);
    assert_eq!(total(&running), 2);
}

#[test]
fn spans_that_are_not_stored_are_counted_with_the_reason() {
    let running = Running::start();
    let refused = post(&running, SERVER)["partialSuccess"].clone();
    assert_eq!(refused["rejectedSpans"], 1, "{refused}");
    assert!(refused["errorMessage"].as_str().unwrap().contains("1 span of a model's server without"), "{refused}");
    let unknown = export(&[("llm.request.kind", json!({"stringValue": "chat"}))]);
    let refused = running.client.post("/v1/traces", &unknown).json()["partialSuccess"].clone();
    assert!(refused["errorMessage"].as_str().unwrap().contains("attributes that are not known"), "{refused}");
    // A step is walked through, and an export of steps is complete.
    let step = export(&[("gen_ai.operation.name", json!({"stringValue": "execute_tool"}))]);
    assert_eq!(running.client.post("/v1/traces", &step).json()["partialSuccess"], Value::Null);
    assert_eq!(total(&running), 0);
}

#[test]
fn metrics_and_logs_are_refused_with_the_way_to_switch_them_off() {
    let running = Running::start();
    for (path, variable) in [("/v1/metrics", "OTEL_METRICS_EXPORTER=none"), ("/v1/logs", "OTEL_LOGS_EXPORTER=none")] {
        let answer = running.client.post(path, &json!({"resourceMetrics": []}));
        let status = answer.json();
        assert_eq!((answer.status, &status["code"]), (400, &json!(12)), "{status}");
        assert!(status["message"].as_str().unwrap().contains(variable), "{status}");
        let answer = running.client.post_bytes(path, "application/x-protobuf", b"");
        assert_eq!((answer.status, answer.header("content-type")), (400, Some("application/x-protobuf")));
        // Field 1 is the code 12, field 2 the message.
        assert_eq!(&answer.body[..3], [0x08, 12, 0x12]);
        assert!(String::from_utf8_lossy(&answer.body).contains(variable));
        running.client.without_key().post(path, &json!({})).refusal(401);
    }
}
