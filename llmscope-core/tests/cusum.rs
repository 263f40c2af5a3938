//! CUSUM and moving average charts.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::chart::cusum::{self, Cusum, Shift};
use llmscope_core::chart::{individuals, moving_average, staged};
use llmscope_core::{Bounds, Chart, ChartKind, RuleSet, Sample, Side, SigmaEstimate, SigmaEstimator, Standards};
use proptest::prelude::*;
use serde_json::Value;

mod golden;

use golden::{assert_close, numbers, parsed, positions, sample};

/// Montgomery's 30 observations; the `source` field names their origin.
const MONTGOMERY: &str = include_str!("reference/montgomery_cusum_ewma.json");
/// The 20 means of the NIST/SEMATECH e-Handbook.
const NIST: &str = include_str!("reference/nist_handbook_cusum.json");
/// Average run lengths of the R package spc.
const ARL: &str = include_str!("reference/cusum_arl.json");

fn standards(center: f64, cusum: Cusum) -> Standards {
    let given = SigmaEstimate::given(1.0).unwrap();
    let standards = Standards::of_measurements(ChartKind::Cusum, center, given).unwrap();
    Standards { cusum: Some(cusum), ..standards }
}

fn of(center: f64, cusum: Cusum, values: Vec<f64>) -> Chart<'static> {
    cusum::monitor(&standards(center, cusum), &sample(values)).unwrap()
}

fn check_sums(what: &str, actual: &[f64], expected: &Value, sign: f64) {
    for (i, (&actual, expected)) in actual.iter().zip(expected.as_array().unwrap()).enumerate() {
        let expected: f64 = expected.as_str().unwrap().parse().unwrap();
        assert!((sign * actual - expected).abs() < 1e-11, "{what} {i}: {actual} is not {expected}");
    }
    assert_eq!(actual.len(), expected.as_array().unwrap().len());
}

fn signals(chart: &Chart<'_>) -> (Vec<usize>, Vec<Shift>) {
    let judgement = chart.judge(&"1".parse::<RuleSet>().unwrap()).unwrap();
    let points = judgement.violations.iter().flat_map(|violation| violation.signals()).collect();
    (points, chart.shifts(&judgement))
}

#[test]
fn montgomery_sums_signals_and_shift() {
    let reference = parsed(MONTGOMERY);
    let chart = of(10.0, Cusum::default(), numbers(&reference["data"]));
    check_sums("C+", &chart.points, &reference["cusum"]["c_plus"], 1.0);
    check_sums("C-", chart.lower_points.as_ref().unwrap(), &reference["cusum"]["c_minus"], -1.0);
    let (points, shifts) = signals(&chart);
    assert_eq!(points, positions(&reference["cusum"]["signals_1based"]));
    // "The process was last in control at period 29 − 7 = 22", and the new mean is 10 + 0.5 + 5.28/7 = 11.25.
    let [Shift { began, signal, side, mean, .. }] = shifts[..] else { panic!("{shifts:?}") };
    assert_eq!((began, signal, side), (22, 28, Side::Above));
    assert_eq!(format!("{mean:.2}"), "11.25");
    let judgement = chart.judge(&"1".parse::<RuleSet>().unwrap()).unwrap();
    let members: Vec<usize> = (0..30).filter(|&i| !judgement.members.at(i).is_empty()).collect();
    assert_eq!(members, (22..30).collect::<Vec<_>>());
    assert_eq!((chart.limits.upper.at(0), chart.limits.lower.at(0)), (5.0, -5.0));
}

/// The level of a shift that ended is the mean of its measurements, and not of those up to the signal.
#[test]
fn the_level_is_that_of_the_whole_shift() {
    let noise = [0.3, -0.4, 0.1, -0.2, 0.5, -0.3];
    let values: Vec<f64> = (0..60).map(|i| noise[i % 6] + if (20..40).contains(&i) { 4.16 } else { 0.0 }).collect();
    let (_, shifts) = signals(&of(0.0, Cusum::default(), values.clone()));
    assert_eq!((shifts[0].began, shifts[0].last), (20, 39));
    let mean = values[20..40].iter().sum::<f64>() / 20.0;
    assert!((shifts[0].level - mean).abs() < 1e-12 && (mean - 4.16).abs() < 0.02, "{mean}");
}

