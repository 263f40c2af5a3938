//! The mock endpoint keeps its deadlines and reports its exact times. The reference client can read its streams.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// A running mock that stops at the end of the test.
struct Mock {
    process: Child,
    port: u16,
}

impl Mock {
    fn start(options: &[&str]) -> Self {
        let mut process =
            Command::new(env!("CARGO_BIN_EXE_mock-endpoint")).args(options).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let port = ready["port"].as_u64().unwrap().try_into().unwrap();
        Self { process, port }
    }

    /// The whole answer to one request, including its head.
    fn request(&self, method: &str, path: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn complete(&self, body: &str) -> String {
        self.request("POST", "/v1/chat/completions", body)
    }

    fn truth(&self) -> Vec<Value> {
        let answer = self.request("GET", "/truth", "");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str::<Value>(body).unwrap()["requests"].as_array().unwrap().clone()
    }
}

impl Drop for Mock {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// The events of a streamed answer.
fn events(answer: &str) -> Vec<&str> {
    answer.lines().filter_map(|line| line.strip_prefix("data: ")).collect()
}

fn number(entry: &Value, key: &str) -> f64 {
    entry[key].as_f64().unwrap_or_else(|| panic!("{key} in {entry}"))
}

#[test]
fn a_stream_has_its_tokens_its_usage_and_its_end() {
    let mock = Mock::start(&["--ttft-ms", "0", "--itl-ms", "0"]);
    let answer = mock.complete(
        r#"{"model":"any","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":3,
        "messages":[{"role":"system","content":"a b"},{"role":"user","content":[{"type":"text","text":"c d e"}]}]}"#,
    );
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    let events = events(&answer);
    assert_eq!(events.len(), 5, "{answer}");
    assert!(events[0].contains(r#""model":"any""#) && events[0].contains(r#""content":" the""#), "{answer}");
    assert!(events[2].contains(r#""finish_reason":"length""#), "{answer}");
    let usage: Value = serde_json::from_str(events[3]).unwrap();
    assert_eq!(usage["choices"], serde_json::json!([]));
    assert_eq!(usage["usage"], serde_json::json!({"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}));
    assert_eq!(events[4], "[DONE]");
}

#[test]
fn the_usage_is_sent_if_the_request_includes_it() {
    let mock = Mock::start(&["--ttft-ms", "0", "--itl-ms", "0", "--tokens", "2"]);
    assert_eq!(events(&mock.complete(r#"{"stream":true}"#)).len(), 3);
    let mock = Mock::start(&["--ttft-ms", "0", "--itl-ms", "0", "--tokens", "2", "--usage", "always"]);
    assert_eq!(events(&mock.complete(r#"{"stream":true}"#)).len(), 4);
}

#[test]
fn no_chunk_comes_before_its_deadline() {
    let mock = Mock::start(&["--ttft-ms", "40", "--itl-ms", "5", "--tokens", "10", "--tokens-per-chunk", "4"]);
    let answer = mock.complete(r#"{"stream":true}"#);
    assert_eq!(events(&answer).len(), 4, "three chunks and the end: {answer}");
    let truth = mock.truth();
    let [entry] = truth.as_slice() else { panic!("{truth:?}") };
    assert_eq!((entry["tokens"].as_u64(), entry["chunks"].as_u64()), (Some(10), Some(3)));
    assert!(number(entry, "ttft_s") >= 0.040, "{entry}");
    assert!(number(entry, "last_token_s") >= 0.080, "{entry}");
    assert!(number(entry, "e2e_s") >= number(entry, "last_token_s"), "{entry}");
    // Two gaps, and the six tokens after those of the first chunk.
    let span = number(entry, "last_token_s") - number(entry, "ttft_s");
    assert!((number(entry, "gap_s") * 2.0 - span).abs() < 1e-9, "{entry}");
    assert!((number(entry, "tpot_s") * 6.0 - span).abs() < 1e-9, "{entry}");
}

#[test]
fn a_role_does_not_count_as_a_token() {
    let mock = Mock::start(&["--ttft-ms", "30", "--itl-ms", "0", "--tokens", "2", "--role-chunk-first"]);
    let answer = mock.complete(r#"{"stream":true}"#);
    let events = events(&answer);
    assert!(events[0].contains(r#""role":"assistant""#) && !events[0].contains("the"), "{answer}");
    assert_eq!(events.len(), 4, "{answer}");
    assert!(number(&mock.truth()[0], "ttft_s") >= 0.030);
}

#[test]
fn a_reset_clears_the_entries_and_a_bad_request_has_none() {
    let mock = Mock::start(&["--ttft-ms", "0", "--itl-ms", "0"]);
    mock.complete(r#"{"stream":true}"#);
    assert_eq!(mock.truth().len(), 1);
    mock.request("POST", "/reset", "");
    assert_eq!(mock.truth().len(), 0);
    assert!(mock.complete("no JSON").starts_with("HTTP/1.1 400 "));
    assert!(mock.request("GET", "/elsewhere", "").starts_with("HTTP/1.1 404 "));
    assert!(mock.request("GET", "/v1/models", "").contains(r#""id":"m""#));
    assert!(mock.complete(r#"{"max_tokens":2}"#).contains(r#""content":" the the""#), "not streamed");
    assert_eq!(mock.truth().len(), 0);
}

#[test]
fn the_reference_client_reports_at_least_the_true_time() {
    let mock = Mock::start(&["--ttft-ms", "20", "--itl-ms", "2"]);
    let port = mock.port.to_string();
    let done = Command::new(env!("CARGO_BIN_EXE_reference-client"))
        .args(["--port", &port, "--requests", "40", "--concurrency", "8", "--output-tokens", "8"])
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let reported: Value = serde_json::from_slice(&done.stdout).unwrap();
    let truth = mock.truth();
    assert_eq!((reported["requests"].as_u64(), truth.len()), (Some(40), 40));
    let mean = truth.iter().map(|entry| number(entry, "ttft_s")).sum::<f64>() / 40.0;
    assert!(mean >= 0.020 && number(&reported, "ttft_mean_s") > mean, "{reported}, truth {mean}");
    let mut connections: Vec<_> = truth.iter().map(|entry| entry["connection"].as_u64().unwrap()).collect();
    connections.sort_unstable();
    connections.dedup();
    assert_eq!(connections.len(), 8, "connections are kept");
}
