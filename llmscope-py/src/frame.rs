//! Columns as a data frame of the library in use (`llmscope._frames`).

use pyo3::prelude::*;
use pyo3::types::PyDict;

pub(crate) fn of<'py>(columns: &Bound<'py, PyDict>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
    columns.py().import("llmscope._frames")?.call_method1("frame", (columns, backend))
}
