//! Limits on a transformed scale: those of published charts of the transformed values, converted back.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use llmscope_core::analysis::{Baseline, Origin, Series, Stages};
use llmscope_core::chart::{individuals, staged};
use llmscope_core::stats::{BoxCox, Sorted};
use llmscope_core::watch::{Step, Watch};
use llmscope_core::{
    Analysis, Bounds, Chart, ChartKind, Error, Missing, Plan, PowerTransform, RuleSet, Sample, SigmaEstimator,
    SpecificationLimits, Transform, Verdict, analyze,
};
use proptest::prelude::*;

#[allow(dead_code, reason = "other tests use the rest")]
mod golden;

use golden::{assert_close, number, numbers, parsed};

const FLOW_RATES: &str = include_str!("reference/nist_handbook_individuals_flowrate.json");
const ESTIMATOR: SigmaEstimator = SigmaEstimator::AverageMovingRange;

fn power(lambda: f64) -> PowerTransform {
    PowerTransform::new(lambda).unwrap()
}

fn close(what: &str, found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance * expected.abs().max(1e-300), "{what}: {found} is not {expected}");
}

fn column(values: &[f64]) -> Series {
    Series::of_numbers("latency", values.to_vec())
}

fn judged(values: &[f64], transform: Transform) -> Analysis {
    analyze(&column(values), &Plan { transform, points: true, ..Plan::default() }).unwrap()
}

/// Lognormal values, from sums of twelve uniform numbers of a linear congruential generator.
fn long_tailed(seed: u64, count: usize) -> Vec<f64> {
    let mut state = seed;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    (0..count).map(|_| 0.3 * (0.5 * ((0..12).map(|_| uniform()).sum::<f64>() - 6.0)).exp()).collect()
}

/// The flow rates of the NIST handbook, inversely transformed, so that the transformation restores them.
#[test]
fn the_published_limits_are_drawn_back() {
    let reference = parsed(FLOW_RATES);
    let exact = &reference["exact_d2"];
    let rates = numbers(&reference["data"]);
    assert_eq!(rates.len(), 10);
    // ln(eˣ) = x, and √(x²) = x.
    for power in [PowerTransform::LOG, power(0.5)] {
        let dressed = |x: f64| if power == PowerTransform::LOG { x.exp() } else { x * x };
        let sample = Sample::new(rates.iter().map(|&x| dressed(x)).collect::<Vec<_>>()).unwrap();
        let chart = individuals::estimate_on(&sample, ESTIMATOR, Some(power)).unwrap();
        let limits = &chart.limits;
        assert_close("center on the scale", chart.standards.center, &reference["printed"]["mean"], 1e-13);
        assert_close("sigma on the scale", limits.sigma.at(0), &exact["sigma"], 1e-12);
        for (line, name) in [(&limits.upper, "ucl"), (&limits.lower, "lcl")] {
            close(name, line.at(0), dressed(number(&exact[name])), 1e-12);
        }
        close("center", limits.center.at(0), dressed(number(&reference["printed"]["mean"])), 1e-12);
        close("zone A", limits.zone_edge(0, 3.0), limits.upper.at(0), 1e-12);
        close("zone A below", limits.zone_edge(0, -3.0), limits.lower.at(0), 1e-12);
        assert_eq!(chart.points, sample.values(), "points are what was measured");
        let ranges = chart.dispersion_chart().unwrap();
        assert_close("mean range", ranges.limits.center.at(0), &exact["mr_bar"], 1e-12);
        assert_close("upper of ranges", ranges.limits.upper.at(0), &exact["mr_ucl"], 1e-12);
        assert_eq!((ranges.limits.transform, ranges.kind), (None, ChartKind::MovingRange));
    }
}

