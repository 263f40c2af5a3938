//! Bodies that are too large, broken off, packed or never come.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::client::{Client, Connection};
use super::{Running, operations};

const MIB: usize = 1 << 20;

/// Sends a body and reads the answer; then the connection answers again, or was closed.
#[track_caller]
fn status_of(client: &Client, path: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, Value) {
    let mut connection = Connection::to(client.address);
    connection.send(&client.head("POST", path, headers, body.len()), body);
    let answer = connection.answer("POST");
    connection.send(&client.head("GET", "/health", &[], 0), b"");
    if let Some(next) = connection.try_answer("GET") {
        assert_eq!(next.ok()["status"], "healthy");
    }
    client.get("/health").ok();
    (answer.status, answer.json())
}

fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A request to log that is as long as it is told to be.
fn entry(length: usize) -> Vec<u8> {
    let mut body = br#"{"provider": "p", "latency": 0.5}"#.to_vec();
    body.resize(length, b' ');
    body
}

#[test]
fn a_body_at_the_bound_is_taken_and_one_beyond_it_is_not() {
    let running = Running::start();
    assert_eq!(status_of(&running.client, "/api/log", &[], &entry(MIB)).0, 200);
    let (status, body) = status_of(&running.client, "/api/log", &[], &entry(MIB + 1));
    assert_eq!(status, 413);
    assert!(body["detail"].is_string(), "{body}");
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn every_operation_that_takes_a_body_has_a_bound() {
    let running = Running::start();
    let mut bounded = 0;
    for (method, path, operation) in operations(&running.client) {
        // The log of a session may be large: sending so much takes longer than it is worth.
        if operation.get("requestBody").is_none() || path == "/api/v1/sessions" {
            continue;
        }
        let length = match path.as_str() {
            "/api/v1/records" => 32 * MIB + 1,
            "/v1/traces" => 16 * MIB + 1,
            _ => MIB + 1,
        };
        let kind = [("content-type", "application/json")];
        let answer = running.client.send(&method, path.replace("{id}", "1"), &kind, &vec![b' '; length]);
        answer.refusal(413);
        bounded += 1;
    }
    assert!(bounded >= 7, "{bounded}");
}

#[test]
fn who_does_not_say_how_long_a_body_is_has_the_same_bound() {
    let running = Running::start();
    let chunked = |body: &[u8]| {
        let chunks = body
            .chunks(60_000)
            .flat_map(|chunk| [format!("{:x}\r\n", chunk.len()).as_bytes(), chunk, b"\r\n"].concat());
        chunks.chain(*b"0\r\n\r\n").collect::<Vec<u8>>()
    };
    let headers = [("transfer-encoding", "chunked")];
    assert_eq!(status_of(&running.client, "/api/log", &headers, &chunked(&entry(MIB))).0, 200);
    assert_eq!(status_of(&running.client, "/api/log", &headers, &chunked(&entry(3 * MIB))).0, 413);
}

#[test]
fn a_packed_body_is_unpacked_and_has_the_same_bound() {
    let running = Running::start();
    let headers = [("content-encoding", "gzip"), ("content-type", "application/json")];
    assert_eq!(status_of(&running.client, "/api/log", &headers, &packed(&entry(MIB))).0, 200);
    let bomb = packed(&vec![b' '; 64 * MIB]);
    assert!(bomb.len() < MIB, "it is small on its way: {}", bomb.len());
    assert_eq!(status_of(&running.client, "/api/log", &headers, &bomb).0, 413);
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn a_body_that_is_packed_badly_is_refused() {
    let running = Running::start();
    let whole = packed(&entry(5000));
    let headers = [("content-encoding", "gzip"), ("content-type", "application/json")];
    for body in [&whole[..whole.len() / 2], b"no gzip at all"] {
        assert_eq!(status_of(&running.client, "/api/log", &headers, body).0, 422);
    }
    let headers = [("content-encoding", "unheard-of"), ("content-type", "application/json")];
    let status = status_of(&running.client, "/api/log", &headers, b"\x01\x02\x03").0;
    assert!([415, 422].contains(&status), "{status}");
    assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
}

#[test]
fn a_body_that_breaks_off_is_kept_nowhere() {
    let running = Running::start();
    let record = br#"[{"provider": "p", "e2e_s": 1}]"#;
    for length in [record.len() + 1, 1 << 40] {
        let mut connection = Connection::to(running.client.address);
        let said = length.to_string();
        connection
            .send(&running.client.head("POST", "/api/v1/records", &[("content-length", said.as_str())], 0), record);
        drop(connection);
    }
    running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 1}])).ok();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn answers_are_packed_for_who_wants_them_so() {
    let running = super::populated();
    let plain = running.client.get("/api/v1/openapi.json");
    let answer = running.client.send("GET", "/api/v1/openapi.json", &[("accept-encoding", "gzip")], b"");
    assert_eq!((plain.header("content-encoding"), answer.header("content-encoding")), (None, Some("gzip")));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&answer.body[..]), &mut text).unwrap();
    assert!(text == plain.text() && answer.body.len() < plain.body.len() / 2);
}
