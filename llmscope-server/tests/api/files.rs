//! Exported files, which the core reads as the same session.

use llmscope_core::ingest::{self, Content};
use llmscope_core::{RequestRecord, Session};
use serde_json::{Value, json};

use super::client::values::records;
use super::{Client, Running, keep};

/// The session in the file of a response.
#[track_caller]
fn session_at(client: &Client, path: &str, extension: &str) -> Session {
    let answer = client.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let disposition = answer.header("content-disposition").unwrap();
    assert!(
        disposition.starts_with("attachment; filename=\"") && disposition.ends_with(&format!(".{extension}\"")),
        "{disposition}"
    );
    let log = ingest::read("file", &answer.body, None).unwrap();
    assert_eq!((log.tool.name(), log.warnings.len()), ("llmscope", 0));
    let Content::Session(session) = log.content else { panic!("a table") };
    Session::clone(&session)
}

fn some_records() -> Vec<Value> {
    let mut all = records("openai", "gpt-4o", &[Some(0.1), None, Some(1.0 / 3.0)]);
    all.extend(records("ollama", "llama", &[Some(0.25)]));
    all[0]["attributes"] = json!({"region": "eu, \"west\"\nline", "try": 2.0});
    all[1]["error"] = json!({"type": "timeout", "message": "é; too, slow"});
    all[2]["icl_s"] = json!([0.1, 0.2]);
    all[2]["warmup"] = json!(true);
    all[3]["output_tokens"] = json!(7);
    all
}

#[test]
fn every_format_has_the_same_session_oldest_first() {
    let running = Running::start();
    let records = some_records();
    keep(&running.client, &records);
    let expected: Vec<RequestRecord> =
        records.into_iter().map(|record| serde_json::from_value(record).unwrap()).collect();
    for format in ["json", "jsonl", "csv"] {
        let session = session_at(&running.client, &format!("/api/v1/records?format={format}"), format);
        assert_eq!(session.records, expected, "{format}");
        assert_eq!(session.header.started_at, expected.iter().filter_map(|record| record.started_at).min(), "{format}");
    }
}

#[test]
fn a_file_has_the_selected_records() {
    let running = Running::start();
    keep(&running.client, &some_records());
    let count = |query: &str| {
        session_at(&running.client, &format!("/api/v1/records?format=jsonl&{query}"), "jsonl").records.len()
    };
    assert_eq!(count("provider=openai"), 3);
    assert_eq!(count("limit=2"), 2);
    // More records than fit on a page.
    keep(&running.client, &vec![json!({"provider": "p", "e2e_s": 0.3}); 300]);
    assert_eq!(count("provider=p"), 300);
}

#[cfg(not(feature = "parquet"))]
#[test]
fn parquet_is_not_in_every_build() {
    let running = Running::start();
    keep(&running.client, &some_records());
    let message = running.client.get("/api/v1/records?format=parquet").refusal(406);
    assert!(message.contains("parquet") && message.contains("csv"), "{message}");
}

#[cfg(feature = "parquet")]
#[test]
fn parquet_is_in_this_build() {
    let running = Running::start();
    keep(&running.client, &some_records());
    let answer = running.client.get("/api/v1/records?format=parquet");
    assert_eq!((answer.status, &answer.body[..4]), (200, &b"PAR1"[..]));
}

#[test]
fn media_types_are_set() {
    let running = Running::start();
    keep(&running.client, &some_records());
    for (format, kind) in
        [("json", "application/json"), ("jsonl", "application/x-ndjson"), ("csv", "text/csv; charset=utf-8")]
    {
        let answer = running.client.get(format!("/api/v1/records?format={format}"));
        assert_eq!(answer.header("content-type"), Some(kind));
    }
}
