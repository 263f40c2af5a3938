//! Apache JMeter: results of samples as CSV (`.jtl`).
//!
//! Traps: rows are in order of the end, and `timeStamp` is the start. `Latency` is the time to the first byte, and 0 if
//! none arrived. A sample without a response has a text instead of a code.

use super::Cell;
use super::attributes::{numbers, scalar, texts};
use super::gathered;
use super::outcome::{Outcome, OutcomeColumn};
use super::rows::{self, Row};
use super::runs::of_ms;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, TimeRules};
use crate::error::{Error, Result};
use crate::session::{RequestRecord, Software};

pub(super) const FORMAT: Format = Format {
    name: "jmeter",
    title: "Apache JMeter samples (CSV)",
    recognizes: |signature| signature.has_columns(&["timeStamp", "elapsed", "label", "responseCode", "success"]),
    reading: Reading::Whole(read),
};

fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut records = Vec::new();
    let warnings = rows::read(source, text, "give the results of a test with at least one sample", |row| {
        records.push(record(row)?);
        Ok(())
    })?;
    Ok(Parsed::Session(gathered::session(Software { name: "JMeter".to_owned(), version: None }, records), warnings))
}

fn record(row: &Row<'_>) -> Result<RequestRecord> {
    let mut record = RequestRecord { started_at: started_at(row)?, ..RequestRecord::default() };
    let of_column = |kind: OutcomeColumn<'_>, name: &str| {
        kind.read(&row.text(name).map_or(Cell::Missing, Cell::parse)).unwrap_or(Outcome::Unknown)
    };
    let success = of_column(OutcomeColumn::Verdict, "success");
    // The test plan decides: an assertion can accept a status such as 404.
    if let Outcome::Failed(status, error, detail) = success {
        let failed = Outcome::Failed(status, error, detail).and(of_column(OutcomeColumn::Code, "responseCode"));
        if let Outcome::Failed(status, error, _) = failed.and(of_column(OutcomeColumn::Failure, "failureMessage")) {
            (record.status, record.error) = (status, Some(error));
        }
    }
    let seconds = |name: &str| Ok::<_, Error>(row.number(name)?.map(of_ms));
    let elapsed_s = seconds("elapsed")?;
    if record.succeeded() {
        record.e2e_s = elapsed_s;
        record.connect_s = seconds("Connect")?.filter(|&seconds| seconds > 0.0);
        let first_byte_s = seconds("Latency")?.filter(|&seconds| seconds > 0.0);
        record.attributes.extend(numbers([("first_byte_s", first_byte_s)]));
    } else {
        record.attributes.extend(numbers([("failed_after_s", elapsed_s)]));
    }
    record.attributes.extend(numbers([("bytes", row.number("bytes")?), ("threads", row.number("allThreads")?)]));
    record.attributes.extend(texts([("label", row.text("label"))]));
    record.attributes.extend(row.text("responseCode").map(|code| ("responseCode".to_owned(), scalar(code))));
    Ok(record)
}

/// A count of milliseconds since 1970, or a date in the form that the user configured.
fn started_at(row: &Row<'_>) -> Result<Option<jiff::Timestamp>> {
    let Some(text) = row.text("timeStamp") else { return Ok(None) };
    match TimeRules::default().of_text(text) {
        Some(Moment::At(time) | Moment::Naive(time)) => Ok(time.get()),
        _ => Err(Error::Format {
            location: row.location.clone().field("timeStamp"),
            problem: format!("\"{}\" is not a time", crate::error::excerpt(text)),
            fix: "set jmeter.save.saveservice.timestamp_format=ms and record it again".to_owned(),
        }),
    }
}
