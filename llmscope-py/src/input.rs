//! The series in data of any kind: files, logs, sessions, data frames, numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use llmscope_core::analysis::{ColumnReport, LogSource, Measure, SelectedSeries, Selection, Series, columns_of_series};
use llmscope_core::column::{Preference, StatedMeanings};
use llmscope_core::ingest::{self, Cell, Content, OpenedLog, ReadOptions, StatusRule, Tool};
use llmscope_core::{Error, Metric};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyInt, PyList, PyString, PyTuple};

use crate::error::{Failure, Result, unreadable};
use crate::session::{Log, Session};
use crate::table::{self, Frame};
use crate::values::Values;
use crate::work;

/// What to select from data.
#[derive(Clone, Default)]
pub(crate) struct Request {
    /// Metrics and columns; by default, those that the data have.
    pub(crate) metrics: Vec<String>,
    /// Names to group by.
    pub(crate) by: Option<Vec<String>>,
    /// Names to group by if `by` is absent and the data have them; by default, those of an analysis.
    pub(crate) groups: Option<Vec<String>>,
    /// A column to read next to the measures.
    pub(crate) companion: Option<String>,
    /// What the caller states about columns.
    pub(crate) stated: StatedMeanings,
    /// Which rows of a table succeeded.
    pub(crate) status: StatusRule,
}

impl Request {
    fn reading(&self) -> ReadOptions {
        ReadOptions { status: self.status.clone(), ..ReadOptions::default() }
    }
}

/// The series in data.
pub(crate) struct Found {
    pub(crate) series: Vec<Series>,
    /// Series that are runs of the same thing.
    pub(crate) runs: Vec<Vec<Series>>,
    /// What each column means.
    pub(crate) columns: Vec<ColumnReport>,
    /// True for bare numbers, which have no columns.
    pub(crate) is_bare: bool,
    /// The names of data in memory, which do not identify them, each with its address.
    pub(crate) in_memory: Vec<(String, usize)>,
    /// The columns of a frame to group by that hold numbers.
    pub(crate) numeric_groups: BTreeSet<String>,
}

/// Selects the series of a request from data of any kind.
pub(crate) fn find(data: &Bound<'_, PyAny>, mut request: Request) -> Result<Found> {
    let mut numeric_groups = BTreeSet::new();
    let logs = match sources(data)? {
        Some(logs) => logs,
        None => match Frame::of(data)? {
            Some(columns) => {
                let log = frame(&columns, &mut request)?;
                numeric_groups.extend(request.by.iter().flatten().filter(|name| is_numeric(&log, name)).cloned());
                vec![Source::Frame { log: Arc::new(log), address: data.as_ptr() as usize }]
            }
            None => return bare(data, &request),
        },
    };
    let in_memory = logs.iter().filter_map(Source::in_memory).collect();
    let steps = logs.iter().map(Source::steps).sum();
    let SelectedSeries { series, runs, columns, .. } = work::run(data.py(), steps, move || gather(logs, request))??;
    Ok(Found { series, runs, columns, is_bare: false, in_memory, numeric_groups })
}

/// True for a column of a frame whose cells are numbers, as far as they are not missing.
fn is_numeric(log: &ingest::Log, name: &str) -> bool {
    let Content::Table(table) = &log.content else { return false };
    let is_number_or_missing = |cell: &Cell| matches!(cell, Cell::Number(_) | Cell::Missing);
    table.column(name).is_some_and(|column| column.cells.iter().all(is_number_or_missing))
}

/// The columns of a frame that the request needs. Without metrics, those of the frame are added to the request.
fn frame(frame: &Frame<'_>, request: &mut Request) -> Result<ingest::Log> {
    let columns = &frame.names;
    let mut others: Vec<String> = request.by.iter().flatten().chain(&request.companion).cloned().collect();
    if request.by.is_none() {
        others.extend(columns.iter().filter(|name| Selection::GROUPS.contains(&name.as_str())).cloned());
    }
    if request.metrics.is_empty() {
        request.metrics = table::usual_metrics(columns, &others, &request.reading())?;
    }
    let needed = request.metrics.iter().chain(&others).filter(|name| !is_derived(name, columns));
    let needed: Vec<&str> = needed.map(String::as_str).collect();
    table::log_of(frame, &needed, &request.reading())
}

/// True for the error rate of a frame without such a column: it is that of the rows.
fn is_derived(name: &str, columns: &[String]) -> bool {
    name == Metric::ErrorRate.name() && !columns.iter().any(|column| column == name)
}

/// Selects series from logs; a long log is read in blocks.
fn gather(logs: Vec<Source>, request: Request) -> Result<SelectedSeries> {
    let reading = request.reading();
    let inputs = logs.into_iter().map(|log| log.open(&reading)).collect::<Result<Vec<_>>>()?;
    let measures = request.metrics.iter().map(|name| measure(name, &inputs)).collect();
    let Request { by, groups, companion, stated, .. } = request;
    Selection { measures, by: by.or(groups), companion, stated, reading, ..Selection::default() }
        .gather(inputs.into_iter().map(Ok))
}

/// A metric of requests, or a column by its own name. A table can have the error rate as a column.
fn measure(name: &str, inputs: &[LogSource<'_, Failure>]) -> Measure {
    let has_column = |input: &LogSource<'_, Failure>| match input {
        LogSource::Log(log) => match &log.content {
            Content::Table(table) => table.column(name).is_some(),
            Content::Session(_) => false,
        },
        LogSource::Stream { stream, .. } => stream.header.is_none(),
    };
    match name.parse() {
        Ok(Metric::ErrorRate) if inputs.iter().any(has_column) => Measure::Column(name.to_owned()),
        Ok(metric) => Measure::Metric(metric),
        Err(_) => Measure::Column(name.to_owned()),
    }
}

