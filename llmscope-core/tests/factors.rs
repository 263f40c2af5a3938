//! The factors against an independent computation, row by row.

use llmscope_core::factors::{Factors, bissell_f, c4, c5, d2, d3, d4};
use serde_json::Value;

/// An independent computation of all constants, n = 2 to 100; its `source` field says how.
const REFERENCE: &str = include_str!("reference/control_chart_constants.json");

fn reference() -> Value {
    serde_json::from_str(REFERENCE).unwrap()
}

/// The numbers are strings in the file, so that no digit is lost on the way.
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
        // Nothing in a row goes untested: its other key is n.
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
    for (name, (off, n)) in worst {
        assert!(off <= 1e-12, "{name}({n}) differs by {off:e}");
    }
    assert_eq!(seen.iter().filter(|&&row| row).count(), 99);
    assert!(seen[2..].iter().all(|&row| row));
}
