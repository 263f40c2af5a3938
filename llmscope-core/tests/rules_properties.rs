//! The rules against a stateless definition, window by window, on random charts; and the transformations under which
//! they are invariant.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::rules::judge;
use llmscope_core::{Judgement, Line, Monitor, RuleMask, RuleSet, Side};
use proptest::prelude::*;

/// A rule's number, its length, and whether a window of that many points contains its pattern.
type Definition = (usize, usize, fn(&[f64], f64, f64) -> bool);

fn above(window: &[f64], line: f64) -> usize {
    window.iter().filter(|&&x| x > line).count()
}

fn below(window: &[f64], line: f64) -> usize {
    window.iter().filter(|&&x| x < line).count()
}

/// At least `count` points of the window beyond k sigmas on one side, the last point among them.
fn most_beyond(window: &[f64], center: f64, distance: f64, count: usize) -> bool {
    let last = &window[window.len() - 1..];
    let (high, low) = (center + distance, center - distance);
    above(last, high) == 1 && above(window, high) >= count || below(last, low) == 1 && below(window, low) >= count
}

/// Signs of the differences in a window.
fn steps(window: &[f64]) -> Vec<i8> {
    window.windows(2).map(|pair| i8::from(pair[1] > pair[0]) - i8::from(pair[1] < pair[0])).collect()
}

/// Nelson's eight rules as published. Rules 5 and 6 also accept windows that the start of the data truncates.
const DEFINITIONS: [Definition; 8] = [
    (1, 1, |w, c, s| w[0] > c + 3.0 * s || w[0] < c - 3.0 * s),
    (2, 9, |w, c, _| above(w, c) == 9 || below(w, c) == 9),
    (3, 6, |w, _, _| steps(w).iter().all(|&step| step == 1) || steps(w).iter().all(|&step| step == -1)),
    (4, 14, |w, _, _| steps(w)[0] != 0 && steps(w).windows(2).all(|pair| pair[0] == -pair[1])),
    (5, 3, |w, c, s| most_beyond(w, c, 2.0 * s, 2)),
    (6, 5, |w, c, s| most_beyond(w, c, s, 4)),
    (7, 15, |w, c, s| above(w, c + s) == 0 && below(w, c - s) == 0),
    (8, 8, |w, c, s| above(w, c + s) + below(w, c - s) == 8),
];

/// Whether each rule signals at each point, by definition.
fn defined_signals(points: &[f64], breaks: &[usize], center: f64, sigma: f64) -> Vec<[bool; 8]> {
    (0..points.len())
        .map(|at| {
            let start = breaks.iter().copied().filter(|&gap| gap <= at).max().unwrap_or(0);
            let history = &points[start..=at];
            DEFINITIONS.map(|(number, length, shows)| {
                let partial = matches!(number, 5 | 6);
                let from = history.len().saturating_sub(length);
                (partial || history.len() >= length) && shows(&history[from..], center, sigma)
            })
        })
        .collect()
}

fn flags(mask: RuleMask) -> [bool; 8] {
    std::array::from_fn(|rule| mask.contains(rule))
}

/// A chart to judge: points with ties and points on lines, gaps, and dyadic lines, so that nothing is rounded.
#[derive(Debug, Clone)]
struct RandomChart {
    points: Vec<f64>,
    breaks: Vec<usize>,
    center: f64,
    sigma: f64,
}

impl RandomChart {
    fn judged(&self) -> Judgement {
        let (center, sigma) = (Line::Constant(self.center), Line::Constant(self.sigma));
        judge(&self.points, &center, &sigma, &self.breaks, &RuleSet::nelson()).unwrap()
    }
}

