//! The memory of a request: at most 8 times its bytes and 16 MB, whatever it holds. The memory is that of the
//! process.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

#[path = "../client/mod.rs"]
mod client;

use std::fs;

use client::Running;
use prost::encoding::encode_varint;

const MB: usize = 1_000_000;
/// The variable with the number of a body, for the process that sends it.
const CASE: &str = "LLMSCOPE_TEST_BODY";
const NAME: &str = "a_request_costs_what_it_weighs";

/// A figure of this process in bytes: the memory in use, or the most that was in use.
fn memory(figure: &str) -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)).unwrap();
    line.trim_start_matches(':').trim().trim_end_matches("kB").trim().parse::<usize>().unwrap() * 1024
}

/// A field of protobuf with a length.
fn field(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag << 3 | 2];
    encode_varint(content.len() as u64, &mut bytes);
    bytes.extend(content);
    bytes
}

/// An export of one scope with these spans.
fn export(spans: &[u8]) -> Vec<u8> {
    field(1, &field(2, spans))
}

fn array(element: &str, n: usize) -> String {
    format!("[{}{element}]", format!("{element},").repeat(n - 1))
}

#[test]
fn a_request_costs_what_it_weighs() {
    let (json, lines, protobuf) = ("application/json", "application/x-ndjson", "application/x-protobuf");
    let in_spans = |spans: String| format!("{{\"resourceSpans\":[{{\"scopeSpans\":[{{\"spans\":{spans}}}]}}]}}");
    let with_id: Vec<u8> = (0..70_000_u64).flat_map(|id| field(2, &field(2, &id.to_be_bytes()))).collect();
    let chat = field(9, &[field(1, b"gen_ai.operation.name"), field(2, &field(1, b"chat"))].concat());
    let calls = |n: u64| -> Vec<u8> {
        (0..n).flat_map(|id| field(2, &[field(2, &id.to_be_bytes()), chat.clone()].concat())).collect()
    };
    let bodies: Vec<(&str, &str, &str, u16, Vec<u8>)> = vec![
        ("empty spans", "/v1/traces", protobuf, 200, export(&field(2, b"").repeat(500_000))),
        ("empty resources", "/v1/traces", protobuf, 200, field(1, b"").repeat(500_000)),
        ("spans with an id", "/v1/traces", protobuf, 200, export(&with_id)),
        ("a span of events", "/v1/traces", protobuf, 200, export(&field(2, &field(11, &[0x38, 1]).repeat(250_000)))),
        ("calls", "/v1/traces", protobuf, 200, export(&calls(3000))),
        ("too many calls", "/v1/traces", protobuf, 422, export(&calls(30_000))),
        ("empty spans, JSON", "/v1/traces", json, 422, in_spans(array("{}", 333_333)).into()),
        ("empty records", "/api/v1/records", json, 422, array("{}", 666_667).into()),
        ("empty records, lines", "/api/v1/records", lines, 422, "{}\n".repeat(666_667).into()),
        ("small records", "/api/v1/records", json, 201, array("{\"provider\":\"p\",\"e2e_s\":1}", 50_000).into()),
        (
            "metadata",
            "/api/log",
            json,
            200,
            format!("{{\"provider\":\"p\",\"latency\":1,\"metadata\":{{\"a\":{}}}}}", array("[]", 190_000)).into(),
        ),
        (
            "too many values",
            "/api/log",
            json,
            422,
            format!("{{\"provider\":\"p\",\"latency\":1,\"metadata\":{{\"a\":{}}}}}", array("[]", 333_333)).into(),
        ),
    ];
    // Each body in a process of its own: one process keeps what it once used.
    let Some(case) = std::env::var(CASE).ok().and_then(|case| case.parse::<usize>().ok()) else {
        let run = |case: usize| {
            let mut program = std::process::Command::new(std::env::current_exe().unwrap());
            let status = program.args(["--exact", NAME, "--nocapture"]).env(CASE, case.to_string()).status();
            status.unwrap().success()
        };
        let failed: Vec<&str> = (0..bodies.len()).filter(|&case| !run(case)).map(|case| bodies[case].0).collect();
        assert_eq!(failed, [] as [&str; 0], "see above");
        return;
    };
    let (what, path, kind, status, body) = bodies.into_iter().nth(case).unwrap();
    let running = Running::start();
    running.client.get("/api/v1/series").ok();
    let before = memory("VmRSS");
    // The most memory in use begins again at what is in use now.
    fs::write("/proc/self/clear_refs", "5").unwrap();
    let answer = running.client.post_bytes(path, kind, &body);
    assert_eq!(answer.status, status, "{what}: {}", answer.text());
    let used = memory("VmHWM").saturating_sub(before);
    // The client of the test holds a second copy of the body.
    // A batch also changes pages of the store, which SQLite keeps until the commit.
    let pages = if status == 201 { 4 * MB } else { 0 };
    let allowed = 9 * body.len() + 16 * MB + pages;
    println!("{what}: {} kB, {} MB used, {} MB allowed", body.len() / 1000, used / MB, allowed / MB);
    assert!(used <= allowed, "{what}: {used} bytes for a body of {}", body.len());
}
