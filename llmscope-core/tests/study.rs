//! Studies of several runs, each in its own table.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::analysis::{Measure, Selection, Series, Study, runs_of, study};
use llmscope_core::chart::individuals;
use llmscope_core::ingest::{self, Log};
use llmscope_core::{Metric, Plan, Report, Sample, SigmaEstimator, SpecificationLimits, Verdict};
use serde_json::Value;

#[allow(dead_code, reason = "other tests use the rest")]
mod golden;

use golden::{numbers, parsed};

/// Published random-effects examples.
const RANDOM_EFFECTS: &str = include_str!("reference/random_effects.json");

fn run(name: &str, values: &[f64]) -> Log {
    let text = values.iter().fold("x\n".to_owned(), |text, value| format!("{text}{value}\n"));
    ingest::read(&format!("{name}.csv"), text.as_bytes(), None).unwrap()
}

fn selection() -> Selection {
    Selection {
        measures: vec![Measure::Column("x".to_owned())],
        by: Some(vec!["session".to_owned()]),
        ..Selection::default()
    }
}

fn runs(logs: &[Log]) -> Vec<Series> {
    sets(&selection(), logs).remove(0)
}

fn sets(selection: &Selection, logs: &[Log]) -> Vec<Vec<Series>> {
    selection.of_runs().map(|selection| runs_of(selection.series(logs).unwrap())).unwrap_or_default()
}

fn studied(logs: &[Log], plan: &Plan) -> Study {
    study(&runs(logs), plan).unwrap().unwrap()
}

/// Reproducible noise between −0.5 and 0.5 (Knuth's generator).
fn noise(seed: u64, count: usize) -> Vec<f64> {
    let step = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((*state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5)
    };
    std::iter::repeat_n((), count).scan(seed.wrapping_mul(977), |state, ()| step(state)).collect()
}

#[test]
fn components_and_indices_of_a_textbook_example() {
    let reference = parsed(RANDOM_EFFECTS);
    let ticks = &reference["cases"][1];
    let logs: Vec<Log> = ticks["data"]
        .as_array()
        .unwrap()
        .iter()
        .zip(1..)
        .map(|(host, i)| run(&format!("host-{i}"), &numbers(host)))
        .collect();
    let limits = SpecificationLimits::new(Some(320.0), Some(400.0), Some(360.0)).unwrap();
    let study = studied(&logs, &Plan { specification: Some(limits), ..Plan::default() });
    let (within, between): (f64, f64) = (3_778.002_564_102_564_f64 / 33.0, 54.178_078_321_678_35);
    let total = (within + between).sqrt();
    let close = |actual: f64, expected: f64| assert!((actual / expected - 1.0).abs() < 1e-12, "{actual} {expected}");
    close(study.within.sigma, within.sqrt());
    close(study.between.sigma, between.sqrt());
    close(study.total.sigma, total);
    assert_eq!(format!("{:.1}", 100.0 * study.between_share.unwrap()), "32.1");
    // The indices by their definitions.
    let (capability, performance) = (study.capability.unwrap(), study.performance.unwrap());
    close(capability.cp.unwrap(), 80.0 / (6.0 * within.sqrt()));
    close(capability.cpk, (400.0 - study.mean).min(study.mean - 320.0) / (3.0 * within.sqrt()));
    close(performance.pp.unwrap(), 80.0 / (6.0 * total));
    close(performance.ppk, (400.0 - study.mean).min(study.mean - 320.0) / (3.0 * total));
    close(performance.cpm.unwrap(), 80.0 / (6.0 * (total * total + (study.mean - 360.0).powi(2)).sqrt()));
    let (interval, sigma) = (performance.pp_interval.unwrap(), study.total.interval.unwrap());
    close(interval.lower, 80.0 / (6.0 * sigma.upper));
    close(interval.upper, 80.0 / (6.0 * sigma.lower));
    assert_eq!((capability.cpk_interval, performance.ppk_interval), (None, None));
    assert_eq!((study.verdict, study.need), (Verdict::NotEnoughData, Some(5)));
    assert!(study.limits.is_none() && study.warnings[0].contains("4 runs are too few"));
}

#[test]
fn a_run_that_is_out_is_named() {
    let logs: Vec<Log> = (0..12_u64)
        .map(|i| {
            let level = if i == 7 { 13.0 } else { 10.0 + 0.3 * (i % 3) as f64 };
            run(&format!("night-{i}"), &noise(i + 1, 400).iter().map(|x| level + x).collect::<Vec<_>>())
        })
        .collect();
    let study = studied(&logs, &Plan::default());
    assert_eq!((study.verdict, study.runs_out()), (Verdict::OutOfControl, vec!["night-7"]));
    // An X̄ chart would signal at runs that differ no more than usual.
    assert!(study.runs_beyond_within().len() >= 8, "{:?}", study.runs_beyond_within());
    let means = Sample::new(study.runs.iter().map(|run| run.mean).collect::<Vec<_>>()).unwrap();
    let chart = individuals::estimate(&means, SigmaEstimator::AverageMovingRange).unwrap();
    assert_eq!(study.limits, Some(chart.limits));
    assert!(study.to_string().contains("night-7: n 400") && study.to_string().contains("OUT"));
    assert!(Report::new(None, &Plan::default(), Vec::new()).with_studies(vec![study]).has_signals());
}

