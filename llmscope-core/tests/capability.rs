//! Capability against independent computations, for each convention of the within sigma.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::capability::{
    SpecificationLimits, bissell_interval, capability, chi_squared_interval, expected_ppm, performance,
};
use llmscope_core::{Error, Sample, SigmaEstimate, SigmaEstimator, Subgroups};
use serde_json::Value;

fn reference(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}

#[track_caller]
fn assert_close(actual: f64, expected: f64, relative: f64) {
    assert!((actual / expected - 1.0).abs() <= relative, "{actual} is not {expected}");
}

fn piston_rings() -> Vec<f64> {
    let rings = reference(include_str!("reference/pistonrings_xbar_r_s.json"));
    let subgroups = rings["phase1"].as_array().unwrap();
    let values: Vec<f64> = subgroups.iter().flat_map(|subgroup| subgroup.as_array().unwrap()).map(number).collect();
    assert_eq!(values.len(), 125);
    values
}

fn piston_limits() -> SpecificationLimits {
    SpecificationLimits::new(Some(73.95), Some(74.05), Some(74.0)).unwrap()
}

#[test]
fn piston_rings_under_every_sigma_convention() {
    let expected = &reference(include_str!("reference/pistonrings_capability.json"))["exact_values"];
    let sample = Sample::new(piston_rings()).unwrap();
    let subgroups = Subgroups::of_size(&sample, 5).unwrap();
    let conventions = [
        ("rbar_d2", SigmaEstimator::AverageRange.of_subgroups(&subgroups)),
        ("sbar_c4", SigmaEstimator::AverageStandardDeviation.of_subgroups(&subgroups)),
        ("pooled_no_unbiasing", SigmaEstimator::PooledBiased.of_subgroups(&subgroups)),
        ("pooled_c4 (Minitab default)", SigmaEstimator::Pooled.of_subgroups(&subgroups)),
        ("moving_range_of_flattened_data", SigmaEstimator::AverageMovingRange.of_sample(&sample)),
    ];
    assert_eq!(expected["within"].as_object().unwrap().len(), conventions.len());
    for (name, within) in conventions {
        let within = within.unwrap();
        let row = &expected["within"][name];
        let mean = number(&expected["mean"]);
        let index = capability(mean, &within, 125, &piston_limits(), 0.95).unwrap();
        // The decimal data lose about 1e-13 of their dispersion, 0.01 in 74, when they are stored in binary.
        for (actual, column) in [
            (within.sigma, "sigma"),
            (index.cp.unwrap(), "cp"),
            (index.cpl.unwrap(), "cpl"),
            (index.cpu.unwrap(), "cpu"),
            (index.cpk, "cpk"),
        ] {
            assert_close(actual, number(&row[column]), 1e-11);
        }
        let ppm = expected_ppm(mean, within.sigma, &piston_limits()).unwrap();
        assert_close(ppm, number(&row["ppm_expected"]), 1e-9);
    }
}

#[test]
fn piston_rings_performance_and_intervals() {
    let expected = &reference(include_str!("reference/pistonrings_capability.json"))["exact_values"];
    let values = piston_rings();
    let p = performance(&values, &piston_limits(), 0.95).unwrap();
    for (actual, name) in [(p.pp.unwrap(), "pp"), (p.ppl.unwrap(), "ppl"), (p.ppu.unwrap(), "ppu"), (p.ppk, "ppk")] {
        assert_close(actual, number(&expected["overall"][name]), 1e-11);
    }
    assert_close(p.cpm.unwrap(), number(&expected["cpm"]["about_target_over_n_minus_1_minitab"]), 1e-11);
    let sample = Sample::new(values).unwrap();
    let subgroups = Subgroups::of_size(&sample, 5).unwrap();
    let index = |estimator: SigmaEstimator| {
        let within = estimator.of_subgroups(&subgroups).unwrap();
        capability(number(&expected["mean"]), &within, 125, &piston_limits(), 0.95).unwrap()
    };
    // The reference pools without unbiasing here.
    let pooled = index(SigmaEstimator::PooledBiased);
    let range = index(SigmaEstimator::AverageRange);
    let intervals = [
        (p.pp_interval, "pp_chi2_df124"),
        (p.ppk_interval, "ppk_bissell_df124"),
        (pooled.cp_interval, "cp_pooled_df100"),
        (pooled.cpk_interval, "cpk_pooled_df100"),
        (range.cp_interval, "cp_rbar_minitab_df_0_9_k_n_minus_1"),
    ];
    assert_eq!(expected["ci95"].as_object().unwrap().len(), intervals.len());
    for (interval, name) in intervals {
        let interval = interval.unwrap();
        assert_close(interval.lower, number(&expected["ci95"][name][0]), 1e-11);
        assert_close(interval.upper, number(&expected["ci95"][name][1]), 1e-11);
    }
}

