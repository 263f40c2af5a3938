//! The factors against an independent computation, row by row.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::factors::{Factors, bissell_f, c4, c5, d2, d3, d4};
use serde_json::Value;

/// An independent computation of all constants, n = 2 to 100; the `source` field describes it.
const REFERENCE: &str = include_str!("reference/control_chart_constants.json");

/// A constant as a function of the sample size.
type Constant = fn(usize) -> f64;

fn reference() -> Value {
    serde_json::from_str(REFERENCE).unwrap()
}

/// The file contains numbers as strings, so that no digit is lost.
fn number(value: &Value) -> f64 {
    value.as_str().unwrap().parse().unwrap()
}

/// Relative difference, or the value itself where 0 is expected exactly.
fn difference(actual: f64, expected: f64) -> f64 {
    if expected == 0.0 { actual.abs() } else { (actual / expected - 1.0).abs() }
}

#[test]
fn every_column_of_every_row_agrees_with_the_reference() {
    let reference = reference();
    let mut seen = [false; 101];
    let mut worst = std::collections::BTreeMap::<&str, (f64, usize)>::new();
    for row in reference["rows"].as_array().unwrap() {
        let n = usize::try_from(row["n"].as_u64().unwrap()).unwrap();
        let f = Factors::of(n).unwrap();
        seen[n] = true;
        assert_eq!((f.n, f.d2, f.d3, f.c4), (n, d2(n), d3(n), c4(n)));
        let columns = [
            ("d2", f.d2),
            ("d3", f.d3),
            ("c4", f.c4),
            ("A2", f.A2),
            ("A3", f.A3),
            ("B3", f.B3),
            ("B4", f.B4),
            ("B5", f.B5),
            ("B6", f.B6),
            ("D3", f.D3),
            ("D4", f.D4),
            ("E2", f.E2),
        ];
        // Every key of a row is tested; the remaining key is n.
        assert_eq!(row.as_object().unwrap().len(), columns.len() + 1, "n = {n}");
        for (name, actual) in columns {
            let off = difference(actual, number(&row[name]));
            let entry = worst.entry(name).or_insert((0.0, 0));
            if off >= entry.0 {
                *entry = (off, n);
            }
        }
    }
    println!("{worst:?}");
    // Every column of the file has at least 15 digits; the columns after d2 and c4 are computed from their rounded
    // values.
    for (name, (off, n)) in worst {
        assert!(off <= 1e-14, "{name}({n}) differs by {off:e}");
    }
    assert_eq!(seen.iter().filter(|&&row| row).count(), 99);
    assert!(seen[2..].iter().all(|&row| row));
}

#[test]
fn medians_of_the_range_agree_with_the_reference() {
    let reference = reference();
    let medians = reference["median_of_range_d4"].as_object().unwrap();
    assert_eq!(medians.len(), 14);
    for (n, expected) in medians {
        // The file prints 15 digits: half a unit of the last one is up to 2e-15 of the value.
        let off = difference(d4(n.parse().unwrap()), number(expected));
        assert!(off <= 1e-14, "d4({n}) differs by {off:e}");
    }
}

#[test]
fn closed_forms() {
    use std::f64::consts::PI;
    assert!(difference(d2(2), 2.0 / PI.sqrt()) <= 1e-15);
    assert!(difference(d2(3), 3.0 / PI.sqrt()) <= 1e-15);
    assert!(difference(d3(2), (2.0 - 4.0 / PI).sqrt()) <= 1e-15);
    // The range of two values is √2 times half a normal value, whose median is Φ⁻¹(3/4).
    assert!(difference(d4(2), std::f64::consts::SQRT_2 * 0.674_489_750_196_081_7) <= 1e-15);
    assert!(difference(c4(2), (2.0 / PI).sqrt()) <= 1e-15);
    assert!(difference(c5(2), (1.0 - 2.0 / PI).sqrt()) <= 1e-15);
}

#[test]
fn one_value_has_no_dispersion() {
    for n in [0, 1] {
        assert_eq!([d2(n), d3(n), d4(n), c4(n), c5(n), bissell_f(n)], [0.0; 6]);
        assert_eq!(Factors::of(n), None);
    }
}

#[test]
fn beyond_the_table_the_constants_continue_smoothly() {
    // Third differences across the transition are as small as before it.
    let third = |f: Constant, n: usize| f(n + 3) - 3.0 * f(n + 2) + 3.0 * f(n + 1) - f(n);
    for f in [d2, d3, d4, c4] {
        let before = third(f, 90);
        for n in 98..=101 {
            let ratio = third(f, n) / before;
            assert!((0.5..=1.0).contains(&ratio), "n = {n}: {ratio}");
        }
    }
}

#[test]
fn large_samples() {
    // From 40-digit arithmetic, at the three sizes.
    let sizes = [1_000, 1_000_000, 1_000_000_000];
    let expected: [(&str, Constant, [f64; 3]); 5] = [
        ("d2", d2, [6.482871538266882, 9.725794972392926, 12.175369168891917]),
        ("d3", d3, [0.49673518578288717, 0.35073132765171516, 0.28583230621728817]),
        ("d4", d4, [6.437605640348304, 9.688159068566476, 12.143076035079451]),
        ("c4", c4, [0.9997497811015132, 0.9999997499997813, 0.99999999975]),
        ("c5", c5, [0.022369067648796488, 0.0007071070463516734, 2.236067978338315e-05]),
    ];
    for (name, constant, values) in expected {
        for (n, value) in sizes.into_iter().zip(values) {
            let off = difference(constant(n), value);
            println!("{name}({n}): {off:e}");
            assert!(off <= 5e-14, "{name}({n}) differs by {off:e}");
        }
    }
    for value in [d2(usize::MAX), d3(usize::MAX), d4(usize::MAX), c4(usize::MAX), c5(usize::MAX)] {
        assert!(value.is_finite() && value > 0.0);
    }
    assert!(Factors::of(1_000_000_000).unwrap().B3 > 0.99);
}

#[test]
fn printed_degrees_of_freedom_of_s_are_near_the_formula() {
    let exact = |n: usize| (c4(n) / c5(n)).powi(2) / (2.0 * (n as f64 - 1.0));
    let rounds_otherwise = |n: &usize| ((exact(*n) * 100.0).round() / 100.0 - bissell_f(*n)).abs() > 1e-9;
    // The published table differs from the rounded formula by 0.01 at these n.
    let known = [3, 10, 17].into_iter().chain(51..=64);
    assert!((2..=1000).filter(rounds_otherwise).eq(known));
    for n in 2..=1000 {
        assert!((exact(n) - bissell_f(n)).abs() < 0.0061, "n = {n}: {} and {}", exact(n), bissell_f(n));
    }
}