#[test]
fn runs_of_one_process_show_no_variance_between_them() {
    let logs: Vec<Log> = (1..=8).map(|i| run(&format!("run-{i}"), &noise(i, 200))).collect();
    let study = studied(&logs, &Plan::default());
    assert_eq!(study.verdict, Verdict::InControl);
    assert!(study.between_share.unwrap() < 0.02 && study.anova.p.unwrap() > 0.01, "{study}");
    assert!(!study.to_string().contains("correlated"), "{study}");
    // Runs with the same mean differ less than by chance: the estimate is negative, and 0 is reported.
    let equal: Vec<Log> = (0..5).map(|i| run(&format!("run-{i}"), &[1.0, 2.0, 3.0, 4.0])).collect();
    let equal = studied(&equal, &Plan::default());
    assert_eq!((equal.between.variance, equal.between_share), (0.0, Some(0.0)));
    assert_eq!(equal.total.variance, equal.within.variance);
    assert!(equal.negative_between.unwrap() < 0.0 && equal.to_string().contains("negative and set to 0"));
    assert_eq!(equal.verdict, Verdict::InControl);
}

#[test]
fn dependence_and_unequal_dispersion_are_reported() {
    let drifting = |i: u64| {
        let mut level = 0.0;
        let step = |x: &f64| {
            level = 0.8 * level + x;
            level
        };
        run(&format!("run-{i}"), &noise(i, 300).iter().map(step).collect::<Vec<_>>())
    };
    let study = studied(&(1..=6).map(drifting).collect::<Vec<_>>(), &Plan::default());
    assert!((study.lag1.unwrap() - 0.8).abs() < 0.06, "{:?}", study.lag1);
    assert!(study.warnings.iter().any(|warning| warning.contains("autocorrelated (lag 1: 0.")), "{study}");
    let wide = [run("calm", &noise(1, 100)), run("wild", &noise(2, 100).iter().map(|x| 5.0 * x).collect::<Vec<_>>())];
    let study = studied(&wide, &Plan::default());
    assert!(study.warnings.iter().any(|warning| warning.contains("differ in dispersion")), "{study}");
}

#[test]
fn each_provider_and_model_is_studied_by_itself() {
    let session = |name: &str, model: &str, shift: f64| {
        let records: Vec<Value> = noise(shift.to_bits(), 20)
            .iter()
            .map(|x| serde_json::json!({"model": model, "ttft_s": shift + 0.01 * x}))
            .collect();
        let text = serde_json::json!({"schema": "llmscope.session/1", "name": name, "records": records}).to_string();
        ingest::read(&format!("{name}.json"), text.as_bytes(), None).unwrap()
    };
    let logs = [session("a", "small", 0.3), session("b", "large", 0.8), session("c", "small", 0.31)];
    let by = |names: &[&str]| Selection {
        measures: vec![Measure::Metric(Metric::Ttft)],
        by: Some(names.iter().map(|&name| name.to_owned()).collect()),
        ..Selection::default()
    };
    let runs = sets(&by(&["session"]), &logs);
    let studies: Vec<_> = runs.iter().filter_map(|runs| study(runs, &Plan::default()).unwrap()).collect();
    assert_eq!(studies.len(), 1, "one run of the large model makes no study");
    assert_eq!((studies[0].group_title().as_str(), studies[0].runs.len()), ("small", 2));
    assert!(sets(&by(&["model"]), &logs).is_empty(), "without a session column there are no runs");
    let failures = Selection { measures: vec![Measure::Metric(Metric::ErrorRate)], ..by(&["session"]) };
    for runs in sets(&failures, &logs) {
        assert_eq!(study(&runs, &Plan::default()).unwrap(), None);
    }
}

#[test]
fn a_study_needs_runs_with_data() {
    assert_eq!(study(&runs(&[run("only", &[1.0, 2.0])]), &Plan::default()).unwrap(), None);
    assert_eq!(study(&runs(&[run("a", &[1.0]), run("b", &[2.0])]), &Plan::default()).unwrap(), None);
    assert_eq!(study(&[], &Plan::default()).unwrap(), None);
    let constant = studied(&[run("a", &[1.0, 1.0]), run("b", &[1.0, 1.0])], &Plan::default());
    let text = serde_json::to_string(&constant).unwrap();
    assert!(!text.contains("null") && !text.contains("NaN"), "{text}");
    assert_eq!((constant.between_share, constant.lag1, constant.anova.f), (None, None, None));
}

#[test]
fn a_table_may_name_the_session_of_each_row() {
    let rows = noise(3, 60)
        .iter()
        .enumerate()
        .fold("session,x\n".to_owned(), |text, (i, x)| format!("{text}s{},{x}\n", i / 20));
    let log = ingest::read("all.csv", rows.as_bytes(), None).unwrap();
    let study = studied(&[log], &Plan::default());
    assert_eq!(
        study.runs.iter().map(|run| (run.name.as_str(), run.n)).collect::<Vec<_>>(),
        [("s0", 20), ("s1", 20), ("s2", 20)]
    );
}

#[test]
fn a_study_reads_back() {
    let logs: Vec<Log> = (1..=6).map(|i| run(&format!("run-{i}"), &noise(i, 30))).collect();
    let limits = SpecificationLimits::new(None, Some(1.0), None).unwrap();
    let study = studied(&logs, &Plan { specification: Some(limits), ..Plan::default() });
    assert!(study.capability.is_some_and(|capability| capability.cp.is_none()));
    let read: Study = serde_json::from_str(&serde_json::to_string(&study).unwrap()).unwrap();
    assert_eq!(read, study);
}
