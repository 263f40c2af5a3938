//! Capability and performance: the process relative to its specification limits.
//!
//! Indices always refer to **specification** limits (an SLO is an upper one), never to control limits. Capability (Cp,
//! Cpk) uses the within sigma, performance (Pp, Ppk) the overall sigma (AIAG SPC 2nd ed. 2005; ISO 22514-2; Montgomery,
//! *Introduction to Statistical Quality Control*, ch. 8). One-sided limits have only the one-sided index, without Cp or
//! Pp.

mod non_normal;

pub use non_normal::{FittedPerformance, NonNormal, PercentilePerformance, Supported, TransformedPerformance};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::cast::float;
use crate::error::{Error, Result};
use crate::sigma::SigmaEstimate;
use crate::stats::Moments;
use crate::stats::special::{
    chi_squared_quantile, chi_squared_quantile_upper, normal_cdf, normal_quantile_upper, normal_sf,
};
use crate::transform::PowerTransform;

/// The limits that the customer, or the service level objective, specifies.
#[doc(alias("specification limits", "tolerance"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SpecificationLimits {
    /// Lower specification limit (LSL).
    #[doc(alias = "LSL")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Upper specification limit (USL).
    #[doc(alias = "USL")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// Target value, for Cpm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<f64>,
}

impl SpecificationLimits {
    /// Creates limits on one side or both, with an optional target.
    ///
    /// # Errors
    /// [`Error::Specification`] without any limit, for a limit that is not finite, or unless lower < upper.
    ///
    /// ```
    /// use llmscope_core::SpecificationLimits;
    ///
    /// assert!(SpecificationLimits::new(Some(8.0), Some(20.0), Some(14.0)).is_ok());
    /// assert!(SpecificationLimits::new(Some(20.0), Some(8.0), None).is_err());
    /// assert!(SpecificationLimits::new(None, None, Some(14.0)).is_err());
    /// ```
    pub fn new(lower: Option<f64>, upper: Option<f64>, target: Option<f64>) -> Result<Self> {
        let refuse = |reason| Err(Error::Specification { lower, upper, reason });
        if [lower, upper, target].into_iter().flatten().any(|value| value.is_nan() || value.abs() > 1e75) {
            return refuse("finite limits and a finite target");
        }
        match (lower, upper) {
            (None, None) => refuse("at least one limit"),
            (Some(low), Some(high)) if low >= high => refuse("the lower limit below the upper one"),
            _ => Ok(Self { lower, upper, target }),
        }
    }

    /// The share of the values outside the limits, per million.
    ///
    /// ```
    /// use llmscope_core::SpecificationLimits;
    ///
    /// let limits = SpecificationLimits::new(Some(1.0), Some(3.0), None)?;
    /// assert_eq!(limits.observed_ppm(&[1.0, 3.0]), Some(0.0)); // a value at a limit meets it
    /// assert_eq!(limits.observed_ppm(&[0.5, 2.0, 2.5, 4.0]), Some(500_000.0));
    /// assert_eq!(limits.observed_ppm(&[]), None);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn observed_ppm(&self, values: &[f64]) -> Option<f64> {
        let outside = |&&x: &&f64| self.lower.is_some_and(|low| x < low) || self.upper.is_some_and(|high| x > high);
        (!values.is_empty()).then(|| 1e6 * float(values.iter().filter(outside).count()) / float(values.len()))
    }

    /// The limits on the transformed scale. A limit at or below 0 is dropped, because no positive value is below it.
    /// `None` if no limit remains.
    ///
    /// ```
    /// use llmscope_core::{PowerTransform, SpecificationLimits};
    ///
    /// let limits = SpecificationLimits::new(Some(0.0), Some(1.0), None)?;
    /// assert_eq!(limits.transformed(PowerTransform::LOG), Some(SpecificationLimits::new(None, Some(0.0), None)?));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn transformed(&self, power: PowerTransform) -> Option<Self> {
        let apply = |limit: Option<f64>| limit.and_then(|limit| power.apply(limit));
        Self::new(apply(self.lower), apply(self.upper), apply(self.target)).ok()
    }

    /// The limits as text: `LSL 0.2  target 0.3  USL 0.8`.
    ///
    /// ```
    /// use llmscope_core::{SpecificationLimits, Unit, quantity::with_unit};
    ///
    /// let limits = SpecificationLimits::new(Some(0.2), Some(0.8), None)?;
    /// assert_eq!(limits.describe(|value| with_unit(Unit::Second, value)), "LSL 200.0 ms  USL 800.0 ms");
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    #[must_use]
    pub fn describe(&self, quantity: impl Fn(f64) -> String) -> String {
        let one = |name: &str, value: Option<f64>| value.map(|value| format!("{name} {}", quantity(value)));
        let parts = [one("LSL", self.lower), one("target", self.target), one("USL", self.upper)];
        parts.into_iter().flatten().collect::<Vec<_>>().join("  ")
    }

    /// The probability that a normal variable falls outside the limits.
    fn tail_probability(&self, mean: f64, sigma: f64) -> f64 {
        let below = self.lower.map_or(0.0, |low| normal_cdf((low - mean) / sigma));
        let above = self.upper.map_or(0.0, |high| normal_sf((high - mean) / sigma));
        below + above
    }
}

