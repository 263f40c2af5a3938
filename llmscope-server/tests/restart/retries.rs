//! A call that is sent again changes nothing, before and after a restart.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};

use llmscope_core::RequestRecord;
use llmscope_harness::{Secret, Uploader, log_entry};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::client::KEY;
use super::client::values::Numbers;
use super::{Client, LEARN, Running, history};

/// Everything that the store knows of records, series, violations and the state of the watches, without the times of
/// arrival.
fn state(running: &mut Running) -> Vec<String> {
    running.stop();
    let store = rusqlite::Connection::open(running.database()).unwrap();
    let rows = |select: &str| {
        let mut statement = store.prepare(select).unwrap();
        let columns = statement.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            (0..columns).map(|column| row.get::<_, rusqlite::types::Value>(column)).collect::<Result<Vec<_>, _>>()
        };
        statement.query_map([], row).unwrap().map(|row| format!("{:?}", row.unwrap())).collect::<Vec<String>>()
    };
    [
        "SELECT id, source, at_ns, status, warmup, ttft_s, e2e_s, rest FROM records ORDER BY id",
        "SELECT id, source, metric, n, last_ns, last_value, frozen_ns, state FROM series ORDER BY id",
        "SELECT id, series, rule, side, first_signal, first_ns, signal_ns, last_ns, signals, open, value, limits FROM \
         violations ORDER BY id",
    ]
    .iter()
    .flat_map(|select| rows(select))
    .collect()
}

/// Posts records in one of the forms that the service takes.
fn post(client: &Client, records: &[Value], form: u64) -> (usize, usize) {
    let answer = match form {
        0 => client.post("/api/v1/records", &json!(records)),
        1 => client.post("/api/v1/records", &json!({"records": records})),
        _ => {
            let lines: String = records.iter().map(|record| format!("{record}\n")).collect();
            client.post_bytes("/api/v1/records", "application/x-ndjson", lines.as_bytes())
        }
    };
    assert_eq!(answer.status, 201, "{}", answer.text());
    let answer = answer.json();
    let count = |name: &str| usize::try_from(answer[name].as_u64().unwrap_or(0)).unwrap();
    assert!(answer["first_id"].as_i64().unwrap() <= answer["last_id"].as_i64().unwrap());
    (count("stored"), count("repeated"))
}

#[test]
fn records_that_are_sent_one_to_three_times_are_those_of_once() {
    let config = Config { cases: 12, failure_persistence: None, ..Config::default() };
    let check = |seed: u64| {
        let mut records = history(seed, 90);
        for (record, number) in records.iter_mut().zip(0..) {
            record["uid"] = json!(format!("record-{seed}-{number}"));
        }
        let mut once = Running::learning(LEARN);
        post(&once.client, &records, 0);

        let mut numbers = Numbers::of(seed);
        let mut sent: Vec<&Value> = Vec::new();
        let mut repetitions = 0;
        for (record, known) in records.iter().zip(0..) {
            sent.push(record);
            for _ in 0..numbers.below(3) {
                // The same record again at once, or an earlier one.
                let again = usize::try_from(numbers.below(known + 1)).unwrap();
                sent.push(&records[again]);
                repetitions += 1;
            }
        }
        let mut several = Running::learning(LEARN);
        let (mut stored, mut repeated) = (0, 0);
        let mut rest = &sent[..];
        while !rest.is_empty() {
            let length = usize::try_from(1 + numbers.below(12)).unwrap().min(rest.len());
            let batch: Vec<Value> = rest[..length].iter().map(|record| (*record).clone()).collect();
            let (new, known) = post(&several.client, &batch, numbers.below(3));
            (stored, repeated) = (stored + new, repeated + known);
            rest = &rest[length..];
            if numbers.below(8) == 0 {
                several.restart(|settings| settings.watch = super::watch());
            }
        }
        assert_eq!((stored, repeated), (records.len(), repetitions));
        assert_eq!(state(&mut several), state(&mut once));
    };
    TestRunner::new(config)
        .run(&(0..1_000_000_u64), |seed| {
            check(seed);
            Ok(())
        })
        .unwrap();
}

#[test]
fn equal_records_without_an_id_are_different_requests() {
    let running = Running::start();
    let record = json!({"provider": "p", "e2e_s": 0.3, "started_at": "2026-03-01T12:00:00Z"});
    assert_eq!(post(&running.client, &[record.clone(), record.clone()], 0), (2, 0));
    assert_eq!(post(&running.client, &[record], 0), (1, 0));
}

#[test]
fn an_id_that_only_counts_belongs_to_one_run() {
    let running = Running::start();
    let record = |uid: &str, e2e_s: f64| json!({"provider": "p", "e2e_s": e2e_s, "uid": uid});
    assert_eq!(post(&running.client, &[record("1", 0.3), record("1", 0.3), record("1", 0.4)], 0), (2, 1));
    for uid in [json!(""), json!(" "), json!("x".repeat(129)), json!(7)] {
        let batch = json!([{"provider": "p", "e2e_s": 0.3, "uid": uid}]);
        let (loc, _) = running.client.post("/api/v1/records", &batch).field_error();
        assert!(loc.contains(&json!("uid")), "{loc:?}");
    }
    // As the previous calls, null is absent.
    assert_eq!(post(&running.client, &[json!({"provider": "p", "e2e_s": 0.3, "uid": null})], 0), (1, 0));
}

