//! Charts of measurements against published examples: individuals, X̄–R, X̄–S; gaps, stages, unequal subgroups.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::chart::{individuals, staged, xbar};
use llmscope_core::factors::{c4, d2, d3};
use llmscope_core::{
    Bounds, Chart, ChartKind, Error, Missing, NelsonRule, Phase, RuleSet, Sample, SigmaEstimate, SigmaEstimator,
    Standards, Subgroups,
};

mod golden;

use golden::{assert_close, numbers, parsed, positions, sample};

const FLOW_RATES: &str = include_str!("reference/nist_handbook_individuals_flowrate.json");
const PISTON_RINGS: &str = include_str!("reference/pistonrings_xbar_r_s.json");

/// The points of a chart at which one of Nelson's rules signals.
fn signals(chart: &Chart<'_>, rule: NelsonRule) -> Vec<usize> {
    let judgement = chart.judge(&RuleSet::new([rule.into()]).unwrap()).unwrap();
    (0..chart.points.len()).filter(|&i| judgement.signals.at(i).contains(0)).collect()
}

fn rings(phase: &str, subgroups: usize) -> Sample<'static> {
    let values: Vec<f64> = parsed(PISTON_RINGS)[phase].as_array().unwrap().iter().flat_map(numbers).collect();
    assert_eq!(values.len(), 5 * subgroups);
    sample(values)
}

#[test]
fn flow_rates_of_the_nist_handbook() {
    let reference = parsed(FLOW_RATES);
    let exact = &reference["exact_d2"];
    let data = sample(numbers(&reference["data"]));
    assert_eq!(data.len(), 10);
    let chart = individuals::estimate(&data, SigmaEstimator::AverageMovingRange).unwrap();
    let ranges = chart.dispersion_chart().unwrap();
    assert_close("center", chart.limits.center.at(0), &reference["printed"]["mean"], 1e-14);
    assert_close("sigma", chart.standards.within.unwrap().sigma, &exact["sigma"], 1e-13);
    assert_close("upper", chart.limits.upper.at(0), &exact["ucl"], 1e-14);
    assert_close("lower", chart.limits.lower.at(0), &exact["lcl"], 1e-14);
    assert_close("mean range", ranges.limits.center.at(0), &exact["mr_bar"], 1e-13);
    assert_close("upper of ranges", ranges.limits.upper.at(0), &exact["mr_ucl"], 1e-13);
    assert_eq!((ranges.limits.lower.at(0), ranges.limits.clamped.lower), (0.0, true));
    // The handbook rounds d₂ to 1.128.
    assert_close("printed upper", chart.limits.upper.at(0), &reference["printed"]["ucl"], 5e-5);
    assert!(chart.judge(&RuleSet::nelson()).unwrap().is_in_control());
    assert_eq!((chart.phase, chart.kind, ranges.kind), (Phase::I, ChartKind::Individuals, ChartKind::MovingRange));
}

#[test]
fn every_sigma_of_the_piston_rings_follows_its_convention() {
    let reference = parsed(PISTON_RINGS);
    let exact = &reference["exact_values"];
    let data = rings("phase1", 25);
    let subgroups = Subgroups::of_size(&data, 5).unwrap();
    let conventions = [
        (SigmaEstimator::AverageRange, "sigma_rbar_d2", Some(90.0)),
        (SigmaEstimator::AverageStandardDeviation, "sigma_sbar_c4", None),
        (SigmaEstimator::PooledBiased, "sigma_pooled", Some(100.0)),
        (SigmaEstimator::Pooled, "sigma_pooled_over_c4_101", Some(100.0)),
        (SigmaEstimator::Overall, "sigma_overall", Some(124.0)),
    ];
    for (estimator, key, freedom) in conventions {
        let estimate = estimator.of_subgroups(&subgroups).unwrap();
        assert_close(key, estimate.sigma, &exact[key], 1e-12);
        assert_eq!(estimate.estimator, estimator);
        if freedom.is_some() {
            assert_eq!(estimate.degrees_of_freedom, freedom, "{key}");
        }
    }
    let overall = SigmaEstimator::Overall.of_sample(&data).unwrap();
    assert_close("overall of values", overall.sigma, &exact["sigma_overall"], 1e-12);
    let unbiased = SigmaEstimator::OverallUnbiased.of_sample(&data).unwrap();
    assert!((unbiased.sigma * c4(125) / overall.sigma - 1.0).abs() < 1e-15);
}

