//! Judges points as they arrive.

use llmscope_core::{RuleCode, rules as core};
use pyo3::prelude::*;

use crate::document::{self, Pickled};
use crate::error::Result;
use crate::rules::{NamedSignal, RuleSet, Signal, read_or_nelson};
use crate::values::Values;
use crate::work;

/// Judges points as they arrive against a frozen center line and sigma.
///
/// It gives the same signals as :func:`judge` for the same points, regardless of how the stream is split. Its state is
/// a few numbers per rule and can be pickled.
///
/// Args:
///     center: The center line.
///     sigma: The standard deviation of the plotted statistic.
///     rules: A preset, a list of rules, or a :class:`RuleSet`.
///
/// Raises:
///     ParameterError: Unless the center line is finite, and sigma finite and non-negative.
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
    fn new(center: f64, sigma: f64, rules: Option<&Bound<'_, PyAny>>) -> Result<Self> {
        let rules = read_or_nelson(rules)?;
        Ok(Self(core::Monitor::new(rules, center, sigma)?))
    }

    /// Adds one point and returns the signals that it causes, in the order of the rules.
    ///
    /// Args:
    ///     x: The point.
    ///     center: The point's own center line, for charts whose limits vary.
    ///     sigma: The point's own sigma.
    ///
    /// Raises:
    ///     NonFiniteError: For a NaN or an infinity; the monitor is then unchanged.
    ///     ParameterError: If only one of ``center`` and ``sigma`` is given, or one is outside its domain.
    #[pyo3(signature = (x, *, center = None, sigma = None))]
    fn push(&mut self, x: f64, center: Option<f64>, sigma: Option<f64>) -> Result<Vec<Signal>> {
        let signals = match (center, sigma) {
            (None, None) => self.0.push(x)?,
            (Some(center), Some(sigma)) => self.0.push_against(x, center, sigma)?,
            _ => Err(llmscope_core::Error::Parameter {
                name: "center and sigma",
                value: String::new(),
                expected: "both or neither",
            })?,
        };
        let signals = signals.to_vec();
        Ok(named(&signals, self.0.rules()))
    }

    /// Adds many points and returns all signals, in order.
    ///
    /// Args:
    ///     values: The points in time order. Shape (n,).
    ///     missing: Policy for missing values and NaN: ``"error"``, ``"break"`` (every run ends) or ``"drop"``.
    ///
    /// Raises:
    ///     NonFiniteError: For a NaN or infinity among the points; the monitor is then unchanged.
    ///     MissingValueError: For a missing value under ``"error"``.
    #[pyo3(signature = (values, *, missing = "error"))]
    fn push_many(&mut self, py: Python<'_>, values: &Bound<'_, PyAny>, missing: &str) -> Result<Vec<Signal>> {
        let (values, missing) = (Values::read(values)?, missing.parse()?);
        // Works on a copy, so that an error or Ctrl-C leaves the monitor unchanged.
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

    /// Marks a gap: every run ends.
    fn gap(&mut self) {
        self.0.gap();
    }

    /// Number of points pushed.
    #[getter]
    fn seen(&self) -> usize {
        self.0.seen()
    }

    /// The applied rules.
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
