//! Injected failures. The gateway reads them from request headers: each share is a probability.

use std::time::{Duration, Instant};

use llmscope_core::session::{RequestRecord, Status};
use llmscope_harness::{Plan, Target, TargetOptions, VendorKind};

use crate::server::OPEN_GATEWAY;
use crate::{ask, number, options, plan, records, text};

/// A target whose gateway injects one type of failure into a share of the requests.
fn failing_target(vendor: VendorKind, failure: &str, share: &str) -> Target {
    let headers = [(format!("x-aimock-chaos-{failure}"), share.to_owned())].into();
    let options = options(&OPEN_GATEWAY.url, Some("some-model"));
    Target::new(vendor, TargetOptions { headers, ..options }).unwrap()
}

#[track_caller]
fn check_failure(record: &RequestRecord, kind: &str, code: Option<i64>) {
    assert_eq!(record.status, Status::Error, "{record:?}");
    let error = record.error.as_ref().unwrap();
    assert_eq!((error.kind.as_str(), error.code), (kind, code), "{record:?}");
    assert!((record.ttft_s, record.tpot_s, record.e2e_s) == (None, None, None), "{record:?}");
}

const DIALECTS: [VendorKind; 6] = [
    VendorKind::OpenAi,
    VendorKind::OpenAiResponses,
    VendorKind::Anthropic,
    VendorKind::Gemini,
    VendorKind::Bedrock,
    VendorKind::Ollama,
];

#[test]
fn a_rate_limit_has_its_kind() {
    for vendor in DIALECTS {
        for record in records(failing_target(vendor, "ratelimit", "1"), ask("[plain] count"), plan(1, 1)) {
            check_failure(&record, "rate_limited", Some(429));
        }
    }
}

#[test]
fn a_server_error_has_its_kind() {
    for record in records(failing_target(VendorKind::OpenAi, "drop", "1"), ask("[plain] count"), plan(2, 4)) {
        check_failure(&record, "server_error", Some(500));
    }
}

/// The gateway closes the connection before it sends anything.
#[test]
fn a_closed_connection_has_its_kind() {
    for vendor in DIALECTS {
        for record in records(failing_target(vendor, "disconnect", "1"), ask("[plain] count"), plan(1, 1)) {
            check_failure(&record, "connection", None);
        }
    }
}

/// The gateway sends invalid JSON instead of a stream.
#[test]
fn a_malformed_response_is_not_a_stream() {
    for record in records(failing_target(VendorKind::OpenAi, "malformed", "1"), ask("[plain] count"), plan(2, 4)) {
        check_failure(&record, "wrong_content_type", None);
    }
}

#[test]
fn a_stream_that_ends_early_is_cut() {
    for vendor in DIALECTS {
        let target = Target::new(vendor, options(&OPEN_GATEWAY.url, Some("some-model"))).unwrap();
        for record in records(target, ask("[cut] count"), plan(2, 4)) {
            check_failure(&record, "cut", None);
            assert!(number(&record, "head_s").is_some(), "the response had begun: {record:?}");
        }
    }
}

/// The first request is rejected with a wait of one second. It waits, is sent again, and records this; the others
/// succeed at once.
#[test]
fn retry_after_is_respected() {
    let target = Target::new(VendorKind::OpenAi, options(&OPEN_GATEWAY.url, Some("some-model"))).unwrap();
    let started = Instant::now();
    let records = records(target, ask("[limited] count"), Plan { retries: 3, ..plan(1, 3) });
    assert!(started.elapsed() >= Duration::from_secs(1), "{records:?}");
    assert!(records.iter().all(|record| record.status == Status::Ok), "{records:?}");
    let [first, others @ ..] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!((number(first, "retries"), number(first, "rate_limited")), (Some(1.0), Some(1.0)), "{first:?}");
    assert_eq!(text(first, "retried_after"), Some("rate_limited"), "{first:?}");
    assert!(number(first, "retry_wait_s").unwrap() >= 1.0, "{first:?}");
    assert!(first.ttft_s.unwrap() < 1.0, "the wait is not part of the latency: {first:?}");
    assert!(others.iter().all(|record| number(record, "retries").is_none()), "{others:?}");
}

/// Half of the connections are closed at random; the affected requests are retried, and their records show it.
#[test]
fn closed_connections_are_retried() {
    let target = failing_target(VendorKind::OpenAi, "disconnect", "0.5");
    let plan = Plan { retries: 3, reuse_connections: false, ..plan(16, 32) };
    let records = records(target, ask("[plain] count"), plan);
    let (hit, spared): (Vec<_>, Vec<_>) = records.iter().partition(|record| number(record, "retries").is_some());
    assert!(spared.iter().all(|record| record.status == Status::Ok), "{spared:?}");
    // The probability that none of the 32 is affected is one in four billion.
    assert!(!hit.is_empty(), "{records:?}");
    for record in hit {
        let kinds: Vec<_> = text(record, "retried_after").unwrap().split(',').collect();
        assert!(kinds.iter().all(|kind| *kind == "connection"), "{record:?}");
        assert_eq!(number(record, "retries"), Some(kinds.len() as f64), "{record:?}");
        assert!(record.status == Status::Ok || kinds.len() == 3, "{record:?}");
    }
}
