//! Data frames and columns of any kind as a table of the core.

use arrow_array::cast::AsArray as _;
use arrow_array::types::{
    ArrowDictionaryKeyType, ArrowTimestampType, DurationMicrosecondType, DurationMillisecondType,
    DurationNanosecondType, DurationSecondType, Int8Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type,
    UInt64Type,
};
use arrow_array::{Array as _, ArrayRef, ArrowPrimitiveType};
use arrow_schema::{DataType, TimeUnit};
use jiff::civil::DateTime;
use jiff::{Timestamp, tz::TimeZone};
use llmscope_core::ingest::{Cell, Column, Content, Log, Projection, ReadOptions, Table, TokenColumns, Tool};
use llmscope_core::{Error, Metric, error};
use pyo3::exceptions::{PyImportError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyMapping, PyString};

use crate::error::Result;
use crate::foreign;
use crate::values::{Values, has_extension_dtype, is_pandas, package_of};

/// One label per measurement.
pub(crate) type Labels = Vec<Cell>;

/// The name of a data frame in messages; its rows count from 0.
const SOURCE: &str = "frame";

/// The columns of a data frame, of a dictionary, or of a stream of Arrow batches.
pub(crate) struct Frame<'py> {
    /// The names, as text.
    pub(crate) names: Vec<String>,
    columns: Vec<FrameColumn<'py>>,
}

enum FrameColumn<'py> {
    /// A column of an object, by its key, which need not be text.
    Of { frame: Bound<'py, PyAny>, key: Bound<'py, PyAny> },
    /// A column that was read. A stream can be read only once.
    Read(Vec<ArrayRef>),
}

impl<'py> Frame<'py> {
    /// The columns of data; `None` for data without columns.
    pub(crate) fn of(data: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        if data.get_type().name()? == "LazyFrame" {
            return Err(PyTypeError::new_err("a LazyFrame has no data yet: call .collect() first"));
        }
        let own = (data.getattr_opt("column_names")?, data.getattr_opt("columns")?);
        let has_columns = own.0.is_some() || own.1.is_some();
        // The columns of a relation of DuckDB are relations themselves.
        if (!has_columns || matches!(package_of(data).as_str(), "duckdb" | "_duckdb"))
            && let Some(frame) = Self::of_stream(data)
        {
            return Ok(Some(frame));
        }
        let keys = match own {
            // In pyarrow, `columns` are the columns themselves, so `column_names` is tried first.
            (Some(names), _) | (None, Some(names)) => names,
            _ if data.is_instance_of::<PyMapping>() => data.call_method0("keys")?,
            _ => return Ok(None),
        };
        let keys = keys.try_iter()?.collect::<PyResult<Vec<_>>>()?;
        let names = keys.iter().map(|key| Ok(key.str()?.to_string())).collect::<PyResult<_>>()?;
        let columns = keys.into_iter().map(|key| FrameColumn::Of { frame: data.clone(), key }).collect();
        Ok(Some(Self { names, columns }))
    }

    /// The columns of a stream of record batches. Other Arrow data have no columns.
    fn of_stream(data: &Bound<'py, PyAny>) -> Option<Self> {
        let chunks = foreign::arrow_chunks(data).ok().flatten()?;
        let batches: Vec<_> = chunks.iter().map(|chunk| chunk.as_struct_opt()).collect::<Option<_>>()?;
        let names: Vec<String> = batches.first()?.column_names().into_iter().map(str::to_owned).collect();
        let column = |index: usize| batches.iter().map(|batch| batch.column(index).clone()).collect();
        let columns = (0..names.len()).map(|index| FrameColumn::Read(column(index))).collect();
        Some(Self { names, columns })
    }

    fn cells(&self, index: usize) -> Result<Labels> {
        match &self.columns[index] {
            FrameColumn::Of { frame, key } => labels(&frame.get_item(key)?),
            FrameColumn::Read(chunks) => of_chunks(chunks),
        }
    }
}

