//! inference-benchmarker, infermark, LLMPerf's summary: rows of runs.

use llmscope_core::ingest::Cell;
use serde_json::{Value, json};

use super::{assert_close, assert_number, assert_text, cell, read, refusal, session, summary, table, text_of};

const HUGGING_FACE: &str = "inference_benchmarker/results.json";
const INFERMARK: &str = "infermark/infermark.json";
const LLMPERF: &str = "llmperf/summary.json";

fn parsed(fixture: &str) -> Value {
    serde_json::from_str(&text_of(fixture)).unwrap()
}

#[test]
fn inference_benchmarkers_loads_are_rows() {
    let runs = table(read(&text_of(HUGGING_FACE)));
    assert!(runs.of_runs);
    assert_text(&runs, "run", 0, "throughput");
    assert_text(&runs, "model", 0, "mock-model");
    assert_text(&runs, "timestamp", 0, "2026-11-23T08:37:56.421340049+00:00");
    for (column, expected) in [
        ("concurrency", 16.0),
        ("requests", 81.0),
        ("failed", 0.0),
        ("duration_s", 4.389),
        ("requests_per_s", 18.454105639896195),
        ("output_tokens_per_s", 1181.0627609533565),
        ("ttft_s.mean", 101.719 / 1e3),
        ("ttft_s.p99", 102.872 / 1e3),
        ("tpot_s.mean", 9.999 / 1e3),
        ("tpot_s.p60", 0.01),
        ("e2e_s.p50", 731.778 / 1e3),
    ] {
        assert_number(&runs, column, 0, expected);
    }
}

#[test]
fn inference_benchmarkers_warm_up_is_not_a_row() {
    assert_eq!(table(read(&text_of(HUGGING_FACE))).rows(), 1);
    let mut report = parsed(HUGGING_FACE);
    report["results"].as_array_mut().unwrap().truncate(1);
    assert!(
        refusal(&report.to_string(), "inference-benchmarker").contains("results: no load level except the warm-up")
    );
}

#[test]
fn virtual_users_under_a_rate_are_not_a_concurrency() {
    let mut report = parsed(HUGGING_FACE);
    report["results"][1]["id"] = json!("constant@2.50req/s");
    report["results"][1]["executor_type"] = json!("ConstantArrivalRate");
    report["results"][1]["config"]["rate"] = json!(2.5);
    let runs = table(read(&report.to_string()));
    assert_number(&runs, "request_rate_per_s", 0, 2.5);
    assert!(runs.column("concurrency").is_none());
}

#[test]
fn a_load_of_failures_has_no_latencies_of_zero() {
    let mut report = parsed(HUGGING_FACE);
    report["results"][1]["successful_requests"] = json!(0);
    let runs = table(read(&report.to_string()));
    assert!(!runs.columns.iter().any(|column| column.name.starts_with("ttft_s")));
    let mut report = parsed(INFERMARK);
    report["results"][0]["n_success"] = json!(0);
    let runs = table(read(&report.to_string()));
    assert_eq!(cell(&runs, "ttft_s.p50", 0), &Cell::Missing);
    assert_number(&runs, "ttft_s.p50", 1, 0.13330984449976313);
}

#[test]
fn infermarks_concurrencies_are_rows() {
    let runs = table(read(&text_of(INFERMARK)));
    assert!(runs.of_runs);
    assert_eq!(runs.rows(), 2);
    assert_text(&runs, "run", 1, "concurrency@4");
    assert_text(&runs, "model", 1, "mock-model");
    assert_text(&runs, "timestamp", 0, "2026-11-23T08:18:08.940260+00:00");
    for (column, expected) in [
        ("concurrency", 4.0),
        ("requests", 12.0),
        ("failed", 0.0),
        ("duration_s", 2.353075404000265),
        ("requests_per_s", 5.099709078425541),
        ("e2e_s.mean", 0.7670131146668003),
        ("ttft_s.p99", 0.16169105183043941),
        ("icl_s.std", 0.007002637022150799),
    ] {
        assert_number(&runs, column, 1, expected);
    }
}

