//! Transformation of values before they are judged.
//!
//! Latency has a long upper tail. On the scale of seconds, its upper limit is too low and its lower limit too low as
//! well, so a healthy service raises false alarms. On a scale on which the values are nearly normal, the limits have
//! their nominal meaning. The limits are then converted back to the unit of the values, where their distances from the
//! center line differ like the tails.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cast::float;
use crate::error::{Error, Result, by_name};
use crate::sample::Sample;
use crate::stats::{BoxCox, Moments, Sorted, anderson_darling};

/// With at least this p-value, `auto` does not transform the values.
const NORMAL: f64 = 0.05;

/// The choice of a transformation.
#[doc(alias("Box-Cox", "log transform"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transform {
    /// No transformation.
    #[default]
    None,
    /// The logarithm: doubling and halving have equal weight.
    Log,
    /// The power of Box & Cox that fits the data best.
    BoxCox,
    /// The power of Box & Cox, if the data are not normal without it.
    Auto,
}

impl Transform {
    /// All choices, in the order of a help text.
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

    /// Chooses the transformation from the values from which the limits are estimated; `None` means no transformation.
    ///
    /// `box-cox` estimates λ by maximum likelihood from the positive values (Box & Cox 1964) and rounds it to a half,
    /// as is customary: such a power is easy to interpret and stable for later data. The result is between 0 (the
    /// logarithm) and two. The logarithm replaces powers below 0, whose upper limit can be so high that nothing
    /// signals; powers above 2; and the estimate from fewer than 8 values or from equal ones. `auto` is `box-cox`,
    /// unless Anderson–Darling accepts the values as normal (p ≥ 0.05) or one of them is not positive.
    ///
    /// ```
    /// use llmscope_core::{PowerTransform, Transform};
    ///
    /// // Powers of two are evenly spaced on a logarithmic scale.
    /// let doubling: Vec<f64> = (0..12).map(|i| f64::from(1 << i)).collect();
    /// assert_eq!(Transform::BoxCox.choose(&doubling), Some(PowerTransform::LOG));
    /// assert_eq!(Transform::None.choose(&doubling), None);
    /// ```
    #[must_use]
    pub fn choose(self, values: &[f64]) -> Option<PowerTransform> {
        match self {
            Self::None => None,
            Self::Log => Some(PowerTransform::LOG),
            Self::BoxCox => PowerTransform::likeliest(values),
            Self::Auto => {
                let is_normal = || anderson_darling(&Sorted::of(values)).is_none_or(|normality| normality.p >= NORMAL);
                let leaves = values.iter().any(|&x| x <= 0.0) || is_normal();
                if leaves { None } else { PowerTransform::likeliest(values) }
            }
        }
    }

    /// True if a value of 0 or below cannot be transformed, regardless of the other values.
    ///
    /// ```
    /// use llmscope_core::Transform;
    ///
    /// assert!(Transform::Log.needs_positive());
    /// assert!(!Transform::Auto.needs_positive()); // it leaves such values as they are
    /// ```
    #[must_use]
    pub const fn needs_positive(self) -> bool {
        matches!(self, Self::Log | Self::BoxCox)
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
        by_name("transformation", name, &Self::ALL, Self::name)
    }
}

/// A power transformation of positive values: xᵏ with k = λ above 0, ln x for λ = 0 (Box & Cox 1964). It increases with
/// x.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Unchecked")]
#[schemars(!try_from)]
pub struct PowerTransform {
    /// The power λ; 0 is the logarithm.
    lambda: f64,
}

/// The serialized form of a power.
#[derive(Deserialize)]
struct Unchecked {
    lambda: f64,
}

impl TryFrom<Unchecked> for PowerTransform {
    type Error = Error;

    fn try_from(Unchecked { lambda }: Unchecked) -> Result<Self> {
        Self::new(lambda)
    }
}

impl PowerTransform {
    /// The logarithm.
    pub const LOG: Self = Self { lambda: 0.0 };
    /// The accepted powers besides the logarithm: powers nearer to 0 lose digits of the values.
    const POWERS: std::ops::RangeInclusive<f64> = 0.1..=2.0;

