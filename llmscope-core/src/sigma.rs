//! The within (short-term) and overall (long-term) sigma, each with its convention and its degrees of freedom.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cast::float;
use crate::error::{Error, Result, by_name};
use crate::factors::{bissell_f, c4, d2, d3, d4};
use crate::sample::{Sample, Subgroups, segments};
use crate::stats::{self, Moments};

/// The estimator of sigma. Different estimators give different values for the same data, so a report always names it.
#[doc(alias("R-bar", "MR-bar", "S-bar", "within sigma"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum SigmaEstimator {
    /// MR̄ / d₂(2): mean absolute difference of adjacent measurements (default for individuals).
    AverageMovingRange,
    /// median(MR) / d₄(2): robust against a few outliers.
    MedianMovingRange,
    /// R̄ / d₂(n): mean range of the subgroups (default for X̄–R). Unequal sizes: the minimum-variance linear
    /// combination Σfᵢ(Rᵢ/d₂(nᵢ))/Σfᵢ with fᵢ = d₂(nᵢ)²/d₃(nᵢ)² (Burr 1969).
    AverageRange,
    /// S̄ / c₄(n): mean standard deviation of the subgroups (default for X̄–S). Unequal sizes:
    /// Σhᵢ(sᵢ/c₄(nᵢ))/Σhᵢ with hᵢ = c₄(nᵢ)²/(1 − c₄(nᵢ)²) (Burr 1969).
    AverageStandardDeviation,
    /// √(Σ(nᵢ−1)sᵢ²/Σ(nᵢ−1)) / c₄(Σ(nᵢ−1)+1): pooled over subgroups and unbiased (default for capability).
    Pooled,
    /// The pooled standard deviation without the division by c₄.
    PooledBiased,
    /// s: the sample standard deviation of all values (long-term; Pp, Ppk).
    Overall,
    /// s / c₄(n): the same, unbiased.
    OverallUnbiased,
    /// A given value, not an estimate.
    Given,
}

impl SigmaEstimator {
    /// Every estimator.
    pub const ALL: [Self; 9] = [
        Self::AverageMovingRange,
        Self::MedianMovingRange,
        Self::AverageRange,
        Self::AverageStandardDeviation,
        Self::Pooled,
        Self::PooledBiased,
        Self::Overall,
        Self::OverallUnbiased,
        Self::Given,
    ];

