//! k6.

use llmscope_core::ingest::Cell;
use llmscope_core::session::Status;
use serde_json::json;

use super::{altered, assert_number, cell, read, refusal, session, table, text_attribute, text_of, warnings};

/// Its points are consecutive; points of other metrics may lie between requests.
#[test]
fn the_points_of_a_request_are_one_record() {
    let session = session(read(&text_of("k6/points.json")));
    assert_eq!(session.records.len(), 2);
    assert_eq!(session.header.recorder.as_ref().unwrap().name, "k6");
    let first = &session.records[0];
    assert_eq!(first.status, Status::Ok);
    for (name, milliseconds) in [
        ("http_req_duration_s", 113.379474),
        ("http_req_blocked_s", 14.501569),
        ("http_req_connecting_s", 14.215184),
        ("http_req_tls_handshaking_s", 0.0),
        ("http_req_sending_s", 0.089974),
        ("http_req_waiting_s", 21.374077),
        ("http_req_receiving_s", 91.915423),
    ] {
        assert_eq!(first.attribute(name), Some(milliseconds / 1e3), "{name}");
    }
    for (name, value) in [("scenario", "chat"), ("group", "::chat"), ("name", "chat"), ("method", "POST")] {
        assert_eq!(text_attribute(first, name), Some(value), "{name}");
    }
    assert_eq!((first.attribute("status"), text_attribute(first, "url")), (Some(200.0), None));
}

/// k6's duration begins once the connection is open; ours begins with the call.
#[test]
fn the_wait_for_a_connection_belongs_to_the_latency() {
    let records = &session(read(&text_of("k6/points.json"))).records;
    assert_eq!(records[0].e2e_s, Some((14.501569 + 113.379474) / 1e3));
    assert_eq!(records[0].connect_s, Some(14.501569 / 1e3));
    // The time of a point is that of the request's end.
    assert_eq!(records[0].started_at.unwrap().to_string(), "2026-11-24T02:45:13.981095362Z");
}

/// The first byte is that of the response header: many servers send it, and a chunk with the role, before any token.
#[test]
fn the_first_byte_is_not_the_first_token() {
    for fixture in ["points.json", "failures.json"] {
        let session = session(read(&text_of(&format!("k6/{fixture}"))));
        assert!(session.records.iter().all(|record| record.ttft_s.is_none() && record.ttft_from_write_s.is_none()));
    }
}

#[test]
fn an_error_response_has_no_latency() {
    let records = &session(read(&text_of("k6/points.json"))).records;
    let refused = &records[1];
    let error = refused.error.as_ref().unwrap();
    assert_eq!((refused.status, error.kind.as_str(), error.code), (Status::Error, "429", Some(429)));
    assert_eq!((refused.e2e_s, refused.connect_s, refused.attribute("http_req_waiting_s")), (None, None, None));
    assert_eq!(refused.attribute("status"), Some(429.0));
}

#[test]
fn a_request_without_a_response_is_a_failure_with_its_reason() {
    let session = session(read(&text_of("k6/failures.json")));
    let of = |index: usize| {
        let record = &session.records[index];
        let error = record.error.as_ref().unwrap();
        (record.status, error.kind.as_str(), error.code, error.message.as_deref(), record.attribute("status"))
    };
    assert_eq!(of(0), (Status::Timeout, "1050", Some(1050), Some("request timeout"), None));
    assert_eq!(of(1), (Status::Error, "1212", Some(1212), Some("dial: connection refused"), None));
    assert!(session.records.iter().all(|record| record.e2e_s.is_none()));
}

/// A script can expect an error response; k6 then counts no failure.
#[test]
fn k6_decides_what_failed() {
    let text = text_of("k6/points.json");
    let expected = text.replace(
        "\"time\":\"2026-11-24T02:45:14.154565899Z\",\"value\":1,",
        "\"time\":\"2026-11-24T02:45:14.154565899Z\",\"value\":0,",
    );
    let records = session(read(&expected)).records.clone();
    assert_eq!((records[1].status, records[1].e2e_s), (Status::Ok, Some((0.003695 + 44.893621) / 1e3)));
    // Without k6's judgement, the response decides.
    let silent: String =
        text.lines().filter(|line| !line.contains("http_req_failed")).map(|line| format!("{line}\n")).collect();
    let records = session(read(&silent.replace("\"expected_response\":\"false\",", ""))).records.clone();
    assert_eq!([records[0].status, records[1].status], [Status::Ok, Status::Error]);
}

/// With a coarse clock, two requests may end in the same nanosecond, with the same tags.
#[test]
fn a_second_point_of_the_same_metric_begins_another_request() {
    let text = text_of("k6/failures.json");
    let request: String = text.split_inclusive('\n').take(9).collect();
    assert_eq!(session(read(&format!("{request}{request}"))).records.len(), 2);
}

#[test]
fn part_of_the_points_is_enough() {
    let text = text_of("k6/points.json");
    let only: String = text
        .lines()
        .filter(|line| line.contains("\"metric\":\"http_req_duration\""))
        .map(|line| format!("{line}\n"))
        .collect();
    let records = session(read(&only)).records.clone();
    // The duration of the request alone excludes the wait for a connection, and dates its start all the same.
    assert_eq!((records.len(), records[0].e2e_s), (2, None));
    assert_eq!(records[0].started_at.unwrap().to_string(), "2026-11-24T02:45:13.995596931Z");
    assert_eq!(records[0].attribute("http_req_duration_s"), Some(113.379474 / 1e3));
}

