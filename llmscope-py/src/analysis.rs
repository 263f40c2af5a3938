//! From data to the one result that every face shows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use llmscope_core::analysis::{
    self as core, Baseline, Drawing, Grouping, Measure, Observation, Origin, Plan, Selection, Series,
};
use llmscope_core::chart::ewma::Ewma;
use llmscope_core::files::write_atomically;
use llmscope_core::ingest::{self, Content, Tool};
use llmscope_core::{ChartKind, Error, Missing, RuleSet, SigmaEstimator, SpecificationLimits, Unit, plot};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyString, PyTuple};
use serde::{Deserialize, Serialize};

use crate::capability::{Capability, ExpectedPpm, Performance, Specification, checked, quantity};
use crate::chart::{Chart, ControlLimits};
use crate::document::{self, Pickled, record};
use crate::error::{Answer, unreadable};
use crate::rules::{Judgement, Violation, index_of, read as read_rules};
use crate::session::{Log, Session, read_log};
use crate::stats::Normality;
use crate::values::Values;
use crate::work::{self, ANALYZING};
use crate::{frame, html, picture, table};

record! {
    /// Requests that were left out of a judgement.
    Excluded(core::Excluded) {
        /// Failed requests, which have no latency.
        failed: usize,
        /// Warm-up requests.
        warmup: usize,
        /// Requests without this metric.
        missing: usize,
    }
}

record! {
    /// Within and overall sigma.
    SigmaReport(core::SigmaReport) {
        /// The within sigma that the limits stand on.
        within: Option<f64>,
        /// How it was estimated.
        estimator: Option<&'static str> = |estimator: &Option<SigmaEstimator>| estimator.map(SigmaEstimator::key),
        /// The sample standard deviation.
        overall: Option<f64>,
        /// Laney's σ_z: variation beyond the binomial or Poisson.
        inflation: Option<f64>,
    }
}

record! {
    /// Quantiles by Hyndman & Fan's seventh method.
    Quantiles(core::Quantiles) {
        /// The median: 50 % lie below.
        p50: f64,
        /// 90 % lie below.
        p90: f64,
        /// 95 % lie below.
        p95: f64,
        /// 99 % lie below.
        p99: f64,
    }
}

record! {
    /// The chart of the spread that belongs to a chart of the level.
    Dispersion(core::Dispersion) {
        /// ``"moving-range"``, ``"range"`` or ``"standard-deviation"``.
        chart: &'static str = |chart: &ChartKind| chart.name(),
        /// Its control limits.
        limits: ControlLimits = |limits: &llmscope_core::ControlLimits| ControlLimits(limits.clone()),
        /// Codes of the rules that were applied: those without zones.
        rules: Vec<String> = |rules: &Vec<llmscope_core::RuleCode>| rules.iter().map(ToString::to_string).collect(),
        /// Where they signal.
        violations: Vec<Violation> =
            |all: &Vec<llmscope_core::Violation>| all.iter().cloned().map(Violation).collect(),
    }
}

/// Chart, violations and capability of one metric of one group. What does not apply is ``None``.
///
/// Made by :func:`analyze`; in a notebook it shows itself as chart and report.
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(Clone, PartialEq)]
pub(crate) struct Analysis(Arc<core::Analysis>);

#[pymethods]
impl Analysis {
    /// The files that the data come from.
    #[getter]
    fn source(&self) -> Vec<String> {
        self.0.source.clone()
    }

    /// What the requests have in common.
    #[getter]
    fn group(&self) -> BTreeMap<String, String> {
        self.0.group.clone()
    }

    /// The metric or column.
    #[getter]
    fn metric(&self) -> &str {
        &self.0.metric
    }