#[test]
fn published_intervals() {
    let cases = reference(include_str!("reference/capability_intervals.json"));
    let cp = chi_squared_interval(number(&cases["cases"][0]["cp"]), 19.0, 0.95).unwrap();
    assert_close(cp.lower, number(&cases["cases"][0]["ci95"][0]), 1e-12);
    assert_close(cp.upper, number(&cases["cases"][0]["ci95"][1]), 1e-12);
    let cpk = bissell_interval(1.33, 20, 19.0, 0.95).unwrap();
    assert_close(cpk.lower, number(&cases["cases"][1]["ci95_bissell"][0]), 1e-12);
    assert_close(cpk.upper, number(&cases["cases"][1]["ci95_bissell"][1]), 1e-12);
    let by_freedom = cases["cpk_ci_by_df_convention_n100_cpk1_33"].as_object().unwrap();
    assert_eq!(by_freedom.len(), 2);
    for (freedom, expected) in by_freedom {
        let interval = bissell_interval(1.33, 100, freedom.parse().unwrap(), 0.95).unwrap();
        assert_close(interval.lower, number(&expected[0]), 1e-12);
        assert_close(interval.upper, number(&expected[1]), 1e-12);
    }
}

#[test]
fn handbook_example() {
    let case = reference(include_str!("reference/nist_handbook_capability.json"));
    let limits = SpecificationLimits::new(Some(8.0), Some(20.0), None).unwrap();
    let index = capability(16.0, &SigmaEstimate::given(2.0).unwrap(), 30, &limits, 0.95).unwrap();
    for (actual, name) in
        [(index.cp.unwrap(), "cp"), (index.cpk, "cpk"), (index.cpu.unwrap(), "cpu"), (index.cpl.unwrap(), "cpl")]
    {
        assert_close(actual, number(&case["expected"][name]), 1e-15);
    }
    assert_eq!(index.cpk_interval, None, "a given sigma has no degrees of freedom");
}

#[test]
fn one_sided_limits_give_the_one_sided_index_only() {
    let limits = SpecificationLimits::new(None, Some(0.8), None).unwrap();
    let p = performance(&[0.2, 0.3, 0.4], &limits, 0.95).unwrap();
    assert_eq!((p.pp, p.ppl, p.cpm), (None, None, None));
    assert_eq!(p.ppu, Some(p.ppk));
}

#[test]
fn what_cannot_be_is_refused_or_absent() {
    for (lower, upper) in [(None, None), (Some(1.0), Some(1.0)), (Some(2.0), Some(1.0)), (Some(f64::NAN), None)] {
        assert!(matches!(SpecificationLimits::new(lower, upper, None), Err(Error::Specification { .. })));
    }
    let message = SpecificationLimits::new(None, None, Some(1.0)).unwrap_err().to_string();
    assert_eq!(message, "invalid specification limits (lower none, upper none): expected at least one limit");
    let limits = SpecificationLimits::new(Some(0.0), Some(1.0), None).unwrap();
    assert_eq!(performance(&[0.5; 9], &limits, 0.95), None, "no variation");
    assert_eq!(performance(&[0.5], &limits, 0.95), None, "one value");
    assert!(SigmaEstimate::given(0.0).is_err());
}
