//! Connections that are reused, and connections that are not.

use llmscope_harness::Plan;

use super::server::{Server, Step};
use super::{assert_failed, assert_good, clients, events, good, ms, requests, run, send, target};

#[test]
fn one_connection_for_all() {
    let server = Server::always(good());
    let report = run(target(&server), requests(20));
    report.records.iter().for_each(assert_good);
    assert_eq!((server.connections(), server.requests().len()), (1, 20));
    // The connection was opened before the first request, so no request includes the time for that.
    assert_eq!((report.health.connections_opened, report.health.connections_reused), (1, 20));
    assert!(report.records.iter().all(|record| record.connect_s.is_none()));
    assert!(report.health.connect_p50_s.unwrap() > 0.0);
}

#[test]
fn one_connection_for_each_client() {
    let server = Server::always([vec![Step::Pause(ms(20))], good()].concat());
    let report = run(target(&server), clients(5, requests(50)));
    report.records.iter().for_each(assert_good);
    assert_eq!(server.requests().len(), 50);
    assert!(server.connections() <= 5, "{}", server.connections());
}

#[test]
fn a_connection_for_each_request() {
    let server = Server::always(good());
    let report = run(target(&server), Plan { reuse_connections: false, ..requests(20) });
    assert_eq!((server.connections(), server.requests().len()), (20, 20));
    assert_eq!((report.health.connections_opened, report.health.connections_reused), (20, 0));
    for record in &report.records {
        assert_good(record);
        assert!(record.connect_s.unwrap() > 0.0);
    }
}

#[test]
fn closed_between_requests() {
    let server = Server::always([good(), vec![Step::Pause(ms(20)), Step::Close]].concat());
    let report = run(target(&server), Plan { think: ms(200), ..requests(5) });
    report.records.iter().for_each(assert_good);
    assert_eq!((server.connections(), server.requests().len()), (5, 5));
}

#[test]
fn closed_as_announced() {
    let length = events().len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
    );
    let server = Server::always(vec![send(head + &events()), Step::Pause(ms(50)), Step::Close]);
    let report = run(target(&server), requests(5));
    report.records.iter().for_each(assert_good);
    assert_eq!(server.connections(), 5);
}

#[test]
fn closed_at_once_without_notice() {
    // The close and the next request can cross on the network: the request is then sent again over a new connection.
    let server = Server::always([good(), vec![Step::Close]].concat());
    let report = run(target(&server), requests(200));
    report.records.iter().for_each(assert_good);
    assert_eq!((server.connections(), server.requests().len()), (200, 200));
}

#[test]
fn closed_on_a_request_that_was_read() {
    // Sent again only once: an endpoint that always closes the connection is a failure.
    let server = Server::new(|number| if number == 0 { good() } else { vec![Step::Close] });
    let report = run(target(&server), requests(2));
    assert_good(&report.records[0]);
    assert_failed(&report.records[1], "connection", None);
    assert_eq!((server.connections(), server.requests().len()), (2, 3));
}

#[test]
fn closed_on_a_request_after_a_while() {
    // After this time the close did not cross the request: the endpoint received it and gave up.
    let hung_up = vec![Step::Pause(ms(1500)), Step::Close];
    let server = Server::new(move |number| if number == 1 { hung_up.clone() } else { good() });
    let report = run(target(&server), requests(3));
    assert_good(&report.records[0]);
    assert_failed(&report.records[1], "connection", None);
    assert_good(&report.records[2]);
}

#[test]
fn unsolicited_data() {
    let server = Server::always([good(), vec![Step::Pause(ms(20)), send("HTTP/1.1 200 OK\r\n\r\n")]].concat());
    let report = run(target(&server), Plan { think: ms(200), ..requests(3) });
    report.records.iter().for_each(assert_good);
    assert_eq!(server.connections(), 3, "such a connection is not reused");
}
