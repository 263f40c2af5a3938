//! Phase I: charts whose limits are estimated from their own data.

use llmscope_core::chart::attributes::{self, Counts};
use llmscope_core::chart::cusum::{self, Cusum};
use llmscope_core::chart::ewma::{self, Ewma};
use llmscope_core::chart::{individuals as core_individuals, laney, moving_average, staged, xbar as core_xbar};
use llmscope_core::{Bounds, ChartKind, SigmaEstimator, Subgroups, Transform};
use pyo3::prelude::*;

use crate::chart::{Chart, bounds_of, finished};
use crate::data::{CountData, GroupedData};
use crate::error::Result;
use crate::values::Values;

/// Individuals chart: limits x̄ ± 3σ̂ of single measurements, with a chart of their moving ranges (I-MR).
///
/// Source: Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4.
///
/// Args:
///     values: Measurements in time order. Shape (n,); NumPy, pandas, polars, Arrow, or a sequence. Contiguous float64
///         is not copied.
///     sigma_estimator: Estimator of the within sigma: ``"average_moving_range"`` (MR̄/d₂), ``"median_moving_range"``,
///         ``"overall"`` or ``"overall_unbiased"``.
///     stages: Positions of points at which new limits begin.
///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``; ``(0, None)`` for a
///         latency.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (every run and moving range ends there) or
///         ``"drop"``.
///     transform: Transformation of the measurements: ``"none"``, ``"log"`` for long tails, ``"box-cox"`` (the maximum
///         likelihood power, rounded to a half), or ``"auto"`` (Box–Cox if the data are not normal). Limits are
///         transformed back to the unit of the data; sigma, zones and moving ranges refer to the transformed
///         measurements.
///
/// Returns:
///     The phase I chart, in the unit of the data.
///
/// Raises:
///     NotEnoughDataError: Without two adjacent values.
///     NonFiniteError: For a NaN or infinity, with its index.
///     MissingValueError: For a missing value under ``"error"``.
///     NotPositiveError: For a measurement that cannot be transformed, with its index.
///
/// Example:
///     >>> import llmscope as ls
///     >>> chart = ls.individuals([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
///     >>> round(chart.limits.upper, 3)
///     55.802
///     >>> chart.judge().is_in_control
///     True
#[pyfunction]
#[pyo3(signature = (
    values, *, sigma_estimator = "average_moving_range", stages = Vec::new(), bounds = (None, None), missing = "error",
    transform = "none"
))]
pub(crate) fn individuals(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    sigma_estimator: &str,
    stages: Vec<usize>,
    bounds: (Option<f64>, Option<f64>),
    missing: &str,
    transform: &str,
) -> Result<Chart> {
    let (estimator, transform): (SigmaEstimator, Transform) = (sigma_estimator.parse()?, transform.parse()?);
    let (values, bounds, missing) = (Values::read(values)?, bounds_of(bounds), missing.parse()?);
    finished(py, values.len(), move || {
        Chart::of_sample(values, missing, bounds, |sample| {
            let power = transform.choose(sample.values());
            if stages.is_empty() {
                return core_individuals::estimate_on(sample, estimator, power);
            }
            staged(sample.len(), &stages, |points| {
                Ok(core_individuals::estimate_on(&sample.slice(points), estimator, power)?.into_owned())
            })
        })
    })
}

