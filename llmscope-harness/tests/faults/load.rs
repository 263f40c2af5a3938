//! Loads against slow servers, and stopping a run.

use std::time::{Duration, Instant};

use llmscope_core::session::Status;
use llmscope_harness::{Arrival, Load, Plan};
use serde_json::Value;

use super::server::{Server, Step};
use super::{
    HEAD, LAST_CHUNK, Report, assert_failed, assert_good, check, chunk, clients, good, ms, refusal, requests, send,
    start, stop_reason, target, word, workload,
};

/// Waits until a condition is true.
fn until(what: &str, condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(ms(5));
    }
}

#[test]
fn stopped_while_requests_hang() {
    let server = Server::new(|number| if number == 0 { good() } else { vec![Step::Hang] });
    let plan = clients(3, Plan { timeout: Duration::from_secs(600), ..requests(1000) });
    let handle = start(target(&server), workload(&["Hello?"]), plan);
    until("three requests hang", || server.requests().len() == 4);
    handle.stop();
    let report = Report::of(handle);
    assert!(report.took < Duration::from_secs(5), "{:?}", report.took);
    assert_eq!(report.records.len(), 1);
    assert_good(&report.records[0]);
    assert_eq!(report.events.len(), 1);
    assert!(report.events[0].message.contains("3 requests were in flight"), "{:?}", report.events);
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn stopped_during_retry_after() {
    let server = Server::always(refusal(429, "retry-after: 3000\r\n", "slow down"));
    let handle = start(target(&server), workload(&["Hello?"]), Plan { retries: 9, ..requests(5) });
    until("one request was refused", || server.requests().len() == 1);
    std::thread::sleep(ms(100));
    handle.stop();
    let report = Report::of(handle);
    assert!(report.took < Duration::from_secs(5), "{:?}", report.took);
    assert_eq!((report.records.len(), server.requests().len()), (0, 1));
    assert!(report.events[0].message.contains("1 request was in flight"), "{:?}", report.events);
}

#[test]
fn stopped_in_an_open_loop() {
    let server = Server::always(vec![Step::Hang]);
    let load = Load::Open { rates_per_s: vec![200.0], arrival: Arrival::Poisson };
    let handle = start(target(&server), workload(&["Hello?"]), Plan { load, ..requests(1_000_000) });
    until("some requests hang", || server.requests().len() >= 10);
    handle.stop();
    let report = Report::of(handle);
    assert!(report.took < Duration::from_secs(5), "{:?}", report.took);
    assert_eq!((report.records.len(), report.events.len()), (0, 1));
}

#[test]
fn dropped_handle() {
    let server = Server::always([vec![Step::Pause(ms(5))], good()].concat());
    let handle = start(target(&server), workload(&["Hello?"]), requests(1_000_000));
    until("the run sends requests", || server.requests().len() >= 3);
    drop(handle);
    // The number of requests is the same at two times half a second apart.
    until("the run ends", || {
        let asked = server.requests().len();
        std::thread::sleep(ms(500));
        server.requests().len() == asked
    });
}

#[test]
fn a_duration_limits_the_issue_of_requests() {
    let server = Server::always(good());
    let plan = Plan { requests: None, duration: Some(ms(400)), think: ms(10), ..requests(1) };
    let report = Report::of(start(target(&server), workload(&["Hello?"]), clients(2, plan)));
    assert!(report.took >= ms(350) && report.took < Duration::from_secs(8), "{:?}", report.took);
    assert!((2..=90).contains(&report.records.len()), "{}", report.records.len());
    assert_eq!(report.records.len(), server.requests().len());
    report.records.iter().for_each(assert_good);
}

#[test]
fn requests_in_flight_can_finish() {
    let server = Server::always([vec![Step::Pause(ms(600))], good()].concat());
    let plan = Plan { requests: None, duration: Some(ms(200)), ..requests(1) };
    let report = Report::of(start(target(&server), workload(&["Hello?"]), clients(3, plan)));
    assert_eq!((report.records.len(), server.requests().len()), (3, 3));
    report.records.iter().for_each(assert_good);
    assert_eq!(report.events, []);
}

#[test]
fn an_open_loop_does_not_wait_for_a_blocked_server() {
    const REQUESTS: u32 = 70;
    let server =
        Server::new(|number| if number == 5 { [vec![Step::Block(ms(1000))], good()].concat() } else { good() });
    let load = Load::Open { rates_per_s: vec![50.0], arrival: Arrival::Constant };
    let report =
        Report::of(start(target(&server), workload(&["Hello?"]), Plan { load, ..requests(u64::from(REQUESTS)) }));
    let mut records = report.records;
    assert_eq!((records.len(), server.requests().len()), (REQUESTS as usize, REQUESTS as usize));
    records.iter().for_each(check);
    records.sort_by_key(|record| record.started_at);
    let began = records[0].started_at.unwrap();
    let mut waited = 0;
    for (number, record) in records.iter().enumerate() {
        let delay_s = record.sched_delay_s.unwrap();
        assert!(delay_s >= -0.002, "{delay_s}");
        let due_s = number as f64 / 50.0;
        let issued_s = record.started_at.unwrap().duration_since(began).as_secs_f64();
        // Each request was issued when due, or its record has the delay.
        let first_delay_s = records[0].sched_delay_s.unwrap();
        assert!((issued_s + first_delay_s - delay_s - due_s).abs() < 0.01, "{number}: {issued_s} {delay_s}");
        waited += usize::from(delay_s + record.e2e_s.unwrap() > 0.25);
    }
    // The server was blocked for a second: fifty requests were due in that time, and three quarters of them waited at
    // least a quarter of a second.
    assert!(waited >= 35, "{waited} requests waited for the blocked server");
    assert!(report.took >= ms(1350), "{:?}", report.took);
}

#[test]
fn a_request_that_is_due_in_time_is_sent_even_if_late() {
    // One request every five milliseconds from 0: forty are due before 200 ms.
    let server = Server::always(good());
    let load = Load::Open { rates_per_s: vec![200.0], arrival: Arrival::Constant };
    let plan = Plan { load, requests: None, duration: Some(ms(200)), ..requests(1) };
    let report = Report::of(start(target(&server), workload(&["Hello?"]), plan));
    assert_eq!((report.records.len(), server.requests().len()), (40, 40));
    report.records.iter().for_each(assert_good);
}

#[test]
fn closed_loops_have_no_schedule() {
    let server = Server::always(good());
    let report = Report::of(start(target(&server), workload(&["Hello?"]), clients(2, requests(4))));
    assert!(report.records.iter().all(|record| record.sched_delay_s.is_none()));
}

#[test]
fn a_conversation_repeats_its_messages() {
    let words = [word("Bonjour "), word("\"toi\""), stop_reason(), super::DONE.to_owned()].concat();
    let server = Server::always(vec![send(HEAD), send(chunk(words)), send(LAST_CHUNK)]);
    let report = Report::of(start(target(&server), workload(&["Hello?", "Who are you?", "Bye"]), requests(3)));
    assert_eq!(report.records.len(), 3);
    let bodies: Vec<Value> = server.requests().iter().map(|request| body(&request.bytes)).collect();
    let third = bodies[2]["messages"].as_array().unwrap();
    let sent: Vec<_> = third.iter().map(|m| (m["role"].as_str().unwrap(), m["content"].as_str().unwrap())).collect();
    let reply = ("assistant", "Bonjour \"toi\"");
    assert_eq!(sent, [("user", "Hello?"), reply, ("user", "Who are you?"), reply, ("user", "Bye")]);
    assert_eq!(bodies[1]["messages"].as_array().unwrap()[..], third[..3]);
    let turns: Vec<_> = report.records.iter().map(|record| super::number(record, "turn").unwrap()).collect();
    assert_eq!(turns, [1.0, 2.0, 3.0]);
}

#[test]
fn a_conversation_ends_with_a_failure() {
    let server = Server::new(|number| if number == 0 { refusal(500, "", "broken") } else { good() });
    let report = Report::of(start(target(&server), workload(&["Hello?", "Who are you?"]), requests(3)));
    let turns: Vec<_> = report.records.iter().map(|record| super::number(record, "turn").unwrap()).collect();
    assert_eq!(turns, [1.0, 1.0, 2.0]);
    assert_failed(&report.records[0], "server_error", Some(500));
    assert!(report.records[1..].iter().all(|record| record.status == Status::Ok));
}

fn body(request: &[u8]) -> Value {
    let at = request.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    serde_json::from_slice(&request[at..]).unwrap()
}
