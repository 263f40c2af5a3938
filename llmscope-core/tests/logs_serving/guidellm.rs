//! guidellm.

use llmscope_core::ingest::Cell;
use llmscope_core::session::Status;
use serde_json::{Value, json};

use super::{
    assert_close, assert_number, assert_text, cell, read, refusal, session, summary, table, text_attribute, text_of,
};

const V1: &str = "guidellm/report_v1.json";
const V2: &str = "guidellm/report_v2.json";
const CSV: &str = "guidellm/report.csv";

fn parsed(fixture: &str) -> Value {
    serde_json::from_str(&text_of(fixture)).unwrap()
}

#[test]
fn every_field_of_a_request_is_read() {
    let log = read(&text_of(V2));
    assert_eq!(log.warnings, []);
    let session = session(log);
    let header = &session.header;
    let recorder = header.recorder.as_ref().unwrap();
    assert_eq!((recorder.name.as_str(), recorder.version.as_deref()), ("guidellm", Some("0.8.1")));
    assert_eq!((header.model.as_deref(), header.provider.as_deref()), (Some("mock-model"), None));
    assert_eq!(header.started_at.unwrap().to_string(), "2026-11-23T07:31:54.067049Z");
    assert_eq!(header.labels["backend"], "openai_http");
    assert_eq!(header.labels["target"], "http://127.0.0.1:9000");
    assert_eq!(header.environment.as_ref().unwrap().os.as_deref(), Some("Linux-6.18.44-fc-v669-x86_64-with-glibc2.36"));
    assert_eq!(session.records.len(), 20);
    let first = &session.records[0];
    assert_eq!((first.status, first.warmup), (Status::Ok, false));
    assert_eq!(first.started_at.unwrap().to_string(), "2026-11-23T07:31:54.067049Z");
    assert_eq!(first.ttft_s, Some(155.09414672851562 / 1e3));
    assert_eq!(first.e2e_s, Some(0.7839820384979248));
    assert_eq!(first.tpot_s, Some(9.97184571765718 / 1e3));
    assert_eq!((first.input_tokens, first.output_tokens, first.tokens_estimated), (Some(29), Some(64), false));
    assert_eq!(first.attribute("time_to_first_output_token_s"), Some(155.09414672851562 / 1e3));
    assert_eq!(first.attribute("token_iterations"), Some(64.0));
    assert_eq!(first.attribute("concurrency"), Some(4.0));
    assert_eq!(text_attribute(first, "run"), Some("concurrent@4"));
    assert_eq!(first.sched_delay_s, None);
    assert_close(first.attribute("request_dispatch_delay_s").unwrap(), 0.01605677604675293, 1e-12);
}

#[test]
fn time_per_output_token_with_the_first_token_in_it_is_kept_apart() {
    let session = session(read(&text_of(V2)));
    let first = &session.records[0];
    assert_eq!(first.attribute("time_per_output_token_with_ttft_s"), Some(12.239381670951843 / 1e3));
    assert!(first.tpot_s.unwrap() < 0.01);
}

/// The tool's own summary of the same requests. Its percentiles are order statistics; ours interpolate between two of
/// them.
#[test]
fn our_figures_are_those_that_the_tool_reports() {
    let report = parsed(V2);
    let session = session(read(&text_of(V2)));
    let values = |of: fn(&llmscope_core::RequestRecord) -> Option<f64>| session.records.iter().filter_map(of);
    for (field, scale, ours) in [
        ("time_to_first_token_ms", 1e3, values(|record| record.ttft_s).collect::<Vec<_>>()),
        ("request_latency", 1.0, values(|record| record.e2e_s).collect()),
        ("inter_token_latency_ms", 1e3, values(|record| record.tpot_s).collect()),
        (
            "time_per_output_token_ms",
            1e3,
            values(|record| record.attribute("time_per_output_token_with_ttft_s")).collect(),
        ),
    ] {
        let own = &report["benchmarks"][0]["metrics"][field]["successful"];
        let own = |path: &str| own.pointer(path).unwrap().as_f64().unwrap() / scale;
        let [mean, p50, p99] = summary(ours.iter().copied());
        let mut sorted = ours;
        sorted.sort_by(f64::total_cmp);
        assert_close(mean, own("/mean"), 1e-12);
        assert_close(sorted[10], own("/percentiles/p50"), 1e-12);
        assert_close(sorted[19], own("/percentiles/p99"), 1e-12);
        assert!((sorted[9]..=sorted[10]).contains(&p50) && (sorted[18]..=sorted[19]).contains(&p99));
    }
}

