//! Error responses of endpoints.

use super::server::Server;
use super::{
    HEAD, LAST_CHUNK, ask, assert_failed, assert_good, chunk, good, refusal, requests, run, send, target, word,
};

/// The message of an error response.
fn refusal_message(status: u16, kind: &str, body: &str) -> String {
    assert_failed(&ask(refusal(status, "", body)), kind, Some(i64::from(status)))
}

#[test]
fn the_kind_follows_the_status_and_the_message_is_the_vendors() {
    // OpenAI.
    let body = r#"{"error": {"message": "Incorrect API key provided", "type": "invalid_request_error", "code": null}}"#;
    assert_eq!(refusal_message(401, "unauthorized", body), "Incorrect API key provided");
    // vLLM.
    let body =
        r#"{"object": "error", "message": "The model `m` does not exist.", "type": "NotFoundError", "code": 404}"#;
    assert_eq!(refusal_message(404, "not_found", body), "The model `m` does not exist.");
    // Ollama.
    assert_eq!(refusal_message(404, "not_found", r#"{"error": "model \"m\" not found"}"#), "model \"m\" not found");
    // Gemini, as a list.
    let body = r#"[{"error": {"code": 400, "message": "Invalid value", "status": "INVALID_ARGUMENT"}}]"#;
    assert_eq!(refusal_message(400, "bad_request", body), "Invalid value");
    // FastAPI.
    assert_eq!(refusal_message(403, "unauthorized", r#"{"detail": "Not allowed"}"#), "Not allowed");
    // Anthropic.
    let body = r#"{"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}"#;
    assert_eq!(refusal_message(529, "overloaded", body), "Overloaded");
    // AWS.
    assert_eq!(refusal_message(500, "server_error", r#"{"message": "internal"}"#), "internal");
    // A proxy without JSON errors.
    assert_eq!(refusal_message(503, "overloaded", "<h1>Service\n\n  Unavailable</h1>"), "<h1>Service Unavailable</h1>");
    assert_eq!(refusal_message(502, "server_error", "{\"error\": "), "{\"error\":");
    assert_eq!(refusal_message(418, "bad_request", "{\"error\": {\"code\": 7}}"), "{\"error\": {\"code\": 7}}");
}

#[test]
fn timeouts_of_the_server_are_timeouts() {
    assert_eq!(refusal_message(504, "timeout", "upstream took too long"), "upstream took too long");
    assert_eq!(refusal_message(408, "timeout", "too slow"), "too slow");
}

#[test]
fn a_redirection_is_not_followed() {
    let server = Server::always(refusal(302, "location: /elsewhere\r\n", "moved"));
    let record = run(target(&server), requests(1)).only();
    assert_eq!(assert_failed(&record, "bad_request", Some(302)), "moved");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn long_messages_are_shortened() {
    let words = refusal_message(500, "server_error", &"ä".repeat(100_000));
    assert_eq!(words, "ä".repeat(300) + "…");
    let body = format!(r#"{{"error": {{"message": "{}"}}}}"#, "x".repeat(300));
    assert_eq!(refusal_message(500, "server_error", &body), "x".repeat(300));
}

#[test]
fn no_message() {
    let record = ask(refusal(500, "", ""));
    let error = record.error.unwrap();
    assert_eq!((error.kind.as_str(), error.code, error.message), ("server_error", Some(500), None));
}

#[test]
fn a_message_that_is_not_text() {
    let record =
        ask(vec![send([b"HTTP/1.1 500 Whatever\r\ncontent-length: 4\r\n\r\n".as_slice(), b"\xff\xfe\0!"].concat())]);
    assert_failed(&record, "server_error", Some(500));
}

#[test]
fn errors_within_a_stream() {
    let with_event = |data: &str| {
        let event = format!("data: {data}\n\n");
        ask(vec![send(HEAD), send(chunk(word("one "))), send(chunk(event)), send(LAST_CHUNK)])
    };
    let limited = r#"{"error": {"message": "slow down", "type": "rate_limit_exceeded", "code": 429}}"#;
    assert!(assert_failed(&with_event(limited), "rate_limited", None).contains("slow down"));
    assert_eq!(assert_failed(&with_event(r#"{"error": "broken"}"#), "server_error", None), "broken");
    let busy = r#"{"error": {"message": "busy", "code": "overloaded"}}"#;
    assert!(assert_failed(&with_event(busy), "overloaded", None).contains("busy"));
}

#[test]
fn an_error_response_keeps_the_connection() {
    let server = Server::new(|number| if number == 0 { refusal(500, "", "once") } else { good() });
    let records = run(target(&server), requests(2)).records;
    assert_failed(&records[0], "server_error", Some(500));
    assert_good(&records[1]);
    assert_eq!(server.connections(), 1);
}

#[test]
fn keys_are_redacted_from_error_messages() {
    // An environment variable that cargo sets for every test serves as the key.
    let secret = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    let body = serde_json::json!({"error": {"message": format!("no such key: {secret}")}}).to_string();
    let server = Server::always(refusal(401, "", &body));
    let options = llmscope_harness::TargetOptions {
        url: Some(format!("http://127.0.0.1:{}/v1", server.port)),
        model: Some("m".to_owned()),
        key_variable: Some("CARGO_MANIFEST_DIR".to_owned()),
        ..llmscope_harness::TargetOptions::default()
    };
    let target = llmscope_harness::Target::new(llmscope_harness::VendorKind::OpenAi, options).unwrap();
    let words = assert_failed(&run(target, requests(1)).only(), "unauthorized", Some(401));
    assert!(words.starts_with("no such key: ") && !words.contains(&secret), "{words}");
    let received = String::from_utf8(server.requests()[0].bytes.clone()).unwrap();
    assert!(received.contains(&format!("Bearer {secret}")), "the key was sent");
}
