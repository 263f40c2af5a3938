//! The Anderson–Darling test against R's nortest.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::stats::{MIN_NORMALITY, Sorted, anderson_darling};
use serde_json::Value;

mod univariate;

/// Statistics and p-values from R; its `source` field names the versions.
const NORMALITY: &str = include_str!("reference/normality_tests.json");
const PISTON_RINGS: &str = include_str!("reference/pistonrings_xbar_r_s.json");

/// The data of a case: those of the file, a StRD set, or the piston rings of phase I. The file has no data for the
/// viscosity trial.
fn data(name: &str, case: &Value) -> Option<Vec<f64>> {
    let numbers =
        |value: &Value| -> Vec<f64> { value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect() };
    if let Some(x) = case.get("x") {
        return Some(numbers(x));
    }
    if name == "pistonrings_phase1" {
        let rings: Value = serde_json::from_str(PISTON_RINGS).unwrap();
        return Some(rings["phase1"].as_array().unwrap().iter().flat_map(numbers).collect());
    }
    univariate::sets().into_iter().find(|(set, _)| set["name"] == name).map(|(_, data)| data)
}

#[test]
fn statistic_and_p_value_agree_with_nortest() {
    let reference: Value = serde_json::from_str(NORMALITY).unwrap();
    let (mut seen, mut absent) = (0, Vec::new());
    for (name, case) in reference["cases"].as_object().unwrap() {
        let Some(values) = data(name, case) else {
            absent.push(name.as_str());
            continue;
        };
        assert_eq!(Some(values.len() as u64), case["n"].as_u64(), "{name}");
        let found = anderson_darling(&Sorted::of(&values)).unwrap();
        let off = |actual: f64, key: &str| (actual / case[key].as_f64().unwrap() - 1.0).abs();
        let (statistic, p) = (off(found.anderson_darling, "ad"), off(found.p, "ad_p"));
        println!("{name}: A² off by {statistic:e}, p by {p:e}");
        assert!(statistic <= 1e-9, "{name}: A² {} is off by {statistic:e}", found.anderson_darling);
        assert!(p <= 1e-6, "{name}: p {:e} is off by {p:e}", found.p);
        seen += 1;
    }
    assert_eq!(absent, ["viscosity_trial"]);
    assert_eq!(seen, 10);
}

#[test]
fn the_p_value_is_a_probability_with_a_floor() {
    let outlier = |n: i32| (0..n).map(|i| if i == 0 { 1e6 } else { f64::from(i) }).collect::<Vec<f64>>();
    let mut seen = 0;
    for n in [8, 20, 100, 1000] {
        let found = anderson_darling(&Sorted::of(&outlier(n))).unwrap();
        assert!((3.7e-24..1.0).contains(&found.p), "n = {n}: {found:?}");
        seen += 1;
    }
    assert_eq!(seen, 4);
    assert_eq!(anderson_darling(&Sorted::of(&outlier(1000))).unwrap().p, 3.7e-24);
}

#[test]
fn too_few_or_equal_values_have_no_test() {
    let values: Vec<f64> = (0..8).map(f64::from).collect();
    assert_eq!(MIN_NORMALITY, 8);
    assert!(anderson_darling(&Sorted::of(&values)).is_some());
    assert_eq!(anderson_darling(&Sorted::of(&values[..7])), None);
    assert_eq!(anderson_darling(&Sorted::of(&[0.1; 20])), None);
}

#[test]
fn the_test_does_not_depend_on_location_and_scale() {
    let values = [148.0, 154.0, 158.0, 160.0, 161.0, 162.0, 166.0, 170.0, 182.0, 195.0, 236.0];
    let plain = anderson_darling(&Sorted::of(&values)).unwrap();
    let moved: Vec<f64> = values.iter().map(|x| 4096.0 + 8.0 * x).collect();
    let moved = anderson_darling(&Sorted::of(&moved)).unwrap();
    assert!((plain.anderson_darling / moved.anderson_darling - 1.0).abs() < 1e-12, "{plain:?}, {moved:?}");
}
