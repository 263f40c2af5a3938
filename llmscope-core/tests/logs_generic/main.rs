//! Logs of engines' own benchmarks and of general load generators: recognition, the mapping of every field, and known
//! traps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exports;
mod generators;
mod hyperfine;
mod k6;
mod llama_bench;
mod llama_server;
mod locust;
mod oha;
mod ollama;
mod prometheus;
mod summaries;

use std::path::Path;
use std::sync::Arc;

use llmscope_core::analysis::Selection;
use llmscope_core::ingest::{self, Cell, Content, Log, Table};
use llmscope_core::session::AttributeValue;
use llmscope_core::{Error, Measure, RequestRecord, Session};
use proptest::prelude::*;
use serde_json::Value;

/// Every fixture, with the format that must be recognized.
const FIXTURES: &[(&str, &str)] = &[
    ("llama_bench/tests.json", "llama-bench"),
    ("llama_bench/tests.jsonl", "llama-bench"),
    ("llama_bench/tests.csv", "llama-bench-csv"),
    ("llama_bench/tests.sql", "llama-bench-sql"),
    ("llama_bench/tests.md", "llama-bench-markdown"),
    ("oha/summary.json", "oha"),
    ("oha/requests.csv", "oha-csv"),
    ("hyperfine/runs.json", "hyperfine"),
    ("hyperfine/parameters.json", "hyperfine"),
    ("hyperfine/commands.csv", "hyperfine-csv"),
    ("hyperfine/parameters.csv", "hyperfine-csv"),
    ("hyperfine/commands.md", "hyperfine-markdown"),
    ("hyperfine/bars.md", "hyperfine-markdown"),
    ("ollama/chat.ndjson", "ollama"),
    ("ollama/generate.ndjson", "ollama"),
    ("ollama/bench.csv", "ollama-bench"),
    ("ollama/bench.txt", "ollama-bench"),
    ("ollama/bench_2025.txt", "ollama-bench"),
    ("llama_server/chat_completions.json", "llama-server"),
    ("llama_server/chat_completions.sse", "llama-server"),
    ("llama_server/responses.sse", "llama-server"),
    ("locust/stats.csv", "locust"),
    ("locust/failed_stats.csv", "locust"),
    ("locust/stats_history.csv", "locust-history"),
    ("locust/stats.json", "locust-json"),
    ("k6/points.json", "k6"),
    ("k6/failures.json", "k6"),
    ("k6/summary_export.json", "k6-summary"),
    ("k6/handle_summary.json", "k6-summary"),
    ("k6/machine_readable.json", "k6-summary"),
    ("k6/points.csv", "k6-csv"),
    ("jmeter/results.jtl", "jmeter"),
    ("jmeter/transactions.jtl", "jmeter"),
    ("jmeter/samples.xml", "jmeter-xml"),
    ("jmeter/parents.xml", "jmeter-xml"),
    ("jmeter/transactions.xml", "jmeter-xml"),
    ("hey/refused.csv", "hey"),
    ("h2load/refused.log", "h2load"),
    ("ab/requests.tsv", "ab"),
    ("ab/percentiles.csv", "ab-percentiles"),
    ("oha/refusals.json", "oha"),
    ("sglang/summary.jsonl", "sglang"),
    ("sglang/details.jsonl", "sglang"),
    ("inference_perf/requests.json", "inference-perf"),
    ("inference_perf/summary.json", "inference-perf-summary"),
    ("genai_bench/requests.json", "genai-bench"),
    ("pytest_benchmark/rounds.json", "pytest-benchmark"),
    ("pytest_benchmark/short.json", "pytest-benchmark"),
    ("google_benchmark/repetitions.json", "google-benchmark"),
    ("google_benchmark/repetitions.csv", "google-benchmark-csv"),
    ("criterion/linear.json", "criterion"),
    ("criterion/flat.json", "criterion"),
    ("langfuse/page.json", "langfuse"),
    ("langfuse/observations.jsonl", "langfuse"),
    ("langfuse/observations.csv", "langfuse-csv"),
    ("mlflow/traces.jsonl", "mlflow"),
    ("mlflow/search_traces.json", "mlflow"),
    ("mlflow/runs.csv", "mlflow-runs"),
    ("mlflow/runs_search.json", "mlflow-runs-json"),
    ("mlflow/runs_dictionary.json", "mlflow-runs-json"),
    ("mlflow/runs_frame.json", "mlflow-runs-json"),
    ("artillery/report.json", "artillery"),
    ("prometheus/median.json", "prometheus"),
    ("prometheus/raw.json", "prometheus"),
    ("prometheus/metrics.prom", "prometheus-text"),
    ("prometheus/openmetrics.txt", "prometheus-text"),
    ("action_benchmark/data.js", "github-action-benchmark"),
    ("action_benchmark/data.json", "github-action-benchmark"),
    ("llm_d/report.yaml", "llm-d"),
    ("llm_d/report.json", "llm-d"),
    ("llm_d/report_0_1.yaml", "llm-d"),
    ("llm_d/report_0_1.json", "llm-d"),
    ("inferencex/agg_one.json", "inferencex"),
    ("inferencex/agg_sweep.json", "inferencex"),
    ("litellm/spend_logs.csv", "litellm-spend-csv"),
    ("criterion/estimates.json", "criterion-estimates"),
    ("evalscope/summary.json", "evalscope-summary"),
    ("evalscope/percentiles.json", "evalscope-percentiles"),
    ("google_benchmark/aggregates.json", "google-benchmark"),
    ("google_benchmark/aggregates.csv", "google-benchmark-csv"),
    ("autocannon/refused.json", "autocannon"),
    ("autocannon/timeouts.json", "autocannon"),
    ("autocannon/cut_off.json", "autocannon"),
    ("tinybench/result.json", "tinybench"),
    ("vitest/bench.json", "vitest"),
];

