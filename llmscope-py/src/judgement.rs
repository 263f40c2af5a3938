//! The result of applying rules to a chart or to bare points.

use std::sync::Arc;

use llmscope_core::quantity::counted;
use llmscope_core::rules::{self as core, RuleBits};
use llmscope_core::{Line, RuleCode, RuleMask, Verdict};
use numpy::PyArray1;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::Serialize;

use crate::chart::Chart;
use crate::document::{self, Pickled};
use crate::error::Result;
use crate::rules::{RuleSet, Violation, read_or_nelson};
use crate::values::Values;
use crate::{frame, html, picture, work};

/// The result of applying rules to every point of a chart.
///
/// Example:
///     >>> import llmscope as ls
///     >>> judgement = ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.52, 0.31]).judge()
///     >>> judgement
///     OUT OF CONTROL: 1 violation of 8 rules at 10 points
///       nelson-1 at 8: 1 signal, above
///     >>> judgement.signals_of("nelson-1").nonzero()[0].tolist()
///     [8]
#[pyclass(frozen, module = "llmscope")]
pub(crate) struct Judgement {
    inner: Arc<core::Judgement>,
    rules: core::RuleSet,
    chart: Option<Py<Chart>>,
}

impl Judgement {
    pub(crate) fn new(judgement: core::Judgement, rules: core::RuleSet, chart: Option<Py<Chart>>) -> Self {
        Self { inner: Arc::new(judgement), rules, chart }
    }

    fn document(&self) -> Document<'_> {
        Document { rules: &self.rules, judgement: &self.inner }
    }

    fn position(&self, code: &str) -> Result<usize> {
        let known = self.rules.codes().position(|known| known.as_str() == code);
        Ok(known.ok_or_else(|| llmscope_core::Error::Unknown {
            what: "rule of this judgement",
            name: code.to_owned(),
            expected: self.rules.codes().map(RuleCode::as_str).collect::<Vec<_>>().join(", "),
        })?)
    }

    fn chart_of(&self, py: Python<'_>) -> PyResult<Py<Chart>> {
        let none = || PyTypeError::new_err("a judgement of bare points has no chart: judge a chart to draw one");
        self.chart.as_ref().map(|chart| chart.clone_ref(py)).ok_or_else(none)
    }
}

#[pymethods]
impl Judgement {
    /// The violations, ordered by their first signal, including overlapping ones.
    #[getter]
    fn violations(&self) -> Vec<Violation> {
        self.inner.violations.iter().cloned().map(Violation).collect()
    }

