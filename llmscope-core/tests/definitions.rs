//! Times per token of two definitions are never mixed: in an analysis, between the sides of a gate, on frozen limits.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::sync::Arc;

use llmscope_core::analysis::{Baseline, Measure, Origin, Selection, SeriesVerdict, runs_of};
use llmscope_core::gate::{GatePlan, gate};
use llmscope_core::ingest::{self, Content, Log};
use llmscope_core::session::AttributeValue;
use llmscope_core::{Analysis, Error, Metric, Phase, Plan, Session, TpotDefinition, analyze};

/// A session of the repository, which has definition 1: its 32 tokens include the end, which has no text.
fn recorded() -> Log {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions/undisturbed.json");
    ingest::read("undisturbed.json", &std::fs::read(path).unwrap(), None).unwrap()
}

fn session_of(log: &mut Log) -> &mut Session {
    let Content::Session(session) = &mut log.content else { panic!("a session") };
    Arc::make_mut(session)
}

/// The same session as the current version measures it: a tenth longer, and a day later.
fn measured_again() -> Log {
    let mut log = Log { source: "again.json".to_owned(), ..recorded() };
    let session = session_of(&mut log);
    session.header.name = Some("again".to_owned());
    for record in &mut session.records {
        record.tpot_s = record.tpot_s.map(|tpot_s| tpot_s * 1.1);
        record.started_at = record.started_at.map(|at| at + jiff::SignedDuration::from_hours(24));
        let number = f64::from(TpotDefinition::CURRENT.number());
        record.attributes.insert(TpotDefinition::ATTRIBUTE.to_owned(), AttributeValue::Number(number));
    }
    log
}

fn of_tpot() -> Selection {
    Selection { measures: vec![Measure::Metric(Metric::Tpot)], ..Selection::default() }
}

fn judged(logs: &[&Log], plan: &Plan) -> Vec<Analysis> {
    let series = of_tpot().series(logs.iter().copied()).unwrap();
    series.iter().map(|series| analyze(series, plan).unwrap()).collect()
}

#[test]
fn a_series_is_split_by_its_definitions() {
    let (old, new) = (recorded(), measured_again());
    let [first, second] = &judged(&[&old, &new], &Plan::default())[..] else { panic!("two series") };
    assert_eq!(first.group.get("tpot_definition").map(String::as_str), Some("1"));
    assert_eq!(second.group.get("tpot_definition").map(String::as_str), Some("2"));
    let warning = "tpot_s has several definitions: 300 values of definition 1, 300 values of definition 2; each is judged \
                   on its own";
    for (analysis, log) in [(first, &old), (second, &new)] {
        // Judged as if it were alone.
        assert_eq!((analysis.n, &analysis.answer), (300, &judged(&[log], &Plan::default())[0].answer));
        assert!(analysis.warnings.iter().any(|text| text == warning), "{:?}", analysis.warnings);
    }
    // The other metrics have one definition, and the same values were one series.
    let all = Selection::default().series([&old, &new]).unwrap();
    let shapes: Vec<_> = all.iter().map(|series| (series.measure.name(), series.values.len())).collect();
    assert_eq!(shapes, [("ttft_s", 600), ("e2e_s", 600), ("tpot_s", 300), ("tpot_s", 300)]);
    let mut mixed = Log { source: "mixed.json".to_owned(), ..new };
    session_of(&mut mixed).records.iter_mut().for_each(|record| drop(record.attributes.remove("tpot_definition")));
    let [whole] = &judged(&[&old, &mixed], &Plan::default())[..] else { panic!("one series") };
    assert_eq!((whole.n, whole.verdict), (600, SeriesVerdict::Changed));
}

#[test]
fn requests_without_a_time_per_token_stay_with_those_before_them() {
    let mut log = measured_again();
    let session = session_of(&mut log);
    session.records.retain(|record| !record.warmup);
    for (place, record) in session.records.iter_mut().enumerate() {
        if place < 100 {
            record.attributes.clear();
        }
        if place == 0 || place == 99 || place == 150 {
            record.tpot_s = None;
        }
    }
    let sizes: Vec<_> = judged(&[&log], &Plan::default()).iter().map(|one| (one.n, one.excluded.missing)).collect();
    assert_eq!(sizes, [(98, 2), (199, 1)]);
}

#[test]
fn a_gate_compares_the_other_metrics_only() {
    let (old, new) = (recorded(), measured_again());
    let selected = |log: &Log| Selection::default().series([log]).unwrap();
    let plan = GatePlan { run_sd: Some(0.0), ..GatePlan::default() };
    let answer = gate(&selected(&old), &selected(&new), &plan).unwrap();
    let metrics: Vec<_> = answer.pairs.iter().map(|pair| pair.metric.as_str()).collect();
    assert_eq!(metrics, ["ttft_s", "e2e_s", "error_rate"]);
    let warning = "not compared: tpot_s of model random-llama-4l, provider llama.cpp has definition 1 in the baseline and \
                   definition 2 in the candidate; measure both with the same version, or compare other metrics";
    assert_eq!(answer.warnings, [warning]);
    // Both of the same definition are compared.
    let same = gate(&selected(&new), &selected(&new), &plan).unwrap();
    assert!(same.pairs.iter().any(|pair| pair.metric == "tpot_s"));
}

#[test]
fn a_gate_of_the_time_per_token_alone_is_refused() {
    let selected = |log: &Log| of_tpot().series([log]).unwrap();
    let refused = gate(&selected(&measured_again()), &selected(&recorded()), &GatePlan::default()).unwrap_err();
    let Error::Definitions { baseline, candidate, .. } = &refused else { panic!("{refused}") };
    assert_eq!((baseline.number(), candidate.number()), (2, 1));
}

#[test]
fn frozen_limits_of_another_definition_are_learned_again() {
    let (old, new) = (recorded(), measured_again());
    let frozen = |log| Baseline::to_json(&[judged(&[log], &Plan::default())[0].baseline().unwrap()]).unwrap();
    let plan =
        |text: &str| Plan { origin: Origin::Baseline(Baseline::read("limits.json", text).unwrap()), ..Plan::default() };
    // A file of definition 1 is one that previous versions wrote.
    let (of_old, of_new) = (frozen(&old), frozen(&new));
    assert!(!of_old.contains("tpot_definition"), "{of_old}");
    assert_eq!(judged(&[&old], &plan(&of_old))[0].phase, Phase::II);
    assert_eq!(judged(&[&new], &plan(&of_new))[0].phase, Phase::II);
    let again = &judged(&[&new], &plan(&of_old))[0];
    let warning = "the frozen limits have definition 1 of tpot_s, these measurements definition 2: limits are learned again \
                   from these measurements; save them as the baseline";
    assert_eq!((again.phase, again.warnings[0].as_str()), (Phase::I, warning));
    // The limits of a group of two definitions apply to the part that has theirs.
    let [first, second] = &judged(&[&old, &new], &plan(&of_old))[..] else { panic!("two series") };
    assert_eq!((first.phase, second.phase), (Phase::II, Phase::I));
}

#[test]
fn a_study_has_runs_of_one_definition() {
    let (old, new) = (recorded(), measured_again());
    let by = Some(["provider", "model", "session"].map(str::to_owned).to_vec());
    let series = Selection { by, ..of_tpot() }.series([&old, &new]).unwrap();
    let sets = runs_of(series);
    let labels: Vec<_> = sets.iter().map(|set| set[0].labels()["tpot_definition"].clone()).collect();
    assert_eq!(labels, ["1", "2"]);
    assert!(sets.iter().all(|set| set.len() == 1));
}