/// A two-sided confidence interval, written as `[lower, upper]`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(into = "[f64; 2]", from = "[f64; 2]")]
#[schemars(with = "[f64; 2]")]
pub struct Interval {
    /// Its lower end.
    pub lower: f64,
    /// Its upper end.
    pub upper: f64,
}

impl From<Interval> for [f64; 2] {
    fn from(interval: Interval) -> Self {
        [interval.lower, interval.upper]
    }
}

impl From<[f64; 2]> for Interval {
    fn from([lower, upper]: [f64; 2]) -> Self {
        Self { lower, upper }
    }
}

/// Capability: the indices based on the within (short-term) sigma.
#[doc(alias("Cp", "Cpk", "process capability"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Capability {
    /// (USL − LSL)/6σ̂.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cp: Option<f64>,
    /// Its χ² interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cp_interval: Option<Interval>,
    /// (x̄ − LSL)/3σ̂.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpl: Option<f64>,
    /// (USL − x̄)/3σ̂.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// The smaller of CPL and CPU.
    #[doc(alias = "Cpk")]
    pub cpk: f64,
    /// Its interval (Bissell 1990).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpk_interval: Option<Interval>,
    /// The normal quantile of the expected share outside both limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_bench: Option<f64>,
    /// The within sigma of the indices. Conventions differ, so the report names the estimator.
    pub sigma: f64,
    /// The estimator of [`Self::sigma`].
    pub estimator: crate::sigma::SigmaEstimator,
    /// Degrees of freedom of the intervals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub degrees_of_freedom: Option<f64>,
}

/// Performance: the indices based on the overall (long-term) sigma.
#[doc(alias("Pp", "Ppk", "process performance"))]
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Performance {
    /// (USL − LSL)/6s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pp: Option<f64>,
    /// Its χ² interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pp_interval: Option<Interval>,
    /// (x̄ − LSL)/3s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppl: Option<f64>,
    /// (USL − x̄)/3s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppu: Option<f64>,
    /// The smaller of PPL and PPU.
    #[doc(alias = "Ppk")]
    pub ppk: f64,
    /// Its interval (Bissell 1990).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ppk_interval: Option<Interval>,
    /// The normal quantile of the expected share outside both limits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub z_bench: Option<f64>,
    /// (USL − LSL)/6√(Σ(x − T)²/(n − 1)): relative to the deviation from the target (Chan, Cheng & Spiring 1988).
    #[doc(alias("Cpm", "Taguchi"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpm: Option<f64>,
}

/// The shares outside the specification limits that a normal distribution predicts, per million.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct ExpectedPpm {
    /// For the within sigma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<f64>,
    /// For the overall sigma.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overall: Option<f64>,
}

/// The indices for one sigma.
struct Indices {
    both: Option<f64>,
    lower: Option<f64>,
    upper: Option<f64>,
    worst: f64,
    z_bench: Option<f64>,
}