/// EWMA chart: zᵢ = λxᵢ + (1−λ)zᵢ₋₁ with exact limits that widen with i. It detects small sustained shifts.
///
/// Source: Roberts 1959, *Technometrics* 1(3); Lucas & Saccucci 1990.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     lambda_: Weight λ of the newest point, above 0 and at most 1.
///     width: Distance L of the limits from the center line, in standard deviations of the average.
///     sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (the average restarts) or ``"drop"``.
///
/// Returns:
///     The phase I chart. Only the rule of its limits applies, because its points are dependent.
///
/// Raises:
///     ParameterError: Unless 0 < λ ≤ 1 and L is positive.
///     NotEnoughDataError: Without two adjacent values.
///
/// Example:
///     >>> import llmscope as ls
///     >>> chart = ls.ewma([0.31, 0.29, 0.30, 0.32, 0.30, 0.31], lambda_=0.2)
///     >>> bool(chart.limits.upper[-1] > chart.limits.upper[0])
///     True
#[pyfunction]
#[pyo3(name = "ewma", signature = (
    values, *, lambda_ = 0.2, width = 3.0, sigma_estimator = "average_moving_range", bounds = (None, None), missing = "error"
))]
pub(crate) fn ewma_chart(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    lambda_: f64,
    width: f64,
    sigma_estimator: &str,
    bounds: (Option<f64>, Option<f64>),
    missing: &str,
) -> Result<Chart> {
    let (estimator, average) = (sigma_estimator.parse()?, Ewma::new(lambda_, width)?);
    let (values, bounds, missing) = (Values::read(values)?, bounds_of(bounds), missing.parse()?);
    finished(py, values.len(), move || {
        Chart::of_sample(values, missing, bounds, |sample| ewma::estimate(sample, estimator, average))
    })
}

/// CUSUM chart: cumulative sums of deviations beyond an allowance, on either side. It detects small sustained shifts
/// and estimates when they began.
///
/// Source: Page 1954, *Biometrika* 41; Lucas & Crosier 1982, *Technometrics* 24; Montgomery, *Introduction to Statistical
/// Quality Control*, ch. 9.1.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     k: Allowance, in sigmas: half of the shift to detect.
///     h: Decision interval, in sigmas: a sum beyond it signals.
///     headstart: Initial value of the sums, as a share of ``h``; 0.5 is the usual fast initial response.
///     sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (the sums restart) or ``"drop"``.
///
/// Returns:
///     The phase I chart: its points are the upper sums, its ``lower_points`` the lower ones. A violation begins at the
///     estimated start of the shift.
///
/// Raises:
///     ParameterError: Unless 0 ≤ k, h is positive, and 0 ≤ headstart < 1.
///     NotEnoughDataError: Without two adjacent values.
///
/// Example:
///     >>> import llmscope as ls
///     >>> study = ls.Standards("cusum", center=10.0, sigma=1.0)
///     >>> study.monitor([10.0] * 8 + [11.5] * 8).judge().violations[0].first
///     8
#[pyfunction]
#[pyo3(name = "cusum", signature = (
    values, *, k = 0.5, h = 5.0, headstart = 0.0, sigma_estimator = "average_moving_range", missing = "error"
))]
pub(crate) fn cusum_chart(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    k: f64,
    h: f64,
    headstart: f64,
    sigma_estimator: &str,
    missing: &str,
) -> Result<Chart> {
    let (estimator, parameters) = (sigma_estimator.parse()?, Cusum::new(k, h, headstart)?);
    let (values, missing) = (Values::read(values)?, missing.parse()?);
    finished(py, values.len(), move || {
        Chart::of_sample(values, missing, Bounds::NONE, |sample| cusum::estimate(sample, estimator, parameters))
    })
}

/// Moving average chart: each point is the mean of the last ``span`` measurements, with limits x̄ ± 3σ̂/√w.
///
/// Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 9.3.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     span: Measurements in each mean, from 1 to 1000.
///     sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (the average restarts) or ``"drop"``.
///
/// Returns:
///     The phase I chart. Only the rule of its limits applies, because its points are dependent.
///
/// Raises:
///     ParameterError: For a span that is not from 1 to 1000.
///     NotEnoughDataError: Without two adjacent values.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.moving_average([1.0, 3.0, 2.0, 4.0], span=2).points.tolist()
///     [1.0, 2.0, 2.5, 3.0]
#[pyfunction]
#[pyo3(name = "moving_average", signature = (
    values, *, span = 5, sigma_estimator = "average_moving_range", bounds = (None, None), missing = "error"
))]
pub(crate) fn moving_average_chart(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    span: usize,
    sigma_estimator: &str,
    bounds: (Option<f64>, Option<f64>),
    missing: &str,
) -> Result<Chart> {
    let estimator = sigma_estimator.parse()?;
    let (values, bounds, missing) = (Values::read(values)?, bounds_of(bounds), missing.parse()?);
    finished(py, values.len(), move || {
        Chart::of_sample(values, missing, bounds, |sample| moving_average::estimate(sample, estimator, span))
    })
}

