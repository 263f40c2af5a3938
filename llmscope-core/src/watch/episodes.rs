//! The violations of a stream as they develop, the counterpart of [`Judgement::violations`](crate::rules::Judgement).

use serde::{Deserialize, Serialize};

use crate::rules::{RuleSet, Side, Signal, Violation};

/// The open violations of a series that is judged point by point.
///
/// A violation begins with the first signal of a rule, continues while the rule signals at each point, and ends with
/// the first point at which it does not. The closed and open violations of a stream are those of
/// [`judge`](crate::rules::judge) for the same points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Episodes {
    open: Vec<Episode>,
    /// A value was missing: all violations end at the next point.
    #[serde(default)]
    is_interrupted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Episode {
    rule: usize,
    first: usize,
    first_signal: usize,
    last: usize,
    side: Side,
}

/// An event of a violation.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// The first signal.
    Began(Violation),
    /// A further signal.
    WentOn(Violation),
    /// No further signal, or a gap.
    Ended(Violation),
}

impl Turn {
    /// The violation in its current state.
    #[must_use]
    pub fn violation(&self) -> &Violation {
        let (Self::Began(violation) | Self::WentOn(violation) | Self::Ended(violation)) = self;
        violation
    }
}

impl Episodes {
    /// Processes the signals of point `at`. Returns the violations that ended, continued and began, in this order.
    pub fn push(&mut self, rules: &RuleSet, at: usize, signals: &[Signal]) -> Vec<Turn> {
        if signals.is_empty() && self.open.is_empty() {
            return Vec::new();
        }
        let (mut turns, mut begun) = (Vec::new(), Vec::new());
        if std::mem::take(&mut self.is_interrupted) {
            turns = self.end_all(rules);
        }
        for signal in signals {
            // For rules about one side, a new violation begins when the side changes; other rules accept any side.
            let both = rules.rules()[signal.rule].pattern().is_about_both_sides();
            let same = |open: &&mut Episode| open.rule == signal.rule && (both || open.side == signal.side);
            match self.open.iter_mut().find(same) {
                Some(open) => {
                    open.last = at;
                    open.side = if open.side == signal.side { open.side } else { Side::Both };
                }
                None => begun.push(Episode {
                    rule: signal.rule,
                    first: signal.first,
                    first_signal: at,
                    last: at,
                    side: signal.side,
                }),
            }
        }
        let (going, ended): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|open| open.last == at);
        turns.extend(ended.iter().map(|open| Turn::Ended(open.violation(rules))));
        turns.extend(going.iter().map(|open| Turn::WentOn(open.violation(rules))));
        turns.extend(begun.iter().map(|open| Turn::Began(open.violation(rules))));
        self.open = going;
        self.open.extend(begun);
        turns
    }

    /// Marks a missing value: no violation continues across it. Open violations end at the next point and not earlier,
    /// because a missing measurement does not indicate recovery.
    pub fn gap(&mut self) {
        self.is_interrupted = !self.open.is_empty();
    }

    /// Ends all open violations.
    pub fn end_all(&mut self, rules: &RuleSet) -> Vec<Turn> {
        self.open.drain(..).map(|open| Turn::Ended(open.violation(rules))).collect()
    }
}

impl Episode {
    fn violation(&self, rules: &RuleSet) -> Violation {
        let Self { rule, first, first_signal, last, side } = *self;
        Violation { rule: rules.rules()[rule].code().clone(), first, first_signal, last, side }
    }
}
