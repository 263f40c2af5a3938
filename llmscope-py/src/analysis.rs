//! The result of an analysis, which every interface shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use llmscope_core::analysis::{self as core, Baseline, Drawing};
use llmscope_core::files::write_atomically;
use llmscope_core::plot::ChangeMark;
use llmscope_core::quantity::in_unit;
use llmscope_core::{ChartKind, Error, PowerTransform, SigmaEstimator, plot};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList};
use serde::{Deserialize, Serialize};

use crate::answer::{Answer, RankedAnswer};
use crate::capability::{Capability, ExpectedPpm, Performance, Specification, pair};
use crate::chart::{Chart, ControlLimits};
use crate::document::{self, Pickled, record, token};
use crate::error::Result;
use crate::judgement::Judgement;
use crate::rules::Violation;
use crate::stats::Normality;
use crate::{frame, html, picture};

record! {
    /// Requests that an analysis leaves out.
    Excluded(core::Excluded) {
        /// Failed requests, which have no latency.
        failed: usize,
        /// Warm-up requests.
        warmup: usize,
        /// Requests without this metric.
        missing: usize,
        /// Requests whose value is not positive and cannot be transformed.
        not_positive: usize,
    }
}

record! {
    /// Within and overall sigma.
    SigmaReport(core::SigmaReport) {
        /// The within sigma of the limits.
        within: Option<f64>,
        /// Name of its estimator.
        estimator: Option<&'static str> = |estimator: &Option<SigmaEstimator>| estimator.map(SigmaEstimator::name),
        /// The sample standard deviation.
        overall: Option<f64>,
        /// Laney's σ_z: variation relative to the binomial or Poisson distribution.
        inflation: Option<f64>,
    }
}

record! {
    /// A stage: a range of points with its own limits.
    Stage(core::Stage) {
        /// Position of its first point, 0-based.
        first: usize,
        /// Position of its last point.
        last: usize,
        /// Time of its first point (RFC 3339).
        t: Option<String> = |t: &Option<jiff::Timestamp>| t.map(|t| t.to_string()),
        /// Mean of its measurements, or of the plotted points for counts and subgroup means.
        mean: f64,
        /// For a detected change, an upper bound of the probability of so clear a change anywhere if the level never
        /// changes.
        p: Option<f64>,
    }
}

record! {
    /// The stage from which limits, within sigma and capability come by default, without its outliers.
    Basis(core::Basis) {
        /// Position of its first point, 0-based.
        first: usize,
        /// Position of its last point.
        last: usize,
        /// Time of its first point (RFC 3339).
        t: Option<String> = |t: &Option<jiff::Timestamp>| t.map(|t| t.to_string()),
        /// The number of measurements, without the outliers.
        n: usize,
        /// The number of outliers. The rules judge them, but they do not affect the limits.
        outliers: usize,
    }
}

record! {
    /// Quantiles by Hyndman and Fan's method 7, in the unit of the metric.
    Quantiles(core::Quantiles) {
        /// The median.
        p50: f64,
        /// The 90th percentile.
        p90: f64,
        /// The 95th percentile.
        p95: f64,
        /// The 99th percentile.
        p99: f64,
    }
}

record! {
    /// The chart of the dispersion that accompanies a chart of the level.
    Dispersion(core::Dispersion) {
        /// ``"moving-range"``, ``"range"`` or ``"standard-deviation"``.
        chart: &'static str = |chart: &ChartKind| chart.name(),
        /// Its control limits.
        limits: ControlLimits = |limits: &llmscope_core::ControlLimits| ControlLimits(limits.clone()),
        /// Codes of the applied rules, which use no zones.
        rules: Vec<String> = |rules: &Vec<llmscope_core::RuleCode>| rules.iter().map(ToString::to_string).collect(),
        /// Violations of the rules.
        violations: Vec<Violation> =
            |all: &Vec<llmscope_core::Violation>| all.iter().cloned().map(Violation).collect(),
    }
}