    /// For each point, the rules that signal at it, as bits: bit i is the i-th of ``rules``. Shape (n,), uint32.
    #[getter]
    fn signals<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_iter(py, self.inner.signals.iter().map(RuleMask::bits))
    }

    /// For each point, the rules whose patterns include it, as bits. Shape (n,), uint32.
    #[getter]
    fn members<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_iter(py, self.inner.members.iter().map(RuleMask::bits))
    }

    /// The points at which one rule signals. Shape (n,), bool.
    ///
    /// Raises:
    ///     UnknownNameError: If the rule was not applied.
    fn signals_of<'py>(&self, py: Python<'py>, rule: &str) -> Result<Bound<'py, PyArray1<bool>>> {
        Ok(flags(py, &self.inner.signals, self.position(rule)?))
    }

    /// The points that belong to a pattern of one rule. Shape (n,), bool.
    ///
    /// Raises:
    ///     UnknownNameError: If the rule was not applied.
    fn members_of<'py>(&self, py: Python<'py>, rule: &str) -> Result<Bound<'py, PyArray1<bool>>> {
        Ok(flags(py, &self.inner.members, self.position(rule)?))
    }

    /// True if no rule signals anywhere.
    #[getter]
    fn is_in_control(&self) -> bool {
        self.inner.is_in_control()
    }

    /// The applied rules.
    #[getter]
    fn rules(&self) -> RuleSet {
        RuleSet(self.rules.clone())
    }

    /// The judged chart; ``None`` for bare points.
    #[getter]
    fn chart(&self, py: Python<'_>) -> Option<Py<Chart>> {
        self.chart.as_ref().map(|chart| chart.clone_ref(py))
    }

    /// Masks, violations and rules as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &self.document())
    }

    /// Masks, violations and rules as JSON.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&self.document())
    }

    /// One row per violation: ``rule``, ``first``, ``first_signal``, ``last``, ``side``.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let violations = &self.inner.violations;
        let columns = PyDict::new(py);
        columns.set_item("rule", violations.iter().map(|v| v.rule.as_str()).collect::<Vec<_>>())?;
        columns.set_item("first", violations.iter().map(|v| v.first).collect::<Vec<_>>())?;
        columns.set_item("first_signal", violations.iter().map(|v| v.first_signal).collect::<Vec<_>>())?;
        columns.set_item("last", violations.iter().map(|v| v.last).collect::<Vec<_>>())?;
        columns.set_item("side", violations.iter().map(|v| v.side.name()).collect::<Vec<_>>())?;
        frame::of(&columns, backend)
    }

    /// The chart with these signals, as SVG.
    #[pyo3(signature = (title = None))]
    pub(crate) fn to_svg(&self, py: Python<'_>, title: Option<&str>) -> PyResult<String> {
        Ok(self.chart_of(py)?.get().drawn(&self.inner, &self.rules, title))
    }

    /// Writes the chart with these signals to a file whose name ends in ``.svg`` or ``.png``.
    #[pyo3(signature = (path, title = None))]
    fn save(&self, py: Python<'_>, path: std::path::PathBuf, title: Option<&str>) -> Result<()> {
        picture::save(py, self.to_svg(py, title)?, path)
    }

    pub(crate) fn _repr_html_(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let Some(chart) = &self.chart else { return Ok(None) };
        let alt = format!("{}: {}", chart.get().core().kind.label(), Verdict::of(self.inner.is_in_control()).label());
        Ok(Some(html::image(&self.to_svg(py, None)?, &alt)))
    }

    /// Draws the chart with matplotlib.
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
    ) -> PyResult<Bound<'py, PyAny>> {
        picture::matplotlib(slf, title, metric.map(picture::axis_label).as_deref(), ax, None)
    }

    /// The chart as a plotly figure.
    #[pyo3(signature = (title = None))]
    fn to_plotly<'py>(slf: &Bound<'py, Self>, title: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        picture::plotly(slf, title, None)
    }

    fn __len__(&self) -> usize {
        self.inner.signals.len()
    }

    fn __repr__(&self) -> String {
        const MOST: usize = 12;
        let violations = &self.inner.violations;
        let verdict = if violations.is_empty() { "IN CONTROL" } else { "OUT OF CONTROL" };
        let mut text = format!(
            "{verdict}: {} of {} at {}",
            counted(violations.len(), "violation"),
            counted(self.rules.rules().len(), "rule"),
            counted(self.inner.signals.len(), "point")
        );
        for violation in violations.iter().take(MOST) {
            text.push_str(&format!("\n  {violation}"));
        }
        if violations.len() > MOST {
            text.push_str(&format!("\n  … and {} more", violations.len() - MOST));
        }
        text
    }

    fn __eq__(&self, other: &Bound<'_, PyAny>) -> bool {
        let same = |other: &Self| self.inner == other.inner && self.rules == other.rules;
        other.cast::<Self>().is_ok_and(|other| same(other.get()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        let chart = self.chart.as_ref().map(|chart| chart.get().core());
        document::reduce(py, "Judgement", &(&*self.inner, &self.rules, chart))
    }
}

/// The state of a pickled judgement.
pub(crate) type JudgementState = (core::Judgement, core::RuleSet, Option<llmscope_core::Chart<'static>>);

/// The serialized form of a judgement.
#[derive(Serialize)]
struct Document<'a> {
    rules: &'a core::RuleSet,
    #[serde(flatten)]
    judgement: &'a core::Judgement,
}

fn flags<'py>(py: Python<'py>, marks: &RuleBits, rule: usize) -> Bound<'py, PyArray1<bool>> {
    let mut flags = vec![false; marks.len()];
    marks.points_of(rule).for_each(|point| flags[point] = true);
    PyArray1::from_vec(py, flags)
}

/// Judges points against a center line and the standard deviation of the plotted statistic.
///
/// Args:
///     points: The plotted points in time order. Shape (n,).
///     center: The center line: one value, or one per point.
///     sigma: The standard deviation of the plotted statistic: one value, or one per point.
///     rules: A preset, a list of rules, or a :class:`RuleSet`.
///     breaks: Positions before which values are missing; every run ends there. 0-based.
///
/// Returns:
///     The result for every point (Nelson 1984, *Journal of Quality Technology* 16(4), for the default).
///
/// Raises:
///     NonFiniteError: For a NaN or infinity among the points.
///     LengthMismatchError: If a varying line does not have one value per point.
///     ParameterError: For a center line or sigma outside its domain.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.judge([0.1, 3.2, -0.4], center=0.0, sigma=1.0).violations
///     [Violation(rule='nelson-1', first=1, last=1, signals=[1], side='above')]
#[pyfunction]
#[pyo3(signature = (points, center, sigma, *, rules = None, breaks = Vec::new()))]
pub(crate) fn judge(
    py: Python<'_>,
    points: &Bound<'_, PyAny>,
    center: &Bound<'_, PyAny>,
    sigma: &Bound<'_, PyAny>,
    rules: Option<&Bound<'_, PyAny>>,
    breaks: Vec<usize>,
) -> Result<Judgement> {
    let points = Values::read(points)?;
    let (center, sigma) = (line(center)?, line(sigma)?);
    let rules = read_or_nelson(rules)?;
    let (judgement, rules) = work::run(py, points.len(), move || {
        let sample = points.sample(llmscope_core::Missing::Error)?.with_breaks(breaks)?;
        core::judge(sample.values(), &center, &sigma, sample.breaks(), &rules).map(|judgement| (judgement, rules))
    })??;
    Ok(Judgement::new(judgement, rules, None))
}

/// One number, or one per point.
fn line(values: &Bound<'_, PyAny>) -> PyResult<Line> {
    match values.extract::<f64>() {
        Ok(value) => Ok(Line::Constant(value)),
        Err(_) => Ok(Line::PerPoint(Values::read(values)?.filled())),
    }
}