fn text_of(fixture: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(fixture);
    std::fs::read_to_string(path).unwrap()
}

/// Reads a text under a name that gives no hint of its format.
#[track_caller]
fn read(text: &str) -> Log {
    ingest::read("log", text.as_bytes(), None).unwrap()
}

#[track_caller]
fn session(log: Log) -> Arc<Session> {
    match log.content {
        Content::Session(session) => session,
        Content::Table(table) => panic!("a table: {table:?}"),
    }
}

#[track_caller]
fn table(log: Log) -> Table {
    match log.content {
        Content::Table(table) => table,
        Content::Session(session) => panic!("a session: {session:?}"),
    }
}

/// The message of the error for a text that is read as a given format.
#[track_caller]
fn refusal(text: &str, tool: &str) -> String {
    let error = ingest::read("log", text.as_bytes(), Some(tool.parse().unwrap())).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    error.to_string()
}

#[track_caller]
fn cell<'t>(table: &'t Table, column: &str, row: usize) -> &'t Cell {
    let names: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
    &table.column(column).unwrap_or_else(|| panic!("no {column} in {names:?}")).cells[row]
}

#[track_caller]
fn assert_number(table: &Table, column: &str, row: usize, expected: f64) {
    assert_eq!(cell(table, column, row), &Cell::Number(expected), "{column}");
}

#[track_caller]
fn assert_text(table: &Table, column: &str, row: usize, expected: &str) {
    assert_eq!(cell(table, column, row), &Cell::Text(expected.to_owned()), "{column}");
}

fn text_attribute<'r>(record: &'r RequestRecord, name: &str) -> Option<&'r str> {
    match record.attributes.get(name) {
        Some(AttributeValue::Text(text)) => Some(text),
        _ => None,
    }
}

fn run_of(record: &RequestRecord) -> Option<&str> {
    text_attribute(record, "run")
}