#[test]
fn limits_of_the_piston_rings() {
    let reference = parsed(PISTON_RINGS);
    let exact = &reference["exact_values"];
    let data = rings("phase1", 25);
    let subgroups = Subgroups::of_size(&data, 5).unwrap();
    for (kind, letter, mean) in [(ChartKind::XbarR, "r", "r_bar"), (ChartKind::XbarS, "s", "s_bar")] {
        let chart = xbar::estimate(&subgroups, kind, None).unwrap();
        let dispersion = chart.dispersion_chart().unwrap();
        assert_close("center", chart.limits.center.at(0), &exact["grand_mean"], 1e-14);
        assert_close("upper", chart.limits.upper.at(0), &exact[format!("xbar_{letter}_ucl")], 1e-14);
        assert_close("lower", chart.limits.lower.at(0), &exact[format!("xbar_{letter}_lcl")], 1e-14);
        assert_close("mean dispersion", dispersion.limits.center.at(0), &exact[mean], 1e-12);
        assert_close(
            "upper of the dispersion chart",
            dispersion.limits.upper.at(0),
            &exact[format!("{letter}_ucl")],
            1e-12,
        );
        assert_close(
            "lower of the dispersion chart",
            dispersion.limits.lower.at(0),
            &exact[format!("{letter}_lcl")],
            0.0,
        );
        assert!(dispersion.limits.clamped.lower && !dispersion.limits.clamped.upper);
        assert_eq!((chart.points.len(), dispersion.points.len()), (25, 25));
        assert!(chart.judge(&RuleSet::nelson()).unwrap().is_in_control(), "{kind}");
    }
}

#[test]
fn phase_two_of_the_piston_rings_signals_where_qcc_does() {
    let reference = parsed(PISTON_RINGS);
    let qcc = &reference["qcc_values"]["xbar"];
    let data = rings("phase1", 25);
    let standards = xbar::estimate(&Subgroups::of_size(&data, 5).unwrap(), ChartKind::XbarR, None).unwrap().standards;
    // qcc judges all forty subgroups against the limits of the first twenty-five, with d₂(5) rounded to 2.326.
    assert_close("qcc's sigma", standards.within.unwrap().sigma, &qcc["sigma"], 5e-5);
    let more = rings("phase2", 15);
    let all = sample(data.values().iter().chain(more.values()).copied().collect());
    let chart = xbar::monitor(&standards, &Subgroups::of_size(&all, 5).unwrap()).unwrap();
    assert_eq!((chart.phase, chart.standards, chart.points.len()), (Phase::II, standards, 40));
    let mut seen = 0;
    for (rule, number) in NelsonRule::ALL.into_iter().zip(1..) {
        let expected = positions(&qcc["violations_1based"][format!("nelson{number}")]);
        assert_eq!(signals(&chart, rule), expected, "rule {number}");
        seen += expected.len();
    }
    assert_eq!(seen, 12);
    // The fifteen new subgroups alone, numbered from their own start: no earlier subgroup completes a pattern.
    let alone = xbar::monitor(&standards, &Subgroups::of_size(&more, 5).unwrap()).unwrap();
    assert_eq!(signals(&alone, NelsonRule::OneBeyondLimits), [11, 12, 13]);
    assert_eq!(alone.limits, chart.limits);
}

#[test]
fn standards_of_one_kind_are_refused_by_another() {
    let within = SigmaEstimate::given(1.0).unwrap();
    let standards = Standards::of_measurements(ChartKind::XbarR, 0.0, within).unwrap();
    assert!(matches!(individuals::monitor(&standards, &sample(vec![1.0, 2.0])), Err(Error::Parameter { .. })));
    assert!(Standards::of_measurements(ChartKind::P, 0.5, within).is_err());
    assert!(Standards::of_measurements(ChartKind::Individuals, f64::NAN, within).is_err());
    assert!(SigmaEstimate::given(0.0).is_err());
}

#[test]
fn limits_stop_at_a_physical_bound_and_say_so() {
    let chart = individuals::estimate(&sample(vec![1.0, 5.0, 1.0, 5.0]), SigmaEstimator::AverageMovingRange).unwrap();
    assert!(chart.limits.lower.at(0) < 0.0);
    assert!(!chart.limits.clamped.lower && !chart.limits.clamped.upper);
    let upper = chart.limits.upper.at(0);
    let bounded = chart.clone().with_bounds(Bounds::NON_NEGATIVE);
    assert_eq!((bounded.limits.lower.at(0), bounded.limits.clamped.lower), (0.0, true));
    assert_eq!((bounded.limits.upper.at(0), bounded.limits.clamped.upper), (upper, false));
    assert_eq!(bounded.limits.sigma, chart.limits.sigma);
    let unbounded = chart.clone().with_bounds(Bounds::NONE);
    assert_eq!(unbounded, chart);
    // A limit that is equal to the bound is not clamped.
    let given = SigmaEstimate::given(1.0).unwrap();
    let standards = Standards::of_measurements(ChartKind::Individuals, 3.0, given).unwrap();
    let touching = individuals::monitor(&standards, &sample(vec![3.0])).unwrap().with_bounds(Bounds::NON_NEGATIVE);
    assert_eq!((touching.limits.lower.at(0), touching.limits.clamped.lower), (0.0, false));
}

