//! Logs of LLM serving benchmarks: recognition, the mapping of every field, and known traps.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod aiperf;
mod bench_my_llm;
mod genai_perf;
mod guidellm;
mod summaries;
mod vllm;

use std::path::Path;
use std::sync::Arc;

use llmscope_core::ingest::{self, Cell, Content, Log, Table};
use llmscope_core::session::AttributeValue;
use llmscope_core::stats::{QuantileMethod, Sorted};
use llmscope_core::{Error, RequestRecord, Session};
use proptest::prelude::*;

/// Every fixture, with the format that must be recognized.
const FIXTURES: &[(&str, &str)] = &[
    ("vllm/detailed.json", "vllm-bench-serve"),
    ("vllm/appended.jsonl", "vllm-bench-serve"),
    ("guidellm/report_v1.json", "guidellm"),
    ("guidellm/report_v2.json", "guidellm"),
    ("guidellm/report.csv", "guidellm-csv"),
    ("aiperf/profile_export.jsonl", "aiperf"),
    ("aiperf/profile_export_aiperf.json", "aiperf-json"),
    ("aiperf/profile_export_aiperf_timeslices.json", "aiperf-timeslices"),
    ("aiperf/profile_export_aiperf.csv", "aiperf-csv"),
    ("genai_perf/profile_export.json", "genai-perf"),
    ("genai_perf/profile_export_genai_perf.json", "genai-perf-json"),
    ("genai_perf/profile_export_genai_perf.csv", "genai-perf-csv"),
    ("inference_benchmarker/results.json", "inference-benchmarker"),
    ("infermark/infermark.json", "infermark"),
    ("bench_my_llm/run.json", "bench-my-llm"),
    ("llmperf/summary.json", "llmperf-summary"),
    ("llmperf/individual_responses.json", "llmperf"),
];

fn text_of(fixture: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs").join(fixture);
    std::fs::read_to_string(path).unwrap()
}

/// Reads a text under a name that gives no hint of its format.
fn read(text: &str) -> Log {
    ingest::read("log", text.as_bytes(), None).unwrap()
}

fn session(log: Log) -> Arc<Session> {
    match log.content {
        Content::Session(session) => session,
        Content::Table(table) => panic!("a table: {table:?}"),
    }
}

fn table(log: Log) -> Table {
    match log.content {
        Content::Table(table) => table,
        Content::Session(session) => panic!("a session: {session:?}"),
    }
}

/// The message of the error for a text that is read as a given format.
fn refusal(text: &str, tool: &str) -> String {
    let error = ingest::read("log", text.as_bytes(), Some(tool.parse().unwrap())).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error:?}");
    error.to_string()
}

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

/// Mean, median and 99th percentile as NumPy computes them by default.
fn summary(values: impl Iterator<Item = f64>) -> [f64; 3] {
    let values: Vec<f64> = values.collect();
    let sorted = Sorted::of(&values);
    let quantile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7).unwrap();
    [llmscope_core::stats::mean(&values).unwrap(), quantile(0.5), quantile(0.99)]
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
fn a_log_read_by_the_wrong_reader_never_panics() {
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
                // A truncated number in the last cell of a line is still a number.
                Ok(log) => {
                    assert!(at_line_end || fixture.ends_with(".csv") || !log.warnings.is_empty(), "{fixture} at {end}");
                }
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