    /// Its unit: ``"s"``, ``"s/token"``, ``"1/s"``, …
    #[getter]
    fn unit(&self) -> &'static str {
        self.0.unit.symbol()
    }

    /// Number of measurements.
    #[getter]
    fn n(&self) -> usize {
        self.0.n
    }

    /// What was left out.
    #[getter]
    fn excluded(&self) -> Excluded {
        Excluded(self.0.excluded)
    }

    /// The kind of chart.
    #[getter]
    fn chart(&self) -> &'static str {
        self.0.chart.name()
    }

    /// 1: limits from these data; 2: limits from an earlier study.
    #[getter]
    fn phase(&self) -> u8 {
        self.0.phase.into()
    }

    /// Arithmetic mean.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean
    }

    /// Median of the measurements.
    #[getter]
    fn median(&self) -> Option<f64> {
        self.0.median
    }

    /// Within and overall sigma.
    #[getter]
    fn sigma(&self) -> Option<SigmaReport> {
        self.0.sigma.map(SigmaReport)
    }

    /// Control limits.
    #[getter]
    fn limits(&self) -> Option<ControlLimits> {
        self.0.limits.clone().map(ControlLimits)
    }

    /// Codes of the rules that were applied.
    #[getter]
    fn rules(&self) -> Vec<String> {
        self.0.rules.iter().map(ToString::to_string).collect()
    }

    /// Where they signal.
    #[getter]
    fn violations(&self) -> Vec<Violation> {
        self.0.violations.iter().cloned().map(Violation).collect()
    }

    /// ``"in_control"``, ``"out_of_control"`` or ``"not_enough_data"``.
    #[getter]
    fn verdict(&self) -> &'static str {
        match self.0.verdict {
            core::Verdict::InControl => "in_control",
            core::Verdict::OutOfControl => "out_of_control",
            core::Verdict::NotEnoughData => "not_enough_data",
        }
    }

    /// How many points a judgement needs, if there are too few.
    #[getter]
    fn need(&self) -> Option<usize> {
        self.0.need
    }

    /// The chart of the spread.
    #[getter]
    fn dispersion(&self) -> Option<Dispersion> {
        self.0.dispersion.clone().map(Dispersion)
    }

    /// Specification limits.
    #[getter]
    fn specification(&self) -> Option<Specification> {
        self.0.specification.map(Specification)
    }

    /// Indices of the within sigma.
    #[getter]
    fn capability(&self) -> Option<Capability> {
        self.0.capability.map(Capability)
    }

    /// Indices of the overall sigma.
    #[getter]
    fn performance(&self) -> Option<Performance> {
        self.0.performance.map(Performance)
    }

    /// Level of the confidence intervals.
    #[getter]
    fn confidence(&self) -> Option<f64> {
        self.0.confidence
    }

    /// Measurements outside the specification limits, per million.
    #[getter]
    fn observed_ppm(&self) -> Option<f64> {
        self.0.observed_ppm
    }

    /// Share outside that a normal distribution leads to expect, per million.
    #[getter]
    fn expected_ppm(&self) -> Option<ExpectedPpm> {
        self.0.expected_ppm.map(ExpectedPpm)
    }

    /// Anderson–Darling test of normality.
    #[getter]
    fn normality(&self) -> Option<Normality> {
        self.0.normality.map(Normality)
    }

    /// Correlation of neighbours.
    #[getter]
    fn autocorrelation(&self) -> Option<f64> {
        self.0.autocorrelation.map(|autocorrelation| autocorrelation.lag1)
    }

    /// Quantiles.
    #[getter]
    fn quantiles(&self) -> Option<Quantiles> {
        self.0.quantiles.map(Quantiles)
    }

    /// What a reader should know before trusting the numbers.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings.clone()
    }

    /// The chart with its rules and signals; ``None`` if there are not enough data for one.
    #[getter]
    fn judgement(&self, py: Python<'_>) -> PyResult<Option<Judgement>> {
        let Some(drawing) = &self.0.drawing else { return Ok(None) };
        let chart = Py::new(py, Chart::of(drawing.chart.clone()))?;
        Ok(Some(Judgement::new(drawing.judgement.clone(), drawing.rules.clone(), Some(chart))))
    }

    /// The analysis as a dictionary: the same as in the report of the command line.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &*self.0)
    }

    /// The analysis as JSON: the same as in the report of the command line.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&*self.0)
    }

    /// One row with the main numbers.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; the one that is in use unless told.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        frame::of(&rows(py, std::slice::from_ref(&self.0))?, backend)
    }

    /// The control chart as SVG.
    fn to_svg(&self) -> String {
        plot::svg(&self.0)
    }

    /// Writes the control chart to a file whose name ends in ``.svg`` or ``.png``.
    fn save(&self, py: Python<'_>, path: PathBuf) -> Answer<()> {
        picture::save(py, self.to_svg(), path)
    }

    fn _repr_svg_(&self) -> String {
        self.to_svg()
    }

    fn _repr_html_(&self) -> String {
        html::analysis(&self.0)
    }

    /// Draws the control chart with matplotlib.
    ///
    /// Args:
    ///     ax: The axes to draw on; new ones unless given.
    ///
    /// Returns:
    ///     The axes.
    ///
    /// Raises:
    ///     NotEnoughDataError: If there are not enough data for a chart.
    #[pyo3(signature = (ax = None))]
    fn plot<'py>(&self, py: Python<'py>, ax: Option<&Bound<'py, PyAny>>) -> Answer<Bound<'py, PyAny>> {
        Ok(picture::matplotlib(&self.drawable(py)?, Some(&self.title()), ax)?)
    }

    /// The control chart as a plotly figure.
    ///
    /// Raises:
    ///     NotEnoughDataError: If there are not enough data for a chart.
    fn to_plotly<'py>(&self, py: Python<'py>) -> Answer<Bound<'py, PyAny>> {
        Ok(picture::plotly(&self.drawable(py)?, Some(&self.title()))?)
    }

    fn __repr__(&self) -> String {
        self.0.to_string()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Analysis", &AnalysisState::of(&self.0))
    }
}

