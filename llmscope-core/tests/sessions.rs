//! Session files: nothing is lost, a crash costs at most one line, and errors name the place of a fault.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;

use llmscope_core::session::{AttributeValue, RequestError, RunEvent, SessionHeader, SessionWriter, Status};
use llmscope_core::{Error, RequestRecord, Session};
use proptest::prelude::*;

fn duration() -> impl Strategy<Value = Option<f64>> {
    proptest::option::of(0.0..1e6)
}

prop_compose! {
    fn record()(
        ttft_s in duration(), e2e_s in duration(), tpot_s in duration(),
        icl_s in proptest::collection::vec(0.0..1.0, 0..4),
        output_tokens in proptest::option::of(0_u64..1 << 50),
        warmup: bool, failed: bool, message in ".*", second in 0_i64..4_000_000_000,
    ) -> RequestRecord {
        RequestRecord {
            started_at: jiff::Timestamp::from_second(second).ok(),
            ttft_s, e2e_s, tpot_s, icl_s, output_tokens, warmup,
            status: if failed { Status::Timeout } else { Status::Ok },
            error: failed.then(|| RequestError { kind: "timeout".to_owned(), code: Some(-1), message: Some(message.clone()) }),
            attributes: [("note".to_owned(), AttributeValue::Text(message))].into(),
            ..RequestRecord::default()
        }
    }
}

prop_compose! {
    fn session()(
        records in proptest::collection::vec(record(), 0..12),
        name in proptest::option::of(".*"),
        message in ".*",
    ) -> Session {
        let header = SessionHeader { name, provider: Some("ollama".to_owned()), ..SessionHeader::default() };
        let events = vec![RunEvent { at: jiff::Timestamp::UNIX_EPOCH, message }];
        Session { header, records, events, ..Session::default() }
    }
}

proptest! {
    #[test]
    fn both_forms_read_back_equal(session in session()) {
        prop_assert_eq!(&Session::read("a", &session.to_json().unwrap()).unwrap().session, &session);
        prop_assert_eq!(&Session::read("a", &session.to_json_lines().unwrap()).unwrap().session, &session);
    }

    #[test]
    fn a_cut_anywhere_in_the_last_line_costs_that_line_only(session in session(), cut in 1_usize..400) {
        let text = session.to_json_lines().unwrap();
        let last = text[..text.len() - 1].rfind('\n').map_or(0, |at| at + 1);
        let mut end = (last + cut).min(text.len() - 2);
        while !text.is_char_boundary(end) { end -= 1; }
        prop_assume!(last > 0 && end > last);
        let read = Session::read("a", &text[..end]).unwrap();
        prop_assert_eq!(read.session.records, session.records);
        prop_assert_eq!(read.warnings.len(), 1);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}") {
        let _ = Session::read("a", &text);
        let _ = llmscope_core::ingest::read("a", text.as_bytes(), None);
    }

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), start in 0_usize..5) {
        let starts = ["", "{\"schema\":\"llmscope.session/1\",", "[{\"error_code\":null,\"end_to_end_latency_s\":", "a,b\n1,", "{\"a\":1}\n{"];
        let bytes = [starts[start].as_bytes(), &bytes].concat();
        let _ = llmscope_core::ingest::read("a", &bytes, None);
    }
}

#[test]
fn appending_resuming_and_a_torn_tail() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let header = SessionHeader { provider: Some("ollama".to_owned()), ..SessionHeader::default() };
    let first = RequestRecord { ttft_s: Some(0.25), ..RequestRecord::default() };
    let mut writer = SessionWriter::create(&path, &header).unwrap();
    writer.append(&first).unwrap();
    assert!(matches!(SessionWriter::resume(&path), Err(Error::Io { .. })), "two writers at once");
    assert!(matches!(SessionWriter::create(&path, &header), Err(Error::Io { .. })), "never overwritten");
    drop(writer);

    let mut torn = fs::read(&path).unwrap();
    torn.extend_from_slice(b"{\"kind\":\"request\",\"ttft_s\":0.");
    fs::write(&path, torn).unwrap();
    let (mut writer, warnings) = SessionWriter::resume(&path).unwrap();
    assert_eq!(warnings[0].location.line, Some(3));
    writer.append(&first).unwrap();
    writer.sync().unwrap();
    let read = Session::read("run.jsonl", &fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(
        (read.session.header, read.session.records, read.warnings),
        (header, vec![first.clone(), first], vec![])
    );
}

