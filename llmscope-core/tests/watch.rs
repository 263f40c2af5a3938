//! A watch gives the same results as charts of the same values, regardless of where it is stored and restored.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use llmscope_core::rules::judge;
use llmscope_core::watch::{Episodes, Step, Turn, Watch};
use llmscope_core::{
    Bounds, Line, Monitor, RuleSet, Sample, SigmaEstimator, Violation, chart::individuals, error::Error,
};
use proptest::prelude::*;

/// Values in quarters of a sigma about 0, in intervals, so that long patterns occur.
fn values() -> impl Strategy<Value = Vec<f64>> {
    let stretch = (prop::sample::select(vec![(-16, 16), (1, 8), (-8, -1), (-3, 4), (5, 9)]), 1_usize..20)
        .prop_flat_map(|((low, high), length)| prop::collection::vec(low..high, length));
    let rise = (-8_i32..8, 3_i32..9, prop::sample::select(vec![-1, 1]))
        .prop_map(|(start, length, step)| (0..length).map(|i| start + step * i).collect());
    prop::collection::vec(prop_oneof![3 => stretch, 1 => rise], 1..8)
        .prop_map(|all| all.concat().into_iter().map(|quarters| f64::from(quarters) / 4.0).collect())
}

proptest! {
    #[test]
    fn episodes_are_the_violations_of_the_whole_chart(
        points in values(),
        gaps in prop::collection::vec(any::<prop::sample::Index>(), 0..3),
        rules in prop::sample::select(RuleSet::NAMES.to_vec()),
    ) {
        let rules = RuleSet::named(rules).unwrap();
        let breaks: Vec<usize> = gaps.iter().map(|gap| gap.index(points.len())).collect();
        let (center, sigma) = (Line::Constant(0.0), Line::Constant(1.0));
        let mut expected = judge(&points, &center, &sigma, &breaks, &rules).unwrap().violations;
        let mut monitor = Monitor::new(rules.clone(), 0.0, 1.0).unwrap();
        let mut episodes = Episodes::default();
        let mut found: Vec<Violation> = Vec::new();
        let mut open = 0_usize;
        let ended = |turn: &Turn| match turn { Turn::Ended(violation) => Some(violation.clone()), _ => None };
        for (at, &x) in points.iter().enumerate() {
            if breaks.contains(&at) {
                monitor.gap();
                episodes.gap();
            }
            let signals = monitor.push(x).unwrap().to_vec();
            let turns = episodes.push(&rules, at, &signals);
            open += turns.iter().filter(|turn| matches!(turn, Turn::Began(_))).count();
            found.extend(turns.iter().filter_map(ended));
            open -= turns.iter().filter_map(ended).count();
            // A restored state continues like the original.
            episodes = serde_json::from_str(&serde_json::to_string(&episodes).unwrap()).unwrap();
        }
        let rest = episodes.end_all(&rules);
        prop_assert_eq!(rest.len(), open);
        found.extend(rest.iter().filter_map(ended));
        let key = |violation: &Violation| {
            (violation.first_signal, violation.rule.as_str().to_owned(), violation.side.name(), violation.last)
        };
        expected.sort_by_key(key);
        found.sort_by_key(key);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_restored_watch_goes_on_as_the_stored_one(points in values(), cut in any::<prop::sample::Index>()) {
        let mut watch = Watch::learning(Bounds::NONE, RuleSet::nelson(), 12).unwrap();
        let mut other = watch.clone();
        for (at, &x) in points.iter().enumerate() {
            if at == cut.index(points.len()) {
                other = serde_json::from_str(&serde_json::to_string(&other).unwrap()).unwrap();
            }
            prop_assert_eq!(watch.push(x).unwrap(), other.push(x).unwrap());
        }
        prop_assert_eq!(watch, other);
    }
}

#[test]
fn limits_are_learned_once_without_what_lies_beyond_them() {
    let usual = [0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30, 0.32, 0.29, 0.31, 0.30];
    let mut watch = Watch::learning(Bounds::NON_NEGATIVE, RuleSet::nelson(), usual.len() + 1).unwrap();
    let mut steps: Vec<Step> = usual.iter().map(|&x| watch.push(x).unwrap()).collect();
    assert!(steps.iter().all(|step| matches!(step, Step::Learning { .. })));
    assert_eq!(watch.progress(), Some((14, 15)));
    steps.push(watch.push(9.0).unwrap());
    let Step::Learned { limits, standards, values: 15, left_out: 1 } = steps[14] else { panic!("{:?}", steps[14]) };
    let expected =
        individuals::estimate(&Sample::new(&usual[..]).unwrap(), SigmaEstimator::AverageMovingRange).unwrap();
    assert_eq!(standards, expected.standards);
    assert_eq!((limits.lower, limits.upper), (expected.limits.lower.at(0), expected.limits.upper.at(0)));
    assert_eq!((watch.limits(), watch.progress()), (Some(limits), None));
    let Step::Judged { signals, turns } = watch.push(9.0).unwrap() else { panic!("not judged") };
    assert_eq!(signals.len(), turns.len());
    assert!(matches!(&turns[0], Turn::Began(violation) if violation.rule.as_str() == "nelson-1"));
    // The limits stay the same for all later values.
    (0..100).for_each(|_| drop(watch.push(9.0).unwrap()));
    assert_eq!(watch.limits(), Some(limits));
}

#[test]
fn constant_values_make_no_limits_and_take_no_room() {
    let mut watch = Watch::learning(Bounds::NON_NEGATIVE, RuleSet::nelson(), 10).unwrap();
    for _ in 0..1000 {
        assert!(matches!(watch.push(0.3).unwrap(), Step::Learning { .. }));
    }
    assert_eq!(watch.progress(), Some((10, 10)));
    // A single different value among equal ones is an outlier; several are variation.
    let steps = [0.31, 0.29, 0.31, 0.30].map(|x| watch.push(x).unwrap());
    assert!(steps.iter().any(|step| matches!(step, Step::Learned { .. })), "{steps:?}");
}

#[test]
fn what_is_no_value_or_no_limit_is_refused() {
    assert!(matches!(Watch::learning(Bounds::NONE, RuleSet::nelson(), 9), Err(Error::NotEnoughData { have: 9, .. })));
    let mut watch = Watch::learning(Bounds::NONE, RuleSet::nelson(), 10).unwrap();
    assert!(matches!(watch.push(f64::NAN), Err(Error::NonFinite { index: 0, .. })));
    assert_eq!(watch.progress(), Some((0, 10)));
    let counts = llmscope_core::Standards::of_counts(llmscope_core::ChartKind::P, 0.1).unwrap();
    assert!(matches!(Watch::frozen(Bounds::NONE, RuleSet::nelson(), counts), Err(Error::Parameter { .. })));
}
