//! EWMA charts against published and exact values.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::chart::ewma::{self, Ewma};
use llmscope_core::{ChartKind, RuleSet, Sample, SigmaEstimate, SigmaEstimator, Standards};
use serde_json::Value;

/// Montgomery's 30 observations with exact averages and limits; the `source` field names their origin.
const REFERENCE: &str = include_str!("reference/montgomery_cusum_ewma.json");

fn numbers(value: &Value) -> Vec<f64> {
    let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap();
    value.as_array().unwrap().iter().map(number).collect()
}

#[test]
fn montgomery_averages_limits_and_signals() {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let expected = &reference["ewma"];
    let sample = Sample::new(numbers(&reference["data"])).unwrap();
    let given = SigmaEstimate::given(1.0).unwrap();
    let standards = Standards::of_measurements(ChartKind::Ewma, 10.0, given).unwrap();
    let standards = Standards { ewma: Some(Ewma::new(0.1, 2.7).unwrap()), ..standards };
    let chart = ewma::monitor(&standards, &sample).unwrap();
    let (averages, widths) = (numbers(&expected["z"]), numbers(&expected["half_width"]));
    assert_eq!((averages.len(), widths.len(), chart.points.len()), (30, 30, 30));
    for i in 0..30 {
        assert!((chart.points[i] / averages[i] - 1.0).abs() < 1e-14, "average {i}");
        let width = chart.limits.upper.at(i) - 10.0;
        // Subtracting 10 leaves 15 digits of the limit, and 14 of the width.
        assert!((width / widths[i] - 1.0).abs() < 2e-14, "width {i}: {width} is not {}", widths[i]);
        assert!((chart.limits.upper.at(i) + chart.limits.lower.at(i) - 20.0).abs() < 1e-13);
    }
    let violations = chart.judge(&"1".parse::<RuleSet>().unwrap()).unwrap().violations;
    let signals: Vec<f64> = violations.iter().flat_map(|v| v.signals()).map(|i| (i + 1) as f64).collect();
    assert_eq!(signals, numbers(&expected["signals_1based"]));
}

#[test]
fn a_weight_of_one_is_the_individuals_chart() {
    let sample = Sample::new(vec![1.0, 1.5, 0.5, 1.25, 0.75, 1.0]).unwrap();
    let estimator = SigmaEstimator::AverageMovingRange;
    let average = ewma::estimate(&sample, estimator, Ewma::new(1.0, 3.0).unwrap()).unwrap();
    let single = llmscope_core::chart::individuals::estimate(&sample, estimator).unwrap();
    assert_eq!(average.points, single.points);
    assert_eq!(average.limits, single.limits);
}

#[test]
fn a_gap_starts_the_average_again() {
    let sample = Sample::new(vec![1.0, 1.5, 0.5, 1.25]).unwrap().with_breaks(vec![2]).unwrap();
    let chart = ewma::estimate(&sample, SigmaEstimator::AverageMovingRange, Ewma::default()).unwrap();
    assert_eq!(chart.limits.upper.at(0), chart.limits.upper.at(2));
    assert_eq!(chart.points[2], 1.0625 + 0.2 * (0.5 - 1.0625));
}

#[test]
fn weights_and_widths_that_make_no_chart_are_refused() {
    for (lambda, multiple) in [(0.0, 3.0), (1.1, 3.0), (f64::NAN, 3.0), (0.2, 0.0), (0.2, f64::INFINITY)] {
        assert!(Ewma::new(lambda, multiple).is_err());
    }
}
