//! Converts sessions to frames and back: the flat form, with a type for each column.

use llmscope_core::error::Location;
use llmscope_core::session::columns::{ATTRIBUTE_PREFIX, Field, FieldKind, FieldValue, SESSION_COLUMN, is_envelope};
use llmscope_core::session::{AttributeValue, SessionHeader};
use llmscope_core::{RequestRecord, Session};
use polars::prelude::{
    Column, DataFrame, DataType, IntoColumn as _, ListChunked, NamedFrom as _, Series, TimeUnit, TimeZone,
};

use crate::error::{Result, guarded};
use crate::value;

/// A session as a frame: one request per row, one column per field, and what applies to the whole run as JSON in the
/// first row of the last column.
///
/// Times are timestamps in nanoseconds, or text if one lies outside the years 1677 to 2262. An attribute is numeric or
/// boolean if all its values are; otherwise it is text, written as in CSV so that types survive.
///
/// # Errors
/// [`Error::Core`](crate::Error::Core) if the session contains an impossible number.
pub fn session_to_frame(session: &Session) -> Result<DataFrame> {
    session.check("session")?;
    // A session without requests still has one row, for what applies to the run.
    let height = session.records.len().max(1);
    let mut columns = Vec::new();
    for field in Field::ALL {
        columns.push(field_column(field, session, height)?);
    }
    for name in session.attribute_names() {
        columns.push(attribute_column(name, &session.records));
    }
    let envelope = std::iter::once(Some(session.envelope()?)).chain(std::iter::repeat_n(None, height - 1));
    columns.push(Column::new(SESSION_COLUMN.into(), envelope.collect::<Vec<_>>()));
    guarded("a session", || DataFrame::new(height, columns))
}

/// True for a frame that [`session_to_frame`] created, or that was read from its CSV.
#[must_use]
pub fn is_session(frame: &DataFrame) -> bool {
    let Ok(column) = frame.column(SESSION_COLUMN) else { return false };
    let Ok(texts) = column.as_materialized_series().str() else { return false };
    texts.get(0).is_some_and(is_envelope)
}

/// Reads a session from a frame. `source` names the frame in messages, with the 0-based row.
///
/// # Errors
/// [`Error::Core`](crate::Error::Core) with column and row, the problem and a fix.
pub fn frame_to_session(source: &str, frame: &DataFrame) -> Result<Session> {
    let columns = value::columns(source, frame)?;
    let mut session = None;
    for (row, cell) in columns.iter().filter(|(name, _)| name == SESSION_COLUMN).flat_map(|(_, cells)| (0..).zip(cells))
    {
        let Some(cell) = cell.as_ref().filter(|cell| !is_empty(cell)) else { continue };
        let location = Location::of(source).field(&format!("{SESSION_COLUMN}[{row}]"));
        if session.is_some() {
            return Err(refused(location, "a second session begins here", "keep one session per frame"));
        }
        session = Some(Session::from_envelope(&location, &cell.to_string())?);
    }
    let Some(mut session) = session else {
        let location = Location::of(source).field(SESSION_COLUMN);
        return Err(refused(location, "the first row does not describe the run", "read the frame as a table"));
    };
    let mut records = vec![RequestRecord::default(); frame.height()];
    let mut is_request = vec![false; frame.height()];
    for (name, cells) in columns.iter().filter(|(name, _)| name != SESSION_COLUMN) {
        let place = Place::of(source, name)?;
        for (row, cell) in cells.iter().enumerate() {
            let Some(cell) = cell.as_ref().filter(|cell| !is_empty(cell)) else { continue };
            let location = || Location::of(source).field(&format!("{name}[{row}]"));
            let put = place.put(&mut records[row], cell, &session.header);
            put.map_err(|error| error.in_cell(location()))?;
            is_request[row] = true;
        }
    }
    session.records = records.into_iter().zip(is_request).filter_map(|(record, is)| is.then_some(record)).collect();
    session.check(source)?;
    Ok(session)
}

/// A program without null values writes them as empty text.
fn is_empty(cell: &FieldValue) -> bool {
    matches!(cell, FieldValue::Text(text) if text.is_empty())
}

enum Place {
    Field(Field),
    Attribute(String),
}

impl Place {
    fn of(source: &str, name: &str) -> Result<Self> {
        if let Some(attribute) = name.strip_prefix(ATTRIBUTE_PREFIX) {
            return Ok(Self::Attribute(attribute.to_owned()));
        }
        Field::from_name(name).map(Self::Field).ok_or_else(|| {
            let fix = format!("rename the column to {ATTRIBUTE_PREFIX}{name}, or drop it");
            refused(Location::of(source).field(name), "no field of a request has this name", &fix)
        })
    }

