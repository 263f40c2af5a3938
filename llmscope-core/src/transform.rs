//! Judging values on another scale than the one that they are measured on.
//!
//! Latency has a long tail: on the scale of seconds its limits lie too low above and too far below, and a healthy service
//! raises alarms. On a scale on which the values are nearly normal the limits mean what they say. They are drawn back to
//! the unit of the values, one on each side as far away as the tail there is long.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::sample::Sample;
use crate::stats::{BoxCox, Moments, Sorted, anderson_darling, power, power_back};

/// From this p-value on `auto` leaves the values as they are.
const NORMAL: f64 = 0.05;

/// So many sigmas above the mean there must be a value: as far up as control limits reach.
const ROOM: f64 = 3.0;
/// Powers beyond this, in either direction, are not used.
const LARGEST: f64 = 2.0;

/// Which scale is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// The scale that the values are measured on.
    #[default]
    None,
    /// Logarithms: what doubles weighs as much as what halves.
    Log,
    /// The power of Box & Cox that the data are best served by.
    BoxCox,
    /// The same, if the data are not normal as they are.
    Auto,
}

impl Transform {
    /// All of them, in the order of a help text.
    pub const ALL: [Self; 4] = [Self::None, Self::Log, Self::BoxCox, Self::Auto];

    /// The name in files and on command lines.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Log => "log",
            Self::BoxCox => "box-cox",
            Self::Auto => "auto",
        }
    }

    /// The transformation for the values that limits will come from; `None` leaves them as they are.
    ///
    /// `box-cox` is λ by maximum likelihood (Box & Cox 1964), rounded to a half as is the custom: a power that a reader
    /// can follow, and that the next data will give again. `auto` is that power unless Anderson–Darling finds the values
    /// normal (p ≥ 0.05), or one of them is not positive. The logarithm stands in where there is nothing to estimate a
    /// power from (fewer than 8 values, or no variation), where it is none that anybody uses (below −2 or above 2: far
    /// values of an unstable process ask for such), and where it has no value at the upper limit (λ < 0).
    ///
    /// # Errors
    /// [`Error::NotPositive`] for `log` and `box-cox` of values that are not all positive.
    pub fn choose(self, values: &[f64]) -> Result<Option<PowerTransform>> {
        match self {
            Self::None => Ok(None),
            Self::Log => PowerTransform::LOG.check(values).map(|()| Some(PowerTransform::LOG)),
            Self::BoxCox => PowerTransform::LOG.check(values).map(|()| Some(PowerTransform::likeliest(values))),
            Self::Auto => {
                let is_normal = anderson_darling(&Sorted::of(values)).is_none_or(|normality| normality.p >= NORMAL);
                let is_positive = PowerTransform::LOG.check(values).is_ok();
                let power = (is_positive && !is_normal).then(|| PowerTransform::likeliest(values));
                Ok(power.filter(|power| power.lambda != 1.0))
            }
        }
    }
}

impl fmt::Display for Transform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Transform {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name).ok_or_else(|| Error::Unknown {
            what: "transformation",
            name: name.to_owned(),
            expected: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A power transformation of positive values: (xᵏ − 1)/λ with k = λ, or ln x for λ = 0 (Box & Cox 1964). It rises with x,
/// whatever λ is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerTransform {
    /// The power λ; 0 is the logarithm.
    pub lambda: f64,
}

impl PowerTransform {
    /// The logarithm.
    pub const LOG: Self = Self { lambda: 0.0 };

    /// The likeliest power, rounded to a half, if it is usual and leaves room for limits; else the logarithm.
    fn likeliest(values: &[f64]) -> Self {
        let Some(found) = BoxCox::of(&Sorted::of(values)) else { return Self::LOG };
        let rounded = Self { lambda: (found.lambda * 2.0).round() / 2.0 };
        let is_usual = rounded.lambda.abs() <= LARGEST;
        if is_usual && rounded.has_room_for_limits(values) { rounded } else { Self::LOG }
    }

    /// True if there are values to draw the limits of these back to.
    fn has_room_for_limits(self, values: &[f64]) -> bool {
        let transformed = values.iter().map(|&x| self.apply(x)).collect::<Option<Vec<_>>>();
        let Some(moments) = transformed.map(|transformed| Moments::of(&transformed)) else { return false };
        let (Some(mean), Some(sigma)) = (moments.mean(), moments.standard_deviation()) else { return false };
        self.back(mean + ROOM * sigma).is_some()
    }

    /// The transformed value; `None` unless x is positive.
    ///
    /// ```
    /// use llmscope_core::PowerTransform;
    ///
    /// let log = PowerTransform::LOG;
    /// assert_eq!((log.apply(1.0), log.back(0.0)), (Some(0.0), Some(1.0)));
    /// assert_eq!(log.apply(0.0), None);
    /// ```
    #[must_use]
    pub fn apply(self, x: f64) -> Option<f64> {
        let transformed = power(self.lambda, x.ln());
        (x > 0.0 && transformed.is_finite()).then_some(transformed)
    }

    /// How fast the transformed value rises at x: x^(λ − 1). A density of transformed values times this is one of the
    /// values.
    #[must_use]
    pub fn slope(self, x: f64) -> f64 {
        x.powf(self.lambda - 1.0)
    }

    /// The value that is transformed to y: 0 for what lies below all of them, `None` for what lies above.
    #[must_use]
    pub fn back(self, y: f64) -> Option<f64> {
        if self.lambda > 0.0 && self.lambda * y <= -1.0 {
            return Some(0.0);
        }
        Some(power_back(self.lambda, y).exp()).filter(|x| x.is_finite())
    }

    /// Refuses what has no logarithm and no power.
    ///
    /// # Errors
    /// [`Error::NotPositive`] with the first value that is not positive.
    pub fn check(self, values: &[f64]) -> Result<()> {
        match values.iter().position(|&x| self.apply(x).is_none()) {
            Some(index) => Err(Error::NotPositive { index, value: values[index] }),
            None => Ok(()),
        }
    }

    /// The transformed measurements, with the same gaps.
    ///
    /// # Errors
    /// As [`PowerTransform::check`].
    pub fn sample(self, sample: &Sample<'_>) -> Result<Sample<'static>> {
        self.check(sample.values())?;
        let transformed: Vec<f64> = sample.values().iter().filter_map(|&x| self.apply(x)).collect();
        Sample::new(transformed)?.with_breaks(sample.breaks().to_vec())
    }

    /// `logarithm`, or `Box–Cox λ 0.5`.
    #[must_use]
    pub fn describe(self) -> String {
        if self == Self::LOG { "logarithm".to_owned() } else { format!("Box–Cox λ {}", self.lambda) }
    }
}
