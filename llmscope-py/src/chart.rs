//! Control charts.

use llmscope_core::chart::attributes::{self, Counts};
use llmscope_core::chart::ewma::{self, Ewma};
use llmscope_core::chart::{individuals as core_individuals, laney, staged, xbar as core_xbar};
use llmscope_core::error::Result as CoreResult;
use llmscope_core::{
    Bounds, ChartKind, Error, Line, Missing, RuleSet, Sample, SigmaEstimate, SigmaEstimator,
    Standards as CoreStandards, Subgroups, plot, rules,
};
use numpy::PyArray1;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::capability::SigmaEstimate as PySigmaEstimate;
use crate::document::{self, Pickled, record};
use crate::error::Answer;
use crate::rules::{Judgement, read as read_rules};
use crate::table::{self, Labels};
use crate::values::{Values, matrix};
use crate::{foreign, frame, picture, work};

pub(crate) type CoreChart<'a> = llmscope_core::Chart<'a>;

self_cell::self_cell!(
    /// A chart beside the numbers that it borrows.
    struct Held {
        owner: Values,
        #[covariant]
        dependent: CoreChart,
    }
);

/// A control chart: the plotted points, the limits they are judged against, and where the limits came from.
///
/// Made by :func:`individuals`, :func:`xbar`, :func:`attributes` and :func:`ewma` (phase I), and by
/// :meth:`Chart.monitor` (phase II). A chart of single measurements refers to your float64 array and does not copy it:
/// change a copy of the array, not the array.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.individuals([49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1])
///     individuals chart, phase I, 10 points
///       limits  lower 45.82  center 50.81  upper 55.80
///       sigma   1.664 (average moving range / d2)
#[pyclass(frozen, module = "llmscope")]
pub(crate) struct Chart(Held);

impl Chart {
    pub(crate) fn core(&self) -> &CoreChart<'_> {
        self.0.borrow_dependent()
    }

    pub(crate) fn of(chart: CoreChart<'static>) -> Self {
        Self(Held::new(Vec::new().into(), |_| chart))
    }

    /// The chart of a sample, which borrows its values.
    fn of_sample(
        values: Values,
        missing: Missing,
        bounds: Bounds,
        chart: impl for<'a> FnOnce(&Sample<'a>) -> CoreResult<CoreChart<'a>>,
    ) -> CoreResult<Self> {
        Held::try_new(values, |values| Ok(chart(&values.sample(missing)?)?.with_bounds(bounds))).map(Self)
    }

    pub(crate) fn drawn(&self, judgement: &rules::Judgement, rules: &RuleSet, title: Option<&str>) -> String {
        let chart = self.core().clone().into_owned();
        let title = title.map_or_else(|| chart.kind.title().to_owned(), str::to_owned);
        let drawing = llmscope_core::analysis::Drawing {
            chart,
            judgement: judgement.clone(),
            rules: rules.clone(),
            times: Vec::new(),
        };
        plot::svg_of(&drawing, &title)
    }
}

