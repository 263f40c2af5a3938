//! `ab`, the load generator of Apache: requests as tab-separated values (`-g`) and percentiles (`-e`).
//!
//! Traps: requests are sorted by their total time, and their starts are in whole seconds: their order is lost. Refused
//! requests are not marked.

use super::attributes::numbers;
use super::rows;
use super::runs::{Runs, of_ms};
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Location, Result};
use crate::session::{RequestRecord, Session, SessionHeader, Software, Warning};

pub(super) const REQUESTS: Format = Format {
    name: "ab",
    title: "ab requests (-g)",
    recognizes: |signature| signature.has_columns(&["starttime", "seconds", "ctime", "dtime", "ttime", "wait"]),
    reading: Reading::Whole(requests),
};

pub(super) const PERCENTILES: Format = Format {
    name: "ab-percentiles",
    title: "ab percentiles (-e)",
    recognizes: |signature| signature.has_columns(&["Percentage served", "Time in ms"]),
    reading: Reading::Whole(percentiles),
};

fn requests(source: &str, text: &str) -> Result<Parsed> {
    let (mut records, mut started_at) = (Vec::new(), None);
    let mut warnings =
        rows::read_with(source, text, b'\t', "give the result of a run with at least one request", |row| {
            let seconds = |name: &str| row.number(name).map(|milliseconds| milliseconds.map(of_ms));
            let at = row.number("seconds")?.and_then(timestamp::of_epoch_s);
            started_at = started_at.min(at).or(at).or(started_at);
            records.push(RequestRecord {
                e2e_s: seconds("ttime")?,
                connect_s: seconds("ctime")?.filter(|&seconds| seconds > 0.0),
                attributes: numbers([("first_byte_s", seconds("wait")?)]).collect(),
                ..RequestRecord::default()
            });
            Ok(())
        })?;
    warnings.push(Warning {
        location: Location::of(source),
        message:
            "ab sorts the requests by their total time, which leaves no order in time, and does not mark those that \
                  were refused"
                .to_owned(),
    });
    let recorder = Some(Software { name: "ab".to_owned(), version: None });
    let header = SessionHeader { recorder, started_at, ..SessionHeader::default() };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, warnings))
}

fn percentiles(source: &str, text: &str) -> Result<Parsed> {
    let mut runs = Runs::default();
    runs.begin(2);
    let warnings = rows::read(source, text, "give the result of a run with at least one request", |row| {
        let served = row.text("Percentage served").unwrap_or_default();
        runs.number(&format!("e2e_s.p{served}"), row.number("Time in ms")?.map(of_ms));
        Ok(())
    })?;
    runs.warnings = warnings;
    Ok(Parsed::Runs(runs))
}
