//! Locust.

use llmscope_core::ingest::Cell;
use serde_json::json;

use super::{altered, assert_close, assert_number, assert_text, cell, read, refusal, table, text_of, warnings};

#[test]
fn every_entry_becomes_a_row_of_runs_in_seconds() {
    let table = table(read(&text_of("locust/stats.csv")));
    assert!(table.of_runs);
    assert_eq!(table.lines, [2, 3, 4]);
    for (row, run) in ["GET /v1/models", "POST chat-nonstream", "Aggregated"].into_iter().enumerate() {
        assert_text(&table, "run", row, run);
    }
    for (name, value) in [
        ("requests", 48.0),
        ("failed", 0.0),
        ("requests_per_s", 16.646034153514204),
        ("e2e_s.mean", 200.56377443751217 / 1e3),
        ("e2e_s.min", 171.82539900022675 / 1e3),
        ("e2e_s.max", 370.16905800010136 / 1e3),
        ("e2e_s.p50", 0.18),
        ("e2e_s.p99", 0.37),
        ("e2e_s.p99.9", 0.37),
        ("response_bytes.mean", 262.0),
    ] {
        assert_number(&table, name, 1, value);
    }
    assert!(table.column("e2e_s.p100").is_none());
}

#[test]
fn rounded_times_cause_a_warning() {
    for fixture in ["stats.csv", "stats_history.csv", "stats.json"] {
        let message = warnings(&read(&text_of(&format!("locust/{fixture}"))));
        assert!(message.contains("rounds response times above 100 ms to two significant digits"), "{message}");
    }
}

/// Locust includes the response times of failures: here the minimum is that of an error response.
#[test]
fn times_that_include_failures_have_another_name() {
    let log = read(&text_of("locust/failed_stats.csv"));
    assert!(warnings(&log).contains("some requests failed"));
    let table = table(log);
    assert_number(&table, "failed", 1, 6.0);
    assert_eq!(cell(&table, "e2e_s.p50", 1), &Cell::Missing);
    assert_number(&table, "response_s.min", 1, 2.029944998866995 / 1e3);
    assert_number(&table, "e2e_s.p50", 0, 0.12);
    assert_eq!(cell(&table, "response_s.p50", 0), &Cell::Missing);
}

#[test]
fn an_entry_without_requests_has_no_times() {
    let text = text_of("locust/stats.csv");
    let header = text.lines().next().unwrap();
    let row = "GET,/x,0,0,0,0.0,0,0,0,0.0,0.0,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A";
    let table = table(read(&format!("{header}\n{row}\n")));
    assert_number(&table, "requests", 0, 0.0);
    assert!(table.columns.iter().all(|column| !column.name.starts_with("e2e_s")));
}

#[test]
fn the_history_is_a_table_of_times_and_not_of_runs() {
    let log = read(&text_of("locust/stats_history.csv"));
    let message = warnings(&log);
    assert!(message.contains("consecutive rows share most of their requests"), "{message}");
    let table = table(log);
    assert!(!table.of_runs);
    assert_eq!(table.rows(), 10);
    assert_text(&table, "started_at", 4, "2026-11-23T08:01:39Z");
    assert_text(&table, "run", 4, "GET /v1/models");
    for (name, value) in [
        ("users", 4.0),
        ("requests_per_s", 0.0),
        ("window_response_s.p50", 0.002),
        ("window_response_s.p99", 0.035),
        ("total_requests", 40.0),
        ("total_failed", 0.0),
        ("total_response_s.mean", 7.58810887512027 / 1e3),
        ("total_response_s.p50", 0.002),
    ] {
        assert_number(&table, name, 4, value);
    }
}

/// For a window without requests, Locust writes `N/A` or zeros.
#[test]
fn a_window_without_requests_has_no_percentiles() {
    let table = table(read(&text_of("locust/stats_history.csv")));
    assert_eq!(cell(&table, "window_response_s.p50", 0), &Cell::Missing);
    assert_eq!(cell(&table, "window_response_s.p50", 1), &Cell::Missing);
    assert_number(&table, "total_requests", 1, 21.0);
    assert_eq!(cell(&table, "total_response_s.mean", 0), &Cell::Missing);
}

#[test]
fn the_histogram_gives_the_percentiles_that_locust_prints() {
    let table = table(read(&text_of("locust/stats.json")));
    assert!(table.of_runs);
    assert_text(&table, "run", 1, "POST chat-nonstream");
    assert_text(&table, "started_at", 1, "2026-11-23T08:01:38.164795Z");
    assert_number(&table, "requests", 1, 56.0);
    assert_number(&table, "e2e_s.min", 1, 171.82539900022675 / 1e3);
    // locust.stats.calculate_response_time_percentile of the same histogram, Locust 2.47.0.
    for (name, milliseconds) in [("p50", 180.0), ("p75", 210.0), ("p90", 300.0), ("p95", 330.0), ("p99", 370.0)] {
        assert_number(&table, &format!("e2e_s.{name}"), 1, milliseconds / 1e3);
    }
    let Cell::Number(mean) = cell(&table, "e2e_s.mean", 1) else { panic!("no mean") };
    assert_close(*mean, 11593.652794000263 / 56.0 / 1e3, 1e-12);
}

#[test]
fn the_json_keeps_failures_and_untimed_requests_apart() {
    let changes = [("/0/num_failures", json!(3)), ("/1/num_none_requests", json!(56))];
    let table = table(read(&altered("locust/stats.json", &changes)));
    assert_number(&table, "failed", 0, 3.0);
    assert!(table.columns.iter().all(|column| !column.name.starts_with("e2e_s")));
    assert_number(&table, "response_s.max", 0, 173.0242060002638 / 1e3);
    assert_eq!(cell(&table, "response_s.max", 1), &Cell::Missing);
}

#[test]
fn lists_of_failures_are_refused_with_the_file_to_give() {
    for fixture in ["failures.csv", "exceptions.csv"] {
        let text = text_of(&format!("locust/{fixture}"));
        let error = llmscope_core::ingest::read(fixture, text.as_bytes(), None).unwrap_err().to_string();
        assert!(error.contains("which has no response times; give the file whose name ends in _stats.csv"), "{error}");
    }
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let stats = text_of("locust/stats.csv").replace("200.56377443751217", "slow");
    assert!(refusal(&stats, "locust").starts_with("log:3: Average Response Time: \"slow\" is not a number;"));
    let history = text_of("locust/stats_history.csv").replacen("1795420897", "today", 1);
    assert!(refusal(&history, "locust-history").starts_with("log:2: Timestamp: \"today\" is not a time"));
    let json = altered("locust/stats.json", &[("/1/response_times", json!({"fast": 1}))]);
    assert!(refusal(&json, "locust-json").starts_with("log: [1].response_times: \"fast\" is not a response time;"));
    assert!(refusal("[]", "locust-json").contains("no requests"));
}