/// The warnings of a log, as text.
fn warnings(log: &Log) -> String {
    log.warnings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// A JSON fixture with some fields replaced, by JSON pointer.
fn altered(fixture: &str, changes: &[(&str, Value)]) -> String {
    let mut value: Value = serde_json::from_str(&text_of(fixture)).unwrap();
    for (pointer, new) in changes {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        value.pointer_mut(parent).unwrap()[name] = new.clone();
    }
    value.to_string()
}

#[track_caller]
fn assert_close(actual: f64, expected: f64, tolerance: f64) {
    assert!((actual - expected).abs() <= tolerance, "{actual} is not {expected} within {tolerance}");
}

#[test]
fn each_log_is_recognized_by_its_content_alone() {
    for (fixture, tool) in FIXTURES {
        assert_eq!(read(&text_of(fixture)).tool.name(), *tool, "{fixture}");
    }
}

#[test]
fn windows_line_ends_change_nothing() {
    for (fixture, tool) in FIXTURES {
        let log = read(&text_of(fixture).replace('\n', "\r\n"));
        assert_eq!((log.tool.name(), &log.content), (*tool, &read(&text_of(fixture)).content), "{fixture}");
    }
}

#[test]
fn a_log_read_by_the_wrong_reader_is_an_error_or_a_table() {
    for (fixture, tool) in FIXTURES {
        for other in ingest::Tool::ALL.iter().filter(|other| other.name() != *tool) {
            let _ = ingest::read("log", text_of(fixture).as_bytes(), Some(*other));
        }
    }
}

#[test]
fn a_log_truncated_anywhere_causes_an_error_or_a_warning() {
    for (fixture, tool) in FIXTURES {
        let text = text_of(fixture);
        let tool = tool.parse().unwrap();
        for part in 1..40 {
            let mut end = text.len() * part / 40;
            while !text.is_char_boundary(end) {
                end -= 1;
            }
            let at_line_end = text[..end].ends_with('\n') || text[end..].starts_with('\n');
            match ingest::read("log", &text.as_bytes()[..end], Some(tool)) {
                Ok(log) => assert!(at_line_end || !log.warnings.is_empty(), "{fixture} at {end}"),
                Err(error) => assert!(error.to_string().contains("log"), "{error}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_that_were_changed_never_lead_to_a_panic(
        which in 0..FIXTURES.len(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let (fixture, tool) = FIXTURES[which];
        let mut bytes = text_of(fixture).into_bytes();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = ingest::read("log", &bytes, None);
        let _ = ingest::read("log", &bytes, Some(tool.parse().unwrap()));
    }
}

/// Recognized by its beginning, not only its first line: the first line of a recorded stream is not enough.
#[test]
fn a_long_log_is_recognized_as_a_short_one_is() {
    for fixture in ["llama_server/chat_completions.sse", "ollama/bench.txt", "k6/points.json", "oha/requests.csv"] {
        let text = text_of(fixture);
        let (first, rest) = text.split_once('\n').unwrap();
        let times = 300_000 / text.len() + 1;
        let long =
            if fixture.ends_with(".csv") { format!("{first}\n{}", rest.repeat(times)) } else { text.repeat(times) };
        let short = read(&text).tool;
        match ingest::open("log", std::io::Cursor::new(long.into_bytes()), None) {
            Ok(ingest::OpenedLog::Log(log)) => assert_eq!(log.tool, short, "{fixture}"),
            Ok(ingest::OpenedLog::Stream(stream)) => panic!("{fixture} was recognized as {}", stream.tool.name()),
            Err(error) => panic!("{fixture}: {error}"),
        }
    }
}

/// Successful requests without any of the standard metrics are not failures to chart.
#[test]
fn without_standard_metrics_the_error_lists_the_available_columns() {
    let log = read(&text_of("ollama/generate.ndjson"));
    let error = Selection::default().series([&log]).unwrap_err().to_string();
    assert!(error.starts_with("missing column to judge: expected ") && error.contains("server_decode_s"), "{error}");
    let measures = vec![Measure::Column("server_decode_s".to_owned())];
    let series = Selection { measures, ..Selection::default() }.series([&log]).unwrap();
    assert_eq!(series[0].values, [4.23271, 4.709213]);
    let failed = read(&text_of("k6/failures.json"));
    assert_eq!(Selection::default().series([&failed]).unwrap()[0].measure.name(), "error_rate");
}