#[test]
fn tags_of_a_script_are_attributes_and_name_the_model() {
    let text = text_of("k6/points.json")
        .replace("\"name\":\"chat\"", "\"model\":\"m/one\",\"provider\":\"groq\",\"tier\":\"short\",\"name\":\"chat\"");
    let session = session(read(&text));
    let record = &session.records[0];
    assert_eq!((record.model.as_deref(), record.provider.as_deref()), (Some("m/one"), Some("groq")));
    assert_eq!((text_attribute(record, "tier"), text_attribute(record, "model")), (Some("short"), None));
}

#[test]
fn the_three_shapes_of_the_summary_are_read_in_seconds() {
    let export = table(read(&text_of("k6/summary_export.json")));
    assert!(export.of_runs);
    for (name, value) in [
        ("requests", 6.0),
        ("requests_per_s", 16.98969480151159),
        ("http_req_duration_s.mean", 0.1026150335),
        ("http_req_duration_s.p50", 112.038016 / 1e3),
        ("http_req_duration_s.p99", 120.97934289999999 / 1e3),
        ("http_req_waiting_s.p50", 20.760921 / 1e3),
        ("http_req_blocked_s.max", 14.501569 / 1e3),
        ("http_req_duration_of_expected_s.p95", 119.7793636 / 1e3),
    ] {
        assert_number(&export, name, 0, value);
    }
    let handled = table(read(&text_of("k6/handle_summary.json")));
    for (name, value) in [
        ("requests", 3.0),
        ("duration_s", 414.641199 / 1e3),
        ("http_req_duration_s.p90", 263.19233940000004 / 1e3),
        ("http_req_duration_of_expected_s.p50", 111.865685 / 1e3),
    ] {
        assert_number(&handled, name, 0, value);
    }
    let newer = table(read(&text_of("k6/machine_readable.json")));
    for (name, value) in [
        ("requests", 6.0),
        ("duration_s", 0.277156673),
        ("http_req_duration_s.p50", 111.8188 / 1e3),
        ("http_req_duration_s.p95", 114.0657875 / 1e3),
        ("http_req_duration_of_expected_s.mean", 112.89592249999998 / 1e3),
        // In this form, a duration that the script defines is marked as a duration.
        ("llm_ttft_s.p50", 20.5797325 / 1e3),
    ] {
        assert_number(&newer, name, 0, value);
    }
    assert!(export.column("llm_ttft_s.p50").is_none() && newer.column("http_reqs_s.mean").is_none());
}

/// The rate counts the cases in which its condition was true: the `passes` of `http_req_failed` are failures.
#[test]
fn passes_of_the_failure_rate_are_failures() {
    for (fixture, failed) in
        [("summary_export.json", 1.0), ("handle_summary.json", 2.0), ("machine_readable.json", 2.0)]
    {
        let log = read(&text_of(&format!("k6/{fixture}")));
        assert!(warnings(&log).contains("requests failed, and k6's statistics include them"), "{}", warnings(&log));
        let table = table(log);
        assert_number(&table, "failed", 0, failed);
        assert!(table.column("e2e_s.mean").is_none());
    }
}

#[test]
fn without_failures_the_mean_latency_is_that_of_waiting_and_duration() {
    let rate = json!({"passes": 0, "fails": 6, "value": 0});
    let log = read(&altered("k6/summary_export.json", &[("/metrics/http_req_failed", rate)]));
    assert!(log.warnings.is_empty());
    let table = table(log);
    assert_number(&table, "e2e_s.mean", 0, (2.4494146666666663 + 102.6150335) / 1e3);
    assert!(table.column("e2e_s.p50").is_none());
    assert_eq!(cell(&table, "failed", 0), &Cell::Number(0.0));
}

#[test]
fn errors_name_the_place_and_the_problem() {
    let points = text_of("k6/points.json");
    let refused = |from: &str, to: &str| refusal(&points.replacen(from, to, 1), "k6");
    assert!(
        refused("\"value\":14.501569", "\"value\":-14")
            .starts_with("log:5: data.value: -14 is not a count or a duration;")
    );
    assert!(refused("2026-11-24T02:45:14.108976405Z", "soon").starts_with("log:2: data.time: soon is not a time"));
    assert!(refused("\"value\":14.501569", "\"value\":\"x\"").starts_with("log:5: invalid type: string \"x\""));
    let other = "{\"type\":\"Point\",\"metric\":\"vus\",\"data\":{\"time\":\"2026-11-24T02:45:14Z\",\"value\":1,\"tags\":null}}\n";
    assert!(refusal(other, "k6").contains("for your own metrics, read the file as JSON Lines"));
    let none = altered("k6/summary_export.json", &[("/metrics/http_reqs", json!({"count": 0, "rate": 0}))]);
    assert!(refusal(&none, "k6-summary").contains("no requests"));
}
