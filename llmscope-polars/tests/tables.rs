//! Frames of any types as tables, and columns as samples.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::Missing;
use llmscope_core::ingest::{Cell, Table};
use llmscope_polars::polars::prelude::{
    Categories, Column, DataFrame, DataType, IntoColumn as _, NamedFrom as _, Series, StructChunked, TimeUnit,
    TimeZone, df,
};
use llmscope_polars::{Error, FileKind, gather, read_bytes, sample, table_of, table_to_frame, to_bytes};

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

/// 2026-11-23T11:32:13.512Z.
const MOMENT_MS: i64 = 1_795_433_533_512;

fn every_type() -> DataFrame {
    let moments = Series::new("".into(), [Some(MOMENT_MS), None]);
    let cast =
        |name: &str, series: &Series, kind: &DataType| series.cast(kind).unwrap().with_name(name.into()).into_column();
    let utc = DataType::Datetime(TimeUnit::Milliseconds, Some(TimeZone::UTC));
    let days = Series::new("".into(), [Some(20_780_i32), None]);
    let texts = Series::new("".into(), [Some("small"), None]);
    let parts = [Series::new("ttft".into(), [Some(0.5), None]), Series::new("model".into(), [Some("small"), None])];
    let nested = StructChunked::from_series("timings".into(), 2, parts.iter()).unwrap();
    let mut frame = df!(
        "i8" => [Some(-1_i8), None], "u16" => [Some(7_u16), None], "u64" => [Some(9_u64), None],
        "f32" => [Some(0.5_f32), None], "f64" => [Some(f64::INFINITY), Some(f64::NAN)],
        "flag" => [Some(true), None], "text" => [Some("a,b"), None], "bytes" => [Some(&b"raw"[..]), None],
        "list" => [Series::new("".into(), [0.1, 0.2]), Series::new("".into(), [0.3])],
        "words" => [Series::new("".into(), ["a\"", "b"]), Series::new("".into(), ["7"])],
    )
    .unwrap();
    let more = [
        cast("utc", &moments, &utc),
        cast("naive", &moments, &DataType::Datetime(TimeUnit::Milliseconds, None)),
        cast("duration", &moments, &DataType::Duration(TimeUnit::Milliseconds)),
        cast("date", &days, &DataType::Date),
        cast("category", &texts, &DataType::from_categories(Categories::global())),
        cast("decimal", &Series::new("".into(), [Some(1.25), None]), &DataType::Decimal(10, 2)),
        Column::new("nothing".into(), [None::<f64>, None]).cast(&DataType::Null).unwrap(),
        nested.into_column(),
    ];
    frame.hstack_mut(&more).unwrap();
    frame
}

#[test]
fn every_type_has_its_cells() {
    let expected = [
        ("i8", Cell::Number(-1.0), Cell::Missing),
        ("u16", Cell::Number(7.0), Cell::Missing),
        ("u64", Cell::Number(9.0), Cell::Missing),
        ("f32", Cell::Number(0.5), Cell::Missing),
        ("f64", Cell::Number(f64::INFINITY), Cell::Missing),
        ("flag", text("true"), Cell::Missing),
        ("text", text("a,b"), Cell::Missing),
        ("bytes", text("raw"), Cell::Missing),
        ("list", text("[0.1,0.2]"), text("[0.3]")),
        ("words", text("[\"a\\\"\",\"b\"]"), text("[\"7\"]")),
        ("utc", text("2026-11-23T11:32:13.512Z"), Cell::Missing),
        ("naive", text("2026-11-23T11:32:13.512"), Cell::Missing),
        ("duration", Cell::Number(1_795_433_533.512), Cell::Missing),
        ("date", text("2026-11-23"), Cell::Missing),
        ("category", text("small"), Cell::Missing),
        ("decimal", Cell::Number(1.25), Cell::Missing),
        ("nothing", Cell::Missing, Cell::Missing),
        ("timings.ttft", Cell::Number(0.5), Cell::Missing),
        ("timings.model", text("small"), Cell::Missing),
    ];
    let frame = every_type();
    let files = [FileKind::Parquet, FileKind::Ipc].map(|kind| read_bytes("a", &to_bytes(&frame, kind).unwrap(), kind));
    for frame in files.into_iter().map(Result::unwrap).chain([frame]) {
        let table = table_of("a", &frame).unwrap();
        assert_eq!(table.lines, [1, 2]);
        let found: Vec<_> = table.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(found, expected.clone().map(|(name, ..)| name));
        for (name, first, second) in expected.clone() {
            assert_eq!(table.column(name).unwrap().cells, [first, second], "{name}");
        }
    }
}

#[test]
fn a_table_comes_back_from_a_frame() {
    let columns = df!("n" => [Some(1.5), None], "text" => [Some("7"), Some("eu")]).unwrap();
    let table = table_of("a", &columns).unwrap();
    assert_eq!(table_of("a", &table_to_frame(&table).unwrap()).unwrap(), table);
    let mut mixed = table.clone();
    mixed.columns[0].cells[1] = text("x");
    assert_eq!(table_to_frame(&mixed).unwrap().column("n").unwrap().dtype(), &DataType::String);
    let twice =
        Table { columns: vec![table.columns[0].clone(), table.columns[0].clone()], lines: vec![1, 2], of_runs: false };
    assert!(matches!(table_to_frame(&twice), Err(Error::Polars(_))));
}

#[test]
fn unsupported_types_are_an_error() {
    let frame = df!("blob" => [&b"\xff\xfe"[..]]).unwrap();
    let message = table_of("a.parquet", &frame).unwrap_err().to_string();
    assert_eq!(message, "a.parquet: column blob holds bytes that are not UTF-8; drop it or cast it first");
    for bytes in [&b"PAR1"[..], b"PAR1 and then nothing PAR1", b"ARROW1\0\0", b"ARROW1\0\0\xff\xff\xff\xff\0\0\0\0"] {
        assert!(read_bytes("a", bytes, FileKind::of(bytes).unwrap()).is_err());
    }
}

#[test]
fn a_contiguous_column_is_borrowed() {
    let column = Column::from(Series::new("x".into(), [0.31, 0.29, 0.30]));
    let borrowed = sample(&column).unwrap();
    let place = column.f64().unwrap().cont_slice().unwrap().as_ptr();
    assert_eq!(borrowed.values().as_ptr(), place, "no copy");
    let integers = Column::from(Series::new("x".into(), [3_i32, 1]));
    assert_eq!(sample(&integers).unwrap().values(), [3.0, 1.0]);
    let gaps = Column::from(Series::new("x".into(), [Some(1.0), None, Some(2.0)]));
    assert!(matches!(sample(&gaps), Err(Error::Core(llmscope_core::Error::Missing { index: 1 }))));
    let (broken, kept) = gather(&gaps, Missing::Break).unwrap();
    assert_eq!((broken.values(), broken.breaks(), kept), (&[1.0, 2.0][..], &[1][..], vec![0, 2]));
    let texts = Column::from(Series::new("x".into(), ["1"]));
    assert!(sample(&texts).unwrap_err().to_string().contains("not numbers"));
    let nan = Column::from(Series::new("x".into(), [1.0, f64::NAN]));
    assert!(matches!(sample(&nan), Err(Error::Core(llmscope_core::Error::NonFinite { index: 1, .. }))));
}