record! {
    /// A shift that a CUSUM chart detected.
    Shift(llmscope_core::chart::cusum::Shift) {
        /// The first point after the sum was last 0: the estimated begin of the shift, 0-based.
        began: usize,
        /// The point at which the sum passed the decision interval.
        signal: usize,
        /// ``"above"`` or ``"below"``.
        side: &'static str = |side: &llmscope_core::rules::Side| side.name(),
        /// The mean as it is estimated at the signal.
        mean: f64,
        /// The estimated last point of the shift, 0-based.
        last: usize,
        /// The mean of the measurements of the shift, from ``began`` to ``last``.
        level: f64,
    }
}

record! {
    /// The patterns that the rules find on a chart. They are separate from the verdict on the series.
    Patterns(core::Patterns) {
        /// ``"in_control"``, ``"out_of_control"`` or ``"not_enough_data"``: whether a rule signals.
        verdict: &'static str = |verdict: &core::Verdict| verdict.name(),
        /// Codes of the applied rules.
        rules: Vec<String> = |rules: &Vec<llmscope_core::RuleCode>| rules.iter().map(ToString::to_string).collect(),
        /// Violations of the rules.
        violations: Vec<Violation> =
            |all: &Vec<llmscope_core::Violation>| all.iter().cloned().map(Violation).collect(),
        /// On a CUSUM chart, the shifts behind the violations.
        shifts: Vec<Shift> =
            |all: &Vec<llmscope_core::chart::cusum::Shift>| all.iter().copied().map(Shift).collect(),
        /// The share of stable series like this one in which these rules signal; ``None`` if the limits were requested.
        false_alarm: Option<f64> = |share: &Option<core::FalseAlarm>| share.map(|share| share.share),
    }
}

/// Answer, chart, patterns and capability of one metric of one group. Properties that do not apply are ``None``.
///
/// Returned by :func:`analyze`. A notebook displays it as answer, chart and report.
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(Clone, PartialEq)]
pub(crate) struct Analysis(pub(crate) Arc<core::Analysis>);

#[pymethods]
impl Analysis {
    /// The files or frames of the data.
    #[getter]
    fn source(&self) -> Vec<String> {
        self.0.source.clone()
    }

    /// The names and values that the group's requests have in common.
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

    /// The numbers of requests that the analysis leaves out.
    #[getter]
    fn excluded(&self) -> Excluded {
        Excluded(self.0.excluded)
    }

