//! The flat form of sessions: lossless, with plain columns for every reader, and with errors that name the problem.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arbitrary;

use llmscope_core::ingest::{self, Content, Table, Tool};
use llmscope_core::session::columns::{Field, FieldKind, is_flat_session};
use llmscope_core::session::{AttributeValue, RequestError, Status};
use llmscope_core::{Error, RequestRecord, Session};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_form_of_any_session_reads_back_equal(session in arbitrary::session()) {
        for text in [session.to_json().unwrap(), session.to_json_lines().unwrap(), session.to_csv().unwrap()] {
            let log = ingest::read("a", text.as_bytes(), None).unwrap();
            prop_assert_eq!(log.tool, Tool::LLMSCOPE);
            let Content::Session(read) = log.content else { panic!("no session") };
            prop_assert_eq!(&*read, &session, "{}", text);
        }
    }

    #[test]
    fn no_cell_is_a_formula(session in arbitrary::session()) {
        let text = session.to_csv().unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
        for row in reader.records() {
            for cell in &row.unwrap() {
                let suspect = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
                let harmless = cell.parse::<f64>().is_ok() || cell.parse::<jiff::Timestamp>().is_ok();
                prop_assert!(!suspect || harmless, "{cell}");
            }
        }
    }

    #[test]
    fn a_table_reads_back_equal_from_json_lines(
        names in proptest::collection::btree_set("[a-z]{1,3}", 1..4),
        rows in proptest::collection::vec(proptest::collection::vec(proptest::option::of(-1e9..1e9), 4), 1..6),
        text in arbitrary::text(),
    ) {
        let mut csv = names.iter().map(String::as_str).chain(["note"]).collect::<Vec<_>>().join(",");
        for row in &rows {
            let cells = row.iter().take(names.len()).map(|cell| cell.map_or(String::new(), |x: f64| x.to_string()));
            csv.push_str(&format!("\n{},\"{}\"", cells.collect::<Vec<_>>().join(","), text.replace('"', "\"\"")));
        }
        prop_assume!(!text.parse::<f64>().is_ok_and(f64::is_infinite));
        let table = table("a.csv", &csv);
        let lines = self::table("a.jsonl", &table.to_json_lines("a.csv").unwrap());
        prop_assert_eq!(&lines.columns, &table.columns);
        let again = self::table("a.csv", &table.to_csv("a.csv").unwrap());
        prop_assert_eq!(&again.columns, &table.columns);
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}", cells in proptest::collection::vec(arbitrary::text(), 21)) {
        let _ = Session::from_csv("a", &text);
        let mut header: Vec<_> = Field::ALL.iter().map(|field| field.name()).collect();
        header.extend(["attributes.a", "session"]);
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&header).unwrap();
        writer.write_record(&cells).unwrap();
        let _ = Session::from_csv("a", &String::from_utf8(writer.into_inner().unwrap()).unwrap());
    }
}

fn table(source: &str, text: &str) -> Table {
    // The format is not detected here, because any text may begin a cell, including the start of a session.
    let tool = if source.ends_with(".jsonl") { Tool::JSON_LINES } else { Tool::CSV };
    let Content::Table(table) = ingest::read(source, text.as_bytes(), Some(tool)).unwrap().content else {
        panic!("no table");
    };
    table
}

fn example() -> Session {
    let text = include_str!("../../examples/sessions/paused.json");
    Session::read("paused.json", text).unwrap().session
}

#[test]
fn a_reader_that_does_not_know_the_form_sees_columns() {
    let session = example();
    let text = session.to_csv().unwrap();
    let log = ingest::read("paused.csv", text.as_bytes(), Some(Tool::CSV)).unwrap();
    let Content::Table(table) = log.content else { panic!("expected a table") };
    assert_eq!(table.rows(), session.records.len());
    let label = |name: &str, row: usize| table.column(name).unwrap().cells[row].label();
    for (row, record) in session.records.iter().enumerate() {
        assert_eq!(label("ttft_s", row), record.ttft_s.map(|ttft| ttft.to_string()));
        assert_eq!(label("started_at", row), record.started_at.map(|time| time.to_string()));
        assert_eq!(label("model", row).as_deref(), session.model_of(record), "also where only the header names it");
        assert_eq!(label("session", row).is_some(), row == 0, "in the first row only");
    }
    assert_eq!(table.columns.last().unwrap().name, "session");
}

