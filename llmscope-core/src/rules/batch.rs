//! Judging a whole chart at once.

use serde::{Deserialize, Serialize};

use super::monitor::check_lines;
use super::pattern::{Hit, Judged, Tracker};
use super::{Rule, RuleMask, RuleSet, Side, Violation};
use crate::error::{Error, Result};
use crate::limits::Line;
use crate::sample::segments;

/// What the rules say about every point of a chart.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Judgement {
    /// For each point, the rules that signal at it.
    pub signals: Vec<RuleMask>,
    /// For each point, the rules of whose patterns it is a part.
    pub members: Vec<RuleMask>,
    /// The violations, ordered by their first signal, then by rule. Overlapping ones are all there.
    pub violations: Vec<Violation>,
}

impl Judgement {
    /// True if no rule signals anywhere.
    #[must_use]
    pub fn is_in_control(&self) -> bool {
        self.violations.is_empty()
    }
}

/// Judges points against a center line and the standard deviation of the plotted statistic.
///
/// Position `i` in `breaks` ends every run before point `i`.
///
/// # Errors
/// [`Error::NonFinite`] for the first point that is no number; [`Error::Parameter`] for lines that are none;
/// [`Error::LengthMismatch`] if a line that varies does not have one value for each point.
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
    let mut judgement = Judgement {
        signals: vec![RuleMask::default(); points.len()],
        members: vec![RuleMask::default(); points.len()],
        violations: Vec::new(),
    };
    match (center.constant(), sigma.constant()) {
        // Lines that do not vary stay in registers.
        (Some(center), Some(sigma)) => {
            judgement.scan_all(points, breaks, rules, |_, x| Judged { x, center, sigma });
        }
        _ => {
            judgement.scan_all(points, breaks, rules, |at, x| Judged { x, center: center.at(at), sigma: sigma.at(at) });
        }
    }
    // Stable: violations that begin at the same point keep the order of the rules.
    judgement.violations.sort_by_key(|violation| violation.first_signal);
    Ok(judgement)
}

impl Judgement {
    /// Applies every rule, one after the other, to every stretch without a gap.
    fn scan_all(&mut self, points: &[f64], breaks: &[usize], rules: &RuleSet, judged: impl Fn(usize, f64) -> Judged) {
        for (index, rule) in rules.rules().iter().enumerate() {
            let mut start = 0;
            for stretch in segments(points, breaks) {
                self.scan(index, rule, start, stretch, &judged);
                start += stretch.len();
            }
        }
    }

    /// Applies one rule to the points of one stretch, the first of which stands at `start`.
    fn scan(
        &mut self,
        index: usize,
        rule: &Rule,
        start: usize,
        stretch: &[f64],
        judged: impl Fn(usize, f64) -> Judged,
    ) {
        let (mut run, mut tracker) = (Run::default(), Tracker::default());
        for (at, &x) in (start..).zip(stretch) {
            if let Some(hit) = tracker.step(rule.pattern(), judged(at, x)) {
                self.signals[at].insert(index);
                run.mark_members(&mut self.members, index, at, hit);
                self.violations.extend(run.advance(at, hit).map(|extent| extent.of(rule)));
            }
        }
        self.violations.extend(run.current.map(|extent| extent.of(rule)));
    }
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

/// A violation of a rule that is not named yet.
#[derive(Clone, Copy)]
struct Extent {
    first: usize,
    first_signal: usize,
    last: usize,
    side: Side,
}

impl Extent {
    fn of(self, rule: &Rule) -> Violation {
        let Self { first, first_signal, last, side } = self;
        Violation { rule: rule.code().clone(), first, first_signal, last, side }
    }
}

/// The run of signals that a rule is in, or was in last.
#[derive(Default)]
struct Run {
    current: Option<Extent>,
    /// Points below this position are marked as members already.
    marked: usize,
}

impl Run {
    /// Takes a completed pattern; returns the violation that ended before it.
    fn advance(&mut self, at: usize, hit: Hit) -> Option<Extent> {
        match &mut self.current {
            // A pattern that may change sides (rule 1) starts another violation when it does; one that is about both
            // sides goes on and its side widens.
            Some(run) if run.last + 1 == at && (run.side == hit.side || hit.members.is_none()) => {
                run.last = at;
                run.side = run.side.joined(hit.side);
                None
            }
            _ => self.current.replace(Extent { first: at + 1 - hit.span, first_signal: at, last: at, side: hit.side }),
        }
    }

    /// Marks the points of a pattern, each once.
    fn mark_members(&mut self, members: &mut [RuleMask], rule: usize, at: usize, hit: Hit) {
        let first = at + 1 - hit.span;
        match hit.members {
            Some(bits) => {
                (0..hit.span).filter(|back| bits >> back & 1 == 1).for_each(|back| members[at - back].insert(rule));
            }
            None => {
                members[first.max(self.marked)..=at].iter_mut().for_each(|mask| mask.insert(rule));
                self.marked = at + 1;
            }
        }
    }
}