#[test]
fn the_first_schema_is_read_too() {
    let session = session(read(&text_of(V1)));
    let header = &session.header;
    assert_eq!(header.recorder.as_ref().unwrap().version.as_deref(), Some("0.5.4"));
    assert_eq!((header.model.as_deref(), header.labels["backend"].as_str()), (Some("m/one"), "openai_http"));
    assert_eq!(session.records.len(), 5);
    let second = &session.records[1];
    assert_eq!((second.ttft_s, second.tpot_s), (Some(0.25), Some(0.125)));
    assert_eq!(second.attribute("time_per_output_token_with_ttft_s"), Some(0.15));
    assert_eq!(text_attribute(second, "run"), Some("synchronous"));
    assert_eq!(text_attribute(&session.records[2], "run"), Some("constant@1.50"));
    assert_eq!(session.records[2].attribute("request_rate_per_s"), Some(1.5));
}

#[test]
fn outcomes_are_merged_in_the_order_of_their_start() {
    let session = session(read(&text_of(V1)));
    let starts: Vec<_> = session.records.iter().map(|record| record.started_at.unwrap()).collect();
    assert!(starts.is_sorted(), "{starts:?}");
    let states: Vec<_> = session.records.iter().map(|record| record.status).collect();
    // The sixth request was cut off at the end of the run: it did not fail.
    assert_eq!(states, [Status::Ok, Status::Ok, Status::Ok, Status::Timeout, Status::Ok]);
    let timeout = session.records[3].error.as_ref().unwrap();
    assert_eq!((timeout.kind.as_str(), timeout.message.as_deref()), ("ReadTimeout", Some("ReadTimeout('')")));
    let failed = &session.records[3];
    assert_eq!((failed.ttft_s, failed.e2e_s, failed.tpot_s), (None, None, None));
}

#[test]
fn warm_up_and_cooldown_are_marked_as_the_tool_counts_them() {
    let session = session(read(&text_of(V1)));
    let warm: Vec<_> = session.records.iter().map(|record| record.warmup).collect();
    assert_eq!(warm, [true, false, false, false, false]);
    assert_eq!(text_attribute(&session.records[4], "phase"), None);
}

#[test]
fn a_delay_is_a_missed_schedule_only_where_there_was_one() {
    let session = session(read(&text_of(V1)));
    let [asap, scheduled] = [&session.records[1], &session.records[2]];
    assert_eq!((asap.sched_delay_s, asap.attribute("request_dispatch_delay_s")), (None, Some(0.25)));
    assert_eq!((scheduled.sched_delay_s, scheduled.attribute("request_dispatch_delay_s")), (Some(0.25), None));
}

#[test]
fn chunks_counted_as_tokens_are_an_estimate() {
    let session = session(read(&text_of(V1)));
    assert_eq!((session.records[4].output_tokens, session.records[4].tokens_estimated), (Some(5), true));
    assert!(!session.records[2].tokens_estimated);
}

#[test]
fn a_sampled_list_of_requests_causes_a_warning() {
    let mut report = parsed(V2);
    report["benchmarks"][0]["requests"]["successful"].as_array_mut().unwrap().truncate(3);
    let log = read(&report.to_string());
    assert_eq!(log.warnings.len(), 1);
    assert!(log.warnings[0].to_string().contains("3 of 20"), "{}", log.warnings[0]);
    assert_eq!(session(log).records.len(), 3);
}