#[test]
fn an_outcome_that_is_not_known_is_an_empty_cell() {
    let log = ingest::read("a.csv", b"e2e_s,model\n0.3,m\n0.4,m\n", None).unwrap();
    let Content::Table(plain) = log.content else { panic!("expected a table") };
    let mut session = plain.to_session("a.csv").unwrap();
    session.records[1].status = Status::Timeout;
    let statuses = |session: &Session| -> Vec<Option<String>> {
        let columns = table("a.csv", &session.to_csv().unwrap()).columns;
        let status = columns.iter().find(|column| column.name == "status").unwrap();
        status.cells.iter().map(ingest::Cell::label).collect()
    };
    assert_eq!(statuses(&session), [None, Some("timeout".to_owned())]);
    assert_eq!(Session::from_csv("a.csv", &session.to_csv().unwrap()).unwrap().session, session);
    session.header.outcomes_unknown = false;
    assert_eq!(statuses(&session), [Some("ok".to_owned()), Some("timeout".to_owned())]);
}

#[test]
fn what_programs_make_of_cells_is_understood() {
    let session = "\"{\"\"schema\"\":\"\"llmscope.session/1\"\"}\"";
    let text = format!(
        "session,ttft_s,warmup,output_tokens,started_at,attributes.turn,attributes.ok,attributes.id\n\
         {session},0.25,True,32.0,2026-11-23 11:32:13.512000+00:00,1.0,FALSE,\"\"\"007\"\"\"\n\
         ,,,,,,,\n,2.5E-1,0,,,,,\n"
    );
    assert!(is_flat_session(&text));
    let read = Session::from_csv("a.csv", &text).unwrap().session;
    assert_eq!(read.records.len(), 2, "an empty row does not count as a request");
    let first = &read.records[0];
    assert_eq!((first.ttft_s, first.warmup, first.output_tokens), (Some(0.25), true, Some(32)));
    assert_eq!(first.started_at.unwrap().to_string(), "2026-11-23T11:32:13.512Z");
    assert_eq!(first.attributes["turn"], AttributeValue::Number(1.0));
    assert_eq!(first.attributes["ok"], AttributeValue::Bool(false));
    assert_eq!(first.attributes["id"], AttributeValue::Text("007".to_owned()));
    assert_eq!((read.records[1].ttft_s, read.records[1].warmup), (Some(0.25), false));
}