#[pymethods]
impl Chart {
    /// The plotted statistic: ``"individuals"``, ``"xbar-r"``, ``"p"``, …
    #[getter]
    fn kind(&self) -> &'static str {
        self.core().kind.name()
    }

    /// 1: limits from these data; 2: limits from an earlier study.
    #[getter]
    fn phase(&self) -> u8 {
        self.core().phase.into()
    }

    /// What is plotted, in time order. Shape (n,), read-only.
    #[getter]
    fn points<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyArray1<f64>> {
        foreign::view(&slf.get().core().points, slf.clone().into_any())
    }

    /// Center line, limits, and the sigma that the zones are multiples of.
    #[getter]
    fn limits(&self) -> ControlLimits {
        ControlLimits(self.core().limits.clone())
    }

    /// Positions before which something is missing: every run ends there.
    #[getter]
    fn breaks(&self) -> Vec<usize> {
        self.core().breaks.clone()
    }

    /// For a moving range chart, the position of each point's later measurement.
    #[getter]
    fn positions(&self) -> Option<Vec<usize>> {
        self.core().positions.clone()
    }

    /// What the limits stand on: to be kept, and used on later data.
    #[getter]
    fn standards(&self) -> Standards {
        Standards(self.core().standards)
    }

    /// The chart of the spread that belongs to this chart of the level: moving ranges, ranges or standard deviations.
    #[getter]
    fn companion(&self) -> Option<Self> {
        self.core().companion().map(|companion| Self::of(companion.into_owned()))
    }

    /// True if sigma is zero everywhere: the limits collapse on the center line.
    #[getter]
    fn is_degenerate(&self) -> bool {
        self.core().is_degenerate()
    }

    /// Judges the points by rules.
    ///
    /// Args:
    ///     rules: A preset, a list of rules, or a :class:`RuleSet`, applied as it is. Without one, those of Nelson's
    ///         rules that fit the chart: no zones on a chart of a spread, only the limits on an EWMA chart.
    ///
    /// Raises:
    ///     UnknownNameError: For a rule that is not known.
    #[pyo3(signature = (rules = None))]
    fn judge(slf: &Bound<'_, Self>, rules: Option<&Bound<'_, PyAny>>) -> Answer<Judgement> {
        let kind = slf.get().core().kind;
        let rules = rules.map_or_else(|| Ok(kind.fitting(&RuleSet::nelson())), read_rules)?;
        let (chart, size) = (slf.clone().unbind(), slf.get().core().points.len());
        let (judgement, rules, chart) = work::run(slf.py(), size, move || {
            let judgement = chart.get().core().judge(&rules);
            judgement.map(|judgement| (judgement, rules, chart))
        })??;
        Ok(Judgement::new(judgement, rules, Some(chart)))
    }

    /// Phase II: the same chart of new data against these limits, which are not estimated again.
    ///
    /// Args:
    ///     values: The new measurements, or counts. Shape (n,), or a matrix whose rows are subgroups.
    ///     subgroups: Size of the subgroups, or a label for each measurement (X̄ charts).
    ///     sizes: Sample sizes or areas of opportunity (charts of counts).
    ///     bounds: What the quantity can be: ``(lower, upper)``, either of them ``None``.
    ///     missing: What a missing value (or NaN) means: ``"error"``, ``"break"`` or ``"drop"``.
    ///
    /// Raises:
    ///     ParameterError: If the data do not fit the chart.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> study = ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30])
    ///     >>> study.monitor([0.30, 0.42]).judge("1").violations[0].first
    ///     1
    #[pyo3(signature = (values, *, subgroups = None, sizes = None, bounds = (None, None), missing = "error"))]
    fn monitor(
        &self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        subgroups: Option<&Bound<'_, PyAny>>,
        sizes: Option<&Bound<'_, PyAny>>,
        bounds: (Option<f64>, Option<f64>),
        missing: &str,
    ) -> Answer<Self> {
        Standards(self.core().standards).monitor(py, values, subgroups, sizes, bounds, missing)
    }

    /// Points, limits and standards as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, self.core())
    }

    /// Points, limits and standards as JSON; every number reads back to the last bit.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(self.core())
    }

    /// One row for each point: ``point``, ``lower``, ``center``, ``upper``, ``sigma``.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; the one that is in use unless told.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let (py, limits, n) = (slf.py(), &slf.get().core().limits, slf.get().core().points.len());
        let columns = PyDict::new(py);
        columns.set_item("point", Self::points(slf))?;
        for (name, line) in
            [("lower", &limits.lower), ("center", &limits.center), ("upper", &limits.upper), ("sigma", &limits.sigma)]
        {
            columns.set_item(name, PyArray1::from_iter(py, (0..n).map(|point| line.at(point))))?;
        }
        frame::of(&columns, backend)
    }

    /// The chart as SVG, judged by those of Nelson's rules that fit it.
    #[pyo3(signature = (title = None))]
    fn to_svg(slf: &Bound<'_, Self>, title: Option<&str>) -> Answer<String> {
        Ok(Bound::new(slf.py(), Self::judge(slf, None)?)?.call_method1("to_svg", (title,))?.extract()?)
    }

    /// Writes the chart to a file whose name ends in ``.svg`` or ``.png``.
    #[pyo3(signature = (path, title = None))]
    fn save(slf: &Bound<'_, Self>, path: std::path::PathBuf, title: Option<&str>) -> Answer<()> {
        picture::save(slf.py(), Self::to_svg(slf, title)?, path)
    }

    fn _repr_svg_(slf: &Bound<'_, Self>) -> Answer<String> {
        Self::to_svg(slf, None)
    }

    /// Draws the chart with matplotlib, judged by those of Nelson's rules that fit it.
    ///
    /// Args:
    ///     ax: The axes to draw on; new ones unless given.
    ///     title: The title.
    ///
    /// Returns:
    ///     The axes.
    #[pyo3(signature = (ax = None, title = None))]
    fn plot<'py>(
        slf: &Bound<'py, Self>,
        ax: Option<&Bound<'py, PyAny>>,
        title: Option<&str>,
    ) -> Answer<Bound<'py, PyAny>> {
        Ok(picture::matplotlib(&Bound::new(slf.py(), Self::judge(slf, None)?)?, title, ax)?)
    }

    /// The chart as a plotly figure, judged by those of Nelson's rules that fit it.
    #[pyo3(signature = (title = None))]
    fn to_plotly<'py>(slf: &Bound<'py, Self>, title: Option<&str>) -> Answer<Bound<'py, PyAny>> {
        Ok(picture::plotly(&Bound::new(slf.py(), Self::judge(slf, None)?)?, title)?)
    }

    fn __len__(&self) -> usize {
        self.core().points.len()
    }

    fn __repr__(&self) -> String {
        self.core().to_string()
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        other.cast::<Self>().is_ok_and(|other| other.get().core() == self.core())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Chart", self.core())
    }
}

