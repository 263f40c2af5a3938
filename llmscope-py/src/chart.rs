//! Control charts and their limits.

use llmscope_core::error::Result as CoreResult;
use llmscope_core::{Bounds, Line, Missing, PowerTransform, RuleSet, Sample, plot, rules};
use numpy::PyArray1;
use pyo3::IntoPyObjectExt as _;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::document::{self, Pickled};
use crate::error::Result;
use crate::judgement::Judgement;
use crate::rules::read as read_rules;
use crate::standards::Standards;
use crate::values::Values;
use crate::{foreign, frame, picture, work};

pub(crate) type CoreChart<'a> = llmscope_core::Chart<'a>;

self_cell::self_cell!(
    /// A chart with the numbers that it borrows.
    struct Held {
        owner: Values,
        #[covariant]
        dependent: CoreChart,
    }
);

/// A control chart: the plotted points, their control limits, and the origin of the limits.
///
/// Returned by :func:`individuals`, :func:`xbar`, :func:`attributes`, :func:`ewma`, :func:`cusum` and
/// :func:`moving_average` (phase I), and by :meth:`Chart.monitor` (phase II). A chart of single measurements refers to
/// your float64 array without copying it: do not modify the array; modify a copy.
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

    /// The chart of a sample, whose values it borrows.
    pub(crate) fn of_sample(
        values: Values,
        missing: Missing,
        bounds: Bounds,
        chart: impl for<'a> FnOnce(&Sample<'a>) -> CoreResult<CoreChart<'a>>,
    ) -> CoreResult<Self> {
        Held::try_new(values, |values| Ok(chart(&values.sample(missing)?)?.with_bounds(bounds))).map(Self)
    }

    pub(crate) fn drawn(&self, judgement: &rules::Judgement, rules: &RuleSet, title: Option<&str>) -> String {
        let chart = self.core().clone().into_owned();
        let title = title.map_or_else(|| chart.kind.label().to_owned(), str::to_owned);
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

    /// 1: limits from these data; 2: limits from a previous study.
    #[getter]
    fn phase(&self) -> u8 {
        self.core().phase.into()
    }

    /// The plotted points, in time order. Shape (n,), read-only.
    #[getter]
    fn points<'py>(slf: &Bound<'py, Self>) -> Bound<'py, PyArray1<f64>> {
        foreign::view(&slf.get().core().points, slf.clone().into_any())
    }

    /// The lower sums of a CUSUM chart, at or below 0; ``points`` are the upper sums. Shape (n,), read-only.
    #[getter]
    fn lower_points<'py>(slf: &Bound<'py, Self>) -> Option<Bound<'py, PyArray1<f64>>> {
        let lower = slf.get().core().lower_points.as_ref()?;
        Some(foreign::view(lower, slf.clone().into_any()))
    }

    /// Center line, limits, and the sigma of the zones.
    #[getter]
    fn limits(&self) -> ControlLimits {
        ControlLimits(self.core().limits.clone())
    }

    /// Positions before which values are missing; every run ends there. 0-based.
    #[getter]
    fn breaks(&self) -> Vec<usize> {
        self.core().breaks.clone()
    }

    /// For a moving range chart, the position of the later measurement of each point.
    #[getter]
    fn positions(&self) -> Option<Vec<usize>> {
        self.core().positions.clone()
    }

    /// The estimated standards, to save and apply to later data.
    #[getter]
    fn standards(&self) -> Standards {
        Standards(self.core().standards)
    }

    /// The chart of the dispersion that accompanies this chart of the level: moving ranges, ranges or standard
    /// deviations.
    #[getter]
    fn dispersion_chart(&self) -> Option<Self> {
        self.core().dispersion_chart().map(|chart| Self::of(chart.into_owned()))
    }

    /// True if sigma is zero everywhere: the limits coincide with the center line.
    #[getter]
    fn is_degenerate(&self) -> bool {
        self.core().is_degenerate()
    }

    /// Applies rules to the points.
    ///
    /// Args:
    ///     rules: A preset, a list of rules, or a :class:`RuleSet`, applied unchanged. By default, the Nelson rules
    ///         that suit the chart: no zones on a dispersion chart, only the limits on an EWMA chart.
    ///
    /// Raises:
    ///     UnknownNameError: For an unknown rule.
    #[pyo3(signature = (rules = None))]
    fn judge(slf: &Bound<'_, Self>, rules: Option<&Bound<'_, PyAny>>) -> Result<Judgement> {
        let kind = slf.get().core().kind;
        let rules = rules.map_or_else(|| Ok(kind.fitting(&RuleSet::nelson())), read_rules)?;
        let (chart, size) = (slf.clone().unbind(), slf.get().core().points.len());
        let (judgement, rules, chart) = work::run(slf.py(), size, move || {
            let judgement = chart.get().core().judge(&rules);
            judgement.map(|judgement| (judgement, rules, chart))
        })??;
        Ok(Judgement::new(judgement, rules, Some(chart)))
    }

    /// Phase II: the same chart of new data, with these limits instead of new estimates.
    ///
    /// Args:
    ///     values: The new measurements, or counts. Shape (n,), or a matrix whose rows are subgroups.
    ///     subgroups: Size of the subgroups, or one label per measurement (X̄ charts).
    ///     sizes: Sample sizes or areas of opportunity (charts of counts).
    ///     bounds: Physical bounds of the quantity: ``(lower, upper)``, either of them ``None``.
    ///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` or ``"drop"``.
    ///
    /// Raises:
    ///     ParameterError: If the data do not suit the chart.
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
    ) -> Result<Self> {
        Standards(self.core().standards).monitor(py, values, subgroups, sizes, bounds, missing)
    }

    /// Points, limits and standards as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, self.core())
    }

    /// Points, limits and standards as JSON. Numbers round-trip exactly.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(self.core())
    }

    /// One row per point: ``point`` (and ``lower_point`` of a CUSUM chart), ``lower``, ``center``, ``upper``,
    /// ``sigma``.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(slf: &Bound<'py, Self>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let (py, limits, n) = (slf.py(), &slf.get().core().limits, slf.get().core().points.len());
        let columns = PyDict::new(py);
        columns.set_item("point", Self::points(slf))?;
        if let Some(lower) = Self::lower_points(slf) {
            columns.set_item("lower_point", lower)?;
        }
        for (name, line) in
            [("lower", &limits.lower), ("center", &limits.center), ("upper", &limits.upper), ("sigma", &limits.sigma)]
        {
            columns.set_item(name, PyArray1::from_iter(py, (0..n).map(|point| line.at(point))))?;
        }
        frame::of(&columns, backend)
    }

    /// The chart as SVG, judged by the Nelson rules that suit it.
    #[pyo3(signature = (title = None))]
    fn to_svg(slf: &Bound<'_, Self>, title: Option<&str>) -> Result<String> {
        Ok(Self::judge(slf, None)?.to_svg(slf.py(), title)?)
    }

    /// Writes the chart to a file whose name ends in ``.svg`` or ``.png``.
    #[pyo3(signature = (path, title = None))]
    fn save(slf: &Bound<'_, Self>, path: std::path::PathBuf, title: Option<&str>) -> Result<()> {
        picture::save(slf.py(), Self::to_svg(slf, title)?, path)
    }

    fn _repr_html_(slf: &Bound<'_, Self>) -> Result<Option<String>> {
        Ok(Self::judge(slf, None)?._repr_html_(slf.py())?)
    }

    /// Draws the chart with matplotlib, judged by the Nelson rules that suit it.
    ///
    /// Args:
    ///     ax: The axes to draw on; new ones by default.
    ///     title: The title.
    ///     metric: The name of the measured quantity, for the axis of values. Its suffix names the unit, as in
    ///         ``ttft_s`` or ``latency_ms``.
    ///
    /// Returns:
    ///     The axes.
    #[pyo3(signature = (ax = None, title = None, metric = None))]
    fn plot<'py>(
        slf: &Bound<'py, Self>,
        ax: Option<&Bound<'py, PyAny>>,
        title: Option<&str>,
        metric: Option<&str>,
    ) -> Result<Bound<'py, PyAny>> {
        let judgement = Bound::new(slf.py(), Self::judge(slf, None)?)?;
        Ok(picture::matplotlib(&judgement, title, metric.map(picture::axis_label).as_deref(), ax, None)?)
    }

    /// The chart as a plotly figure, judged by the Nelson rules that suit it.
    #[pyo3(signature = (title = None))]
    fn to_plotly<'py>(slf: &Bound<'py, Self>, title: Option<&str>) -> Result<Bound<'py, PyAny>> {
        Ok(picture::plotly(&Bound::new(slf.py(), Self::judge(slf, None)?)?, title, None)?)
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