#[test]
fn errors_name_line_column_and_the_fix() {
    let session = "\"{\"\"schema\"\":\"\"llmscope.session/1\"\"}\"";
    let row = |header: &str, cells: &str| format!("{header},session\n{cells},{session}\n");
    let cases = [
        (row("ttft_s", "fast"), "a.csv:2: ttft_s: invalid value \"fast\": expected a finite number; correct the cell"),
        (row("ttft_s", "-1"), "a.csv:2: ttft_s: -1 cannot be a duration"),
        (row("ttft_s", "inf"), "a.csv:2: ttft_s"),
        (row("icl_s", "\"[0.1,-2]\""), "a.csv:2: icl_s: -2 cannot be a duration"),
        (row("output_tokens", "1.5"), "a whole number of at least 0"),
        (row("output_tokens", "-3"), "a whole number of at least 0"),
        (row("status", "fine"), "ok, error, timeout or cancelled"),
        (row("started_at", "yesterday"), "a time with its offset"),
        (row("started_at", "2026-11-23T11:32:13"), "a time with its offset"),
        (row("warmup", "2"), "true or false"),
        (
            row("attributes.a", "\"\"\"open\""),
            "a.csv:2: attributes.a: invalid value \"\"open\": expected a JSON string",
        ),
        (
            row("speed", "1"),
            "a.csv:1: speed: no field of a request has this name; rename the column to attributes.speed",
        ),
        (format!("ttft_s,session\n0.1,{session}\n0.2,{session}\n"), "a.csv:3: session: a second session"),
        ("ttft_s,session\n0.1,\n".to_owned(), "a.csv:2: session: the first row does not describe the run"),
        ("ttft_s,session\n".to_owned(), "a.csv: session: the first row does not describe the run"),
        ("session\n\"{\"\"schema\"\":\"\"llmscope.session/7\"\"}\"\n".to_owned(), "a.csv:2: schema"),
        (format!("ttft_s,session\n0.1,{session},3\n"), "found 3 fields, expected 2 as in the header"),
    ];
    for (text, expected) in cases {
        let message = Session::from_csv("a.csv", &text).unwrap_err().to_string();
        assert!(message.contains(expected), "{message} does not contain {expected}");
    }
    let records = "session\n\"{\"\"schema\"\":\"\"llmscope.session/1\"\",\"\"records\"\":[{}]}\"\n";
    assert!(Session::from_csv("a.csv", records).unwrap_err().to_string().contains("give each request its own row"));
    let attributes = [("a".to_owned(), AttributeValue::Number(f64::NAN))].into();
    let records = vec![RequestRecord { attributes, ..RequestRecord::default() }];
    let message = Session { records, ..Session::default() }.to_csv().unwrap_err().to_string();
    assert!(message.contains("records[0].attributes.a"), "{message}");
}

#[test]
fn a_table_becomes_a_session_where_its_columns_have_our_names() {
    let text = "model,ttft_s,status,error_message,region,warm,output_tokens,icl_s\n\
                small,0.31,ok,,eu,true,12,\"[0.1,0.2]\"\nsmall,,timeout,late,7,false,,\n";
    let session = table("log.csv", text).to_session("log.csv").unwrap();
    let [first, second] = &session.records[..] else { panic!("two requests") };
    assert_eq!((first.ttft_s, first.output_tokens, first.model.as_deref()), (Some(0.31), Some(12), Some("small")));
    assert_eq!(first.icl_s, [0.1, 0.2]);
    assert_eq!(first.attributes["region"], AttributeValue::Text("eu".to_owned()));
    assert_eq!(first.attributes["warm"], AttributeValue::Bool(true));
    assert_eq!(second.status, Status::Timeout);
    let error = RequestError { kind: "late".to_owned(), code: None, message: Some("late".to_owned()) };
    assert_eq!(second.error, Some(error));
    assert_eq!(second.attributes["region"], AttributeValue::Number(7.0));

    // Records of a session without a header, one per line.
    let record = RequestRecord {
        status: Status::Error,
        e2e_s: Some(1.5),
        error: Some(RequestError { kind: "limit".to_owned(), code: Some(429), message: None }),
        attributes: [("turn".to_owned(), AttributeValue::Number(3.0))].into(),
        ..RequestRecord::default()
    };
    let line = serde_json::to_string(&record).unwrap();
    assert_eq!(table("log.jsonl", &line).to_session("log.jsonl").unwrap().records, [record]);
}

