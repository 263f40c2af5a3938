//! Detects changes at a stated rate of false alarms.

use llmscope_core::detector::{self as core, FalseAlarmRate, Scale, Settings};
use llmscope_core::error::{Error, Result as CoreResult};
use numpy::PyArray1;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

use crate::document::{self, Pickled, record, token};
use crate::error::Result;
use crate::values::{Values, matrix};
use crate::work;

record! {
    /// An alarm of a :class:`Detector`: what changed, since when, and by how much.
    Alarm(core::Alarm) {
        /// ``"larger"``, ``"smaller"`` or ``"more_varied"``.
        changed: String = token,
        /// The 0-based number of the value at which the change most probably began.
        since: u64,
        /// The 0-based number of the value that raised the alarm.
        at: u64,
        /// The size of the change: a ratio on the logarithmic scale, otherwise a difference. ``None`` if values vary more.
        size: Option<f64>,
        /// Bounds of the size, which hold the true one in at least 95 % of the alarms. ``None`` with few values.
        interval: Option<(f64, f64)>,
    }
}

record! {
    /// Why a :class:`Detector` does not judge yet.
    Learning(core::Learning) {
        /// The values so far, without gaps.
        values: usize,
        /// How many independent values carry as much information; 25 are needed. ``None`` before the first fit.
        information: Option<f64>,
    }
}

record! {
    /// What a :class:`Detector` knows after a value.
    Evidence(core::Evidence) {
        /// The evidence for a change since the last alarm; 0 while the detector learns.
        value: f64,
        /// The evidence that raises an alarm.
        threshold: f64,
        /// Present while the detector learns.
        learning: Option<Learning> = |learning: &Option<core::Learning>| learning.map(Learning),
        /// Present if this value raised an alarm.
        alarm: Option<Alarm> = |alarm: &Option<core::Alarm>| alarm.map(Alarm),
    }
}

/// Judges values one by one, at a stated rate of false alarms, whatever their distribution is.
///
/// A value is judged by its rank among all values so far, after what its load and the values before it explain. Its state
/// can be pickled, and a detector that is restored judges later values as the original one does, bit for bit.
///
/// Args:
///     false_alarms: How often an alarm may be false: ``"1/1000"`` is one false alarm in 1,000 values, on average.
///     learn: The number of values that are learned before any is judged, 20 to 2048. Dependent values are learned longer.
///     scale: ``"logarithm"`` for durations and other positive values, whose changes are ratios. ``"linear"`` for others.
///     columns: The number of token counts that come with each value, such as 2 for those of the prompt and of the answer.
///
/// Raises:
///     ParameterError: For a rate, a number or a scale outside its bounds.
///
/// Example:
///     >>> import llmscope as ls, numpy as np
///     >>> rng = np.random.default_rng(2)
///     >>> ttft_s = 0.3 * np.exp(0.2 * rng.standard_normal(600))
///     >>> ttft_s[500:] *= 1.5
///     >>> found = ls.Detector("1/10000", learn=200).push_many(ttft_s)
///     >>> alarm = found.alarms[0]
///     >>> alarm.changed, abs(alarm.since - 500) < 5, alarm.at < 520
///     ('larger', True, True)
#[pyclass(module = "llmscope", eq)]
#[derive(PartialEq)]
pub(crate) struct Detector(core::Detector);

#[pymethods]
impl Detector {
    #[new]
    #[pyo3(signature = (false_alarms = "1/1000", *, learn = 100, scale = "logarithm", columns = 0))]
    fn new(false_alarms: &str, learn: usize, scale: &str, columns: usize) -> Result<Self> {
        let false_alarms: FalseAlarmRate = false_alarms.parse()?;
        let settings = Settings { false_alarms, learn, scale: scale_of(scale)?, columns };
        Ok(Self(core::Detector::new(settings)?))
    }

    /// Reads the state of a detector that :meth:`to_json` wrote.
    ///
    /// Raises:
    ///     ValueError: For a text that no detector wrote.
    #[staticmethod]
    fn from_json(text: &str) -> PyResult<Self> {
        document::from_json(text).map(Self)
    }

    /// Judges the next value.
    ///
    /// Args:
    ///     value: The value. NaN is a gap, as is a value that is not positive on the logarithmic scale: it changes nothing.
    ///     tokens: Its token counts, as many as ``columns``. NaN is an unknown count.
    ///
    /// Raises:
    ///     NonFiniteError: For an infinite value; the detector is then unchanged.
    ///     LengthMismatchError: For another number of token counts.
    #[pyo3(signature = (value, tokens = None))]
    #[allow(clippy::needless_pass_by_value, reason = "read from a Python list")]
    fn push(&mut self, value: f64, tokens: Option<Vec<f64>>) -> Result<Evidence> {
        Ok(Evidence(self.0.push(value, tokens.as_deref().unwrap_or_default())?))
    }