    /// The kind of chart, such as ``"individuals"``.
    #[getter]
    fn chart(&self) -> &'static str {
        self.0.chart.name()
    }

    /// 1: limits from these data; 2: limits from a previous study.
    #[getter]
    fn phase(&self) -> u8 {
        self.0.phase.into()
    }

    /// Arithmetic mean, in the unit of the metric.
    #[getter]
    fn mean(&self) -> Option<f64> {
        self.0.mean
    }

    /// Median of the measurements, in the unit of the metric.
    #[getter]
    fn median(&self) -> Option<f64> {
        self.0.median
    }

    /// The power λ of the transformation of the measurements: 0 for the logarithm, ``None`` without a transformation.
    /// Sigma, capability, performance, normality and the dispersion chart then refer to the transformed measurements.
    /// Mean, median, quantiles, limits and observed ppm are in the unit of the metric.
    #[getter]
    fn power(&self) -> Option<f64> {
        self.0.transform.map(PowerTransform::lambda)
    }

    /// Within and overall sigma.
    #[getter]
    fn sigma(&self) -> Option<SigmaReport> {
        self.0.sigma.map(SigmaReport)
    }

    /// Control limits, in the unit of the metric.
    #[getter]
    fn limits(&self) -> Option<ControlLimits> {
        self.0.limits.clone().map(ControlLimits)
    }

    /// The stage from which limits, within sigma and capability come, and whose points the rules judge; ``None`` if the
    /// limits are those of all points, or were requested.
    #[getter]
    fn basis(&self) -> Option<Basis> {
        self.0.basis.map(Basis)
    }

    /// Stages with their own limits, if requested; a single one if no change of the level was detected. A detected
    /// change is a signal.
    #[getter]
    fn stages(&self) -> Vec<Stage> {
        self.0.stages.iter().cloned().map(Stage).collect()
    }

    /// The verdict on the series: ``"failing"``, ``"changed"``, ``"stable"`` or ``"not_enough_data"``.
    #[getter]
    fn verdict(&self) -> &'static str {
        self.0.verdict.name()
    }

    /// The answer: what changed, since when, by how much, and how far to trust it.
    #[getter]
    fn answer(&self) -> Answer {
        Answer(self.0.answer.clone())
    }

    /// The patterns that the rules find on the chart.
    #[getter]
    fn patterns(&self) -> Patterns {
        Patterns(self.0.patterns.clone())
    }

    /// Codes of the applied rules: short for ``patterns.rules``.
    #[getter]
    fn rules(&self) -> Vec<String> {
        self.patterns().rules()
    }

    /// Violations of the rules: short for ``patterns.violations``.
    #[getter]
    fn violations(&self) -> Vec<Violation> {
        self.patterns().violations()
    }

    /// On a CUSUM chart, the shifts behind the violations: short for ``patterns.shifts``.
    #[getter]
    fn shifts(&self) -> Vec<Shift> {
        self.patterns().shifts()
    }

    /// The number of points that a chart needs, if there are too few.
    #[getter]
    fn need(&self) -> Option<usize> {
        self.0.need
    }

    /// The chart of the dispersion.
    #[getter]
    fn dispersion(&self) -> Option<Dispersion> {
        self.0.dispersion.clone().map(Dispersion)
    }

    /// Specification limits, in the unit of the metric.
    #[getter]
    fn specification(&self) -> Option<Specification> {
        self.0.specification.map(Specification)
    }

    /// Capability indices, from the within sigma.
    #[getter]
    fn capability(&self) -> Option<Capability> {
        self.0.capability.map(Capability)
    }

    /// Performance indices, from the overall sigma.
    #[getter]
    fn performance(&self) -> Option<Performance> {
        self.0.performance.map(Performance)
    }

    /// Performance without the assumption of a normal distribution, as a dictionary: ``fits``, ``box_cox``,
    /// ``empirical``, and which of them the data support (``supported``).
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

    /// Expected share outside the specification limits for a normal distribution, per million.
    #[getter]
    fn expected_ppm(&self) -> Option<ExpectedPpm> {
        self.0.expected_ppm.map(ExpectedPpm)
    }

    /// Anderson–Darling test of normality.
    #[getter]
    fn normality(&self) -> Option<Normality> {
        self.0.normality.map(Normality)
    }

    /// Lag-1 autocorrelation; with a basis, that of ranks within the stages.
    #[getter]
    fn autocorrelation(&self) -> Option<f64> {
        self.0.autocorrelation.map(|autocorrelation| autocorrelation.lag1)
    }

    /// Quantiles.
    #[getter]
    fn quantiles(&self) -> Option<Quantiles> {
        self.0.quantiles.map(Quantiles)
    }

    /// Warnings about the validity of the numbers.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings.clone()
    }

    /// The chart with its rules and signals; ``None`` without enough data.
    #[getter]
    fn judgement(&self, py: Python<'_>) -> PyResult<Option<Judgement>> {
        let Some(drawing) = &self.0.drawing else { return Ok(None) };
        let chart = Py::new(py, Chart::of(drawing.chart.clone()))?;
        Ok(Some(Judgement::new(drawing.judgement.clone(), drawing.rules.clone(), Some(chart))))
    }

    /// The analysis as a dictionary, as in the report of the command line.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &*self.0)
    }

    /// The analysis as JSON, as in the report of the command line.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&*self.0)
    }

    /// One row with the main numbers.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        frame::of(&rows(py, std::slice::from_ref(&self.0), &BTreeSet::new())?, backend)
    }

    /// The control chart as SVG.
    fn to_svg(&self) -> String {
        plot::svg(&self.0)
    }

    /// Writes the control chart to a file whose name ends in ``.svg`` or ``.png``.
    fn save(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        picture::save(py, self.to_svg(), path)
    }

    fn _repr_html_(&self) -> String {
        html::analysis(&self.0)
    }

    /// Draws the control chart with matplotlib.
    ///
    /// Args:
    ///     ax: The axes to draw on; new ones by default.
    ///
    /// Returns:
    ///     The axes.
    ///
    /// Raises:
    ///     NotEnoughDataError: If there are too few data for a chart.
    #[pyo3(signature = (ax = None))]
    fn plot<'py>(&self, py: Python<'py>, ax: Option<&Bound<'py, PyAny>>) -> Result<Bound<'py, PyAny>> {
        let (title, change) = (html::title(&self.0), ChangeMark::of(&self.0));
        Ok(picture::matplotlib(&self.drawable(py)?, Some(&title), Some(&self.axis_label()), ax, change.as_ref())?)
    }

    /// The control chart as a plotly figure.
    ///
    /// Raises:
    ///     NotEnoughDataError: If there are too few data for a chart.
    fn to_plotly<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let change = ChangeMark::of(&self.0);
        Ok(picture::plotly(&self.drawable(py)?, Some(&html::title(&self.0)), change.as_ref())?)
    }

    fn __repr__(&self) -> String {
        format!("{}\n\n{}", answered(&self.0), patterns(&self.0))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Analysis", &AnalysisState::of(&self.0))
    }
}

