//! One-way analysis of variance: NIST's sets, textbook examples, the F distribution, and the coverage of the intervals.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::stats::{Moments, OneWay, VarianceInterval, fisher_quantile_upper, fisher_sf};
use proptest::prelude::*;
use serde_json::Value;

#[allow(dead_code, reason = "other tests use the rest")]
mod golden;

use golden::{assert_close, numbers, parsed};

/// Data with NIST's certified results, and the exact results for the data as `f64` holds them.
const STRD: &str = include_str!("reference/nist_strd_anova.json");
/// Published random-effects examples.
const RANDOM_EFFECTS: &str = include_str!("reference/random_effects.json");
const FISHER: &str = include_str!("reference/fisher.json");

fn anova(groups: &[Vec<f64>]) -> OneWay {
    OneWay::of(&groups.iter().map(|group| Moments::of(group)).collect::<Vec<_>>()).unwrap()
}

/// The treatments of a set of NIST. Repetitive ones are written as their first value and the pair that repeats.
fn treatments(case: &Value) -> Vec<Vec<f64>> {
    let Some(patterns) = case["patterns"].as_array() else {
        return case["data"].as_array().unwrap().iter().map(numbers).collect();
    };
    let replicates = usize::try_from(case["replicates"].as_u64().unwrap()).unwrap();
    let repeated = |pattern: &Value| {
        let pattern = numbers(pattern);
        (0..replicates).map(|i| if i == 0 { pattern[0] } else { pattern[2 - i % 2] }).collect()
    };
    patterns.iter().map(repeated).collect()
}

#[test]
fn nist_sets_have_every_digit_that_the_data_allow() {
    let reference = parsed(STRD);
    let cases = reference["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let groups = treatments(case);
        let found = anova(&groups);
        let results = [
            ("between", found.between_sum_of_squares),
            ("within", found.within_sum_of_squares),
            ("f", found.f.unwrap()),
        ];
        // Storing data of 13 leading digits in binary loses all but four digits of their variation.
        let stored = match name {
            "SmLs07" | "SmLs08" | "SmLs09" => 2e-4,
            "SmLs04" | "SmLs05" | "SmLs06" | "AtmWtAg" => 2e-9,
            _ => 1e-13,
        };
        for (what, value) in results {
            assert_close(&format!("{name} binary {what}"), value, &case["binary"][what], 2e-15);
            assert_close(&format!("{name} {what}"), value, &case["certified"][what], stored);
        }
        assert_eq!(found.n as u64, case["n"].as_u64().unwrap());
        let (d1, d2) = found.degrees_of_freedom();
        assert_eq!(vec![d1, d2], numbers(&case["certified"]["df"]));
    }
}

#[test]
fn published_variance_components() {
    for case in parsed(RANDOM_EFFECTS)["cases"].as_array().unwrap() {
        let found = anova(&case["data"].as_array().unwrap().iter().map(numbers).collect::<Vec<_>>());
        let (between, within) = (found.between_variance(), found.within_variance());
        for (what, value) in [
            ("ms_between", found.between_mean_square()),
            ("ms_within", within),
            ("f", found.f.unwrap()),
            ("n0", found.n0),
            ("between", between),
            ("within", within),
            ("share", between / found.total_variance()),
        ] {
            // As many digits as the publication prints.
            let printed = case["printed"][what].as_str().unwrap();
            let decimals = printed.split_once('.').map_or(0, |(_, fraction)| fraction.len());
            assert_eq!(format!("{value:.decimals$}"), printed, "{} {what}", case["name"]);
        }
        assert_close("p", found.p.unwrap(), &case["p"], 1e-12);
        let intervals = [
            ("within", found.within_interval(0.95)),
            ("between", found.between_interval(0.95)),
            ("total", found.total_interval(0.95)),
        ];
        for (what, interval) in intervals {
            let VarianceInterval { lower, upper, .. } = interval.unwrap();
            assert_close(what, lower, &case["intervals_of_variance"][what][0], 1e-10);
            assert_close(what, upper, &case["intervals_of_variance"][what][1], 1e-10);
        }
    }
}

