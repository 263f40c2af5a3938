//! Performance of data that are not normal, by fitted distributions, a transformation, or percentiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::SpecificationLimits;
use crate::cast::float;
use crate::stats::{BoxCox, Distribution, Fit, Moments, Normality, QuantileMethod, Sorted, anderson_darling};

/// The share below the lower percentile (ISO 22514-4), which equals that of a normal distribution below −3σ.
const LOWER: f64 = 0.001_35;
/// The number of values from which a sample has a value beyond each percentile: 1/0.00135.
const MIN_EMPIRICAL: usize = 741;
/// Transformed data with at least this p-value are considered normal.
const NORMAL: f64 = 0.05;

/// Performance without the assumption of a normal distribution, by three methods, and the method that the data support.
#[doc(alias = "non-normal capability")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct NonNormal {
    /// Fitted distributions, ordered by Akaike's criterion, the best one first.
    pub fits: Vec<FittedPerformance>,
    /// Performance after the power transformation of Box & Cox, of data and limits; absent unless all values are
    /// positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub box_cox: Option<TransformedPerformance>,
    /// Performance from the percentiles of the sample; absent for fewer than 741 values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub empirical: Option<PercentilePerformance>,
    /// The method that the data support.
    pub supported: Supported,
}

/// A method whose assumption the data do not contradict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Supported {
    /// The normal indices.
    Normal,
    /// A fitted lognormal distribution.
    Lognormal,
    /// A fitted Weibull distribution.
    Weibull,
    /// A fitted gamma distribution.
    Gamma,
    /// The Box–Cox transformation.
    BoxCox,
    /// The percentiles of the sample, which assume no distribution.
    Empirical,
    /// No method: the data contradict every distribution, and there are too few values for percentiles.
    None,
}

impl Supported {
    /// The method's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Normal => "normal distribution",
            Self::Lognormal => "lognormal distribution",
            Self::Weibull => "Weibull distribution",
            Self::Gamma => "gamma distribution",
            Self::BoxCox => "Box–Cox transformation",
            Self::Empirical => "percentiles of the sample",
            Self::None => "no method",
        }
    }
}

/// Indices by percentiles: Pp = (USL − LSL)/(X₀.₉₉₈₆₅ − X₀.₀₀₁₃₅), PPU = (USL − X₀.₅)/(X₀.₉₉₈₆₅ − X₀.₅),
/// PPL = (X₀.₅ − LSL)/(X₀.₅ − X₀.₀₀₁₃₅) (ISO 22514-4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct PercentilePerformance {
    /// X₀.₀₀₁₃₅, X₀.₅, X₀.₉₉₈₆₅.
    pub percentiles: [f64; 3],
    /// Pp; absent for one-sided limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pp: Option<f64>,
    /// The smaller of PPL and PPU.
    pub ppk: f64,
}

impl PercentilePerformance {
    /// The indices from these percentiles; `None` if the percentiles coincide.
    #[must_use]
    pub fn new(percentiles: [f64; 3], limits: &SpecificationLimits) -> Option<Self> {
        let [low, median, high] = percentiles;
        let upper = limits.upper.map(|upper| (upper - median) / (high - median));
        let lower = limits.lower.map(|lower| (median - lower) / (median - low));
        let pp = limits.lower.zip(limits.upper).map(|(lower, upper)| (upper - lower) / (high - low));
        let ppk = [lower, upper].into_iter().flatten().reduce(f64::min)?;
        let finite = [lower, upper, pp].into_iter().flatten().all(f64::is_finite);
        (finite && low < median && median < high).then_some(Self { percentiles, pp, ppk })
    }

    /// The indices of a distribution.
    #[must_use]
    pub fn of(distribution: &Distribution, limits: &SpecificationLimits) -> Option<Self> {
        let quantile = |p| distribution.quantile(p);
        Self::new([quantile(LOWER)?, quantile(0.5)?, quantile(1.0 - LOWER)?], limits)
    }
}

/// A fitted distribution and its indices.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct FittedPerformance {
    /// The fit.
    #[serde(flatten)]
    pub fit: Fit,
    /// True if the Anderson–Darling statistic does not reject it at 5 %.
    pub fits: bool,
    /// Its indices.
    #[serde(flatten)]
    pub performance: PercentilePerformance,
    /// Share outside the limits, per million.
    pub expected_ppm: f64,
}

impl FittedPerformance {
    fn new(fit: Fit, limits: &SpecificationLimits) -> Option<Self> {
        let performance = PercentilePerformance::of(&fit.distribution, limits)?;
        let below = limits.lower.map_or(0.0, |lower| fit.distribution.tails(lower).0);
        let above = limits.upper.map_or(0.0, |upper| fit.distribution.tails(upper).1);
        Some(Self { fit, fits: fit.is_good(), performance, expected_ppm: 1e6 * (below + above) })
    }
}

