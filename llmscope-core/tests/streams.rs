//! Reading a log block by block gives the same series as reading it as a whole.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::io::Cursor;

use llmscope_core::analysis::{Selection, Series, SeriesBuilder};
use llmscope_core::ingest::{self, Mapping, OpenedLog};
use llmscope_core::session::Status;
use llmscope_core::{Error, Measure, Metric, RequestRecord, Session};
use proptest::prelude::*;

/// Enough rows for the log to be read in blocks.
const ROWS: usize = 4000;
const COLUMNS: [&str; 6] = ["model", "latency", "run", "started_at", "note", "deep.value"];

fn streamed(text: &str, selection: &Selection) -> Result<Vec<Series>, Error> {
    let mut gathering = SeriesBuilder::new(selection.clone());
    match ingest::open("log", Cursor::new(text.as_bytes().to_vec()), None)? {
        OpenedLog::Stream(stream) => gathering.add_stream(*stream)?,
        OpenedLog::Log(log) => panic!("{} was read as a whole", log.tool.name()),
    }
    gathering.finish()
}

fn whole(text: &str, selection: &Selection) -> Result<Vec<Series>, Error> {
    selection.series([&ingest::read("log", text.as_bytes(), None)?])
}

/// True if both are bitwise equal.
fn alike(one: &Result<Vec<Series>, Error>, other: &Result<Vec<Series>, Error>) -> bool {
    let (Ok(one), Ok(other)) = (one, other) else { return one.as_ref().err() == other.as_ref().err() };
    let bits = |series: &Series| series.values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    let pair = |(a, b): (&Series, &Series)| {
        bits(a) == bits(b) && Series { values: Vec::new(), ..a.clone() } == Series { values: Vec::new(), ..b.clone() }
    };
    one.len() == other.len() && one.iter().zip(other).all(pair)
}

fn latency() -> Selection {
    Selection { measures: vec![Measure::Column("latency".to_owned())], ..Selection::default() }
}

prop_compose! {
    fn row()(
        model in prop_oneof!["small", "large", "7", "7.0", "a\"b", "two\nlines", "ä,;"].prop_map(Some).boxed(),
        none in 0_u8..10,
        latency in prop_oneof![(0.0..9.0).prop_map(Some).boxed(), Just(None).boxed()],
        second in 0_i64..1_000_000,
        deep in 0.0..1.0,
    ) -> (Option<String>, Option<f64>, i64, f64) {
        (model.filter(|_| none > 0), latency, second, deep)
    }
}

type Row = (Option<String>, Option<f64>, i64, f64);

fn json_lines(rows: &[Row]) -> String {
    let mut text = String::new();
    for (index, (model, latency, second, deep)) in (0..ROWS).zip(rows.iter().cycle()) {
        let at = jiff::Timestamp::from_second(*second).unwrap();
        let object = serde_json::json!({
            "note": format!("padding that is longer than anything {index}"), "model": model, "latency": latency,
            "started_at": at.to_string(), "deep": {"value": deep, "other": [1, 2]}, "tags": ["x"], "ok": true,
        });
        writeln!(text, "{object}").unwrap();
        if index % 7 == 0 {
            text.push('\n');
        }
    }
    text
}

