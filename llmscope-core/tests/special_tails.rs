//! The special functions against an independent computation with 60 digits, far into the tails.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::stats::special::{
    chi_squared_quantile, chi_squared_quantile_upper, normal_cdf, normal_ln_cdf, normal_quantile,
    normal_quantile_upper, normal_sf,
};
use serde_json::Value;

/// Arguments and exact values as strings; the `source` field describes their computation.
const REFERENCE: &str = include_str!("reference/special_tails.json");

/// Rows of arguments and the value, of one function.
fn rows(function: &str) -> Vec<(Vec<f64>, f64)> {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let number = |value: &Value| value.as_str().unwrap().parse::<f64>().unwrap();
    let rows = reference[function].as_array().unwrap();
    rows.iter()
        .map(|row| {
            let mut numbers: Vec<f64> = row.as_array().unwrap().iter().map(number).collect();
            let value = numbers.pop().unwrap();
            (numbers, value)
        })
        .collect()
}

/// Fails unless every row agrees to 1e-12 and there are `count` of them.
fn check(function: &str, count: usize, evaluate: impl Fn(&[f64]) -> f64) {
    let rows = rows(function);
    assert_eq!(rows.len(), count, "rows of {function}");
    let mut worst = (0.0, Vec::new());
    for (arguments, expected) in rows {
        let actual = evaluate(&arguments);
        let off = if expected == 0.0 { actual.abs() } else { ((actual - expected) / expected).abs() };
        assert!(off <= 1e-12, "{function}{arguments:?} is {actual:e}, not {expected:e}: off by {off:e}");
        if off > worst.0 {
            worst = (off, arguments);
        }
    }
    println!("{function}: at worst off by {:e} at {:?}", worst.0, worst.1);
}

#[test]
fn normal_probabilities_keep_their_digits_in_both_tails() {
    check("normal_cdf", 33, |z| normal_cdf(z[0]));
    check("normal_sf", 33, |z| normal_sf(z[0]));
    check("normal_ln_cdf", 38, |z| normal_ln_cdf(z[0]));
}

#[test]
fn normal_quantiles_keep_their_digits_in_both_tails() {
    check("normal_quantile", 25, |p| normal_quantile(p[0]).unwrap());
    check("normal_quantile_upper", 25, |q| normal_quantile_upper(q[0]).unwrap());
}

#[test]
fn chi_squared_quantiles_keep_their_digits_in_both_tails() {
    check("chi_squared_quantile", CHI_LOWER, |row| chi_squared_quantile(row[0], row[1]).unwrap());
    check("chi_squared_quantile_upper", CHI_UPPER, |row| chi_squared_quantile_upper(row[0], row[1]).unwrap());
}

/// Eleven degrees of freedom with twelve and seven probabilities, minus three quantiles that no `f64` can represent.
const CHI_LOWER: usize = 129;
const CHI_UPPER: usize = 77;

#[test]
fn a_chi_squared_quantile_below_the_smallest_number_is_0() {
    for (p, df) in [(1e-300, 0.5), (1e-100, 0.5), (1e-300, 1.0)] {
        assert_eq!(chi_squared_quantile(p, df), Some(0.0), "p = {p:e}, df = {df}");
    }
}

#[test]
fn quantiles_outside_their_domain_are_absent() {
    for p in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        assert_eq!((normal_quantile(p), normal_quantile_upper(p)), (None, None), "p = {p}");
        assert_eq!((chi_squared_quantile(p, 3.0), chi_squared_quantile_upper(p, 3.0)), (None, None), "p = {p}");
    }
    for df in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!((chi_squared_quantile(0.5, df), chi_squared_quantile_upper(0.5, df)), (None, None), "df = {df}");
    }
}
