//! Judges a whole chart at once, 64 points per machine word.
//!
//! Each comparison of the points with a line becomes a set of [`Bits`]; a pattern is a few shifts and conjunctions of
//! such sets. The chart is processed in parts, so that the sets of a part stay in the cache. Each part looks at as many
//! points around it as the longest pattern spans. With the feature `parallel`, several threads share the parts.
//! The definitions are those of the streaming [`Monitor`](super::Monitor); a property test checks that both agree.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::bits::{Bits, WORD};
use super::judged_part::JudgedPart;
use super::monitor::check_lines;
use super::pattern::Judged;
use super::rule_bits::RuleBits;
use super::{Rule, RuleSet, Violation};
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
    check_all_lines(points, center, sigma)?;
    let mut breaks: Vec<usize> = breaks.iter().copied().filter(|&at| at < points.len()).collect();
    breaks.sort_unstable();
    breaks.dedup();
    let chart = ChartLines { points, center, sigma, breaks };
    // The points to include around a part, in whole words.
    let context = rules.rules().iter().map(|rule| rule.pattern().span()).max().unwrap_or(1).next_multiple_of(WORD);
    let length = PART.max(4 * context);
    let starts: Vec<usize> = (0..points.len()).step_by(length).collect();
    let judged = |&start: &usize| JudgedPart::of(&chart, start..points.len().min(start + length), context, rules);
    JudgedPart::joined(mapped(&starts, judged), &chart, rules)
}

/// Points with the lines that they are compared with.
pub(super) struct ChartLines<'a> {
    pub(super) points: &'a [f64],
    pub(super) center: &'a Line,
    pub(super) sigma: &'a Line,
    /// The points before which a value is missing.
    pub(super) breaks: Vec<usize>,
}

/// Points per part: its sets of points take 1 KiB each and stay in the cache.
const PART: usize = 1 << 13;

impl ChartLines<'_> {
    /// The gaps before the points of a range.
    pub(super) fn breaks_in(&self, points: &Range<usize>) -> &[usize] {
        let before = |end: usize| self.breaks.partition_point(|&at| at < end);
        &self.breaks[before(points.start)..before(points.end)]
    }

    pub(super) fn at(&self, point: usize) -> Judged {
        Judged { x: self.points[point], center: self.center.at(point), sigma: self.sigma.at(point) }
    }
}

/// The result of each part, in order.
#[cfg(not(feature = "parallel"))]
fn mapped<T>(starts: &[usize], look: impl Fn(&usize) -> T) -> impl Iterator<Item = T> {
    starts.iter().map(look)
}

/// The result of each part, in order, computed on several threads.
#[cfg(feature = "parallel")]
fn mapped<T: Send>(starts: &[usize], look: impl Fn(&usize) -> T + Send + Sync) -> Vec<T> {
    use rayon::prelude::*;
    if let [only] = starts { vec![look(only)] } else { starts.par_iter().map(look).collect() }
}

fn check_all_lines(points: &[f64], center: &Line, sigma: &Line) -> Result<()> {
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