#[test]
fn no_moving_range_spans_a_gap() {
    let values = [Some(1.0), Some(2.0), None, Some(100.0), Some(101.0), None, None, Some(7.0)];
    let (broken, kept) = Sample::gather(values, Missing::Break).unwrap();
    assert_eq!((broken.breaks(), kept), (&[2, 4][..], vec![0, 1, 3, 4, 7]));
    let chart = individuals::estimate(&broken, SigmaEstimator::AverageMovingRange).unwrap();
    let ranges = chart.dispersion_chart().unwrap();
    assert_eq!(*ranges.points, [1.0, 1.0]);
    assert_eq!(ranges.positions.as_deref(), Some(&[1, 3][..]));
    assert_eq!((chart.breaks.as_slice(), ranges.breaks.as_slice()), (&[2, 4][..], &[1][..]));
    assert!((chart.standards.within.unwrap().sigma * d2(2) - 1.0).abs() < 1e-15);
    let median = SigmaEstimator::MedianMovingRange.of_sample(&broken).unwrap();
    assert!((median.sigma * 0.953_872_552_408_94 - 1.0).abs() < 1e-12);
    // With dropped gaps, the values before and after the gap are adjacent.
    let (dropped, _) = Sample::gather(values, Missing::Drop).unwrap();
    let chart = individuals::estimate(&dropped, SigmaEstimator::AverageMovingRange).unwrap();
    assert_eq!(*chart.dispersion_chart().unwrap().points, [1.0, 98.0, 1.0, 94.0]);
    assert!(matches!(Sample::gather(values, Missing::Error), Err(Error::Missing { index: 2 })));
    // Isolated values have no moving range.
    let alone = sample(vec![1.0, 2.0, 3.0]).with_breaks(vec![1, 2]).unwrap();
    assert!(matches!(
        individuals::estimate(&alone, SigmaEstimator::AverageMovingRange),
        Err(Error::NotEnoughData { have: 0, need: 1, .. })
    ));
}

#[test]
fn a_gap_ends_a_run_on_the_chart() {
    let standards =
        Standards::of_measurements(ChartKind::Individuals, 0.0, SigmaEstimate::given(1.0).unwrap()).unwrap();
    let whole = individuals::monitor(&standards, &sample(vec![0.5; 12])).unwrap();
    assert_eq!(signals(&whole, NelsonRule::NineSameSide), [8, 9, 10, 11]);
    let broken = sample(vec![0.5; 12]).with_breaks(vec![2]).unwrap();
    let chart = individuals::monitor(&standards, &broken).unwrap();
    assert_eq!(signals(&chart, NelsonRule::NineSameSide), [10, 11]);
}

#[test]
fn violations_of_moving_ranges_are_given_in_positions_of_the_measurements() {
    let mut values = vec![0.0; 12];
    values[7] = 50.0;
    let data = sample(values).with_breaks(vec![3]).unwrap();
    let standards =
        Standards::of_measurements(ChartKind::Individuals, 0.0, SigmaEstimate::given(1.0).unwrap()).unwrap();
    let chart = individuals::monitor(&standards, &data).unwrap();
    let ranges = chart.dispersion_chart().unwrap();
    let judgement = ranges.judge(&RuleSet::new([NelsonRule::OneBeyondLimits.into()]).unwrap()).unwrap();
    let found: Vec<_> = judgement.violations.iter().map(|v| (v.first, v.first_signal, v.last)).collect();
    // Measurement 7 differs from 6, and 8 from 7; the range before measurement 3 is missing.
    assert_eq!(found, [(7, 7, 8)]);
    // The masks refer to the ranges; these are the sixth and the seventh.
    assert!(judgement.signals.at(5).contains(0) && judgement.signals.at(6).contains(0));
}

#[test]
fn stages_have_limits_of_their_own() {
    let values = numbers(&parsed(FLOW_RATES)["data"]);
    let data = sample(values.iter().copied().chain(values.iter().map(|x| x + 100.0)).collect());
    let estimate =
        |points: std::ops::Range<usize>| individuals::estimate(&data.slice(points), SigmaEstimator::AverageMovingRange);
    let chart = staged(data.len(), &[10], estimate).unwrap();
    let (first, second) = (estimate(0..10).unwrap(), estimate(10..20).unwrap());
    assert_eq!(chart.points, data.values());
    assert_eq!(chart.breaks, [10]);
    for i in 0..10 {
        assert_eq!(chart.limits.upper.at(i), first.limits.upper.at(0));
        assert_eq!(chart.limits.lower.at(10 + i), second.limits.lower.at(0));
        assert_eq!(chart.limits.center.at(10 + i), second.limits.center.at(0));
    }
    let ranges = chart.dispersion_chart().unwrap();
    let expected: Vec<usize> = (1..10).chain(11..20).collect();
    assert_eq!((ranges.points.len(), ranges.positions.as_ref()), (18, Some(&expected)));
    assert_eq!(ranges.breaks, [9]);
    assert!(ranges.points.iter().all(|&range| range < 10.0));
    assert!(chart.judge(&RuleSet::nelson()).unwrap().is_in_control());
    assert_eq!(staged(data.len(), &[], estimate).unwrap(), estimate(0..20).unwrap());
    for starts in [&[0][..], &[20], &[5, 5], &[10, 5]] {
        assert!(matches!(staged(20, starts, estimate), Err(Error::Parameter { name: "stages", .. })), "{starts:?}");
    }
}