#[test]
fn a_logged_request_is_stored_once() {
    let mut running = Running::start();
    let entry = json!({"provider": "p", "latency": 0.3, "uid": "6f1d2c"});
    for _ in 0..3 {
        let answer = running.client.post("/api/log", &entry).ok();
        assert_eq!(answer["status"], "logged");
        running.restart(|_| {});
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
    running.client.post("/api/log", &json!({"provider": "p", "latency": 0.3})).ok();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 2);
    running.client.post("/api/log", &json!({"provider": "p", "latency": 0.3, "uid": 5})).field_error();
}

#[test]
fn records_that_were_deleted_can_be_sent_again() {
    let running = Running::start();
    let record = json!({"provider": "p", "e2e_s": 0.3, "uid": "6f1d2c"});
    assert_eq!(post(&running.client, std::slice::from_ref(&record), 0), (1, 0));
    running.client.delete("/api/data").ok();
    assert_eq!(post(&running.client, &[record], 0), (1, 0));
}

#[test]
fn one_record_from_many_clients_is_stored_once() {
    let running = Running::start();
    let record = json!([{"provider": "p", "e2e_s": 0.3, "uid": "6f1d2c"}]);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..5).for_each(|_| drop(running.client.post("/api/v1/records", &record).ok())));
        }
    });
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn a_call_with_a_key_is_stored_once() {
    let mut running = Running::start();
    let batch = br#"[{"provider": "p", "e2e_s": 0.3}, {"provider": "p", "e2e_s": 0.3}]"#;
    let post = |client: &Client, path: &str, key: &str, body: &[u8]| {
        client.send("POST", path, &[("content-type", "application/json"), ("idempotency-key", key)], body)
    };
    let first = post(&running.client, "/api/v1/records", "a", batch).ok();
    assert_eq!(first, json!({"stored": 2, "first_id": 1, "last_id": 2}));
    running.restart(|_| {});
    let again = post(&running.client, "/api/v1/records", "a", batch).ok();
    assert_eq!(again, json!({"stored": 0, "repeated": 2, "first_id": 1, "last_id": 2}));
    assert_eq!(post(&running.client, "/api/v1/records", "b", batch).ok()["stored"], 2);
    // The key of another operation is another key.
    let entry = br#"{"provider": "p", "latency": 0.3}"#;
    for _ in 0..2 {
        post(&running.client, "/api/log", "a", entry).ok();
    }
    assert_eq!(running.client.get("/health").ok()["total_requests"], 5);
    // Another body is not a repetition.
    let refused = post(&running.client, "/api/v1/records", "a", br#"[{"provider": "q", "e2e_s": 0.3}]"#);
    assert_eq!(refused.field_error().0, [json!("header"), json!("Idempotency-Key")]);
    post(&running.client, "/api/v1/records", &"k".repeat(256), batch).field_error();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 5);
}

/// Forwards each request to a service, and loses the responses to the first `lost` of them.
fn losing_responses(service: std::net::SocketAddr, lost: usize) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for (connection, number) in listener.incoming().zip(0..) {
            let (mut client, mut service) = (connection.unwrap(), TcpStream::connect(service).unwrap());
            let (mut requests, mut forwarded) = (client.try_clone().unwrap(), service.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut requests, &mut forwarded));
            if number < lost {
                service.read_exact(&mut [0]).unwrap();
                client.shutdown(std::net::Shutdown::Both).unwrap();
            } else {
                std::thread::spawn(move || std::io::copy(&mut service, &mut client));
            }
        }
    });
    address
}

#[test]
fn an_uploader_that_gets_no_response_stores_its_records_once() {
    let running = Running::start();
    let address = losing_responses(running.client.address, 2);
    let uploader = Uploader::to(&format!("http://{address}/api/log"), Some(Secret::new(KEY))).unwrap();
    let record = RequestRecord { e2e_s: Some(0.3), ..RequestRecord::default() };
    (0..3).for_each(|_| uploader.send(log_entry(&record, "p", "m", None)));
    let delivery = uploader.close(std::time::Duration::from_secs(30)).unwrap();
    assert_eq!((delivery.delivered, delivery.waiting), (3, 0), "{delivery:?}");
    assert_eq!(running.client.get("/health").ok()["total_requests"], 3);
}

const NESTED: [&str; 2] = [
    include_str!("../../../llmscope-core/tests/logs/otel/nested_1.json"),
    include_str!("../../../llmscope-core/tests/logs/otel/nested_2.json"),
];

#[test]
fn a_call_whose_spans_are_split_over_exports_and_restarts_is_stored_once() {
    for order in [[0, 1, 0, 1], [1, 0, 1, 0], [0, 0, 1, 1]] {
        let mut running = Running::start();
        for place in order {
            let answer = running.client.post_bytes("/v1/traces", "application/json", NESTED[place].as_bytes());
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.json()["partialSuccess"], Value::Null);
            running.restart(|_| {});
        }
        assert_eq!(running.client.get("/health").ok()["total_requests"], 1, "{order:?}");
    }
}