fn delimited(rows: &[Row]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for (index, (model, latency, second, deep)) in (0..ROWS).zip(rows.iter().cycle()) {
        let at = jiff::Timestamp::from_second(*second).unwrap().to_string();
        let latency = latency.map_or("NA".to_owned(), |latency| latency.to_string());
        let note = format!("padding that is longer than \"anything\" {index}");
        let model = model.clone().unwrap_or_default();
        writer.write_record([&model, &latency, "", &at, &note, &deep.to_string()]).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn tables_in_blocks_give_the_series_of_tables_as_a_whole(rows in proptest::collection::vec(row(), 1..40)) {
        for text in [json_lines(&rows), delimited(&rows)] {
            let by_note = Selection { by: Some(vec!["session".to_owned(), "latency".to_owned()]), ..latency() };
            let beside = Selection { companion: Some("deep.value".to_owned()), ..latency() };
            let nested = Selection { measures: vec![Measure::Column("deep.value".to_owned())], ..Selection::default() };
            for selection in [latency(), by_note, beside, nested] {
                prop_assert!(alike(&streamed(&text, &selection), &whole(&text, &selection)));
            }
        }
    }
}

#[test]
fn several_blocks_are_put_together_in_order() {
    let rows: Vec<Row> = (0..50).map(|i| (Some(format!("m{}", i % 3)), Some(f64::from(i)), 1, 0.5)).collect();
    let text = json_lines(&rows).repeat(9);
    assert!(text.len() > 4 << 20, "{}", text.len());
    let series = streamed(&text, &latency());
    assert!(alike(&series, &whole(&text, &latency())));
    let series = series.unwrap();
    assert_eq!(series.len(), 3);
    assert_eq!(series.iter().map(|series| series.values.len()).sum::<usize>(), 9 * ROWS);
}

#[test]
fn sessions_in_blocks_give_the_series_of_sessions_as_a_whole() {
    let record = |i: u32| RequestRecord {
        started_at: jiff::Timestamp::from_millisecond(i64::from((i * 7919) % 5000)).ok(),
        model: i.is_multiple_of(3).then(|| "other".to_owned()),
        warmup: i < 10,
        status: if i.is_multiple_of(11) { Status::Timeout } else { Status::Ok },
        ttft_s: (!i.is_multiple_of(5)).then_some(f64::from(i)),
        e2e_s: Some(f64::from(i) + 0.5),
        ..RequestRecord::default()
    };
    let mut session = Session { records: (0..6000).map(record).collect(), ..Session::default() };
    session.header.model = Some("usual".to_owned());
    session.header.simulated = true;
    let text = session.to_json_lines().unwrap();
    for measures in [vec![], vec![Measure::Metric(Metric::ErrorRate)]] {
        let selection = Selection { measures, ..Selection::default() };
        let series = streamed(&text, &selection);
        assert!(alike(&series, &whole(&text, &selection)));
        let series = series.unwrap();
        assert!(series.len() >= 2 && series[0].warnings[0].contains("SIMULATED"));
    }
}

#[test]
fn a_fault_far_behind_is_named_with_its_line() {
    let rows: Vec<Row> = vec![(Some("m".to_owned()), Some(1.0), 1, 0.5)];
    let text = json_lines(&rows);
    let broken = format!("{text}{{\"latency\": 1,,}}\n{text}");
    let line = text.matches('\n').count() + 1;
    let error = streamed(&broken, &latency()).unwrap_err().to_string();
    assert!(error.starts_with(&format!("log:{line}: ")), "{error}");

    let text_in_numbers = format!("{text}{{\"latency\": \"fast\"}}\n");
    let error = streamed(&text_in_numbers, &latency()).unwrap_err().to_string();
    assert_eq!(error, whole(&text_in_numbers, &latency()).unwrap_err().to_string());
    assert!(error.contains(&format!("log:{line}: latency: \"fast\" is not a number")), "{error}");

    let csv = delimited(&rows);
    let lines = csv.matches('\n').count();
    let error = streamed(&format!("{csv}1,2\n"), &latency()).unwrap_err().to_string();
    assert!(error.contains(&format!("log:{}: found 2 fields, expected 6 as in the header", lines + 1)), "{error}");
}

#[test]
fn a_torn_last_line_is_skipped_and_told() {
    let rows: Vec<Row> = vec![(Some("m".to_owned()), Some(1.0), 1, 0.5)];
    let text = json_lines(&rows) + "{\"latency\": 0.";
    let mut gathering = SeriesBuilder::new(latency());
    let OpenedLog::Stream(stream) = ingest::open("log", Cursor::new(text.into_bytes()), None).unwrap() else {
        panic!()
    };
    gathering.add_stream(*stream).unwrap();
    let warnings = &gathering.sources()[0].warnings;
    assert!(warnings.len() == 1 && warnings[0].message.contains("incomplete"), "{warnings:?}");
}

#[test]
fn a_column_that_is_not_there_is_answered_with_those_that_are() {
    let rows: Vec<Row> = vec![(Some("m".to_owned()), Some(1.0), 1, 0.5)];
    let absent = Selection { measures: vec![Measure::Column("absent".to_owned())], ..Selection::default() };
    for text in [json_lines(&rows), delimited(&rows)] {
        let error = streamed(&text, &absent).unwrap_err();
        assert!(error.to_string().contains("latency"), "{error}");
        let mappings = vec!["ttft_s=absent:ms".parse().unwrap()];
        let error = streamed(&text, &Selection { mappings, ..Selection::default() }).unwrap_err();
        assert!(error.to_string().contains("latency"), "{error}");
    }
}

#[test]
fn columns_go_by_the_names_they_are_mapped_to() {
    let rows: Vec<Row> = vec![(Some("m".to_owned()), Some(310.0), 1, 0.5), (Some("m".to_owned()), Some(290.0), 2, 0.5)];
    let mappings = ["ttft_s=latency:ms", "provider=model"].map(|text| text.parse::<Mapping>().unwrap()).to_vec();
    let selection = Selection { mappings, ..Selection::default() };
    for text in [json_lines(&rows), delimited(&rows)] {
        let series = streamed(&text, &selection);
        assert!(alike(&series, &whole(&text, &selection)));
        let series = series.unwrap();
        assert_eq!((series[0].measure.name(), series[0].group["provider"].as_str()), ("ttft_s", "m"));
        assert!(series[0].values.iter().all(|&value| value == 0.31 || value == 0.29));
    }
}

#[cfg(feature = "compression")]
#[test]
fn packed_logs_are_read_as_they_are() {
    use std::io::Write as _;

    let rows: Vec<Row> = vec![(Some("m".to_owned()), Some(1.0), 1, 0.5)];
    let text = json_lines(&rows);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    for packed in [gzip.finish().unwrap(), zstd::encode_all(text.as_bytes(), 1).unwrap()] {
        let same = ingest::read("log", &packed, None).unwrap() == ingest::read("log", text.as_bytes(), None).unwrap();
        assert!(same);
        let OpenedLog::Stream(stream) = ingest::open("log", Cursor::new(packed.clone()), None).unwrap() else {
            panic!()
        };
        let mut gathering = SeriesBuilder::new(latency());
        gathering.add_stream(*stream).unwrap();
        assert!(alike(&gathering.finish(), &whole(&text, &latency())));
        let cut = ingest::open("log", Cursor::new(packed[..packed.len() / 2].to_vec()), None);
        let failed = match cut {
            Err(_) => true,
            Ok(OpenedLog::Stream(stream)) => SeriesBuilder::new(latency()).add_stream(*stream).is_err(),
            Ok(OpenedLog::Log(_)) => false,
        };
        assert!(failed, "a truncated compressed file must be an error");
    }
}

#[test]
fn one_object_over_several_lines_is_a_table_of_one_row() {
    let log = ingest::read("log", b"{\n \"latency\": 0.3,\n \"deep\": {\"value\": 2}\n}\n", None).unwrap();
    let ingest::Content::Table(table) = log.content else { panic!() };
    assert_eq!(table.numeric_columns().collect::<Vec<_>>(), ["latency", "deep.value"]);
    let of = |text: &str| Selection::default().series([&ingest::read("log", text.as_bytes(), None).unwrap()]);
    let error = of("{\"a\": 1, \"b\": 2}\n").unwrap_err();
    assert_eq!(error.to_string(), "missing column to judge: expected a, b");
    assert_eq!(of("{\"a\": 1}\n").unwrap()[0].measure.name(), "a", "the only number is judged");
}

#[test]
fn lines_are_counted_whatever_ends_them() {
    for end in ["\n", "\r\n", "\n\n", "\r\n\r\n"] {
        let mut text = format!("latency{end}0.1{end}");
        let line = text.matches('\n').count() + 1;
        for (wrong, problem) in [("fast", "\"fast\" is not a number"), ("1,2", "2 fields")] {
            let error = whole(&format!("{text}{wrong}{end}"), &latency()).unwrap_err().to_string();
            assert!(error.contains(&format!("log:{line}: ")) && error.contains(problem), "{error}");
        }
        text = text.replace("0.1", &format!("0.1{end}").repeat(100_000));
        let line = text.matches('\n').count() + 1;
        for wrong in ["fast", "1,2"] {
            let error = streamed(&format!("{text}{wrong}{end}"), &latency()).unwrap_err().to_string();
            assert!(error.contains(&format!("log:{line}: ")), "{error} instead of {line}");
        }
    }
}
