//! vllm bench serve.

use llmscope_core::session::Status;
use serde_json::{Value, json};

use super::{
    assert_close, assert_number, assert_text, cell, read, refusal, session, summary, table, text_attribute, text_of,
};
use llmscope_core::ingest::Cell;

/// A detailed result from a version before `latencies`, `start_times` and `queue_times`: the second request broke off
/// within the stream, the third was rejected.
fn older() -> Value {
    json!({
        "date": "20250601-120000", "endpoint_type": "vllm", "backend": "vllm", "label": null, "model_id": "m/one",
        "tokenizer_id": "m/one", "num_prompts": 3, "request_rate": 2.0, "burstiness": 1.0, "max_concurrency": null,
        "duration": 4.0, "completed": 1, "total_input_tokens": 7, "total_output_tokens": 5,
        "request_throughput": 0.25, "request_goodput:": null, "output_throughput": 1.25,
        "total_token_throughput": 3.0, "input_lens": [7, 8, 9], "output_lens": [5, 0, 0], "ttfts": [0.25, 0.5, 0.0],
        "itls": [[0.5, 0.25, 0.25], [0.125], []],
        "generated_texts": ["abcd", "", ""],
        "errors": ["", "Traceback (most recent call last):\n  ...\naiohttp.client_exceptions.ClientPayloadError: cut\n", "Service Unavailable"],
        "mean_ttft_ms": 250.0, "median_ttft_ms": 250.0, "std_ttft_ms": 0.0, "p99_ttft_ms": 250.0
    })
}

