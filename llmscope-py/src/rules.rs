//! Run rules: rule sets, judgements, the streaming monitor.

use std::sync::Arc;

use llmscope_core::rules::{self as core, Marks};
use llmscope_core::{Line, RuleCode, RuleMask, Violation as CoreViolation};
use numpy::PyArray1;
use pyo3::exceptions::{PyIndexError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};

use crate::chart::Chart;
use crate::document::{self, Pickled, record};
use crate::error::Answer;
use crate::values::Values;
use crate::{frame, picture, work};

record! {
    /// A maximal run of signals of one rule, together with the points of the first pattern.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> ls.individuals([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.52, 0.31]).judge("1").violations[0]
    ///     Violation(rule='nelson-1', first=8, last=8, signals=[8], side='above')
    Violation(CoreViolation) {
        /// Code of the rule, such as ``"nelson-2"``.
        rule: String = |rule: &RuleCode| rule.to_string(),
        /// First point of the first pattern, 0-based.
        first: usize,
        /// The point that completed the first pattern: the first signal.
        first_signal: usize,
        /// The last signal. Every point from ``first_signal`` to ``last`` signals.
        last: usize,
        /// ``"above"`` the center line (or rising), ``"below"`` (or falling), or ``"both"``.
        side: &'static str = |side: &core::Side| side.name(),
    }
}

/// A signal under the code of its rule.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NamedSignal {
    rule: RuleCode,
    first: usize,
    at: usize,
    side: core::Side,
}

record! {
    /// A rule's word that a point completes its pattern.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> ls.Monitor(center=10.0, sigma=1.0).push(13.5)
    ///     [Signal(rule='nelson-1', first=0, at=0, side='above')]
    Signal(NamedSignal) {
        /// Code of the rule.
        rule: String = |rule: &RuleCode| rule.to_string(),
        /// First point of the pattern, counted from the first push.
        first: usize,
        /// The point that completes it.
        at: usize,
        /// ``"above"``, ``"below"`` or ``"both"``.
        side: &'static str = |side: &core::Side| side.name(),
    }
}

record! {
    /// A pattern of points under a code.
    ///
    /// Args:
    ///     code: The rule's name in results.
    ///     pattern: One of ``{"beyond": {"multiple": 3, "count": 1, "window": 1}}``, ``{"same_side": {"length": 9}}``,
    ///         ``{"trend": {"length": 6}}``, ``{"alternating": {"length": 14}}``,
    ///         ``{"within": {"multiple": 1, "length": 15}}``,
    ///         ``{"outside": {"multiple": 1, "length": 8, "both_sides": False}}``, ``{"opposite": {"multiple": 2}}``.
    ///         Multiples are in sigmas, lengths in points.
    ///
    /// Raises:
    ///     ParameterError: If the lengths or multiples make no pattern.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> rule = ls.Rule("three-up", {"trend": {"length": 3}})
    ///     >>> rule.description
    ///     '3 points in a row rising or falling'
    ///     >>> ls.judge([1.0, 2.0, 3.0, 4.0], 0.0, 10.0, rules=[rule]).violations[0].first_signal
    ///     2
    Rule(core::Rule) {}
    {
        #[new]
        fn new(py: Python<'_>, code: &str, pattern: &Bound<'_, PyDict>) -> Answer<Self> {
            let text: String = py.import("json")?.call_method1("dumps", (pattern,))?.extract()?;
            Ok(Self(core::Rule::new(code, document::from_json(&text)?)?))
        }

        /// The rule's code.
        #[getter]
        fn code(&self) -> &str {
            self.0.code().as_str()
        }

        /// What it looks for, in words.
        #[getter]
        fn description(&self) -> String {
            self.0.pattern().describe()
        }

        /// What it looks for, as the dictionary that makes the same rule.
        #[getter]
        fn pattern<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            document::to_dict(py, &self.0.pattern())
        }
    }
}

record! {
    /// Rules to judge a chart by, at most 32.
    ///
    /// Args:
    ///     rules: The name of a preset (``"nelson"``, ``"western-electric"``, ``"aiag"``, ``"montgomery"``,
    ///         ``"westgard"``, ``"none"``), a list such as ``"1,2,5"`` of Nelson's rules or of codes, or a sequence of
    ///         :class:`Rule` and codes.
    ///
    /// Raises:
    ///     UnknownNameError: For a rule or preset that is not known.
    ///     ParameterError: For more than 32 rules, or two with the same code.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> ls.RuleSet("1,2,5").with_length("nelson-2", 8).codes
    ///     ['nelson-1', 'nelson-2', 'nelson-5']
    RuleSet(core::RuleSet) {}
    {
        #[new]
        #[pyo3(signature = (rules = None))]
        fn new(rules: Option<&Bound<'_, PyAny>>) -> Answer<Self> {
            Ok(Self(rules.map_or_else(|| Ok(core::RuleSet::nelson()), read)?))
        }

        /// The names of the presets.
        #[staticmethod]
        fn names() -> Vec<&'static str> {
            core::RuleSet::NAMES.to_vec()
        }