#[test]
fn infermarks_chunks_are_not_taken_for_tokens() {
    let runs = table(read(&text_of(INFERMARK)));
    assert_number(&runs, "chunks_per_s", 0, 84.91516153465811);
    assert!(runs.column("output_tokens_per_s").is_none() && runs.column("tpot_s.mean").is_none());
    let mut report = parsed(INFERMARK);
    report["config"]["mode"] = json!("non_streaming");
    assert_number(&table(read(&report.to_string())), "output_tokens_per_s", 0, 84.91516153465811);
}

#[test]
fn llmperfs_summary_is_one_row() {
    let own = parsed(LLMPERF);
    let runs = table(read(&text_of(LLMPERF)));
    assert!(runs.of_runs && runs.rows() == 1);
    assert_text(&runs, "run", 0, "example-model_550_100_summary");
    assert_text(&runs, "model", 0, "example/model");
    assert_text(&runs, "timestamp", 0, "2026-01-01T00:00:00Z");
    let of = |name: &str| own[name].as_f64().unwrap_or_else(|| own[name].as_str().unwrap().parse().unwrap());
    for (column, expected) in [
        ("concurrency", 2.0),
        ("requests", 9.0),
        ("failed", 1.0),
        ("requests_per_s", of("results_num_completed_requests_per_min") / 60.0),
        ("output_tokens_per_s", of("results_mean_output_throughput_token_per_s")),
        ("e2e_s.p95", of("results_end_to_end_latency_s_quantiles_p95")),
        ("ttft_s.std", of("results_ttft_s_stddev")),
        ("inter_token_latency_s.mean", of("results_inter_token_latency_s_mean")),
        ("output_tokens_per_s.p25", of("results_request_output_throughput_token_per_s_quantiles_p25")),
        // Written as text.
        ("input_tokens.min", 550.0),
        ("output_tokens.max", 130.0),
    ] {
        assert_number(&runs, column, 0, expected);
    }
    assert!(runs.column("tpot_s.mean").is_none());
}

/// One run writes both a summary file and a file of individual responses.
#[test]
fn llmperfs_two_files_agree() {
    let session = session(read(&text_of("llmperf/individual_responses.json")));
    let runs = table(read(&text_of(LLMPERF)));
    let succeeded = || session.records.iter().filter(|record| record.succeeded());
    for (metric, [mean, p50, p99]) in [
        ("ttft_s", summary(succeeded().filter_map(|record| record.ttft_s))),
        ("e2e_s", summary(succeeded().filter_map(|record| record.e2e_s))),
    ] {
        for (statistic, ours) in [("mean", mean), ("p50", p50), ("p99", p99)] {
            let Cell::Number(theirs) = cell(&runs, &format!("{metric}.{statistic}"), 0) else { panic!("no number") };
            assert_close(ours, *theirs, 1e-12);
        }
    }
}

#[test]
fn llmperfs_summary_of_failures_only_is_read() {
    let text: String = text_of(LLMPERF)
        .lines()
        .map(|line| match line.split_once(": ") {
            Some((name, _)) if name.contains("_latency_s_") || name.contains("ttft_s_") => format!("{name}: NaN,\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert!(text.contains("NaN"));
    let log = read(&text);
    assert_eq!(log.tool.name(), "llmperf-summary");
    let runs = table(log);
    assert!(runs.column("ttft_s.p50").is_none());
    assert_number(&runs, "requests", 0, 9.0);
}

#[test]
fn errors_name_the_problem() {
    let mut report = parsed(HUGGING_FACE);
    report["results"][1]["duration_ms"] = json!("long");
    assert!(refusal(&report.to_string(), "inference-benchmarker").contains("\"long\""));
    let mut report = parsed(INFERMARK);
    report["results"] = json!([]);
    assert!(refusal(&report.to_string(), "infermark").contains("results: no results"));
    assert!(refusal("[1, 2]", "llmperf-summary").contains("log:1"));
}