impl Indices {
    /// `None` if sigma is 0 or if an index is not finite.
    fn of(mean: f64, sigma: f64, limits: &SpecificationLimits) -> Option<Self> {
        let lower = limits.lower.map(|low| (mean - low) / (3.0 * sigma));
        let upper = limits.upper.map(|high| (high - mean) / (3.0 * sigma));
        let both = limits.lower.zip(limits.upper).map(|(low, high)| (high - low) / (6.0 * sigma));
        let worst = [lower, upper].into_iter().flatten().reduce(f64::min)?;
        let finite = [lower, upper, both].into_iter().flatten().all(f64::is_finite);
        let z_bench = normal_quantile_upper(limits.tail_probability(mean, sigma)).filter(|z| z.is_finite());
        (sigma > 0.0 && finite).then_some(Self { both, lower, upper, worst, z_bench })
    }
}

/// Cp, CPL, CPU and Cpk of `n` values, with intervals at the `confidence` level (0.95 is usual).
///
/// `None` if sigma is 0: capability is undefined without variation.
///
/// ```
/// use llmscope_core::capability::{SpecificationLimits, capability};
/// use llmscope_core::SigmaEstimate;
///
/// // NIST/SEMATECH e-Handbook 6.1.6.
/// let limits = SpecificationLimits::new(Some(8.0), Some(20.0), None)?;
/// let index = capability(16.0, &SigmaEstimate::given(2.0)?, 30, &limits, 0.95).unwrap();
/// assert_eq!((index.cp, index.cpk), (Some(1.0), 4.0 / 6.0));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn capability(
    mean: f64,
    within: &SigmaEstimate,
    n: usize,
    limits: &SpecificationLimits,
    confidence: f64,
) -> Option<Capability> {
    let indices = Indices::of(mean, within.sigma, limits)?;
    let freedom = within.degrees_of_freedom;
    Some(Capability {
        cp: indices.both,
        cp_interval: indices.both.zip(freedom).and_then(|(cp, df)| chi_squared_interval(cp, df, confidence)),
        cpl: indices.lower,
        cpu: indices.upper,
        cpk: indices.worst,
        cpk_interval: freedom.and_then(|df| bissell_interval(indices.worst, n, df, confidence)),
        z_bench: indices.z_bench,
        sigma: within.sigma,
        estimator: within.estimator,
        degrees_of_freedom: freedom,
    })
}

/// Pp, PPL, PPU, Ppk and Cpm of a sample, with intervals at the `confidence` level and n − 1 degrees of freedom.
///
/// `None` for fewer than two values or without variation.
///
/// ```
/// use llmscope_core::capability::{SpecificationLimits, performance};
///
/// // Mean 5 and standard deviation √(32/7) = 2.138.
/// let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
/// let limits = SpecificationLimits::new(Some(-1.0), Some(14.0), None)?;
/// let index = performance(&values, &limits, 0.95).unwrap();
/// assert!((index.pp.unwrap() - 15.0 / (6.0 * (32.0_f64 / 7.0).sqrt())).abs() < 1e-12);
/// assert_eq!(Some(index.ppk), index.ppl); // the mean is nearer to the lower limit
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn performance(values: &[f64], limits: &SpecificationLimits, confidence: f64) -> Option<Performance> {
    let moments = Moments::of(values);
    let (mean, sd) = (moments.mean()?, moments.standard_deviation()?);
    let indices = Indices::of(mean, sd, limits)?;
    let df = float(values.len() - 1);
    let cpm = limits.target.and_then(|target| {
        let about_target = moments.sum_of_squares() + float(values.len()) * (mean - target).powi(2);
        Some((limits.upper? - limits.lower?) / (6.0 * (about_target / df).sqrt()))
    });
    Some(Performance {
        pp: indices.both,
        pp_interval: indices.both.and_then(|pp| chi_squared_interval(pp, df, confidence)),
        ppl: indices.lower,
        ppu: indices.upper,
        ppk: indices.worst,
        ppk_interval: bissell_interval(indices.worst, values.len(), df, confidence),
        z_bench: indices.z_bench,
        cpm: cpm.filter(|cpm| cpm.is_finite()),
    })
}