/// Control limits: each line is one number, or an array with one for each point where the limits vary.
///
/// Example:
///     >>> import llmscope as ls
///     >>> limits = ls.individuals([1.0, 2.0, 1.0, 2.0]).limits
///     >>> limits.center, round(limits.upper, 3)
///     (1.5, 4.159)
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(Clone, PartialEq)]
pub(crate) struct ControlLimits(pub(crate) llmscope_core::ControlLimits);

#[pymethods]
impl ControlLimits {
    /// Lower control limit: center − 3σ, not below the physical bound.
    #[getter]
    fn lower<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.lower)
    }

    /// Center line.
    #[getter]
    fn center<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.center)
    }

    /// Upper control limit: center + 3σ, not above the physical bound.
    #[getter]
    fn upper<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.upper)
    }

    /// Standard deviation of the plotted statistic.
    #[getter]
    fn sigma<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.sigma)
    }

    /// True if the lower limit was set to a physical bound somewhere.
    #[getter]
    fn lower_clamped(&self) -> bool {
        self.0.clamped.lower
    }

    /// True if the upper limit was set to a physical bound somewhere.
    #[getter]
    fn upper_clamped(&self) -> bool {
        self.0.clamped.upper
    }

    /// The lines as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &self.0)
    }

    /// The lines as JSON.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&self.0)
    }

    fn __repr__(&self) -> PyResult<String> {
        document::repr("ControlLimits", &self.0)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "ControlLimits", &self.0)
    }
}

fn shown<'py>(owner: &Bound<'py, ControlLimits>, line: &Line) -> PyResult<Bound<'py, PyAny>> {
    match line {
        Line::Constant(value) => value.into_bound_py_any(owner.py()),
        Line::PerPoint(values) => Ok(foreign::view(values, owner.clone().into_any()).into_any()),
    }
}

