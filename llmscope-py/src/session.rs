//! Sessions and logs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use llmscope_core::files::write_atomically;
use llmscope_core::ingest::{self, Cell, Content, Tool};
use llmscope_core::quantity::counted;
use llmscope_core::session::{AttributeValue, RequestRecord};
use llmscope_core::{Metric, Session as CoreSession};
use llmscope_harness::{Objectives, Summary};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::document::{self, Pickled};
use crate::error::{Result, unreadable};
use crate::{frame, work};

/// One recorded run of requests.
///
/// Example:
///     >>> import llmscope as ls
///     >>> session = ls.Session.from_json('''{"schema": "llmscope.session/1", "provider": "vllm",
///     ...     "records": [{"ttft_s": 0.31, "e2e_s": 2.1}, {"status": "timeout"}]}''')
///     >>> len(session), session.provider, session.metric("ttft_s").tolist()
///     (2, 'vllm', [0.31, nan])
#[pyclass(frozen, eq, module = "llmscope")]
#[derive(PartialEq)]
pub(crate) struct Session(pub(crate) Arc<CoreSession>);

#[pymethods]
impl Session {
    /// Reads a session from its JSON document or JSON Lines.
    ///
    /// Raises:
    ///     FormatError: With line and field, the problem and a fix.
    #[staticmethod]
    fn from_json(text: &str) -> Result<Self> {
        Ok(Self(Arc::new(CoreSession::read("session", text)?.session)))
    }

    /// A name for the run.
    #[getter]
    fn name(&self) -> Option<&str> {
        self.0.header.name.as_deref()
    }

    /// The purpose of the run, in a sentence.
    #[getter]
    fn description(&self) -> Option<&str> {
        self.0.header.description.as_deref()
    }

    /// When the first request was issued, in UTC.
    #[getter]
    fn started_at(&self) -> Option<Timestamp> {
        self.0.header.started_at
    }

    /// The provider (OpenTelemetry: ``gen_ai.provider.name``).
    #[getter]
    fn provider(&self) -> Option<&str> {
        self.0.header.provider.as_deref()
    }

    /// The requested model (OpenTelemetry: ``gen_ai.request.model``).
    #[getter]
    fn model(&self) -> Option<&str> {
        self.0.header.model.as_deref()
    }

    /// Settings of the run and labels to group by.
    #[getter]
    fn labels(&self) -> BTreeMap<String, String> {
        self.0.header.labels.clone()
    }

    /// True if the run used a simulated endpoint.
    #[getter]
    fn simulated(&self) -> bool {
        self.0.header.simulated
    }