impl Analysis {
    fn title(&self) -> String {
        let group = self.0.group_title();
        if group.is_empty() { self.0.metric_title() } else { format!("{group}: {}", self.0.metric_title()) }
    }

    fn drawable<'py>(&self, py: Python<'py>) -> Answer<Bound<'py, Judgement>> {
        let none = || Error::NotEnoughData { what: "a chart (points)", have: self.0.n, need: self.0.need.unwrap_or(1) };
        Ok(Bound::new(py, self.judgement(py)?.ok_or_else(none)?)?)
    }
}

/// What a pickled analysis holds: also what is drawn, which its report leaves out.
#[derive(Serialize, Deserialize)]
pub(crate) struct AnalysisState {
    analysis: core::Analysis,
    drawing: Option<Drawing>,
}

impl AnalysisState {
    fn of(analysis: &core::Analysis) -> Self {
        Self { analysis: core::Analysis { drawing: None, ..analysis.clone() }, drawing: analysis.drawing.clone() }
    }
}

impl From<AnalysisState> for Analysis {
    fn from(AnalysisState { analysis, drawing }: AnalysisState) -> Self {
        Self(Arc::new(core::Analysis { drawing, ..analysis }))
    }
}

/// Analyses under one roof: one for each group and metric, in order of appearance.
///
/// A sequence: ``report[0]``, ``len(report)``, ``for analysis in report``.
#[pyclass(frozen, eq, sequence, module = "llmscope")]
#[derive(PartialEq)]
pub(crate) struct Report(Vec<Arc<core::Analysis>>);

impl From<Vec<AnalysisState>> for Report {
    fn from(states: Vec<AnalysisState>) -> Self {
        Self(states.into_iter().map(|state| Analysis::from(state).0).collect())
    }
}