    /// The estimator's name on the command line, in files and in Python.
    ///
    /// ```
    /// use llmscope_core::SigmaEstimator;
    ///
    /// assert_eq!(SigmaEstimator::Pooled.name(), "pooled");
    /// assert_eq!("median_moving_range".parse::<SigmaEstimator>()?, SigmaEstimator::MedianMovingRange);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AverageMovingRange => "average_moving_range",
            Self::MedianMovingRange => "median_moving_range",
            Self::AverageRange => "average_range",
            Self::AverageStandardDeviation => "average_standard_deviation",
            Self::Pooled => "pooled",
            Self::PooledBiased => "pooled_biased",
            Self::Overall => "overall",
            Self::OverallUnbiased => "overall_unbiased",
            Self::Given => "given",
        }
    }

    /// A shorter name, which is accepted as well.
    ///
    /// ```
    /// use llmscope_core::SigmaEstimator;
    ///
    /// assert_eq!(SigmaEstimator::AverageMovingRange.alias(), "average-mr");
    /// assert_eq!("average-mr".parse::<SigmaEstimator>()?, SigmaEstimator::AverageMovingRange);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub const fn alias(self) -> &'static str {
        match self {
            Self::AverageMovingRange => "average-mr",
            Self::MedianMovingRange => "median-mr",
            Self::AverageRange => "average-range",
            Self::AverageStandardDeviation => "average-s",
            Self::Pooled => "pooled",
            Self::PooledBiased => "pooled-biased",
            Self::Overall => "overall",
            Self::OverallUnbiased => "overall-unbiased",
            Self::Given => "given",
        }
    }

    /// The convention and its formula, to print next to the number.
    ///
    /// ```
    /// use llmscope_core::SigmaEstimator;
    ///
    /// assert_eq!(SigmaEstimator::AverageRange.convention(), "average range / d2");
    /// ```
    #[must_use]
    pub const fn convention(self) -> &'static str {
        match self {
            Self::AverageMovingRange => "average moving range / d2",
            Self::MedianMovingRange => "median moving range / d4",
            Self::AverageRange => "average range / d2",
            Self::AverageStandardDeviation => "average standard deviation / c4",
            Self::Pooled => "pooled standard deviation / c4",
            Self::PooledBiased => "pooled standard deviation",
            Self::Overall => "overall standard deviation",
            Self::OverallUnbiased => "overall standard deviation / c4",
            Self::Given => "given, not estimated",
        }
    }

    /// Estimates sigma from single values.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] for fewer than two values, or if every pair of adjacent values has a gap between them;
    /// [`Error::Parameter`] for an estimator that needs subgroups.
    ///
    /// ```
    /// use llmscope_core::{Sample, SigmaEstimator};
    ///
    /// let sample = Sample::new(vec![1.0, 2.0, 1.0, 2.0])?;
    /// let within = SigmaEstimator::AverageMovingRange.of_sample(&sample)?;
    /// assert!((within.sigma - 1.0 / 1.128_379_167).abs() < 1e-9); // every moving range is 1
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_sample(self, sample: &Sample<'_>) -> Result<SigmaEstimate> {
        match self {
            Self::AverageMovingRange => average_moving_range(sample),
            Self::MedianMovingRange => median_moving_range(sample),
            Self::Overall | Self::OverallUnbiased => self.overall(&Moments::of(sample.values())),
            _ => Err(self.unsuitable(
                "average_moving_range, median_moving_range, overall or overall_unbiased for single values",
            )),
        }
    }

    /// Estimates sigma from subgroups.
    ///
    /// # Errors
    /// [`Error::NotEnoughData`] without subgroups; [`Error::Parameter`] for an estimator of single values.
    ///
    /// ```
    /// use llmscope_core::{Sample, SigmaEstimator, Subgroups};
    ///
    /// let sample = Sample::new(vec![1.0, 3.0, 2.0, 4.0])?;
    /// let within = SigmaEstimator::AverageRange.of_subgroups(&Subgroups::of_size(&sample, 2)?)?;
    /// assert!((within.sigma - 2.0 / 1.128_379_167).abs() < 1e-9); // both ranges are 2
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn of_subgroups(self, subgroups: &Subgroups<'_>) -> Result<SigmaEstimate> {
        if subgroups.is_empty() {
            return Err(Error::NotEnoughData { what: "sigma from subgroups (subgroups)", have: 0, need: 1 });
        }
        match self {
            Self::AverageRange => Ok(average_range(subgroups)),
            Self::AverageStandardDeviation => Ok(average_standard_deviation(subgroups)),
            Self::Pooled | Self::PooledBiased => Ok(self.pooled(subgroups)),
            Self::Overall | Self::OverallUnbiased => self.overall(&Moments::of(subgroups.values())),
            _ => Err(self.unsuitable("average_range, average_standard_deviation, pooled, pooled_biased, overall or overall_unbiased for subgroups")),
        }
    }

    /// Estimates the overall sigma from moments.
    fn overall(self, moments: &Moments) -> Result<SigmaEstimate> {
        let count = to_usize(moments.count());
        let sd = moments.standard_deviation().ok_or(Error::NotEnoughData {
            what: "a standard deviation (values)",
            have: count,
            need: 2,
        })?;
        let sigma = if self == Self::OverallUnbiased { sd / c4(count) } else { sd };
        Ok(SigmaEstimate { sigma, estimator: self, degrees_of_freedom: Some(float(count - 1)) })
    }

    fn pooled(self, subgroups: &Subgroups<'_>) -> SigmaEstimate {
        let freedom: usize = subgroups.sizes().iter().map(|size| size - 1).sum();
        let squares: f64 = subgroups.iter().map(|subgroup| Moments::of(subgroup).sum_of_squares()).sum();
        let pooled = (squares / float(freedom)).sqrt();
        let sigma = if self == Self::Pooled { pooled / c4(freedom + 1) } else { pooled };
        SigmaEstimate { sigma, estimator: self, degrees_of_freedom: Some(float(freedom)) }
    }

    fn unsuitable(self, expected: &'static str) -> Error {
        Error::Parameter { name: "sigma estimator", value: self.name().to_owned(), expected }
    }
}

impl fmt::Display for SigmaEstimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for SigmaEstimator {
    type Err = Error;

    /// Parses `average_moving_range`, or its alias `average-mr`.
    fn from_str(name: &str) -> Result<Self> {
        match Self::ALL.iter().find(|estimator| estimator.alias() == name) {
            Some(&estimator) => Ok(estimator),
            None => by_name("sigma estimator", name, &Self::ALL, Self::name),
        }
    }
}

/// An estimate of sigma with its estimator.
///
/// ```
/// use llmscope_core::{Sample, SigmaEstimator};
///
/// let sample = Sample::new(vec![2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0])?;
/// let overall = SigmaEstimator::Overall.of_sample(&sample)?;
/// assert!((overall.sigma - (32.0_f64 / 7.0).sqrt()).abs() < 1e-12);
/// assert_eq!(overall.degrees_of_freedom, Some(7.0));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SigmaEstimate {
    /// The estimate, in the unit of the data (with a transformation, of the transformed data); 0 for data without
    /// variation.
    pub sigma: f64,
    /// The estimator.
    pub estimator: SigmaEstimator,
    /// Effective degrees of freedom for intervals: pooled Σ(nᵢ−1); average range 0.9 Σ(nᵢ−1) and average standard
    /// deviation Σ f(nᵢ)(nᵢ−1) (Bissell 1990); average moving range 0.62 times the number of moving ranges (JMP);
    /// overall n − 1. Absent for a given value, and for the median moving range, for which none are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees_of_freedom: Option<f64>,
}

