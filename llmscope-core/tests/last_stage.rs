//! The limits by default: those of the last stage, without its outliers, on the scale that suits the quantity.
//!
//! Reference values: NumPy 2.4.6 and SciPy 1.17.1 on the same values, with the formulas of the documentation.

mod noise;

use llmscope_core::analysis::{Origin, Series, SeriesVerdict, Stages};
use llmscope_core::{Analysis, ChartKind, Plan, PowerTransform, SpecificationLimits, Transform, analyze};

use noise::{noise, slower};

fn by_default(series: &Series) -> Analysis {
    analyze(series, &Plan { origin: Origin::LastStage, ..Plan::default() }).expect("finite values")
}

fn named(name: &str, values: &[f64]) -> Analysis {
    by_default(&Series::of_numbers(name, values.to_vec()))
}

#[track_caller]
fn assert_close(value: f64, expected: f64) {
    assert!((value / expected - 1.0).abs() < 1e-9, "{value}, not {expected}");
}

#[test]
fn the_limits_are_those_of_the_last_stage_without_its_outliers() {
    let analysis = named("ttft_s", &slower());
    assert_eq!(analysis.verdict, SeriesVerdict::Changed);
    let basis = analysis.basis.expect("limits of the last stage");
    assert_eq!((basis.first, basis.last, basis.n, basis.outliers), (100, 199, 98, 2));
    assert_eq!(analysis.transform, Some(PowerTransform::LOG));
    let limits = analysis.limits.as_ref().expect("a chart");
    assert_close(limits.lower.constant().unwrap(), 0.325_207_497_801_380_9);
    assert_close(limits.center.constant().unwrap(), 0.450_834_759_651_438_5);
    assert_close(limits.upper.constant().unwrap(), 0.624_991_680_339_749_1);
    assert_close(analysis.sigma.unwrap().within.unwrap(), 0.108_879_150_802_287_51);
    assert_eq!(analysis.basis_words().unwrap(), "points 100 to 199, the last stage, without 2 outliers");
}

#[test]
fn the_rules_judge_the_points_of_the_stage() {
    let analysis = named("ttft_s", &slower());
    assert!(analysis.patterns.violations.iter().all(|violation| violation.first >= 100), "{:?}", analysis.patterns);
    let beyond: Vec<usize> = analysis
        .patterns
        .violations
        .iter()
        .filter(|violation| violation.rule.as_str() == "nelson-1")
        .flat_map(|violation| violation.signals())
        .collect();
    assert_eq!(beyond, [130, 170], "outliers do not affect the limits, and signal");
    let drawing = analysis.drawing.as_ref().unwrap();
    assert!((0..100).all(|point| drawing.judgement.signals.at(point).is_empty()));
    assert!(!drawing.judgement.signals.at(130).is_empty() && drawing.judgement.signals.len() == 200);
    let dispersion = analysis.dispersion.unwrap();
    assert!(dispersion.violations.iter().all(|violation| violation.first > 100), "{:?}", dispersion.violations);
}

#[test]
fn capability_is_that_of_the_stage_and_performance_that_of_all_values() {
    let specification = Some(SpecificationLimits::new(None, Some(1.0), None).unwrap());
    let plan = Plan { origin: Origin::LastStage, specification, ..Plan::default() };
    let analysis = analyze(&Series::of_numbers("ttft_s", slower()), &plan).unwrap();
    assert_close(analysis.capability.unwrap().cpk, 2.438_956_057_633_213_4);
    assert_close(analysis.performance.unwrap().ppk, 1.195_277_214_041_758_2);
    let text = analysis.to_string();
    assert!(text.contains("98 measurements of the last stage"), "{text}");
    assert!(text.contains("(all 200 measurements)"), "{text}");
}

#[test]
fn a_baseline_freezes_the_stage_and_its_scale() {
    let baseline = named("ttft_s", &slower()).baseline().expect("a chart");
    assert_eq!((baseline.n, baseline.standards.transform), (98, Some(PowerTransform::LOG)));
    assert_close(baseline.standards.center, 0.450_834_759_651_438_5_f64.ln());
}