/// The default measures of a frame: the metrics among its columns, or its only column without another use.
pub(crate) fn usual_metrics(columns: &[String], others: &[String], reading: &ReadOptions) -> Result<Vec<String>> {
    let usual: Vec<String> =
        columns.iter().filter(|name| Metric::DEFAULT.iter().any(|metric| metric.name() == *name)).cloned().collect();
    if !usual.is_empty() {
        return Ok(usual);
    }
    let roles = with_a_role(columns, reading);
    let unused = |name: &&String| !others.contains(name) && !roles.contains(name);
    if let [only] = columns.iter().filter(unused).collect::<Vec<_>>()[..] {
        return Ok(vec![only.clone()]);
    }
    Err(Error::Unknown { what: "metric", name: String::new(), expected: columns.join(", ") })?
}

/// The columns that are read with any measure, as those of a file: times, outcomes, identities, token counts.
fn with_a_role(columns: &[String], reading: &ReadOptions) -> Vec<String> {
    let mut roles = Projection { reading: reading.clone(), ..Projection::default() }.columns_with_a_role(columns);
    roles.extend(columns.iter().filter(|name| TokenColumns::NAMES.contains(&name.as_str())).cloned());
    roles
}

/// The columns of a frame that an analysis needs, as a log.
pub(crate) fn log_of(frame: &Frame<'_>, needed: &[&str], reading: &ReadOptions) -> Result<Log> {
    let mut table = Table::default();
    let names = &frame.names;
    let mut roles = with_a_role(names, reading);
    let projection = Projection { reading: reading.clone(), ..Projection::default() };
    roles.extend(projection.columns_with_possible_outcomes(names));
    let is_read = |name: &String| needed.contains(&name.as_str()) || roles.contains(name);
    for (index, name) in names.iter().enumerate().filter(|(_, name)| is_read(name)) {
        let cells = frame.cells(index)?;
        if !needed.contains(&name.as_str()) && is_count_of_failures(name, &cells) {
            continue;
        }
        table.columns.push(Column { name: name.clone(), cells });
    }
    if let Some(missing) = needed.iter().find(|needed| !names.iter().any(|name| name == *needed)) {
        Err(Error::Unknown { what: "column", name: (*missing).to_owned(), expected: names.join(", ") })?;
    }
    let rows = table.columns.first().map_or(0, |column| column.cells.len());
    if let Some(other) = table.columns.iter().find(|column| column.cells.len() != rows) {
        Err(Error::LengthMismatch {
            left_name: "the first column",
            left: rows,
            right_name: "another column",
            right: other.cells.len(),
        })?;
    }
    table.lines = (0..rows as u64).collect();
    Ok(Log { source: SOURCE.to_owned(), tool: Tool::CSV, content: Content::Table(table), warnings: Vec::new() })
}

/// True for a column that counts failures, as a chart of counts needs, instead of marking rows that failed.
fn is_count_of_failures(name: &str, cells: &[Cell]) -> bool {
    let is_count = |cell: &Cell| matches!(cell, Cell::Number(count) if *count > 1.0);
    matches!(name.to_lowercase().as_str(), "failed" | "failure") && cells.iter().any(is_count)
}

/// A column of numbers, text or times, cell by cell.
pub(crate) fn labels(values: &Bound<'_, PyAny>) -> Result<Labels> {
    let kind = values.getattr_opt("dtype")?.and_then(|dtype| dtype.getattr("kind").ok()?.extract::<String>().ok());
    // pandas' own dtypes also have a kind.
    if !matches!(kind.as_deref(), Some("f" | "i" | "u")) || (is_pandas(values) && has_extension_dtype(values)?) {
        match foreign::arrow_chunks(values) {
            Ok(Some(chunks)) => return of_chunks(&chunks),
            // pandas without pyarrow.
            Err(error) if !error.is_instance_of::<PyImportError>(values.py()) => return Err(error.into()),
            _ => {}
        }
    }
    match kind.as_deref() {
        Some("f" | "i" | "u") => Ok(numbers(&Values::read(values)?)),
        Some("M") => of_datetimes(values),
        Some("m") => of_timedeltas(values),
        _ => Ok(values.try_iter()?.map(|item| of_object(&item?)).collect::<PyResult<_>>()?),
    }
}