impl SigmaEstimate {
    /// Creates a given sigma, without an estimate.
    ///
    /// # Errors
    /// [`Error::Parameter`] unless it is finite and positive.
    ///
    /// ```
    /// use llmscope_core::SigmaEstimate;
    ///
    /// assert_eq!(SigmaEstimate::given(0.02)?.sigma, 0.02);
    /// assert!(SigmaEstimate::given(0.0).is_err());
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn given(sigma: f64) -> Result<Self> {
        if sigma.is_finite() && sigma > 0.0 {
            Ok(Self { sigma, estimator: SigmaEstimator::Given, degrees_of_freedom: None })
        } else {
            Err(Error::Parameter { name: "sigma", value: sigma.to_string(), expected: "a finite number above 0" })
        }
    }
}

/// The moving ranges |xᵢ − xᵢ₋₁| that span no gap, each with the position i of its later value.
#[must_use]
pub(crate) fn moving_ranges(values: &[f64], breaks: &[usize]) -> (Vec<f64>, Vec<usize>) {
    let (mut ranges, mut positions) = (Vec::with_capacity(values.len()), Vec::with_capacity(values.len()));
    let mut start = 0;
    for segment in segments(values, breaks) {
        ranges.extend(segment.windows(2).map(|pair| (pair[1] - pair[0]).abs()));
        positions.extend(start + 1..start + segment.len().max(1));
        start += segment.len();
    }
    (ranges, positions)
}

const MOVING_RANGES: &str = "sigma from moving ranges (adjacent pairs)";

/// MR̄/d₂(2), without materializing the moving ranges.
fn average_moving_range(sample: &Sample<'_>) -> Result<SigmaEstimate> {
    let count: usize = sample.segments().map(|segment| segment.len().saturating_sub(1)).sum();
    if count == 0 {
        return Err(Error::NotEnoughData { what: MOVING_RANGES, have: 0, need: 1 });
    }
    let total: f64 = sample.segments().map(|values| stats::sum_of_moving_ranges(values).value()).sum();
    Ok(SigmaEstimate {
        sigma: total / float(count) / d2(2),
        estimator: SigmaEstimator::AverageMovingRange,
        degrees_of_freedom: Some(0.62 * float(count)),
    })
}

fn median_moving_range(sample: &Sample<'_>) -> Result<SigmaEstimate> {
    let (ranges, _) = moving_ranges(sample.values(), sample.breaks());
    let median = stats::median(&ranges).ok_or(Error::NotEnoughData { what: MOVING_RANGES, have: 0, need: 1 })?;
    Ok(SigmaEstimate { sigma: median / d4(2), estimator: SigmaEstimator::MedianMovingRange, degrees_of_freedom: None })
}

fn average_range(subgroups: &Subgroups<'_>) -> SigmaEstimate {
    SigmaEstimate {
        sigma: minimum_variance(subgroups, range, d2, |n| (d2(n) / d3(n)).powi(2)),
        estimator: SigmaEstimator::AverageRange,
        degrees_of_freedom: Some(0.9 * subgroups.sizes().iter().map(|&n| float(n - 1)).sum::<f64>()),
    }
}

fn average_standard_deviation(subgroups: &Subgroups<'_>) -> SigmaEstimate {
    let weight = |n| c4(n).powi(2) / (1.0 - c4(n).powi(2));
    SigmaEstimate {
        sigma: minimum_variance(subgroups, standard_deviation, c4, weight),
        estimator: SigmaEstimator::AverageStandardDeviation,
        degrees_of_freedom: Some(subgroups.sizes().iter().map(|&n| bissell_f(n) * float(n - 1)).sum()),
    }
}

/// Σwᵢ(tᵢ/eᵢ)/Σwᵢ for the dispersion tᵢ of each subgroup and its expectation eᵢ at σ = 1. With equal sizes the weights
/// cancel, and t̄/e is computed as in the literature.
fn minimum_variance(
    subgroups: &Subgroups<'_>,
    dispersion: impl Fn(&[f64]) -> f64,
    expectation: impl Fn(usize) -> f64,
    weight: impl Fn(usize) -> f64,
) -> f64 {
    let sizes = subgroups.sizes();
    if sizes.windows(2).all(|pair| pair[0] == pair[1]) {
        let dispersions: Vec<f64> = subgroups.iter().map(dispersion).collect();
        return stats::sum(&dispersions, |x| x).value() / float(sizes.len()) / expectation(sizes[0]);
    }
    let (mut weighted, mut weights) = (0.0, 0.0);
    for subgroup in subgroups.iter() {
        let n = subgroup.len();
        weighted += weight(n) * dispersion(subgroup) / expectation(n);
        weights += weight(n);
    }
    weighted / weights
}

/// Largest − smallest value of a subgroup.
pub(crate) fn range(subgroup: &[f64]) -> f64 {
    let max = subgroup.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let min = subgroup.iter().copied().fold(f64::INFINITY, f64::min);
    max - min
}

/// Standard deviation of a subgroup, which has at least two values.
pub(crate) fn standard_deviation(subgroup: &[f64]) -> f64 {
    Moments::of(subgroup).standard_deviation().unwrap_or(0.0)
}

#[allow(clippy::cast_possible_truncation, reason = "the values fit in memory, so their count fits in usize")]
fn to_usize(count: u64) -> usize {
    count as usize
}
