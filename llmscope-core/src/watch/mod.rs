//! Watching one series for weeks: limits are learned from its first values, frozen, and every later value is judged
//! against them as it arrives.
//!
//! A [`Watch`] is a few numbers for each rule, however long the series, and can be stored and restored (`serde`): a
//! watch that was restored goes on exactly as the one that was stored.

mod episodes;
mod limits;

use serde::{Deserialize, Serialize};

pub use episodes::{Episodes, Turn};
pub use limits::Limits;

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

/// What a value meant to a watch.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// It is one of those that limits will be learned from.
    Learning {
        /// How many there are.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// Limits were learned and frozen: the next value will be judged.
    Learned {
        /// The limits.
        limits: Limits,
        /// What they are drawn from, for a [`Baseline`](crate::analysis::Baseline).
        standards: Standards,
        /// Values that they stand on.
        values: usize,
        /// Values that were left out because they lay beyond the limits of all.
        left_out: usize,
    },
    /// It was judged.
    Judged {
        /// The signals that it raises.
        signals: Vec<Signal>,
        /// Violations that began, went on or ended with it.
        turns: Vec<Turn>,
    },
}

impl Watch {
    /// A watch that learns its limits from the first `need` values. If they make none ([`Limits::learned`]), it goes on
    /// learning, from the last `need` values.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] for fewer than [`MIN_POINTS`] values: they make no limits.
    pub fn learning(bounds: Bounds, rules: RuleSet, need: usize) -> Result<Self> {
        if need < MIN_POINTS {
            return Err(Error::NotEnoughData { what: "limits (values to learn from)", have: need, need: MIN_POINTS });
        }
        Ok(Self { bounds, state: State::Learning { rules, need, values: Vec::new(), transform: Transform::None } })
    }

    /// The same watch, if it still learns, with limits on this scale; those that are frozen stay.
    #[must_use]
    pub fn on_scale(mut self, scale: Transform) -> Self {
        if let State::Learning { transform, .. } = &mut self.state {
            *transform = scale;
        }
        self
    }

    /// A watch with the limits of an earlier study, on the scale that they were drawn on.
    ///
    /// # Errors
    /// Those of [`Standards::limits_of_single_measurements`].
    pub fn frozen(bounds: Bounds, rules: RuleSet, standards: Standards) -> Result<Self> {
        let limits = Limits::of(bounds, &standards)?;
        let monitor = Box::new(Monitor::new(rules, standards.center, limits.sigma)?);
        Ok(Self { bounds, state: State::Judging { standards, limits, monitor, episodes: Episodes::default() } })
    }

    /// True if this value has a place on the scale of the limits.
    #[must_use]
    pub fn takes(&self, x: f64) -> bool {
        let has_place = match &self.state {
            State::Learning { transform, .. } => x > 0.0 || !transform.needs_positive(),
            State::Judging { standards, .. } => standards.transform.is_none_or(|power| power.apply(x).is_some()),
        };
        x.is_finite() && has_place
    }

    /// Takes one value.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for a NaN or an infinity, and [`Error::NotPositive`] for what has no place on the scale of
    /// the limits; both leave the watch as it was.
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

    /// Values that were taken since it began to learn, or to judge.
    fn seen(&self) -> usize {
        match &self.state {
            State::Learning { values, .. } => values.len(),
            State::Judging { monitor, .. } => monitor.seen(),
        }
    }

    /// Says that a value is missing here: every run ends. Violations that are going on end at the next value.
    pub fn gap(&mut self) {
        if let State::Judging { monitor, episodes, .. } = &mut self.state {
            monitor.gap();
            episodes.gap();
        }
    }

    /// The frozen limits; `None` while they are learned.
    #[must_use]
    pub fn limits(&self) -> Option<Limits> {
        match self.state {
            State::Learning { .. } => None,
            State::Judging { limits, .. } => Some(limits),
        }
    }

    /// What the frozen limits are drawn from.
    #[must_use]
    pub fn standards(&self) -> Option<Standards> {
        match self.state {
            State::Learning { .. } => None,
            State::Judging { standards, .. } => Some(standards),
        }
    }

    /// How many values there are to learn from and how many it takes; `None` once the limits are frozen.
    #[must_use]
    pub fn progress(&self) -> Option<(usize, usize)> {
        match &self.state {
            State::Learning { need, values, .. } => Some((values.len(), *need)),
            State::Judging { .. } => None,
        }
    }

    /// The rules that are judged.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        match &self.state {
            State::Learning { rules, .. } => rules,
            State::Judging { monitor, .. } => monitor.rules(),
        }
    }

    /// The same watch with other rules, which know nothing of the values before; the limits stay.
    ///
    /// # Errors
    /// As [`Watch::frozen`].
    pub fn with_rules(self, rules: RuleSet) -> Result<Self> {
        match self.state {
            State::Learning { need, values, transform, .. } => {
                Ok(Self { state: State::Learning { rules, need, values, transform }, ..self })
            }
            State::Judging { standards, .. } => Self::frozen(self.bounds, rules, standards),
        }
    }
}
