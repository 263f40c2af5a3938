//! Summaries of runs that other programs collect: histories of benchmarks, results of sweeps, exports of gateways.

use super::{altered, assert_number, assert_text, cell, read, refusal, session, table, text_of, warnings};
use llmscope_core::ingest::{Cell, Content};

#[test]
fn a_history_of_benchmarks_is_runs_in_order_of_their_dates() {
    let runs = table(read(&text_of("action_benchmark/data.js")));
    assert_eq!(Content::Table(runs.clone()), read(&text_of("action_benchmark/data.json")).content);
    assert_eq!(runs.rows(), 15);
    let of =
        |name: &str| (0..15).filter(|&row| cell(&runs, "run", row) == &Cell::Text(name.to_owned())).collect::<Vec<_>>();
    let parse = of("Rust > parse");
    assert_eq!(parse.len(), 12);
    // The date of the workflow: the commits have times in another order.
    let dates: Vec<&Cell> = parse.iter().map(|&row| cell(&runs, "started_at", row)).collect();
    assert_eq!(dates[0], &Cell::Text("2026-01-05T10:00:00Z".to_owned()));
    assert!(dates.is_sorted_by_key(|date| format!("{date:?}")));
    assert!(matches!(cell(&runs, "e2e_s.mean", parse[0]), Cell::Number(s) if (3.6e-5..3.9e-5).contains(s)));
    // A rate is not a time, and a number without a known unit keeps it.
    let rate = of("Python > test_a.py::test_a")[0];
    assert_number(&runs, "operations_per_s", rate, 330.5);
    let score = of("Answers > quality")[0];
    assert_number(&runs, "score", score, 0.93);
    assert_text(&runs, "unit", score, "Points");
    assert_eq!((cell(&runs, "e2e_s.mean", rate), cell(&runs, "e2e_s.mean", score)), (&Cell::Missing, &Cell::Missing));
}

#[test]
fn faults_of_a_history_have_a_place() {
    let text = text_of("action_benchmark/data.js");
    let script = text.replace("\"lastUpdate\"", "lastUpdate");
    let error = refusal(&script, "github-action-benchmark");
    assert!(error.starts_with("log:2:"), "{error}");
    let error = refusal("window.BENCHMARK_DATA = {\"entries\": {}};", "github-action-benchmark");
    assert!(error.contains("no requests; give the history"), "{error}");
}

#[test]
fn inferencex_times_are_seconds_and_its_interactivity_is_dropped() {
    let log = read(&text_of("inferencex/agg_sweep.json"));
    assert!(warnings(&log).contains("omits the counts of requests and failures"));
    let runs = table(log);
    assert_eq!(runs.rows(), 2);
    assert_number(&runs, "ttft_s.p50", 0, 0.3038);
    assert_number(&runs, "e2e_s.p99.9", 1, 28.98);
    assert_number(&runs, "concurrency", 1, 8.0);
    assert_number(&runs, "input_len", 0, 1024.0);
    assert_text(&runs, "dp_attention", 0, "false");
    assert!(runs.columns.iter().all(|column| !column.name.contains("intvty")), "{runs:?}");
    let one =
        altered("inferencex/agg_one.json", &[("/p99_tpot", "x".into()), ("/median_ttft", serde_json::Value::Null)]);
    let one = table(read(&one));
    assert!(one.column("tpot_s.p99").is_none() && one.column("ttft_s.p50").is_none());
}

#[test]
fn spend_logs_as_csv_are_those_as_json() {
    let (csv, json) = (read(&text_of("litellm/spend_logs.csv")), read(&text_of("litellm/spend_logs.json")));
    let (csv, json) = (session(csv), session(json));
    assert_eq!(csv.records.len(), json.records.len());
    for (csv, json) in csv.records.iter().zip(&json.records) {
        let mut same = json.clone();
        // CSV has milliseconds.
        (same.started_at, same.e2e_s) = (csv.started_at, csv.e2e_s);
        for name in ["time_to_first_chunk_s", "failed_after_s"] {
            if let Some(value) = csv.attributes.get(name) {
                same.attributes.insert(name.to_owned(), value.clone());
            }
        }
        assert_eq!(csv, &same);
        let off = csv.e2e_s.zip(json.e2e_s).map_or(0.0, |(csv, json)| (csv - json).abs());
        assert!(off <= 0.001 && csv.e2e_s.is_some() == json.e2e_s.is_some(), "{off}");
    }
    let bad = text_of("litellm/spend_logs.csv").replace(",20,12,8,", ",20,twelve,8,");
    let error = refusal(&bad, "litellm-spend-csv");
    assert!(error.starts_with("log:2: prompt_tokens: \"twelve\" is not a number"), "{error}");
}

#[test]
fn reports_of_llm_d_are_the_same_as_yaml_and_json() {
    let runs = table(read(&text_of("llm_d/report.yaml")));
    assert_eq!(Content::Table(runs.clone()), read(&text_of("llm_d/report.json")).content);
    assert_number(&runs, "requests", 0, 40.0);
    assert_number(&runs, "failed", 0, 4.0);
    assert_number(&runs, "ttft_s.p50", 0, 0.076_375);
    assert_number(&runs, "e2e_s.p99", 0, 0.176_647);
    assert_text(&runs, "load_generator", 0, "inference-perf");
    // A measured mean is not a setting.
    assert!(runs.columns.iter().all(|column| !column.name.contains("seq_len") && column.name != "input_len"));
    let ms = text_of("llm_d/report.yaml").replacen("units: s\n", "units: ms\n", 1);
    assert_number(&table(read(&ms)), "e2e_s.p99", 0, 0.176_647 / 1e3);
}

#[test]
fn the_first_version_of_llm_ds_report_has_milliseconds() {
    let runs = table(read(&text_of("llm_d/report_0_1.yaml")));
    assert_eq!(Content::Table(runs.clone()), read(&text_of("llm_d/report_0_1.json")).content);
    assert_number(&runs, "requests", 0, 20.0);
    assert_number(&runs, "concurrency", 0, 4.0);
    assert_number(&runs, "ttft_s.p50", 0, 108.792_110_500_417_04 / 1e3);
    assert_number(&runs, "e2e_s.mean", 0, 734.320_263_449_990_3 / 1e3);
    assert_number(&runs, "requests_per_s", 0, 5.443_399_859_761_286_5);
    assert_number(&runs, "output_tokens_per_s", 0, 348.377_591_024_722_34);
    assert_text(&runs, "started_at", 0, "2026-11-23T08:05:27Z");
    assert_text(&runs, "load_generator", 0, "vllm-benchmark");
    // A rate of infinity is not a setting.
    assert!(runs.columns.iter().all(|column| column.name != "request_rate_per_s"));
}

#[test]
fn a_report_without_its_end_is_refused() {
    let text = text_of("llm_d/report.yaml");
    let half = &text[..text.find("run:\n").unwrap()];
    let error = refusal(half, "llm-d");
    assert!(error.starts_with("log: version: the report has no version"), "{error}");
    let empty = "results:\n  request_performance:\n    aggregate: {}\nversion: 0.2\n";
    assert!(refusal(empty, "llm-d").contains("no requests; give the report of a run"));
}
