//! From data of any kind to analyses.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use llmscope_core::analysis::answer::family_of;
use llmscope_core::analysis::{
    self as core, Baseline, ColumnReport, DecidedBy, Grouping, LogSource, Measure, Origin, Plan, SelectedSeries,
    Selection, Series, Stages,
};
use llmscope_core::chart::cusum::Cusum;
use llmscope_core::chart::ewma::Ewma;
use llmscope_core::column::{Preference, StatedMeanings};
use llmscope_core::ingest::{self, Content, OpenedLog, Tool};
use llmscope_core::{Error, SpecificationLimits, Unit};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::analysis::{Analysis, Report};
use crate::capability::{checked, quantity};
use crate::error::{Failure, Result, unreadable};
use crate::rules::read_or_nelson;
use crate::session::{Log, Session};
use crate::table;
use crate::values::Values;
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
///     units: The units of columns whose names give none or another one: ``{"latency": "ms"}``.
///     higher_is_better: A column of which more is better, or several.
///     lower_is_better: A column of which less is better, or several.
///
/// Returns:
///     An :class:`Analysis` for bare numbers, otherwise a :class:`Report`. Too few data result in the verdict
///     ``"not_enough_data"``, not an error.
///
/// Raises:
///     UnknownNameError: If the data lack the metric or column; the message lists the available ones.
///     FormatError: For text or a gap in a numeric column, with its row.
///     ParameterError: If the parameters contradict each other or the data.
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
///     Answer('slower by 21 % (17 to 24 %) since measurement 30, 28 to 30, p < 0.0001')
#[pyfunction]
#[pyo3(signature = (
    data, *, metric = None, by = None, chart = None, subgroups = None, sizes = None, rules = None,
    sigma_estimator = None, phase1 = None, baseline = None, center = None, sigma = None, stages = None,
    lsl = None, usl = None, target = None, missing = None, confidence = 0.95, points = false, lambda_ = 0.2,
    width = 3.0, k = 0.5, h = 5.0, headstart = 0.0, span = 5, transform = None, alpha = 0.01,
    spikes = false, units = None, higher_is_better = None, lower_is_better = None
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
    units: Option<BTreeMap<String, String>>,
    higher_is_better: Option<&Bound<'py, PyAny>>,
    lower_is_better: Option<&Bound<'py, PyAny>>,
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
    };
    let (metrics, by) = (metric.map(names).transpose()?.unwrap_or_default(), by.map(names).transpose()?);
    let companion = [&plan.subgroups, &plan.size].into_iter().find_map(|grouping| match grouping {
        Some(Grouping::Column(name)) => Some(name.clone()),
        _ => None,
    });
    let stated = stated(units, higher_is_better, lower_is_better)?;
    let (series, runs, columns, bare) = match series(data, metrics, by, companion, stated)? {
        Found::Numbers(series) => (vec![series], Vec::new(), Vec::new(), true),
        Found::Groups { series, runs, columns } => (series, runs, columns, false),
    };
    let limits: Vec<_> = [lsl, usl, target].into_iter().flatten().collect();
    if !limits.is_empty() {
        core::check_one_kind(&series, limits.iter().all(|limit| limit.extract::<f64>().is_err()))?;
    }
    let plan = Plan { family: family_of(&series), ..plan };
    let specify = |unit: Unit| -> Result<Option<SpecificationLimits>> {
        if lsl.is_none() && usl.is_none() && target.is_none() {
            return Ok(None);
        }
        Ok(Some(SpecificationLimits::new(quantity(lsl, unit)?, quantity(usl, unit)?, quantity(target, unit)?)?))
    };
    let planned_for =
        |series: &Series| -> Result<Plan> { Ok(Plan { specification: specify(series.unit())?, ..plan.clone() }) };
    let planned = series.into_iter().map(|series| Ok((planned_for(&series)?, series))).collect::<Result<Vec<_>>>()?;
    let planned_runs = runs
        .into_iter()
        .filter_map(|runs| runs.first().map(&planned_for).map(|plan| Ok((plan?, runs))))
        .collect::<Result<Vec<_>>>()?;
    let size: usize = planned.iter().map(|(_, series)| series.values.len()).sum();
    // As on the command line: limits that were not estimated from all of the data are for judging by rules.
    let decided_by = if plan.origin.is_of_these_data() { DecidedBy::Changes } else { DecidedBy::Rules };
    let report = work::run(py, size.saturating_mul(ANALYZING), move || {
        let analyses = planned.iter().map(|(plan, series)| core::analyze(series, plan));
        let studies = planned_runs.iter().filter_map(|(plan, runs)| core::study(runs, plan).transpose());
        let report = core::Report::new(None, &plan, analyses.collect::<Result<_, _>>()?);
        let report = report.decided_by(decided_by).with_columns(columns);
        Ok::<_, Error>(report.with_studies(studies.collect::<Result<_, _>>()?))
    })??;
    let report = Report::from(report);
    match report.analyses.first() {
        Some(analysis) if bare => Ok(Bound::new(py, Analysis(analysis.clone()))?.into_any()),
        _ => Ok(Bound::new(py, report)?.into_any()),
    }
}

/// What the user states about columns.
fn stated(
    units: Option<BTreeMap<String, String>>,
    higher_is_better: Option<&Bound<'_, PyAny>>,
    lower_is_better: Option<&Bound<'_, PyAny>>,
) -> Result<StatedMeanings> {
    let mut stated = StatedMeanings::default();
    for (name, unit) in units.into_iter().flatten() {
        stated.state_unit(&format!("{name}={unit}"))?;
    }
    for (given, preference) in [(higher_is_better, Preference::Higher), (lower_is_better, Preference::Lower)] {
        for name in given.map(names).transpose()?.into_iter().flatten() {
            stated.prefer(&name, preference)?;
        }
    }
    Ok(stated)
}