    /// The machine of the client, as a dictionary.
    #[getter]
    fn environment<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.header.environment.as_ref().map(|environment| document::to_dict(py, environment)).transpose()
    }

    /// The values of a metric, one per request, NaN where it is absent. Shape (n,), in the metric's unit.
    ///
    /// Warm-up requests are left out, as in every analysis.
    ///
    /// Args:
    ///     name: ``"ttft_s"``, ``"e2e_s"``, ``"tpot_s"``, ``"output_tokens_per_s"``, ``"error_rate"``, … or an
    ///         attribute from the recording tool.
    ///     warmup: True to keep the warm-up requests.
    ///
    /// Raises:
    ///     UnknownNameError: If no request has such a value.
    #[pyo3(signature = (name, *, warmup = false))]
    fn metric<'py>(&self, py: Python<'py>, name: &str, warmup: bool) -> Result<Bound<'py, PyArray1<f64>>> {
        let metric: Option<Metric> = name.parse().ok();
        let value = |record: &RequestRecord| match metric {
            Some(metric) => record.metric(metric),
            None => record.attribute(name),
        };
        let judged = self.0.records.iter().filter(|record| warmup || !record.warmup);
        let values: Vec<Option<f64>> = judged.map(value).collect();
        if metric.is_none() && values.iter().all(Option::is_none) {
            let metrics = Metric::ALL.iter().map(|metric| metric.name()).collect::<Vec<_>>().join(", ");
            Err(llmscope_core::Error::Unknown {
                what: "metric or attribute",
                name: name.to_owned(),
                expected: metrics,
            })?;
        }
        Ok(PyArray1::from_iter(py, values.into_iter().map(|value| value.unwrap_or(f64::NAN))))
    }

    /// Events during the run, as dictionaries of ``at`` and ``message``.
    #[getter]
    fn events<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &self.0.events)
    }

    /// The client's report on itself at the end of the run, as a dictionary: whether its times are those of the
    /// endpoint or contain its own delays.
    #[getter]
    fn client_health<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.0.client_health.as_ref().map(|health| document::to_dict(py, health)).transpose()
    }

    /// A summary of the run, as a dictionary: requests, failures by kind, rates, tokens, cost, and the distribution of
    /// each metric (mean, p50, p90, p95, p99, max). Warm-up requests are left out.
    ///
    /// Args:
    ///     slo: Objectives for goodput: ``"ttft=500ms,tpot=50ms,e2e=10s"``.
    ///
    /// Raises:
    ///     ParameterError: If the objectives are invalid.
    #[pyo3(signature = (*, slo = None))]
    fn summary<'py>(&self, py: Python<'py>, slo: Option<&str>) -> Result<Bound<'py, PyAny>> {
        let objectives = slo.map(str::parse::<Objectives>).transpose()?.unwrap_or_default();
        Ok(document::to_dict(py, &Summary::of(&self.0.records, &objectives))?)
    }

    /// The session as a dictionary.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        document::to_dict(py, &*self.0)
    }

    /// The session as one JSON document.
    fn to_json(&self) -> Result<String> {
        Ok(self.0.to_json()?)
    }

    /// The session as JSON Lines, the format to which a recorder appends.
    fn to_json_lines(&self) -> Result<String> {
        Ok(self.0.to_json_lines()?)
    }

    /// Writes the session to a file: JSON Lines if its name ends in ``.jsonl``, otherwise one JSON document.
    ///
    /// Raises:
    ///     FileError: If the file cannot be written.
    fn save(&self, path: PathBuf) -> Result<()> {
        let lines = path.extension().is_some_and(|extension| extension == "jsonl");
        let text = if lines { self.0.to_json_lines()? } else { self.0.to_json()? };
        Ok(write_atomically(&path, text.as_bytes())?)
    }

    /// One row per request. Fields that no request has are left out.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        frame::of(&columns(py, &self.0)?, backend)
    }

    fn __len__(&self) -> usize {
        self.0.records.len()
    }

    fn __repr__(&self) -> String {
        let header = &self.0.header;
        let failed = self.0.records.iter().filter(|record| !record.succeeded()).count();
        let mut parts = vec![counted(self.0.records.len(), "request")];
        if failed > 0 {
            parts.push(format!("{failed} failed"));
        }
        parts.extend([&header.name, &header.provider, &header.model].into_iter().flatten().cloned());
        parts.extend(header.started_at.map(|at| format!("{at:.0}")));
        if header.simulated {
            parts.push("SIMULATED".to_owned());
        }
        format!("Session: {}", parts.join(" · "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Pickled<'py>> {
        document::reduce(py, "Session", &*self.0)
    }
}

/// The columns of a session's data frame: fields that at least one request has.
fn columns<'py>(py: Python<'py>, session: &CoreSession) -> PyResult<Bound<'py, PyDict>> {
    let columns = PyDict::new(py);
    let records = &session.records;
    if records.iter().any(|record| record.started_at.is_some()) {
        // NumPy's "not a time" is the smallest 64-bit integer.
        let micros = records.iter().map(|r| r.started_at.map_or(i64::MIN, |at| at.as_microsecond()));
        let micros = PyArray1::from_iter(py, micros);
        columns.set_item("started_at", micros.call_method1("view", ("datetime64[us]",))?)?;
    }
    let texts = |name: &str, text: &dyn Fn(&RequestRecord) -> Option<String>| {
        let texts: Vec<Option<String>> = records.iter().map(text).collect();
        if texts.iter().any(Option::is_some) { columns.set_item(name, PyList::new(py, texts)?) } else { Ok(()) }
    };
    texts("provider", &|record| session.provider_of(record).map(str::to_owned))?;
    texts("model", &|record| session.model_of(record).map(str::to_owned))?;
    let status = |record: &RequestRecord| serde_json::to_value(record.status).ok()?.as_str().map(str::to_owned);
    texts("status", &status)?;
    texts("error_type", &|record| record.error.as_ref().map(|error| error.kind.clone()))?;
    if records.iter().any(|record| record.warmup) {
        columns.set_item("warmup", PyArray1::from_iter(py, records.iter().map(|record| record.warmup)))?;
    }
    let numbers = |name: &str, number: &dyn Fn(&RequestRecord) -> Option<f64>| {
        let numbers: Vec<Option<f64>> = records.iter().map(number).collect();
        if numbers.iter().all(Option::is_none) {
            return Ok(());
        }
        columns.set_item(name, PyArray1::from_iter(py, numbers.into_iter().map(|n| n.unwrap_or(f64::NAN))))
    };
    for metric in Metric::ALL.into_iter().filter(|metric| *metric != Metric::ErrorRate) {
        numbers(metric.name(), &|record| record.metric(metric))?;
    }
    #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
    for (name, tokens) in [
        ("input_tokens", (|record| record.input_tokens) as fn(&RequestRecord) -> Option<u64>),
        ("output_tokens", |record| record.output_tokens),
    ] {
        numbers(name, &|record| tokens(record).map(|tokens| tokens as f64))?;
    }
    let attributes: std::collections::BTreeSet<&String> = records.iter().flat_map(|r| r.attributes.keys()).collect();
    for name in attributes.into_iter().filter(|name| !columns.contains(name.as_str()).unwrap_or(true)) {
        let mut values = records.iter().filter_map(|record| record.attributes.get(name));
        if values.all(|value| matches!(value, AttributeValue::Number(_))) {
            numbers(name, &|record| record.attribute(name))?;
        } else {
            texts(name, &|record| record.attributes.get(name).map(AttributeValue::label))?;
        }
    }
    Ok(columns)
}

