//! The special functions against 40-digit arithmetic.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::stats::special::{
    chi_squared_quantile, chi_squared_quantile_upper, incomplete_gamma, normal_cdf, normal_ln_cdf, normal_pdf,
    normal_quantile, normal_quantile_upper, normal_sf,
};
use serde_json::Value;

/// Arguments and values as strings, so that no digit is lost; the `source` field describes their computation.
const REFERENCE: &str = include_str!("reference/special_functions.json");

/// The required accuracy of every result.
const TOLERANCE: f64 = 1e-12;

/// The rows of one function as numbers.
fn rows<const N: usize>(function: &str) -> Vec<[f64; N]> {
    let reference: Value = serde_json::from_str(REFERENCE).unwrap();
    let rows = reference[function]["rows"].as_array().unwrap();
    let number = |cell: &Value| cell.as_str().unwrap().parse().unwrap();
    rows.iter().map(|row| row.as_array().unwrap().iter().map(number).collect::<Vec<_>>().try_into().unwrap()).collect()
}

/// The largest relative difference between `f` and the rows, each with its arguments and the expected value.
fn check(name: &str, tolerance: f64, rows: impl IntoIterator<Item = (Vec<f64>, f64, f64)>) {
    let mut worst = (0.0, vec![]);
    let mut count = 0;
    for (arguments, actual, expected) in rows {
        let off = if expected == 0.0 { actual.abs() } else { (actual / expected - 1.0).abs() };
        assert!(off <= tolerance, "{name}{arguments:?} is {actual:e} instead of {expected:e}: off by {off:e}");
        count += 1;
        if off > worst.0 {
            worst = (off, arguments);
        }
    }
    println!("{name}: {count} points, largest relative error {:e} at {:?}", worst.0, worst.1);
    assert!(count >= 30, "{name}: only {count} points");
}

#[test]
fn normal_density_and_tails() {
    let rows = rows::<4>("normal");
    check("pdf", TOLERANCE, rows.iter().map(|r| (vec![r[0]], normal_pdf(r[0]), r[1])));
    check("cdf", TOLERANCE, rows.iter().map(|r| (vec![r[0]], normal_cdf(r[0]), r[2])));
    check("sf", TOLERANCE, rows.iter().map(|r| (vec![r[0]], normal_sf(r[0]), r[3])));
}

#[test]
fn logarithm_of_the_normal_distribution() {
    check("ln_cdf", TOLERANCE, rows::<2>("normal_ln_cdf").iter().map(|r| (vec![r[0]], normal_ln_cdf(r[0]), r[1])));
}

#[test]
fn normal_quantiles() {
    let rows = rows::<2>("normal_quantile");
    check("quantile", TOLERANCE, rows.iter().map(|r| (vec![r[0]], normal_quantile(r[0]).unwrap(), r[1])));
    check("upper quantile", TOLERANCE, rows.iter().map(|r| (vec![r[0]], normal_quantile_upper(r[0]).unwrap(), -r[1])));
}

#[test]
fn incomplete_gamma_functions() {
    // The computed tail, which is the smaller one up to a factor, must satisfy the relative bound; its complement the
    // absolute bound of 1 − P.
    let rows: Vec<[f64; 4]> = rows("incomplete_gamma");
    check(
        "P or Q",
        TOLERANCE,
        rows.iter().filter(|r| r[2].min(r[3]) > f64::MIN_POSITIVE).map(|r| {
            let (p, q) = incomplete_gamma(r[0], r[1]).unwrap();
            let (actual, expected) = if r[1] < r[0] + 1.0 { (p, r[2]) } else { (q, r[3]) };
            (vec![r[0], r[1]], actual, expected)
        }),
    );
    for [a, x, p, q] in rows {
        let (actual_p, actual_q) = incomplete_gamma(a, x).unwrap();
        assert!((actual_p - p).abs() <= TOLERANCE && (actual_q - q).abs() <= TOLERANCE, "a = {a}, x = {x}");
    }
    assert_eq!(incomplete_gamma(2.0, 0.0), Some((0.0, 1.0)));
    assert_eq!(incomplete_gamma(2.0, f64::INFINITY), Some((1.0, 0.0)));
}

#[test]
fn chi_squared_quantiles_of_both_tails() {
    let lower = rows::<3>("chi_squared_quantile");
    check(
        "chi-squared",
        TOLERANCE,
        lower.iter().map(|r| (vec![r[0], r[1]], chi_squared_quantile(r[0], r[1]).unwrap(), r[2])),
    );
    let upper = rows::<3>("chi_squared_quantile_upper");
    check(
        "chi-squared upper",
        TOLERANCE,
        upper.iter().map(|r| (vec![r[0], r[1]], chi_squared_quantile_upper(r[0], r[1]).unwrap(), r[2])),
    );
}

#[test]
fn quantiles_refuse_what_is_no_probability() {
    for p in [0.0, 1.0, -0.1, 1.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert_eq!(normal_quantile(p), None);
        assert_eq!(normal_quantile_upper(p), None);
        assert_eq!(chi_squared_quantile(p, 3.0), None);
        assert_eq!(chi_squared_quantile_upper(p, 3.0), None);
    }
    for median in [normal_quantile(0.5).unwrap(), normal_quantile_upper(0.5).unwrap()] {
        assert!(median == 0.0 && median.is_sign_positive());
    }
    for df in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(chi_squared_quantile(0.5, df), None);
        assert_eq!(chi_squared_quantile_upper(0.5, df), None);
        assert_eq!(incomplete_gamma(df, 1.0), None);
    }
    assert_eq!(incomplete_gamma(1.0, -1.0), None);
    assert_eq!(incomplete_gamma(1.0, f64::NAN), None);
}

#[test]
fn nothing_in_the_domain_is_nan() {
    let huge = [0.0, 1e-310, 1e-8, 1.0, 37.5, 38.0, 39.0, 1e4, 1e154, 1e200, f64::MAX, f64::INFINITY];
    for z in huge.into_iter().flat_map(|z| [z, -z]) {
        for value in [normal_pdf(z), normal_cdf(z), normal_sf(z)] {
            assert!((0.0..=1.0).contains(&value), "z = {z}: {value}");
        }
        let ln = normal_ln_cdf(z);
        assert!(ln <= 0.0, "z = {z}: {ln}");
    }
    for p in [f64::MIN_POSITIVE, 5e-324, 1e-300, 1e-16, 0.3, 0.5, 1.0 - f64::EPSILON / 2.0] {
        let z = normal_quantile(p).unwrap();
        assert!(z.is_finite() && normal_quantile_upper(p) == Some(-z), "p = {p}: {z}");
        for df in [1e-300, 1e-6, 1e-3, 0.01, 0.3, 1.0, 25.0, 1e4, 1e9, 1e20, 1e300] {
            for x in [chi_squared_quantile(p, df), chi_squared_quantile_upper(p, df)] {
                let x = x.unwrap();
                assert!(x.is_finite() && x >= 0.0, "p = {p}, df = {df}: {x}");
            }
        }
    }
    for a in [1e-300, 1e-6, 0.1, 1.0, 9.99, 10.0, 1e3, 1e9, 1e20, 1e300] {
        for x in [5e-324, 1e-300, 1e-3, 1.0, 10.0, 1e3, 1e9, 1e300, f64::MAX] {
            let (p, q) = incomplete_gamma(a, x).unwrap();
            assert!((0.0..=1.0).contains(&p) && (0.0..=1.0).contains(&q), "a = {a}, x = {x}: {p}, {q}");
        }
    }
}