    /// Creates the power λ: 0 for the logarithm, or from 0.1 to 2.
    ///
    /// # Errors
    /// [`Error::Parameter`] for any other λ.
    ///
    /// ```
    /// use llmscope_core::PowerTransform;
    ///
    /// assert_eq!(PowerTransform::new(0.0)?, PowerTransform::LOG);
    /// assert!(PowerTransform::new(-1.0).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn new(lambda: f64) -> Result<Self> {
        if lambda == 0.0 {
            Ok(Self::LOG)
        } else if Self::POWERS.contains(&lambda) {
            Ok(Self { lambda })
        } else {
            let expected = "0 (the logarithm) or a number from 0.1 to 2";
            Err(Error::Parameter { name: "power of the transformation", value: lambda.to_string(), expected })
        }
    }

    /// The most likely power of the positive values, rounded to a half; `None` if that power is 1.
    fn likeliest(values: &[f64]) -> Option<Self> {
        let positive: Vec<f64> = values.iter().copied().filter(|&x| x > 0.0).collect();
        let rounded = BoxCox::of(&Sorted::of(&positive)).map(|found| (found.lambda * 2.0).round() / 2.0);
        let power = rounded.and_then(|lambda| Self::new(lambda).ok()).unwrap_or(Self::LOG);
        (power.lambda != 1.0).then_some(power)
    }

    /// How much larger Akaike's criterion (1974) of a lognormal distribution of positive values is than that of a normal one:
    /// n ln(s²_log/s²) + 2Σ ln x. Not a number without variation.
    pub(crate) fn log_disadvantage(values: &[f64]) -> f64 {
        let logarithms: Vec<f64> = values.iter().map(|x| x.ln()).collect();
        let (plain, log) = (Moments::of(values), Moments::of(&logarithms));
        let quotient = log.sum_of_squares() / plain.sum_of_squares();
        let n = float(values.len());
        n * quotient.ln() + 2.0 * n * log.mean().unwrap_or(0.0)
    }

    /// The power λ; 0 is the logarithm.
    #[must_use]
    pub const fn lambda(self) -> f64 {
        self.lambda
    }

    /// The transformed value; `None` unless x is positive and the transformed value is within the range of
    /// measurements.
    ///
    /// ```
    /// use llmscope_core::PowerTransform;
    ///
    /// let (log, root) = (PowerTransform::LOG, PowerTransform::new(0.5)?);
    /// assert_eq!((log.apply(1.0), log.back(0.0)), (Some(0.0), Some(1.0)));
    /// assert_eq!((root.apply(4.0), root.back(2.0)), (Some(2.0), Some(4.0)));
    /// assert_eq!(log.apply(0.0), None);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn apply(self, x: f64) -> Option<f64> {
        let transformed = if self == Self::LOG { x.ln() } else { x.powf(self.lambda) };
        (x > 0.0 && transformed.abs() <= Sample::MAX_MAGNITUDE).then_some(transformed)
    }

    /// The derivative of the transformation at x, which converts a density of transformed values into one of values.
    ///
    /// ```
    /// use llmscope_core::PowerTransform;
    ///
    /// assert_eq!(PowerTransform::LOG.slope(4.0), 0.25);
    /// assert_eq!(PowerTransform::new(2.0)?.slope(3.0), 6.0);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn slope(self, x: f64) -> f64 {
        if self == Self::LOG { 1.0 / x } else { self.lambda * x.powf(self.lambda - 1.0) }
    }

    /// The inverse: 0 for a y below all transformed values, `None` if the result is not a finite number.
    ///
    /// ```
    /// use llmscope_core::PowerTransform;
    ///
    /// assert_eq!(PowerTransform::new(0.5)?.back(3.0), Some(9.0));
    /// assert_eq!(PowerTransform::new(0.5)?.back(-1.0), Some(0.0));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn back(self, y: f64) -> Option<f64> {
        let x = if self == Self::LOG { y.exp() } else { y.max(0.0).powf(1.0 / self.lambda) };
        x.is_finite().then_some(x)
    }

    /// The transformed measurements, with the same gaps.
    ///
    /// # Errors
    /// [`Error::NotPositive`] with the first value that cannot be transformed.
    ///
    /// ```
    /// use llmscope_core::{PowerTransform, Sample};
    ///
    /// let root = PowerTransform::new(0.5)?;
    /// assert_eq!(root.sample(&Sample::new(vec![1.0, 4.0, 9.0])?)?.values(), [1.0, 2.0, 3.0]);
    /// assert!(root.sample(&Sample::new(vec![1.0, 0.0])?).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn sample(self, sample: &Sample<'_>) -> Result<Sample<'static>> {
        let one = |(index, &value)| self.apply(value).ok_or(Error::NotPositive { index, value });
        let transformed = sample.values().iter().enumerate().map(one).collect::<Result<Vec<_>>>()?;
        Sample::new(transformed)?.with_breaks(sample.breaks().to_vec())
    }

    /// `logarithm`, or `Box–Cox λ 0.5`.
    ///
    /// ```
    /// use llmscope_core::PowerTransform;
    ///
    /// assert_eq!(PowerTransform::LOG.describe(), "logarithm");
    /// assert_eq!(PowerTransform::new(0.5)?.describe(), "Box–Cox λ 0.5");
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn describe(self) -> String {
        if self == Self::LOG { "logarithm".to_owned() } else { format!("Box–Cox λ {}", self.lambda) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disadvantage_of_logarithms_is_that_of_the_likelihoods() {
        // −2 Σ lognorm.logpdf + 2 Σ norm.logpdf with parameters of maximum likelihood, of SciPy 1.17.1.
        let values: Vec<f64> = (1..=10).map(f64::from).collect();
        let found = PowerTransform::log_disadvantage(&values);
        assert!((found - 1.841_547_612_730_032_3).abs() < 1e-12, "{found}");
        assert!(PowerTransform::log_disadvantage(&[2.0; 5]).is_nan());
    }
}