#[test]
fn nist_handbook_sums_and_signals() {
    let reference = parsed(NIST);
    let number = |name: &str| reference[name].as_f64().unwrap();
    let cusum = Cusum::new(number("K"), number("H"), 0.0).unwrap();
    let chart = of(number("mu0"), cusum, numbers(&reference["data"]));
    check_sums("S_hi", &chart.points, &reference["exact"]["s_hi"], 1.0);
    check_sums("S_lo", chart.lower_points.as_ref().unwrap(), &reference["exact"]["s_lo"], -1.0);
    let (points, shifts) = signals(&chart);
    assert_eq!(points, positions(&reference["exact"]["signals_1based"]));
    assert_eq!((shifts[0].began, shifts[0].signal), (12, 13));
}

#[test]
fn a_head_start_is_where_the_sums_begin() {
    // Montgomery's example of the fast initial response: μ₀ = 100, K = 3, H = 8 and a head start of 4.
    let values = vec![102.0, 97.0, 104.0, 93.0, 100.0, 105.0, 96.0, 98.0, 105.0, 99.0];
    let chart = of(100.0, Cusum::new(3.0, 8.0, 0.5).unwrap(), values.clone());
    assert_eq!(chart.points.to_vec(), [3.0, 0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 2.0, 0.0]);
    let lower = chart.lower_points.unwrap().iter().map(|x| 0.0 - x).collect::<Vec<_>>();
    assert_eq!(lower, [0.0, 0.0, 0.0, 4.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    // A process that is 4 too high from the start adds 1 at each point.
    let first = |headstart| signals(&of(100.0, Cusum::new(3.0, 8.0, headstart).unwrap(), vec![104.0; 20])).0[0];
    assert_eq!((first(0.0), first(0.5)), (8, 4));
}

/// Uniform numbers of a linear congruential generator (Knuth's MMIX), as normal ones by Box & Muller (1958).
struct Normals(u64);

impl Normals {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[test]
fn run_lengths_are_those_of_theory() {
    const RUNS: usize = 4000;
    let mut normals = Normals(11);
    let cases = parsed(ARL)["cases"].as_array().unwrap().clone();
    assert_eq!(cases.len(), 12);
    for case in cases {
        let number = |name: &str| case[name].as_f64().unwrap();
        let (k, h, shift) = (number("k"), number("h"), number("mu"));
        let lengths: Vec<f64> = (0..RUNS)
            .map(|_| {
                let mut sums = Cusum::new(k, h, 0.0).unwrap().sums(0.0, 1.0);
                let beyond = |(upper, lower): (f64, f64)| upper > h || lower < -h;
                let mut length = 1;
                while !beyond(sums.push(shift + normals.next())) {
                    length += 1;
                }
                f64::from(length)
            })
            .collect();
        let moments = llmscope_core::stats::Moments::of(&lengths);
        let error = moments.standard_deviation().unwrap() / (RUNS as f64).sqrt();
        let off = (moments.mean().unwrap() - number("arl")) / error;
        assert!(off.abs() < 4.0, "{case}: {:?}, {off} standard errors off", moments.mean());
    }
}

#[test]
fn gaps_bounds_and_stages() {
    let values = vec![10.0, 12.0, 13.0, 12.5, 12.0, 13.0, 9.0, 8.0];
    let gapped = sample(values.clone()).with_breaks(vec![3]).unwrap();
    let chart = cusum::monitor(&standards(10.0, Cusum::default()), &gapped).unwrap();
    assert_eq!(chart.points[3], 2.0, "the sum starts again");
    // A shift is not dated back across a gap.
    let (_, shifts) = signals(&chart);
    assert_eq!(shifts[0].began, 3);
    // A latency cannot be negative, but a sum of deviations can.
    assert_eq!(chart.clone().with_bounds(Bounds::NON_NEGATIVE).limits, chart.limits);
    let sample = sample(values);
    let estimate =
        |points| cusum::estimate(&sample.slice(points), SigmaEstimator::AverageMovingRange, Cusum::default());
    let whole = staged(8, &[4], estimate).unwrap();
    assert_eq!((whole.points.len(), whole.lower_points.as_ref().map(Vec::len)), (8, Some(8)));
}

#[test]
fn parameters_that_make_no_chart_are_refused() {
    for (k, h, headstart) in
        [(-0.1, 5.0, 0.0), (f64::NAN, 5.0, 0.0), (0.5, 0.0, 0.0), (0.5, f64::INFINITY, 0.0), (0.5, 5.0, 1.0)]
    {
        assert!(Cusum::new(k, h, headstart).is_err(), "{k} {h} {headstart}");
    }
    let sample = sample(vec![1.0, 2.0, 3.0]);
    for span in [0, 1001] {
        assert!(moving_average::estimate(&sample, SigmaEstimator::AverageMovingRange, span).is_err());
    }
}

#[test]
fn a_moving_average_of_montgomerys_observations() {
    // Montgomery, ch. 9.3: w = 5, μ₀ = 10, σ = 1: the first averages are 9.45, 8.72, 8.91; limits 10 ± 3/√5 = 8.66, 11.34.
    let reference = parsed(MONTGOMERY);
    let given = SigmaEstimate::given(1.0).unwrap();
    let standards = Standards::of_measurements(ChartKind::MovingAverage, 10.0, given).unwrap();
    let data = sample(numbers(&reference["data"]));
    let chart = moving_average::monitor(&Standards { span: Some(5), ..standards }, &data).unwrap();
    let printed: Vec<String> = chart.points[..5].iter().map(|x| format!("{x:.3}")).collect();
    assert_eq!(printed, ["9.450", "8.720", "8.910", "9.598", "10.110"]);
    assert_close("width", chart.limits.upper.at(29) - 10.0, &Value::from(3.0 / 5.0_f64.sqrt()), 1e-14);
    assert_close("first width", chart.limits.upper.at(1) - 10.0, &Value::from(3.0 / 2.0_f64.sqrt()), 1e-14);
    assert!(moving_average::monitor(&standards, &data).is_err(), "no span");
}

proptest! {
    #[test]
    fn sums_are_on_their_side_and_signals_beyond_the_interval(
        values in prop::collection::vec(-5.0..5.0_f64, 1..120),
        k in 0.0..2.0_f64,
        h in 0.5..8.0_f64,
        gap in 0..120_usize,
    ) {
        let gaps: Vec<usize> = Some(gap).filter(|&gap| gap > 0 && gap < values.len()).into_iter().collect();
        let sample = Sample::new(values).unwrap().with_breaks(gaps).unwrap();
        let chart = cusum::monitor(&standards(0.0, Cusum::new(k, h, 0.0).unwrap()), &sample).unwrap();
        let lower = chart.lower_points.clone().unwrap();
        prop_assert!(chart.points.iter().all(|&c| c >= 0.0) && lower.iter().all(|&c| c <= 0.0));
        let judgement = chart.judge(&"1".parse::<RuleSet>().unwrap()).unwrap();
        for (i, &below) in lower.iter().enumerate() {
            let beyond = chart.points[i] > chart.limits.upper.at(i) || below < chart.limits.lower.at(i);
            prop_assert_eq!(!judgement.signals.at(i).is_empty(), beyond);
        }
        for shift in chart.shifts(&judgement) {
            let sums = if shift.side == Side::Above { &chart.points } else { &lower[..] };
            prop_assert!(sums[shift.began..=shift.signal].iter().all(|&sum| sum != 0.0));
            prop_assert!(shift.mean.abs() > k);
            // The sum of the deviations from the reference value, written as a mean.
            let shifted = &sample.values()[shift.began..=shift.last];
            let mean = shifted.iter().sum::<f64>() / shifted.len() as f64;
            prop_assert!((shift.level - mean).abs() < 1e-9 * (1.0 + mean.abs()), "{} {mean}", shift.level);
        }
    }

    #[test]
    fn a_span_of_one_is_the_individuals_chart(values in prop::collection::vec(-1e3..1e3_f64, 2..60)) {
        let sample = Sample::new(values).unwrap();
        let single = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange).unwrap();
        let average = moving_average::estimate(&sample, SigmaEstimator::AverageMovingRange, 1).unwrap();
        prop_assert_eq!(average.points, single.points);
        prop_assert_eq!(average.limits, single.limits);
    }
}
