//! From data of any kind to analyses.

use std::collections::BTreeMap;
use std::path::PathBuf;

use llmscope_core::analysis::answer::{check_objectives, family_of, limit_of_requests};
use llmscope_core::analysis::{self as core, Baseline, DecidedBy, Grouping, Guess, Origin, Plan, Series, Stages};
use llmscope_core::chart::cusum::Cusum;
use llmscope_core::chart::ewma::Ewma;
use llmscope_core::{Error, Objective, SpecificationLimits, Unit};
use pyo3::prelude::*;

use crate::analysis::{Analysis, Report};
use crate::capability::{checked, quantity};
use crate::error::{Result, refuse_guess, unreadable};
use crate::input::{Found, Request, find, names, stated};
use crate::rules::read_or_nelson;
use crate::work::{self, ANALYZING};

/// Analyzes data, per group and metric: did it change, since when, by how much; control chart, patterns and capability.
///
/// The verdict on a series says whether its level, spread or failure share changed. It allows for dependent values and
/// for the number of series. The patterns of the rules are reported separately.
///
/// Args:
///     data: A path, a :class:`Log` or :class:`Session`, or a list of those; a data frame (pandas, polars, pyarrow) or
///         a dictionary of columns; or one-dimensional numbers. A long line-based log is read from its path in blocks
///         and not held in memory.
///     metric: The metric of requests (``"ttft_s"``, ``"e2e_s"``, ``"tpot_s"``, ``"output_tokens_per_s"``,
///         ``"error_rate"``, …) or the column to analyze, or several. By default, the standard metrics in the data, or
///         the only other column of a data frame. For bare numbers, a name for them; by default, that of the Series.
///     by: Names to group by: ``"provider"``, ``"model"``, ``"session"``, a label or a column, or several; ``[]`` for
///         one group. By default, provider and model, if the data have them.
///     chart: ``"individuals"``, ``"xbar-r"``, ``"xbar-s"``, ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney-p"``,
///         ``"laney-u"``, ``"ewma"``, ``"cusum"`` or ``"moving-average"``.
///     subgroups: The size of subgroups, or the column that labels them.
///     sizes: Sample size of a chart of counts, or the column that holds it.
///     rules: A preset, a list of rules, or a :class:`RuleSet`. By default, Nelson's rules judge the last stage, and the
///         limits are those of that stage (:attr:`Analysis.basis`). If you name rules, a chart, a transformation or an
///         estimator, the limits are those of all points.
///     sigma_estimator: The estimator of the within sigma (see :func:`sigma`); by default, that of the chart.
///     phase1: Estimate limits from these points, ``n`` or ``(start, end)``; the rest is monitored.
///     baseline: A file with limits from :meth:`Report.save_baseline`.
///     center: Given standards: the center line.
///     sigma: Given standards: sigma of a single measurement.
///     stages: Positions of points at which new limits begin, or ``"auto"``: where the level changes
///         (:func:`change_points`).
///     lsl: Lower specification limit: a number in the metric's unit, or a text such as ``"200ms"``.
///     usl: Upper specification limit, such as a service level objective.
///     target: Target value.
///     missing: Policy for missing values: ``"error"``, ``"break"`` or ``"drop"``; by default, ``"break"`` for requests
///         and ``"error"`` for columns.
///     confidence: Level of the capability intervals, between 0 and 1.
///     points: True to include every point in the JSON.
///     lambda_: Weight of the newest point of an EWMA chart.
///     width: Width of the limits of an EWMA chart, in sigmas of the average.
///     k: Allowance of a CUSUM chart, in sigmas.
///     h: Decision interval of a CUSUM chart, in sigmas.
///     headstart: Where the sums of a CUSUM chart start, as a share of ``h``.
///     span: Measurements in each mean of a moving average chart.
///     transform: Transformation of single measurements: ``"none"``, ``"log"`` for long tails, ``"box-cox"`` (the
///         maximum likelihood power, rounded to a half), or ``"auto"`` (Box–Cox if the data are not normal). Limits are
///         transformed back to the unit of the data; sigma, zones and capability refer to the transformed measurements.
///         By default, durations have logarithms on an individuals chart, and all else has no transformation.
///     alpha: The chance that the call reports a change of any series if nothing changed, above 0 and below 0.5. All
///         series of the call share it.
///     spikes: True if single slow requests make a series changed. They then have a share of alpha, which is valid if
///         the logarithms of the values are normal.
///     slo: Objectives, separated by commas or as a list: ``"errors=1%,ttft.p99=500ms"`` of a run, which are met, missed
///         or undecided; ``"ttft=500ms"`` of a request, which is an upper specification limit.
///     units: The units of columns whose names give none or another one: ``{"latency": "ms"}``.
///     higher_is_better: A column of which more is better, or several.
///     lower_is_better: A column of which less is better, or several.
///     status: Which rows of a table succeeded: ``"code=ok,200..299"`` names a column and its values, and ``"none"``
///         ignores such columns. By default, columns such as ``status``, ``success`` and ``error`` say so.
///     strict: True to refuse a unit or a direction that is guessed from a name and decides.
///
/// Returns:
///     An :class:`Analysis` for bare numbers, otherwise a :class:`Report`. Too few data result in the verdict
///     ``"not_enough_data"``, not an error.
///
/// Raises:
///     UnknownNameError: If the data lack the metric or column; the message lists the available ones.
///     FormatError: For text or a gap in a numeric column, with its row.
///     ParameterError: If the parameters contradict each other or the data, or for a guess with ``strict=True``.
///
/// Example:
///     >>> import llmscope as ls
///     >>> import numpy as np
///     >>> ttft_s = np.random.default_rng(1).normal(0.30, 0.02, 120)
///     >>> ttft_s[90:] *= 1.2
///     >>> report = ls.analyze({"model": ["a"] * 60 + ["b"] * 60, "ttft_s": ttft_s}, by="model", usl="800ms")
///     >>> [(a.group["model"], a.verdict, round(a.capability.cpk, 1)) for a in report]
///     [('a', 'stable', 5.8), ('b', 'changed', 4.0)]
///     >>> report[1].answer
///     Answer('slower by 21 % (17 to 24 %) since request 30, 28 to 30, p < 0.0001')
#[pyfunction]
#[pyo3(signature = (
    data, *, metric = None, by = None, chart = None, subgroups = None, sizes = None, rules = None,
    sigma_estimator = None, phase1 = None, baseline = None, center = None, sigma = None, stages = None,
    lsl = None, usl = None, target = None, missing = None, confidence = 0.95, points = false, lambda_ = 0.2,
    width = 3.0, k = 0.5, h = 5.0, headstart = 0.0, span = 5, transform = None, alpha = 0.01,
    spikes = false, slo = None, units = None, higher_is_better = None, lower_is_better = None, status = None, strict = false
))]
#[allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]
pub(crate) fn analyze<'py>(
    py: Python<'py>,
    data: &Bound<'py, PyAny>,
    metric: Option<&Bound<'py, PyAny>>,
    by: Option<&Bound<'py, PyAny>>,
    chart: Option<&str>,
    subgroups: Option<&Bound<'py, PyAny>>,
    sizes: Option<&Bound<'py, PyAny>>,
    rules: Option<&Bound<'py, PyAny>>,
    sigma_estimator: Option<&str>,
    phase1: Option<&Bound<'py, PyAny>>,
    baseline: Option<PathBuf>,
    center: Option<f64>,
    sigma: Option<f64>,
    stages: Option<&Bound<'py, PyAny>>,
    lsl: Option<&Bound<'py, PyAny>>,
    usl: Option<&Bound<'py, PyAny>>,
    target: Option<&Bound<'py, PyAny>>,
    missing: Option<&str>,
    confidence: f64,
    points: bool,
    lambda_: f64,
    width: f64,
    k: f64,
    h: f64,
    headstart: f64,
    span: usize,
    transform: Option<&str>,
    alpha: f64,
    spikes: bool,
    slo: Option<&Bound<'py, PyAny>>,
    units: Option<BTreeMap<String, String>>,
    higher_is_better: Option<&Bound<'py, PyAny>>,
    lower_is_better: Option<&Bound<'py, PyAny>>,
    status: Option<&str>,
    strict: bool,
) -> Result<Bound<'py, PyAny>> {
    let (subgroups, sizes) = (subgroups.map(grouping).transpose()?, sizes.map(grouping).transpose()?);
    let plan = Plan {
        chart: chart.map(str::parse).transpose()?,
        rules: read_or_nelson(rules)?,
        ewma: Ewma::new(lambda_, width)?,
        cusum: Cusum::new(k, h, headstart)?,
        span,
        transform: transform.map(str::parse).transpose()?.unwrap_or_default(),
        estimator: sigma_estimator.map(str::parse).transpose()?,
        origin: origin(phase1, baseline, center, sigma, rules.is_some() || transform.is_some())?,
        stages: stages.map(stages_of).transpose()?.unwrap_or_default(),
        missing: missing.map(str::parse).transpose()?,
        confidence: checked(confidence)?,
        points,
        subgroups,
        size: sizes,
        specification: None,
        alpha,
        family: 1,
        slow_requests: spikes,
        objectives: Vec::new(),
        answers: true,
    };
    let (metrics, by) = (metric.map(names).transpose()?.unwrap_or_default(), by.map(names).transpose()?);
    let companion = [&plan.subgroups, &plan.size].into_iter().find_map(|grouping| match grouping {
        Some(Grouping::Column(name)) => Some(name.clone()),
        _ => None,
    });
    let stated = stated(units, higher_is_better, lower_is_better)?;
    let status = status.map(str::parse).transpose()?.unwrap_or_default();
    let request = Request { metrics, by, companion, stated, status, ..Request::default() };
    let Found { series, runs, columns, is_bare, numeric_groups, .. } = find(data, request)?;
    // As on the command line: limits that were not estimated from all of the data are for judging by rules.
    let decided_by = if plan.origin.is_of_these_data() { DecidedBy::Changes } else { DecidedBy::Rules };
    let limits: Vec<_> = [lsl, usl, target].into_iter().flatten().collect();
    let has_limits = !limits.is_empty() || center.is_some();
    if !limits.is_empty() {
        core::check_one_kind(&series, limits.iter().all(|limit| limit.extract::<f64>().is_err()))?;
    }
    if strict {
        refuse_guess(Guess::first_of(&series, decided_by == DecidedBy::Changes, has_limits))?;
    }
    let objectives = slo.map(objectives_of).transpose()?.unwrap_or_default();
    check_objectives(&objectives, &series)?;
    let plan = Plan { family: family_of(&series), objectives, ..plan };
    let specify = |unit: Unit| -> Result<Option<SpecificationLimits>> {
        if lsl.is_none() && usl.is_none() && target.is_none() {
            return Ok(None);
        }
        Ok(Some(SpecificationLimits::new(quantity(lsl, unit)?, quantity(usl, unit)?, quantity(target, unit)?)?))
    };
    let planned_for = |series: &Series| -> Result<Plan> {
        let specification = specify(series.unit())?.or(limit_of_requests(&plan.objectives, series)?);
        Ok(Plan { specification, ..plan.clone() })
    };
    let planned = series.into_iter().map(|series| Ok((planned_for(&series)?, series))).collect::<Result<Vec<_>>>()?;
    let planned_runs = runs
        .into_iter()
        .filter_map(|runs| runs.first().map(&planned_for).map(|plan| Ok((plan?, runs))))
        .collect::<Result<Vec<_>>>()?;
    let size: usize = planned.iter().map(|(_, series)| series.values.len()).sum();
    let report = work::run(py, size.saturating_mul(ANALYZING), move || {
        let analyses = planned.iter().map(|(plan, series)| core::analyze(series, plan));
        let studies = planned_runs.iter().filter_map(|(plan, runs)| core::study(runs, plan).transpose());
        let report = core::Report::new(None, &plan, analyses.collect::<Result<_, _>>()?);
        let report = report.decided_by(decided_by).with_columns(columns);
        Ok::<_, Error>(report.with_studies(studies.collect::<Result<_, _>>()?))
    })??;
    let report = Report::new(report, numeric_groups);
    match report.analyses.first() {
        Some(analysis) if is_bare => Ok(Bound::new(py, Analysis(analysis.clone()))?.into_any()),
        _ => Ok(Bound::new(py, report)?.into_any()),
    }
}