#[test]
fn only_durations_have_logarithms_and_only_if_the_data_allow_it() {
    let values = slower();
    assert_eq!(named("ttft_ms", &values).transform, Some(PowerTransform::LOG));
    assert_eq!(named("queue_depth", &values).transform, None);
    let mut with_zero = values.clone();
    with_zero[3] = 0.0;
    let analysis = named("ttft_s", &with_zero);
    assert_eq!((analysis.transform, analysis.excluded.not_positive), (None, 0));
    // A long lower tail: on the scale of logarithms, Akaike's criterion of all values is larger by 93.3 (SciPy).
    let skewed: Vec<f64> = noise(200).iter().map(|z| 10.0 - (0.7 * z).exp()).collect();
    assert!(skewed.iter().all(|&x| x > 0.0));
    assert_eq!(named("ttft_s", &skewed).transform, None);
}

#[test]
fn autocorrelation_is_that_of_ranks_within_the_stages() {
    let values = slower();
    let lag1 = named("ttft_s", &values).autocorrelation.unwrap().lag1;
    assert!((lag1 - -0.006_818_863_704_552_27).abs() < 1e-12, "{lag1}");
    let classical = analyze(&Series::of_numbers("ttft_s", values), &Plan::default()).unwrap();
    assert!(classical.autocorrelation.unwrap().lag1 > 0.2, "the change counts in the classical number");
}

#[test]
fn a_request_for_something_else_gives_the_limits_of_all_points() {
    let series = Series::of_numbers("ttft_s", slower());
    let requests: [fn(Plan) -> Plan; 5] = [
        |plan| Plan { chart: Some(ChartKind::Individuals), ..plan },
        |plan| Plan { transform: Transform::Log, ..plan },
        |plan| Plan { estimator: Some(llmscope_core::SigmaEstimator::MedianMovingRange), ..plan },
        |plan| Plan { stages: Stages::At(vec![100]), ..plan },
        |plan| Plan { chart: Some(ChartKind::Ewma), ..plan },
    ];
    for request in requests {
        let classical = analyze(&series, &request(Plan::default())).unwrap();
        let asked = analyze(&series, &request(Plan { origin: Origin::LastStage, ..Plan::default() })).unwrap();
        assert_eq!(asked, classical);
        assert!(asked.basis.is_none());
    }
    assert!(analyze(&series, &Plan::default()).unwrap().basis.is_none(), "the core's default is classical");
}

#[test]
fn a_stable_series_without_outliers_has_the_classical_limits_of_its_scale() {
    let values: Vec<f64> = noise(80).iter().map(|z| 0.3 * (0.1 * z).exp()).collect();
    let series = Series::of_numbers("ttft_s", values);
    let (default, log) = (by_default(&series), Plan { transform: Transform::Log, ..Plan::default() });
    let log = analyze(&series, &log).unwrap();
    assert_eq!(default.basis.map(|basis| (basis.n, basis.outliers)), Some((80, 0)));
    assert_eq!((&default.limits, &default.patterns.violations), (&log.limits, &log.patterns.violations));
    assert!(log.patterns.false_alarm.is_none());
    let false_alarm = default.patterns.false_alarm.expect("rules that may signal");
    assert_eq!((false_alarm.points, false_alarm.series), (80, 100));
}

#[test]
fn few_constant_and_empty_series_have_a_verdict() {
    assert!(named("ttft_s", &[]).basis.is_none());
    assert_eq!(named("ttft_s", &[0.3; 9]).need, Some(10));
    let constant = named("ttft_s", &[0.3; 40]);
    assert_eq!(constant.basis.map(|basis| basis.n), Some(40));
    assert!(constant.patterns.violations.is_empty());
    // A clock that ticks: most values are equal, and none of the others is an outlier.
    let ticks: Vec<f64> = (0..60).map(|index| if index % 7 == 0 { 0.31 } else { 0.30 }).collect();
    assert_eq!(named("ttft_s", &ticks).basis.map(|basis| basis.outliers), Some(0));
}

#[test]
fn a_step_after_phase_one_does_not_count_as_dependence() {
    let z = noise(100);
    let steady: Vec<f64> = z.iter().map(|z| 1.0 + 0.02 * z).collect();
    let doubled = [steady.clone(), steady.iter().map(|x| 2.0 * x).collect()].concat();
    let lag1 = |values: Vec<f64>, origin| {
        let series = Series::of_numbers("x", values);
        analyze(&series, &Plan { origin, ..Plan::default() }).unwrap().autocorrelation.unwrap().lag1
    };
    let alone = lag1(steady, Origin::Data);
    assert_close(lag1(doubled.clone(), Origin::FirstPoints(0..100)), alone);
    assert!(alone.abs() < 0.2 && lag1(doubled, Origin::Data) > 0.9, "{alone}");
}