/// A log of a tool, recognized by its content: requests, or a table of columns.
#[pyclass(frozen, module = "llmscope")]
pub(crate) struct Log(pub(crate) Arc<ingest::Log>);

#[pymethods]
impl Log {
    /// The name of the file as given.
    #[getter]
    fn source(&self) -> &str {
        &self.0.source
    }

    /// The tool that wrote it: ``"llmscope"``, ``"llmperf"``, ``"jsonl"``, ``"csv"``, …
    #[getter]
    fn tool(&self) -> &'static str {
        self.0.tool.name()
    }

    /// Problems that did not prevent reading.
    #[getter]
    fn warnings(&self) -> Vec<String> {
        self.0.warnings.iter().map(ToString::to_string).collect()
    }

    /// The requests; ``None`` for a table of columns whose meaning only their names indicate.
    #[getter]
    fn session(&self) -> Option<Session> {
        match &self.0.content {
            Content::Session(session) => Some(Session(session.clone())),
            Content::Table(_) => None,
        }
    }

    /// One row per request or line.
    ///
    /// Args:
    ///     backend: ``"pandas"``, ``"polars"`` or ``"pyarrow"``; by default, the first that is imported, otherwise the
    ///         first that is installed.
    #[pyo3(signature = (backend = None))]
    fn to_frame<'py>(&self, py: Python<'py>, backend: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        let table = match &self.0.content {
            Content::Session(session) => return frame::of(&columns(py, session)?, backend),
            Content::Table(table) => table,
        };
        let columns = PyDict::new(py);
        for column in &table.columns {
            if column.cells.iter().any(|cell| matches!(cell, Cell::Text(_))) {
                columns.set_item(&column.name, PyList::new(py, column.cells.iter().map(Cell::label))?)?;
            } else {
                let number = |cell: &Cell| if let Cell::Number(number) = cell { *number } else { f64::NAN };
                columns.set_item(&column.name, PyArray1::from_iter(py, column.cells.iter().map(number)))?;
            }
        }
        frame::of(&columns, backend)
    }

    fn __len__(&self) -> usize {
        self.0.records()
    }

    fn __repr__(&self) -> String {
        let what = match &self.0.content {
            Content::Session(_) => "request",
            Content::Table(_) => "row",
        };
        format!("Log: {} · {} · {}", counted(self.__len__(), what), self.0.tool.name(), self.0.source)
    }
}

/// Reads a log of any supported tool, recognized by its content: sessions, logs of benchmarks, engines, gateways and
/// telemetry, CSV, and JSON Lines (docs/logs.md). The file may be compressed with gzip or zstd.
///
/// Args:
///     path: The file.
///     tool: Forces a format instead of recognizing it: ``"llmscope"``, ``"vllm-bench-serve"``, ``"jsonl"``, ``"csv"``, …
///
/// Raises:
///     FormatError: With file, line and field, the problem and a fix.
///     OSError: If the file cannot be read.
///
/// Example:
///     >>> import llmscope as ls, pathlib, tempfile
///     >>> path = pathlib.Path(tempfile.mkdtemp()) / "latency.csv"
///     >>> _ = path.write_text("model,latency\nsmall,0.31\nsmall,0.29\n")
///     >>> log = ls.read_log(path)
///     >>> log.tool, len(log)
///     ('csv', 2)
#[pyfunction]
#[pyo3(signature = (path, tool = None))]
pub(crate) fn read_log(py: Python<'_>, path: PathBuf, tool: Option<&str>) -> Result<Log> {
    let tool: Option<Tool> = tool.map(str::parse).transpose()?;
    let size = std::fs::metadata(&path).map_err(|error| unreadable(&path, &error))?.len();
    let log = work::run(py, usize::try_from(size).unwrap_or(usize::MAX), move || -> Result<ingest::Log> {
        let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
        Ok(ingest::read(&path.display().to_string(), &bytes, tool)?)
    })??;
    Ok(Log(Arc::new(log)))
}

/// Reads a recorded run: a session, or a log of a tool that records requests.
///
/// Args:
///     path: The file.
///
/// Raises:
///     FormatError: If the file contains no requests, with the problem and a fix.
///     OSError: If the file cannot be read.
///
/// Example:
///     >>> import llmscope as ls, pathlib, tempfile
///     >>> path = pathlib.Path(tempfile.mkdtemp()) / "run.json"
///     >>> _ = path.write_text('{"schema": "llmscope.session/1", "records": [{"ttft_s": 0.31}]}')
///     >>> len(ls.read_session(path))
///     1
#[pyfunction]
pub(crate) fn read_session(py: Python<'_>, path: PathBuf) -> Result<Session> {
    let log = read_log(py, path, None)?;
    let refused = || llmscope_core::Error::Format {
        location: llmscope_core::Location::of(&log.0.source),
        problem: format!("a table ({}), not a session", log.0.tool.name()),
        fix: "read it with read_log, or analyze it with analyze".to_owned(),
    };
    Ok(log.session().ok_or_else(refused)?)
}
