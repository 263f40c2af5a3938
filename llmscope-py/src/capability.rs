//! Capability, performance, and the sigma on which they are based.

use llmscope_core::capability::{self as core, Interval};
use llmscope_core::error::Result as CoreResult;
use llmscope_core::{Missing, Sample, SigmaEstimate as CoreSigma, SigmaEstimator, SpecificationLimits, Unit};
use pyo3::prelude::*;

use crate::data::GroupedData;
use crate::document::record;
use crate::error::Result;
use crate::values::{Values, with_sample};
use crate::work;

pub(crate) fn pair(interval: &Option<Interval>) -> Option<(f64, f64)> {
    interval.map(|interval| (interval.lower, interval.upper))
}

record! {
    /// An estimate of sigma with its estimator.
    SigmaEstimate(CoreSigma) {
        /// The estimate, in the unit of the data; 0 for data without variation.
        sigma: f64,
        /// Name of the estimator: ``"average_moving_range"``, ``"pooled"``, ``"overall"``, …
        estimator: &'static str = |estimator: &SigmaEstimator| estimator.name(),
        /// Effective degrees of freedom for intervals; ``None`` if none are published.
        degrees_of_freedom: Option<f64>,
    }
    {
        /// A short description of the convention and its formula: indices from different conventions differ.
        #[getter]
        fn convention(&self) -> &'static str {
            self.0.estimator.convention()
        }
    }
}

record! {
    /// Capability: the indices of the within (short-term) sigma. Intervals are ``(lower, upper)``.
    Capability(core::Capability) {
        /// (USL − LSL)/6σ̂; ``None`` for one-sided limits.
        cp: Option<f64>,
        /// Its χ² interval.
        cp_interval: Option<(f64, f64)> = pair,
        /// (x̄ − LSL)/3σ̂.
        cpl: Option<f64>,
        /// (USL − x̄)/3σ̂.
        cpu: Option<f64>,
        /// The smaller of CPL and CPU.
        cpk: f64,
        /// Its interval (Bissell 1990).
        cpk_interval: Option<(f64, f64)> = pair,
        /// The normal quantile of the expected share outside both limits.
        z_bench: Option<f64>,
        /// The within sigma of the indices.
        sigma: f64,
        /// Name of its estimator.
        estimator: &'static str = |estimator: &SigmaEstimator| estimator.name(),
        /// Degrees of freedom of the intervals.
        degrees_of_freedom: Option<f64>,
    }
}

record! {
    /// Performance: the indices of the overall (long-term) sigma. Intervals are ``(lower, upper)``.
    Performance(core::Performance) {
        /// (USL − LSL)/6s; ``None`` for one-sided limits.
        pp: Option<f64>,
        /// Its χ² interval.
        pp_interval: Option<(f64, f64)> = pair,
        /// (x̄ − LSL)/3s.
        ppl: Option<f64>,
        /// (USL − x̄)/3s.
        ppu: Option<f64>,
        /// The smaller of PPL and PPU.
        ppk: f64,
        /// Its interval (Bissell 1990).
        ppk_interval: Option<(f64, f64)> = pair,
        /// The normal quantile of the expected share outside both limits.
        z_bench: Option<f64>,
        /// (USL − LSL)/6√(Σ(x − T)²/(n − 1)): the dispersion about the target (Chan, Cheng & Spiring 1988).
        cpm: Option<f64>,
    }
}

record! {
    /// Expected shares outside the specification limits for a normal distribution, per million.
    ExpectedPpm(core::ExpectedPpm) {
        /// With the within sigma.
        within: Option<f64>,
        /// With the overall sigma.
        overall: Option<f64>,
    }
}

record! {
    /// Specification limits: the requirements of a customer or a service level objective.
    Specification(SpecificationLimits) {
        /// Lower specification limit (LSL).
        lower: Option<f64>,
        /// Upper specification limit (USL).
        upper: Option<f64>,
        /// Target value.
        target: Option<f64>,
    }
}

