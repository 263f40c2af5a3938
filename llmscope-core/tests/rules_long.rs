//! Charts of many parts: the batch engine against the streaming monitor across every border of parts, with gaps,
//! varying lines, and patterns of maximum length.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::rules::judge;
use llmscope_core::{Line, Monitor, Pattern, Rule, RuleSet, Side, Violation};

/// More than 13 parts of 8,192 points, and not a whole number of words.
const POINTS: usize = 110_001;

/// A reproducible stream of numbers between 0 and 1.
struct Random(u64);

impl Random {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from((self.0 >> 32) as u32) / f64::from(u32::MAX)
    }

    /// Approximately normal, σ = 1.
    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.next()).sum::<f64>() - 6.0
    }
}

/// Noise on a slow wave, with quiet intervals, so that long patterns occur and end.
fn points(random: &mut Random) -> Vec<f64> {
    (0..POINTS)
        .map(|i| {
            let wave = 1.5 * (i as f64 / 9_000.0).sin();
            let quiet = if (i / 700) % 5 == 0 { 0.1 } else { 1.0 };
            // Rounded: ties, and points on the lines.
            ((wave + quiet * random.normal()) * 8.0).round() / 8.0
        })
        .collect()
}

fn long_rules() -> RuleSet {
    let rule = |code: &str, pattern| Rule::new(code, pattern).unwrap();
    RuleSet::new([
        rule("side-500", Pattern::SameSide { length: 500 }),
        rule("side-64", Pattern::SameSide { length: 64 }),
        rule("side-65", Pattern::SameSide { length: 65 }),
        rule("within-129", Pattern::Within { multiple: 2.5, length: 129 }),
        rule("outside-20", Pattern::Outside { multiple: 0.25, length: 20, both_sides: false }),
        rule("both-sides-6", Pattern::Outside { multiple: 0.5, length: 6, both_sides: true }),
        rule("40-of-64", Pattern::Beyond { multiple: 0.5, count: 40, window: 64 }),
        rule("1-of-3", Pattern::Beyond { multiple: 3.0, count: 1, window: 3 }),
        rule("3-of-3", Pattern::Beyond { multiple: 1.5, count: 3, window: 3 }),
        rule("opposite", Pattern::Opposite { multiple: 1.5 }),
        rule("trend-4", Pattern::Trend { length: 4 }),
        rule("zigzag-3", Pattern::Alternating { length: 3 }),
    ])
    .unwrap()
}

/// Judges both ways and compares every signal, the first pattern of every violation, and the extent of the violations.
fn compare(points: &[f64], center: &Line, sigma: &Line, breaks: &[usize], rules: &RuleSet) -> Vec<usize> {
    let judgement = judge(points, center, sigma, breaks, rules).unwrap();
    let mut monitor = Monitor::new(rules.clone(), 0.0, 1.0).unwrap();
    let mut signals = vec![Vec::new(); rules.rules().len()];
    for (i, &x) in points.iter().enumerate() {
        if breaks.contains(&i) {
            monitor.gap();
        }
        for signal in monitor.push_against(x, center.at(i), sigma.at(i)).unwrap() {
            signals[signal.rule].push(*signal);
        }
    }
    for (rule, signals) in signals.iter().enumerate() {
        let code = rules.rules()[rule].code();
        let at: Vec<usize> = signals.iter().map(|signal| signal.at).collect();
        assert_eq!(judgement.signals.points_of(rule).collect::<Vec<_>>(), at, "{code}");
        let violations: Vec<&Violation> = judgement.violations.iter().filter(|v| v.rule == *code).collect();
        let listed: Vec<usize> = violations.iter().flat_map(|violation| violation.signals()).collect();
        assert_eq!(listed, at, "{code}: the violations list other signals");
        let one_sided = matches!(
            rules.rules()[rule].pattern(),
            Pattern::Beyond { .. } | Pattern::SameSide { .. } | Pattern::Trend { .. }
        );
        for pair in violations.windows(2) {
            let adjacent = pair[0].last + 1 == pair[1].first_signal && !breaks.contains(&pair[1].first_signal);
            let other_side = one_sided && pair[0].side != pair[1].side;
            assert!(!adjacent || other_side, "{code}: one violation is listed as two at {}", pair[1].first_signal);
        }
        for violation in violations {
            let mut sides = signals.iter().filter(|signal| violation.signals().contains(&signal.at)).map(|s| s.side);
            let first_side = sides.next().unwrap();
            let side = if sides.all(|side| side == first_side) { first_side } else { Side::Both };
            assert_eq!(violation.side, side, "{code} at {}", violation.first_signal);
            let first = signals.iter().find(|signal| signal.at == violation.first_signal).unwrap();
            assert_eq!(violation.first, first.first, "{code} at {}", violation.first_signal);
            assert!(judgement.members.at(violation.first).contains(rule), "{code}: its first point is not a member");
            assert!(!breaks.iter().any(|&at| violation.first < at && at <= violation.last), "{code} crosses a gap");
        }
        // A signal completes a pattern, so it is also a member.
        assert!(at.iter().all(|&at| judgement.members.at(at).contains(rule)), "{code}");
    }
    let place =
        |violation: &Violation| (violation.first_signal, rules.codes().position(|code| *code == violation.rule));
    assert!(judgement.violations.is_sorted_by_key(place), "the violations are not in order");
    signals.iter().map(Vec::len).collect()
}