        /// The rules, in order.
        #[getter]
        fn rules(&self) -> Vec<Rule> {
            self.0.rules().iter().cloned().map(Rule).collect()
        }

        /// The codes of the rules, in order.
        #[getter]
        fn codes(&self) -> Vec<String> {
            self.0.codes().map(ToString::to_string).collect()
        }

        /// The same set with another run length for one rule.
        ///
        /// Args:
        ///     code: The rule's code, or its number.
        ///     length: Points in the pattern (the window of a k-of-m rule).
        ///     count: The k of a k-of-m rule.
        ///
        /// Raises:
        ///     UnknownNameError: If the set has no such rule.
        ///     ParameterError: If the length does not fit it.
        #[pyo3(signature = (code, length, count = None))]
        fn with_length(&self, code: &str, length: usize, count: Option<usize>) -> Answer<Self> {
            Ok(Self(self.0.clone().with_length(code, length, count)?))
        }

        /// The same set with another distance from the center line for one rule, in sigmas.
        ///
        /// Raises:
        ///     UnknownNameError: If the set has no such rule.
        ///     ParameterError: If the distance does not fit it.
        fn with_multiple(&self, code: &str, multiple: f64) -> Answer<Self> {
            Ok(Self(self.0.clone().with_multiple(code, multiple)?))
        }

        /// The rules that need no zones: for charts of a spread, whose statistic is skewed.
        fn without_zones(&self) -> Self {
            Self(self.0.without_zones())
        }

        /// The rules about a single point beyond a limit: for charts of averages, whose points depend on each other.
        fn limits_only(&self) -> Self {
            Self(self.0.limits_only())
        }

        fn __len__(&self) -> usize {
            self.0.rules().len()
        }
    }
}

/// A preset's name, a list of rules in a string, a rule set, or a sequence of rules and codes.
pub(crate) fn read(rules: &Bound<'_, PyAny>) -> Answer<core::RuleSet> {
    if let Ok(set) = rules.cast::<RuleSet>() {
        return Ok(set.get().0.clone());
    }
    if let Ok(text) = rules.extract::<String>() {
        return Ok(text.parse()?);
    }
    let mut all = Vec::new();
    for item in rules.try_iter()? {
        let item = item?;
        match item.cast::<Rule>() {
            Ok(rule) => all.push(rule.get().0.clone()),
            Err(_) => all.extend(item.str()?.to_string().parse::<core::RuleSet>()?.rules().iter().cloned()),
        }
    }
    Ok(core::RuleSet::new(all)?)
}