record! {
    /// What a phase I study fixes and a phase II chart uses unchanged.
    ///
    /// Args:
    ///     chart: The chart that they are for.
    ///     center: Center line: the mean; a proportion (p, np); counts per area (c, u).
    ///     sigma: Within sigma of a single measurement, for charts of measurements.
    ///     lambda_: Weight of the newest point of an EWMA chart.
    ///     width: Width of the limits of an EWMA chart, in sigmas of the average.
    ///
    /// Raises:
    ///     ParameterError: If the numbers do not fit the chart.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> ls.Standards("individuals", center=0.30, sigma=0.01).monitor([0.31, 0.36]).judge("1").is_in_control
    ///     False
    Standards(CoreStandards) {
        /// The chart that they are for.
        chart: &'static str = |chart: &ChartKind| chart.name(),
        /// The center line.
        center: f64,
        /// The within sigma, for charts of measurements.
        within: Option<PySigmaEstimate> = |within: &Option<SigmaEstimate>| within.map(PySigmaEstimate),
        /// Laney's σ_z: how much the points vary beyond the binomial or Poisson.
        inflation: Option<f64>,
    }
    {
        #[new]
        #[pyo3(signature = (chart, center, sigma = None, *, lambda_ = 0.2, width = 3.0))]
        fn new(chart: &str, center: f64, sigma: Option<f64>, lambda_: f64, width: f64) -> Answer<Self> {
            let kind: ChartKind = chart.parse()?;
            if kind.is_attribute() {
                return Ok(Self(CoreStandards::of_counts(kind, center)?));
            }
            let sigma = sigma.ok_or(Error::Parameter {
                name: "sigma",
                value: "none".to_owned(),
                expected: "given for a chart of measurements",
            })?;
            let standards = CoreStandards::of_measurements(kind, center, SigmaEstimate::given(sigma)?)?;
            let ewma = if kind == ChartKind::Ewma { Some(Ewma::new(lambda_, width)?) } else { None };
            Ok(Self(CoreStandards { ewma, ..standards }))
        }

        /// Phase II: a chart of new data against these standards. See :meth:`Chart.monitor`.
        #[pyo3(signature = (values, *, subgroups = None, sizes = None, bounds = (None, None), missing = "error"))]
        fn monitor(
            &self,
            py: Python<'_>,
            values: &Bound<'_, PyAny>,
            subgroups: Option<&Bound<'_, PyAny>>,
            sizes: Option<&Bound<'_, PyAny>>,
            bounds: (Option<f64>, Option<f64>),
            missing: &str,
        ) -> Answer<Chart> {
            let (standards, bounds, missing) = (self.0, bounds_of(bounds), missing.parse()?);
            let kind = standards.chart;
            if kind.is_attribute() {
                let data = CountData::read(values, sizes, kind)?;
                return finished(py, data.counts.len(), move || {
                    let counts = data.checked(kind)?;
                    let laney = kind.is_laney();
                    let chart = if laney { laney::monitor } else { attributes::monitor }(&standards, &counts)?;
                    Ok(Chart::of(chart))
                });
            }
            if kind.needs_subgroups() {
                let data = GroupedData::read(values, subgroups, missing)?;
                return finished(py, data.values.len(), move || {
                    let chart = data.with(|subgroups| core_xbar::monitor(&standards, subgroups))?;
                    Ok(Chart::of(chart.with_bounds(bounds)))
                });
            }
            let values = Values::read(values)?;
            finished(py, values.len(), move || {
                Chart::of_sample(values, missing, bounds, |sample| match kind {
                    ChartKind::Ewma => ewma::monitor(&standards, sample),
                    _ => core_individuals::monitor(&standards, sample),
                })
            })
        }
    }
}

fn bounds_of((lower, upper): (Option<f64>, Option<f64>)) -> Bounds {
    Bounds { lower, upper }
}

fn finished(py: Python<'_>, size: usize, chart: impl FnOnce() -> CoreResult<Chart> + Send + 'static) -> Answer<Chart> {
    Ok(work::run(py, size, chart)??)
}

