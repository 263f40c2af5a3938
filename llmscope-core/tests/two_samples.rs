//! Ranks, order statistics and shares of two samples against SciPy, statsmodels and published examples.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[allow(dead_code, reason = "shared with tests that use all of it")]
mod golden;

use llmscope_core::stats::{
    Autoregression, Contrast, MannWhitney, Proportion, Sorted, bounding_ranks, exceedance, fewest_values,
    hodges_lehmann, shift_bounds, smallest_level,
};
use proptest::prelude::*;
use serde_json::Value;

use golden::{assert_close, numbers, parsed};

fn reference() -> Value {
    parsed(include_str!("reference/two_samples.json"))
}

fn list<'v>(reference: &'v Value, name: &str) -> &'v [Value] {
    let list = reference[name].as_array().unwrap();
    assert!(!list.is_empty());
    list
}

fn count(value: &Value) -> usize {
    usize::try_from(value.as_u64().unwrap()).unwrap()
}

#[test]
fn ranks_agree_with_scipy() {
    let reference = reference();
    for case in list(&reference, "rank_cases") {
        let (x, y) = (Sorted::of(&numbers(&case["baseline"])), Sorted::of(&numbers(&case["candidate"])));
        let name = case["name"].as_str().unwrap();
        let test = MannWhitney::of(&x, &y).unwrap();
        assert_close(name, test.u, &case["u"], 0.0);
        assert_eq!(test.exact, case["method"] == "exact", "{name}");
        assert_close(name, test.p_greater, &case["p_greater"], 1e-10);
        assert_close(name, test.p_less, &case["p_less"], 1e-10);
        assert_close(name, test.p_two_sided, &case["p_two_sided"], 1e-10);
        assert_close(name, hodges_lehmann(&x, &y, Contrast::Difference).unwrap(), &case["median_difference"], 1e-15);
        assert_close(name, hodges_lehmann(&x, &y, Contrast::Ratio).unwrap(), &case["median_ratio"], 1e-15);
    }
}

#[test]
fn the_interval_of_the_shift_is_that_of_hollander_and_wolfe() {
    // The published example: 0.305 with about 95 %; R's wilcox.test(conf.int = TRUE) prints [−0.15, 0.76] from the
    // exact ranks.
    let reference = reference();
    let case = &list(&reference, "rank_cases")[0];
    let (x, y) = (Sorted::of(&numbers(&case["baseline"])), Sorted::of(&numbers(&case["candidate"])));
    let sigma = MannWhitney::of(&x, &y).unwrap().sigma;
    let (lower, upper) = shift_bounds(&x, &y, Contrast::Difference, sigma, 0.025).unwrap();
    assert!((lower + 0.15).abs() < 1e-12 && (upper - 0.76).abs() < 1e-12, "[{lower}, {upper}]");
}

#[test]
fn order_statistics_exceed_each_other_as_the_negative_hypergeometric_says() {
    let reference = reference();
    for case in list(&reference, "order_statistics") {
        let chance =
            exceedance(count(&case["low"]), count(&case["candidate"]), count(&case["high"]), count(&case["baseline"]));
        assert_close("chance", chance, &case["chance"], 1e-9);
    }
}

#[test]
fn shares_agree_with_newcombe() {
    let reference = reference();
    let share = |count: &Value, n: &Value| {
        let size = n.as_f64().unwrap();
        Proportion { share: count.as_f64().unwrap() / size, size }
    };
    for case in list(&reference, "wilson") {
        let (lower, upper) = share(&case["count"], &case["n"]).wilson(case["level"].as_f64().unwrap()).unwrap();
        // Without failures, the lower end is exactly 0; other implementations leave a rounding difference.
        assert!((lower - case["lower"].as_f64().unwrap()).abs() < 1e-12, "{case}: {lower}");
        assert!((upper - case["upper"].as_f64().unwrap()).abs() < 1e-12, "{case}: {upper}");
    }
    let mut all = Vec::new();
    for case in list(&reference, "difference") {
        let (one, other) = (share(&case["count"], &case["n"]), share(&case["other_count"], &case["other_n"]));
        let (lower, upper) = one.minus(other, case["level"].as_f64().unwrap()).unwrap();
        assert!((lower - case["lower"].as_f64().unwrap()).abs() < 1e-12, "{case}: {lower}");
        assert!((upper - case["upper"].as_f64().unwrap()).abs() < 1e-12, "{case}: {upper}");
        all.push([lower, upper]);
    }
    for (printed, ours) in list(&reference, "newcombe_printed").iter().zip(all) {
        for (printed, ours) in numbers(printed).into_iter().zip(ours) {
            assert!((printed - ours).abs() < 6e-5, "{printed} is printed, not {ours}");
        }
    }
}

