//! The lazy group-by: it gives the same results as the core for the log itself and reads only the needed columns.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::analysis::{Grouping, Measure, Selection};
use llmscope_core::chart::ChartKind;
use llmscope_core::ingest;
use llmscope_core::{Metric, Missing, Plan, Session, analyze};
use llmscope_polars::polars::prelude::{DataFrame, IntoLazy as _, df};
use llmscope_polars::{ByGroup, FileKind, scan, session_to_frame, write_parquet};

fn frame() -> DataFrame {
    let latency: Vec<f64> =
        (0..90).map(|i| 0.3 + f64::from(i * 7 % 13) * 0.01 + f64::from(u8::from(i == 80))).collect();
    let model: Vec<&str> = (0..90).map(|i| ["small", "large", "huge"][i % 3]).collect();
    let batch: Vec<i64> = (0..90).map(|i| i / 15).collect();
    let note = vec!["a long text that no query needs"; 90];
    df!("note" => note, "model" => model, "batch" => batch, "latency" => latency).unwrap()
}

#[test]
fn the_results_equal_those_of_the_core() {
    let table = llmscope_polars::table_of("t.csv", &frame()).unwrap();
    let log = ingest::read("t.csv", table.to_csv("t.csv").unwrap().as_bytes(), None).unwrap();
    let selection = Selection {
        measures: vec![Measure::Column("latency".to_owned())],
        by: Some(vec!["model".to_owned()]),
        ..Selection::default()
    };
    let expected: Vec<_> =
        selection.series([&log]).unwrap().iter().map(|series| analyze(series, &Plan::default()).unwrap()).collect();
    let found = ByGroup::of("latency").by(["model"]).analyze(frame().lazy(), &Plan::default()).unwrap();
    assert_eq!(found.len(), 3);
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(
            (&found.group, &found.metric, &found.verdict),
            (&expected.group, &expected.metric, &expected.verdict)
        );
        assert_eq!((&found.limits, &found.patterns.violations), (&expected.limits, &expected.patterns.violations));
    }
    assert_eq!(found[0].group["model"], "small");
}

#[test]
fn a_file_is_read_only_where_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log [1].parquet");
    write_parquet(&path, &frame()).unwrap();
    let by = ByGroup::of("latency").by(["model"]);
    let plan = by.plan(scan(&path, FileKind::Parquet).unwrap()).unwrap().describe_optimized_plan().unwrap();
    assert!(plan.contains("PROJECT 2/4 COLUMNS"), "{plan}");
    let from_file = by.series(scan(&path, FileKind::Parquet).unwrap()).unwrap();
    assert_eq!(from_file, by.series(frame().lazy()).unwrap());
    assert_eq!(from_file[1].observations.position(4), 13, "the place in the file");
}

#[test]
fn order_companions_gaps_and_no_groups() {
    let backwards = df!("t" => [3, 2, 1], "x" => [Some(0.3), None, Some(0.1)], "n" => ["c", "b", "a"]).unwrap();
    let series = ByGroup::of("x").ordered_by("t").with_companion("n").series(backwards.lazy()).unwrap();
    assert_eq!((series.len(), series[0].group.len()), (1, 0));
    let values = &series[0].values;
    assert!(values[0] == 0.1 && values[1].is_nan() && values[2] == 0.3, "{values:?}");
    let labels: Vec<_> = (0..3).map(|place| series[0].observations.companion(place).label().unwrap()).collect();
    assert_eq!(labels, ["a", "b", "c"]);
    assert!(series[0].sample(None).is_err(), "a gap is an error by default");
    assert_eq!(series[0].sample(Some(Missing::Drop)).unwrap().0.values(), [0.1, 0.3]);

    let plan = Plan {
        chart: Some(ChartKind::XbarS),
        subgroups: Some(Grouping::Column("batch".to_owned())),
        ..Plan::default()
    };
    let subgroups = ByGroup::of("latency").with_companion("batch").analyze(frame().lazy(), &plan).unwrap();
    assert_eq!(subgroups[0].n, 90);
    let own = ByGroup::of("latency").by(["latency"]).series(df!("latency" => [1.0, 1.0, 2.0]).unwrap().lazy()).unwrap();
    assert_eq!(own.iter().map(|series| series.values.len()).collect::<Vec<_>>(), [2, 1]);
    assert!(ByGroup::of("none").series(frame().lazy()).is_err());
    assert!(ByGroup::of("note").series(frame().lazy()).unwrap_err().to_string().contains("not numbers"));
    let empty = frame().head(Some(0));
    assert_eq!(ByGroup::of("latency").by(["model"]).series(empty.lazy()).unwrap(), []);
}

#[test]
fn a_session_frame_gives_the_sessions_result() {
    let text = include_str!("../../examples/sessions/paused.json");
    let session = Session::read("paused.json", text).unwrap().session;
    let log = ingest::read("paused.json", text.as_bytes(), None).unwrap();
    let selection =
        Selection { measures: vec![Measure::Metric(Metric::E2e)], by: Some(vec![]), ..Selection::default() };
    let expected = analyze(&selection.series([&log]).unwrap()[0], &Plan::default()).unwrap();
    let by = ByGroup::of("e2e_s").ordered_by("started_at");
    let found = by.analyze(session_to_frame(&session).unwrap().lazy(), &Plan::default()).unwrap().remove(0);
    assert_eq!((found.n, &found.excluded, &found.verdict), (expected.n, &expected.excluded, &expected.verdict));
    assert_eq!((&found.limits, &found.patterns.violations), (&expected.limits, &expected.patterns.violations));
}
