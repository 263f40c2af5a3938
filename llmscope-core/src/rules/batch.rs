//! Judges a whole chart at once, 64 points per machine word.
//!
//! Each comparison of the points with a line becomes a set of [`Bits`]; a pattern is a few shifts and conjunctions of
//! such sets. The chart is processed in blocks, so that the sets of a block stay in the cache. Each block includes as
//! many points around it as the longest pattern spans. With the feature `parallel`, several threads share the blocks.
//! The definitions are those of the streaming [`Monitor`](super::Monitor); a property test checks that both agree.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::bits::{Bits, WORD};
use super::block::Block;
use super::monitor::check_lines;
use super::pattern::Judged;
use super::rule_bits::RuleBits;
use super::{Pattern, Rule, RuleSet, Side, Violation};
use crate::error::{Error, Result};
use crate::limits::Line;

/// The result of judging every point of a chart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// For each point, the rules that signal at it.
    pub signals: RuleBits,
    /// For each point, the rules with a pattern that includes it.
    pub members: RuleBits,
    /// The violations, ordered by their first signal, then by rule. Overlapping violations are all listed.
    pub violations: Vec<Violation>,
}

impl Judgement {
    /// True if no rule signals.
    #[must_use]
    pub fn is_in_control(&self) -> bool {
        self.violations.is_empty()
    }

    /// The judgement of a range of points, before and after which there is a break. Nothing signals at the other points.
    pub(crate) fn within(mut self, points: &Range<usize>) -> Self {
        self.violations.retain(|violation| points.contains(&violation.first_signal));
        Self { signals: self.signals.within(points), members: self.members.within(points), ..self }
    }

    /// Combines this judgement with another one of the same points by the same rules, and replaces the first point of
    /// each violation.
    pub(crate) fn joined(mut self, other: Self, rules: &RuleSet, first: impl Fn(&Violation) -> usize) -> Self {
        let n = self.signals.len();
        self.violations.extend(other.violations);
        for violation in &mut self.violations {
            violation.first = first(violation);
        }
        self.violations.sort_by_key(|violation| violation.first_signal);
        let points_of = |rule: &Rule, range: fn(&Violation) -> Range<usize>| {
            let all = self.violations.iter().filter(|violation| violation.rule == *rule.code());
            Bits::at(n, &all.flat_map(range).collect::<Vec<_>>())
        };
        let marks = |range: fn(&Violation) -> Range<usize>| {
            RuleBits::new(rules.rules().iter().map(|rule| points_of(rule, range)).collect(), n)
        };
        self.signals = marks(|violation| violation.signals());
        self.members = marks(|violation| violation.first..violation.last + 1);
        self
    }
}

/// Judges points against a center line and the standard deviation of the plotted statistic.
///
/// A position `i` in `breaks` ends every run before point `i`.
///
/// # Errors
/// [`Error::NonFinite`] for the first point that is not a finite number; [`Error::Parameter`] for lines that are not
/// finite; [`Error::LengthMismatch`] if a varying line does not have one value for each point.
///
/// ```
/// use llmscope_core::{Line, RuleSet, rules};
///
/// let points = [0.1, 3.2, -0.4];
/// let judgement =
///     rules::judge(&points, &Line::Constant(0.0), &Line::Constant(1.0), &[], &RuleSet::nelson())?;
/// assert_eq!(judgement.violations[0].rule.as_str(), "nelson-1");
/// assert_eq!(judgement.violations[0].first, 1);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn judge(points: &[f64], center: &Line, sigma: &Line, breaks: &[usize], rules: &RuleSet) -> Result<Judgement> {
    check(points, center, sigma)?;
    let mut breaks: Vec<usize> = breaks.iter().copied().filter(|&at| at < points.len()).collect();
    breaks.sort_unstable();
    breaks.dedup();
    let chart = ChartLines { points, center, sigma, breaks };
    let found = chart.look_for(rules);
    // The number of violations is at most the number of runs of signals plus the number of gaps.
    let runs = found.iter().flatten().map(|found| found.signals.run_count()).sum();
    let mut violations = Vec::with_capacity(runs);
    let (mut signals, mut members) = (Vec::new(), Vec::new());
    for (rule, found) in rules.rules().iter().zip(found) {
        found.iter().for_each(|found| chart.add_violations(rule, found, &mut violations));
        let (signal, member): (Vec<_>, Vec<_>) = found.into_iter().map(|found| (found.signals, found.members)).unzip();
        signals.push(union(signal));
        members.push(union(member));
    }
    // Stable: violations that begin at the same point keep the order of the rules.
    violations.sort_by_key(|violation| violation.first_signal);
    let marks = |rules| RuleBits::new(rules, points.len());
    Ok(Judgement { signals: marks(signals), members: marks(members), violations })
}

/// Points with the lines that they are compared with.
pub(super) struct ChartLines<'a> {
    pub(super) points: &'a [f64],
    pub(super) center: &'a Line,
    pub(super) sigma: &'a Line,
    /// The points before which a value is missing.
    pub(super) breaks: Vec<usize>,
}

/// The occurrences of a pattern on one side.
pub(super) struct Found {
    pub(super) side: Side,
    pub(super) signals: Bits,
    pub(super) members: Bits,
}

/// Points per block: its sets take 4 KiB each and stay in the cache.
const BLOCK: usize = 1 << 15;