#[test]
fn every_field_of_a_request_is_read() {
    let session = session(read(&text_of("vllm/detailed.json")));
    let header = &session.header;
    assert_eq!(header.recorder.as_ref().unwrap().name, "vllm bench serve");
    assert_eq!(
        (header.model.as_deref(), header.provider.as_deref(), header.started_at),
        (Some("mock-model"), None, None)
    );
    for (name, value) in [
        ("backend", "openai-chat"),
        ("date", "20261123-080527"),
        ("max_concurrency", "4"),
        ("request_rate", "inf"),
        ("burstiness", "1"),
        ("num_prompts", "20"),
        ("tokenizer_id", "./tok"),
    ] {
        assert_eq!(header.labels.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(header.labels.len(), 7);
    assert_eq!(session.records.len(), 20);
    let first = &session.records[0];
    assert_eq!(first.status, Status::Ok);
    assert_eq!(first.ttft_s, Some(0.1130235629998424));
    assert_eq!(first.e2e_s, Some(0.7346200009997119));
    assert_eq!((first.input_tokens, first.output_tokens, first.tokens_estimated), (Some(64), Some(64), false));
    assert_eq!((first.icl_s.len(), first.icl_s[0]), (64, 0.00099452399990696));
    assert_eq!(first.attribute("start_time_s"), Some(5362.631601142));
    assert_eq!(text_attribute(first, "run"), None);
    assert_eq!(first.started_at, None);
}

/// The tool's own summary of the same requests, in the same file.
#[test]
fn our_quantiles_are_those_that_the_tool_printed() {
    let text = text_of("vllm/detailed.json");
    let own: Value = serde_json::from_str(&text).unwrap();
    let session = session(read(&text));
    let records = &session.records;
    let pooled = records.iter().flat_map(|record| record.icl_s.iter().copied());
    for (metric, [mean, p50, p99]) in [
        ("ttft", summary(records.iter().filter_map(|record| record.ttft_s))),
        ("e2el", summary(records.iter().filter_map(|record| record.e2e_s))),
        ("tpot", summary(records.iter().filter_map(|record| record.tpot_s))),
        ("itl", summary(pooled)),
    ] {
        let own = |statistic: &str| own[format!("{statistic}_{metric}_ms")].as_f64().unwrap() / 1e3;
        assert_close(mean, own("mean"), 1e-12);
        assert_close(p50, own("p50"), 1e-12);
        assert_close(p99, own("p99"), 1e-12);
    }
}

#[test]
fn milliseconds_of_the_means_and_seconds_of_the_arrays_are_both_seconds_here() {
    let mut run = older();
    assert_eq!(session(read(&run.to_string())).records[0].ttft_s, Some(0.25));
    run.as_object_mut().unwrap().remove("errors");
    assert_number(&table(read(&run.to_string())), "ttft_s.mean", 0, 0.25);
}

#[test]
fn without_latencies_the_end_is_the_last_chunk() {
    let session = session(read(&older().to_string()));
    let first = &session.records[0];
    assert_eq!((first.e2e_s, first.tpot_s), (Some(1.25), Some(0.25)));
    assert_eq!(first.icl_s, [0.5, 0.25, 0.25]);
}

#[test]
fn a_failed_request_has_no_latency_that_is_zero() {
    let session = session(read(&older().to_string()));
    let [_, cut, refused] = session.records.as_slice() else { panic!("three requests") };
    assert_eq!((cut.status, refused.status), (Status::Error, Status::Error));
    let error = cut.error.as_ref().unwrap();
    assert_eq!(error.kind, "aiohttp.client_exceptions.ClientPayloadError");
    assert!(error.message.as_ref().unwrap().starts_with("Traceback"));
    assert_eq!((cut.ttft_s, cut.e2e_s, cut.tpot_s, cut.output_tokens), (Some(0.5), None, None, None));
    assert_eq!(refused.error.as_ref().unwrap().kind, "Service Unavailable");
    assert_eq!((refused.ttft_s, refused.e2e_s, refused.output_tokens), (None, None, None));
}

#[test]
fn a_request_without_times_and_without_an_error_text_failed() {
    let mut run = older();
    run["errors"][2] = json!("");
    let session = session(read(&run.to_string()));
    assert_eq!(session.records[2].status, Status::Error);
    assert_eq!(session.records[2].error.as_ref().unwrap().kind, "_OTHER");
}

#[test]
fn the_wait_for_a_slot_is_a_missed_schedule_only_in_an_open_loop() {
    let mut run = older();
    run["queue_times"] = json!([0.5, 0.0, 0.0]);
    let open = session(read(&run.to_string()));
    assert_eq!((open.records[0].sched_delay_s, open.records[0].attribute("client_queue_time_s")), (Some(0.5), None));
    run["request_rate"] = json!("inf");
    let closed = session(read(&run.to_string()));
    assert_eq!(
        (closed.records[0].sched_delay_s, closed.records[0].attribute("client_queue_time_s")),
        (None, Some(0.5))
    );
}

#[test]
fn requests_are_in_the_order_in_which_they_were_sent() {
    let mut run = older();
    run["start_times"] = json!([12.5, 10.5, 11.5]);
    let session = session(read(&run.to_string()));
    let starts: Vec<_> = session.records.iter().map(|record| record.attribute("start_time_s").unwrap()).collect();
    assert_eq!(starts, [10.5, 11.5, 12.5]);
    assert_eq!(session.records[2].ttft_s, Some(0.25));
}

#[test]
fn one_chunk_of_many_tokens_has_no_time_per_token() {
    let mut run = older();
    run["itls"][0] = json!([]);
    assert_eq!(session(read(&run.to_string())).records[0].tpot_s, None);
}

#[test]
fn appended_results_are_runs_of_one_session() {
    let mut second = older();
    second["date"] = json!("20250602-120000");
    second["model_id"] = json!("m/two");
    second["max_concurrency"] = json!(8);
    let session = session(read(&format!("{}\n{second}", older())));
    assert_eq!(session.records.len(), 6);
    assert_eq!(text_attribute(&session.records[0], "run"), Some("20250601-120000"));
    assert_eq!(text_attribute(&session.records[5], "run"), Some("20250602-120000"));
    assert_eq!(session.records[5].attribute("concurrency"), Some(8.0));
    assert_eq!(session.records[5].attribute("request_rate_per_s"), Some(2.0));
    assert_eq!((session.header.model.as_deref(), session.records[5].model.as_deref()), (None, Some("m/two")));
    assert_eq!(session.header.labels.get("date"), None);
    assert_eq!(session.header.labels.get("backend").map(String::as_str), Some("vllm"));
}

#[test]
fn a_truncated_appended_result_causes_a_warning() {
    let log = read(&format!("{}\n{}", older(), &older().to_string()[..500]));
    assert_eq!(log.warnings.len(), 1);
    assert_eq!(log.warnings[0].location.line, Some(2));
    assert_eq!(session(log).records.len(), 3);
}

#[test]
fn results_without_requests_are_rows_of_runs() {
    let runs = table(read(&text_of("vllm/appended.jsonl")));
    assert!(runs.of_runs);
    assert_eq!((runs.rows(), runs.lines.as_slice()), (2, [1, 2].as_slice()));
    assert_text(&runs, "run", 0, "20261123-080527");
    assert_text(&runs, "model", 0, "mock-model");
    assert_text(&runs, "backend", 0, "openai-chat");
    assert_text(&runs, "label", 1, "nightly");
    assert_text(&runs, "tp", 1, "2");
    for (column, expected) in [
        ("concurrency", 4.0),
        ("requests", 20.0),
        ("failed", 0.0),
        ("duration_s", 3.674174323999978),
        ("requests_per_s", 5.4433998597612865),
        ("goodput_requests_per_s", 5.4433998597612865),
        ("output_tokens_per_s", 348.37759102472234),
        ("total_tokens_per_s", 620.8197540057747),
        ("ttft_s.mean", 108.67280359998404 / 1e3),
        ("ttft_s.std", 2.9755095118001735 / 1e3),
        ("ttft_s.p50", 108.79211050041704 / 1e3),
        ("ttft_s.p99", 113.01017293992118 / 1e3),
        ("tpot_s.p95", 10.008756490483465 / 1e3),
        ("icl_s.p90", 16.06980719961939 / 1e3),
        ("e2e_s.mean", 734.3202634499903 / 1e3),
    ] {
        assert_number(&runs, column, 0, expected);
    }
    assert_number(&runs, "ttft_s.mean", 1, 0.1205);
    assert_number(&runs, "requests", 1, 21.0);
    assert_number(&runs, "request_rate_per_s", 1, 2.5);
    assert_eq!(cell(&runs, "request_rate_per_s", 0), &Cell::Missing);
}

#[test]
fn the_count_of_whole_seconds_is_not_taken_for_a_concurrency() {
    let runs = table(read(&text_of("vllm/appended.jsonl")));
    assert!(runs.column("max_concurrent_requests").is_none());
    assert_number(&runs, "concurrency", 0, 4.0);
}

#[test]
fn statistics_of_nothing_are_left_out() {
    let mut run = older();
    let fields = run.as_object_mut().unwrap();
    fields.remove("errors");
    for statistic in ["mean", "median", "std", "p99"] {
        fields.insert(format!("{statistic}_ttft_ms"), json!(0.0));
    }
    let runs = table(read(&run.to_string()));
    assert!(!runs.columns.iter().any(|column| column.name.starts_with("ttft_s")), "{runs:?}");
}

#[test]
fn inconsistent_arrays_are_an_error() {
    let tool = "vllm-bench-serve";
    let mut run = older();
    run["itls"] = json!([[0.5]]);
    assert!(refusal(&run.to_string(), tool).contains("itls: found 1 entry, but `errors` has 3"));
    run["errors"] = json!([]);
    assert!(refusal(&run.to_string(), tool).contains("no requests"));
    let mut run = older();
    run["ttfts"][1] = json!("fast");
    let message = refusal(&format!("{}\n{run}", older()), tool);
    assert!(message.contains("log:2") && message.contains("\"fast\""), "{message}");
    let mut run = older();
    run["ttfts"][1] = json!(-1.0);
    assert!(refusal(&run.to_string(), tool).contains("ttft_s"));
}
