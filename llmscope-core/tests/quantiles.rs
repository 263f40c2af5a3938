//! The nine quantile types of Hyndman & Fan (1996) against NumPy.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::stats::{QuantileMethod, Sorted};
use serde_json::Value;

/// Samples with NumPy's quantiles; the `source` field names the version.
const REFERENCE: &str = include_str!("reference/quantiles.json");

/// Every type with NumPy's name for it.
const METHODS: [(QuantileMethod, &str); 9] = [
    (QuantileMethod::HyndmanFan1, "inverted_cdf"),
    (QuantileMethod::HyndmanFan2, "averaged_inverted_cdf"),
    (QuantileMethod::HyndmanFan3, "closest_observation"),
    (QuantileMethod::HyndmanFan4, "interpolated_inverted_cdf"),
    (QuantileMethod::HyndmanFan5, "hazen"),
    (QuantileMethod::HyndmanFan6, "weibull"),
    (QuantileMethod::HyndmanFan7, "linear"),
    (QuantileMethod::HyndmanFan8, "median_unbiased"),
    (QuantileMethod::HyndmanFan9, "normal_unbiased"),
];

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn every_type_agrees_with_numpy() {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let probabilities = numbers(&reference["probabilities"]);
    let (mut seen, mut worst, mut differing) = (0, 0.0_f64, Vec::new());
    for case in reference["cases"].as_array().unwrap() {
        let sorted = Sorted::of(&numbers(&case["x"]));
        let scale = sorted.values().iter().fold(0.0_f64, |scale, x| scale.max(x.abs()));
        for (index, (method, name)) in METHODS.into_iter().enumerate() {
            assert_eq!(reference["methods"][index], name);
            for (&p, expected) in probabilities.iter().zip(numbers(&case["quantiles"][index])) {
                let actual = sorted.quantile(p, method).unwrap();
                let off = (actual - expected).abs() / scale;
                worst = worst.max(if off < 1e-12 { off } else { 0.0 });
                if off > 4e-15 {
                    differing.push(format!("{} {name} p = {p}: {actual}, NumPy {expected}", case["name"]));
                }
                seen += 1;
            }
        }
    }
    println!("at worst off by {worst:e} of the largest magnitude");
    assert!(differing.is_empty(), "{}", differing.join("\n"));
    assert_eq!(seen, 7 * 9 * 26);
}

#[test]
fn quantiles_stay_within_the_sample_and_never_fall() {
    let sorted = Sorted::of(&[3.0, -1.0, 2.0, 2.0, 10.0, 0.5, 2.0]);
    let mut seen = 0;
    for (method, name) in METHODS {
        let mut previous = f64::NEG_INFINITY;
        for step in 0..=1000 {
            let quantile = sorted.quantile(f64::from(step) / 1000.0, method).unwrap();
            assert!(quantile >= previous && (-1.0..=10.0).contains(&quantile), "{name} at {step}/1000: {quantile}");
            previous = quantile;
            seen += 1;
        }
    }
    assert_eq!(seen, 9 * 1001);
}

#[test]
fn no_quantile_without_data_or_outside_zero_to_one() {
    for (method, name) in METHODS {
        assert_eq!(Sorted::of(&[]).quantile(0.5, method), None, "{name}");
        for p in [-0.01, 1.01, f64::NAN] {
            assert_eq!(Sorted::of(&[1.0, 2.0]).quantile(p, method), None, "{name} at {p}");
        }
    }
}

#[test]
fn the_median_of_an_even_sample_lies_between_the_middle_two() {
    assert_eq!(Sorted::of(&[4.0, 1.0, 2.0, 3.0]).median(), Some(2.5));
    assert_eq!(Sorted::of(&[4.0, 1.0, 2.0]).median(), Some(2.0));
}
