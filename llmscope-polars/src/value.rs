//! Converts cells of a frame to the core's values.

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use llmscope_core::session::columns::FieldValue;
use polars::prelude::{AnyValue, Column, DataType, Series, TimeUnit};

use crate::error::{Error, Result, guarded};

/// The columns of a frame with their values; a struct column becomes one column per field: `timings.ttft`.
pub(crate) fn columns(
    source: &str,
    frame: &polars::prelude::DataFrame,
) -> Result<Vec<(String, Vec<Option<FieldValue>>)>> {
    let mut all = Vec::new();
    for column in frame.columns() {
        push(source, column.name(), column, &mut all)?;
    }
    Ok(all)
}

fn push(source: &str, name: &str, column: &Column, all: &mut Vec<(String, Vec<Option<FieldValue>>)>) -> Result<()> {
    if let Ok(fields) = column.as_materialized_series().struct_() {
        for field in fields.fields_as_series() {
            push(source, &format!("{name}.{}", field.name()), &Column::from(field), all)?;
        }
        return Ok(());
    }
    all.push((name.to_owned(), values(source, name, column)?));
    Ok(())
}

/// The values of a column; `None` for null and NaN.
fn values(source: &str, name: &str, column: &Column) -> Result<Vec<Option<FieldValue>>> {
    let unsupported = |found: &str| Error::Unsupported {
        source_name: source.to_owned(),
        column: name.to_owned(),
        found: found.to_owned(),
    };
    let series = guarded(source, || plain(column.as_materialized_series()))?;
    series.rechunk().iter().map(|value| value_of(&value).map_err(unsupported)).collect()
}

/// The same values in a type that [`value_of`] supports.
fn plain(series: &Series) -> polars::error::PolarsResult<Series> {
    match series.dtype() {
        DataType::Categorical(..) | DataType::Enum(..) => series.cast(&DataType::String),
        DataType::Decimal(..) | DataType::Float32 => series.cast(&DataType::Float64),
        _ => Ok(series.clone()),
    }
}

/// The value of a cell, or a description of an unsupported one.
fn value_of(value: &AnyValue<'_>) -> Result<Option<FieldValue>, &'static str> {
    Ok(Some(match value {
        AnyValue::Null => return Ok(None),
        AnyValue::Boolean(flag) => FieldValue::Flag(*flag),
        AnyValue::String(text) => FieldValue::Text((*text).to_owned()),
        AnyValue::StringOwned(text) => FieldValue::Text(text.to_string()),
        AnyValue::UInt8(count) => FieldValue::Count(u64::from(*count)),
        AnyValue::UInt16(count) => FieldValue::Count(u64::from(*count)),
        AnyValue::UInt32(count) => FieldValue::Count(u64::from(*count)),
        AnyValue::UInt64(count) => FieldValue::Count(*count),
        AnyValue::Int8(integer) => FieldValue::Integer(i64::from(*integer)),
        AnyValue::Int16(integer) => FieldValue::Integer(i64::from(*integer)),
        AnyValue::Int32(integer) => FieldValue::Integer(i64::from(*integer)),
        AnyValue::Int64(integer) => FieldValue::Integer(*integer),
        AnyValue::Float64(number) if number.is_nan() => return Ok(None),
        AnyValue::Float64(number) => FieldValue::Number(*number),
        AnyValue::Date(days) => FieldValue::Text(date(*days).ok_or("a date out of range")?.to_string()),
        AnyValue::Datetime(count, unit, zone) => moment(*count, *unit, zone.is_some())?,
        AnyValue::DatetimeOwned(count, unit, zone) => moment(*count, *unit, zone.is_some())?,
        #[allow(clippy::cast_precision_loss, reason = "a duration has fewer digits")]
        AnyValue::Duration(count, unit) => FieldValue::Number(*count as f64 / per_second(*unit) as f64),
        AnyValue::Time(nanoseconds) => FieldValue::Text(time(*nanoseconds).ok_or("a time out of range")?.to_string()),
        AnyValue::List(items) | AnyValue::Array(items, _) => list(items)?,
        // Older writers do not mark columns as text.
        AnyValue::Binary(bytes) => FieldValue::Text(text(bytes)?),
        AnyValue::BinaryOwned(bytes) => FieldValue::Text(text(bytes)?),
        _ => return Err("values of an unusual type"),
    }))
}

const fn per_second(unit: TimeUnit) -> i64 {
    match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1_000,
    }
}

/// A timestamp. Without a time zone it is ambiguous, and its text has no offset either.
fn moment(count: i64, unit: TimeUnit, zoned: bool) -> Result<FieldValue, &'static str> {
    let nanoseconds = i128::from(count) * i128::from(1_000_000_000 / per_second(unit));
    let moment = Timestamp::from_nanosecond(nanoseconds).map_err(|_| "a time out of range")?;
    Ok(if zoned {
        FieldValue::Time(moment)
    } else {
        FieldValue::Text(jiff::tz::TimeZone::UTC.to_datetime(moment).to_string())
    })
}

fn date(days: i32) -> Option<Date> {
    Date::constant(1970, 1, 1).checked_add(jiff::Span::new().try_days(days).ok()?).ok()
}

fn time(nanoseconds: i64) -> Option<Time> {
    Time::midnight().checked_add(jiff::SignedDuration::from_nanos(nanoseconds)).ok()
}

fn text(bytes: &[u8]) -> Result<String, &'static str> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| "bytes that are not UTF-8")
}

/// A list of numbers, or any other list as the text of its items.
fn list(items: &Series) -> Result<FieldValue, &'static str> {
    let items = plain(items).map_err(|_| "lists of an unusual type")?;
    let items = items.rechunk().iter().map(|item| value_of(&item)).collect::<Result<Vec<_>, _>>()?;
    let number = |item: &Option<FieldValue>| match item {
        Some(FieldValue::Text(_)) | None => None,
        Some(item) => item.number(),
    };
    if let Some(numbers) = items.iter().map(number).collect::<Option<Vec<_>>>() {
        return Ok(FieldValue::Numbers(numbers));
    }
    let quoted = |item: &Option<FieldValue>| match item {
        None => "null".to_owned(),
        Some(FieldValue::Text(text)) => serde_json::Value::from(text.as_str()).to_string(),
        Some(other) => other.to_string(),
    };
    Ok(FieldValue::Text(format!("[{}]", items.iter().map(quoted).collect::<Vec<_>>().join(","))))
}
