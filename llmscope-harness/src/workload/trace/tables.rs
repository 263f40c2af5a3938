//! Traces in tables: Azure's inference service, and BurstGPT.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use llmscope_core::error::{Location, Result, excerpt};
use serde_json::Value;

use super::{EXPECTED, Extras, TimeOrigin, Trace};
use crate::workload::fields::{time, tokens_or_none};
use crate::workload::source::{Source, refuse};
use crate::workload::table::Table;

/// Reads either table, which is detected from its header.
pub(super) fn read(source: &Source) -> Result<Trace> {
    let table = Table::open(source)?;
    let azure = columns(&table, ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]);
    let burst = columns(&table, ["Timestamp", "Request tokens", "Response tokens"]);
    match (azure, burst) {
        (Some(columns), _) => read_azure(table, &columns),
        (None, Some(columns)) => read_burst(table, &columns),
        (None, None) => refuse(
            source.location().line(1),
            format!("no known trace format has the columns {}", excerpt(&table.names.join(", "))),
            EXPECTED,
        ),
    }
}

/// A column: its index and its name.
type Column = (usize, &'static str);

fn columns(table: &Table<'_>, names: [&'static str; 3]) -> Option<[Column; 3]> {
    let [at, input, output] = names.map(|name| Some((table.column(name)?, name)));
    Some([at?, input?, output?])
}

fn read_azure(table: Table<'_>, [at, input, output]: &[Column; 3]) -> Result<Trace> {
    let mut trace = Trace { origin: TimeOrigin::FirstRequest, ..Trace::default() };
    let mut start = None;
    table.each(|record, location| {
        let timestamp = timestamp(cell(record, *at), &location.clone().field(at.1))?;
        // The difference to the first line keeps all digits of the fraction; an earlier line has a negative time here.
        let at_s = timestamp.duration_since(*start.get_or_insert(timestamp)).as_secs_f64();
        trace.add_recorded(at_s, sizes(record, [input, output], location)?, Extras::default(), location);
        Ok(())
    })?;
    Ok(trace)
}

fn read_burst(table: Table<'_>, [at, input, output]: &[Column; 3]) -> Result<Trace> {
    let mut trace = Trace { origin: TimeOrigin::FirstRequest, ..Trace::default() };
    let log_type = table.column("Log Type");
    table.each(|record, location| {
        let at_s = time(&Value::from(cell(record, *at)), &location.clone().field(at.1))?;
        let label = log_type.and_then(|place| record.get(place)).map(str::trim).filter(|label| !label.is_empty());
        let rest = Extras { label: label.map(str::to_owned), ..Extras::default() };
        trace.add_recorded(at_s, sizes(record, [input, output], location)?, rest, location);
        Ok(())
    })?;
    Ok(trace)
}

fn sizes(record: &csv::StringRecord, columns: [&Column; 2], location: &Location) -> Result<[u32; 2]> {
    let [input, output] =
        columns.map(|column| tokens_or_none(&Value::from(cell(record, *column)), &location.clone().field(column.1)));
    Ok([input?, output?])
}

fn cell(record: &csv::StringRecord, (place, _): Column) -> &str {
    record.get(place).unwrap_or_default().trim()
}

/// A timestamp with an offset, as in the traces of 2024, or without one, as in those of 2023; then it is UTC.
fn timestamp(text: &str, location: &Location) -> Result<Timestamp> {
    let civil = || text.parse::<DateTime>().and_then(|time| time.to_zoned(TimeZone::UTC)).map(|time| time.timestamp());
    text.parse::<Timestamp>().or_else(|_| civil()).or_else(|_| {
        refuse(
            location.clone(),
            format!("expected a date and time, found \"{}\"", excerpt(text)),
            "write it as 2023-11-16 18:17:03.9799600",
        )
    })
}