#[test]
fn each_side_of_a_long_tail_has_its_own_distance() {
    let values = long_tailed(1, 2000);
    let raw = judged(&values, Transform::None);
    let log = judged(&values, Transform::Log);
    let share = |analysis: &Analysis| {
        let points = analysis.points.as_ref().unwrap();
        points.iter().filter(|point| point.rules.iter().any(|rule| rule.as_str() == "nelson-1")).count() as f64 / 2000.0
    };
    // Three-sigma limits have a nominal false-alarm rate of 0.27 %.
    assert!(share(&raw) > 0.01, "{}", share(&raw));
    assert!(share(&log) < 0.006, "{}", share(&log));
    let limits = log.limits.as_ref().unwrap();
    let (lower, center, upper) = (limits.lower.at(0), limits.center.at(0), limits.upper.at(0));
    close("the same factor on both sides", upper / center, center / lower, 1e-12);
    // Limits of a number without a meaning go below 0, and those of a latency stop there.
    let plan = Plan { transform: Transform::None, ..Plan::default() };
    let unbounded = analyze(&Series::of_numbers("value", values), &plan).unwrap();
    assert!(unbounded.limits.unwrap().lower.at(0) < 0.0 && lower > 0.0, "there is room below");
    assert_eq!(raw.limits.unwrap().lower.at(0), 0.0);
    assert!(log.normality.unwrap().p > 0.05 && raw.normality.unwrap().p < 0.005);
}

#[test]
fn what_is_said_of_the_values_is_said_in_their_unit() {
    let values = long_tailed(2, 400);
    let specification = Some(SpecificationLimits::new(None, Some(2.0), None).unwrap());
    let plan = |transform| Plan { transform, specification, ..Plan::default() };
    let raw = analyze(&column(&values), &plan(Transform::None)).unwrap();
    let log = analyze(&column(&values), &plan(Transform::Log)).unwrap();
    assert_eq!((raw.mean, raw.median, raw.quantiles), (log.mean, log.median, log.quantiles));
    assert_eq!((raw.observed_ppm, &raw.non_normal), (log.observed_ppm, &log.non_normal));
    // Capability of the logarithms against the logarithm of the limit.
    let logs: Vec<f64> = values.iter().map(|x| x.ln()).collect();
    let of_logs = Plan {
        specification: Some(SpecificationLimits::new(None, Some(2.0_f64.ln()), None).unwrap()),
        ..Plan::default()
    };
    let of_logs = analyze(&column(&logs), &of_logs).unwrap();
    assert_eq!((log.capability, log.performance), (of_logs.capability, of_logs.performance));
    assert_eq!((log.sigma, log.normality, log.expected_ppm), (of_logs.sigma, of_logs.normality, of_logs.expected_ppm));
    assert!(log.capability.is_some() && log.expected_ppm.is_some());
    assert_eq!((log.transform, raw.transform), (Some(PowerTransform::LOG), None));
    let words = log.to_string();
    assert!(words.contains("logarithm") && !raw.to_string().contains("logarithm"), "{words}");
}

/// No positive value is below a limit at 0.
#[test]
fn a_lower_limit_at_zero_says_nothing_after_a_transformation() {
    let values = long_tailed(3, 100);
    let specification = Some(SpecificationLimits::new(Some(0.0), Some(2.0), None).unwrap());
    let analysis =
        analyze(&column(&values), &Plan { transform: Transform::Log, specification, ..Plan::default() }).unwrap();
    let capability = analysis.capability.unwrap();
    assert_eq!((capability.cp, capability.cpl), (None, None));
    assert!(capability.cpu.is_some());
}

