//! aiperf.

use llmscope_core::RequestRecord;
use llmscope_core::session::Status;
use serde_json::{Value, json};

use super::{
    assert_close, assert_number, assert_text, read, refusal, session, summary, table, text_attribute, text_of,
};

const RECORDS: &str = "aiperf/profile_export.jsonl";
const SUMMARY: &str = "aiperf/profile_export_aiperf.json";
const SLICES: &str = "aiperf/profile_export_aiperf_timeslices.json";
const CSV: &str = "aiperf/profile_export_aiperf.csv";

/// The first record, modified.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut line: Value = serde_json::from_str(text_of(RECORDS).lines().next().unwrap()).unwrap();
    change(&mut line);
    format!("{line}\n")
}

#[test]
fn every_field_of_a_record_is_read() {
    let session = session(read(&text_of(RECORDS)));
    assert_eq!(session.header.recorder.as_ref().unwrap().name, "aiperf");
    assert_eq!((session.header.model.as_deref(), session.header.provider.as_deref()), (None, None));
    assert_eq!(session.records.len(), 22);
    let first = &session.records[0];
    assert_eq!(first.started_at.unwrap().to_string(), "2026-11-23T07:49:24.956795869Z");
    assert_eq!(first.status, Status::Ok);
    assert_eq!(first.ttft_s, Some(123.924493 / 1e3));
    assert_eq!(first.e2e_s, Some(754.446771 / 1e3));
    assert_eq!(first.tpot_s, Some(10.008290126984127 / 1e3));
    assert_eq!((first.icl_s.len(), first.icl_s[1]), (63, 10.390582 / 1e3));
    assert_eq!((first.input_tokens, first.output_tokens, first.tokens_estimated), (Some(47), Some(64), false));
    assert_eq!(first.connect_s, Some(17.079558 / 1e3));
    for (name, value) in [
        ("time_to_second_token_s", 5.1302449999999995 / 1e3),
        ("time_to_first_output_token_s", 123.924493 / 1e3),
        ("http_req_waiting_s", 105.741669 / 1e3),
        ("http_req_sending_s", 17.826255 / 1e3),
        ("http_req_receiving_s", 630.581286 / 1e3),
        ("http_req_blocked_s", 0.0),
        ("http_req_connection_reused", 0.0),
        ("credit_to_start_latency_s", 0.001527214),
    ] {
        assert_eq!(first.attribute(name), Some(value), "{name}");
    }
    assert_eq!(first.sched_delay_s, None);
    assert_eq!(text_attribute(first, "run"), None);
}

#[test]
fn warm_up_records_are_kept_apart() {
    let session = session(read(&text_of(RECORDS)));
    let warm: Vec<_> = session.records.iter().map(|record| record.warmup).collect();
    assert_eq!(warm.iter().filter(|&&warm| warm).count(), 2);
    assert!(warm[0] && warm[1] && !warm[2]);
}

/// The tool's own summary of the same run.
#[test]
fn our_quantiles_are_those_that_the_tool_reports() {
    let own: Value = serde_json::from_str(&text_of(SUMMARY)).unwrap();
    let session = session(read(&text_of(RECORDS)));
    let measured: Vec<&RequestRecord> = session.records.iter().filter(|record| !record.warmup).collect();
    let values = |of: fn(&RequestRecord) -> Option<f64>| summary(measured.iter().filter_map(|record| of(record)));
    for (tag, [mean, p50, p99]) in [
        ("time_to_first_token", values(|record| record.ttft_s)),
        ("request_latency", values(|record| record.e2e_s)),
        ("inter_token_latency", values(|record| record.tpot_s)),
        ("inter_chunk_latency", summary(measured.iter().flat_map(|record| record.icl_s.iter().copied()))),
    ] {
        let own = |statistic: &str| own[tag][statistic].as_f64().unwrap() / 1e3;
        assert_close(mean, own("avg"), 1e-12);
        assert_close(p50, own("p50"), 1e-12);
        assert_close(p99, own("p99"), 1e-12);
    }
}

#[test]
fn a_connection_that_was_open_before_has_no_time_to_connect() {
    let session = session(read(&text_of(RECORDS)));
    let reused = session.records.iter().find(|record| record.attribute("http_req_connection_reused") == Some(1.0));
    assert_eq!(reused.unwrap().connect_s, None);
}

#[test]
fn units_are_read_from_each_metric() {
    for (unit, expected) in [("ns", 5e-9), ("us", 5e-6), ("ms", 5e-3), ("sec", 5.0)] {
        let text = changed(|line| line["metrics"]["time_to_first_token"] = json!({"value": 5.0, "unit": unit}));
        assert_eq!(session(read(&text)).records[0].ttft_s, Some(expected), "{unit}");
    }
    let text = changed(|line| line["metrics"]["time_to_first_token"]["unit"] = json!("fortnight"));
    let message = refusal(&text, "aiperf");
    assert!(
        message.contains("log:1") && message.contains("time_to_first_token.unit") && message.contains("fortnight"),
        "{message}"
    );
}

#[test]
fn counts_of_the_tools_own_tokenizer_are_an_estimate() {
    let text = changed(|line| {
        line["metrics"].as_object_mut().unwrap().remove("usage_completion_tokens");
    });
    let session = session(read(&text));
    assert_eq!((session.records[0].output_tokens, session.records[0].tokens_estimated), (Some(64), true));
}

