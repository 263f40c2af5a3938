//! Continuous monitoring of one series. A watch learns limits from the first values, freezes them, and judges each
//! later value as it arrives.
//!
//! A [`Watch`] stores a few numbers per rule, independent of the length of the series. It can be serialized and
//! restored (`serde`); a restored watch continues exactly like the original.

mod alarm_watch;
mod episodes;
mod failure_watch;
mod gap_watch;
mod incident_report;
mod limits;
mod metric_watch;
mod promise;
mod times;

use serde::{Deserialize, Serialize};

pub use alarm_watch::AlarmWatch;
pub use episodes::{Episodes, Turn};
pub use gap_watch::GapWatch;
pub use incident_report::{AlarmEvent, IncidentPart, IncidentReport};
pub use limits::Limits;
pub use promise::{Channel, Period, Promise};

use crate::analysis::MIN_POINTS;
use crate::chart::Standards;
use crate::error::{Error, Result};
use crate::metric::Bounds;
use crate::rules::{Monitor, RuleSet, Signal};
use crate::transform::Transform;

/// A watch on one series of measurements.
///
/// ```
/// use llmscope_core::watch::{Step, Watch};
/// use llmscope_core::{Bounds, RuleSet};
///
/// let mut watch = Watch::learning(Bounds::NON_NEGATIVE, RuleSet::nelson(), 10)?;
/// for x in [0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31] {
///     assert!(matches!(watch.push(x)?, Step::Learning { .. }));
/// }
/// assert!(matches!(watch.push(0.30)?, Step::Learned { .. }));
/// let Step::Judged { signals, .. } = watch.push(0.52)? else { unreachable!() };
/// assert_eq!(signals[0].rule, 0);
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Watch {
    bounds: Bounds,
    state: State,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Learning {
        rules: RuleSet,
        need: usize,
        values: Vec<f64>,
        #[serde(default)]
        transform: Transform,
    },
    Judging {
        standards: Standards,
        limits: Limits,
        monitor: Box<Monitor>,
        episodes: Episodes,
    },
}

/// The effect of a value on a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// The value was added to those from which limits will be learned.
    Learning {
        /// The number of values so far.
        have: usize,
        /// The number of values to learn from.
        need: usize,
    },
    /// The limits were learned and frozen; the next value will be judged.
    Learned {
        /// The limits.
        limits: Limits,
        /// The standards of these limits, for a [`Baseline`](crate::analysis::Baseline).
        standards: Standards,
        /// The number of values on which the limits are based.
        values: usize,
        /// The number of values that were excluded because they were outside the limits of all values.
        left_out: usize,
    },
    /// The value was judged.
    Judged {
        /// The signals at this value.
        signals: Vec<Signal>,
        /// Violations that began, continued or ended with this value.
        turns: Vec<Turn>,
    },
}

impl Watch {
    /// A watch that learns its limits from the first `need` values. If these values have no usable limits
    /// ([`Limits::learned`]), it continues to learn from the last `need` values.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] for fewer than [`MIN_POINTS`] values.
    pub fn learning(bounds: Bounds, rules: RuleSet, need: usize) -> Result<Self> {
        if need < MIN_POINTS {
            return Err(Error::NotEnoughData { what: "a learning phase (values)", have: need, need: MIN_POINTS });
        }
        Ok(Self { bounds, state: State::Learning { rules, need, values: Vec::new(), transform: Transform::None } })
    }

    /// Sets the transformation of a watch that is still learning; frozen limits do not change.
    #[must_use]
    pub fn on_scale(mut self, scale: Transform) -> Self {
        if let State::Learning { transform, .. } = &mut self.state {
            *transform = scale;
        }
        self
    }

