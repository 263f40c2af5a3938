//! The pictures of several charts: what they show, for any data, and that their numbers are those of the types.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::chart::individuals;
use llmscope_core::plot::{Imr, Labels, Sixpack, SixpackPlan};
use llmscope_core::{
    Bounds, PowerTransform, RuleSet, Sample, SigmaEstimator, SpecificationLimits, Unit, Verdict, chart::cusum,
};

/// Flow rates of ten batches (NIST/SEMATECH e-Handbook 6.3.2.2).
const FLOW: [f64; 10] = [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1];
const ESTIMATOR: SigmaEstimator = SigmaEstimator::AverageMovingRange;

fn labels() -> Labels {
    Labels { title: "flow <rate>".to_owned(), quantity: "flow_ms".to_owned(), unit: Unit::Millisecond }
}

fn imr(values: &[f64]) -> Imr {
    imr_by(&RuleSet::nelson(), values)
}

fn imr_by(rules: &RuleSet, values: &[f64]) -> Imr {
    let chart = individuals::estimate(&Sample::new(values).unwrap(), ESTIMATOR).unwrap().into_owned();
    Imr::of(chart, rules).unwrap()
}

fn sixpack(values: &[f64], limits: Option<(f64, f64)>) -> Sixpack {
    let plan = SixpackPlan {
        specification: limits.map(|(low, high)| SpecificationLimits::new(Some(low), Some(high), Some(50.0)).unwrap()),
        estimator: ESTIMATOR,
        bounds: Bounds::default(),
        rules: RuleSet::nelson(),
        confidence: 0.95,
    };
    Sixpack::of(&Sample::new(values).unwrap(), &plan).unwrap()
}

/// Every coordinate is a number inside the picture, or a picture would be empty in some viewers.
fn assert_drawable(svg: &str) {
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    let height: f64 = svg.split("height=\"").nth(1).unwrap().split('"').next().unwrap().parse().unwrap();
    for y in svg.split(" y=\"").skip(1).map(|rest| rest.split('"').next().unwrap().parse::<f64>().unwrap()) {
        assert!((0.0..=height).contains(&y), "y = {y} in a picture of height {height}");
    }
}

#[test]
fn imr_shows_both_charts_with_their_limits() {
    let charts = imr(&FLOW);
    assert_eq!(charts.verdict(), Verdict::InControl);
    let svg = charts.svg(&labels());
    assert_drawable(&svg);
    // The handbook's limits, and d₂σ̂(1 + 3d₃/d₂) of the ranges (Montgomery, table VI: D₄ = 3.267).
    for part in
        ["UCL 55.80", "CL 50.81", "LCL 45.82", "UCL 6.1", "CL 1.87", "LCL 0", "flow_ms in ms", "moving range in ms"]
    {
        assert!(svg.contains(part), "{part}");
    }
    assert!(svg.contains("flow &lt;rate&gt;") && svg.contains("in control"));
}