#[test]
fn long_charts_are_judged_as_the_monitor_judges_them() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let points = points(&mut random);
    let (center, sigma) = (Line::Constant(0.0), Line::Constant(1.0));
    for rules in [RuleSet::nelson(), "western-electric".parse().unwrap(), "westgard".parse().unwrap(), long_rules()] {
        let found = compare(&points, &center, &sigma, &[], &rules);
        assert!(found.iter().all(|&count| count > 0), "a rule found nothing to compare: {found:?}");
    }
}

#[test]
fn gaps_on_and_about_the_seams_end_every_pattern() {
    let mut random = Random(1);
    let points = points(&mut random);
    let mut breaks = vec![1, 63, 64, 65, 8_191, 8_192, 8_193, 16_384, 32_768, 32_769, 65_530, 98_304, POINTS - 1];
    breaks.extend((2..POINTS - 2).filter(|_| random.next() < 4e-4));
    breaks.sort_unstable();
    breaks.dedup();
    let (center, sigma) = (Line::Constant(0.0), Line::Constant(1.0));
    for rules in [RuleSet::nelson(), long_rules()] {
        let found = compare(&points, &center, &sigma, &breaks, &rules);
        assert!(found.iter().all(|&count| count > 0), "a rule found nothing to compare: {found:?}");
    }
}

#[test]
fn lines_that_vary_are_judged_point_by_point() {
    let mut random = Random(2);
    let points = points(&mut random);
    let center = Line::PerPoint((0..POINTS).map(|i| if i < 50_000 { 0.0 } else { 0.25 }).collect());
    // If sigma is 0, a zone has no width.
    let sigma =
        Line::PerPoint((0..POINTS).map(|i| if i % 10_000 == 0 { 0.0 } else { 1.0 + (i % 3) as f64 / 4.0 }).collect());
    let found = compare(&points, &center, &sigma, &[40_000], &RuleSet::nelson());
    assert!(found.iter().all(|&count| count > 0), "a rule found nothing to compare: {found:?}");
}

#[test]
fn the_longest_pattern_spans_blocks() {
    let longest = Rule::new("side-10000", Pattern::SameSide { length: 10_000 }).unwrap();
    let rules = RuleSet::new([longest]).unwrap();
    let mut points = vec![1.0; POINTS];
    points[40_000] = -1.0;
    let found = compare(&points, &Line::Constant(0.0), &Line::Constant(1.0), &[], &rules);
    assert_eq!(found, [40_000 - 9_999 + POINTS - 40_001 - 9_999]);
    let judgement = judge(&points, &Line::Constant(0.0), &Line::Constant(1.0), &[], &rules).unwrap();
    assert_eq!(judgement.members.count_of(0), POINTS - 1);
    assert_eq!(judgement.violations.len(), 2);
}

#[test]
fn gaps_may_be_given_in_any_order() {
    let points = [1.0; 30];
    let judged =
        |breaks: &[usize]| judge(&points, &Line::Constant(0.0), &Line::Constant(1.0), breaks, &RuleSet::nelson());
    assert_eq!(judged(&[20, 5, 5, 40]).unwrap(), judged(&[5, 20]).unwrap());
}