#[pymethods]
impl Report {
    /// The analyses.
    #[getter]
    fn analyses(&self) -> Vec<Analysis> {
        self.0.iter().cloned().map(Analysis).collect()
    }

    /// True if no analysis is out of control.
    #[getter]
    fn is_in_control(&self) -> bool {
        !self.0.iter().any(|analysis| analysis.verdict == core::Verdict::OutOfControl)
    }

    /// The report as a dictionary (``llmscope.report/1``), as the command line writes it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &self.core())
    }

    /// The report as JSON (``llmscope.report/1``), as the command line writes it.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&self.core())
    }

    /// One row for each analysis: group, metric, verdict and the main numbers.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; the one that is in use unless told.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        frame::of(&rows(py, &self.0)?, backend)
    }

    /// Freezes the limits of these studies in a file, for ``analyze(…, baseline=path)`` and the command line.
    ///
    /// Raises:
    ///     NotEnoughDataError: If no study has limits.
    ///     FileError: If the operating system refuses.
    fn save_baseline(&self, path: PathBuf) -> Answer<()> {
        let studies: Vec<core::Analysis> = self.0.iter().map(|analysis| (**analysis).clone()).collect();
        Ok(write_atomically(&path, Baseline::to_json(&studies)?.as_bytes())?)
    }

    fn _repr_html_(&self) -> String {
        html::report(&self.0)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.analyses())?.try_iter()
    }

    fn __getitem__(&self, index: isize) -> PyResult<Analysis> {
        Ok(Analysis(self.0[index_of(index, self.0.len())?].clone()))
    }

    fn __repr__(&self) -> String {
        self.0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n\n")
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Report", &self.0.iter().map(|a| AnalysisState::of(a)).collect::<Vec<_>>())
    }
}

impl Report {
    fn core(&self) -> core::Report {
        core::Report::new(None, self.0.iter().map(|analysis| (**analysis).clone()).collect())
    }
}

/// The main numbers, one row for each analysis; the names that any of them is grouped by come first.
fn rows<'py>(py: Python<'py>, analyses: &[Arc<core::Analysis>]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let names: std::collections::BTreeSet<&String> =
        analyses.iter().flat_map(|analysis| analysis.group.keys()).collect();
    for name in names {
        columns.set_item(name, PyList::new(py, analyses.iter().map(|analysis| analysis.group.get(name)))?)?;
    }
    columns.set_item("metric", analyses.iter().map(|a| a.metric.as_str()).collect::<Vec<_>>())?;
    columns.set_item("unit", analyses.iter().map(|a| a.unit.symbol()).collect::<Vec<_>>())?;
    columns.set_item("n", analyses.iter().map(|a| a.n).collect::<Vec<_>>())?;
    columns.set_item("failed", analyses.iter().map(|a| a.excluded.failed).collect::<Vec<_>>())?;
    columns.set_item("chart", analyses.iter().map(|a| a.chart.name()).collect::<Vec<_>>())?;
    columns.set_item("verdict", analyses.iter().map(|a| Analysis(a.clone()).verdict()).collect::<Vec<_>>())?;
    columns.set_item("violations", analyses.iter().map(|a| a.violations.len()).collect::<Vec<_>>())?;
    type Number = fn(&core::Analysis) -> Option<f64>;
    let numbers: [(&str, Number); 11] = [
        ("mean", |a| a.mean),
        ("median", |a| a.median),
        ("p95", |a| Some(a.quantiles?.p95)),
        ("p99", |a| Some(a.quantiles?.p99)),
        ("sigma_within", |a| a.sigma?.within),
        ("sigma_overall", |a| a.sigma?.overall),
        ("lower", |a| a.limits.as_ref()?.lower.constant()),
        ("center", |a| a.limits.as_ref()?.center.constant()),
        ("upper", |a| a.limits.as_ref()?.upper.constant()),
        ("cpk", |a| Some(a.capability?.cpk)),
        ("ppk", |a| Some(a.performance?.ppk)),
    ];
    for (name, number) in numbers {
        columns
            .set_item(name, numpy::PyArray1::from_iter(py, analyses.iter().map(|a| number(a).unwrap_or(f64::NAN))))?;
    }
    Ok(columns)
}