/// X̄ chart: subgroup means with limits x̿ ± 3σ̂/√nᵢ, and a dispersion chart (X̄–R, X̄–S), for subgroups of any sizes.
///
/// Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 6.2 and 6.3.
///
/// Args:
///     values: A matrix whose rows are subgroups, shape (k, n); or measurements in time order, shape (N,).
///     subgroups: For measurements: the size of the subgroups, or one label per measurement. Measurements with the
///         same label form a subgroup; those without one are left out.
///     chart: ``"xbar-r"`` (σ̂ = R̄/d₂) or ``"xbar-s"`` (σ̂ = S̄/c₄).
///     sigma_estimator: Another estimator: ``"average_range"``, ``"average_standard_deviation"``, ``"pooled"``,
///         ``"pooled_biased"``, … (see :func:`sigma`).
///     stages: Positions of subgroups at which new limits begin.
///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The phase I chart.
///
/// Raises:
///     NotEnoughDataError: Without subgroups.
///     ParameterError: If the chart or the estimator does not support subgroups.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.xbar([[74.03, 74.002, 74.019], [73.995, 73.992, 74.001], [73.988, 74.024, 74.021]]).kind
///     'xbar-r'
#[pyfunction]
#[pyo3(signature = (
    values, subgroups = None, *, chart = "xbar-r", sigma_estimator = None, stages = Vec::new(), bounds = (None, None),
    missing = "error"
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn xbar(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    subgroups: Option<&Bound<'_, PyAny>>,
    chart: &str,
    sigma_estimator: Option<&str>,
    stages: Vec<usize>,
    bounds: (Option<f64>, Option<f64>),
    missing: &str,
) -> Result<Chart> {
    let (kind, bounds) = (chart.parse()?, bounds_of(bounds));
    let estimator: Option<SigmaEstimator> = sigma_estimator.map(str::parse).transpose()?;
    let data = GroupedData::read(values, subgroups, missing.parse()?)?;
    finished(py, data.values.len(), move || {
        let estimate = |subgroups: &Subgroups<'_>| {
            if stages.is_empty() {
                return core_xbar::estimate(subgroups, kind, estimator);
            }
            staged(subgroups.len(), &stages, |points| core_xbar::estimate(&subgroups.slice(points), kind, estimator))
        };
        Ok(Chart::of(data.with(estimate)?.with_bounds(bounds)))
    })
}

/// Attributes chart: p and np for nonconforming items, c and u for nonconformities, Laney's p′ and u′.
///
/// Source: Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 7; Laney 2002, *Quality
/// Engineering* 14(4).
///
/// Args:
///     counts: Whole numbers in time order. Shape (n,).
///     sizes: Sample sizes (p, np, Laney p′) or areas of opportunity (c, u, Laney u′): one number, or one per count.
///     chart: ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney-p"`` or ``"laney-u"``.
///     stages: Positions of samples at which new limits begin.
///
/// Returns:
///     The phase I chart, with limits clamped to the range of a proportion or rate.
///
/// Raises:
///     CountError: For a count that is not a whole number from 0 to the size of its sample.
///     ParameterError: If sizes are missing, or for another kind of chart.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.attributes([12, 15, 8, 10], 50, chart="p").limits.center
///     0.225
#[pyfunction]
#[pyo3(name = "attributes", signature = (counts, sizes = None, *, chart = "p", stages = Vec::new()))]
pub(crate) fn attributes_chart(
    py: Python<'_>,
    counts: &Bound<'_, PyAny>,
    sizes: Option<&Bound<'_, PyAny>>,
    chart: &str,
    stages: Vec<usize>,
) -> Result<Chart> {
    let kind: ChartKind = chart.parse()?;
    let data = CountData::read(counts, sizes, kind)?;
    finished(py, data.counts.len(), move || {
        let counts = data.checked(kind)?;
        let estimate = |counts: &Counts| match kind.is_laney() {
            true => laney::estimate(counts, kind),
            false => attributes::estimate(counts, kind),
        };
        Ok(Chart::of(match stages.is_empty() {
            true => estimate(&counts)?,
            false => staged(counts.len(), &stages, |points| estimate(&counts.slice(points)))?,
        }))
    })
}