    fn put(&self, record: &mut RequestRecord, value: &FieldValue, header: &SessionHeader) -> llmscope_core::Result<()> {
        match (self, value) {
            (Self::Field(field), FieldValue::Text(cell)) => field.set_cell(record, cell, header),
            (Self::Field(field), value) => field.set(record, value),
            (Self::Attribute(name), value) => {
                let value = match value {
                    FieldValue::Flag(flag) => AttributeValue::Bool(*flag),
                    FieldValue::Text(cell) => AttributeValue::from_cell(cell)?,
                    FieldValue::Number(number) => AttributeValue::Number(*number),
                    other => {
                        other.number().map_or_else(|| AttributeValue::Text(other.to_string()), AttributeValue::Number)
                    }
                };
                record.attributes.insert(name.clone(), value);
                Ok(())
            }
        }
    }
}

fn refused(location: Location, problem: &str, fix: &str) -> crate::Error {
    llmscope_core::Error::Format { location, problem: problem.to_owned(), fix: fix.to_owned() }.into()
}

/// One value per record, and nulls up to the height of the frame.
fn collect<T>(records: &[RequestRecord], height: usize, of: impl Fn(&RequestRecord) -> Option<T>) -> Vec<Option<T>> {
    let mut values: Vec<_> = records.iter().map(of).collect();
    values.resize_with(height, || None);
    values
}

fn field_column(field: Field, session: &Session, height: usize) -> Result<Column> {
    let records = &session.records;
    let name = || field.name().into();
    let of = |record: &RequestRecord| field.of(record);
    Ok(match field.kind() {
        FieldKind::Time => return times(field, session, height),
        FieldKind::Text => Column::new(name(), collect(records, height, |record| field.cell(record, &session.header))),
        FieldKind::Flag => Column::new(name(), collect(records, height, |record| of(record)?.flag())),
        FieldKind::Number => Column::new(name(), collect(records, height, |record| of(record)?.number())),
        FieldKind::Count => Column::new(name(), collect(records, height, |record| of(record)?.count())),
        FieldKind::Integer => Column::new(name(), collect(records, height, |record| of(record)?.integer())),
        FieldKind::Numbers => {
            let lists = collect(records, height, |record| Some(Series::new("".into(), of(record)?.numbers()?)));
            let mut lists: ListChunked = lists.into_iter().collect();
            lists.rename(name());
            // Without a single list, the element type is not known.
            guarded("icl_s", || lists.into_column().cast(&DataType::List(Box::new(DataType::Float64))))?
        }
    })
}

fn times(field: Field, session: &Session, height: usize) -> Result<Column> {
    let nanoseconds = |record: &RequestRecord| {
        field.of(record).and_then(|value| value.time()).map(|time| i64::try_from(time.as_nanosecond()))
    };
    let records = &session.records;
    let fits = records.iter().all(|record| !matches!(nanoseconds(record), Some(Err(_))));
    if !fits {
        return Ok(Column::new(
            field.name().into(),
            collect(records, height, |record| field.cell(record, &session.header)),
        ));
    }
    let moments = collect(records, height, |record| nanoseconds(record)?.ok());
    let kind = DataType::Datetime(TimeUnit::Nanoseconds, Some(TimeZone::UTC));
    guarded(field.name(), || Column::new(field.name().into(), moments).cast(&kind))
}

fn attribute_column(name: &str, records: &[RequestRecord]) -> Column {
    let column = format!("{ATTRIBUTE_PREFIX}{name}").into();
    let values: Vec<Option<&AttributeValue>> = records.iter().map(|record| record.attributes.get(name)).collect();
    let numbers = values.iter().map(|value| match value {
        None => Some(None),
        Some(AttributeValue::Number(number)) => Some(Some(*number)),
        Some(_) => None,
    });
    if let Some(numbers) = numbers.collect::<Option<Vec<_>>>() {
        return Column::new(column, numbers);
    }
    let flags = values.iter().map(|value| match value {
        None => Some(None),
        Some(AttributeValue::Bool(flag)) => Some(Some(*flag)),
        Some(_) => None,
    });
    if let Some(flags) = flags.collect::<Option<Vec<_>>>() {
        return Column::new(column, flags);
    }
    Column::new(column, values.iter().map(|value| value.map(AttributeValue::cell)).collect::<Vec<_>>())
}