/// Bare numbers, under the given name or that of the Series.
fn bare(data: &Bound<'_, PyAny>, request: &Request) -> Result<Found> {
    if let Some(name) = request.by.iter().flatten().next().or(request.companion.as_ref()) {
        Err(Error::Parameter {
            name: "column",
            value: name.clone(),
            expected: "a data frame that has it, because bare numbers have no columns",
        })?;
    }
    let name = Values::name(data, request.metrics.first().cloned())?;
    let values = Values::read(data)?;
    let series = Series::of_numbers(&name, values.iter().map(|value| value.unwrap_or(f64::NAN)).collect());
    let meaning = request.stated.applied(series.measure.name(), series.meaning());
    let series = vec![Series { stated: Some(meaning), ..series }];
    let columns = columns_of_series(&series);
    Ok(Found {
        series,
        runs: Vec::new(),
        columns,
        is_bare: true,
        in_memory: Vec::new(),
        numeric_groups: BTreeSet::new(),
    })
}

/// The origin of requests or rows.
enum Source {
    Log(Arc<ingest::Log>),
    Session { log: Arc<ingest::Log>, address: usize },
    Frame { log: Arc<ingest::Log>, address: usize },
    File(PathBuf),
}

impl Source {
    /// The amount of work, in steps.
    fn steps(&self) -> usize {
        match self {
            Self::Log(log) | Self::Session { log, .. } | Self::Frame { log, .. } => log.records(),
            Self::File(path) => {
                std::fs::metadata(path).map_or(0, |metadata| usize::try_from(metadata.len()).unwrap_or(usize::MAX))
            }
        }
    }

    /// The name and the address of data in memory.
    fn in_memory(&self) -> Option<(String, usize)> {
        match self {
            Self::Session { log, address } | Self::Frame { log, address } => Some((log.source.clone(), *address)),
            Self::Log(_) | Self::File(_) => None,
        }
    }

    fn open(self, reading: &ReadOptions) -> Result<LogSource<'static, Failure>> {
        match self {
            Self::Log(log) | Self::Session { log, .. } | Self::Frame { log, .. } => Ok(LogSource::Log(log)),
            Self::File(path) => {
                let reading = reading.clone();
                Ok(LogSource::new(open(&path, &reading)?, move || open(&path, &reading)))
            }
        }
    }
}

fn open(path: &Path, reading: &ReadOptions) -> Result<OpenedLog> {
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok(ingest::open_with(&path.display().to_string(), file, reading)?)
}

/// A path, a log, a session, or a list of those; `None` for anything else.
fn sources(data: &Bound<'_, PyAny>) -> Result<Option<Vec<Source>>> {
    if let Ok(log) = data.cast::<Log>() {
        return Ok(Some(vec![Source::Log(log.get().0.clone())]));
    }
    if let Ok(session) = data.cast::<Session>() {
        let session = session.get().0.clone();
        let address = Arc::as_ptr(&session) as usize;
        let source = session.header.name.clone().unwrap_or_else(|| "session".to_owned());
        let content = Content::Session(session);
        let log = Arc::new(ingest::Log { source, tool: Tool::LLMSCOPE, content, warnings: Vec::new() });
        return Ok(Some(vec![Source::Session { log, address }]));
    }
    if data.is_instance_of::<PyString>() || data.hasattr("__fspath__")? {
        return Ok(Some(vec![Source::File(data.extract()?)]));
    }
    let is_list = data.is_instance_of::<PyList>() || data.is_instance_of::<PyTuple>();
    if !is_list || data.len()? == 0 || sources(&data.get_item(0)?)?.is_none() {
        return Ok(None);
    }
    let mut all = Vec::new();
    for item in data.try_iter()? {
        let Some(found) = sources(&item?)? else {
            return Err(PyTypeError::new_err("expected paths, logs and sessions in the list").into());
        };
        all.extend(found);
    }
    Ok(Some(all))
}

/// What the caller states about columns.
pub(crate) fn stated(
    units: Option<BTreeMap<String, String>>,
    higher_is_better: Option<&Bound<'_, PyAny>>,
    lower_is_better: Option<&Bound<'_, PyAny>>,
) -> Result<StatedMeanings> {
    let mut stated = StatedMeanings::default();
    for (name, unit) in units.into_iter().flatten() {
        stated.state_unit(&format!("{name}={unit}"))?;
    }
    for (given, preference) in [(higher_is_better, Preference::Higher), (lower_is_better, Preference::Lower)] {
        for name in given.map(names).transpose()?.into_iter().flatten() {
            stated.prefer(&name, preference)?;
        }
    }
    Ok(stated)
}

/// One name, or several. The columns of a frame can be whole numbers.
pub(crate) fn names(names: &Bound<'_, PyAny>) -> PyResult<Vec<String>> {
    let is_name = |name: &Bound<'_, PyAny>| name.is_instance_of::<PyString>() || name.is_instance_of::<PyInt>();
    if is_name(names) {
        return Ok(vec![names.str()?.to_string()]);
    }
    let named = |name: Bound<'_, PyAny>| if is_name(&name) { Ok(name.str()?.to_string()) } else { name.extract() };
    names.try_iter()?.map(|name| named(name?)).collect()
}