#[test]
fn a_report_that_kept_no_requests_is_rows_of_runs() {
    let mut report = parsed(V2);
    report["benchmarks"][0]["requests"]["successful"] = json!([]);
    let runs = table(read(&report.to_string()));
    assert!(runs.of_runs);
    assert_text(&runs, "started_at", 0, "2026-11-23T07:31:54.067049Z");
    assert_number(
        &runs,
        "tpot_s.p10",
        0,
        report["benchmarks"][0]["metrics"]["inter_token_latency_ms"]["successful"]["percentiles"]["p10"]
            .as_f64()
            .unwrap()
            / 1e3,
    );
    assert_same_run(&runs);
}

#[test]
fn the_csv_report_agrees_in_one_row() {
    let runs = table(read(&text_of(CSV)));
    assert!(runs.of_runs);
    assert_eq!((runs.rows(), runs.lines.as_slice()), (1, [4].as_slice()));
    assert_text(&runs, "start_time_local", 0, "2026-11-23 07:31:54");
    assert!(runs.column("started_at").is_none());
    assert_same_run(&runs);
}

fn assert_same_run(runs: &llmscope_core::ingest::Table) {
    assert_text(runs, "run", 0, "concurrent@4");
    assert_text(runs, "model", 0, "mock-model");
    for (column, expected) in [
        ("concurrency", 4.0),
        ("requests", 20.0),
        ("failed", 0.0),
        ("incomplete", 0.0),
        ("duration_s", 3.8938145637512207),
        ("requests_per_s", 5.136351429312139),
        ("output_tokens_per_s", 328.7264914759768),
        ("request_concurrency", 3.845774714205538),
        ("ttft_s.mean", 119.42325830459595 / 1e3),
        ("ttft_s.std", 16.494928595702994 / 1e3),
        ("ttft_s.p50", 112.10322380065918 / 1e3),
        ("ttft_s.p95", 149.7197151184082 / 1e3),
        ("ttft_s.p99", 155.09414672851562 / 1e3),
        ("ttft_s.min", 103.4855842590332 / 1e3),
        ("ttft_s.max", 155.09414672851562 / 1e3),
        ("e2e_s.mean", 0.7487366795539856),
        ("tpot_s.mean", 9.979703691270617 / 1e3),
        ("time_per_output_token_with_ttft_s.mean", 11.689759232103825 / 1e3),
        ("input_tokens.mean", 28.25),
    ] {
        assert_number(runs, column, 0, expected);
    }
}

#[test]
fn a_negative_latency_is_left_out_with_a_warning() {
    let mut report = parsed(V2);
    report["benchmarks"][0]["requests"]["successful"][0]["time_to_first_token_ms"] = json!(-1.7e12);
    let log = read(&report.to_string());
    assert!(log.warnings[0].message.starts_with("left out the negative latency of 1 request: "), "{:?}", log.warnings);
    assert_eq!(session(log).records[0].ttft_s, None);
}

#[test]
fn errors_name_the_problem() {
    let mut report = parsed(V2);
    report["benchmarks"] = json!([]);
    assert!(refusal(&report.to_string(), "guidellm").contains("benchmarks: no benchmark"));
    let mut report = parsed(V2);
    report["benchmarks"][0]["requests"]["successful"][0]["request_latency"] = json!("quick");
    assert!(refusal(&report.to_string(), "guidellm").contains("\"quick\""));
    let text = text_of(CSV);
    let header: String = text.split_inclusive('\n').take(3).collect();
    assert!(refusal(&header, "guidellm-csv").contains("no benchmark"));
    let short = text.replacen("\"[103.4855842590332, ", "\"[", 1);
    let message = refusal(&short, "guidellm-csv");
    assert!(
        message.contains("log:4") && message.contains("Time to First Token, Successful ms, Percentiles"),
        "{message}"
    );
}

#[test]
fn a_count_that_is_not_a_number_stays_absent() {
    let text = text_of(CSV).replacen(",20,0,0,20,", ",20,0,none,20,", 1);
    let runs = table(read(&text));
    assert!(runs.column("failed").is_none());
    assert_eq!(cell(&runs, "requests", 0), &Cell::Number(20.0));
}