/// One name, or several.
fn names(names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    names.extract::<String>().map(|name| vec![name]).or_else(|_| names.extract())
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

/// The series in the data.
enum Found {
    Numbers(Series),
    /// The series of each group, and series that are runs of the same thing.
    Groups {
        series: Vec<Series>,
        runs: Vec<Vec<Series>>,
        columns: Vec<ColumnReport>,
    },
}

fn series(
    data: &Bound<'_, PyAny>,
    mut metrics: Vec<String>,
    by: Option<Vec<String>>,
    companion: Option<String>,
    stated: StatedMeanings,
) -> Result<Found> {
    let logs = match (sources(data)?, table::columns_of(data)?) {
        (Some(logs), _) => logs,
        (None, Some(columns)) => {
            let mut others: Vec<&str> = by.iter().flatten().chain(&companion).map(String::as_str).collect();
            if by.is_none() {
                others.extend(columns.iter().map(String::as_str).filter(|name| Selection::GROUPS.contains(name)));
            }
            if metrics.is_empty() {
                metrics = table::usual_metrics(&columns, &others)?;
            }
            let needed: Vec<&str> = metrics.iter().map(String::as_str).chain(others).collect();
            vec![Source::Log(Arc::new(table::log_of(data, &columns, &needed)?))]
        }
        (None, None) => {
            if let Some(name) = by.iter().flatten().next().or(companion.as_ref()) {
                Err(Error::Parameter {
                    name: "column",
                    value: name.clone(),
                    expected: "a data frame that has it, because bare numbers have no columns",
                })?;
            }
            let series = numbers(data, metrics.first())?;
            let meaning = stated.applied(series.measure.name(), series.meaning());
            return Ok(Found::Numbers(Series { stated: Some(meaning), ..series }));
        }
    };
    let steps = logs.iter().map(Source::steps).sum();
    let SelectedSeries { series, runs, columns, .. } =
        work::run(data.py(), steps, move || gather(logs, &metrics, by, companion, stated))??;
    Ok(Found::Groups { series, runs, columns })
}

/// Selects series from logs; a long log is read in blocks.
fn gather(
    logs: Vec<Source>,
    metrics: &[String],
    by: Option<Vec<String>>,
    companion: Option<String>,
    stated: StatedMeanings,
) -> Result<SelectedSeries> {
    let inputs = logs.into_iter().map(Source::open).collect::<Result<Vec<_>>>()?;
    // A metric of requests, or a column of a table by its own name.
    let sessions = inputs.iter().any(|input| match input {
        LogSource::Log(log) => matches!(log.content, Content::Session(_)),
        LogSource::Stream { stream, .. } => stream.header.is_some(),
    });
    let measure = |name: &String| match name.parse() {
        Ok(metric) if sessions => Measure::Metric(metric),
        _ => Measure::Column(name.clone()),
    };
    let measures = metrics.iter().map(measure).collect();
    Selection { measures, by, companion, stated, ..Selection::default() }.gather(inputs.into_iter().map(Ok))
}

/// The origin of requests or rows.
enum Source {
    Log(Arc<ingest::Log>),
    File(PathBuf),
}

impl Source {
    /// The amount of work, in steps.
    fn steps(&self) -> usize {
        match self {
            Self::Log(log) => log.records(),
            Self::File(path) => {
                std::fs::metadata(path).map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX))
            }
        }
    }

    fn open(self) -> Result<LogSource<'static, Failure>> {
        match self {
            Self::Log(log) => Ok(LogSource::Log(log)),
            Self::File(path) => Ok(LogSource::new(open(&path)?, move || open(&path))),
        }
    }
}

fn open(path: &Path) -> Result<OpenedLog> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(ingest::open(&path.display().to_string(), file, None)?)
}

/// A path, a log, a session, or a list of those; `None` for anything else.
fn sources(data: &Bound<'_, PyAny>) -> Result<Option<Vec<Source>>> {
    if let Ok(log) = data.cast::<Log>() {
        return Ok(Some(vec![Source::Log(log.get().0.clone())]));
    }
    if let Ok(session) = data.cast::<Session>() {
        let session = session.get().0.clone();
        let source = session.header.name.clone().unwrap_or_else(|| "session".to_owned());
        let content = Content::Session(session);
        let log = ingest::Log { source, tool: Tool::LLMSCOPE, content, warnings: Vec::new() };
        return Ok(Some(vec![Source::Log(Arc::new(log))]));
    }
    if data.is_instance_of::<PyString>() || data.hasattr("__fspath__")? {
        return Ok(Some(vec![Source::File(data.extract()?)]));
    }
    let is_list = data.is_instance_of::<PyList>() || data.is_instance_of::<PyTuple>();
    if !is_list || data.len()? == 0 || sources(&data.get_item(0)?)?.is_none() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for item in data.try_iter()? {
        let Some(found) = sources(&item?)? else {
            return Err(PyTypeError::new_err("expected paths, logs and sessions in the list").into());
        };
        all.extend(found);
    }
    Ok(Some(all))
}

/// Bare numbers, under the given name or that of the Series.
fn numbers(data: &Bound<'_, PyAny>, name: Option<&String>) -> Result<Series> {
    let name = Values::name(data, name.cloned())?;
    let values = Values::read(data)?;
    let values = values.iter().map(|value| value.unwrap_or(f64::NAN)).collect();
    Ok(Series::of_numbers(&name, values))
}
