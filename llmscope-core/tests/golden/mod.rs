//! Reading the reference files of the chart tests.

use llmscope_core::Sample;
use serde_json::Value;

/// Parses a reference file, which must name its source.
pub(crate) fn parsed(text: &str) -> Value {
    let reference: Value = serde_json::from_str(text).unwrap();
    assert!(reference["source"].as_str().is_some_and(|source| !source.is_empty()));
    reference
}

/// The numbers of a list.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// The 0-based positions of a list of 1-based positions.
pub(crate) fn positions(value: &Value) -> Vec<usize> {
    value.as_array().unwrap().iter().map(|number| usize::try_from(number.as_u64().unwrap()).unwrap() - 1).collect()
}

/// A number, which the files contain as a string if no digit may be lost.
pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| value.as_str().unwrap().parse().unwrap())
}

/// Fails unless `actual` equals the number at `expected` within a relative tolerance.
#[track_caller]
pub(crate) fn assert_close(what: &str, actual: f64, expected: &Value, tolerance: f64) {
    let expected = number(expected);
    let scale = if expected == 0.0 { 1.0 } else { expected.abs() };
    let off = (actual - expected).abs() / scale;
    assert!(off <= tolerance, "{what} is {actual}, not {expected}: off by {off:e}");
}

/// A sample of valid measurements.
pub(crate) fn sample(values: Vec<f64>) -> Sample<'static> {
    Sample::new(values).unwrap()
}