impl Analysis {
    fn axis_label(&self) -> String {
        in_unit(&self.0.metric, self.0.plotted_unit().symbol())
    }

    fn drawable<'py>(&self, py: Python<'py>) -> Result<Bound<'py, Judgement>> {
        let none = || Error::NotEnoughData { what: "a chart (points)", have: self.0.n, need: self.0.need.unwrap_or(1) };
        Ok(Bound::new(py, self.judgement(py)?.ok_or_else(none)?)?)
    }
}

/// The state of a pickled analysis: its report, plus the plotted points, which the report omits.
#[derive(Serialize, Deserialize)]
pub(crate) struct AnalysisState {
    analysis: core::Analysis,
    drawing: Option<Drawing>,
}

impl AnalysisState {
    fn of(analysis: &core::Analysis) -> Self {
        let mut analysis = analysis.clone();
        let drawing = analysis.drawing.take();
        Self { analysis, drawing }
    }
}

impl From<AnalysisState> for Analysis {
    fn from(AnalysisState { mut analysis, drawing }: AnalysisState) -> Self {
        analysis.drawing = drawing;
        Self(Arc::new(analysis))
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
        /// True if the mean is outside the limits of the run means.
        out: bool,
        /// True if the mean is further from the center than the run's own requests explain: outside the limits of an X̄
        /// chart.
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
    /// One metric over several runs: variance components, capability within the runs and in total, and the runs that
    /// are out of control. Properties that do not apply are ``None``.
    Study(core::Study) {
        /// The names and values that all runs have in common.
        group: BTreeMap<String, String>,
        /// The metric or column.
        metric: String,
        /// The runs, in order of time if known.
        runs: Vec<Run> = |runs: &Vec<core::Run>| runs.iter().cloned().map(Run).collect(),
        /// Number of measurements of all runs.
        n: usize,
        /// Mean of all measurements.
        mean: f64,
        /// Variance within the runs.
        within: Component = |component: &core::Component| Component(*component),
        /// Variance between the runs; 0 if its estimate is negative.
        between: Component = |component: &core::Component| Component(*component),
        /// Total variance of a single measurement from any run.
        total: Component = |component: &core::Component| Component(*component),
        /// Share of the total variance that is between the runs.
        between_share: Option<f64>,
        /// Limits of the run means, from their moving ranges; ``None`` for fewer than 5 runs.
        limits: Option<ControlLimits> =
            |limits: &Option<llmscope_core::ControlLimits>| limits.clone().map(ControlLimits),
        /// Violations on the chart of the run means: positions in ``runs``.
        violations: Vec<Violation> =
            |all: &Vec<llmscope_core::Violation>| all.iter().cloned().map(Violation).collect(),
        /// ``"in_control"``, ``"out_of_control"`` or ``"not_enough_data"``: the verdict on the run means.
        verdict: &'static str = |verdict: &core::Verdict| verdict.name(),
        /// Capability indices, from the within-run sigma.
        capability: Option<Capability> =
            |capability: &Option<llmscope_core::capability::Capability>| capability.map(Capability),
        /// Performance indices, from the total sigma.
        performance: Option<Performance> =
            |performance: &Option<llmscope_core::capability::Performance>| performance.map(Performance),
        /// Lag-1 autocorrelation within the runs.
        lag1: Option<f64>,
        /// Warnings about the validity of the numbers.
        warnings: Vec<String>,
    }
    {
        fn __str__(&self) -> String {
            self.0.to_string()
        }
    }
}

record! {
    /// A column of the data: what it means, the source of that meaning, and what was done with it.
    ColumnReport(core::ColumnReport) {
        /// Its name in the data.
        name: String,
        /// The name that a mapping gives it.
        mapped_to: Option<String>,
        /// What it holds: ``"duration"``, ``"rate"``, ``"label"``, ``"time"``, …
        role: String = token,
        /// The unit of its numbers.
        unit: &'static str = |unit: &llmscope_core::Unit| unit.symbol(),
        /// The source of the unit: ``"metric"``, ``"user"``, ``"tool"``, ``"name"`` (a guess) or ``"unknown"``.
        unit_from: String = token,
        /// ``"lower_is_better"``, ``"higher_is_better"`` or ``"unknown"``.
        direction: String = token,
        /// The source of the direction.
        direction_from: String = token,
        /// What was done with it: ``"judged"``, ``"group"``, ``"subgroup"``, ``"time"``, ``"tokens"`` or ``"unused"``.
        used_as: String = token,
        /// The number of values that were judged.
        used: Option<usize>,
        /// The number of rows without a value that was judged: failed, missing, out of bounds.
        not_used: Option<usize>,
    }
}

/// A report: one analysis per group and metric, in order of appearance, and the answers in the order of urgency.
///
/// A sequence: ``report[0]``, ``len(report)``, ``for analysis in report``.
#[pyclass(frozen, eq, sequence, module = "llmscope")]
#[derive(PartialEq)]
pub(crate) struct Report {
    pub(crate) analyses: Vec<Arc<core::Analysis>>,
    /// The report without its analyses.
    pub(crate) call: core::Report,
    /// Its headline, which depends on the analyses.
    pub(crate) headline: String,
    /// The names to group by whose values were numbers in the data.
    numeric_groups: BTreeSet<String>,
}

/// The state of a pickled report.
pub(crate) type ReportState = (Vec<AnalysisState>, core::Report, String, BTreeSet<String>);

impl From<ReportState> for Report {
    fn from((states, call, headline, numeric_groups): ReportState) -> Self {
        let analyses = states.into_iter().map(|state| Analysis::from(state).0).collect();
        Self { analyses, call, headline, numeric_groups }
    }
}

impl Report {
    /// The report of a call, with the names to group by whose values were numbers in the data.
    pub(crate) fn new(mut call: core::Report, numeric_groups: BTreeSet<String>) -> Self {
        let headline = call.headline();
        let analyses = std::mem::take(&mut call.analyses);
        Self { analyses: analyses.into_iter().map(Arc::new).collect(), call, headline, numeric_groups }
    }
}

#[pymethods]
impl Report {
    /// The analyses.
    #[getter]
    fn analyses(&self) -> Vec<Analysis> {
        self.analyses.iter().cloned().map(Analysis).collect()
    }