#[test]
fn the_scale_is_chosen_by_the_data() {
    let lognormal = long_tailed(4, 500);
    let normal: Vec<f64> = lognormal.iter().map(|x| 10.0 + x.ln()).collect();
    let wide: Vec<f64> = lognormal.iter().map(|x| 3.5 + x.ln()).collect();
    let squares: Vec<f64> = wide.iter().map(|x| x.powi(2)).collect();
    let lambda = |transform: Transform, values: &[f64]| transform.choose(values).map(PowerTransform::lambda);
    assert_eq!(lambda(Transform::None, &lognormal), None);
    assert_eq!(lambda(Transform::Log, &normal), Some(0.0));
    assert_eq!(lambda(Transform::BoxCox, &lognormal), Some(0.0));
    assert_eq!(lambda(Transform::BoxCox, &squares), Some(0.5));
    assert_eq!(lambda(Transform::BoxCox, &wide), None, "a power of 1 leaves them as they are");
    assert_eq!(lambda(Transform::Auto, &lognormal), Some(0.0));
    assert_eq!(lambda(Transform::Auto, &normal), None);
    let with_zero = [&lognormal[..], &[0.0]].concat();
    assert_eq!(lambda(Transform::Auto, &with_zero), None, "a value has no logarithm");
    assert_eq!(lambda(Transform::BoxCox, &with_zero), Some(0.0), "by those that have one");
    assert_eq!((lambda(Transform::Auto, &[]), lambda(Transform::BoxCox, &[])), (None, Some(0.0)));
    assert_eq!(lambda(Transform::BoxCox, &[2.0; 20]), Some(0.0), "nothing to estimate from");
    // Values with a floor and a queue would need a power below 0, whose upper limit is unreachably high.
    let floor: Vec<f64> = long_tailed(9, 300).iter().map(|x| 0.2 + 0.05 * x.powi(2)).collect();
    let found = BoxCox::of(&Sorted::of(&floor)).unwrap().lambda;
    assert!(found < -0.25, "{found}");
    assert_eq!(lambda(Transform::BoxCox, &floor), Some(0.0));
}

