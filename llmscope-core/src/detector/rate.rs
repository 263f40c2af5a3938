//! How often an alarm may be false.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How often an alarm may be false: one false alarm in N values, on average.
///
/// ```
/// use llmscope_core::detector::FalseAlarmRate;
///
/// let rate: FalseAlarmRate = "1/1000".parse()?;
/// assert_eq!((rate.values(), rate.to_string().as_str()), (1000.0, "1/1000"));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("ARL", "average run length"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct FalseAlarmRate(f64);

impl FalseAlarmRate {
    /// The most frequent false alarms: with more of them, an alarm says nothing.
    pub const MOST_FREQUENT: f64 = 100.0;
    /// The rarest. Rates were simulated up to one in 4,000,000.
    pub const RAREST: f64 = 1e12;

    /// One false alarm in this number of values, on average.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless the number is between 100 and 10¹².
    ///
    /// ```
    /// use llmscope_core::detector::FalseAlarmRate;
    ///
    /// assert_eq!(FalseAlarmRate::one_in(1000.0)?.to_string(), "1/1000");
    /// assert!(FalseAlarmRate::one_in(10.0).is_err()); // such alarms say nothing
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn one_in(values: f64) -> Result<Self> {
        if (Self::MOST_FREQUENT..=Self::RAREST).contains(&values) {
            return Ok(Self(values));
        }
        Err(Error::Parameter {
            name: "false alarms",
            value: format!("1/{values}"),
            expected: "one in 100 to 10^12 values, such as 1/1000",
        })
    }

    /// The average number of values between false alarms.
    #[must_use]
    pub const fn values(self) -> f64 {
        self.0
    }

    /// The rate of each of several detectors that share this one, as those of a service do. By the union bound this holds
    /// however their values depend on each other.
    ///
    /// # Errors
    /// [`Error::Parameter`] if the share is rarer than 1/10¹².
    ///
    /// ```
    /// use llmscope_core::detector::FalseAlarmRate;
    ///
    /// // One false alarm in 1000 values, of ten endpoints together.
    /// assert_eq!(FalseAlarmRate::one_in(1000.0)?.shared_by(10)?.values(), 10_000.0);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn shared_by(self, detectors: usize) -> Result<Self> {
        Self::one_in(self.0 * crate::cast::float(detectors.max(1)))
    }

    /// The evidence that raises an alarm: A = 0.55 N₀ for a mean run length N₀ of at least 1,000 values.
    ///
    /// A = N₀ would guarantee it for any distribution of the factors. The sums overshoot A, and the mean run length is
    /// A / Σ wᵢνᵢ with νᵢ = E exp(−overshoot) under the alternative of each part (Woodroofe 1982, *Nonlinear Renewal Theory*).
    /// By importance sampling Σ wᵢνᵢ is 0.541, and 0.561 if the scores are cut at 3.5, as those of 2,048 ranks are.
    ///
    /// For shorter run lengths the factor grows to 0.63 at 100. There, values that wait because of the evidence are a relevant
    /// share of the reference. Both were checked by simulation of the whole detector.
    pub(super) fn threshold(self) -> f64 {
        let decades = (3.0 - self.0.log10()).max(0.0);
        (0.55 + 0.08 * decades * decades) * self.0
    }
}

impl Default for FalseAlarmRate {
    /// One in 1,000 values.
    fn default() -> Self {
        Self(1000.0)
    }
}

impl TryFrom<f64> for FalseAlarmRate {
    type Error = Error;

    fn try_from(values: f64) -> Result<Self> {
        Self::one_in(values)
    }
}

impl From<FalseAlarmRate> for f64 {
    fn from(rate: FalseAlarmRate) -> Self {
        rate.0
    }
}

impl FromStr for FalseAlarmRate {
    type Err = Error;

    /// Reads `1/1000`.
    fn from_str(text: &str) -> Result<Self> {
        let values = text.trim().strip_prefix("1/").and_then(|values| values.trim().parse::<f64>().ok());
        values.and_then(|values| Self::one_in(values).ok()).ok_or_else(|| Error::Parameter {
            name: "false alarms",
            value: text.to_owned(),
            expected: "one in 100 to 10^12 values, such as 1/1000",
        })
    }
}

impl fmt::Display for FalseAlarmRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1/{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_and_bounded() {
        assert_eq!("1/100000".parse::<FalseAlarmRate>().expect("a rate").values(), 1e5);
        for text in ["", "1000", "1/99", "1/2e12", "1/x", "1/NaN", "2/1000", "1/-5", "1/inf"] {
            let error = text.parse::<FalseAlarmRate>().expect_err(text);
            assert!(error.to_string().contains("1/1000"), "{error}");
        }
    }

    #[test]
    fn detectors_share_a_rate() {
        let weekly = FalseAlarmRate::one_in(40_320.0).expect("a rate");
        assert_eq!(weekly.shared_by(100).expect("a rate").values(), 4_032_000.0);
        assert!(weekly.shared_by(100_000_000).is_err());
    }
}