    /// The answers, the most urgent one first: failing series, changes for the worse by size, changes for the better,
    /// stable series, and those without enough data.
    #[getter]
    fn answers(&self) -> Vec<RankedAnswer> {
        self.call.answers.iter().cloned().map(RankedAnswer).collect()
    }

    /// What each column of the data means, and what was done with it.
    #[getter]
    fn columns(&self) -> Vec<ColumnReport> {
        self.call.columns.iter().cloned().map(ColumnReport).collect()
    }

    /// What each column of the data means as a data frame, one row per column: ``analyze --explain`` of the command line.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn explain<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        frame::of(&meanings(py, &self.call.columns)?, backend)
    }

    /// The result of the call as one sentence.
    #[getter]
    fn headline(&self) -> &str {
        &self.headline
    }

    /// The chance that the call reports a change of any series if nothing changed.
    #[getter]
    fn alpha(&self) -> f64 {
        self.call.alpha
    }

    /// The number of series that share alpha.
    #[getter]
    fn comparisons(&self) -> usize {
        self.call.comparisons
    }

    /// What decides the exit status of the command line: ``"changes"``, or ``"rules"`` with ``phase1``, ``baseline`` or
    /// ``center``.
    #[getter]
    fn decided_by(&self) -> &'static str {
        match self.call.decided_by {
            core::DecidedBy::Changes => "changes",
            core::DecidedBy::Rules => "rules",
        }
    }

    /// One study per metric over several runs, if the analyses are grouped by session.
    #[getter]
    fn studies(&self) -> Vec<Study> {
        self.call.studies.iter().cloned().map(Study).collect()
    }

    /// True if the rules find no analysis and no study out of control. A series in control may have changed.
    #[getter]
    fn is_in_control(&self) -> bool {
        let verdicts = self.analyses.iter().map(|analysis| analysis.patterns.verdict);
        verdicts.chain(self.call.studies.iter().map(|study| study.verdict)).all(|v| v != core::Verdict::OutOfControl)
    }

    /// The report as a dictionary (``llmscope.report/2``), as the command line writes it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &self.core())
    }

    /// The report as JSON (``llmscope.report/2``), as the command line writes it.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&self.core())
    }

    /// One row per analysis: group, metric, ``verdict``, ``answer``, the rules' verdict (``patterns``) and the main
    /// numbers. Groups of a frame's numbers are numbers here, so that the rows join those of the frame.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        frame::of(&rows(py, &self.analyses, &self.numeric_groups)?, backend)
    }

    /// Saves the limits of these studies to a file, for ``analyze(…, baseline=path)`` and the command line.
    ///
    /// Raises:
    ///     NotEnoughDataError: If no study has limits.
    ///     FileError: If the file cannot be written.
    fn save_baseline(&self, path: PathBuf) -> Result<()> {
        let baselines: Vec<Baseline> = self.analyses.iter().filter_map(|analysis| analysis.baseline()).collect();
        Ok(write_atomically(&path, Baseline::to_json(&baselines)?.as_bytes())?)
    }

    fn _repr_html_(&self) -> String {
        html::report(&self.headline, &self.analyses, &self.call)
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
        let answers: Vec<String> =
            self.call.answers.iter().map(|answer| answered(&self.analyses[answer.analysis])).collect();
        let analyses = self.analyses.iter().map(|analysis| patterns(analysis));
        let parts = [self.headline.clone(), answers.join("\n")].into_iter().chain(analyses);
        parts.chain(self.call.studies.iter().map(ToString::to_string)).collect::<Vec<_>>().join("\n\n")
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        let analyses: Vec<_> = self.analyses.iter().map(|analysis| AnalysisState::of(analysis)).collect();
        document::reduce(py, "Report", &(analyses, &self.call, &self.headline, &self.numeric_groups))
    }
}

