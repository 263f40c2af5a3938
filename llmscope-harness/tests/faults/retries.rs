//! Endpoints that send `retry-after`, and retries.

use std::time::{Duration, SystemTime};

use llmscope_core::session::AttributeValue;
use llmscope_harness::Plan;

use super::server::Server;
use super::{
    Report, assert_failed, assert_good, clients, good, ms, number, refusal, requests, run, start, target, workload,
};

/// Rejects the first request with this header and accepts the others; returns the time between the first two.
fn wait_after(header: &str) -> Duration {
    let header = header.to_owned();
    let server = Server::new(move |number| if number == 0 { refusal(429, &header, "slow down") } else { good() });
    let report = run(target(&server), requests(2));
    assert_eq!(assert_failed(&report.records[0], "rate_limited", Some(429)), "slow down");
    assert_good(&report.records[1]);
    assert_eq!(number(&report.records[0], "retries"), None);
    let received = server.requests();
    assert_eq!(received.len(), 2);
    received[1].at - received[0].at
}

#[test]
fn the_next_request_waits_for_the_requested_time() {
    assert!(wait_after("retry-after: 1\r\n") >= ms(1000));
    assert!(wait_after("retry-after-ms: 150\r\n") >= ms(150));
    assert!(wait_after("retry-after: 0.2\r\n") >= ms(200));
    // LiteLLM passes the header on under this name.
    assert!(wait_after("llm_provider-retry-after: 0.2\r\n") >= ms(200));
    assert!(wait_after("llm_provider-retry-after-ms: 150\r\n") >= ms(150));
    assert!(wait_after("retry-after: 3600\r\nretry-after-ms: 100\r\n") < Duration::from_secs(60));
}

#[test]
fn invalid_retry_after_headers_are_ignored() {
    for header in ["", "retry-after: soon\r\n", "retry-after: -5\r\n", "retry-after: nan\r\n"] {
        assert!(wait_after(header) < Duration::from_secs(8), "{header}");
    }
    assert!(wait_after("retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n") < Duration::from_secs(8));
}

#[test]
fn a_run_does_not_wait_beyond_its_duration() {
    let server = Server::new(|_| refusal(429, "retry-after: 3600\r\n", "tomorrow"));
    let plan = Plan { requests: None, duration: Some(ms(500)), retries: 3, ..requests(1) };
    let report = Report::of(start(target(&server), workload(&["Hello?"]), plan));
    assert_eq!((report.records.len(), server.requests().len()), (1, 1));
    assert_failed(&report.records[0], "rate_limited", Some(429));
    assert!(report.took < Duration::from_secs(60), "{:?}", report.took);
}

#[test]
fn a_retry_after_date_is_respected() {
    let date = SystemTime::now() + Duration::from_secs(2);
    let header = format!("retry-after: {}\r\n", httpdate::fmt_http_date(date));
    // HTTP dates have no fractions of a second.
    let date = httpdate::parse_http_date(&httpdate::fmt_http_date(date)).unwrap();
    let server = Server::new(move |number| if number == 0 { refusal(429, &header, "") } else { good() });
    run(target(&server), requests(2));
    let second = server.requests()[1].wall;
    assert!(second + ms(20) >= date, "{second:?} is before {date:?}");
}

#[test]
fn several_attempts_are_one_record() {
    let refused = refusal(429, "retry-after-ms: 50\r\n", "slow down");
    let server = Server::new(move |number| if number < 2 { refused.clone() } else { good() });
    let record = run(target(&server), Plan { retries: 3, ..requests(1) }).only();
    assert_good(&record);
    assert_eq!((number(&record, "retries"), number(&record, "rate_limited")), (Some(2.0), Some(2.0)));
    let kinds = AttributeValue::Text("rate_limited,rate_limited".to_owned());
    assert_eq!(record.attributes.get("retried_after"), Some(&kinds));
    let received = server.requests();
    assert_eq!(received.len(), 3);
    // Half a second and one second, plus jitter.
    assert!(number(&record, "retry_wait_s").unwrap() >= 1.5);
    assert!(received[2].at - received[1].at >= ms(1000));
    // The latency is that of the last attempt only.
    assert!(record.e2e_s.unwrap() < (received[2].at - received[0].at).as_secs_f64());
}

#[test]
fn the_record_has_the_last_failure() {
    let server = Server::new(|number| if number == 0 { refusal(503, "", "busy") } else { refusal(500, "", "broken") });
    let record = run(target(&server), Plan { retries: 1, ..requests(1) }).only();
    assert_eq!(assert_failed(&record, "server_error", Some(500)), "broken");
    assert_eq!((number(&record, "retries"), number(&record, "rate_limited")), (Some(1.0), Some(0.0)));
    assert_eq!(record.attributes["retried_after"], AttributeValue::Text("overloaded".to_owned()));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn permanent_failures_are_not_retried() {
    for (status, kind) in [(400, "bad_request"), (401, "unauthorized"), (404, "not_found"), (504, "timeout")] {
        let server = Server::always(refusal(status, "", "no"));
        let record = run(target(&server), Plan { retries: 5, ..requests(1) }).only();
        assert_failed(&record, kind, Some(i64::from(status)));
        assert_eq!((server.requests().len(), number(&record, "retries")), (1, None));
    }
}

#[test]
fn every_client_respects_retry_after() {
    // The first request is rejected at once. The second gets its response after the client has seen the rejection.
    let server = Server::new(|number| match number {
        0 => refusal(429, "retry-after: 1\r\n", "slow down"),
        1 => [vec![super::Step::Pause(ms(500))], good()].concat(),
        _ => good(),
    });
    let report = run(target(&server), clients(2, Plan { retries: 3, ..requests(6) }));
    report.records.iter().for_each(assert_good);
    let received = server.requests();
    assert_eq!(received.len(), 7);
    for later in &received[2..] {
        assert!(later.at - received[0].at >= ms(1000), "{:?}", later.at - received[0].at);
    }
    let retried = report.records.iter().filter(|record| number(record, "retries") == Some(1.0)).count();
    assert_eq!(retried, 1);
}

#[test]
fn clients_that_failed_together_do_not_retry_together() {
    let server = Server::new(|number| if number < 8 { refusal(500, "", "broken") } else { good() });
    let report = run(target(&server), clients(8, Plan { retries: 1, ..requests(8) }));
    report.records.iter().for_each(assert_good);
    let mut waits: Vec<f64> = report.records.iter().map(|record| number(record, "retry_wait_s").unwrap()).collect();
    waits.sort_unstable_by(f64::total_cmp);
    // Eight random times within half a second: the probability that all are within 50 ms of each other is one in ten
    // million.
    assert!(waits[7] - waits[0] > 0.05, "{waits:?}");
}