impl ChartLines<'_> {
    /// The occurrences of each rule's pattern, above and below, or on both sides at once.
    fn look_for(&self, rules: &RuleSet) -> Vec<Vec<Found>> {
        let n = self.points.len();
        // The points to include around a block, in whole words.
        let context = rules.rules().iter().map(|rule| rule.pattern().span()).max().unwrap_or(1).next_multiple_of(WORD);
        let block = BLOCK.max(4 * context);
        let starts: Vec<usize> = (0..n).step_by(block).collect();
        let look = |&start: &usize| {
            let seen = start.saturating_sub(context)..n.min(start + block + context);
            let block = Block::of(self, &seen, rules);
            let found: Vec<_> = rules.rules().iter().map(|rule| block.look_for(rule.pattern())).collect();
            (start, seen.start, found)
        };
        let mut all: Vec<Vec<Found>> = rules.rules().iter().map(|rule| nothing(rule.pattern(), n)).collect();
        for (start, seen_from, found) in mapped(&starts, look) {
            let part = start..n.min(start + block);
            for (all, found) in all.iter_mut().flatten().zip(found.iter().flatten()) {
                all.signals.put(part.clone(), &found.signals, seen_from);
                all.members.put(part.clone(), &found.members, seen_from);
            }
        }
        all
    }

    /// The maximal runs of signals between gaps.
    fn add_violations(&self, rule: &Rule, found: &Found, violations: &mut Vec<Violation>) {
        let mut from = 0;
        while let Some(first_signal) = found.signals.next(from) {
            let gap = self.breaks.get(self.breaks.partition_point(|&at| at <= first_signal));
            let end = found.signals.next_outside(first_signal + 1);
            let end = gap.map_or(end, |&gap| end.min(gap));
            let first = self.first(rule.pattern(), first_signal, found.side);
            let side = self.side(rule.pattern(), first..end, found.side);
            violations.push(Violation { rule: rule.code().clone(), first, first_signal, last: end - 1, side });
            from = end;
        }
    }

    /// The gaps before the points of a range.
    pub(super) fn breaks_in(&self, points: &Range<usize>) -> &[usize] {
        let before = |end: usize| self.breaks.partition_point(|&at| at < end);
        &self.breaks[before(points.start)..before(points.end)]
    }

    /// The first point of the pattern that is complete at `last`.
    fn first(&self, pattern: Pattern, last: usize, side: Side) -> usize {
        let Pattern::Beyond { multiple, window, .. } = pattern else { return last + 1 - pattern.span() };
        // The window does not extend across a gap.
        let reach = (last + 1).saturating_sub(window)..last + 1;
        let start = self.breaks_in(&reach).last().copied().unwrap_or(reach.start);
        (start..last).find(|&point| self.at(point).beyond(multiple) == Some(side)).unwrap_or(last)
    }

    /// The side of a violation. If the pattern accepts both sides, it follows from the points.
    fn side(&self, pattern: Pattern, mut points: Range<usize>, side: Side) -> Side {
        let Pattern::Outside { multiple, .. } = pattern else { return side };
        let first = self.at(points.start).beyond(multiple);
        let mixed = points.any(|point| self.at(point).beyond(multiple) != first);
        if mixed { Side::Both } else { first.unwrap_or(Side::Both) }
    }

    pub(super) fn at(&self, point: usize) -> Judged {
        Judged { x: self.points[point], center: self.center.at(point), sigma: self.sigma.at(point) }
    }
}

/// All points of the sets of one rule.
fn union(sets: Vec<Bits>) -> Bits {
    sets.into_iter().reduce(|all, set| all.or(&set)).unwrap_or_default()
}

/// The result of each block, in order.
#[cfg(not(feature = "parallel"))]
fn mapped<T>(starts: &[usize], look: impl Fn(&usize) -> T) -> impl Iterator<Item = T> {
    starts.iter().map(look)
}

/// The result of each block, in order, computed on several threads.
#[cfg(feature = "parallel")]
fn mapped<T: Send>(starts: &[usize], look: impl Fn(&usize) -> T + Send + Sync) -> Vec<T> {
    use rayon::prelude::*;
    if let [only] = starts { vec![look(only)] } else { starts.par_iter().map(look).collect() }
}

/// The empty result for a pattern.
fn nothing(pattern: Pattern, len: usize) -> Vec<Found> {
    let found = |side| Found { side, signals: Bits::none(len), members: Bits::none(len) };
    if pattern.is_about_both_sides() { vec![found(Side::Both)] } else { vec![found(Side::Above), found(Side::Below)] }
}

fn check(points: &[f64], center: &Line, sigma: &Line) -> Result<()> {
    if let Some(index) = points.iter().position(|x| !x.is_finite()) {
        return Err(Error::NonFinite { index, value: points[index] });
    }
    for (left_name, line) in [("the center line", center), ("sigma", sigma)] {
        if let Line::PerPoint(values) = line
            && values.len() != points.len()
        {
            return Err(Error::LengthMismatch {
                left_name,
                left: values.len(),
                right_name: "the points",
                right: points.len(),
            });
        }
    }
    match (center.constant(), sigma.constant()) {
        (Some(center), Some(sigma)) => check_lines(center, sigma),
        _ => (0..points.len()).try_for_each(|i| check_lines(center.at(i), sigma.at(i))),
    }
}