/// What rules say about every point of a chart.
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

    fn position(&self, code: &str) -> Answer<usize> {
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
    /// The violations, ordered by their first signal. Overlapping ones are all there.
    #[getter]
    fn violations(&self) -> Vec<Violation> {
        self.inner.violations.iter().cloned().map(Violation).collect()
    }

    /// For each point the rules that signal at it, as bits: bit i is the i-th of ``rules``. Shape (n,), uint32.
    #[getter]
    fn signals<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_iter(py, self.inner.signals.iter().map(RuleMask::bits))
    }

    /// For each point the rules of whose patterns it is a part, as bits. Shape (n,), uint32.
    #[getter]
    fn members<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        PyArray1::from_iter(py, self.inner.members.iter().map(RuleMask::bits))
    }

    /// The points at which one rule signals. Shape (n,), bool.
    ///
    /// Raises:
    ///     UnknownNameError: If the rule was not judged.
    fn signals_of<'py>(&self, py: Python<'py>, rule: &str) -> Answer<Bound<'py, PyArray1<bool>>> {
        Ok(flags(py, &self.inner.signals, self.position(rule)?))
    }

    /// The points that belong to a pattern of one rule. Shape (n,), bool.
    ///
    /// Raises:
    ///     UnknownNameError: If the rule was not judged.
    fn members_of<'py>(&self, py: Python<'py>, rule: &str) -> Answer<Bound<'py, PyArray1<bool>>> {
        Ok(flags(py, &self.inner.members, self.position(rule)?))
    }

    /// True if no rule signals anywhere.
    #[getter]
    fn is_in_control(&self) -> bool {
        self.inner.is_in_control()
    }

    /// The rules that were judged.
    #[getter]
    fn rules(&self) -> RuleSet {
        RuleSet(self.rules.clone())
    }

    /// The chart that was judged; ``None`` for bare points.
    #[getter]
    fn chart(&self, py: Python<'_>) -> Option<Py<Chart>> {
        self.chart.as_ref().map(|chart| chart.clone_ref(py))
    }

    /// Masks, violations and rules as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &(&*self.inner, &self.rules).document())
    }

    /// Masks, violations and rules as JSON.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&(&*self.inner, &self.rules).document())
    }

    /// One row for each violation: ``rule``, ``first``, ``first_signal``, ``last``, ``side``.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; the one that is in use unless told.
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
    fn to_svg(&self, py: Python<'_>, title: Option<&str>) -> PyResult<String> {
        Ok(self.chart_of(py)?.get().drawn(&self.inner, &self.rules, title))
    }

    /// Writes the chart with these signals to a file whose name ends in ``.svg`` or ``.png``.
    #[pyo3(signature = (path, title = None))]
    fn save(&self, py: Python<'_>, path: std::path::PathBuf, title: Option<&str>) -> Answer<()> {
        picture::save(py, self.to_svg(py, title)?, path)
    }

    fn _repr_svg_(&self, py: Python<'_>) -> PyResult<Option<String>> {
        if self.chart.is_some() { self.to_svg(py, None).map(Some) } else { Ok(None) }
    }

    /// Draws the chart with matplotlib.
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
    ) -> PyResult<Bound<'py, PyAny>> {
        picture::matplotlib(slf, title, ax)
    }

    /// The chart as a plotly figure.
    #[pyo3(signature = (title = None))]
    fn to_plotly<'py>(slf: &Bound<'py, Self>, title: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        picture::plotly(slf, title)
    }

    fn __len__(&self) -> usize {
        self.inner.signals.len()
    }

    fn __repr__(&self) -> String {
        const MOST: usize = 12;
        let violations = &self.inner.violations;
        let verdict = if violations.is_empty() { "IN CONTROL" } else { "OUT OF CONTROL" };
        let plural = if violations.len() == 1 { "" } else { "s" };
        let (rules, points) = (self.rules.rules().len(), self.inner.signals.len());
        let mut text = format!("{verdict}: {} violation{plural} of {rules} rules at {points} points", violations.len());
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

/// What a pickled judgement holds.
pub(crate) type JudgementState = (core::Judgement, core::RuleSet, Option<llmscope_core::Chart<'static>>);

/// A judgement as it is written.
#[derive(Serialize)]
struct Document<'a> {
    rules: &'a core::RuleSet,
    #[serde(flatten)]
    judgement: &'a core::Judgement,
}

trait AsDocument<'a> {
    fn document(self) -> Document<'a>;
}

impl<'a> AsDocument<'a> for (&'a core::Judgement, &'a core::RuleSet) {
    fn document(self) -> Document<'a> {
        Document { judgement: self.0, rules: self.1 }
    }
}

fn flags<'py>(py: Python<'py>, marks: &Marks, rule: usize) -> Bound<'py, PyArray1<bool>> {
    let mut flags = vec![false; marks.len()];
    marks.points_of(rule).for_each(|point| flags[point] = true);
    PyArray1::from_vec(py, flags)
}

/// Judges points against a center line and the standard deviation of the plotted statistic.
///
/// Args:
///     points: The plotted points in time order. Shape (n,).
///     center: The center line: one value, or one for each point.
///     sigma: The standard deviation of the plotted statistic: one value, or one for each point.
///     rules: A preset, a list of rules, or a :class:`RuleSet`.
///     breaks: Positions before which something is missing: every run ends there.
///
/// Returns:
///     What the rules say about every point (Nelson 1984, *Journal of Quality Technology* 16(4), for the default).
///
/// Raises:
///     NonFiniteError: For a point that is no number.
///     LengthMismatchError: If a line that varies does not have one value for each point.
///     ParameterError: For lines that are none.
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
) -> Answer<Judgement> {
    let points = Values::read(points)?;
    let (center, sigma) = (line(center)?, line(sigma)?);
    let rules = rules.map_or_else(|| Ok(core::RuleSet::nelson()), read)?;
    let (judgement, rules) = work::run(py, points.len(), move || {
        let sample = points.sample(llmscope_core::Missing::Error)?.with_breaks(breaks)?;
        core::judge(sample.values(), &center, &sigma, sample.breaks(), &rules).map(|judgement| (judgement, rules))
    })??;
    Ok(Judgement::new(judgement, rules, None))
}

/// A number, or one for each point.
fn line(values: &Bound<'_, PyAny>) -> PyResult<Line> {
    match values.extract::<f64>() {
        Ok(value) => Ok(Line::Constant(value)),
        Err(_) => Ok(Line::PerPoint(Values::read(values)?.filled())),
    }
}

