//! Charts of counts against published examples: p, np, c, u and Laney's, revised limits and clamping.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::chart::{attributes, laney};
use llmscope_core::{ChartKind, Counts, Error, NelsonRule, Phase, RuleSet, SigmaEstimator, Standards};

mod golden;

use golden::{assert_close, numbers, parsed, positions, sample};

const ORANGE_JUICE: &str = include_str!("reference/orangejuice_p_np.json");
const CIRCUITS: &str = include_str!("reference/circuit_c.json");

/// Thirty samples of fifty cans each.
fn orange_juice() -> Counts {
    let reference = parsed(ORANGE_JUICE);
    let counts = numbers(&reference["D"]);
    assert_eq!(counts.len(), 30);
    let sizes = vec![reference["size"].as_f64().unwrap(); counts.len()];
    Counts::of_items(counts, sizes).unwrap()
}

fn circuits() -> Counts {
    let counts = numbers(&parsed(CIRCUITS)["x"]);
    assert_eq!(counts.len(), 26);
    let areas = vec![1.0; counts.len()];
    Counts::of_events(counts, areas).unwrap()
}

/// The counts without some samples, given by 0-based positions.
fn without(counts: &Counts, excluded: &[usize]) -> Counts {
    let kept = |values: &[f64]| -> Vec<f64> {
        values.iter().enumerate().filter(|(i, _)| !excluded.contains(i)).map(|(_, value)| *value).collect()
    };
    Counts::of_events(kept(counts.counts()), kept(counts.sizes())).unwrap()
}

fn beyond_limits(chart: &llmscope_core::Chart<'_>) -> Vec<usize> {
    let judgement = chart.judge(&RuleSet::new([NelsonRule::OneBeyondLimits.into()]).unwrap()).unwrap();
    (0..chart.points.len()).filter(|&i| judgement.signals.at(i).contains(0)).collect()
}

#[test]
fn proportions_of_the_orange_juice_cans() {
    let reference = parsed(ORANGE_JUICE);
    let expected = &reference["expected"];
    let counts = orange_juice();
    let chart = attributes::estimate(&counts, ChartKind::P).unwrap();
    assert_close("center", chart.limits.center.at(0), &expected["p_bar"], 1e-15);
    assert_close("upper", chart.limits.upper.at(0), &expected["ucl"], 1e-14);
    assert_close("lower", chart.limits.lower.at(0), &expected["lcl"], 1e-13);
    assert_eq!(beyond_limits(&chart), positions(&expected["beyond_limits_1based"]));
    let eight: RuleSet = "western-electric-4".parse().unwrap();
    let runs = chart.judge(&eight).unwrap();
    let runs: Vec<usize> = (0..30).filter(|&i| !runs.signals.at(i).is_empty()).collect();
    assert_eq!(runs, positions(&expected["run8_one_side_1based"]));
    assert_eq!((chart.phase, chart.limits.clamped.lower), (Phase::I, false));
}

#[test]
fn numbers_of_the_orange_juice_cans() {
    let reference = parsed(ORANGE_JUICE);
    let expected = &reference["expected"];
    let chart = attributes::estimate(&orange_juice(), ChartKind::Np).unwrap();
    assert_close("center", chart.limits.center.at(0), &expected["np_center"], 1e-14);
    assert_close("upper", chart.limits.upper.at(0), &expected["np_ucl"], 1e-14);
    assert_close("lower", chart.limits.lower.at(0), &expected["np_lcl"], 1e-13);
    assert_eq!(beyond_limits(&chart), positions(&expected["beyond_limits_1based"]));
    assert_eq!(chart.points, numbers(&reference["D"]));
}

#[test]
fn revised_limits_of_the_orange_juice_cans_hold_for_new_ones() {
    let reference = parsed(ORANGE_JUICE);
    let expected = &reference["revised_without_15_and_23"];
    let kept = without(&orange_juice(), &[14, 22]);
    assert_eq!(kept.len(), 28);
    let chart = attributes::estimate(&kept, ChartKind::P).unwrap();
    assert_close("center", chart.limits.center.at(0), &expected["p_bar"], 1e-14);
    assert_close("upper", chart.limits.upper.at(0), &expected["ucl"], 1e-13);
    assert_close("lower", chart.limits.lower.at(0), &expected["lcl"], 1e-12);
    let new = &reference["new_data"];
    let new = Counts::of_items(numbers(&new["D"]), numbers(&new["size"])).unwrap();
    let later = attributes::monitor(&chart.standards, &new).unwrap();
    assert_eq!((later.phase, later.points.len(), &later.limits), (Phase::II, 24, &chart.limits));
    // The two excluded samples are still beyond the revised limits.
    let all = attributes::monitor(&chart.standards, &orange_juice()).unwrap();
    let found = beyond_limits(&all);
    assert!(found.contains(&14) && found.contains(&22), "{found:?}");
}

