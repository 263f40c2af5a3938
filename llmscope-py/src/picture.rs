//! Pictures: the core's SVG and PNG, and calls to matplotlib and plotly (`llmscope._plotting`).

use std::path::PathBuf;

use llmscope_core::plot::ChangeMark;
use llmscope_core::quantity::in_unit;
use llmscope_core::{Error, Unit, files::write_atomically, plot};
use pyo3::prelude::*;

use crate::document::{self, Pickled};
use crate::error::Result;
use crate::judgement::Judgement;
use crate::{html, work};

/// An amount of work that always runs on its own thread, regardless of the number of points.
const RENDERING: usize = usize::MAX;

/// A picture of several charts. Returned by :func:`imr` and :func:`sixpack`; a notebook shows it.
///
/// Example:
///     >>> import llmscope as ls
///     >>> ls.imr([0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30], metric="ttft_s")
///     Picture(alt='time to first token, individuals and moving ranges: in control')
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(PartialEq)]
pub(crate) struct Picture {
    pub(crate) svg: String,
    pub(crate) alt: String,
}

#[pymethods]
impl Picture {
    /// The picture as SVG, 1100 units wide.
    #[getter]
    fn svg(&self) -> &str {
        &self.svg
    }

    /// A short description: what the picture shows, and the verdict.
    #[getter]
    fn alt(&self) -> &str {
        &self.alt
    }

    /// The picture as PNG, with two pixels per unit.
    ///
    /// Raises:
    ///     RenderError: With the message of the rasterizer.
    fn png(&self, py: Python<'_>) -> Result<Vec<u8>> {
        _png(py, self.svg.clone())
    }

    /// Writes the picture to a file whose name ends in ``.svg`` or ``.png``.
    ///
    /// Raises:
    ///     ParameterError: For another ending.
    fn save(&self, py: Python<'_>, path: PathBuf) -> Result<()> {
        save(py, self.svg.clone(), path)
    }

    fn _repr_html_(&self) -> String {
        html::image(&self.svg, &self.alt)
    }

    fn __repr__(&self) -> String {
        format!("Picture(alt='{}')", self.alt)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Picture", &(&self.svg, &self.alt))
    }
}

/// The label of an axis of values, with the unit of the metric.
pub(crate) fn axis_label(metric: &str) -> String {
    in_unit(metric, Unit::of_column(metric).symbol())
}

/// Writes a picture in the format that its name indicates.
pub(crate) fn save(py: Python<'_>, svg: String, path: PathBuf) -> Result<()> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default().to_lowercase();
    let content = match extension.as_str() {
        "svg" => svg.into_bytes(),
        "png" => work::run(py, RENDERING, move || plot::png(&svg))??,
        _ => Err(Error::Parameter {
            name: "path",
            value: path.display().to_string(),
            expected: "a file name that ends in .svg or .png",
        })?,
    };
    Ok(write_atomically(&path, &content)?)
}

/// Renders an SVG picture as PNG, with two pixels per unit and a bundled font.
///
/// Raises:
///     RenderError: With the message of the rasterizer.
#[pyfunction]
pub(crate) fn _png(py: Python<'_>, svg: String) -> Result<Vec<u8>> {
    Ok(work::run(py, RENDERING, move || plot::png(&svg))??)
}

pub(crate) fn matplotlib<'py>(
    judgement: &Bound<'py, Judgement>,
    title: Option<&str>,
    label: Option<&str>,
    ax: Option<&Bound<'py, PyAny>>,
    change: Option<&ChangeMark>,
) -> PyResult<Bound<'py, PyAny>> {
    plotting(judgement.py())?.call_method1("matplotlib_axes", (judgement, title, label, ax, change.map(mark)))
}

pub(crate) fn plotly<'py>(
    judgement: &Bound<'py, Judgement>,
    title: Option<&str>,
    change: Option<&ChangeMark>,
) -> PyResult<Bound<'py, PyAny>> {
    plotting(judgement.py())?.call_method1("plotly_figure", (judgement, title, change.map(mark)))
}

/// The first point after a change, its label and its color.
fn mark(change: &ChangeMark) -> (usize, String, &'static str) {
    (change.point, change.label(), change.color())
}

fn plotting(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("llmscope._plotting")
}
