//! Exports of programs that record requests to models: Langfuse, MLflow. And the report of Artillery.

use llmscope_core::ingest::{Cell, Content};
use llmscope_core::session::{RequestRecord, Status};

use super::{
    altered, assert_close, assert_number, assert_text, cell, read, refusal, session, table, text_of, warnings,
};

#[test]
fn generations_of_langfuse_are_requests_and_its_steps_are_not() {
    let log = read(&text_of("langfuse/page.json"));
    assert!(warnings(&log).contains("6 spans of agents and tools were left out"), "{}", warnings(&log));
    let session = session(log);
    let records = &session.records;
    assert_eq!((records.len(), session.header.model.as_deref()), (6, Some("example-model")));
    assert!(records.is_sorted_by_key(|record| record.started_at));
    assert_eq!((records[0].e2e_s, records[0].ttft_s), (Some(0.8), None));
    assert_eq!(records[0].attribute("time_to_first_chunk_s"), Some(0.25));
    assert_eq!(records[1].attribute("time_to_first_chunk_s"), None);
    assert_eq!((records[0].input_tokens, records[0].output_tokens), (Some(26), Some(16)));
    let failed = &records[3];
    assert_eq!((failed.status, failed.e2e_s), (Status::Error, None));
    assert_eq!(failed.error.as_ref().unwrap().message.as_deref(), Some("Request timed out."));
}

#[test]
fn every_export_of_langfuse_has_the_same_requests() {
    let page = session(read(&text_of("langfuse/page.json")));
    for fixture in ["langfuse/observations.csv", "langfuse/observations.jsonl"] {
        assert_eq!(session(read(&text_of(fixture))), page, "{fixture}");
    }
    let steps = text_of("langfuse/page.json").replace("GENERATION", "SPAN");
    assert!(refusal(&steps, "langfuse").contains("found 12 spans, but no request to a model"));
}

#[test]
fn traces_of_mlflow_are_their_requests() {
    let traces = read(&text_of("mlflow/traces.jsonl"));
    assert!(warnings(&traces).contains("4 spans of agents and tools were left out"));
    let traces = session(traces);
    assert_eq!(traces.records.len(), 4);
    assert_eq!((traces.header.model.as_deref(), traces.header.provider.as_deref()), (Some("mock"), Some("openai")));
    // The mock waits for 20 ms and more.
    let took = |record: &RequestRecord| record.e2e_s.or_else(|| record.attribute("failed_after_s")).unwrap();
    assert!(traces.records.iter().all(|record| (0.02..0.03).contains(&took(record))));
    let failed = &traces.records[2];
    assert_eq!(failed.error.as_ref().unwrap().kind, "RuntimeError");
    assert_eq!((failed.status, failed.e2e_s, failed.input_tokens), (Status::Error, None, Some(26)));
    let rows = session(read(&text_of("mlflow/search_traces.json")));
    assert_eq!(rows.records, traces.records);
}

#[test]
fn runs_of_mlflow_are_runs() {
    let runs = table(read(&text_of("mlflow/runs.csv")));
    assert!(runs.of_runs && runs.rows() == 3);
    assert_number(&runs, "ttft_ms", 0, 102.0);
    assert_text(&runs, "concurrency", 0, "8");
    assert_text(&runs, "started_at", 0, "2026-11-30T13:34:09.289Z");
    let log = read(&text_of("mlflow/runs.csv").replacen("FINISHED", "FAILED", 1));
    assert!(warnings(&log).contains("left out 1 run that did not finish"));
    assert_eq!(table(log).rows(), 2);
    let none = text_of("mlflow/runs.csv").replace("FINISHED", "RUNNING");
    assert!(refusal(&none, "mlflow-runs").contains("no requests; export an experiment with at least one finished run"));
}

#[test]
fn runs_of_mlflow_as_json_are_the_same_in_each_form() {
    let log = read(&text_of("mlflow/runs_search.json"));
    assert!(warnings(&log).contains("left out 1 run that did not finish"), "{}", warnings(&log));
    let runs = table(log);
    assert!(runs.of_runs && runs.rows() == 3);
    assert_number(&runs, "ttft_ms", 0, 102.0);
    assert_number(&runs, "e2e_latency_s", 0, 1.2);
    assert_text(&runs, "concurrency", 0, "8");
    for form in ["mlflow/runs_dictionary.json", "mlflow/runs_frame.json"] {
        let other = table(read(&text_of(form)));
        assert_eq!(other.rows(), 3, "{form}");
        for name in ["uid", "started_at", "ttft_ms", "e2e_latency_s", "model", "concurrency"] {
            assert_eq!(other.column(name), runs.column(name), "{name} of {form}");
        }
    }
    let none = text_of("mlflow/runs_search.json").replace("FINISHED", "RUNNING");
    assert!(refusal(&none, "mlflow-runs-json").contains("at least one finished run"));
}

#[test]
fn artillery_counts_refusals_and_measures_first_bytes() {
    let log = read(&text_of("artillery/report.json"));
    assert!(warnings(&log).contains("19 of 120 requests failed (12 error responses, 7 without a response)"));
    assert!(matches!(&log.content, Content::Table(table) if table.of_runs));
    let runs = table(log);
    assert_number(&runs, "requests", 0, 120.0);
    // `vusers.failed` is 7.
    assert_number(&runs, "failed", 0, 19.0);
    assert_number(&runs, "first_byte_s.p50", 0, 62.2 / 1e3);
    assert_number(&runs, "first_byte_s.mean", 0, 61.9 / 1e3);
    assert_number(&runs, "response_first_byte_s.mean", 0, 55.9 / 1e3);
    assert!(runs.columns.iter().all(|column| !column.name.starts_with("e2e_s")));
    let Cell::Number(duration) = cell(&runs, "duration_s", 0) else { panic!("{runs:?}") };
    assert_close(*duration, 19.881, 1e-9);
    let none = altered("artillery/report.json", &[("/aggregate/counters/http.requests", 0.into())]);
    assert!(refusal(&none, "artillery").contains("no requests; give the report of a run that made HTTP requests"));
}