    /// Judges many values.
    ///
    /// Args:
    ///     values: The values in time order, shape (n,). Missing ones are gaps.
    ///     tokens: Their token counts, shape (n,) for one column, otherwise (n, columns).
    ///
    /// Raises:
    ///     NonFiniteError: For an infinite value; the detector is then unchanged.
    ///     LengthMismatchError: For other numbers of token counts.
    #[pyo3(signature = (values, tokens = None))]
    fn push_many(
        &mut self,
        py: Python<'_>,
        values: &Bound<'_, PyAny>,
        tokens: Option<&Bound<'_, PyAny>>,
    ) -> Result<Detection> {
        let values = Values::read(values)?;
        let tokens = tokens.map(Tokens::read).transpose()?.unwrap_or_default();
        tokens.check(values.len(), self.0.settings().columns)?;
        // Works on a copy, so that an error or Ctrl-C leaves the detector unchanged.
        let mut detector = self.0.clone();
        let (detector, evidence, alarms) = work::run(py, values.len(), move || -> CoreResult<_> {
            let (mut evidence, mut alarms) = (Vec::with_capacity(values.len()), Vec::new());
            for (row, value) in values.iter().enumerate() {
                let judged = detector.push(value.unwrap_or(f64::NAN), tokens.of(row))?;
                evidence.push(judged.value);
                alarms.extend(judged.alarm);
            }
            Ok((detector, evidence, alarms))
        })??;
        self.0 = detector;
        Ok(Detection { evidence, threshold: self.0.threshold(), alarms })
    }

    /// Forgets what was learned, after a change that is to count as normal. The values keep their numbers.
    fn relearn(&mut self) {
        self.0.relearn();
    }

    /// Why the detector does not judge yet; ``None`` if it does.
    #[getter]
    fn learning(&self) -> Option<Learning> {
        self.0.learning().map(Learning)
    }

    /// The evidence for a change since the last alarm; 0 while the detector learns.
    #[getter]
    fn evidence(&self) -> f64 {
        self.0.evidence()
    }

    /// The evidence that raises an alarm.
    #[getter]
    fn threshold(&self) -> f64 {
        self.0.threshold()
    }

    /// The smallest change of the level that this detector can ever show, as a ratio on the logarithmic scale, otherwise as
    /// a difference. ``None`` while it learns.
    #[getter]
    fn smallest_visible(&self) -> Option<f64> {
        self.0.smallest_visible()
    }

    /// Number of values, gaps included.
    #[getter]
    fn pushed(&self) -> u64 {
        self.0.pushed()
    }

    /// The complete state as JSON.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(&self.0)
    }

    fn __repr__(&self) -> String {
        let state = match self.0.learning() {
            Some(learning) => format!("learning, {} values", learning.values),
            None => format!("evidence {:.3} of {:.1}", self.0.evidence(), self.0.threshold()),
        };
        format!("Detector('{}', {state})", self.0.settings().false_alarms)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Detector", &self.0)
    }
}

impl From<core::Detector> for Detector {
    fn from(detector: core::Detector) -> Self {
        Self(detector)
    }
}

/// What a :class:`Detector` found in many values.
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(PartialEq, Serialize, Deserialize)]
pub(crate) struct Detection {
    evidence: Vec<f64>,
    threshold: f64,
    alarms: Vec<core::Alarm>,
}

#[pymethods]
impl Detection {
    /// The evidence after each value, shape (n,). It starts again from 0 after an alarm.
    #[getter]
    fn evidence<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.evidence)
    }

    /// The evidence that raises an alarm.
    #[getter]
    fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The alarms in order.
    #[getter]
    fn alarms(&self) -> Vec<Alarm> {
        self.alarms.iter().copied().map(Alarm).collect()
    }

    /// The fields as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, self)
    }

    /// The fields as JSON. Numbers round-trip exactly.
    fn to_json(&self) -> PyResult<String> {
        document::to_json(self)
    }

    fn __repr__(&self) -> String {
        format!("Detection(values={}, alarms={})", self.evidence.len(), self.alarms.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Detection", self)
    }
}

/// Token counts, row by row.
#[derive(Default)]
struct Tokens {
    counts: Vec<f64>,
    columns: usize,
}

impl Tokens {
    fn read(tokens: &Bound<'_, PyAny>) -> Result<Self> {
        let (values, columns) = match matrix(tokens)? {
            Some(read) => read,
            None => (Values::read(tokens)?, 1),
        };
        Ok(Self { counts: values.iter().map(|count| count.unwrap_or(f64::NAN)).collect(), columns })
    }

    fn check(&self, rows: usize, columns: usize) -> CoreResult<()> {
        let same = |left_name, left, right_name, right| {
            let mismatch = Error::LengthMismatch { left_name, left, right_name, right };
            if left == right { Ok(()) } else { Err(mismatch) }
        };
        same("the columns of the token counts", self.columns, "the columns of the detector", columns)?;
        same("the token counts", self.counts.len(), "the values and their columns", rows * columns)
    }

    fn of(&self, row: usize) -> &[f64] {
        &self.counts[row * self.columns..(row + 1) * self.columns]
    }
}

fn scale_of(name: &str) -> Result<Scale> {
    match name {
        "logarithm" => Ok(Scale::Logarithm),
        "linear" => Ok(Scale::Linear),
        _ => Err(Error::Parameter { name: "scale", value: name.to_owned(), expected: "logarithm or linear" })?,
    }
}
