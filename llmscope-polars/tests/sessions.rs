//! Sessions through frames, Parquet and Arrow files: nothing is lost, and errors name the place of a fault.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../llmscope-core/tests/arbitrary/mod.rs"]
mod arbitrary;

use llmscope_core::Session;
use llmscope_core::session::{AttributeValue, RequestRecord};
use llmscope_polars::polars::prelude::{DataFrame, DataType, TimeUnit, TimeZone, df};
use llmscope_polars::{
    FileKind, frame_to_session, is_session, read_bytes, read_ipc, read_parquet, session_to_frame, to_bytes, write_ipc,
    write_parquet,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_form_of_any_session_reads_back_equal(session in arbitrary::session()) {
        let frame = session_to_frame(&session).unwrap();
        prop_assert!(is_session(&frame));
        prop_assert_eq!(&frame_to_session("frame", &frame).unwrap(), &session);
        for kind in [FileKind::Parquet, FileKind::Ipc] {
            let bytes = to_bytes(&frame, kind).unwrap();
            prop_assert_eq!(FileKind::of(&bytes), Some(kind));
            let read = read_bytes("a", &bytes, kind).unwrap();
            prop_assert_eq!(&frame_to_session("a", &read).unwrap(), &session);
        }
    }

    #[test]
    fn a_file_cut_short_is_an_error(at in any::<proptest::sample::Index>()) {
        let frame = session_to_frame(&example()).unwrap();
        for kind in [FileKind::Parquet, FileKind::Ipc] {
            let whole = to_bytes(&frame, kind).unwrap();
            prop_assert!(read_bytes("a", &whole[..at.index(whole.len())], kind).is_err());
        }
    }
}

#[test]
fn a_damaged_file_is_an_error_and_no_panic() {
    let whole = to_bytes(&session_to_frame(&example()).unwrap(), FileKind::Parquet).unwrap();
    // Always the same positions: with a corrupted length, polars may request more memory than is available, which
    // cannot be caught.
    let refused = (4..whole.len()).step_by(61).filter(|&at| {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        let read = read_bytes("a", &damaged, FileKind::Parquet);
        read.and_then(|frame| frame_to_session("a", &frame)).is_err()
    });
    assert!(refused.count() > 10);
}

fn example() -> Session {
    Session::read("paused.json", include_str!("../../examples/sessions/paused.json")).unwrap().session
}

#[test]
fn columns_have_standard_types() {
    let session = example();
    let folder = tempfile::tempdir().unwrap();
    let frame = session_to_frame(&session).unwrap();
    write_parquet(&folder.path().join("run.parquet"), &frame).unwrap();
    write_ipc(&folder.path().join("run.arrow"), &frame).unwrap();
    for read in
        [read_parquet(&folder.path().join("run.parquet")).unwrap(), read_ipc(&folder.path().join("run.arrow")).unwrap()]
    {
        let kind = |name: &str| read.column(name).unwrap().dtype().clone();
        assert_eq!(kind("started_at"), DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC)));
        assert_eq!(kind("ttft_s"), DataType::Float64);
        assert_eq!(kind("icl_s"), DataType::List(Box::new(DataType::Float64)));
        assert_eq!(kind("output_tokens"), DataType::UInt64);
        assert_eq!(kind("warmup"), DataType::Boolean);
        assert_eq!(kind("status"), DataType::String);
        assert_eq!(frame_to_session("run", &read).unwrap(), session);
    }
    assert!(read_parquet(&folder.path().join("none.parquet")).unwrap_err().to_string().contains("none.parquet"));
}

#[test]
fn attributes_of_one_type_have_it_and_mixed_ones_keep_theirs() {
    let record = |turn: f64, id: AttributeValue| RequestRecord {
        attributes: [("turn".to_owned(), AttributeValue::Number(turn)), ("id".to_owned(), id)].into(),
        ..RequestRecord::default()
    };
    let texts =
        [AttributeValue::Text("eu".to_owned()), AttributeValue::Text("7".to_owned()), AttributeValue::Bool(true)];
    let records = texts.into_iter().zip(1..).map(|(id, turn)| record(f64::from(turn), id)).collect();
    let session = Session { records, ..Session::default() };
    let frame = session_to_frame(&session).unwrap();
    assert_eq!(frame.column("attributes.turn").unwrap().dtype(), &DataType::Float64);
    let cells: Vec<_> = frame.column("attributes.id").unwrap().str().unwrap().iter().flatten().collect();
    assert_eq!(cells, ["eu", "\"7\"", "true"]);
    assert_eq!(frame_to_session("frame", &frame).unwrap(), session);
}

#[test]
fn errors_name_column_row_and_the_fix() {
    let envelope = r#"{"schema":"llmscope.session/1"}"#;
    let cases: [(DataFrame, &str); 6] = [
        (
            df!("ttft_s" => ["fast"], "session" => [envelope]).unwrap(),
            "f: ttft_s[0]: invalid value \"fast\": expected a finite number",
        ),
        (df!("ttft_s" => [0.1, -1.0], "session" => [Some(envelope), None]).unwrap(), "f: records[1].ttft_s: -1"),
        (df!("speed" => [1], "session" => [envelope]).unwrap(), "rename the column to attributes.speed"),
        (df!("ttft_s" => [0.1, 0.2], "session" => [envelope, envelope]).unwrap(), "f: session[1]: a second session"),
        (df!("ttft_s" => [0.1]).unwrap(), "f: session: the first row does not describe the run"),
        (df!("attributes.a" => [f64::INFINITY], "session" => [envelope]).unwrap(), "inf is not a finite number"),
    ];
    for (frame, expected) in cases {
        let message = frame_to_session("f", &frame).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} does not contain {expected}");
    }
}
