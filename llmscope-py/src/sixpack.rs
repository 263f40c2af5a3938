//! Pictures of several charts: I-MR, and the capability sixpack.

use llmscope_core::plot::{Imr, Labels, Sixpack, SixpackPlan};
use llmscope_core::{Metric, SpecificationLimits, Unit, Verdict};
use pyo3::prelude::*;

use crate::capability::{checked, quantity};
use crate::chart::bounds_of;
use crate::error::Result;
use crate::estimate::individuals;
use crate::picture::Picture;
use crate::rules::read_or_nelson;
use crate::values::{Values, with_sample};
use crate::work;

/// The individuals chart over its moving range chart, as one picture with a shared axis of time.
///
/// Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     metric: The name of the measured quantity; by default, that of the Series. Its suffix names the unit, as in
///         ``ttft_s`` or ``latency_ms``.
///     title: The title; by default, the metric.
///     rules: A preset, a list of rules, or a :class:`RuleSet`. Rules that use zones do not apply to the ranges.
///     sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
///     stages: Positions of points at which new limits begin.
///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///     transform: Transformation of the measurements (see :func:`individuals`). The moving ranges are those of the
///         transformed measurements.
///
/// Returns:
///     The picture.
///
/// Raises:
///     NotEnoughDataError: Without two adjacent values.
///     NonFiniteError: For a NaN or infinity, with its index.
///     UnknownNameError: For an unknown rule.
///
/// Example:
///     >>> import llmscope as ls
///     >>> picture = ls.imr([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.52, 0.30], metric="ttft_s", bounds=(0, None))
///     >>> picture.svg.startswith("<svg"), len(picture.png()) > 10_000
///     (True, True)
#[pyfunction]
#[pyo3(signature = (
    values, *, metric = None, title = None, rules = None, sigma_estimator = "average_moving_range",
    stages = Vec::new(), bounds = (None, None), missing = "error", transform = "none"
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn imr(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    metric: Option<String>,
    title: Option<String>,
    rules: Option<&Bound<'_, PyAny>>,
    sigma_estimator: &str,
    stages: Vec<usize>,
    bounds: (Option<f64>, Option<f64>),
    missing: &str,
    transform: &str,
) -> Result<Picture> {
    let (labels, rules) = (labels(values, metric, title)?, read_or_nelson(rules)?);
    let chart = individuals(py, values, sigma_estimator, stages, bounds, missing, transform)?;
    let chart = chart.core().clone().into_owned();
    let points = chart.points.len();
    let drawn = work::run(py, points, move || {
        Imr::of(chart, &rules)
            .map(|charts| picture(charts.svg(&labels), &labels, "individuals and moving ranges", charts.verdict()))
    })??;
    Ok(drawn)
}

/// Stability, distribution and capability as one picture of six panels: individuals chart, moving range chart, the last
/// 25 values, capability histogram with normal curves, normal probability plot, and the indices.
///
/// The picture shows the conditions of an index next to the index. An index describes the future only of a stable
/// process, and its expected ppm only those of a normal one.
///
/// Source: AIAG SPC 2nd ed. 2005; Montgomery, *Introduction to Statistical Quality Control*, ch. 8; the probability plot
/// has median ranks (Benard & Bos-Levenbach 1953), the test is Anderson and Darling's (see :func:`anderson_darling`).
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     lsl: Lower specification limit: a number in the unit of the data, or a text such as ``"200ms"``.
///     usl: Upper specification limit, such as a service level objective.
///     target: Target value, for Cpm.
///     metric: The name of the measured quantity; by default, that of the Series. Its suffix names the unit, as in
///         ``ttft_s`` or ``latency_ms``.
///     title: The title; by default, the metric.
///     rules: A preset, a list of rules, or a :class:`RuleSet`. Rules that use zones do not apply to the ranges.
///     sigma_estimator: Estimator of the within sigma (see :func:`sigma`).
///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
///     confidence: Level of the intervals of the indices, between 0 and 1.
///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
///
/// Returns:
///     The picture. Without specification limits, it has no indices.
///
/// Raises:
///     NotEnoughDataError: Without two adjacent values.
///     NonFiniteError: For a NaN or infinity, with its index.
///     SpecificationError: For a target without a limit, or unless LSL < USL.
///     QuantityError: For a limit whose unit does not suit the metric.
///
/// Example:
///     >>> import llmscope as ls
///     >>> values = [0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30]
///     >>> ls.sixpack(values, usl="400ms", metric="ttft_s").save("sixpack.png")  # doctest: +SKIP
///     >>> ls.sixpack(values, lsl=0.2, usl=0.4)
///     Picture(alt='value, stability and capability: in control, Cpk 2.53, Ppk 3.41')
#[pyfunction]
#[pyo3(signature = (
    values, *, lsl = None, usl = None, target = None, metric = None, title = None, rules = None,
    sigma_estimator = "average_moving_range", bounds = (None, None), confidence = 0.95, missing = "error"
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn sixpack(
    values: &Bound<'_, PyAny>,
    lsl: Option<&Bound<'_, PyAny>>,
    usl: Option<&Bound<'_, PyAny>>,
    target: Option<&Bound<'_, PyAny>>,
    metric: Option<String>,
    title: Option<String>,
    rules: Option<&Bound<'_, PyAny>>,
    sigma_estimator: &str,
    bounds: (Option<f64>, Option<f64>),
    confidence: f64,
    missing: &str,
) -> Result<Picture> {
    let labels = labels(values, metric, title)?;
    let limit = |value| quantity(value, labels.unit);
    let (lower, upper, target) = (limit(lsl)?, limit(usl)?, limit(target)?);
    let specified = lower.or(upper).or(target).is_some();
    let plan = SixpackPlan {
        specification: specified.then(|| SpecificationLimits::new(lower, upper, target)).transpose()?,
        estimator: sigma_estimator.parse()?,
        bounds: bounds_of(bounds),
        rules: read_or_nelson(rules)?,
        confidence: checked(confidence)?,
    };
    with_sample(values, missing, work::SORTING, move |sample| {
        let pack = Sixpack::of(sample, &plan)?;
        let mut drawn = picture(pack.svg(&labels), &labels, "stability and capability", pack.charts.verdict());
        if let Some((within, overall)) = pack.capability.zip(pack.performance) {
            drawn.alt.push_str(&format!(", Cpk {:.2}, Ppk {:.2}", within.cpk, overall.ppk));
        }
        Ok(drawn)
    })
}

fn picture(svg: String, labels: &Labels, what: &str, verdict: Verdict) -> Picture {
    Picture { svg, alt: format!("{}, {what}: {}", labels.title, verdict.label()) }
}

/// The texts of a picture of these values.
fn labels(values: &Bound<'_, PyAny>, metric: Option<String>, title: Option<String>) -> Result<Labels> {
    let metric = Values::name(values, metric)?;
    let label = || metric.parse().map_or_else(|_| metric.clone(), |known: Metric| known.label().to_owned());
    Ok(Labels { title: title.unwrap_or_else(label), unit: Unit::of_column(&metric), quantity: metric })
}