/// Individuals chart: limits x̄ ± 3σ̂ of single measurements, with their moving ranges beside it (I-MR).
///
/// Source: Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 6.4.
///
/// Args:
///     values: Measurements in time order. Shape (n,); NumPy, pandas, polars, Arrow, or a sequence. Contiguous float64
///         is not copied.
///     sigma_estimator: How the within sigma is estimated: ``"average_moving_range"`` (MR̄/d₂), ``"median_moving_range"``, ``"overall"`` or
///         ``"overall_unbiased"``.
///     stages: Points at which new limits begin.
///     bounds: What the quantity can be: ``(lower, upper)``, either of them ``None``; ``(0, None)`` for a latency.
///     missing: What a missing value (or NaN) means: ``"error"``, ``"break"`` (every run and moving range ends there)
///         or ``"drop"``.
///
/// Returns:
///     The phase I chart, in the unit of the data.
///
/// Raises:
///     NotEnoughDataError: For fewer than two neighbours.
///     NonFiniteError: For a NaN or infinity, with its index.
///     MissingValueError: For a missing value under ``"error"``.
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
    values, *, sigma_estimator = "average_moving_range", stages = Vec::new(), bounds = (None, None), missing = "error"
))]
pub(crate) fn individuals(
    py: Python<'_>,
    values: &Bound<'_, PyAny>,
    sigma_estimator: &str,
    stages: Vec<usize>,
    bounds: (Option<f64>, Option<f64>),
    missing: &str,
) -> Answer<Chart> {
    let estimator: SigmaEstimator = sigma_estimator.parse()?;
    let (values, bounds, missing) = (Values::read(values)?, bounds_of(bounds), missing.parse()?);
    finished(py, values.len(), move || {
        Chart::of_sample(values, missing, bounds, |sample| {
            if stages.is_empty() {
                return core_individuals::estimate(sample, estimator);
            }
            staged(sample.len(), &stages, |points| {
                Ok(core_individuals::estimate(&sample.slice(points), estimator)?.into_owned())
            })
        })
    })
}

/// EWMA chart: zᵢ = λxᵢ + (1−λ)zᵢ₋₁ with exact limits that widen with i. For small lasting shifts.
///
/// Source: Roberts 1959, *Technometrics* 1(3); Lucas & Saccucci 1990.
///
/// Args:
///     values: Measurements in time order. Shape (n,).
///     lambda_: Weight λ of the newest point, above 0 and at most 1.
///     width: Distance L of the limits from the center line, in standard deviations of the average.
///     sigma_estimator: How the within sigma is estimated.
///     bounds: What the quantity can be.
///     missing: What a missing value (or NaN) means; after a gap the average starts again.
///
/// Returns:
///     The phase I chart. Only its limits can be judged: its points depend on each other.
///
/// Raises:
///     ParameterError: Unless 0 < λ ≤ 1 and L is positive.
///     NotEnoughDataError: For fewer than two neighbours.
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
) -> Answer<Chart> {
    let (estimator, average) = (sigma_estimator.parse()?, Ewma::new(lambda_, width)?);
    let (values, bounds, missing) = (Values::read(values)?, bounds_of(bounds), missing.parse()?);
    finished(py, values.len(), move || {
        Chart::of_sample(values, missing, bounds, |sample| ewma::estimate(sample, estimator, average))
    })
}

