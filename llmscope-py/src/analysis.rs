//! The one result that every face shows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use llmscope_core::analysis::{self as core, Baseline, Drawing};
use llmscope_core::files::write_atomically;
use llmscope_core::{ChartKind, Error, PowerTransform, SigmaEstimator, plot};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};
use serde::{Deserialize, Serialize};

use crate::capability::{Capability, ExpectedPpm, Performance, Specification, pair};
use crate::chart::{Chart, ControlLimits};
use crate::document::{self, Pickled, record};
use crate::error::Answer;
use crate::judgement::Judgement;
use crate::rules::Violation;
use crate::stats::Normality;
use crate::{frame, html, picture};

record! {
    /// Requests that were left out of a judgement.
    Excluded(core::Excluded) {
        /// Failed requests, which have no latency.
        failed: usize,
        /// Warm-up requests.
        warmup: usize,
        /// Requests without this metric.
        missing: usize,
        /// Requests whose value is not positive, and so has no place on the scale of a transformation.
        not_positive: usize,
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
    /// A stretch of points with limits of its own.
    Stage(core::Stage) {
        /// Its first point, counted from 0.
        first: usize,
        /// Its last point.
        last: usize,
        /// When its first point was measured (RFC 3339).
        t: Option<String> = |t: &Option<jiff::Timestamp>| t.map(|t| t.to_string()),
        /// Mean of its measurements, or of what is plotted where that is counts or means of subgroups.
        mean: f64,
        /// For a change that was found, the probability, at most, of so clear a one anywhere, if the level never changed.
        p: Option<f64>,
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
pub(crate) struct Analysis(pub(crate) Arc<core::Analysis>);

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

    /// The power λ of the transformation that the measurements were judged after: 0 for the logarithm, ``None`` without
    /// one. Sigma, capability, performance, normality and the chart of the spread are then those of the transformed
    /// measurements; mean, median, quantiles, limits and observed ppm are in the unit of the metric.
    #[getter]
    fn power(&self) -> Option<f64> {
        self.0.transform.map(PowerTransform::lambda)
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

    /// Stages with limits of their own, if they were asked for: one, if no change of the level was found. A change that
    /// was found is a signal.
    #[getter]
    fn stages(&self) -> Vec<Stage> {
        self.0.stages.iter().cloned().map(Stage).collect()
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
        self.0.verdict.key()
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

    /// Performance without the assumption of a normal distribution, as a dictionary: ``fits``, ``box_cox``, ``empirical``
    /// and which of them the data support (``supported``).
    #[getter]
    fn non_normal<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.non_normal.as_ref().map(|non_normal| document::to_dict(py, non_normal)).transpose()
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

record! {
    /// One run of a study.
    Run(core::Run) {
        /// The session's name.
        name: String,
        /// Number of its measurements.
        n: usize,
        /// Their mean.
        mean: f64,
        /// Their standard deviation.
        sigma: Option<f64>,
        /// True if the mean lies beyond the limits that the run means themselves give.
        out: bool,
        /// True if the mean lies further out than its own requests explain: beyond the limits of an X̄ chart.
        beyond_within: bool,
    }
}

record! {
    /// A component of variance.
    Component(core::Component) {
        /// The variance.
        variance: f64,
        /// Its square root, in the unit of the metric.
        sigma: f64,
        /// Interval of the square root.
        interval: Option<(f64, f64)> = pair,
    }
}

record! {
    /// A metric over several runs: variance components, capability of what varies within the runs and of everything, and
    /// the runs that are out. What does not apply is ``None``.
    Study(core::Study) {
        /// What all runs have in common.
        group: BTreeMap<String, String>,
        /// The metric or column.
        metric: String,
        /// The runs, in order of time where it is known.
        runs: Vec<Run> = |runs: &Vec<core::Run>| runs.iter().cloned().map(Run).collect(),
        /// Number of measurements of all runs.
        n: usize,
        /// Mean of all measurements.
        mean: f64,
        /// Variance inside the runs.
        within: Component = |component: &core::Component| Component(*component),
        /// Variance between the runs; 0 if its estimate is negative.
        between: Component = |component: &core::Component| Component(*component),
        /// Variance of a single measurement of any run.
        total: Component = |component: &core::Component| Component(*component),
        /// Share of the total variance that lies between the runs.
        between_share: Option<f64>,
        /// Limits of the run means, from their moving ranges; ``None`` for fewer than 5 runs.
        limits: Option<ControlLimits> =
            |limits: &Option<llmscope_core::ControlLimits>| limits.clone().map(ControlLimits),
        /// Where rules signal on the chart of the run means: positions in ``runs``.
        violations: Vec<Violation> =
            |all: &Vec<llmscope_core::Violation>| all.iter().cloned().map(Violation).collect(),
        /// ``"in_control"``, ``"out_of_control"`` or ``"not_enough_data"``: the verdict on the run means.
        verdict: &'static str = |verdict: &core::Verdict| verdict.key(),
        /// Indices of the within-run sigma.
        capability: Option<Capability> =
            |capability: &Option<llmscope_core::capability::Capability>| capability.map(Capability),
        /// Indices of the total sigma.
        performance: Option<Performance> =
            |performance: &Option<llmscope_core::capability::Performance>| performance.map(Performance),
        /// Correlation of neighbours inside the runs.
        lag1: Option<f64>,
        /// What a reader should know before trusting the numbers.
        warnings: Vec<String>,
    }
    {
        fn __str__(&self) -> String {
            self.0.to_string()
        }
    }
}

/// Analyses under one roof: one for each group and metric, in order of appearance.
///
/// A sequence: ``report[0]``, ``len(report)``, ``for analysis in report``.
#[pyclass(frozen, eq, sequence, module = "llmscope")]
#[derive(PartialEq)]
pub(crate) struct Report {
    pub(crate) analyses: Vec<Arc<core::Analysis>>,
    pub(crate) studies: Vec<core::Study>,
}

/// What a pickled report holds.
pub(crate) type ReportState = (Vec<AnalysisState>, Vec<core::Study>);

impl From<ReportState> for Report {
    fn from((states, studies): ReportState) -> Self {
        Self { analyses: states.into_iter().map(|state| Analysis::from(state).0).collect(), studies }
    }
}

#[pymethods]
impl Report {
    /// The analyses.
    #[getter]
    fn analyses(&self) -> Vec<Analysis> {
        self.analyses.iter().cloned().map(Analysis).collect()
    }

    /// One for each metric over several runs, if the analyses are grouped by session.
    #[getter]
    fn studies(&self) -> Vec<Study> {
        self.studies.iter().cloned().map(Study).collect()
    }

    /// True if no analysis and no study is out of control.
    #[getter]
    fn is_in_control(&self) -> bool {
        let verdicts = self.analyses.iter().map(|analysis| analysis.verdict);
        verdicts.chain(self.studies.iter().map(|study| study.verdict)).all(|v| v != core::Verdict::OutOfControl)
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
        frame::of(&rows(py, &self.analyses)?, backend)
    }

    /// Freezes the limits of these studies in a file, for ``analyze(…, baseline=path)`` and the command line.
    ///
    /// Raises:
    ///     NotEnoughDataError: If no study has limits.
    ///     FileError: If the operating system refuses.
    fn save_baseline(&self, path: PathBuf) -> Answer<()> {
        let baselines: Vec<Baseline> = self.analyses.iter().filter_map(|analysis| analysis.baseline()).collect();
        Ok(write_atomically(&path, Baseline::to_json(&baselines)?.as_bytes())?)
    }

    fn _repr_html_(&self) -> String {
        html::report(&self.analyses, &self.studies)
    }

    fn __len__(&self) -> usize {
        self.analyses.len()
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, Self::analyses(self))?.try_iter()
    }

    fn __getitem__(&self, index: isize) -> PyResult<Analysis> {
        Ok(Analysis(self.analyses[index_of(index, self.analyses.len())?].clone()))
    }

    fn __repr__(&self) -> String {
        let analyses = self.analyses.iter().map(ToString::to_string);
        analyses.chain(self.studies.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n\n")
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        let analyses: Vec<_> = self.analyses.iter().map(|analysis| AnalysisState::of(analysis)).collect();
        document::reduce(py, "Report", &(analyses, &self.studies))
    }
}

impl Report {
    fn core(&self) -> core::Report {
        let analyses = self.analyses.iter().map(|analysis| (**analysis).clone()).collect();
        core::Report::new(None, analyses).with_studies(self.studies.clone())
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
    columns.set_item("verdict", analyses.iter().map(|a| a.verdict.key()).collect::<Vec<_>>())?;
    columns.set_item("violations", analyses.iter().map(|a| a.violations.len()).collect::<Vec<_>>())?;
    type Number = fn(&core::Analysis) -> Option<f64>;
    let numbers: [(&str, Number); 12] = [
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
        ("power", |a| a.transform.map(PowerTransform::lambda)),
    ];
    for (name, number) in numbers {
        columns
            .set_item(name, numpy::PyArray1::from_iter(py, analyses.iter().map(|a| number(a).unwrap_or(f64::NAN))))?;
    }
    Ok(columns)
}

/// An item of a sequence by Python's index, which may count from the end.
fn index_of(index: isize, len: usize) -> PyResult<usize> {
    let from_start = if index < 0 { len.checked_sub(index.unsigned_abs()) } else { usize::try_from(index).ok() };
    from_start.filter(|&at| at < len).ok_or_else(|| PyIndexError::new_err(format!("index {index} of {len}")))
}
