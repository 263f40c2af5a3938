//! Bodies that are too large, truncated, compressed or never arrive.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::client::{Client, Connection};
use super::{Running, operations};

const MIB: usize = 1 << 20;

/// Sends a body and reads the response. Afterwards the connection still works, or is closed.
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

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body for `/api/log` of this length.
fn entry(length: usize) -> Vec<u8> {
    let mut body = br#"{"provider": "p", "latency": 0.5}"#.to_vec();
    body.resize(length, b' ');
    body
}

#[test]
fn a_body_at_the_limit_is_accepted_and_a_larger_one_is_not() {
    let running = Running::start();
    assert_eq!(status_of(&running.client, "/api/log", &[], &entry(MIB)).0, 200);
    let (status, body) = status_of(&running.client, "/api/log", &[], &entry(MIB + 1));
    assert_eq!(status, 413);
    assert!(body["detail"].is_string(), "{body}");
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn every_operation_with_a_body_has_a_limit() {
    let running = Running::start();
    let mut bounded = 0;
    for (method, path, operation) in operations(&running.client) {
        // Skip session logs: their limit is so large that the test would take too long.
        if operation.get("requestBody").is_none() || path == "/api/v1/sessions" {
            continue;
        }
        let length = match path.as_str() {
            "/api/v1/records" => 32 * MIB + 1,
            "/v1/traces" | "/v1/metrics" | "/v1/logs" => 16 * MIB + 1,
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
fn a_chunked_body_has_the_same_limit() {
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
fn a_compressed_body_has_the_same_limit_after_decompression() {
    let running = Running::start();
    let headers = [("content-encoding", "gzip"), ("content-type", "application/json")];
    assert_eq!(status_of(&running.client, "/api/log", &headers, &compressed(&entry(MIB))).0, 200);
    let bomb = compressed(&vec![b' '; 64 * MIB]);
    assert!(bomb.len() < MIB, "the compressed body is small: {}", bomb.len());
    assert_eq!(status_of(&running.client, "/api/log", &headers, &bomb).0, 413);
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn a_body_with_invalid_compression_is_refused() {
    let running = Running::start();
    let whole = compressed(&entry(5000));
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
fn a_truncated_body_is_not_stored() {
    let running = Running::start();
    let record = br#"[{"provider": "p", "e2e_s": 1}]"#;
    for length in [record.len() + 1, 1 << 40] {
        let mut connection = Connection::to(running.client.address);
        let declared = length.to_string();
        connection
            .send(&running.client.head("POST", "/api/v1/records", &[("content-length", declared.as_str())], 0), record);
        drop(connection);
    }
    running.client.post("/api/v1/records", &json!([{"provider": "p", "e2e_s": 1}])).ok();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn responses_are_compressed_on_request() {
    let running = super::populated();
    let plain = running.client.get("/api/v1/openapi.json");
    let answer = running.client.send("GET", "/api/v1/openapi.json", &[("accept-encoding", "gzip")], b"");
    assert_eq!((plain.header("content-encoding"), answer.header("content-encoding")), (None, Some("gzip")));
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(&answer.body[..]), &mut text).unwrap();
    assert!(text == plain.text() && answer.body.len() < plain.body.len() / 2);
}
