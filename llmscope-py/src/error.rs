//! Maps the errors of the core to Python's exceptions (`llmscope.errors`).

use std::path::Path;

use llmscope_core::Error;
use llmscope_core::analysis::{Guess, GuessedMeaning};
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// Why a call failed: an error from the core, the harness or Python.
pub(crate) enum Failure {
    Core(Error),
    Harness(llmscope_harness::Error),
    /// A guess that ``strict=True`` refuses.
    Guess(Guess),
    Python(PyErr),
}

/// The result of the binding's functions.
pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<llmscope_harness::Error> for Failure {
    fn from(error: llmscope_harness::Error) -> Self {
        match error {
            llmscope_harness::Error::Core(error) => Self::Core(error),
            error => Self::Harness(error),
        }
    }
}

impl From<PyErr> for Failure {
    fn from(error: PyErr) -> Self {
        Self::Python(error)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Python::attach(|py| exception(py, &error).unwrap_or_else(|broken| broken)),
            Failure::Harness(error) => Python::attach(|py| bench_exception(py, &error).unwrap_or_else(|broken| broken)),
            Failure::Guess(guess) => Python::attach(|py| guess_exception(py, &guess).unwrap_or_else(|broken| broken)),
            Failure::Python(error) => error,
        }
    }
}

/// Fails with a guess, if there is one.
pub(crate) fn refuse_guess(guess: Option<Guess>) -> Result<()> {
    guess.map_or(Ok(()), |guess| Err(Failure::Guess(guess)))
}

/// The `OSError` for a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &std::io::Error) -> PyErr {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display())).into()
}

/// Builds the exception of a class in `llmscope.errors`, with the offending values as attributes.
fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let values = PyDict::new(py);
    let put = |name: &str, value: Bound<'_, PyAny>| values.set_item(name, value);
    macro_rules! with {
        ($class:literal $(, $name:literal: $value:expr)*) => {{
            $(put($name, $value.into_pyobject(py)?.into_any())?;)*
            $class
        }};
    }
    let class = match error {
        Error::NonFinite { index, value } => with!("NonFiniteError", "index": index, "value": value),
        Error::NotPositive { index, value } => with!("NotPositiveError", "index": index, "value": value),
        Error::Missing { index } => with!("MissingValueError", "index": index),
        Error::TooLarge { index, value, max } => with!("TooLargeError", "index": index, "value": value, "max": max),
        Error::NotEnoughData { what, have, need } => {
            with!("NotEnoughDataError", "what": what, "have": have, "need": need)
        }
        Error::Parameter { name, value, expected } => {
            with!("ParameterError", "name": name, "value": value, "expected": expected)
        }
        Error::LengthMismatch { left_name, left, right_name, right } => with!(
            "LengthMismatchError",
            "left_name": left_name, "left": left, "right_name": right_name, "right": right
        ),
        Error::Count { index, count, size, expected } => {
            with!("CountError", "index": index, "count": count, "size": size, "expected": expected)
        }
        Error::Specification { lower, upper, reason } => {
            with!("SpecificationError", "lower": lower, "upper": upper, "reason": reason)
        }
        Error::Unknown { what, name, expected } => {
            with!("UnknownNameError", "what": what, "name": name, "expected": expected)
        }
        Error::Definitions { metric, baseline, candidate } => with!(
            "DefinitionsError",
            "metric": metric, "baseline": baseline.number(), "candidate": candidate.number()
        ),
        Error::Quantity { text, unit, hint } => {
            with!("QuantityError", "text": text, "unit": unit.symbol(), "hint": hint)
        }
        Error::Format { location, problem, fix } => with!(
            "FormatError",
            "source": &location.source, "line": location.line, "field": location.field.as_deref(),
            "problem": problem, "fix": fix
        ),
        Error::Io { path, message } => with!("FileError", "path": path, "reason": message),
        Error::Render { message } => with!("RenderError", "reason": message),
        _ => "Error",
    };
    raised(py, class, &error.to_string(), &values)
}

/// The exception for a benchmark that cannot begin.
fn bench_exception(py: Python<'_>, error: &llmscope_harness::Error) -> PyResult<PyErr> {
    let values = PyDict::new(py);
    let class = match error {
        llmscope_harness::Error::Setting { name, value, expected } => {
            values.set_item("name", name)?;
            values.set_item("value", value)?;
            values.set_item("expected", expected)?;
            "ParameterError"
        }
        error => {
            values.set_item("reason", error.to_string())?;
            "BenchError"
        }
    };
    raised(py, class, &error.to_string(), &values)
}

/// The exception for a guess, with how to state the meaning.
fn guess_exception(py: Python<'_>, guess: &Guess) -> PyResult<PyErr> {
    let name = &guess.name;
    let remedy = match guess.meaning {
        GuessedMeaning::Direction(_) => {
            format!("state it with higher_is_better=\"{name}\" or lower_is_better=\"{name}\"")
        }
        GuessedMeaning::Unit { .. } => format!("state it with units={{\"{name}\": UNIT}}"),
    };
    let values = PyDict::new(py);
    values.set_item("name", "strict")?;
    values.set_item("value", name)?;
    values.set_item("expected", &remedy)?;
    raised(py, "ParameterError", &format!("{guess}; {remedy}"), &values)
}

fn raised(py: Python<'_>, class: &str, message: &str, values: &Bound<'_, PyDict>) -> PyResult<PyErr> {
    let class = py.import("llmscope.errors")?.getattr(class)?;
    Ok(PyErr::from_value(class.call((message,), Some(values))?))
}
