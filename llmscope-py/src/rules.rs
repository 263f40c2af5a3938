//! Rules, rule sets, and signals.

use llmscope_core::{RuleCode, Violation as CoreViolation, rules as core};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};

use crate::document::{self, record};
use crate::error::Result;

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
    {
        /// The points that complete the pattern, 0-based: every point from ``first_signal`` to ``last``.
        #[getter]
        fn signals(&self) -> Vec<usize> {
            self.0.signals().collect()
        }
    }
}

/// A signal with the code of its rule.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NamedSignal {
    pub(crate) rule: RuleCode,
    pub(crate) first: usize,
    pub(crate) at: usize,
    pub(crate) side: core::Side,
}

record! {
    /// A signal: a point that completes the pattern of a rule.
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
        /// The point that completes the pattern.
        at: usize,
        /// ``"above"``, ``"below"`` or ``"both"``.
        side: &'static str = |side: &core::Side| side.name(),
    }
}

record! {
    /// A pattern of points with a code.
    ///
    /// Args:
    ///     code: The name of the rule in results.
    ///     pattern: One of ``{"beyond": {"multiple": 3, "count": 1, "window": 1}}``, ``{"same_side": {"length": 9}}``,
    ///         ``{"trend": {"length": 6}}``, ``{"alternating": {"length": 14}}``,
    ///         ``{"within": {"multiple": 1, "length": 15}}``,
    ///         ``{"outside": {"multiple": 1, "length": 8, "both_sides": False}}``, ``{"opposite": {"multiple": 2}}``.
    ///         Multiples are in sigmas, lengths in points.
    ///
    /// Raises:
    ///     ParameterError: If the lengths or multiples do not form a pattern.
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
        fn new(py: Python<'_>, code: &str, pattern: &Bound<'_, PyDict>) -> Result<Self> {
            let text: String = py.import("json")?.call_method1("dumps", (pattern,))?.extract()?;
            Ok(Self(core::Rule::new(code, document::from_json(&text)?)?))
        }

        /// The rule's code.
        #[getter]
        fn code(&self) -> &str {
            self.0.code().as_str()
        }

        /// A description of its pattern.
        #[getter]
        fn description(&self) -> String {
            self.0.pattern().describe()
        }

        /// Its pattern, as the dictionary that creates the same rule.
        #[getter]
        fn pattern<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
            document::to_dict(py, &self.0.pattern())
        }
    }
}

record! {
    /// A set of at most 32 rules.
    ///
    /// Args:
    ///     rules: The name of a preset (``"nelson"``, ``"western-electric"``, ``"aiag"``, ``"montgomery"``,
    ///         ``"westgard"``, ``"none"``), a list such as ``"1,2,5"`` of Nelson's rules or of codes, or a sequence of
    ///         :class:`Rule` and codes.
    ///
    /// Raises:
    ///     UnknownNameError: For an unknown rule or preset.
    ///     ParameterError: For more than 32 rules, or two rules with the same code.
    ///
    /// Example:
    ///     >>> import llmscope as ls
    ///     >>> ls.RuleSet("1,2,5").with_length("nelson-2", 8).codes
    ///     ['nelson-1', 'nelson-2', 'nelson-5']
    RuleSet(core::RuleSet) {}
    {
        #[new]
        #[pyo3(signature = (rules = None))]
        fn new(rules: Option<&Bound<'_, PyAny>>) -> Result<Self> {
            Ok(Self(read_or_nelson(rules)?))
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

        /// A copy with another run length for one rule.
        ///
        /// Args:
        ///     code: The code or the number of the rule.
        ///     length: Points in the pattern (the window of a k-of-m rule).
        ///     count: The k of a k-of-m rule.
        ///
        /// Raises:
        ///     UnknownNameError: If the set lacks the rule.
        ///     ParameterError: If the length does not suit the rule.
        #[pyo3(signature = (code, length, count = None))]
        fn with_length(&self, code: &str, length: usize, count: Option<usize>) -> Result<Self> {
            Ok(Self(self.0.clone().with_length(code, length, count)?))
        }

        /// A copy with another distance from the center line for one rule, in sigmas.
        ///
        /// Raises:
        ///     UnknownNameError: If the set lacks the rule.
        ///     ParameterError: If the distance does not suit the rule.
        fn with_multiple(&self, code: &str, multiple: f64) -> Result<Self> {
            Ok(Self(self.0.clone().with_multiple(code, multiple)?))
        }

        /// The rules that use no zones, for dispersion charts, whose statistic is skewed.
        fn without_zones(&self) -> Self {
            Self(self.0.without_zones())
        }

        /// The rules about a single point beyond a limit, for charts of averages, whose points are dependent.
        fn limits_only(&self) -> Self {
            Self(self.0.limits_only())
        }

        fn __len__(&self) -> usize {
            self.0.rules().len()
        }
    }
}

/// The given rules, or Nelson's eight.
pub(crate) fn read_or_nelson(rules: Option<&Bound<'_, PyAny>>) -> Result<core::RuleSet> {
    rules.map_or_else(|| Ok(core::RuleSet::nelson()), read)
}

/// A preset's name, a list of rules in a string, a rule set, or a sequence of rules and codes.
pub(crate) fn read(rules: &Bound<'_, PyAny>) -> Result<core::RuleSet> {
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