/// NumPy's times: whole nanoseconds in UTC, with the smallest integer as "not a time".
fn of_datetimes(values: &Bound<'_, PyAny>) -> Result<Labels> {
    let cell = |nanos: i64| match Timestamp::from_nanosecond(nanos.into()) {
        Ok(at) if nanos != i64::MIN => Cell::Text(at.to_string()),
        _ => Cell::Missing,
    };
    Ok(nanoseconds(values, "datetime64[ns]")?.into_iter().map(cell).collect())
}

/// NumPy's durations: whole nanoseconds, with the smallest integer as "not a time".
fn of_timedeltas(values: &Bound<'_, PyAny>) -> Result<Labels> {
    let cell = |nanos: i64| if nanos == i64::MIN { Cell::Missing } else { duration(nanos.into(), 9) };
    Ok(nanoseconds(values, "timedelta64[ns]")?.into_iter().map(cell).collect())
}

/// The whole numbers behind NumPy's times or durations.
fn nanoseconds(values: &Bound<'_, PyAny>, dtype: &str) -> PyResult<Vec<i64>> {
    let array = values.py().import("numpy")?.call_method1("asarray", (values, dtype))?;
    array.call_method1("astype", ("int64",))?.call_method0("tolist")?.extract()
}

/// A duration as text with its unit, so that it keeps its meaning in a column whose name says milliseconds. `digits` of the
/// number are behind the decimal point of seconds. A negative one is a number, which is left out and reported as such.
fn duration(number: i128, digits: usize) -> Cell {
    #[allow(clippy::cast_precision_loss, reason = "only its sign matters")]
    if number < 0 {
        return Cell::Number(number as f64);
    }
    let all = format!("{number:0>width$}", width = digits + 1);
    let (whole, rest) = all.split_at(all.len() - digits);
    Cell::Text(if digits == 0 { format!("{whole}s") } else { format!("{whole}.{rest}s") })
}

/// A NaN is a missing number, as in a file.
fn numbers(values: &Values) -> Labels {
    values.iter().map(|value| value.filter(|value| !value.is_nan()).map_or(Cell::Missing, Cell::Number)).collect()
}

fn of_object(item: &Bound<'_, PyAny>) -> PyResult<Cell> {
    let kind = item.get_type().name()?;
    if item.is_none() || kind == "NAType" || kind == "NaTType" {
        return Ok(Cell::Missing);
    }
    if kind != "bool"
        && !item.is_instance_of::<PyString>()
        && let Ok(number) = item.extract::<f64>()
    {
        return Ok(if number.is_nan() { Cell::Missing } else { Cell::Number(number) });
    }
    if kind == "timedelta" || kind == "Timedelta" {
        let seconds: f64 = item.call_method0("total_seconds")?.extract()?;
        return Ok(if seconds < 0.0 { Cell::Number(seconds) } else { Cell::Text(format!("{seconds}s")) });
    }
    if let Ok(at) = item.extract::<Timestamp>() {
        return Ok(Cell::Text(at.to_string()));
    }
    // A time without a time zone is in UTC.
    match item.extract::<DateTime>().ok().and_then(|at| at.to_zoned(TimeZone::UTC).ok()) {
        Some(at) => Ok(Cell::Text(at.timestamp().to_string())),
        None => Ok(Cell::Text(item.str()?.to_string())),
    }
}

fn of_chunks(chunks: &[ArrayRef]) -> Result<Labels> {
    let mut cells = Vec::with_capacity(chunks.iter().map(|chunk| chunk.len()).sum());
    for chunk in chunks {
        cells.extend(of_chunk(chunk)?);
    }
    Ok(cells)
}

