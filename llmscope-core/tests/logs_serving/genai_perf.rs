//! genai-perf.

use llmscope_core::RequestRecord;
use llmscope_core::session::Status;
use serde_json::{Value, json};

use super::{
    assert_close, assert_number, assert_text, read, refusal, session, summary, table, text_attribute, text_of,
};

const EXPORT: &str = "genai_perf/profile_export.json";
const SUMMARY: &str = "genai_perf/profile_export_genai_perf.json";
const CSV: &str = "genai_perf/profile_export_genai_perf.csv";

/// An export of one request whose responses arrived the given numbers of nanoseconds after it.
fn export(responses: &[(i64, &str)]) -> String {
    let sent = 1_767_225_600_000_000_000_i64;
    let moments: Vec<i64> = responses.iter().map(|(after, _)| sent + after).collect();
    let outputs: Vec<Value> = responses.iter().map(|(_, text)| json!({"response": text})).collect();
    json!({
        "experiments": [{
            "experiment": {"mode": "request_rate", "value": 2.5},
            "requests": [{
                "timestamp": sent,
                "request_inputs": {"payload": "{\"model\":\"m/one\",\"messages\":[]}"},
                "response_timestamps": moments, "response_outputs": outputs,
            }],
            "window_boundaries": [],
        }],
        "version": "", "service_kind": "openai", "endpoint": "v1/chat/completions",
    })
    .to_string()
}

fn only(responses: &[(i64, &str)]) -> RequestRecord {
    session(read(&export(responses))).records[0].clone()
}

const ROLE: &str = "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n";
const TOKEN: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n";
const REASONING: &str = "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"a\"}}]}\n\n";
const USAGE: &str = "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":5}}\n\n";
const END: &str = "data: [DONE]\n\n";

#[test]
fn metrics_are_derived_from_the_timestamps() {
    let session = session(read(&text_of(EXPORT)));
    let header = &session.header;
    assert_eq!(header.recorder.as_ref().unwrap().name, "genai-perf");
    assert_eq!(header.model.as_deref(), Some("mock-model"));
    assert_eq!(header.labels["endpoint"], "v1/chat/completions");
    assert_eq!(header.started_at.unwrap().to_string(), "2026-11-24T02:56:46.136507784Z");
    assert_eq!(session.records.len(), 8);
    let first = &session.records[0];
    assert_eq!(first.started_at, header.started_at);
    assert_eq!((first.ttft_s, first.e2e_s), (Some(0.060525699), Some(0.110049837)));
    assert_eq!(first.icl_s, [0.010620735, 0.015914157, 0.010227211]);
    assert_eq!((first.tpot_s, first.output_tokens, first.model.as_deref()), (None, None, None));
    assert_eq!(text_attribute(first, "run"), Some("concurrency@2"));
    assert_eq!(first.attribute("concurrency"), Some(2.0));
    assert!(session.records.is_sorted_by_key(|record| record.started_at));
}

/// The tool's own summary of the same requests. It counts until the last response with content, we until the last
/// response.
#[test]
fn our_quantiles_are_those_that_the_tool_reports() {
    let own: Value = serde_json::from_str(&text_of(SUMMARY)).unwrap();
    let session = session(read(&text_of(EXPORT)));
    let values = |of: fn(&RequestRecord) -> Option<f64>| summary(session.records.iter().filter_map(of));
    for (tag, [mean, p50, p99]) in [
        ("time_to_first_token", values(|record| record.ttft_s)),
        ("time_to_second_token", values(|record| record.icl_s.first().copied())),
        ("request_latency", values(|record| Some(record.ttft_s? + record.icl_s.iter().sum::<f64>()))),
    ] {
        let own = |statistic: &str| own[tag][statistic].as_f64().unwrap() / 1e3;
        assert_close(mean, own("avg"), 1e-12);
        assert_close(p50, own("p50"), 1e-12);
        assert_close(p99, own("p99"), 1e-12);
    }
}

#[test]
fn responses_without_content_are_no_tokens() {
    let record =
        only(&[(1_000, ROLE), (250_000_000, TOKEN), (500_000_000, TOKEN), (600_000_000, USAGE), (750_000_000, END)]);
    assert_eq!((record.ttft_s, record.e2e_s), (Some(0.25), Some(0.75)));
    assert_eq!(record.icl_s, [0.25]);
}

