//! oha.

use llmscope_core::ingest::Cell;
use llmscope_core::session::Status;
use serde_json::json;

use super::{altered, assert_number, cell, read, refusal, session, table, text_of, warnings};

#[test]
fn every_response_becomes_a_record() {
    let session = session(read(&text_of("oha/requests.csv")));
    assert_eq!(session.records.len(), 20);
    assert_eq!(session.header.recorder.as_ref().unwrap().name, "oha");
    let first = &session.records[0];
    assert_eq!((first.status, first.e2e_s, first.connect_s), (Status::Ok, Some(0.735190005), Some(0.00383873)));
    for (name, value) in [
        ("request_start_s", 0.013027187),
        ("dns_s", 0.000039628),
        ("first_byte_s", 0.111958173),
        ("bytes", 10236.0),
        ("status", 200.0),
    ] {
        assert_eq!(first.attribute(name), Some(value), "{name}");
    }
    assert_eq!((first.started_at, first.model.as_deref(), first.output_tokens), (None, None, None));
}

/// Many servers immediately send a chunk with the role: the first byte arrives long before the first token.
#[test]
fn the_first_byte_is_not_the_first_token() {
    let records = &session(read(&text_of("oha/requests.csv"))).records;
    assert!(records.iter().all(|record| record.ttft_s.is_none() && record.attribute("first_byte_s").is_some()));
    let table = table(read(&text_of("oha/summary.json")));
    assert!(table.columns.iter().all(|column| !column.name.starts_with("ttft_s")));
    assert_number(&table, "first_byte_s.p50", 0, 0.103772239);
}

#[test]
fn unmeasured_values_are_absent_and_not_zero() {
    let text = "request-start,DNS,DNS+dialup,Response-delay,request-duration,bytes,status\n0.5,0,0,0,0.25,0,204\n";
    let session = session(read(text));
    let record = &session.records[0];
    assert_eq!((record.connect_s, record.attribute("dns_s"), record.attribute("first_byte_s")), (None, None, None));
    assert_eq!((record.e2e_s, record.attribute("bytes")), (Some(0.25), Some(0.0)));
}

#[test]
fn an_error_response_has_no_latency() {
    let text = text_of("oha/requests.csv").replacen(",200\n", ",429\n", 1);
    let record = &session(read(&text)).records[0];
    let error = record.error.as_ref().unwrap();
    assert_eq!((record.status, error.kind.as_str(), error.code), (Status::Error, "429", Some(429)));
    assert_eq!((record.e2e_s, record.connect_s, record.attribute("first_byte_s")), (None, None, None));
    assert_eq!(record.attribute("status"), Some(429.0));
}

#[test]
fn a_warning_says_that_the_csv_omits_requests_without_a_response() {
    let message = warnings(&read(&text_of("oha/requests.csv")));
    assert!(message.contains("omits requests without a response"), "{message}");
}

#[test]
fn a_summary_becomes_a_row_of_runs_in_seconds() {
    let log = read(&text_of("oha/summary.json"));
    assert!(log.warnings.is_empty());
    let table = table(log);
    assert!(table.of_runs);
    for (name, value) in [
        ("requests", 20.0),
        ("failed", 0.0),
        ("duration_s", 3.687828134),
        ("requests_per_s", 5.4232462233284755),
        ("e2e_s.mean", 0.73257555415),
        ("e2e_s.min", 0.730876972),
        ("e2e_s.max", 0.736646965),
        // The block `latency_ms` has 731.55.
        ("e2e_s.p50", 0.731549578),
        ("e2e_s.p99.9", 0.736646965),
        ("first_byte_s.mean", 0.10392194260000001),
        ("first_byte_s.p90", 0.107138589),
        ("connect_s.mean", 0.000287689),
        ("dns_s.max", 0.000046459),
    ] {
        assert_number(&table, name, 0, value);
    }
}

/// oha computes its latencies over all responses, including error responses.
#[test]
fn latencies_that_include_error_responses_have_another_name() {
    let changes = [("/statusCodeDistribution", json!({"200": 15, "429": 5}))];
    let log = read(&altered("oha/summary.json", &changes));
    assert!(warnings(&log).contains("run oha with --stats-success-breakdown"), "{}", warnings(&log));
    let without = table(log);
    assert!(without.column("e2e_s.p50").is_none());
    assert_number(&without, "response_s.p50", 0, 0.731549578);
    assert_number(&without, "failed", 0, 5.0);

    let percentiles = json!({"p50": 0.25, "p99": null});
    let with =
        read(&altered("oha/summary.json", &[changes[0].clone(), ("/latencyPercentilesSuccessful", percentiles)]));
    assert!(warnings(&with).contains("e2e_s covers only successes"));
    let with = table(with);
    assert_number(&with, "e2e_s.p50", 0, 0.25);
    assert!(with.column("e2e_s.p99").is_none() && with.column("e2e_s.mean").is_none());
}

/// With `-z`, oha aborts the requests in flight at the end: they are not failures of the server.
#[test]
fn requests_aborted_at_the_deadline_are_not_failures() {
    let errors = json!({"aborted due to deadline": 4, "operation timed out": 2});
    let table = table(read(&altered("oha/summary.json", &[("/errorDistribution", errors)])));
    assert_number(&table, "requests", 0, 22.0);
    assert_number(&table, "failed", 0, 2.0);
    assert_number(&table, "aborted_at_deadline", 0, 4.0);
    assert_number(&table, "e2e_s.p50", 0, 0.731549578);
}

#[test]
fn a_run_without_a_response_has_no_latency() {
    let nulls = json!({"successRate": 0.0, "total": 1.0, "slowest": null, "fastest": null, "average": null, "requestsPerSec": 2.0});
    let changes = [
        ("/summary", nulls),
        ("/latencyPercentiles", json!({"p50": null})),
        ("/statusCodeDistribution", json!({})),
        ("/errorDistribution", json!({"connection refused": 2})),
    ];
    let log = table(read(&altered("oha/summary.json", &changes)));
    assert_number(&log, "failed", 0, 2.0);
    assert!(log.columns.iter().all(|column| !column.name.starts_with("e2e_s")));
    let none = altered("oha/summary.json", &[("/statusCodeDistribution", json!({}))]);
    assert!(refusal(&none, "oha").starts_with("log: no requests; "));
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let csv = text_of("oha/requests.csv");
    assert!(
        refusal(&csv.replacen("0.735190005", "soon", 1), "oha-csv").starts_with("log:2: request-duration: \"soon\"")
    );
    assert!(
        refusal(&csv.replacen(",200\n", ",20\n", 1), "oha-csv")
            .starts_with("log:2: status: \"20\" is not an HTTP status")
    );
    assert!(refusal(&csv.replacen("0.735190005", "-1", 1), "oha-csv").contains("records[0].e2e_s"));
    let json = altered("oha/summary.json", &[("/summary/total", json!("long"))]);
    assert!(refusal(&json, "oha").contains("invalid type: string \"long\""));
    let empty = csv.split_inclusive('\n').next().unwrap();
    assert!(refusal(empty, "oha-csv").contains("no requests"));
}

#[test]
fn a_last_line_that_was_cut_is_left_out() {
    let text = text_of("oha/requests.csv");
    let log = read(&text[..text.len() - 3]);
    assert!(warnings(&log).contains("log:21: the last line is incomplete"));
    assert_eq!(session(log).records.len(), 19);
    assert_eq!(cell(&table(read(&text_of("oha/summary.json"))), "requests", 0), &Cell::Number(20.0));
}