#[test]
fn subgroups_of_unequal_sizes_weigh_by_what_they_tell() {
    let data = sample(vec![1.0, 3.0, 2.0, 6.0, 4.0, 5.0, 1.0, 7.0, 3.0]);
    let subgroups = Subgroups::of_sizes(&data, vec![2, 3, 4]).unwrap();
    let ranges = [2.0, 4.0, 6.0];
    let weight = |n: usize| (d2(n) / d3(n)).powi(2);
    let numerator: f64 = (2..=4).map(|n| weight(n) * ranges[n - 2] / d2(n)).sum();
    let sigma = numerator / (2..=4).map(weight).sum::<f64>();
    let chart = xbar::estimate(&subgroups, ChartKind::XbarR, None).unwrap();
    assert!((chart.standards.within.unwrap().sigma / sigma - 1.0).abs() < 1e-14);
    assert_eq!(*chart.points, [2.0, 4.0, 4.0]);
    let center = 32.0 / 9.0;
    assert!((chart.limits.center.at(1) - center).abs() < 1e-15 * center);
    for (i, n) in [2.0_f64, 3.0, 4.0].into_iter().enumerate() {
        assert!((chart.limits.upper.at(i) - (center + 3.0 * sigma / n.sqrt())).abs() < 1e-13);
        assert!((chart.limits.lower.at(i) - (center - 3.0 * sigma / n.sqrt())).abs() < 1e-13);
        let dispersion = &chart.dispersion_chart().unwrap().limits;
        assert!((dispersion.center.at(i) / (d2(i + 2) * sigma) - 1.0).abs() < 1e-14);
        assert!((dispersion.upper.at(i) / ((d2(i + 2) + 3.0 * d3(i + 2)) * sigma) - 1.0).abs() < 1e-14);
        assert_eq!(dispersion.lower.at(i), 0.0);
    }
    assert_eq!(*chart.dispersion_chart().unwrap().points, ranges);
    let deviations = [2.0_f64.sqrt(), 2.0, (20.0_f64 / 3.0).sqrt()];
    let weight = |n: usize| c4(n).powi(2) / (1.0 - c4(n).powi(2));
    let numerator: f64 = (2..=4).map(|n| weight(n) * deviations[n - 2] / c4(n)).sum();
    let sigma = numerator / (2..=4).map(weight).sum::<f64>();
    let chart = xbar::estimate(&subgroups, ChartKind::XbarS, None).unwrap();
    assert!((chart.standards.within.unwrap().sigma / sigma - 1.0).abs() < 1e-14);
    // Σ(nᵢ − 1)sᵢ² = 2 + 8 + 20 over six degrees of freedom.
    let pooled = SigmaEstimator::PooledBiased.of_subgroups(&subgroups).unwrap();
    assert!((pooled.sigma - 5.0_f64.sqrt()).abs() < 1e-15 && pooled.degrees_of_freedom == Some(6.0));
}

#[test]
fn equal_values_collapse_the_limits() {
    let chart = individuals::estimate(&sample(vec![0.1; 30]), SigmaEstimator::AverageMovingRange).unwrap();
    let limits = &chart.limits;
    assert_eq!((limits.lower.at(0), limits.center.at(0), limits.upper.at(0)), (0.1, 0.1, 0.1));
    assert!(chart.is_degenerate() && chart.judge(&RuleSet::nelson()).unwrap().is_in_control());
}

#[test]
fn an_estimator_goes_by_the_name_that_files_give_it() {
    for estimator in SigmaEstimator::ALL {
        assert_eq!(serde_json::to_value(estimator).unwrap(), estimator.name());
        assert_eq!(estimator.name().parse(), Ok(estimator));
    }
    for (alias, estimator) in [
        ("average-mr", SigmaEstimator::AverageMovingRange),
        ("average-s", SigmaEstimator::AverageStandardDeviation),
        ("pooled-biased", SigmaEstimator::PooledBiased),
    ] {
        assert_eq!(alias.parse(), Ok(estimator));
    }
}