/// A specification limit: a number, or a text with a unit such as `800ms`.
pub(crate) fn quantity(value: Option<&Bound<'_, PyAny>>, unit: Unit) -> Result<Option<f64>> {
    let Some(value) = value else { return Ok(None) };
    match value.extract::<String>() {
        Ok(text) => Ok(Some(unit.parse(&text)?)),
        Err(_) => Ok(Some(value.extract()?)),
    }
}

/// Measurements, with or without subgroups.
enum Data {
    Single(Values, Missing),
    Grouped(GroupedData),
}

impl Data {
    fn read(values: &Bound<'_, PyAny>, subgroups: Option<&Bound<'_, PyAny>>, missing: &str) -> Result<Self> {
        let missing = missing.parse()?;
        match GroupedData::find(values, subgroups, missing)? {
            Some(data) => Ok(Self::Grouped(data)),
            None => Ok(Self::Single(Values::read(values)?, missing)),
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Single(values, _) => values.len(),
            Self::Grouped(data) => data.values.len(),
        }
    }

    /// The estimate and all measurements.
    fn with<T>(
        &self,
        estimator: Option<SigmaEstimator>,
        work: impl FnOnce(CoreSigma, &[f64]) -> CoreResult<T>,
    ) -> CoreResult<T> {
        match self {
            Self::Single(values, missing) => {
                let sample = values.sample(*missing)?;
                let estimator = estimator.unwrap_or(SigmaEstimator::AverageMovingRange);
                work(estimator.of_sample(&sample)?, sample.values())
            }
            Self::Grouped(data) => data.with(|subgroups| {
                let estimator = estimator.unwrap_or(SigmaEstimator::Pooled);
                work(estimator.of_subgroups(subgroups)?, subgroups.values())
            }),
        }
    }
}

/// Estimates the standard deviation of a process.
///
/// Args:
///     values: Measurements in time order, shape (n,), or a matrix whose rows are subgroups.
///     subgroups: The size of the subgroups, or one label per measurement.
///     estimator: ``"average_moving_range"`` (the default for single measurements), ``"median_moving_range"``, ``"average_range"``,
///         ``"average_standard_deviation"``, ``"pooled"`` (the default for subgroups), ``"pooled_biased"``, ``"overall"`` or
///         ``"overall_unbiased"``.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The estimate in the unit of the data, with its convention and degrees of freedom.
///
/// Raises:
///     NotEnoughDataError: For fewer than two values, or no two adjacent values.
///     ParameterError: For an estimator that does not fit the data.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.sigma([1.0, 2.0, 1.0, 2.0]).sigma  # 1 / d2(2)
///     0.886226925452758
#[pyfunction]
#[pyo3(signature = (values, subgroups = None, *, estimator = None, missing = "error"))]
pub(crate) fn sigma(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    subgroups: Option<&Bound<'_, PyAny>>,
    estimator: Option<&str>,
    missing: &str,
) -> Result<SigmaEstimate> {
    let data = Data::read(values, subgroups, missing)?;
    let estimator = estimator.map(str::parse).transpose()?;
    Ok(SigmaEstimate(work::run(py, data.len(), move || data.with(estimator, |sigma, _| Ok(sigma)))??))
}