#[test]
fn a_failed_request_has_its_error_and_no_latency() {
    let text = changed(|line| {
        line["error"] = json!({"code": 503, "type": "Service Unavailable", "message": "{\"error\":\"overloaded\"}"});
    });
    let failed = &session(read(&text)).records[0];
    let error = failed.error.as_ref().unwrap();
    assert_eq!((failed.status, error.kind.as_str(), error.code), (Status::Error, "Service Unavailable", Some(503)));
    assert_eq!(error.message.as_deref(), Some("{\"error\":\"overloaded\"}"));
    assert_eq!((failed.ttft_s, failed.e2e_s, failed.tpot_s, failed.icl_s.len()), (None, None, None, 0));
    let text = changed(|line| line["error"] = json!({"type": "TimeoutError", "message": "too long"}));
    assert_eq!(session(read(&text)).records[0].status, Status::Timeout);
    let text = changed(|line| line["metadata"]["was_cancelled"] = json!(true));
    assert_eq!(session(read(&text)).records[0].status, Status::Cancelled);
}

#[test]
fn several_phases_of_measuring_are_runs() {
    let text = changed(|line| {
        let metadata = &mut line["metadata"];
        metadata["benchmark_phase"] = json!("profiling");
        metadata["phase_kind"] = json!("profiling");
        metadata["phase_name"] = json!("peak");
    });
    let record = &session(read(&text)).records[0];
    assert_eq!((record.warmup, text_attribute(record, "run")), (false, Some("peak")));
}

#[test]
fn a_torn_last_line_costs_that_line_only() {
    let text = text_of(RECORDS);
    let log = read(&text[..text.len() - 200]);
    assert_eq!((log.warnings.len(), log.warnings[0].location.line), (1, Some(22)));
    assert_eq!(session(log).records.len(), 21);
}

#[test]
fn the_summary_is_one_row() {
    let runs = table(read(&text_of(SUMMARY)));
    assert!(runs.of_runs && runs.rows() == 1);
    assert_text(&runs, "model", 0, "mock-model");
    assert_text(&runs, "start_time_local", 0, "2026-11-23T07:49:25.721449");
    assert!(runs.column("started_at").is_none());
    for (column, expected) in [
        ("concurrency", 4.0),
        ("requests", 20.0),
        ("failed", 0.0),
        ("duration_s", 3.786597888),
        ("requests_per_s", 5.270286288415193),
        ("goodput_requests_per_s", 5.270286288415193),
        ("output_tokens_per_s", 337.29832245857233),
        ("ttft_s.mean", 116.3785637 / 1e3),
        ("ttft_s.p50", 116.974024 / 1e3),
        ("ttft_s.p99", 120.50993862 / 1e3),
        ("ttft_s.std", 2.8140855718412876 / 1e3),
        ("e2e_s.max", 757.911518 / 1e3),
        ("tpot_s.p95", 10.186490302380953 / 1e3),
        ("icl_s.p99", 42.94839460000014 / 1e3),
        ("input_tokens.mean", 47.25),
        ("credit_to_start_latency_s.mean", 7.112204799999999 / 1e3),
    ] {
        assert_number(&runs, column, 0, expected);
    }
    assert!(!runs.columns.iter().any(|column| column.name.ends_with(".count") || column.name.ends_with(".sum")));
}

#[test]
fn timeslices_are_rows_with_their_start() {
    let runs = table(read(&text_of(SLICES)));
    assert!(runs.of_runs);
    assert_eq!(runs.rows(), 4);
    assert_text(&runs, "started_at", 0, "2026-11-23T07:49:25.728516864Z");
    assert_text(&runs, "started_at", 1, "2026-11-23T07:49:26.728516864Z");
    assert_number(&runs, "duration_s", 0, 1.0);
    assert_number(&runs, "requests", 0, 8.0);
    assert_number(&runs, "ttft_s.mean", 0, 115.75723612499999 / 1e3);
    assert_number(&runs, "e2e_s.p50", 0, 742.363975 / 1e3);
}

#[test]
fn the_csv_agrees_to_two_decimal_places() {
    let runs = table(read(&text_of(CSV)));
    assert!(runs.of_runs && runs.rows() == 1);
    for (column, expected) in [
        ("requests", 20.0),
        ("failed", 0.0),
        ("duration_s", 3.79),
        ("requests_per_s", 5.27),
        ("output_tokens_per_s", 337.3),
        ("ttft_s.mean", 116.38 / 1e3),
        ("ttft_s.p99", 120.51 / 1e3),
        ("e2e_s.std", 6.89 / 1e3),
        ("tpot_s.p50", 9.98 / 1e3),
        ("effective_latency_s.p50", 751.54 / 1e3),
        ("credit_to_start_latency_s.max", 14.26 / 1e3),
        ("output_tokens.mean", 64.0),
    ] {
        assert_number(&runs, column, 0, expected);
    }
}

#[test]
fn errors_name_the_problem() {
    let mut summary: Value = serde_json::from_str(&text_of(SUMMARY)).unwrap();
    summary["request_latency"]["unit"] = json!("furlong");
    let message = refusal(&summary.to_string(), "aiperf-json");
    assert!(message.contains("request_latency.unit") && message.contains("furlong"), "{message}");
    assert!(refusal("{\"timeslices\": []}", "aiperf-timeslices").contains("no timeslices"));
    let text = changed(|line| line["metadata"]["request_start_ns"] = json!("now"));
    assert!(refusal(&text, "aiperf").contains("log:1"));
    let text = changed(|line| line["metrics"]["request_latency"]["value"] = json!(-3.0));
    assert!(refusal(&text, "aiperf").contains("e2e_s"));
    let message = refusal("Metric,avg,p50,p99,std\nRequest Latency (ms),1.0,2.0\n", "aiperf-csv");
    assert!(message.contains("Request Latency (ms)") && message.contains("3 fields"), "{message}");
}
