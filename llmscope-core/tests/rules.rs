//! Nelson's rules on hand-made patterns: each signals at its minimal pattern and not with one point less; lines, ties,
//! gaps.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails by panicking")]

use llmscope_core::rules::judge;
use llmscope_core::{Judgement, Line, NelsonRule, Pattern, Rule, RuleSet, Side, Violation};

/// Judges against center 0 and sigma 1.
fn judged(points: &[f64], breaks: &[usize], rules: &RuleSet) -> Judgement {
    judge(points, &Line::Constant(0.0), &Line::Constant(1.0), breaks, rules).unwrap()
}

/// Only Nelson's rule of this number.
fn nelson(number: usize) -> RuleSet {
    RuleSet::new([Rule::from(NelsonRule::ALL[number - 1])]).unwrap()
}

/// Positions at which the first rule of the set signals.
fn signals(points: &[f64], breaks: &[usize], rules: &RuleSet) -> Vec<usize> {
    let judgement = judged(points, breaks, rules);
    (0..points.len()).filter(|&i| judgement.signals.at(i).contains(0)).collect()
}

/// Positions that belong to a pattern of the first rule of the set.
fn members(points: &[f64], breaks: &[usize], rules: &RuleSet) -> Vec<usize> {
    let judgement = judged(points, breaks, rules);
    (0..points.len()).filter(|&i| judgement.members.at(i).contains(0)).collect()
}

/// `(first, first signal, last, side)` of each violation.
fn extents(points: &[f64], breaks: &[usize], rules: &RuleSet) -> Vec<(usize, usize, usize, Side)> {
    let extent = |violation: &Violation| (violation.first, violation.first_signal, violation.last, violation.side);
    judged(points, breaks, rules).violations.iter().map(extent).collect()
}

/// For each rule: its number, a shortest sequence that completes it on the upper side, and the sides of the violation
/// and of its mirror image.
fn minimal_patterns() -> Vec<(usize, Vec<f64>, Side, Side)> {
    let alternating =
        |count: usize, high: f64, low: f64| (0..count).map(|i| if i % 2 == 0 { high } else { low }).collect::<Vec<_>>();
    vec![
        (1, vec![3.25], Side::Above, Side::Below),
        (2, vec![0.5; 9], Side::Above, Side::Below),
        (3, vec![-0.5, -0.25, 0.0, 0.25, 0.5, 0.75], Side::Above, Side::Below),
        (4, alternating(14, 0.5, -0.5), Side::Both, Side::Both),
        (5, vec![2.5, 0.0, 2.5], Side::Above, Side::Below),
        (6, vec![1.5, 1.5, 0.0, 1.5, 1.5], Side::Above, Side::Below),
        (7, alternating(15, 0.0, 0.75), Side::Both, Side::Both),
        (8, alternating(8, 1.5, -1.5), Side::Both, Side::Both),
    ]
}