/// X̄ chart: subgroup means with limits x̿ ± 3σ̂/√nᵢ, and their spread beside it (X̄–R, X̄–S), for subgroups of any sizes.
///
/// Source: Montgomery, *Introduction to Statistical Quality Control*, ch. 6.2 and 6.3.
///
/// Args:
///     values: A matrix whose rows are subgroups, shape (k, n); or measurements in time order, shape (N,).
///     subgroups: For measurements: the size of the subgroups, or a label for each measurement. Neighbours with one
///         label are a subgroup.
///     chart: ``"xbar-r"`` (σ̂ = R̄/d₂) or ``"xbar-s"`` (σ̂ = S̄/c₄).
///     sigma_estimator: Another estimator: ``"average_range"``, ``"average_standard_deviation"``, ``"pooled"``, ``"pooled_biased"``, …
///     stages: Subgroups at which new limits begin.
///     bounds: What the quantity can be.
///     missing: What a missing value (or NaN) means.
///
/// Returns:
///     The phase I chart.
///
/// Raises:
///     NotEnoughDataError: Without subgroups.
///     ParameterError: If the chart or the estimator takes no subgroups.
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
) -> Answer<Chart> {
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

/// Chart of counts: p and np for nonconforming items, c and u for nonconformities, Laney's p′ and u′.
///
/// Source: Shewhart 1931; Montgomery, *Introduction to Statistical Quality Control*, ch. 7; Laney 2002, *Quality
/// Engineering* 14(4).
///
/// Args:
///     counts: Whole numbers in time order. Shape (n,).
///     sizes: Sample sizes (p, np, Laney p′) or areas of opportunity (c, u, Laney u′): one number, or one for each
///         count.
///     chart: ``"p"``, ``"np"``, ``"c"``, ``"u"``, ``"laney-p"`` or ``"laney-u"``.
///     stages: Samples at which new limits begin.
///
/// Returns:
///     The phase I chart, its limits clamped to what a proportion or rate can be.
///
/// Raises:
///     CountError: For a count that is no whole number from 0 to its sample's size.
///     ParameterError: If sizes are missing, or another kind of chart is named.
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
) -> Answer<Chart> {
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

/// Counts with the sizes of their samples.
struct CountData {
    counts: Values,
    sizes: Sizes,
}

enum Sizes {
    All(f64),
    Each(Values),
}

impl CountData {
    fn read(counts: &Bound<'_, PyAny>, sizes: Option<&Bound<'_, PyAny>>, kind: ChartKind) -> Answer<Self> {
        let sizes = match sizes {
            None if kind == ChartKind::C => Sizes::All(1.0),
            None => Err(Error::Parameter {
                name: "sizes",
                value: "none".to_owned(),
                expected: "given for p, np, u and Laney charts",
            })?,
            Some(sizes) => match sizes.extract::<f64>() {
                Ok(size) => Sizes::All(size),
                Err(_) => Sizes::Each(Values::read(sizes)?),
            },
        };
        Ok(Self { counts: Values::read(counts)?, sizes })
    }

    fn checked(&self, kind: ChartKind) -> CoreResult<Counts> {
        let numbers = |values: &Values| values.sample(Missing::Error).map(|sample| sample.values().to_vec());
        let counts = numbers(&self.counts)?;
        let sizes = match &self.sizes {
            Sizes::All(size) => vec![*size; counts.len()],
            Sizes::Each(sizes) => numbers(sizes)?,
        };
        let of_items = matches!(kind, ChartKind::P | ChartKind::Np | ChartKind::LaneyP);
        if of_items { Counts::of_items(counts, sizes) } else { Counts::of_events(counts, sizes) }
    }
}

/// Measurements with what says which of them belong together.
pub(crate) struct GroupedData {
    pub(crate) values: Values,
    by: By,
    missing: Missing,
}

enum By {
    Size(usize),
    Labels(Labels),
}

impl GroupedData {
    pub(crate) fn read(
        values: &Bound<'_, PyAny>,
        subgroups: Option<&Bound<'_, PyAny>>,
        missing: Missing,
    ) -> Answer<Self> {
        let Some(subgroups) = subgroups else {
            let Some((values, size)) = matrix(values)? else {
                return Err(Error::Parameter {
                    name: "subgroups",
                    value: "none".to_owned(),
                    expected: "a size or labels, or a matrix whose rows are subgroups",
                })?;
            };
            return Ok(Self { values, by: By::Size(size), missing });
        };
        let by = match subgroups.extract::<usize>() {
            Ok(size) => By::Size(size),
            Err(_) => By::Labels(table::labels(subgroups)?),
        };
        Ok(Self { values: Values::read(values)?, by, missing })
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Subgroups<'_>) -> CoreResult<T>) -> CoreResult<T> {
        let sample = self.values.sample(self.missing)?;
        match &self.by {
            By::Size(size) => work(&Subgroups::of_size(&sample, *size)?),
            By::Labels(labels) => {
                let kept = self.values.kept(self.missing);
                if labels.len() != self.values.len() {
                    return Err(Error::LengthMismatch {
                        left_name: "the labels",
                        left: labels.len(),
                        right_name: "the values",
                        right: self.values.len(),
                    });
                }
                let labels: Vec<_> = kept.map(|index| &labels[index]).collect();
                work(&Subgroups::of_labels(&sample, &labels)?)
            }
        }
    }
}