#[test]
fn ranks_keep_their_level_and_not_by_much() {
    for p in [0.5, 0.9, 0.95, 0.99] {
        for (m, n) in [(50, 50), (200, 200), (1000, 600), (5000, 5000)] {
            for level in [0.05, 0.01, 0.001] {
                let Some(ranks) = bounding_ranks(p, m, n, level) else {
                    assert!(smallest_level(p, m, n) > level);
                    continue;
                };
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are positive")]
                let (low, high) = (ranks.low.floor() as usize, ranks.high.ceil() as usize);
                assert!(exceedance(low, m, high, n) <= level, "p {p} of {m} and {n} at {level}");
                #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks are positive")]
                let (low, high) = (ranks.low.ceil() as usize + 1, ranks.high.floor() as usize - 1);
                assert!(exceedance(low, m, high, n) > level, "p {p} of {m} and {n} at {level} is too careful");
            }
        }
    }
}

#[test]
fn a_quantile_needs_as_many_values_as_are_said() {
    for p in [0.05, 0.9, 0.95, 0.99] {
        let fewest = fewest_values(p, 0.001).unwrap();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a positive size")]
        let at = |factor: f64| smallest_level(p, (fewest * factor) as usize, (fewest * factor) as usize);
        assert!(at(1.3) <= 0.001 && at(0.7) > 0.001, "p {p}: {fewest}");
    }
}

#[test]
fn dependence_is_worth_what_its_process_says() {
    // x = ρx' + e with a scrambled, even e: V = (1 + ρ)/(1 − ρ).
    for rho in [0.0, 0.3, 0.6, 0.9] {
        let mut x = 0.0;
        let mut state = 1u64;
        let values: Vec<f64> = (0..40_000)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let even = f64::from(u32::try_from(state >> 33).unwrap()) / f64::from(1u32 << 31) - 0.5;
                x = rho * x + even;
                x
            })
            .collect();
        let inflation = Autoregression::of(&values, &[]).inflation();
        let truth = (1.0 + rho) / (1.0 - rho);
        assert!((inflation / truth - 1.0).abs() < 0.12, "ρ {rho}: {inflation}, not {truth}");
    }
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![(1u32..9).prop_map(f64::from), 1e-3f64..1e3];
    proptest::collection::vec(value, 1..60)
}

proptest! {
    #[test]
    fn the_shift_is_the_median_of_all_pairs(x in values(), y in values(), level in 0.001f64..0.3) {
        let (baseline, candidate) = (Sorted::of(&x), Sorted::of(&y));
        for contrast in [Contrast::Difference, Contrast::Ratio] {
            let of = |x: f64, y: f64| if contrast == Contrast::Ratio { y / x } else { y - x };
            let all: Vec<f64> = x.iter().flat_map(|&x| y.iter().map(move |&y| of(x, y))).collect();
            let shift = hodges_lehmann(&baseline, &candidate, contrast).unwrap();
            // The median of an even number of ratios is the geometric mean of the two middle ones.
            let logged = if contrast == Contrast::Ratio { all.iter().map(|x| x.ln()).collect() } else { all.clone() };
            let median = Sorted::of(&logged).median().unwrap();
            let median = if contrast == Contrast::Ratio { median.exp() } else { median };
            prop_assert!((shift - median).abs() <= 1e-12 * median.abs(), "{} {}", shift, median);
            let sigma = MannWhitney::of(&baseline, &candidate).unwrap().sigma;
            if let Some((lower, upper)) = shift_bounds(&baseline, &candidate, contrast, sigma, level) {
                prop_assert!(lower <= shift && shift <= upper);
                prop_assert!(all.contains(&lower) && all.contains(&upper));
            }
        }
    }

    #[test]
    fn sides_mirror(x in values(), y in values()) {
        let (x, y) = (Sorted::of(&x), Sorted::of(&y));
        let (one, other) = (MannWhitney::of(&x, &y).unwrap(), MannWhitney::of(&y, &x).unwrap());
        prop_assert!((one.superiority + other.superiority - 1.0).abs() < 1e-12);
        prop_assert!((one.p_greater - other.p_less).abs() < 1e-12);
        prop_assert!((0.0..=1.0).contains(&one.p_two_sided));
    }

    #[test]
    fn dependence_never_makes_more_of_less(x in values(), at in 1usize..50) {
        let breaks = if at < x.len() { vec![at] } else { Vec::new() };
        let fitted = Autoregression::of(&x, &breaks);
        let n = f64::from(u32::try_from(x.len()).unwrap());
        prop_assert!((1.0..=n).contains(&fitted.inflation()), "{}", fitted.inflation());
        prop_assert!(fitted.degrees_of_freedom() >= 1.0);
    }
}
