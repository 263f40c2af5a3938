//! The signals and violations in a part of a chart, and how parts are joined.

use std::ops::Range;

use multiversion::multiversion;

use super::batch::{ChartLines, Judgement};
use super::bits::Bits;
use super::block::{Block, Found};
use super::rule_bits::RuleBits;
use super::{Pattern, RuleSet, Side, Violation};
use crate::error::{Error, Result};

/// What the rules find in a part of a chart.
pub(super) struct JudgedPart {
    points: Range<usize>,
    /// For each rule, the points of the part that signal.
    signals: Vec<Bits>,
    /// For each rule, the points of the part in a pattern.
    members: Vec<Bits>,
    /// The runs of signals, ordered by their first signal, then by rule.
    runs: Vec<SignalRun>,
}

/// A run of signals of a rule within a part.
struct SignalRun {
    rule: usize,
    /// The side that the pattern was looked for on.
    searched: Side,
    /// The side of the points.
    side: Side,
    first: usize,
    signals: Range<usize>,
}

impl JudgedPart {
    /// Judges a part, which begins at a multiple of the word size and looks at `context` points around it.
    pub(super) fn of(chart: &ChartLines<'_>, points: Range<usize>, context: usize, rules: &RuleSet) -> Result<Self> {
        // Here, and not for all points at once, so that the points are in the cache for the comparisons.
        check_points(chart.points, points.clone())?;
        let seen = points.start.saturating_sub(context)..chart.points.len().min(points.end + context);
        let own = points.start - seen.start..points.end - seen.start;
        let mut part = Self { points, signals: Vec::new(), members: Vec::new(), runs: Vec::new() };
        for (rule, found) in occurrences(chart, &seen, rules).into_iter().enumerate() {
            let pattern = rules.rules()[rule].pattern();
            for found in &found {
                part.add_runs(chart, (rule, pattern), found, seen.start);
            }
            let (signals, members): (Vec<_>, Vec<_>) = found.into_iter().map(|f| (f.signals, f.members)).unzip();
            part.signals.push(union(signals).part(&own));
            part.members.push(union(members).part(&own));
        }
        part.runs.sort_unstable_by_key(|run| (run.signals.start, run.rule));
        Ok(part)
    }

    /// Adds the maximal runs of signals between gaps. `from` is the position of the first point of the sets.
    fn add_runs(&mut self, chart: &ChartLines<'_>, (rule, pattern): (usize, Pattern), found: &Found, from: usize) {
        let mut next = self.points.start;
        while let Some(start) = found.signals.next(next - from).map(|at| at + from).filter(|&at| at < self.points.end) {
            let gap = chart.breaks.get(chart.breaks.partition_point(|&at| at <= start));
            let end = (from + found.signals.next_outside(start + 1 - from)).min(self.points.end);
            let end = gap.map_or(end, |&gap| end.min(gap));
            let first = match pattern {
                Pattern::Beyond { window, .. } => {
                    // The window does not extend across a gap. All of its points beyond the line are members.
                    let reach = (start + 1).saturating_sub(window)..start + 1;
                    let begin = chart.breaks_in(&reach).last().copied().unwrap_or(reach.start);
                    found.members.next(begin - from).map_or(start, |at| at + from)
                }
                _ => start + 1 - pattern.span(),
            };
            let side = side_of(chart, pattern, first..end, found.side);
            self.runs.push(SignalRun { rule, searched: found.side, side, first, signals: start..end });
            next = end;
        }
    }

    /// The judgement of a chart from its parts in order. Runs that end at the border of a part continue in the next.
    pub(super) fn joined(
        parts: impl IntoIterator<Item = Result<Self>>,
        chart: &ChartLines<'_>,
        rules: &RuleSet,
    ) -> Result<Judgement> {
        let n = chart.points.len();
        let none = || vec![Bits::with_capacity(n); rules.rules().len()];
        let (mut signals, mut members, mut violations) = (none(), none(), Vec::new());
        let mut open: Vec<((usize, Side), usize)> = Vec::new();
        for part in parts {
            let part = part?;
            signals.iter_mut().zip(part.signals).for_each(|(all, found)| all.append(&found));
            members.iter_mut().zip(part.members).for_each(|(all, found)| all.append(&found));
            let continued = if chart.breaks.binary_search(&part.points.start).is_ok() { Vec::new() } else { open };
            open = Vec::new();
            for run in part.runs {
                let key = (run.rule, run.searched);
                let known = continued.iter().find(|(open, _)| run.signals.start == part.points.start && *open == key);
                let index = known.map_or(violations.len(), |(_, index)| *index);
                if run.signals.end == part.points.end {
                    open.push((key, index));
                }
                match violations.get_mut(index) {
                    Some(violation) => run.continue_to(violation),
                    None => violations.push(run.violation(rules)),
                }
            }
        }
        let marks = |rules| RuleBits::new(rules, n);
        Ok(Judgement { signals: marks(signals), members: marks(members), violations })
    }
}

impl SignalRun {
    fn violation(self, rules: &RuleSet) -> Violation {
        let rule = rules.rules()[self.rule].code().clone();
        let Range { start: first_signal, end } = self.signals;
        Violation { rule, first: self.first, first_signal, last: end - 1, side: self.side }
    }

    /// Continues the violation that the run belongs to.
    fn continue_to(&self, violation: &mut Violation) {
        violation.last = self.signals.end - 1;
        if violation.side != self.side {
            violation.side = Side::Both;
        }
    }
}

/// The occurrences of each rule's pattern among the points `seen`.
#[multiversion(targets("x86_64+avx2"))]
fn occurrences(chart: &ChartLines<'_>, seen: &Range<usize>, rules: &RuleSet) -> Vec<Vec<Found>> {
    let block = Block::of(chart, seen, rules);
    rules.rules().iter().map(|rule| block.look_for(rule.pattern())).collect()
}

/// The side of a violation. If the pattern accepts both sides, it follows from the points.
fn side_of(chart: &ChartLines<'_>, pattern: Pattern, mut points: Range<usize>, searched: Side) -> Side {
    let Pattern::Outside { multiple, .. } = pattern else { return searched };
    let first = chart.at(points.start).beyond(multiple);
    let mixed = points.any(|point| chart.at(point).beyond(multiple) != first);
    if mixed { Side::Both } else { first.unwrap_or(Side::Both) }
}

/// All points of the sets of one rule.
fn union(sets: Vec<Bits>) -> Bits {
    sets.into_iter().reduce(|all, set| all.or(&set)).unwrap_or_default()
}

/// Rejects points of a range that are not finite.
fn check_points(points: &[f64], range: Range<usize>) -> Result<()> {
    // Tests all points, without an early exit after each.
    let are_finite = points[range.clone()].iter().fold(true, |all, x| all & x.is_finite());
    match range.into_iter().find(|&index| !are_finite && !points[index].is_finite()) {
        Some(index) => Err(Error::NonFinite { index, value: points[index] }),
        None => Ok(()),
    }
}