#[test]
fn reasoning_is_content() {
    let record = only(&[(250_000_000, REASONING), (500_000_000, TOKEN)]);
    assert_eq!(record.ttft_s, Some(0.25));
}

#[test]
fn a_usage_report_gives_tokens_and_the_time_of_each() {
    let record = only(&[(250_000_000, TOKEN), (1_250_000_000, TOKEN), (1_300_000_000, USAGE)]);
    assert_eq!((record.input_tokens, record.output_tokens, record.tokens_estimated), (Some(9), Some(5), false));
    assert_eq!(record.tpot_s, Some(0.25));
    assert_eq!(record.attribute("request_rate_per_s"), Some(2.5));
}

#[test]
fn several_events_in_one_response_are_one_arrival() {
    let both = format!("{TOKEN}{TOKEN}");
    assert_eq!(only(&[(250_000_000, &both), (500_000_000, TOKEN)]).icl_s, [0.25]);
}

#[test]
fn an_event_in_two_responses_arrives_with_the_second() {
    let (head, tail) = TOKEN.split_at(20);
    let record = only(&[(250_000_000, head), (500_000_000, tail), (1_000_000_000, TOKEN)]);
    assert_eq!((record.ttft_s, record.icl_s.as_slice()), (Some(0.5), [0.5].as_slice()));
}

#[test]
fn an_error_event_and_an_answer_without_content_are_failures() {
    let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    for responses in [vec![(1_000, error)], vec![(1_000, TOKEN), (2_000, error)], vec![(1_000, END)], Vec::new()] {
        let record = only(&responses);
        assert_eq!((record.status, record.ttft_s, record.e2e_s), (Status::Error, None, None), "{responses:?}");
    }
}

#[test]
fn a_clock_that_stepped_back_leaves_no_latency() {
    assert_eq!(only(&[(-5, TOKEN), (500, TOKEN)]).ttft_s, None);
}

#[test]
fn the_summary_is_one_row() {
    let runs = table(read(&text_of(SUMMARY)));
    assert!(runs.of_runs && runs.rows() == 1);
    assert_text(&runs, "model", 0, "mock-model");
    for (column, expected) in [
        ("concurrency", 2.0),
        ("requests", 8.0),
        ("requests_per_s", 19.002373717142326),
        ("output_tokens_per_s", 76.0094948685693),
        ("ttft_s.mean", 59.433188875 / 1e3),
        ("ttft_s.p99", 72.2706944 / 1e3),
        ("e2e_s.p50", 93.6884405 / 1e3),
        ("tpot_s.mean", 11.068737125 / 1e3),
        ("tpot_s.std", 3.2049925379743645 / 1e3),
        ("output_tokens.mean", 4.0),
    ] {
        assert_number(&runs, column, 0, expected);
    }
    assert!(runs.column("failed").is_none());
}

#[test]
fn the_csv_agrees_to_two_decimal_places() {
    let runs = table(read(&text_of(CSV)));
    assert!(runs.of_runs && runs.rows() == 1);
    for (column, expected) in [
        ("requests", 8.0),
        ("requests_per_s", 19.0),
        ("output_tokens_per_s", 76.01),
        ("ttft_s.mean", 59.43 / 1e3),
        ("ttft_s.p99", 72.27 / 1e3),
        ("tpot_s.p95", 14.92 / 1e3),
        ("time_to_second_token_s.min", 0.01 / 1e3),
    ] {
        assert_number(&runs, column, 0, expected);
    }
}

#[test]
fn commas_between_thousands_are_no_delimiters() {
    let text = text_of(CSV).replace("Request Latency (ms),92.64,", "Request Latency (ms),\"1,092.64\",");
    assert_number(&table(read(&text)), "e2e_s.mean", 0, 1092.64 / 1e3);
    let text = text_of(CSV).replace("Request Latency (ms),92.64,", "Request Latency (ms),N/A,");
    assert!(table(read(&text)).column("e2e_s.mean").is_none());
}

#[test]
fn errors_name_the_problem() {
    assert!(refusal("{\"experiments\": []}", "genai-perf").contains("experiments: no requests"));
    let text = export(&[(5, TOKEN)]).replace("1767225600000000005", "\"soon\"");
    assert!(refusal(&text, "genai-perf").contains("\"soon\""));
}
