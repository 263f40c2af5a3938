//! Violations that are told once, and their ends.

use std::fmt;

use jiff::Timestamp;
use llmscope_core::quantity::with_unit;
use llmscope_core::watch::Limits;
use llmscope_core::{Metric, Side, Standards};
use serde::Serialize;

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Notice {
    /// When the result was measured that made it.
    pub at: Timestamp,
    /// The name of the endpoint.
    pub endpoint: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: NoticeKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum NoticeKind {
    /// Limits were learned, and frozen.
    Learned {
        /// The metric.
        metric: Metric,
        /// The limits.
        limits: Limits,
        /// What they are drawn from, for a baseline file.
        standards: Standards,
        /// Results that they stand on.
        results: usize,
        /// Results that were left out because they lay beyond the limits of all.
        left_out: usize,
    },
    /// Rules signal.
    Violation {
        /// The metric.
        metric: Metric,
        /// The rules.
        rules: Vec<String>,
        /// On which side of the center line.
        side: Side,
        /// The result.
        value: f64,
        /// The limits.
        limits: Limits,
    },
    /// The rules have been silent for a while.
    Recovery {
        /// The metric.
        metric: Metric,
        /// The last result.
        value: f64,
        /// Results from the violation to here.
        results: usize,
    },
    /// Requests fail.
    Failing {
        /// The kind of the last failure.
        error: String,
        /// Its words.
        message: String,
        /// Failures in a row.
        failures: usize,
    },
    /// A request has succeeded again.
    Answering {
        /// Failures before it.
        failures: usize,
    },
}

impl Notice {
    /// True if this is the beginning of something bad.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        matches!(self.kind, NoticeKind::Violation { .. } | NoticeKind::Failing { .. })
    }

    /// True if this is the end of something bad.
    #[must_use]
    pub fn is_recovery(&self) -> bool {
        matches!(self.kind, NoticeKind::Recovery { .. } | NoticeKind::Answering { .. })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantity = |metric: Metric, value: f64| with_unit(metric.unit(), value);
        let endpoint = &self.endpoint;
        match &self.kind {
            NoticeKind::Learned { metric, limits, results, left_out, .. } => {
                write!(f, "{endpoint}: {metric} limits frozen from {results} results: ")?;
                write!(f, "{} to {}", quantity(*metric, limits.lower), quantity(*metric, limits.upper))?;
                if *left_out > 0 { write!(f, " ({left_out} outliers left out)") } else { Ok(()) }
            }
            NoticeKind::Violation { metric, rules, side, value, limits } => {
                let direction = match side {
                    Side::Above => "higher",
                    Side::Below => "lower",
                    Side::Both => "unsteady",
                };
                let (rules, value) = (rules.join(", "), quantity(*metric, *value));
                write!(f, "{endpoint}: {metric} out of control, {direction}: {value} ({rules}); expected ")?;
                write!(f, "{} to {}", quantity(*metric, limits.lower), quantity(*metric, limits.upper))
            }
            NoticeKind::Recovery { metric, value, results } => {
                let value = quantity(*metric, *value);
                write!(f, "{endpoint}: {metric} back in control after {results} results: {value}")
            }
            NoticeKind::Failing { error, message, failures } => {
                write!(f, "{endpoint}: {failures} failures in a row, the last: {error}: {message}")
            }
            NoticeKind::Answering { failures } => write!(f, "{endpoint}: answers again, after {failures} failures"),
        }
    }
}

/// A violation is told when it begins; it ends when nothing has signalled for a while.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarm {
    /// Results since it was raised; `None` while it is silent.
    raised: Option<usize>,
    quiet: usize,
}

/// What an alarm does at a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Raised,
    /// After so many results.
    Cleared(usize),
}

impl Alarm {
    /// Takes one result: whether something signals at it.
    pub(super) fn push(&mut self, signals: bool, recover_after: usize) -> Change {
        let Some(results) = &mut self.raised else {
            if signals {
                (self.raised, self.quiet) = (Some(0), 0);
                return Change::Raised;
            }
            return Change::None;
        };
        *results += 1;
        self.quiet = if signals { 0 } else { self.quiet + 1 };
        if self.quiet < recover_after.max(1) {
            return Change::None;
        }
        let results = *results;
        self.raised = None;
        Change::Cleared(results)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_violation_is_told_once_and_its_end_once() {
        let mut alarm = Alarm::default();
        let signals = [false, true, true, false, true, false, false, false, false];
        let changes: Vec<Change> = signals.iter().map(|&signals| alarm.push(signals, 3)).collect();
        let expected =
            [Change::None, Change::Raised, Change::None, Change::None, Change::None, Change::None, Change::None];
        assert_eq!(changes[..7], expected);
        assert_eq!(changes[7..], [Change::Cleared(6), Change::None]);
    }
}