impl Report {
    fn core(&self) -> core::Report {
        let analyses = self.analyses.iter().map(|analysis| (**analysis).clone()).collect();
        let mut report = self.call.clone();
        report.analyses = analyses;
        report
    }
}

/// The verdict, the series and the answer on two lines.
fn answered(analysis: &core::Analysis) -> String {
    let titles = [analysis.verdict.label().to_uppercase(), analysis.metric_title(), analysis.group_title()];
    let titles: Vec<String> = titles.into_iter().filter(|title| !title.is_empty()).collect();
    format!("{}\n  {}", titles.join("  "), analysis.answer.text)
}

/// The report of the rules, marked as on the command line: their verdict is not that of the series.
fn patterns(analysis: &core::Analysis) -> String {
    format!("PATTERNS {analysis}")
}

/// The main numbers, one row per analysis; the names of the groups come first.
fn rows<'py>(
    py: Python<'py>,
    analyses: &[Arc<core::Analysis>],
    numeric_groups: &BTreeSet<String>,
) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let names: BTreeSet<&String> = analyses.iter().flat_map(|analysis| analysis.group.keys()).collect();
    for name in names {
        let texts = analyses.iter().map(|analysis| analysis.group.get(name).map(String::as_str));
        let keys = if numeric_groups.contains(name) { numbers(py, texts)? } else { PyList::new(py, texts)? };
        columns.set_item(name, keys)?;
    }
    columns.set_item("metric", analyses.iter().map(|a| a.metric.as_str()).collect::<Vec<_>>())?;
    columns.set_item("unit", analyses.iter().map(|a| a.unit.symbol()).collect::<Vec<_>>())?;
    columns.set_item("n", analyses.iter().map(|a| a.n).collect::<Vec<_>>())?;
    columns.set_item("failed", analyses.iter().map(|a| a.excluded.failed).collect::<Vec<_>>())?;
    columns.set_item("chart", analyses.iter().map(|a| a.chart.name()).collect::<Vec<_>>())?;
    columns.set_item("verdict", analyses.iter().map(|a| a.verdict.name()).collect::<Vec<_>>())?;
    columns.set_item("answer", analyses.iter().map(|a| a.answer.text.as_str()).collect::<Vec<_>>())?;
    columns.set_item("patterns", analyses.iter().map(|a| a.patterns.verdict.name()).collect::<Vec<_>>())?;
    columns.set_item("violations", analyses.iter().map(|a| a.patterns.violations.len()).collect::<Vec<_>>())?;
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