/// Intervals of different kinds, in quarters of sigma about the center line, so that long patterns occur.
fn stretch() -> impl Strategy<Value = Vec<i32>> {
    prop_oneof![
        prop::collection::vec(-14..=14_i32, 1..12),
        prop::collection::vec(-4..=4_i32, 1..24),
        prop::collection::vec(0..=5_i32, 1..14),
        prop::collection::vec(-5..=0_i32, 1..14),
        prop::collection::vec(prop_oneof![Just(5_i32), Just(-5), Just(4), Just(9)], 1..12),
        prop::collection::vec(prop_oneof![Just(8_i32), Just(-8), Just(9), Just(-9), Just(12), Just(13)], 1..8),
        (1..12_i32, -8..0_i32).prop_map(|(length, start)| (start..start + length).collect()),
        (1..12_i32, 0..9_i32).prop_map(|(length, start)| (start - length..start).rev().collect()),
        (1..20_i32, 1..6_i32)
            .prop_map(|(length, high)| (0..length).map(|i| if i % 2 == 0 { high } else { -i % 3 }).collect()),
    ]
}

fn chart() -> impl Strategy<Value = RandomChart> {
    let quarters = prop::collection::vec(stretch(), 0..8).prop_map(|stretches| stretches.concat());
    (quarters, prop::collection::vec(1..120_usize, 0..4), -3..=3_i32, -2..=2_i32).prop_map(
        |(quarters, mut breaks, center, scale)| {
            breaks.sort_unstable();
            breaks.dedup();
            breaks.retain(|&at| at < quarters.len());
            let (center, sigma) = (f64::from(center) * 0.5, 2.0_f64.powi(scale));
            let points = quarters.into_iter().map(|quarter| center + f64::from(quarter) * 0.25 * sigma).collect();
            RandomChart { points, breaks, center, sigma }
        },
    )
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

/// A fixed number of random charts, to count the patterns that the properties below cover.
#[test]
fn random_charts_show_every_rule() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut signals = [0; 8];
    for _ in 0..500 {
        let chart = chart().new_tree(&mut runner).unwrap().current();
        for (count, rule) in signals.iter_mut().zip(0..8) {
            *count += chart.judged().signals.iter().filter(|mask| mask.contains(rule)).count();
        }
    }
    println!("{signals:?}");
    assert!(signals.iter().all(|&count| count >= 50), "signals of each rule: {signals:?}");
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn signals_are_those_of_the_definition(chart in chart()) {
        let found: Vec<_> = chart.judged().signals.iter().map(flags).collect();
        prop_assert_eq!(found, defined_signals(&chart.points, &chart.breaks, chart.center, chart.sigma));
    }

    #[test]
    fn every_signal_is_a_member_and_every_member_belongs_to_a_violation(chart in chart()) {
        let judgement = chart.judged();
        let rules = RuleSet::nelson();
        for (at, (signals, members)) in judgement.signals.iter().zip(judgement.members.iter()).enumerate() {
            for (rule, known) in rules.rules().iter().enumerate() {
                prop_assert!(!signals.contains(rule) || members.contains(rule), "{} at {}", known.code(), at);
                let mut own = judgement.violations.iter().filter(|v| v.rule == *known.code());
                prop_assert!(!members.contains(rule) || own.any(|v| (v.first..=v.last).contains(&at)));
            }
        }
    }

    #[test]
    fn violations_reconstruct_from_the_signals(chart in chart()) {
        let judgement = chart.judged();
        let rules = RuleSet::nelson();
        let mut rebuilt = vec![[false; 8]; chart.points.len()];
        for violation in &judgement.violations {
            let rule = rules.codes().position(|code| *code == violation.rule).unwrap();
            let length = DEFINITIONS[rule].1;
            prop_assert!(violation.first <= violation.first_signal && violation.first_signal <= violation.last);
            prop_assert!(violation.first_signal - violation.first < length);
            // If a rule needs every point of the window, its first pattern is exactly that long.
            prop_assert!(matches!(rule, 4 | 5) || violation.first_signal - violation.first == length - 1);
            prop_assert!(judgement.members.at(violation.first).contains(rule));
            prop_assert!(!chart.breaks.iter().any(|&gap| gap > violation.first && gap <= violation.last));
            for at in violation.signals() {
                prop_assert!(!rebuilt[at][rule], "violations of one rule share a signal");
                rebuilt[at][rule] = true;
            }
            // Maximal: the points next to the run do not signal, or belong to another side or another segment.
            let after = violation.last + 1;
            if after < judgement.signals.len() && judgement.signals.at(after).contains(rule) && !chart.breaks.contains(&after) {
                let next = judgement.violations.iter().find(|v| v.rule == violation.rule && v.first_signal == after);
                prop_assert!(next.is_some_and(|next| next.side != violation.side));
            }
        }
        let found: Vec<_> = judgement.signals.iter().map(flags).collect();
        prop_assert_eq!(rebuilt, found);
        prop_assert!(judgement.violations.is_sorted_by_key(|violation| violation.first_signal));
    }

    #[test]
    fn a_monitor_stored_and_restored_anywhere_gives_the_same_signals(chart in chart(), split in 0..120_usize) {
        check_monitor(&chart, split)?;
    }

    #[test]
    fn a_power_of_two_and_a_dyadic_shift_change_nothing(chart in chart(), scale in -6..=6_i32, shift in -64..=64_i32) {
        let (factor, shift) = (2.0_f64.powi(scale), f64::from(shift) * 0.125);
        let moved = RandomChart {
            points: chart.points.iter().map(|x| x * factor + shift).collect(),
            breaks: chart.breaks.clone(),
            center: chart.center * factor + shift,
            sigma: chart.sigma * factor,
        };
        prop_assert_eq!(moved.judged(), chart.judged());
    }

    #[test]
    fn a_reflection_swaps_the_sides(chart in chart()) {
        let mirrored = RandomChart {
            points: chart.points.iter().map(|x| -x).collect(),
            center: -chart.center,
            ..chart.clone()
        };
        let (found, mut expected) = (mirrored.judged(), chart.judged());
        for violation in &mut expected.violations {
            violation.side = match violation.side {
                Side::Above => Side::Below,
                Side::Below => Side::Above,
                Side::Both => Side::Both,
            };
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn a_monitor_of_ordinary_numbers_survives_storing(
        mut points in prop::collection::vec(0.05..3.0_f64, 2..40),
        repeat in 1..40_usize,
        center in 0.05..3.0_f64,
        sigma in 0.01..2.0_f64,
    ) {
        // A tie across the split: with a rounded previous point, the tie would be lost.
        let split = repeat.min(points.len() - 1);
        points[split] = points[split - 1];
        check_monitor(&RandomChart { points, breaks: Vec::new(), center, sigma }, split)?;
    }
}

/// Pushes the points one by one; before point `split`, the monitor is serialized and restored.
fn check_monitor(chart: &RandomChart, split: usize) -> Result<(), TestCaseError> {
    let mut monitor = Monitor::new(RuleSet::nelson(), chart.center, chart.sigma).unwrap();
    let judgement = chart.judged();
    for (at, &x) in chart.points.iter().enumerate() {
        if at == split {
            let written = serde_json::to_string(&monitor).unwrap();
            let restored: Monitor = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(serde_json::to_string(&restored).unwrap(), written);
            monitor = restored;
        }
        if chart.breaks.contains(&at) {
            monitor.gap();
        }
        let signals = monitor.push(x).unwrap();
        let found: [bool; 8] = std::array::from_fn(|rule| signals.iter().any(|signal| signal.rule == rule));
        prop_assert_eq!(found, flags(judgement.signals.at(at)), "point {}", at);
        for signal in signals {
            prop_assert_eq!(signal.at, at);
            prop_assert!(judgement.members.at(signal.first).contains(signal.rule));
        }
    }
    prop_assert_eq!(monitor.seen(), chart.points.len());
    Ok(())
}