#[test]
fn a_table_of_unknown_meaning_is_no_session() {
    // Any numbers can be judged, whatever their columns are called.
    let numbers = table("log.csv", "a,b\n1,2\n").to_session("log.csv").unwrap();
    assert_eq!(numbers.records[0].attributes["b"], AttributeValue::Number(2.0));
    let unknown = table("log.csv", "a,b\nx,y\n").to_session("log.csv").unwrap_err().to_string();
    assert!(unknown.contains("(a, b)") && unknown.contains("give a table with a column of numbers"), "{unknown}");
    for (text, expected) in [
        ("ttft_s,x\nfast,1\n", "log.csv:2: ttft_s"),
        ("ttft_s\n-1\n", "log.csv:2: ttft_s"),
        ("ttft_s,x\n1,inf\n", "log.csv:2: x"),
    ] {
        let message = table("log.csv", text).to_session("log.csv").unwrap_err().to_string();
        assert!(message.contains(expected), "{message} does not contain {expected}");
    }
    let infinite = table("log.csv", "a\ninf\n");
    assert!(matches!(infinite.to_json_lines("log.csv"), Err(Error::Format { .. })));
    assert_eq!(infinite.to_csv("log.csv").unwrap(), "a\ninf\n");
}

#[test]
fn fields_have_one_name_each_and_keep_their_kind() {
    for field in Field::ALL {
        assert_eq!(Field::from_name(field.name()), Some(field));
    }
    let numbers = Field::ALL.iter().filter(|field| field.kind() == FieldKind::Number).count();
    assert_eq!(numbers, 7);
}

/// Names of a column of outcomes, with a value of success and one of failure.
const OUTCOMES: [(&str, &str, &str); 7] = [
    ("status", "ok", "error"),
    ("status", "200", "503"),
    ("success", "True", "False"),
    ("ok", "1", "0"),
    ("error", "", "ReadTimeout('')"),
    ("responseCode", "204", "Non HTTP response code: java.net.SocketTimeoutException"),
    ("error_type", "", "RateLimitError"),
];
const TIMES: [(&str, &str); 4] = [
    ("started_at", "%Y-%m-%dT%H:%M:%SZ"),
    ("timestamp", "%Y-%m-%d %H:%M:%S"),
    ("time", "%d/%b/%Y:%H:%M:%S +0000"),
    ("ts", "%s"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_table_is_judged_as_its_conversions_are(
        rows in proptest::collection::vec((0.001..9.0_f64, 0_i64..100_000, any::<bool>(), any::<bool>()), 1..40),
        outcome in prop::sample::select(OUTCOMES.to_vec()),
        time in prop::sample::select(TIMES.to_vec()),
        measure in prop::sample::select(vec!["e2e_s", "latency_ms"]),
    ) {
        let mut text = format!("{},{measure},{},model\n", time.0, outcome.0);
        for (value, second, failed, large) in &rows {
            let at = jiff::Timestamp::from_second(1_767_607_200 + second).unwrap().strftime(time.1).to_string();
            let (_, ok, bad) = outcome;
            text += &format!("{at},{value},{},{}\n", if *failed { bad } else { ok }, if *large { "l" } else { "s" });
        }
        let source = "log.csv";
        let table = table(source, &text);
        let measures = vec![match measure.parse() {
            Ok(metric) => llmscope_core::Measure::Metric(metric),
            Err(_) => llmscope_core::Measure::Column(measure.to_owned()),
        }];
        let judged = |text: &str| {
            let log = ingest::read(source, text.as_bytes(), None).unwrap();
            llmscope_core::analysis::Selection { measures: measures.clone(), ..Default::default() }.series([&log]).unwrap()
        };
        let expected = judged(&text);
        let session = table.to_session(source).unwrap();
        let conversions = [
            session.to_json().unwrap(),
            session.to_csv().unwrap(),
            table.to_csv(source).unwrap(),
            table.to_json_lines(source).unwrap(),
        ];
        for conversion in conversions {
            let found = judged(&conversion);
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
                prop_assert_eq!(bits(&found.values), bits(&expected.values), "{}", conversion);
                for index in 0..expected.values.len() {
                    let (found, expected) = (&found.observations, &expected.observations);
                    prop_assert_eq!(found.failed(index), expected.failed(index));
                    prop_assert_eq!(found.failure(index), expected.failure(index));
                    prop_assert_eq!(found.at(index), expected.at(index));
                }
            }
        }
    }
}