#[test]
fn only_a_session_in_json_lines_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bare.jsonl");
    drop(SessionWriter::create(&path, &SessionHeader::default()).unwrap());
    assert!(SessionWriter::resume(&path).is_ok(), "a header with only its version");
    for text in ["", "{\"kind\":\"sess", "{\"a\":1}\n", "{\"kind\":\"request\"}\n"] {
        fs::write(&path, text).unwrap();
        assert!(matches!(SessionWriter::resume(&path), Err(Error::Format { .. })), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text, "nothing is removed from a file that is not a session");
    }
    Session::default().write_json(&path).unwrap();
    assert!(matches!(SessionWriter::resume(&path), Err(Error::Format { .. })), "a document");
}

#[test]
fn a_damaged_line_is_named_and_nothing_behind_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let mut writer = SessionWriter::create(&path, &SessionHeader::default()).unwrap();
    let record = |ttft_s| RequestRecord { ttft_s: Some(ttft_s), ..RequestRecord::default() };
    (1..=3_u8).for_each(|i| writer.append(&record(f64::from(i))).unwrap());
    drop(writer);
    let whole = fs::read(&path).unwrap();

    let mut read = Vec::new();
    let resumed = SessionWriter::resume_with(&path, |record| read.extend(record.ttft_s)).unwrap();
    assert_eq!((read, resumed.1), (vec![1.0, 2.0, 3.0], vec![]));
    drop(resumed.0);

    let quote = whole.windows(7).position(|text| text == b"ttft_s\"").unwrap() + 6;
    for damage in [b'\xff', b'}'] {
        let mut damaged = whole.clone();
        damaged[quote] = damage;
        fs::write(&path, &damaged).unwrap();
        let Err(Error::Format { location, .. }) = SessionWriter::resume(&path) else { panic!("{damage}") };
        assert_eq!(location.line, Some(2));
        assert_eq!(fs::read(&path).unwrap(), damaged);
    }
    let newer = String::from_utf8(whole).unwrap().replace("llmscope.session/1", "llmscope.session/99");
    fs::write(&path, newer).unwrap();
    let error = SessionWriter::resume(&path).unwrap_err().to_string();
    assert!(error.contains("llmscope.session/99"), "{error}");
}

#[test]
fn a_whole_file_is_replaced_at_once_and_readable_by_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    fs::write(&path, "old").unwrap();
    let session = Session { records: vec![RequestRecord::default()], ..Session::default() };
    session.write_json(&path).unwrap();
    assert_eq!(Session::read("run.json", &fs::read_to_string(&path).unwrap()).unwrap().session, session);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[test]
fn errors_name_file_line_field_and_the_fix() {
    let cases = [
        (r#"{"schema":"llmscope.session/9","records":[]}"#, "run.json: schema"),
        ("{\"schema\":\"llmscope.session/1\",\n\"records\":[{\"ttft_s\":\"fast\"}]}", "run.json:2"),
        (r#"{"schema":"llmscope.session/1","records":[{"ttft_s":-1}]}"#, "run.json: records[0].ttft_s"),
        (r#"{"schema":"llmscope.session/1","records":[{"ttft_s":0.1"#, "truncated"),
        (
            "{\"kind\":\"session\",\"schema\":\"llmscope.session/1\"}\n{\"kind\":\"request\",\"ttft_s\":[]}\n",
            "run.json:2",
        ),
        ("{\"kind\":\"request\"}\n", "run.json:1: schema"),
    ];
    for (text, expected) in cases {
        let message = Session::read("run.json", text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} does not contain {expected}");
    }
}

#[test]
fn the_committed_schema_is_the_one_the_types_give() {
    let committed: serde_json::Value = serde_json::from_str(include_str!("../../docs/session.schema.json")).unwrap();
    assert_eq!(committed, Session::json_schema(), "run `make schemas`");
    let committed: serde_json::Value = serde_json::from_str(include_str!("../../docs/report.schema.json")).unwrap();
    assert_eq!(committed, llmscope_core::Report::json_schema(), "run `make schemas`");
}

#[test]
fn simulated_runs_and_client_bottlenecks_cause_warnings() {
    let text = r#"{"schema":"llmscope.session/1","simulated":true,"records":[{"ttft_s":0.2},{"ttft_s":0.3}],
        "client_health":{"bottleneck":true,"reasons":["timers fired late"],"connections_opened":1,"connections_reused":0}}"#;
    let log = llmscope_core::ingest::read("run.json", text.as_bytes(), None).unwrap();
    let series = llmscope_core::analysis::Selection::default().series([&log]).unwrap();
    let warnings = llmscope_core::analyze(&series[0], &llmscope_core::Plan::default()).unwrap().warnings;
    assert_eq!(warnings[0], "run.json is SIMULATED: it does not describe a real endpoint");
    assert_eq!(warnings[1], "run.json: the load generator was the bottleneck: timers fired late");
}
