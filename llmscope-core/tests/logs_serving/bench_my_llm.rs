//! bench-my-llm.

use llmscope_core::session::Status;
use serde_json::{Value, json};

use super::{read, refusal, session, text_attribute, text_of};

const RUN: &str = "bench_my_llm/run.json";

fn parsed() -> Value {
    serde_json::from_str(&text_of(RUN)).unwrap()
}

#[test]
fn every_field_of_a_request_is_read() {
    let session = session(read(&text_of(RUN)));
    let header = &session.header;
    let recorder = header.recorder.as_ref().unwrap();
    assert_eq!((recorder.name.as_str(), recorder.version.as_deref()), ("bench-my-llm", Some("0.5.0")));
    assert_eq!((header.model.as_deref(), header.description.as_deref()), (Some("mock-model"), None));
    assert_eq!(header.started_at.unwrap().to_string(), "2026-11-23T08:19:39.415751Z");
    assert_eq!((header.labels["suite"].as_str(), header.labels["temperature"].as_str()), ("factual", "0"));
    assert_eq!(session.records.len(), 5);
    let second = &session.records[1];
    assert_eq!((second.status, second.model.as_deref()), (Status::Ok, None));
    assert_eq!((second.ttft_s, second.e2e_s), (Some(208.7 / 1e3), Some(857.1 / 1e3)));
    assert_eq!((second.input_tokens, second.output_tokens), (Some(24), Some(83)));
    assert_eq!(text_attribute(second, "category"), Some("factual"));
}

#[test]
fn estimated_counts_are_marked() {
    let session = session(read(&text_of(RUN)));
    assert!(session.records.iter().all(|record| record.tokens_estimated && record.tpot_s.is_none()));
}

#[test]
fn the_first_request_is_kept_with_a_warning() {
    let log = read(&text_of(RUN));
    assert_eq!(log.warnings.len(), 1);
    assert_eq!(log.warnings[0].location.field.as_deref(), Some("results[0]"));
    let session = session(log);
    assert_eq!((session.records[0].ttft_s, session.records[0].warmup), (Some(2095.6 / 1e3), false));
}

#[test]
fn an_answer_without_text_has_no_first_token() {
    let mut run = parsed();
    run["results"][2]["response_text"] = json!("");
    run["results"][2]["ttft_ms"] = run["results"][2]["total_latency_ms"].clone();
    let session = session(read(&run.to_string()));
    let empty = &session.records[2];
    assert_eq!((empty.ttft_s, empty.e2e_s, empty.output_tokens), (None, Some(891.9 / 1e3), None));
}

#[test]
fn errors_name_the_problem() {
    let mut run = parsed();
    run["results"][1]["ttft_ms"] = json!("soon");
    let message = refusal(&run.to_string(), "bench-my-llm");
    assert!(message.contains("\"soon\""), "{message}");
    run["results"] = json!([]);
    assert!(refusal(&run.to_string(), "bench-my-llm").contains("results: no requests"));
}