#[test]
fn nonconformities_of_the_circuit_boards() {
    let reference = parsed(CIRCUITS);
    let expected = &reference["expected"];
    let chart = attributes::estimate(&circuits(), ChartKind::C).unwrap();
    assert_close("center", chart.limits.center.at(0), &expected["c_bar"], 1e-14);
    assert_close("upper", chart.limits.upper.at(0), &expected["ucl"], 1e-14);
    assert_close("lower", chart.limits.lower.at(0), &expected["lcl"], 1e-14);
    let out = positions(&expected["beyond_limits_1based"]);
    assert_eq!(beyond_limits(&chart), out);
    let revised = attributes::estimate(&without(&circuits(), &out), ChartKind::C).unwrap();
    let expected = &reference["revised_without_6_and_20"];
    assert_close("center", revised.limits.center.at(0), &expected["center"], 1e-14);
    assert_close("upper", revised.limits.upper.at(0), &expected["ucl"], 1e-14);
    assert_close("lower", revised.limits.lower.at(0), &expected["lcl"], 1e-14);
}

#[test]
fn a_u_chart_of_equal_areas_is_a_c_chart_per_area() {
    let counts = Counts::of_events(circuits().counts().to_vec(), vec![4.0; 26]).unwrap();
    let c = attributes::estimate(&counts, ChartKind::C).unwrap();
    let u = attributes::estimate(&counts, ChartKind::U).unwrap();
    assert_eq!(c.limits.center.at(0), u.limits.center.at(0) * 4.0);
    for (c, u) in [(&c.limits.upper, &u.limits.upper), (&c.limits.lower, &u.limits.lower)] {
        assert!((c.at(0) / u.at(0) - 4.0).abs() < 1e-14);
    }
    assert_eq!(beyond_limits(&c), beyond_limits(&u));
}

#[test]
fn limits_follow_the_sample_sizes() {
    let counts = Counts::of_items(vec![10.0, 30.0, 160.0], vec![100.0, 400.0, 1500.0]).unwrap();
    let p = attributes::estimate(&counts, ChartKind::P).unwrap();
    // p̄ = 200/2000, so σᵢ = 0.3/√nᵢ.
    assert_eq!((p.limits.center.constant(), &*p.points), (Some(0.1), &[0.1, 0.075, 160.0 / 1500.0][..]));
    for (i, n) in [100.0_f64, 400.0, 1500.0].into_iter().enumerate() {
        assert!((p.limits.upper.at(i) - (0.1 + 0.9 / n.sqrt())).abs() < 1e-15);
        assert!((p.limits.sigma.at(i) - 0.3 / n.sqrt()).abs() < 1e-16);
    }
    let np = attributes::estimate(&counts, ChartKind::Np).unwrap();
    for (i, n) in [100.0_f64, 400.0, 1500.0].into_iter().enumerate() {
        assert!((np.limits.center.at(i) - 0.1 * n).abs() < 1e-12);
        assert!((np.limits.upper.at(i) - (0.1 * n + 0.9 * n.sqrt())).abs() < 1e-12);
    }
    let u = attributes::estimate(&counts, ChartKind::U).unwrap();
    assert!((u.limits.upper.at(1) - (0.1 + 3.0 * (0.1_f64 / 400.0).sqrt())).abs() < 1e-15);
    assert!(matches!(attributes::estimate(&counts, ChartKind::C), Err(Error::Parameter { .. })));
}