/// Judges points as they arrive against a frozen center line and sigma.
///
/// It gives the signals of :func:`judge` for the same points, wherever the stream is cut. Its state is a few numbers
/// for each rule; ``pickle`` keeps it.
///
/// Args:
///     center: The center line.
///     sigma: The standard deviation of the plotted statistic.
///     rules: A preset, a list of rules, or a :class:`RuleSet`.
///
/// Raises:
///     ParameterError: Unless the center line is finite, and sigma finite and not negative.
///
/// Example:
///     >>> import llmscope as ls
///     >>> monitor = ls.Monitor(center=0.30, sigma=0.01)
///     >>> monitor.push(0.31)
///     []
///     >>> [signal.rule for signal in monitor.push(0.36)]
///     ['nelson-1']
#[pyclass(module = "llmscope", eq)]
#[derive(PartialEq)]
pub(crate) struct Monitor(pub(crate) core::Monitor);

#[pymethods]
impl Monitor {
    #[new]
    #[pyo3(signature = (center, sigma, rules = None))]
    fn new(center: f64, sigma: f64, rules: Option<&Bound<'_, PyAny>>) -> Answer<Self> {
        let rules = rules.map_or_else(|| Ok(core::RuleSet::nelson()), read)?;
        Ok(Self(core::Monitor::new(rules, center, sigma)?))
    }

    /// Takes one point and returns the signals that it raises, in the order of the rules.
    ///
    /// Args:
    ///     x: The point.
    ///     center: Its own center line, for charts whose limits vary.
    ///     sigma: Its own sigma.
    ///
    /// Raises:
    ///     NonFiniteError: For a NaN or an infinity, which leaves the monitor as it was.
    ///     ParameterError: If only one of ``center`` and ``sigma`` is given, or one cannot be.
    #[pyo3(signature = (x, *, center = None, sigma = None))]
    fn push(&mut self, x: f64, center: Option<f64>, sigma: Option<f64>) -> Answer<Vec<Signal>> {
        let signals = match (center, sigma) {
            (None, None) => self.0.push(x)?,
            (Some(center), Some(sigma)) => self.0.push_against(x, center, sigma)?,
            _ => Err(llmscope_core::Error::Parameter {
                name: "center and sigma",
                value: "one of them".to_owned(),
                expected: "given together, or not at all",
            })?,
        };
        let signals = signals.to_vec();
        Ok(named(&signals, self.0.rules()))
    }

    /// Takes many points and returns all signals, in order.
    ///
    /// Args:
    ///     values: The points in time order. Shape (n,).
    ///     missing: What a missing value (or NaN) means: ``"error"``, ``"break"`` (every run ends) or ``"drop"``.
    ///
    /// Raises:
    ///     NonFiniteError: For a point that is no number; the monitor is left as it was.
    ///     MissingValueError: For a missing value under ``"error"``.
    #[pyo3(signature = (values, *, missing = "error"))]
    fn push_many(&mut self, py: Python<'_>, values: &Bound<'_, PyAny>, missing: &str) -> Answer<Vec<Signal>> {
        let (values, missing) = (Values::read(values)?, missing.parse()?);
        // The work is done on a copy, so that an error or Ctrl-C leaves the monitor as it was.
        let mut monitor = self.0.clone();
        let (monitor, signals) = work::run(py, values.len(), move || -> llmscope_core::error::Result<_> {
            let sample = values.sample(missing)?;
            let mut signals = Vec::new();
            for (index, segment) in sample.segments().enumerate() {
                if index > 0 {
                    monitor.gap();
                }
                for &x in segment {
                    signals.extend_from_slice(monitor.push(x)?);
                }
            }
            Ok((monitor, signals))
        })??;
        self.0 = monitor;
        Ok(named(&signals, self.0.rules()))
    }

    /// Says that something is missing here: every run ends.
    fn gap(&mut self) {
        self.0.gap();
    }

    /// Number of points pushed.
    #[getter]
    fn seen(&self) -> usize {
        self.0.seen()
    }

    /// The rules that are judged.
    #[getter]
    fn rules(&self) -> RuleSet {
        RuleSet(self.0.rules().clone())
    }

    fn __repr__(&self) -> String {
        let codes: Vec<&str> = self.0.rules().codes().map(RuleCode::as_str).collect();
        format!("Monitor(seen={}, rules='{}')", self.0.seen(), codes.join(","))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Monitor", &self.0)
    }
}

fn named(signals: &[core::Signal], rules: &core::RuleSet) -> Vec<Signal> {
    signals
        .iter()
        .map(|&core::Signal { rule, first, at, side }| {
            Signal(NamedSignal { rule: rules.rules()[rule].code().clone(), first, at, side })
        })
        .collect()
}

/// An item of a sequence by Python's index, which may count from the end.
pub(crate) fn index_of(index: isize, len: usize) -> PyResult<usize> {
    let from_start = if index < 0 { len.checked_sub(index.unsigned_abs()) } else { usize::try_from(index).ok() };
    from_start.filter(|&at| at < len).ok_or_else(|| PyIndexError::new_err(format!("index {index} of {len}")))
}
