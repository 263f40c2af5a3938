//! hey: a load generator for HTTP. Its CSV (`-o csv`) has a line for each response, in order of the end.
//!
//! Traps: `offset` is the start, counted from the beginning of the run. Requests without a response are not in the file.

use super::attributes::numbers;
use super::http;
use super::rows::{self, Row};
use super::tool::{Format, Parsed, Reading};
use crate::error::{Location, Result};
use crate::session::{RequestRecord, Session, SessionHeader, Software, Status, Warning};

pub(super) const FORMAT: Format = Format {
    name: "hey",
    title: "hey responses (CSV)",
    recognizes: |signature| {
        signature.has_columns(&["response-time", "DNS+dialup", "Response-delay", "status-code", "offset"])
    },
    reading: Reading::Whole(read),
};

fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut requests: Vec<(f64, RequestRecord)> = Vec::new();
    let mut warnings = rows::read(source, text, "give the result of a run that got at least one response", |row| {
        requests.push((row.number("offset")?.unwrap_or(f64::MAX), record(row)?));
        Ok(())
    })?;
    requests.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    warnings.push(without_response(source, "hey"));
    let header = SessionHeader {
        recorder: Some(Software { name: "hey".to_owned(), version: None }),
        ..SessionHeader::default()
    };
    let records = requests.into_iter().map(|(_, record)| record).collect();
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, warnings))
}

fn record(row: &Row<'_>) -> Result<RequestRecord> {
    let status = row.number("status-code")?;
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a status")]
    let error =
        status.filter(|status| (100.0..1000.0).contains(status)).and_then(|status| http::refusal(status as u16));
    let succeeded = error.is_none();
    let of_success = |seconds: Option<f64>| seconds.filter(|&seconds| succeeded && seconds > 0.0);
    Ok(RequestRecord {
        status: if succeeded { Status::Ok } else { Status::Error },
        error,
        e2e_s: row.number("response-time")?.filter(|_| succeeded),
        connect_s: of_success(row.number("DNS+dialup")?),
        attributes: numbers([
            ("request_start_s", row.number("offset")?),
            ("first_byte_s", of_success(row.number("Response-delay")?)),
            ("dns_s", of_success(row.number("DNS")?)),
            ("status", status),
        ])
        .collect(),
        ..RequestRecord::default()
    })
}

/// The warning about a tool that records only responses.
pub(super) fn without_response(source: &str, tool: &str) -> Warning {
    Warning {
        location: Location::of(source),
        message: format!(
            "{tool} omits requests without a response (refused connections, timeouts): the error rate covers only \
             responses"
        ),
    }
}
