//! Pictures: the core's SVG and PNG, and calls to matplotlib and plotly (`llmscope._plotting`).

use std::path::PathBuf;

use llmscope_core::{Error, files::write_atomically, plot};
use pyo3::prelude::*;

use crate::error::Answer;
use crate::judgement::Judgement;
use crate::work;

/// An amount of work that always runs on its own thread, regardless of the number of points.
const RENDERING: usize = usize::MAX;

/// Writes a picture in the format that its name indicates.
pub(crate) fn save(py: Python<'_>, svg: String, path: PathBuf) -> Answer<()> {
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
pub(crate) fn _png(py: Python<'_>, svg: String) -> Answer<Vec<u8>> {
    Ok(work::run(py, RENDERING, move || plot::png(&svg))??)
}

pub(crate) fn matplotlib<'py>(
    judgement: &Bound<'py, Judgement>,
    title: Option<&str>,
    ax: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    plotting(judgement.py())?.call_method1("matplotlib_axes", (judgement, title, ax))
}

pub(crate) fn plotly<'py>(judgement: &Bound<'py, Judgement>, title: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
    plotting(judgement.py())?.call_method1("plotly_figure", (judgement, title))
}

fn plotting(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("llmscope._plotting")
}