/// Group keys as integers, or as floating-point numbers if one of them has a fraction.
fn numbers<'py, 't>(
    py: Python<'py>,
    texts: impl Iterator<Item = Option<&'t str>> + Clone,
) -> PyResult<Bound<'py, PyList>> {
    let keys: Vec<Option<i64>> = texts.clone().map(|text| text?.parse().ok()).collect();
    if texts.clone().zip(&keys).all(|(text, key)| text.is_some() == key.is_some()) {
        return PyList::new(py, keys);
    }
    PyList::new(py, texts.map(|text| text?.parse::<f64>().ok()).collect::<Vec<_>>())
}

/// What each column means, one row per column.
fn meanings<'py>(py: Python<'py>, all: &[core::ColumnReport]) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let text = |name: &str, text: &dyn Fn(&core::ColumnReport) -> Option<String>| {
        columns.set_item(name, PyList::new(py, all.iter().map(text))?)
    };
    text("column", &|column| Some(column.name.clone()))?;
    text("mapped_to", &|column| column.mapped_to.clone())?;
    text("role", &|column| Some(token(&column.role)))?;
    text("unit", &|column| Some(column.unit.symbol().to_owned()))?;
    text("unit_from", &|column| Some(token(&column.unit_from)))?;
    text("direction", &|column| Some(token(&column.direction)))?;
    text("direction_from", &|column| Some(token(&column.direction_from)))?;
    text("used_as", &|column| Some(token(&column.used_as)))?;
    for (name, count) in [
        ("used", (|column| column.used) as fn(&core::ColumnReport) -> Option<usize>),
        ("not_used", |column| column.not_used),
    ] {
        columns.set_item(name, PyList::new(py, all.iter().map(count))?)?;
    }
    Ok(columns)
}

/// Resolves an index of a Python sequence, which may be negative.
fn index_of(index: isize, len: usize) -> PyResult<usize> {
    let from_start = if index < 0 { len.checked_sub(index.unsigned_abs()) } else { usize::try_from(index).ok() };
    from_start.filter(|&at| at < len).ok_or_else(|| PyIndexError::new_err(format!("index {index} of {len}")))
}