/// Judges data: control chart, violations and capability, for each group and metric.
///
/// Args:
///     data: A path, a :class:`Log` or :class:`Session`, a list of those; a data frame (pandas, polars, pyarrow) or a
///         dictionary of columns; or one-dimensional numbers.
///     metric: What to judge: a metric of requests (``"ttft_s"``, ``"e2e_s"``, ``"tpot_s"``,
///         ``"output_tokens_per_s"``, ``"error_rate"``, …) or a column; or several. Without one, the usual metrics that
///         the data have, or the only other column of a data frame. For bare numbers, a name for them; that of the Series unless told.
///     by: Names to group by: ``"provider"``, ``"model"``, ``"session"``, a label or a column; or several; ``[]`` for
///         one group. Provider and model, where the data have them, unless told.
///     chart: ``"individuals"``, ``"xbar-r"``, ``"xbar-s"``, ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney-p"``,
///         ``"laney-u"`` or ``"ewma"``.
///     subgroups: The size of subgroups, or the column that labels them.
///     sizes: Sample size of a chart of counts, or the column that holds it.
///     rules: A preset, a list of rules, or a :class:`RuleSet`.
///     sigma_estimator: The within sigma, if not the chart's own.
///     phase1: Limits from these points, ``n`` or ``(start, end)``; the rest is monitored.
///     baseline: Limits that :meth:`Report.save_baseline` froze in this file.
///     center: Standards given: the center line.
///     sigma: Standards given: sigma of a single measurement.
///     stages: Points at which new limits begin.
///     lsl: Lower specification limit: a number in the metric's unit, or a text such as ``"200ms"``.
///     usl: Upper specification limit: a service level objective is one.
///     target: Target value.
///     missing: What a gap means: ``"error"``, ``"break"`` or ``"drop"``; ``"break"`` for requests and ``"error"`` for
///         columns unless told.
///     confidence: Level of the capability intervals.
///     points: True to list every point in the JSON.
///     lambda_: Weight of the newest point of an EWMA chart.
///     width: Width of the limits of an EWMA chart, in sigmas of the average.
///
/// Returns:
///     An :class:`Analysis` of bare numbers; a :class:`Report` of anything else. Too few data are a verdict, no error.
///
/// Raises:
///     UnknownNameError: If the data have no such metric or column, with those that they have.
///     FormatError: For text or a gap in a column of numbers, with its row.
///     ParameterError: If the parameters do not fit each other or the data.
///
/// Example:
///     >>> import llmscope as ls
///     >>> calls = {"model": ["a", "b"] * 15, "ttft_s": [0.30, 0.50, 0.31, 0.52, 0.29, 0.51] * 4 + [0.30, 0.50] * 3}
///     >>> report = ls.analyze(calls, metric="ttft_s", by="model", usl="800ms")
///     >>> [(a.group["model"], a.verdict, round(a.capability.cpk, 1)) for a in report]
///     [('a', 'out_of_control', 16.5), ('b', 'in_control', 9.6)]
#[pyfunction]
#[pyo3(signature = (
    data, *, metric = None, by = None, chart = None, subgroups = None, sizes = None, rules = None,
    sigma_estimator = None, phase1 = None, baseline = None, center = None, sigma = None, stages = Vec::new(),
    lsl = None, usl = None, target = None, missing = None, confidence = 0.95, points = false, lambda_ = 0.2,
    width = 3.0
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
    stages: Vec<usize>,
    lsl: Option<&Bound<'py, PyAny>>,
    usl: Option<&Bound<'py, PyAny>>,
    target: Option<&Bound<'py, PyAny>>,
    missing: Option<&str>,
    confidence: f64,
    points: bool,
    lambda_: f64,
    width: f64,
) -> Answer<Bound<'py, PyAny>> {
    let (subgroups, sizes) = (subgroups.map(grouping).transpose()?, sizes.map(grouping).transpose()?);
    let plan = Plan {
        chart: chart.map(str::parse).transpose()?,
        rules: rules.map_or_else(|| Ok(RuleSet::nelson()), read_rules)?,
        ewma: Ewma::new(lambda_, width)?,
        estimator: sigma_estimator.map(str::parse).transpose()?,
        origin: origin(phase1, baseline, center, sigma)?,
        stages,
        missing: missing.map(str::parse).transpose()?,
        confidence: checked(confidence)?,
        points,
        subgroups,
        size: sizes,
        specification: None,
    };
    let (metrics, by) = (names(metric)?, by.map(|by| names(Some(by))).transpose()?);
    let companion = [&plan.subgroups, &plan.size].into_iter().find_map(|grouping| match grouping {
        Some(Grouping::Column(name)) => Some(name.clone()),
        _ => None,
    });
    let (series, bare) = match series(data, metrics, by, companion)? {
        Found::Numbers(series) => (vec![series], true),
        Found::Groups(series) => (series, false),
    };
    let specify = |unit: Unit| -> Answer<Option<SpecificationLimits>> {
        if lsl.is_none() && usl.is_none() && target.is_none() {
            return Ok(None);
        }
        Ok(Some(SpecificationLimits::new(quantity(lsl, unit)?, quantity(usl, unit)?, quantity(target, unit)?)?))
    };
    let planned = series
        .into_iter()
        .map(|series| Ok((Plan { specification: specify(series.measure.unit())?, ..plan.clone() }, series)))
        .collect::<Answer<Vec<_>>>()?;
    let size: usize = planned.iter().map(|(_, series)| series.observations.len()).sum();
    let mut analyses = work::run(py, size.saturating_mul(ANALYZING), move || {
        planned.iter().map(|(plan, series)| core::analyze(series, plan).map(Arc::new)).collect::<Result<Vec<_>, _>>()
    })??;
    match analyses.pop() {
        Some(analysis) if bare => Ok(Bound::new(py, Analysis(analysis))?.into_any()),
        last => Ok(Bound::new(py, Report(analyses.into_iter().chain(last).collect()))?.into_any()),
    }
}