/// Cp, CPL, CPU and Cpk: the position and width of the process relative to its specification limits, from the within
/// sigma.
///
/// Source: AIAG SPC 2nd ed. 2005; ISO 22514-2; Montgomery, ch. 8; intervals by χ² (Cp) and Bissell 1990 (Cpk).
///
/// Args:
///     values: Measurements in time order, shape (n,), or a matrix whose rows are subgroups.
///     subgroups: The size of the subgroups, or one label per measurement.
///     lsl: Lower specification limit, in the unit of the data.
///     usl: Upper specification limit, in the unit of the data, such as a service level objective.
///     sigma_estimator: The estimator of the within sigma (see :func:`sigma`); by default, the average moving range for
///         single measurements and the pooled standard deviation for subgroups.
///     confidence: Level of the intervals, between 0 and 1.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The indices; ``None`` without variation, where capability is undefined.
///
/// Raises:
///     SpecificationError: Without a limit, or unless LSL < USL.
///     NotEnoughDataError: For fewer than two values.
///
/// Example:
///     >>> import llmscope as ls
///     >>> index = ls.capability([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30], usl=0.40)
///     >>> round(index.cpk, 3), index.cp is None
///     (2.526, True)
#[pyfunction]
#[pyo3(signature = (
    values, subgroups = None, *, lsl = None, usl = None, sigma_estimator = None, confidence = 0.95, missing = "error"
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn capability(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    subgroups: Option<&Bound<'_, PyAny>>,
    lsl: Option<f64>,
    usl: Option<f64>,
    sigma_estimator: Option<&str>,
    confidence: f64,
    missing: &str,
) -> Result<Option<Capability>> {
    let limits = SpecificationLimits::new(lsl, usl, None)?;
    let confidence = checked(confidence)?;
    let data = Data::read(values, subgroups, missing)?;
    let estimator = sigma_estimator.map(str::parse).transpose()?;
    let index = work::run(py, data.len(), move || {
        data.with(estimator, |sigma, values| {
            let mean = llmscope_core::stats::mean(values).unwrap_or_default();
            Ok(core::capability(mean, &sigma, values.len(), &limits, confidence))
        })
    })??;
    Ok(index.map(Capability))
}

/// Pp, PPL, PPU, Ppk and Cpm: the position and width of the process relative to its specification limits, from the
/// overall sigma.
///
/// Source: as :func:`capability`; Cpm by Chan, Cheng & Spiring 1988.
///
/// Args:
///     values: Measurements. Shape (n,).
///     lsl: Lower specification limit, in the unit of the data.
///     usl: Upper specification limit, in the unit of the data.
///     target: Target value for Cpm, in the unit of the data.
///     confidence: Level of the intervals, between 0 and 1.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The indices, or ``None`` for fewer than two values or without variation.
///
/// Raises:
///     SpecificationError: Without a limit, or unless LSL < USL.
///
/// Example:
///     >>> import llmscope as ls
///     >>> round(ls.performance([9.8, 10.1, 10.0, 9.9, 10.2], lsl=9.0, usl=11.0).ppk, 4)
///     2.1082
#[pyfunction]
#[pyo3(signature = (
    values, *, lsl = None, usl = None, target = None, confidence = 0.95, missing = "error"
))]
pub(crate) fn performance(
    values: &Bound<'_, PyAny>,
    lsl: Option<f64>,
    usl: Option<f64>,
    target: Option<f64>,
    confidence: f64,
    missing: &str,
) -> Result<Option<Performance>> {
    let limits = SpecificationLimits::new(lsl, usl, target)?;
    let confidence = checked(confidence)?;
    let index = move |sample: &Sample<'_>| Ok(core::performance(sample.values(), &limits, confidence));
    Ok(with_sample(values, missing, 1, index)?.map(Performance))
}

/// Expected shares outside the specification limits for a normal process, per million.
///
/// Args:
///     mean: The process mean.
///     sigma: The standard deviation of the process, in the unit of the mean.
///     lsl: Lower specification limit, in the unit of the mean.
///     usl: Upper specification limit, in the unit of the mean.
///
/// Returns:
///     Parts per million, or ``None`` if sigma is 0.
///
/// Example:
///     >>> import llmscope as ls
///     >>> round(ls.expected_ppm(10.0, 1.0, lsl=7.0, usl=13.0), 1)
///     2699.8
#[pyfunction]
#[pyo3(signature = (mean, sigma, *, lsl = None, usl = None))]
pub(crate) fn expected_ppm(mean: f64, sigma: f64, lsl: Option<f64>, usl: Option<f64>) -> Result<Option<f64>> {
    Ok(core::expected_ppm(mean, sigma, &SpecificationLimits::new(lsl, usl, None)?))
}

/// Validates a confidence level.
pub(crate) fn checked(confidence: f64) -> Result<f64> {
    if confidence > 0.0 && confidence < 1.0 {
        return Ok(confidence);
    }
    Err(llmscope_core::Error::Parameter {
        name: "confidence",
        value: confidence.to_string(),
        expected: "a level between 0 and 1, such as 0.95",
    })?
}