#[test]
fn a_power_is_the_logarithm_or_one_that_keeps_the_digits() {
    for lambda in [0.0, -0.0, 0.1, 0.5, 1.0, 2.0] {
        let json = serde_json::to_string(&power(lambda)).unwrap();
        assert_eq!(serde_json::from_str::<PowerTransform>(&json).unwrap(), power(lambda), "{json}");
        assert!(!json.contains('-'), "{json}");
    }
    for lambda in [1e-13, -0.5, 2.1, f64::NAN, f64::INFINITY] {
        assert!(matches!(PowerTransform::new(lambda), Err(Error::Parameter { .. })), "{lambda}");
    }
    assert!(serde_json::from_str::<PowerTransform>(r#"{"lambda": -1}"#).unwrap_err().to_string().contains("0.1 to 2"));
    assert_eq!((power(2.0).apply(1e60), power(2.0).apply(-1.0)), (None, None));
}

#[test]
fn what_cannot_be_transformed_is_named_by_its_place_or_a_gap() {
    let mut values = long_tailed(5, 30);
    values[7] = 0.0;
    for transform in [Transform::Log, Transform::BoxCox] {
        let error = analyze(&column(&values), &Plan { transform, ..Plan::default() }).unwrap_err();
        assert_eq!(error, Error::NotPositive { index: 7, value: 0.0 });
        assert!(error.to_string().contains("without a transformation"), "{error}");
    }
    assert_eq!(judged(&values, Transform::Auto).transform, None);
    // If gaps are not errors, the value becomes a gap.
    let missing = Some(Missing::Break);
    let gap = analyze(&column(&values), &Plan { transform: Transform::Log, missing, ..Plan::default() }).unwrap();
    let mut without = values.clone();
    without[7] = f64::NAN;
    let expected = analyze(&column(&without), &Plan { transform: Transform::Log, missing, ..Plan::default() }).unwrap();
    assert_eq!((&gap.limits, &gap.patterns.violations, gap.n), (&expected.limits, &expected.patterns.violations, 29));
    assert_eq!((gap.excluded.missing, gap.excluded.not_positive), (0, 1));
    assert!(
        gap.warnings.iter().any(|warning| warning.contains("1 nonpositive value cannot be transformed")),
        "{:?}",
        gap.warnings
    );
    // The transformation that a part of the data chose applies to the other part, too.
    values[7] = 0.3;
    values[20] = 0.0;
    let part = Plan { transform: Transform::BoxCox, origin: Origin::FirstPoints(0..15), missing, ..Plan::default() };
    assert_eq!(analyze(&column(&values), &part).unwrap().excluded.not_positive, 1);

    let error = |plan: Plan| analyze(&column(&long_tailed(5, 30)), &plan).unwrap_err().to_string();
    let with = |chart, transform| Plan { chart: Some(chart), transform, ..Plan::default() };
    assert!(error(with(ChartKind::XbarR, Transform::Log)).contains("log with chart xbar-r"));
    assert!(error(with(ChartKind::C, Transform::Auto)).contains("auto with chart c"));
    let given = Origin::Given { center: -1.0, sigma: Some(0.1) };
    assert!(error(Plan { transform: Transform::Log, origin: given, ..Plan::default() }).contains("invalid center -1"));
    let given = Origin::Given { center: 1.0, sigma: Some(0.1) };
    assert!(error(Plan { transform: Transform::Auto, origin: given, ..Plan::default() }).contains("none or log"));
}

/// A series with too few values to choose a transformation, and with a baseline of other series: the verdict takes
/// precedence.
#[test]
fn what_has_no_values_is_not_asked_for_its_scale() {
    let baseline = judged(&long_tailed(6, 50), Transform::Log).baseline().unwrap();
    let plan = Plan { origin: Origin::Baseline(vec![baseline]), missing: Some(Missing::Break), ..Plan::default() };
    let analysis = analyze(&Series::of_numbers("another", vec![f64::NAN; 5]), &plan).unwrap();
    assert_eq!((analysis.patterns.verdict, analysis.n), (Verdict::NotEnoughData, 0));
}

#[test]
fn equal_values_collapse_on_the_center_line_as_ever() {
    for thousandths in 1..400 {
        let value = f64::from(thousandths) / 1000.0;
        for transform in [Transform::None, Transform::Log] {
            let analysis = judged(&[value; 12], transform);
            assert_eq!(
                (analysis.patterns.verdict, analysis.patterns.rules.len()),
                (Verdict::InControl, 8),
                "{value} {transform}"
            );
            assert!(
                analysis.warnings.iter().any(|warning| warning.contains("all points are equal")),
                "{value} {transform}"
            );
        }
        let two_levels: Vec<f64> = [[value; 12], [2.0 * value; 12]].concat();
        let plan = Plan { transform: Transform::Log, stages: Stages::At(vec![12]), ..Plan::default() };
        assert_eq!(analyze(&column(&two_levels), &plan).unwrap().patterns.violations, [], "{value}");
    }
}

#[test]
fn given_standards_are_a_center_and_a_sigma_of_logarithms() {
    let origin = Origin::Given { center: 0.3, sigma: Some(0.1) };
    let plan = Plan { transform: Transform::Log, origin, ..Plan::default() };
    let limits = analyze(&column(&[0.3, 0.31, 0.5]), &plan).unwrap().limits.unwrap();
    close("center", limits.center.at(0), 0.3, 1e-15);
    close("upper", limits.upper.at(0), 0.3 * 0.3_f64.exp(), 1e-14);
    close("lower", limits.lower.at(0), 0.3 / 0.3_f64.exp(), 1e-14);
}

#[test]
fn frozen_limits_keep_their_scale() {
    let values = long_tailed(6, 200);
    let study = judged(&values[..100], Transform::BoxCox);
    let text = Baseline::to_json(&[study.baseline().unwrap()]).unwrap();
    let baselines = Baseline::read("b.json", &text).unwrap();
    let plan = |transform| Plan { transform, origin: Origin::Baseline(baselines.clone()), ..Plan::default() };
    let later = analyze(&column(&values[100..]), &plan(Transform::None)).unwrap();
    assert_eq!((later.transform, &later.limits), (study.transform, &study.limits));
    assert_eq!(analyze(&column(&values[100..]), &plan(Transform::Auto)).unwrap().limits, later.limits);
    // Limits of untransformed values are not limits of logarithms.
    let plain = judged(&values[..100], Transform::None).baseline().unwrap();
    let plan = Plan { transform: Transform::Log, origin: Origin::Baseline(vec![plain]), ..Plan::default() };
    assert!(analyze(&column(&values[100..]), &plan).unwrap_err().to_string().contains("baseline"));
    // A program that ignores transformations must not read these limits as untransformed.
    assert!(text.contains("llmscope.baseline/2"), "{text}");
    let logarithms = Baseline::to_json(&[judged(&values[..100], Transform::Log).baseline().unwrap()]).unwrap();
    let far = logarithms.replace("\"sigma\": ", "\"sigma\": 9999");
    assert!(Baseline::read("b.json", &far).unwrap_err().to_string().contains("transformed control limits"));
    // A part of the data determines the transformation of all.
    let part = Plan { transform: Transform::BoxCox, origin: Origin::FirstPoints(0..100), ..Plan::default() };
    let both = analyze(&column(&values), &part).unwrap();
    assert_eq!((both.transform, &both.limits), (study.transform, &study.limits));
}

#[test]
fn stages_have_limits_of_their_own_on_one_scale() {
    let values: Vec<f64> =
        long_tailed(7, 60).iter().enumerate().map(|(i, x)| if i < 30 { *x } else { 3.0 * x }).collect();
    let plan = Plan { transform: Transform::Log, stages: Stages::At(vec![30]), ..Plan::default() };
    let analysis = analyze(&column(&values), &plan).unwrap();
    let limits = analysis.limits.unwrap();
    assert!(limits.center.at(59) > 2.0 * limits.center.at(0));
    close("zone", limits.zone_edge(59, 3.0), limits.upper.at(59), 1e-12);
    assert_eq!(
        analysis.patterns.violations,
        analyze(
            &column(&values.iter().map(|x| x.ln()).collect::<Vec<_>>()),
            &Plan { stages: Stages::At(vec![30]), ..Plan::default() }
        )
        .unwrap()
        .patterns
        .violations
    );
    let sample = Sample::new(values).unwrap();
    let mixed = staged(60, &[30], |points| {
        let power = (points.start > 0).then_some(PowerTransform::LOG);
        estimated(&sample, points, power)
    });
    assert!(mixed.unwrap_err().to_string().contains("the same transformation in every stage"));
}

#[test]
fn a_chart_of_failures_has_no_scale() {
    let plan = Plan { transform: Transform::Log, ..Plan::default() };
    let failed = |i: usize| llmscope_core::analysis::Observation {
        value: Some(f64::from(u8::from(i.is_multiple_of(9)))),
        failed: false,
        at: None,
        position: i,
        ..Default::default()
    };
    let series = Series {
        measure: llmscope_core::Measure::Metric(llmscope_core::Metric::ErrorRate),
        ..Series::of_numbers("error_rate", Vec::new()).with_observations((0..200).map(failed))
    };
    let analysis = analyze(&series, &plan).unwrap();
    assert_eq!((analysis.chart, analysis.transform), (ChartKind::P, None));
}

#[test]
fn a_watch_learns_on_its_scale() {
    let values = long_tailed(8, 130);
    let mut watch = Watch::learning(Bounds::NON_NEGATIVE, RuleSet::nelson(), 100).unwrap().on_scale(Transform::Log);
    assert!(!watch.takes(0.0) && watch.takes(0.1));
    assert_eq!(watch.push(0.0), Err(Error::NotPositive { index: 0, value: 0.0 }));
    for &x in &values[..99] {
        watch.push(x).unwrap();
    }
    let Step::Learned { limits, standards, left_out, .. } = watch.push(values[99]).unwrap() else { panic!() };
    assert_eq!((limits.transform, standards.transform), (Some(PowerTransform::LOG), Some(PowerTransform::LOG)));
    if left_out == 0 {
        let chart = judged(&values[..100], Transform::Log).limits.unwrap();
        assert_eq!(
            (limits.lower, limits.center, limits.upper),
            (chart.lower.at(0), chart.center.at(0), chart.upper.at(0))
        );
    }
    assert_eq!(watch.push(-1.0), Err(Error::NotPositive { index: 0, value: -1.0 }));
    assert!(matches!(watch.push(f64::INFINITY), Err(Error::NonFinite { .. })));
    assert_eq!(watch.clone().on_scale(Transform::None), watch, "what is frozen stays");
}

fn estimated(
    sample: &Sample<'_>,
    points: std::ops::Range<usize>,
    power: Option<PowerTransform>,
) -> llmscope_core::Result<Chart<'static>> {
    Ok(individuals::estimate_on(&sample.slice(points), ESTIMATOR, power)?.into_owned())
}

/// Values between 0.01 and 100, in intervals at several levels.
fn positive() -> impl Strategy<Value = Vec<f64>> {
    let stretch = (0.05..20.0_f64, 0.01..0.5_f64, 2_usize..30).prop_flat_map(|(level, spread, count)| {
        prop::collection::vec((-3.0..3.0_f64).prop_map(move |z| level * (spread * z).exp()), count)
    });
    prop::collection::vec(stretch, 1..6).prop_map(|all| all.concat())
}

proptest! {
    #[test]
    fn what_is_transformed_comes_back(exponent in -30.0..30.0_f64, tenths in 0_i32..=20) {
        let (x, power) = (10_f64.powf(exponent), power(f64::from(tenths) / 10.0));
        let back = power.back(power.apply(x).unwrap()).unwrap();
        prop_assert!((back / x - 1.0).abs() < 1e-13 * (1.0 + x.ln().abs()), "{back} {x} {power:?}");
    }

    #[test]
    fn it_rises(x in 1e-3..1e3_f64, factor in 1.01..10.0_f64, tenths in 0_i32..=20) {
        let power = power(f64::from(tenths) / 10.0);
        prop_assert!(power.apply(x).unwrap() < power.apply(x * factor).unwrap());
    }

    #[test]
    fn rules_judge_the_transformed_values(values in positive(), halves in 0_i32..=4) {
        let power = power(f64::from(halves) / 2.0);
        let sample = Sample::new(values).unwrap();
        let chart = individuals::estimate_on(&sample, ESTIMATOR, Some(power)).unwrap();
        let transformed = power.sample(&sample).unwrap();
        let plain = individuals::estimate(&transformed, ESTIMATOR).unwrap();
        let rules = RuleSet::nelson();
        prop_assert_eq!(chart.judge(&rules).unwrap(), plain.judge(&rules).unwrap());
        prop_assert_eq!(&chart.dispersion_chart().unwrap().limits, &plain.dispersion_chart().unwrap().limits);
        // Stages, including stages of equal values.
        let starts: Vec<usize> = (1..sample.len() / 2).step_by(7).map(|start| 2 * start).collect();
        let (of_chart, of_plain) = (
            staged(sample.len(), &starts, |part| estimated(&sample, part, Some(power))),
            staged(sample.len(), &starts, |part| estimated(&transformed, part, None)),
        );
        if let (Ok(of_chart), Ok(of_plain)) = (of_chart, of_plain) {
            prop_assert_eq!(of_chart.judge(&rules).unwrap(), of_plain.judge(&rules).unwrap());
        }
        let limits = &chart.limits;
        prop_assert!(limits.lower.at(0) <= limits.center.at(0) && limits.center.at(0) <= limits.upper.at(0));
        prop_assert!(limits.lower.at(0) >= 0.0 && limits.upper.at(0).is_finite());
    }

    #[test]
    fn a_stream_is_judged_as_the_whole(values in positive(), cut in any::<prop::sample::Index>(), asked in 1_usize..4) {
        let rules = RuleSet::nelson();
        let new = Watch::learning(Bounds::NON_NEGATIVE, rules.clone(), 10).unwrap();
        let mut watch = new.on_scale(Transform::ALL[asked]);
        let (mut standards, mut begins, mut found) = (None, 0, Vec::new());
        for (at, &x) in values.iter().enumerate() {
            if at == cut.index(values.len()) {
                watch = serde_json::from_str(&serde_json::to_string(&watch).unwrap()).unwrap();
            }
            match watch.push(x).unwrap() {
                Step::Learning { .. } => {}
                Step::Learned { standards: learned, .. } => (standards, begins) = (Some(learned), at + 1),
                Step::Judged { signals, .. } => found.push(signals.iter().map(|signal| signal.rule).collect::<Vec<_>>()),
            }
        }
        let Some(standards) = standards else { return Ok(()) };
        let rest = Sample::new(&values[begins..]).unwrap();
        let judgement = individuals::monitor(&standards, &rest).unwrap().judge(&rules).unwrap();
        let expected: Vec<Vec<usize>> =
            (0..rest.len()).map(|i| (0..8).filter(|&rule| judgement.signals.at(i).contains(rule)).collect()).collect();
        prop_assert_eq!(found, expected);
    }
}
