//! Judges one point at a time, in constant time and constant memory.

use serde::{Deserialize, Serialize};

use super::pattern::{Judged, Tracker};
use super::{RuleSet, Side};
use crate::error::{Error, Result};

/// A signal: the point just pushed completes the pattern of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signal {
    /// The index of the rule in the [`RuleSet`].
    pub rule: usize,
    /// First point of the pattern, counted from the first push.
    pub first: usize,
    /// The point that completes it: the one just pushed.
    pub at: usize,
    /// The side on which the pattern's points lie.
    pub side: Side,
}

/// Judges points as they arrive against a frozen center line and sigma.
///
/// The signals are those of [`judge`](super::judge) for the same points. The state is a few numbers for each rule and
/// can be serialized and restored (`serde`) at any point of the stream.
///
/// ```
/// use llmscope_core::{Monitor, RuleSet};
///
/// let rules = RuleSet::nelson();
/// let mut monitor = Monitor::new(rules.clone(), 10.0, 1.0)?;
/// assert!(monitor.push(11.0)?.is_empty());
/// let signals = monitor.push(13.5)?;
/// assert_eq!(rules.rules()[signals[0].rule].code().as_str(), "nelson-1");
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Monitor {
    rules: RuleSet,
    center: f64,
    sigma: f64,
    seen: usize,
    trackers: Vec<Tracker>,
    #[serde(skip)]
    signals: Vec<Signal>,
}

impl Monitor {
    /// A monitor before its first point.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the center line is finite and sigma is finite and not negative.
    pub fn new(rules: RuleSet, center: f64, sigma: f64) -> Result<Self> {
        check_lines(center, sigma)?;
        let trackers = vec![Tracker::default(); rules.rules().len()];
        Ok(Self { rules, center, sigma, seen: 0, trackers, signals: Vec::new() })
    }

    /// Judges one point and returns its signals, in the order of the rules.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for NaN or infinity, which leaves the state of the monitor unchanged.
    pub fn push(&mut self, x: f64) -> Result<&[Signal]> {
        self.judge(Judged { x, center: self.center, sigma: self.sigma })
    }

    /// Judges one point against its own center line and sigma, for charts with varying limits.
    ///
    /// # Errors
    /// Those of [`Monitor::push`] and [`Monitor::new`].
    pub fn push_against(&mut self, x: f64, center: f64, sigma: f64) -> Result<&[Signal]> {
        if x.is_finite() {
            check_lines(center, sigma)?;
        }
        self.judge(Judged { x, center, sigma })
    }

    fn judge(&mut self, point: Judged) -> Result<&[Signal]> {
        if !point.x.is_finite() {
            return Err(Error::NonFinite { index: self.seen, value: point.x });
        }
        self.signals.clear();
        for (rule, tracker) in self.trackers.iter_mut().enumerate() {
            if let Some(hit) = tracker.step(self.rules.rules()[rule].pattern(), point) {
                self.signals.push(Signal { rule, first: self.seen + 1 - hit.span, at: self.seen, side: hit.side });
            }
        }
        self.seen += 1;
        Ok(&self.signals)
    }

    /// Marks a missing value: every run ends.
    pub fn gap(&mut self) {
        self.trackers.fill(Tracker::default());
    }

    /// The number of points pushed.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen
    }

    /// The rules of the monitor.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }
}

pub(super) fn check_lines(center: f64, sigma: f64) -> Result<()> {
    if !center.is_finite() {
        return Err(Error::Parameter { name: "center", value: center.to_string(), expected: "a finite number" });
    }
    if !(sigma >= 0.0 && sigma.is_finite()) {
        return Err(Error::Parameter {
            name: "sigma",
            value: sigma.to_string(),
            expected: "a finite number of at least 0",
        });
    }
    Ok(())
}