#[test]
fn the_f_distribution_against_40_digits() {
    let reference = parsed(FISHER);
    let rows = |name: &str| reference[name].as_array().unwrap().clone();
    let mut worst = (0.0_f64, String::new());
    let mut check = |row: &Value, actual: f64| {
        let row = numbers(row);
        let off = (actual / row[3] - 1.0).abs();
        if off > worst.0 {
            worst = (off, format!("{row:?}"));
        }
        // Near 0 and 1, the lost precision of the probability is relative to its logarithm.
        assert!(off <= 1e-12 * row[3].ln().abs().max(1.0), "{row:?}: {actual:e}, off by {off:e}");
    };
    for row in rows("upper_tail") {
        let [d1, d2, f, _] = numbers(&row)[..] else { panic!("{row}") };
        check(&row, fisher_sf(f, d1, d2).unwrap());
    }
    for row in rows("quantile_upper") {
        let [d1, d2, q, _] = numbers(&row)[..] else { panic!("{row}") };
        check(&row, fisher_quantile_upper(q, d1, d2).unwrap());
    }
    println!("largest relative error {:e} at {}", worst.0, worst.1);
    for (f, d1, d2) in [(-1.0, 1.0, 1.0), (f64::NAN, 1.0, 1.0), (1.0, 0.0, 1.0), (1.0, 1.0, f64::INFINITY)] {
        assert_eq!(fisher_sf(f, d1, d2), None);
    }
    assert_eq!((fisher_sf(0.0, 2.0, 3.0), fisher_sf(f64::MAX, 2.0, 3.0)), (Some(1.0), Some(0.0)));
    assert_eq!(fisher_quantile_upper(0.0, 1.0, 1.0), None);
}

/// Uniform numbers of a linear congruential generator (Knuth's MMIX), as normal ones by Box & Muller (1958).
struct Normals(u64);

impl Normals {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn next(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    const STUDIES: usize = 1000;
    let mut normals = Normals(7);
    for (between, sizes) in [(1.0_f64, vec![30; 5]), (0.5, vec![10, 40, 80, 20, 5, 30])] {
        let mut held = [0; 3];
        for _ in 0..STUDIES {
            let mut run = |&size: &usize| -> Vec<f64> {
                let shift = between * normals.next();
                (0..size).map(|_| 10.0 + shift + normals.next()).collect()
            };
            let found = anova(&sizes.iter().map(&mut run).collect::<Vec<_>>());
            let truths = [
                (found.within_interval(0.95), 1.0),
                (found.between_interval(0.95), between * between),
                (found.total_interval(0.95), 1.0 + between * between),
            ];
            for (held, (interval, truth)) in held.iter_mut().zip(truths) {
                let interval = interval.unwrap();
                *held += usize::from(interval.lower <= truth && truth <= interval.upper);
            }
        }
        // The standard error of a share of 0.95 in 1000 is 0.007.
        for held in held {
            let coverage = held as f64 / STUDIES as f64;
            assert!((0.925..=0.98).contains(&coverage), "{between} {sizes:?}: {coverage}");
        }
    }
}

proptest! {
    #[test]
    fn sums_of_squares_add_up_and_intervals_are_ordered(
        groups in prop::collection::vec(prop::collection::vec(-1e3..1e3_f64, 1..20), 2..6),
        confidence in 0.5..0.999_f64,
    ) {
        let moments: Vec<Moments> = groups.iter().map(|group| Moments::of(group)).collect();
        let Ok(found) = OneWay::of(&moments) else { return Ok(()) };
        let all = Moments::of(&groups.concat());
        let total = all.variance().unwrap() * (all.count() - 1) as f64;
        let sum = found.between_sum_of_squares + found.within_sum_of_squares;
        prop_assert!((sum - total).abs() <= 1e-12 * total.max(1.0));
        prop_assert!(found.between_variance() >= 0.0 && found.n0 >= 1.0 - 1e-12);
        prop_assert!(found.p.is_none_or(|p| (0.0..=1.0).contains(&p)));
        for interval in [
            found.within_interval(confidence),
            found.between_interval(confidence),
            found.total_interval(confidence),
        ].into_iter().flatten() {
            prop_assert!(0.0 <= interval.lower && interval.lower <= interval.upper && interval.upper.is_finite());
        }
    }
}

#[test]
fn too_few_groups_or_measurements_are_refused() {
    let of = |groups: &[&[f64]]| OneWay::of(&groups.iter().map(|group| Moments::of(group)).collect::<Vec<_>>());
    assert!(of(&[]).is_err());
    assert!(of(&[&[1.0, 2.0], &[]]).is_err());
    assert!(of(&[&[1.0], &[2.0]]).unwrap_err().to_string().contains("at least 3"));
    let constant = of(&[&[1.0, 1.0], &[2.0, 2.0]]).unwrap();
    assert_eq!((constant.f, constant.p, constant.within_variance()), (None, None, 0.0));
}