/// Control limits. Each line is one number, or an array with one number per point if the limits vary.
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
    /// Lower control limit: center − 3σ, at least the physical bound.
    #[getter]
    fn lower<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.lower)
    }

    /// Center line.
    #[getter]
    fn center<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.center)
    }

    /// Upper control limit: center + 3σ, at most the physical bound.
    #[getter]
    fn upper<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.upper)
    }

    /// Standard deviation of the plotted statistic; with a ``power``, that of the transformed statistic.
    #[getter]
    fn sigma<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        shown(slf, &slf.get().0.sigma)
    }

    /// The power λ of the transformation, on whose scale the limits are three sigmas from the center line: 0 for the
    /// logarithm, ``None`` without one.
    #[getter]
    fn power(&self) -> Option<f64> {
        self.0.transform.map(PowerTransform::lambda)
    }

    /// The edge of a zone, ``multiple`` sigmas above the center line (negative: below): a number, or an array with one
    /// number per point if the limits vary.
    fn zone_edge<'py>(slf: &Bound<'py, Self>, multiple: f64) -> PyResult<Bound<'py, PyAny>> {
        match slf.get().0.zone_line(multiple) {
            Line::Constant(value) => value.into_bound_py_any(slf.py()),
            Line::PerPoint(values) => Ok(PyArray1::from_vec(slf.py(), values).into_any()),
        }
    }

    /// True if the lower limit is a physical bound anywhere.
    #[getter]
    fn lower_clamped(&self) -> bool {
        self.0.clamped.lower
    }

    /// True if the upper limit is a physical bound anywhere.
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

/// Physical bounds of a quantity, `(lower, upper)`.
pub(crate) fn bounds_of((lower, upper): (Option<f64>, Option<f64>)) -> Bounds {
    Bounds { lower, upper }
}

/// Builds the chart while other Python threads run.
pub(crate) fn finished(
    py: Python<'_>,
    size: usize,
    chart: impl FnOnce() -> CoreResult<Chart> + Send + 'static,
) -> Result<Chart> {
    Ok(work::run(py, size, chart)??)
}
