//! Events of a monitor. A violation is reported once when it starts and once when it ends.

use std::fmt;

use jiff::Timestamp;
use llmscope_core::quantity::{counted, with_unit};
use llmscope_core::watch::{AlarmEvent, Limits};
use llmscope_core::{Metric, Side, Standards};
use serde::Serialize;

/// An event that a user should know of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorEvent {
    /// The time of the result that caused the event.
    pub at: Timestamp,
    /// The name of the endpoint.
    pub endpoint: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: MonitorEventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum MonitorEventKind {
    /// Limits were learned and frozen.
    Learned {
        /// The metric.
        metric: Metric,
        /// The limits.
        limits: Limits,
        /// The values that the limits are computed from, for a baseline file.
        standards: Standards,
        /// Number of results that the limits are based on.
        results: usize,
        /// Number of results left out as outliers: they were beyond the limits computed from all results.
        left_out: usize,
    },
    /// A rule signals: a violation starts.
    Violation {
        /// The metric.
        metric: Metric,
        /// The rules.
        rules: Vec<String>,
        /// The side of the center line.
        side: Side,
        /// The result.
        value: f64,
        /// The limits.
        limits: Limits,
    },
    /// No rule has signalled for a while: the violation ends.
    Recovery {
        /// The metric.
        metric: Metric,
        /// The last result.
        value: f64,
        /// Number of results since the start of the violation.
        results: usize,
    },
    /// Requests fail repeatedly.
    Failing {
        /// The kind of the last failure.
        error: String,
        /// Its message.
        message: String,
        /// Number of consecutive failures.
        failures: usize,
    },
    /// A request succeeded after a failure was reported.
    Answering {
        /// Number of failures before it.
        failures: usize,
    },
    /// An incident opened, became worse or ended, or a metric is judged from now on.
    #[serde(untagged)]
    Alarm(AlarmEvent),
}

impl MonitorEvent {
    /// True if a violation or an incident starts, or an incident becomes worse. A change for the better does not count.
    #[must_use]
    pub fn is_violation(&self) -> bool {
        match &self.kind {
            MonitorEventKind::Violation { .. } | MonitorEventKind::Failing { .. } => true,
            MonitorEventKind::Alarm(AlarmEvent::Opened(report) | AlarmEvent::Worse(report)) => {
                report.direction.counts_as_worse()
            }
            _ => false,
        }
    }

    /// True if a violation or an incident ends. The end of a change for the better does not count.
    #[must_use]
    pub fn is_recovery(&self) -> bool {
        match &self.kind {
            MonitorEventKind::Recovery { .. } | MonitorEventKind::Answering { .. } => true,
            MonitorEventKind::Alarm(AlarmEvent::Ended(report)) => report.direction.counts_as_worse(),
            _ => false,
        }
    }

    /// The kind of the event, for hooks.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match &self.kind {
            MonitorEventKind::Learned { .. } | MonitorEventKind::Alarm(AlarmEvent::Learned { .. }) => "learned",
            MonitorEventKind::Alarm(AlarmEvent::Learning { .. }) => "learning",
            MonitorEventKind::Violation { .. } | MonitorEventKind::Failing { .. } => "violation",
            MonitorEventKind::Recovery { .. } | MonitorEventKind::Answering { .. } => "recovery",
            MonitorEventKind::Alarm(AlarmEvent::Opened(_)) => "incident.opened",
            MonitorEventKind::Alarm(AlarmEvent::Worse(_)) => "incident.worse",
            MonitorEventKind::Alarm(AlarmEvent::Ended(_)) => "incident.ended",
        }
    }

    /// The metric that the event is about; `None` for failures.
    #[must_use]
    pub fn metric(&self) -> Option<Metric> {
        match &self.kind {
            MonitorEventKind::Learned { metric, .. }
            | MonitorEventKind::Violation { metric, .. }
            | MonitorEventKind::Recovery { metric, .. } => Some(*metric),
            MonitorEventKind::Alarm(event) => event.metric(),
            MonitorEventKind::Failing { .. } | MonitorEventKind::Answering { .. } => None,
        }
    }
}

impl fmt::Display for MonitorEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let quantity = |metric: Metric, value: f64| with_unit(metric.unit(), value);
        let endpoint = &self.endpoint;
        match &self.kind {
            MonitorEventKind::Learned { metric, limits, results, left_out, .. } => {
                let results = counted(*results, "result");
                write!(f, "{endpoint}: {metric} limits frozen from {results}: ")?;
                write!(f, "{} to {}", quantity(*metric, limits.lower), quantity(*metric, limits.upper))?;
                if *left_out > 0 { write!(f, " ({} left out)", counted(*left_out, "outlier")) } else { Ok(()) }
            }
            MonitorEventKind::Violation { metric, rules, side, value, limits } => {
                let direction = match side {
                    Side::Above => "higher",
                    Side::Below => "lower",
                    Side::Both => "unsteady",
                };
                let (rules, value) = (rules.join(", "), quantity(*metric, *value));
                write!(f, "{endpoint}: {metric} out of control, {direction}: {value} ({rules}); expected ")?;
                write!(f, "{} to {}", quantity(*metric, limits.lower), quantity(*metric, limits.upper))
            }
            MonitorEventKind::Recovery { metric, value, results } => {
                let (value, results) = (quantity(*metric, *value), counted(*results, "result"));
                write!(f, "{endpoint}: {metric} back in control after {results}: {value}")
            }
            MonitorEventKind::Failing { error, message, failures } => {
                let failures = counted(*failures, "failure");
                write!(f, "{endpoint}: {failures} in a row, the last one: {error}: {message}")
            }
            MonitorEventKind::Answering { failures } => {
                write!(f, "{endpoint}: responds again after {}", counted(*failures, "failure"))
            }
            MonitorEventKind::Alarm(event) => write!(f, "{endpoint}: {event}"),
        }
    }
}

/// The state of a violation: it starts with a signal and ends after a number of results without one.
#[derive(Debug, Clone, Default)]
pub(super) struct Alarm {
    /// Number of results since it started; `None` if there is no violation.
    raised: Option<usize>,
    quiet: usize,
}

/// What a result changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    Raised,
    /// The number of results since it was raised.
    Cleared(usize),
}

impl Alarm {
    /// Adds one result. `signals` is true if a rule signals at it.
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
    fn a_violation_is_reported_once_and_its_end_once() {
        let mut alarm = Alarm::default();
        let signals = [false, true, true, false, true, false, false, false, false];
        let changes: Vec<Change> = signals.iter().map(|&signals| alarm.push(signals, 3)).collect();
        let expected =
            [Change::None, Change::Raised, Change::None, Change::None, Change::None, Change::None, Change::None];
        assert_eq!(changes[..7], expected);
        assert_eq!(changes[7..], [Change::Cleared(6), Change::None]);
    }
}