/// One name, or several.
fn names(names: Option<&Bound<'_, PyAny>>) -> PyResult<Vec<String>> {
    names.map_or_else(
        || Ok(Vec::new()),
        |names| names.extract::<String>().map(|name| vec![name]).or_else(|_| names.extract()),
    )
}

/// A number, or the name of a column.
fn grouping(value: &Bound<'_, PyAny>) -> PyResult<Grouping> {
    value.extract::<usize>().map(Grouping::Every).or_else(|_| value.extract::<String>().map(Grouping::Column))
}

fn origin(
    phase1: Option<&Bound<'_, PyAny>>,
    baseline: Option<PathBuf>,
    center: Option<f64>,
    sigma: Option<f64>,
) -> Answer<Origin> {
    let given = usize::from(phase1.is_some()) + usize::from(baseline.is_some()) + usize::from(center.is_some());
    if given > 1 || (sigma.is_some() && center.is_none()) {
        Err(Error::Parameter {
            name: "the origin of the limits",
            value: "more than one, or sigma alone".to_owned(),
            expected: "one of phase1, baseline, or center (with sigma)",
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
    Ok(center.map_or(Origin::Data, |center| Origin::Given { center, sigma }))
}

/// The series that the data hold.
enum Found {
    Numbers(Series),
    Groups(Vec<Series>),
}

fn series(
    data: &Bound<'_, PyAny>,
    mut metrics: Vec<String>,
    by: Option<Vec<String>>,
    companion: Option<String>,
) -> Answer<Found> {
    let logs = match (logs(data)?, table::columns_of(data)?) {
        (Some(logs), _) => logs,
        (None, Some(columns)) => {
            let mut others: Vec<&str> = by.iter().flatten().chain(&companion).map(String::as_str).collect();
            if by.is_none() {
                others.extend(columns.iter().map(String::as_str).filter(|name| GROUPS.contains(name)));
            }
            if metrics.is_empty() {
                metrics = table::usual_metrics(&columns, &others)?;
            }
            let needed: Vec<&str> = metrics.iter().map(String::as_str).chain(others).collect();
            vec![table::log_of(data, &columns, &needed)?]
        }
        (None, None) => {
            if let Some(name) = by.iter().flatten().next().or(companion.as_ref()) {
                Err(Error::Parameter {
                    name: "by, subgroups or sizes",
                    value: name.clone(),
                    expected: "a number, or used with a data frame that has such a column",
                })?;
            }
            return Ok(Found::Numbers(numbers(data, metrics.first())?));
        }
    };
    let measures = metrics.iter().map(|name| measure(name, &logs)).collect();
    Ok(Found::Groups(Selection { measures, by, companion }.series(&logs)?))
}

/// What requests are grouped by unless told.
const GROUPS: [&str; 2] = ["provider", "model"];

/// A metric of requests, or a column of a table by its own name.
fn measure(name: &str, logs: &[ingest::Log]) -> Measure {
    let sessions = logs.iter().any(|log| matches!(log.content, Content::Session(_)));
    match name.parse() {
        Ok(metric) if sessions => Measure::Metric(metric),
        _ => Measure::Column(name.to_owned()),
    }
}

/// A path, a log, a session, or a list of those; `None` for anything else.
fn logs(data: &Bound<'_, PyAny>) -> Answer<Option<Vec<ingest::Log>>> {
    if let Ok(log) = data.cast::<Log>() {
        return Ok(Some(vec![(*log.get().0).clone()]));
    }
    if let Ok(session) = data.cast::<Session>() {
        let session = (*session.get().0).clone();
        let source = session.header.name.clone().unwrap_or_else(|| "session".to_owned());
        let content = Content::Session(Box::new(session));
        return Ok(Some(vec![ingest::Log { source, tool: Tool::Llmscope, content, notices: Vec::new() }]));
    }
    if data.is_instance_of::<PyString>() || data.hasattr("__fspath__")? {
        let log = read_log(data.py(), data.extract()?, None)?;
        return Ok(Some(vec![(*log.0).clone()]));
    }
    let is_list = data.is_instance_of::<PyList>() || data.is_instance_of::<PyTuple>();
    if !is_list || data.len()? == 0 || logs(&data.get_item(0)?)?.is_none() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for item in data.try_iter()? {
        let Some(found) = logs(&item?)? else {
            return Err(PyTypeError::new_err("expected paths, logs and sessions in the list").into());
        };
        all.extend(found);
    }
    Ok(Some(all))
}

/// Bare numbers, by the name that was given or that the Series has.
fn numbers(data: &Bound<'_, PyAny>, name: Option<&String>) -> Answer<Series> {
    let own = data.getattr_opt("name")?.and_then(|name| name.extract::<String>().ok()).filter(|name| !name.is_empty());
    let name = name.cloned().or(own).unwrap_or_else(|| "value".to_owned());
    let values = Values::read(data)?;
    let observation = |(position, value): (usize, Option<f64>)| Observation {
        value: value.filter(|value| !value.is_nan()),
        failed: false,
        at: None,
        source: 0,
        position,
        line: None,
        companion: None,
    };
    Ok(Series {
        sources: Vec::new(),
        group: BTreeMap::new(),
        measure: Measure::Column(name),
        observations: values.iter().enumerate().map(observation).collect(),
        warmup: 0,
        missing: Missing::Error,
    })
}