/// Pp, PPL, PPU, Ppk and Cpm of a sigma that combines components of variance. The interval of Pp follows from the
/// sigma's `interval`. No interval is published for Ppk, whose mean varies with the runs, too.
///
/// `None` if sigma is 0.
///
/// ```
/// use llmscope_core::capability::{SpecificationLimits, performance_of_sigma};
///
/// let limits = SpecificationLimits::new(Some(8.0), Some(20.0), Some(14.0))?;
/// let index = performance_of_sigma(14.0, 2.0, None, &limits).unwrap();
/// assert_eq!((index.pp, index.ppk, index.cpm), (Some(1.0), 1.0, Some(1.0))); // centered on the target
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[must_use]
pub fn performance_of_sigma(
    mean: f64,
    sigma: f64,
    interval: Option<Interval>,
    limits: &SpecificationLimits,
) -> Option<Performance> {
    let indices = Indices::of(mean, sigma, limits)?;
    let scaled = |pp: f64, interval: Interval| Interval {
        lower: pp * sigma / interval.upper,
        upper: pp * sigma / interval.lower,
    };
    let pp_interval = indices.both.zip(interval).map(|(pp, interval)| scaled(pp, interval));
    let cpm =
        limits.target.and_then(|target| Some((limits.upper? - limits.lower?) / (6.0 * sigma.hypot(mean - target))));
    Some(Performance {
        pp: indices.both,
        pp_interval: pp_interval.filter(|interval| interval.lower.is_finite() && interval.upper.is_finite()),
        ppl: indices.lower,
        ppu: indices.upper,
        ppk: indices.worst,
        ppk_interval: None,
        z_bench: indices.z_bench,
        cpm: cpm.filter(|cpm| cpm.is_finite()),
    })
}

/// Expected parts per million outside the limits, for a normal process with this mean and sigma; `None` if sigma is 0.
///
/// ```
/// use llmscope_core::capability::{SpecificationLimits, expected_ppm};
///
/// let limits = SpecificationLimits::new(Some(-3.0), Some(3.0), None)?;
/// assert_eq!(format!("{:.0}", expected_ppm(0.0, 1.0, &limits).unwrap()), "2700"); // limits at three sigmas
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[doc(alias("DPMO", "PPM"))]
#[must_use]
pub fn expected_ppm(mean: f64, sigma: f64, limits: &SpecificationLimits) -> Option<f64> {
    (sigma > 0.0).then(|| 1e6 * limits.tail_probability(mean, sigma)).filter(|ppm| ppm.is_finite())
}

/// Ĉ√(χ²_{α/2,ν}/ν) to Ĉ√(χ²_{1−α/2,ν}/ν): exact for Cp and Pp of a normal process.
///
/// ```
/// use llmscope_core::capability::chi_squared_interval;
///
/// // √(χ²/ν) of 9 degrees of freedom: χ² is 2.700 and 19.023.
/// let interval = chi_squared_interval(1.0, 9.0, 0.95).unwrap();
/// assert_eq!(format!("{:.3} {:.3}", interval.lower, interval.upper), "0.548 1.454");
/// ```
#[must_use]
pub fn chi_squared_interval(index: f64, degrees_of_freedom: f64, confidence: f64) -> Option<Interval> {
    let tail = (1.0 - confidence) / 2.0;
    let scaled = |quantile: f64| index * (quantile / degrees_of_freedom).sqrt();
    Some(Interval {
        lower: scaled(chi_squared_quantile(tail, degrees_of_freedom)?),
        upper: scaled(chi_squared_quantile_upper(tail, degrees_of_freedom)?),
    })
}

/// Ĉ ± z_{1−α/2}√(1/9n + Ĉ²/2ν) for Cpk and Ppk (Bissell 1990, *Applied Statistics* 39(3), 331–340).
///
/// ```
/// use llmscope_core::capability::bissell_interval;
///
/// // A Ĉpk of 1.33 from 20 measurements does not exclude a Cpk below 1.
/// let interval = bissell_interval(1.33, 20, 19.0, 0.95).unwrap();
/// assert_eq!(format!("{:.2} {:.2}", interval.lower, interval.upper), "0.88 1.78");
/// ```
#[must_use]
pub fn bissell_interval(index: f64, n: usize, degrees_of_freedom: f64, confidence: f64) -> Option<Interval> {
    let z = normal_quantile_upper((1.0 - confidence) / 2.0)?;
    let half = z * (1.0 / (9.0 * float(n)) + index * index / (2.0 * degrees_of_freedom)).sqrt();
    half.is_finite().then_some(Interval { lower: index - half, upper: index + half })
}