#[test]
fn a_moving_range_is_drawn_at_its_later_measurement() {
    let mut values: Vec<f64> = (0..60_u32).map(|i| 50.0 + f64::from(i * 4 % 11) * 0.1).collect();
    values[20] = 90.0;
    let charts = imr_by(&"1".parse().unwrap(), &values);
    assert_eq!(charts.verdict(), Verdict::OutOfControl);
    let svg = charts.svg(&labels());
    assert!(svg.contains("individuals: nelson-1: 1 point beyond 3σ, at 20<"), "{svg}");
    assert!(svg.contains("moving range: nelson-1: 1 point beyond 3σ, at 20–21<"), "{svg}");
    // The ring of the spike and that of the first of its two ranges have the same position in time.
    let rings: Vec<&str> = svg.lines().filter(|line| line.contains("r=\"4.0\"")).collect();
    let x = |ring: &str| ring.split("cx=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let spike = rings.iter().filter(|ring| x(ring) == x(rings[0])).count();
    assert_eq!((rings.len(), spike), (3, 2), "{rings:?}");
}

#[test]
fn a_violation_of_the_last_moving_range_has_a_value() {
    let mut values: Vec<f64> = (0..30_u32).map(|i| 50.0 + f64::from(i * 4 % 11) * 0.1).collect();
    values[29] = 90.0;
    let ranges = imr(&values).ranges;
    let violation = ranges.judgement.violations.iter().find(|violation| violation.rule.as_str() == "nelson-1").unwrap();
    assert_eq!((violation.first_signal, ranges.chart.value_of(violation)), (29, values[29] - values[28]));
}

#[test]
fn a_transformed_chart_has_ranges_without_unit() {
    let sample = Sample::new(FLOW.to_vec()).unwrap();
    let chart = individuals::estimate_on(&sample, ESTIMATOR, Some(PowerTransform::LOG)).unwrap().into_owned();
    let svg = Imr::of(chart, &RuleSet::nelson()).unwrap().svg(&labels());
    assert!(svg.contains(">moving range, transformed<"));
}

#[test]
fn only_an_individuals_chart_has_moving_ranges() {
    let sample = Sample::new(FLOW.to_vec()).unwrap();
    let sums = cusum::estimate(&sample, ESTIMATOR, cusum::Cusum::default()).unwrap().into_owned();
    assert!(Imr::of(sums, &RuleSet::nelson()).is_err());
}

#[test]
fn a_sixpack_shows_all_six_panels() {
    let svg = sixpack(&FLOW, Some((44.0, 56.0))).svg(&labels());
    assert_drawable(&svg);
    let panels = ["flow_ms in ms", "moving range in ms", "last 10 values in ms", "normal probability", ">capability<"];
    let lines = ["LSL 44<", "target 50<", "USL 56<", ">within<", ">overall<"];
    // SciPy 1.17.1: stats.anderson(FLOW).statistic is 0.304858; NumPy: std(FLOW, ddof=1) is 2.033852.
    let numbers = ["Anderson–Darling 0.3049", "2.034 ms", "Cp, Pp", "Cpk, Ppk", "expected ppm outside"];
    for part in panels.iter().chain(&lines).chain(&numbers) {
        assert!(svg.contains(part), "{part}\n{svg}");
    }
}

#[test]
fn the_indices_in_the_picture_are_those_of_the_types() {
    let pack = sixpack(&FLOW, Some((44.0, 56.0)));
    let (within, overall) = (pack.capability.unwrap(), pack.performance.unwrap());
    let svg = pack.svg(&labels());
    for index in [within.cp.unwrap(), within.cpk, overall.pp.unwrap(), overall.ppk, overall.cpm.unwrap()] {
        assert!(svg.contains(&format!("{index:.2}")), "{index}");
    }
    // (56 − 44)/6σ̂ with σ̂ = MR̄/d₂(2) and d₂(2) = 2/√π, by hand.
    assert!((within.cp.unwrap() - 12.0 / (6.0 * 1.877_778 / std::f64::consts::FRAC_2_SQRT_PI)).abs() < 1e-5);
}

#[test]
fn without_limits_there_are_no_indices() {
    let pack = sixpack(&FLOW, None);
    assert_eq!((pack.capability, pack.performance), (None, None));
    let svg = pack.svg(&labels());
    assert!(svg.contains("standard deviation") && !svg.contains("Cpk"));
}

#[test]
fn any_data_make_a_picture() {
    let long: Vec<f64> = (0..5000_u32).map(|i| f64::from(i * 7919 % 1009)).collect();
    let cases: [&[f64]; 6] = [&[1.0, 2.0], &[3.0; 30], &[0.0; 30], &[-1e70, 1e70, 0.0], &[1e-70, 2e-70, 1e-70], &long];
    for values in cases {
        assert_drawable(&sixpack(values, Some((-5.0, 500.0))).svg(&labels()));
        assert_drawable(&imr(values).svg(&labels()));
    }
}

#[test]
fn many_points_make_no_large_picture() {
    let long: Vec<f64> = (0..100_000_u32).map(|i| f64::from(i * 7919 % 1009)).collect();
    let svg = sixpack(&long, None).svg(&labels());
    assert!(svg.len() < 250_000, "{} bytes", svg.len());
}
