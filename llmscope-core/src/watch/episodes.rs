//! Violations in the making: a stream's answer to [`Judgement::violations`](crate::rules::Judgement).

use serde::{Deserialize, Serialize};

use crate::rules::{RuleSet, Side, Signal, Violation};

/// The violations that are going on, of a series that is judged point by point.
///
/// A violation begins with the first signal of a rule, goes on while the rule signals at each point, and ends with the
/// first point at which it does not. All violations of a stream, ended or going on, are those of
/// [`judge`](crate::rules::judge) for the same points.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Episodes {
    open: Vec<Episode>,
    /// Something was missing: they end at the next point, whatever it is.
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

/// What happened to a violation.
#[derive(Debug, Clone, PartialEq)]
pub enum Turn {
    /// Its first signal.
    Began(Violation),
    /// One more signal.
    WentOn(Violation),
    /// No signal any more, or a gap.
    Ended(Violation),
}

impl Turn {
    /// The violation as it is now.
    #[must_use]
    pub fn violation(&self) -> &Violation {
        let (Self::Began(violation) | Self::WentOn(violation) | Self::Ended(violation)) = self;
        violation
    }
}

impl Episodes {
    /// Takes the signals of the point `at`, and says which violations ended, went on and began, in this order.
    pub fn push(&mut self, rules: &RuleSet, at: usize, signals: &[Signal]) -> Vec<Turn> {
        if signals.is_empty() && self.open.is_empty() {
            return Vec::new();
        }
        let (mut turns, mut begun) = (Vec::new(), Vec::new());
        if std::mem::take(&mut self.is_interrupted) {
            turns = self.end_all(rules);
        }
        for signal in signals {
            // Rules about one side begin anew when the side changes; the others are about whatever sides there are.
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

    /// Says that something is missing here: no violation goes on across it. What is going on ends at the next point, and
    /// not before: that nothing was measured is no sign of health.
    pub fn gap(&mut self) {
        self.is_interrupted = !self.open.is_empty();
    }

    /// Ends all of them.
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