fn of_chunk(chunk: &ArrayRef) -> Result<Labels> {
    fn texts<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Labels {
        texts.map(|text| text.map_or(Cell::Missing, |text| Cell::Text(text.to_owned()))).collect()
    }
    Ok(match chunk.data_type() {
        DataType::Utf8 => texts(chunk.as_string::<i32>().iter()),
        DataType::LargeUtf8 => texts(chunk.as_string::<i64>().iter()),
        DataType::Utf8View => texts(chunk.as_string_view().iter()),
        DataType::Boolean => {
            let text = |flag: Option<bool>| flag.map_or(Cell::Missing, |flag| Cell::Text(flag.to_string()));
            chunk.as_boolean().iter().map(text).collect()
        }
        DataType::Timestamp(unit, _) => match unit {
            TimeUnit::Second => times::<TimestampSecondType>(chunk, Timestamp::from_second)?,
            TimeUnit::Millisecond => times::<TimestampMillisecondType>(chunk, Timestamp::from_millisecond)?,
            TimeUnit::Microsecond => times::<TimestampMicrosecondType>(chunk, Timestamp::from_microsecond)?,
            TimeUnit::Nanosecond => {
                times::<TimestampNanosecondType>(chunk, |at| Timestamp::from_nanosecond(at.into()))?
            }
        },
        DataType::Duration(unit) => match unit {
            TimeUnit::Second => durations::<DurationSecondType>(chunk, 0),
            TimeUnit::Millisecond => durations::<DurationMillisecondType>(chunk, 3),
            TimeUnit::Microsecond => durations::<DurationMicrosecondType>(chunk, 6),
            TimeUnit::Nanosecond => durations::<DurationNanosecondType>(chunk, 9),
        },
        DataType::Dictionary(key, _) => match **key {
            DataType::Int8 => categories::<Int8Type>(chunk)?,
            DataType::Int16 => categories::<Int16Type>(chunk)?,
            DataType::Int32 => categories::<Int32Type>(chunk)?,
            DataType::Int64 => categories::<Int64Type>(chunk)?,
            DataType::UInt8 => categories::<UInt8Type>(chunk)?,
            DataType::UInt16 => categories::<UInt16Type>(chunk)?,
            DataType::UInt32 => categories::<UInt32Type>(chunk)?,
            _ => categories::<UInt64Type>(chunk)?,
        },
        _ => numbers(&Values::of_chunk(chunk)?),
    })
}

fn times<T: ArrowTimestampType>(
    chunk: &ArrayRef,
    read: impl Fn(i64) -> Result<Timestamp, jiff::Error>,
) -> error::Result<Labels> {
    let cell = |at: Option<i64>| {
        let Some(raw) = at else { return Ok(Cell::Missing) };
        let at = read(raw).map_err(|_| Error::Quantity {
            text: raw.to_string(),
            unit: llmscope_core::Unit::Second,
            hint: "a time between the years -9999 and 9999",
        })?;
        Ok(Cell::Text(at.to_string()))
    };
    chunk.as_primitive::<T>().iter().map(cell).collect()
}

fn durations<T: ArrowPrimitiveType<Native = i64>>(chunk: &ArrayRef, digits: usize) -> Labels {
    let cell = |number: Option<i64>| number.map_or(Cell::Missing, |number| duration(number.into(), digits));
    chunk.as_primitive::<T>().iter().map(cell).collect()
}

/// Each category is converted once.
fn categories<K: ArrowDictionaryKeyType>(chunk: &ArrayRef) -> Result<Labels> {
    let dictionary = chunk.as_dictionary::<K>();
    let names = of_chunk(dictionary.values())?;
    Ok(dictionary.keys_iter().map(|key| key.map_or(Cell::Missing, |key| names[key].clone())).collect())
}