/// Objectives in one text, or in several.
pub(crate) fn objectives_of(slo: &Bound<'_, PyAny>) -> Result<Vec<Objective>> {
    Ok(Objective::list(&names(slo)?.join(","))?)
}

/// A number, or the name of a column.
fn grouping(value: &Bound<'_, PyAny>) -> PyResult<Grouping> {
    value.extract::<usize>().map(Grouping::Every).or_else(|_| value.extract::<String>().map(Grouping::Column))
}

/// Positions of points, or `"auto"`. No positions make one stage.
fn stages_of(value: &Bound<'_, PyAny>) -> Result<Stages> {
    if let Ok(text) = value.extract::<String>() {
        return Ok(text.parse()?);
    }
    let points: Vec<usize> = value.extract()?;
    Ok(if points.is_empty() { Stages::One } else { Stages::At(points) })
}

fn origin(
    phase1: Option<&Bound<'_, PyAny>>,
    baseline: Option<PathBuf>,
    center: Option<f64>,
    sigma: Option<f64>,
    is_classical: bool,
) -> Result<Origin> {
    let given = [
        ("phase1", phase1.is_some()),
        ("baseline", baseline.is_some()),
        ("center", center.is_some()),
        ("sigma", sigma.is_some() && center.is_none()),
    ];
    let given: Vec<&str> = given.into_iter().filter_map(|(name, is_given)| is_given.then_some(name)).collect();
    if given.len() > 1 || given == ["sigma"] {
        Err(Error::Parameter {
            name: "origin of the limits",
            value: given.join(" and "),
            expected: "only one of phase1, baseline, or center (with or without sigma)",
        })?;
    }
    if let Some(path) = baseline {
        let text = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        return Ok(Origin::Baseline(Baseline::read(&path.display().to_string(), &text)?));
    }
    if let Some(points) = phase1 {
        let range = match points.extract::<usize>() {
            Ok(count) => 0..count,
            Err(_) => points.extract::<(usize, usize)>().map(|(start, end)| start..end)?,
        };
        return Ok(Origin::FirstPoints(range));
    }
    // With rules or a scale of the caller, the limits are those of all points.
    let estimated = if is_classical { Origin::Data } else { Origin::LastStage };
    Ok(center.map_or(estimated, |center| Origin::Given { center, sigma }))
}