    /// A watch with the limits of a previous study, including their transformation.
    ///
    /// # Errors
    /// The errors of [`Standards::limits_of_single_measurements`].
    pub fn frozen(bounds: Bounds, rules: RuleSet, standards: Standards) -> Result<Self> {
        let limits = Limits::of(bounds, &standards)?;
        let monitor = Box::new(Monitor::new(rules, standards.center, limits.sigma)?);
        Ok(Self { bounds, state: State::Judging { standards, limits, monitor, episodes: Episodes::default() } })
    }

    /// True if this value can be transformed, or if the limits have no transformation.
    #[must_use]
    pub fn takes(&self, x: f64) -> bool {
        let has_place = match &self.state {
            State::Learning { transform, .. } => x > 0.0 || !transform.needs_positive(),
            State::Judging { standards, .. } => standards.transform.is_none_or(|power| power.apply(x).is_some()),
        };
        x.is_finite() && has_place
    }

    /// Processes one value.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for NaN or infinity, and [`Error::NotPositive`] for a value that cannot be transformed.
    /// Neither changes the state of the watch.
    pub fn push(&mut self, x: f64) -> Result<Step> {
        if !self.takes(x) {
            let (index, value) = (self.seen(), x);
            return Err(if x.is_finite() {
                Error::NotPositive { index, value }
            } else {
                Error::NonFinite { index, value }
            });
        }
        match &mut self.state {
            State::Learning { rules, need, values, transform } => {
                if values.len() == *need {
                    values.remove(0);
                }
                values.push(x);
                let (have, need) = (values.len(), *need);
                let learned = if have == need { Limits::learned(self.bounds, *transform, values) } else { None };
                let Some((limits, standards, left_out)) = learned else { return Ok(Step::Learning { have, need }) };
                *self = Self::frozen(self.bounds, std::mem::take(rules), standards)?;
                Ok(Step::Learned { limits, standards, values: have, left_out })
            }
            State::Judging { standards, monitor, episodes, .. } => {
                let at = monitor.seen();
                let judged = standards.transform.map_or(Some(x), |power| power.apply(x));
                let signals = monitor.push(judged.unwrap_or(f64::NAN))?.to_vec();
                let turns = episodes.push(monitor.rules(), at, &signals);
                Ok(Step::Judged { signals, turns })
            }
        }
    }

    /// The number of values since the watch began to learn or to judge.
    fn seen(&self) -> usize {
        match &self.state {
            State::Learning { values, .. } => values.len(),
            State::Judging { monitor, .. } => monitor.seen(),
        }
    }

    /// Marks a missing value: every run ends. Open violations end at the next value.
    pub fn gap(&mut self) {
        if let State::Judging { monitor, episodes, .. } = &mut self.state {
            monitor.gap();
            episodes.gap();
        }
    }

    /// The frozen limits; `None` while the watch is learning.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        match self.state {
            State::Learning { .. } => None,
            State::Judging { limits, .. } => Some(limits),
        }
    }

    /// The standards of the frozen limits.
    #[must_use]
    pub fn standards(&self) -> Option<Standards> {
        match self.state {
            State::Learning { .. } => None,
            State::Judging { standards, .. } => Some(standards),
        }
    }

    /// The number of values learned so far and the number needed; `None` once the limits are frozen.
    #[must_use]
    pub fn progress(&self) -> Option<(usize, usize)> {
        match &self.state {
            State::Learning { need, values, .. } => Some((values.len(), *need)),
            State::Judging { .. } => None,
        }
    }

    /// The rules of the watch.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        match &self.state {
            State::Learning { rules, .. } => rules,
            State::Judging { monitor, .. } => monitor.rules(),
        }
    }

    /// Replaces the rules. The new rules do not see earlier values; the limits do not change.
    ///
    /// # Errors
    /// Those of [`Watch::frozen`].
    pub fn with_rules(self, rules: RuleSet) -> Result<Self> {
        match self.state {
            State::Learning { need, values, transform, .. } => {
                Ok(Self { state: State::Learning { rules, need, values, transform }, ..self })
            }
            State::Judging { standards, .. } => Self::frozen(self.bounds, rules, standards),
        }
    }
}