/// Normal indices after a transformation of data and limits.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TransformedPerformance {
    /// The transformation.
    #[serde(flatten)]
    pub box_cox: BoxCox,
    /// Anderson–Darling test of the transformed data.
    pub normality: Normality,
    /// Pp; absent for one-sided limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pp: Option<f64>,
    /// The smaller of PPL and PPU.
    pub ppk: f64,
}

impl TransformedPerformance {
    fn new(sorted: &Sorted, limits: &SpecificationLimits) -> Option<Self> {
        let box_cox = BoxCox::of(sorted)?;
        let transformed = sorted.values().iter().map(|&x| box_cox.transform(x)).collect::<Option<Vec<_>>>()?;
        let normality = anderson_darling(&Sorted::of(&transformed))?;
        // No positive value is below a limit at or below 0.
        let limits = SpecificationLimits {
            lower: limits.lower.and_then(|lower| box_cox.transform(lower)),
            upper: limits.upper.and_then(|upper| box_cox.transform(upper)),
            target: None,
        };
        let moments = Moments::of(&transformed);
        let indices = super::Indices::of(moments.mean()?, moments.standard_deviation()?, &limits)?;
        Some(Self { box_cox, normality, pp: indices.both, ppk: indices.worst })
    }
}

impl NonNormal {
    /// The results of the three methods for these values; `None` if none of them applies.
    ///
    /// ```
    /// use llmscope_core::SpecificationLimits;
    /// use llmscope_core::capability::NonNormal;
    /// use llmscope_core::stats::{Sorted, special::normal_quantile};
    ///
    /// // Lognormal latencies have a long upper tail.
    /// let normal = (1..200).filter_map(|i| normal_quantile(f64::from(i) / 200.0));
    /// let latencies = Sorted::of(&normal.map(|z| 0.3 * (0.3 * z).exp()).collect::<Vec<_>>());
    /// let limits = SpecificationLimits::new(None, Some(0.8), None)?;
    /// let fitted = NonNormal::of(&latencies, &limits).unwrap();
    /// // The limit is 0.5 above the median, and the 99.865 % quantile 0.3(e^0.9 − 1) = 0.438.
    /// assert!((fitted.supported_ppk().unwrap() - 0.5 / 0.438).abs() < 0.05);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn of(sorted: &Sorted, limits: &SpecificationLimits) -> Option<Self> {
        let fits: Vec<_> = Fit::all(sorted).into_iter().filter_map(|fit| FittedPerformance::new(fit, limits)).collect();
        let box_cox = TransformedPerformance::new(sorted, limits);
        let empirical = empirical(sorted, limits);
        let supported = supported(&fits, box_cox.as_ref(), empirical.is_some());
        (!fits.is_empty() || empirical.is_some()).then_some(Self { fits, box_cox, empirical, supported })
    }

    /// The Ppk of the supported method.
    #[must_use]
    pub fn supported_ppk(&self) -> Option<f64> {
        let fitted = || self.fits.iter().find(|fit| fit.fits).map(|fit| fit.performance.ppk);
        match self.supported {
            Supported::BoxCox => self.box_cox.map(|transformed| transformed.ppk),
            Supported::Empirical => self.empirical.map(|empirical| empirical.ppk),
            Supported::None => None,
            _ => fitted(),
        }
    }
}

fn empirical(sorted: &Sorted, limits: &SpecificationLimits) -> Option<PercentilePerformance> {
    let quantile = |p| sorted.quantile(p, QuantileMethod::HyndmanFan7);
    let enough = float(sorted.values().len()) >= float(MIN_EMPIRICAL);
    let percentiles = [quantile(LOWER)?, quantile(0.5)?, quantile(1.0 - LOWER)?];
    PercentilePerformance::new(percentiles, limits).filter(|_| enough)
}

/// The best distribution by Akaike's criterion among those that Anderson–Darling does not reject; else the
/// transformation, if it makes the data normal; else the percentiles.
fn supported(fits: &[FittedPerformance], box_cox: Option<&TransformedPerformance>, empirical: bool) -> Supported {
    match fits.iter().find(|fit| fit.fits).map(|fit| fit.fit.distribution) {
        Some(Distribution::Normal { .. }) => Supported::Normal,
        Some(Distribution::Lognormal { .. }) => Supported::Lognormal,
        Some(Distribution::Weibull { .. }) => Supported::Weibull,
        Some(Distribution::Gamma { .. }) => Supported::Gamma,
        None if box_cox.is_some_and(|it| it.normality.p >= NORMAL && !it.box_cox.is_at_the_end()) => Supported::BoxCox,
        None if empirical => Supported::Empirical,
        None => Supported::None,
    }
}
