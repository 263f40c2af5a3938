//! A detector for values that never end, with a false-alarm rate that is stated and kept.
//!
//! Limits that are frozen from m values keep a rate on average only, and only if the values have the distribution and the
//! independence that was assumed. Here a value is judged by its rank among all values so far, which is uniform whatever their
//! distribution is. One threshold then serves every series, and m decides only how small a change can be seen.
//!
//! A value y becomes evidence in six steps:
//! 1. x = ln y, without what the tokens of its request explain ([`LoadModel`](crate::stats::LoadModel); regression-adjusted charts, Hawkins 1991).
//! 2. e = x less its prediction from the values before it, by an autoregression that is fitted again at m, 2m, 4m, … values.
//! 3. u is the mid-rank of e among all values so far, w = Φ⁻¹(u) its normal score.
//! 4. Scores are divided by √V, an allowance for dependence that the fit may have missed.
//! 5. S ← (S + 1)·f for seven alternatives, with f the likelihood ratio of the score: shifts of ½, 1 and 2 standard deviations up
//!    and down, and a larger spread.
//! 6. The evidence is the weighted sum M of the S. An alarm is raised at M ≥ A.
//!
//! M less the number of values is a supermartingale if nothing changed. False alarms are therefore at least A values apart on
//! average, and the probability of one within k values is at most k/A (e-detectors: Shin, Ramdas & Rinaldo 2023).
//! [`FalseAlarmRate`] gives A. `docs/false-alarms.md` has the simulated rates.
//!
//! ```
//! use llmscope_core::detector::{Changed, Detector, Settings};
//!
//! let mut detector = Detector::new(Settings::default())?;
//! let noise = |i: u32| (0.2 * ((f64::from(i) * 12.9898).sin() * 43_758.545).fract()).exp();
//! let mut first = None;
//! for i in 0..600 {
//!     let seconds = if i < 500 { 0.3 } else { 0.36 } * noise(i);
//!     first = first.or(detector.push(seconds, &[])?.alarm);
//! }
//! let alarm = first.expect("20 % slower from value 500 on");
//! assert_eq!(alarm.changed, Changed::Larger);
//! assert!(alarm.since.abs_diff(500) < 5 && alarm.at < 520);
//! assert!(alarm.size.is_some_and(|size| (1.1..1.4).contains(&size)));
//! # Ok::<(), llmscope_core::Error>(())
//! ```

mod alarm;
mod allowance;
mod failures;
mod incident;
mod mixture;
mod orders;
mod prediction;
mod preparation;
mod rate;
mod reference;
mod shift_watch;
mod state;

pub use alarm::{Alarm, Changed};
pub use failures::{FailureAlarm, FailureDetector, FailureEvidence};
pub use incident::Incident;
pub use preparation::Scale;
pub use rate::FalseAlarmRate;
pub use shift_watch::{IncidentEvent, ShiftWatch, Watched};
pub use state::Detector;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What a detector is to do.
///
/// ```
/// use llmscope_core::detector::{Detector, Settings};
///
/// assert!(Detector::new(Settings::default()).is_ok());
/// assert!(Detector::new(Settings { learn: 5, ..Settings::default() }).is_err()); // at least 20
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// How often an alarm may be false.
    pub false_alarms: FalseAlarmRate,
    /// The number of values that are learned before any is judged, m: 20 to 2,048.
    pub learn: usize,
    /// The scale on which values are judged.
    pub scale: Scale,
    /// The number of token counts that come with each value, such as 2 for those of the prompt and of the answer.
    pub columns: usize,
}

impl Settings {
    /// The fewest values to learn.
    pub const FEWEST: usize = 20;
    /// The most values to learn. Longer references are kept as counts.
    pub const MOST: usize = 2048;
    /// Token counts of a value at most.
    pub const MOST_COLUMNS: usize = 8;

    fn check(&self) -> Result<()> {
        if !(Self::FEWEST..=Self::MOST).contains(&self.learn) {
            let expected = "20 to 2048 values";
            return Err(Error::Parameter { name: "values to learn", value: self.learn.to_string(), expected });
        }
        if self.columns > Self::MOST_COLUMNS {
            let expected = "at most 8 token counts for each value";
            return Err(Error::Parameter { name: "columns", value: self.columns.to_string(), expected });
        }
        Ok(())
    }
}

impl Default for Settings {
    /// One false alarm in 1,000 values, 100 values to learn, on the logarithmic scale, without token counts.
    fn default() -> Self {
        Self { false_alarms: FalseAlarmRate::default(), learn: 100, scale: Scale::default(), columns: 0 }
    }
}

/// What is known after a value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// The evidence for a change since the last alarm; 0 while the detector learns.
    pub value: f64,
    /// The evidence that raises an alarm.
    pub threshold: f64,
    /// Present while the detector learns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learning: Option<Learning>,
    /// Present if this value raised an alarm. The evidence then starts again from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Alarm>,
}

/// Why a detector does not judge yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Learning {
    /// The values so far, without gaps.
    pub values: usize,
    /// How many independent values carry as much information, as far as it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information: Option<f64>,
}

impl Learning {
    /// The independent values that are needed.
    pub const NEEDED: f64 = allowance::NEEDED;
}