#[test]
fn each_rule_fires_at_its_minimal_pattern_on_both_sides() {
    let mut seen = 0;
    for (number, points, side, mirrored_side) in minimal_patterns() {
        let mirrored: Vec<f64> = points.iter().map(|x| -x).collect();
        let last = points.len() - 1;
        for (points, side) in [(&points, side), (&mirrored, mirrored_side)] {
            let rules = nelson(number);
            assert_eq!(signals(points, &[], &rules), [last], "rule {number} of {points:?}");
            assert_eq!(extents(points, &[], &rules), [(0, last, last, side)], "rule {number} of {points:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, 16);
}

#[test]
fn one_point_less_does_not_fire() {
    let mut seen = 0;
    for (number, points, ..) in minimal_patterns() {
        for sign in [1.0, -1.0] {
            let points: Vec<f64> = points.iter().map(|x| sign * x).collect();
            for shorter in [&points[1..], &points[..points.len() - 1]] {
                assert_eq!(signals(shorter, &[], &nelson(number)), [0; 0], "rule {number} of {shorter:?}");
                assert_eq!(members(shorter, &[], &nelson(number)), [0; 0], "rule {number} of {shorter:?}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 32);
}

#[test]
fn a_gap_anywhere_inside_ends_the_pattern() {
    let mut seen = 0;
    for (number, points, ..) in minimal_patterns() {
        for gap in 1..points.len() {
            assert_eq!(signals(&points, &[gap], &nelson(number)), [0; 0], "rule {number}, gap before {gap}");
            seen += 1;
        }
        // A gap before the pattern has no effect on it.
        let twice: Vec<f64> = points.iter().chain(&points).copied().collect();
        let n = points.len();
        assert_eq!(signals(&twice, &[n], &nelson(number)), [n - 1, 2 * n - 1], "rule {number} twice");
        assert_eq!(extents(&twice, &[n], &nelson(number)).len(), 2, "rule {number} twice");
    }
    assert_eq!(seen, 8 + 5 + 13 + 2 + 4 + 14 + 7);
}

#[test]
fn a_point_on_a_sigma_line_is_inside_it() {
    // On 3σ, 2σ and 1σ exactly, where the line itself is rounded: 0.1 + 3 · 0.7.
    let (center, sigma) = (0.1, 0.7);
    let mut seen = 0;
    for (number, multiple, length) in [(1, 3.0, 1), (5, 2.0, 3), (6, 1.0, 5), (8, 1.0, 8)] {
        for sign in [1.0, -1.0] {
            let line: f64 = center + sign * (multiple * sigma);
            let beyond = if sign > 0.0 { line.next_up() } else { line.next_down() };
            for (x, fires) in [(line, false), (beyond, true)] {
                let points = vec![x; length];
                let found =
                    judge(&points, &Line::Constant(center), &Line::Constant(sigma), &[], &nelson(number)).unwrap();
                assert_eq!(!found.is_in_control(), fires, "rule {number} at {x:e}");
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 16);
    // Rule 7 reverses this: a point on the line is inside.
    for sign in [1.0, -1.0] {
        let mut points = vec![sign; 15];
        assert_eq!(signals(&points, &[], &nelson(7)), [14]);
        points[7] = sign * 1.0_f64.next_up();
        assert_eq!(signals(&points, &[], &nelson(7)), [0; 0]);
    }
}

#[test]
fn a_point_on_the_center_line_is_on_neither_side() {
    let mut points = vec![0.5; 17];
    points[8] = 0.0;
    assert_eq!(signals(&points, &[], &nelson(2)), [0; 0]);
    points[8] = f64::MIN_POSITIVE;
    assert_eq!(signals(&points, &[], &nelson(2)), [8, 9, 10, 11, 12, 13, 14, 15, 16]);
    points[8] = -0.0;
    assert_eq!(signals(&points, &[], &nelson(2)), [0; 0]);
    points[8] = -f64::MIN_POSITIVE;
    assert_eq!(signals(&points, &[], &nelson(2)), [0; 0]);
}

#[test]
fn a_tie_ends_a_trend_and_an_alternation() {
    let rising = [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0];
    assert_eq!(signals(&rising, &[], &nelson(3)), [0; 0]);
    let longer = [0.0, 1.0, 2.0, 3.0, 4.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    // The second of the tied points is the first of the next six.
    assert_eq!(extents(&longer, &[], &nelson(3)), [(5, 10, 10, Side::Above)]);
    let mut alternating: Vec<f64> = (0..27).map(|i| f64::from(i % 2)).collect();
    assert_eq!(signals(&alternating, &[], &nelson(4)).len(), 14);
    alternating[13] = alternating[12];
    assert_eq!(signals(&alternating, &[], &nelson(4)), [0; 0]);
}

#[test]
fn a_turning_point_belongs_to_both_trends() {
    let points = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 4.0, 3.0, 2.0, 1.0, 0.0];
    assert_eq!(extents(&points, &[], &nelson(3)), [(0, 5, 5, Side::Above), (5, 10, 10, Side::Below)]);
    assert_eq!(members(&points, &[], &nelson(3)), (0..11).collect::<Vec<_>>());
}

#[test]
fn a_signal_repeats_while_the_pattern_goes_on() {
    let mut points = vec![0.5; 12];
    points.push(-0.5);
    assert_eq!(signals(&points, &[], &nelson(2)), [8, 9, 10, 11]);
    assert_eq!(members(&points, &[], &nelson(2)), (0..12).collect::<Vec<_>>());
    assert_eq!(extents(&points, &[], &nelson(2)), [(0, 8, 11, Side::Above)]);
    let violation = judged(&points, &[], &nelson(2)).violations.remove(0);
    assert_eq!(violation.signals().collect::<Vec<_>>(), [8, 9, 10, 11]);
    assert_eq!(violation.rule.as_str(), "nelson-2");
}

#[test]
fn only_points_beyond_the_line_are_members_of_two_of_three() {
    let points = [2.5, 0.0, 2.5, 0.0, 0.0, 2.5];
    assert_eq!(signals(&points, &[], &nelson(5)), [2]);
    assert_eq!(members(&points, &[], &nelson(5)), [0, 2]);
    // Two of three, but the last one is not beyond: no signal.
    let points = [2.5, 2.5, 0.0];
    assert_eq!(signals(&points, &[], &nelson(5)), [1]);
    assert_eq!(members(&points, &[], &nelson(5)), [0, 1]);
    // One on each side is not two on one side.
    assert_eq!(signals(&[2.5, -2.5, 0.0], &[], &nelson(5)), [0; 0]);
    assert_eq!(signals(&[2.5, -2.5, 2.5, -2.5], &[], &nelson(5)), [2, 3]);
    let found = extents(&[2.5, -2.5, 2.5, -2.5], &[], &nelson(5));
    assert_eq!(found, [(0, 2, 2, Side::Above), (1, 3, 3, Side::Below)]);
}

#[test]
fn single_points_on_opposite_sides_are_two_violations() {
    assert_eq!(extents(&[4.0, 4.0, -4.0], &[], &nelson(1)), [(0, 0, 1, Side::Above), (2, 2, 2, Side::Below)]);
}

#[test]
fn eight_beyond_one_sigma_tell_their_side() {
    for (points, side) in [([1.5; 8], Side::Above), ([-1.5; 8], Side::Below)] {
        assert_eq!(extents(&points, &[], &nelson(8)), [(0, 7, 7, side)]);
    }
    let one_sided =
        RuleSet::new([
            Rule::new("either-and-both", Pattern::Outside { multiple: 1.0, length: 8, both_sides: true }).unwrap()
        ])
        .unwrap();
    assert_eq!(signals(&[1.5; 8], &[], &one_sided), [0; 0]);
    let mut points = [1.5; 8];
    points[0] = -1.5;
    assert_eq!(extents(&points, &[], &one_sided), [(0, 7, 7, Side::Both)]);
}

#[test]
fn overlapping_rules_are_all_reported_in_order() {
    let points = vec![3.5; 9];
    let judgement = judged(&points, &[], &RuleSet::nelson());
    let codes: Vec<_> = judgement.violations.iter().map(|v| (v.rule.as_str(), v.first_signal)).collect();
    assert_eq!(codes, [("nelson-1", 0), ("nelson-5", 1), ("nelson-6", 3), ("nelson-8", 7), ("nelson-2", 8)]);
    let at_the_last: Vec<_> = RuleSet::nelson().select(judgement.signals.at(8)).map(|r| r.code().to_string()).collect();
    assert_eq!(at_the_last, ["nelson-1", "nelson-2", "nelson-5", "nelson-6", "nelson-8"]);
}

#[test]
fn nothing_varies_so_nothing_signals() {
    let judgement = judge(&[7.0; 40], &Line::Constant(7.0), &Line::Constant(0.0), &[], &RuleSet::nelson()).unwrap();
    assert!(judgement.is_in_control(), "{:?}", judgement.violations);
}

#[test]
fn each_point_is_judged_against_its_own_lines() {
    let center = Line::PerPoint(vec![0.0, 10.0, 0.0]);
    let sigma = Line::PerPoint(vec![1.0, 1.0, 0.125]);
    let judgement = judge(&[3.5, 3.5, 0.5], &center, &sigma, &[], &nelson(1)).unwrap();
    let sides: Vec<_> = judgement.violations.iter().map(|v| (v.first, v.side)).collect();
    assert_eq!(sides, [(0, Side::Above), (1, Side::Below), (2, Side::Above)]);
}

#[test]
fn presets_differ_where_their_authors_do() {
    // The shortest run on one side that signals, and the number of rules.
    let expected = [
        ("nelson", Some(9), 8),
        ("western-electric", Some(8), 4),
        ("aiag", Some(7), 8),
        ("montgomery", Some(8), 8),
        ("westgard", Some(10), 5),
        ("none", None, 0),
    ];
    assert_eq!(expected.map(|(name, ..)| name), RuleSet::NAMES);
    for (name, run, count) in expected {
        let rules = RuleSet::named(name).unwrap();
        assert_eq!(rules.rules().len(), count, "{name}");
        let shortest = (1..=12).find(|&length| !judged(&vec![0.5; length], &[], &rules).is_in_control());
        assert_eq!(shortest, run, "{name}");
    }
    let westgard = RuleSet::westgard();
    let codes = |points: &[f64]| {
        judged(points, &[], &westgard).violations.iter().map(|v| v.rule.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(codes(&[2.5, -2.5]), ["westgard-r-4s"]);
    assert_eq!(codes(&[2.5, 2.5]), ["westgard-2-2s"]);
    assert_eq!(codes(&[1.5; 4]), ["westgard-4-1s"]);
    assert_eq!(codes(&[2.5, 0.0, -2.5]), [""; 0]);
}

#[test]
fn lengths_and_multiples_can_be_changed() {
    let rules = nelson(2).with_length("2", 8, None).unwrap();
    assert_eq!(signals(&[0.5; 9], &[], &rules), [7, 8]);
    let rules = nelson(1).with_multiple("nelson-1", 2.0).unwrap();
    assert_eq!(signals(&[2.0, 2.5], &[], &rules), [1]);
    let rules = nelson(5).with_length("5", 4, Some(3)).unwrap();
    assert_eq!(signals(&[2.5, 0.0, 2.5, 2.5, 0.0, 0.0, 2.5], &[], &rules), [3]);
    assert!(nelson(3).with_length("3", 2, None).is_err());
    assert!(nelson(1).with_multiple("1", f64::NAN).is_err());
}