#[test]
fn limits_stop_at_what_a_count_can_be_and_say_so() {
    let rare = Counts::of_items(vec![1.0, 0.0, 2.0, 1.0], vec![20.0; 4]).unwrap();
    for kind in [ChartKind::P, ChartKind::Np, ChartKind::C, ChartKind::U] {
        let limits = attributes::estimate(&rare, kind).unwrap().limits;
        assert_eq!((limits.lower.at(0), limits.clamped.lower, limits.clamped.upper), (0.0, true, false), "{kind}");
    }
    let common = Counts::of_items(vec![19.0, 20.0, 18.0, 19.0], vec![20.0; 4]).unwrap();
    for (kind, bound) in [(ChartKind::P, 1.0), (ChartKind::Np, 20.0)] {
        let limits = attributes::estimate(&common, kind).unwrap().limits;
        assert_eq!((limits.upper.at(0), limits.clamped.upper, limits.clamped.lower), (bound, true, false), "{kind}");
    }
    assert!(!attributes::estimate(&common, ChartKind::C).unwrap().limits.clamped.upper);
}

#[test]
fn laney_without_inflation_is_the_plain_chart() {
    for (plain, primed) in [(ChartKind::P, ChartKind::LaneyP), (ChartKind::U, ChartKind::LaneyU)] {
        let counts = orange_juice();
        let chart = attributes::estimate(&counts, plain).unwrap();
        let standards = Standards::of_counts(primed, chart.standards.center).unwrap();
        assert_eq!(standards.inflation, Some(1.0));
        let same = laney::monitor(&standards, &counts).unwrap();
        assert_eq!((&same.points, same.limits.clamped), (&chart.points, chart.limits.clamped));
        assert_eq!(same.limits.center, chart.limits.center);
        for (same, plain) in [(&same.limits.upper, &chart.limits.upper), (&same.limits.lower, &chart.limits.lower)] {
            assert!((same.at(0) - plain.at(0)).abs() < 1e-15, "{primed}: {} and {}", same.at(0), plain.at(0));
        }
    }
}

#[test]
fn laney_widens_the_limits_by_the_moving_range_of_z() {
    let counts =
        Counts::of_items(vec![90.0, 250.0, 420.0, 180.0, 60.0], vec![1000.0, 2000.0, 4000.0, 2000.0, 1000.0]).unwrap();
    for (plain, primed) in [(ChartKind::P, ChartKind::LaneyP), (ChartKind::U, ChartKind::LaneyU)] {
        let p = attributes::estimate(&counts, plain).unwrap();
        let laney = laney::estimate(&counts, primed).unwrap();
        let sigma = &p.limits.sigma;
        let z = (0..5).map(|i| (p.points[i] - p.limits.center.at(i)) / sigma.at(i)).collect();
        let inflation = SigmaEstimator::AverageMovingRange.of_sample(&sample(z)).unwrap().sigma;
        assert!(inflation > 1.0);
        assert!((laney.standards.inflation.unwrap() / inflation - 1.0).abs() < 1e-13);
        for i in 0..5 {
            let half = 3.0 * inflation * sigma.at(i);
            assert!((laney.limits.upper.at(i) - (p.limits.center.at(i) + half)).abs() < 1e-14);
            assert!((laney.limits.lower.at(i) - (p.limits.center.at(i) - half).max(0.0)).abs() < 1e-14);
        }
        let later = laney::monitor(&laney.standards, &counts).unwrap();
        assert_eq!((later.phase, &later.limits), (Phase::II, &laney.limits));
    }
}

#[test]
fn counts_that_cannot_be_are_refused_by_position() {
    let position = |counts: Result<Counts, Error>| match counts {
        Err(Error::Count { index, .. }) => Some(index),
        _ => None,
    };
    assert_eq!(position(Counts::of_items(vec![1.0, 6.0], vec![5.0, 5.0])), Some(1));
    assert_eq!(position(Counts::of_items(vec![1.0, 0.5], vec![5.0, 5.0])), Some(1));
    assert_eq!(position(Counts::of_items(vec![1.0, 1.0], vec![5.5, 5.0])), Some(0));
    assert_eq!(position(Counts::of_events(vec![1.0, -1.0], vec![5.0, 5.0])), Some(1));
    assert_eq!(position(Counts::of_events(vec![f64::NAN], vec![5.0])), Some(0));
    assert_eq!(position(Counts::of_events(vec![1.0], vec![0.0])), Some(0));
    assert!(matches!(Counts::of_events(vec![1.0], vec![]), Err(Error::LengthMismatch { .. })));
    let none = Counts::of_items(vec![], vec![]).unwrap();
    assert!(matches!(attributes::estimate(&none, ChartKind::P), Err(Error::NotEnoughData { have: 0, .. })));
}
