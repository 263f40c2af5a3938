//! `--output-format csv`: one line per response, in order of the start of its request.

use std::collections::BTreeMap;

use super::{DNS, FIRST_BYTE};
use crate::error::{Error, Result};
use crate::ingest::attributes::numbers;
use crate::ingest::http;
use crate::ingest::rows::{self, Row};
use crate::ingest::tool::Parsed;
use crate::session::{RequestRecord, Session, SessionHeader, Software, Status, Warning};

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut responses: Vec<(f64, RequestRecord)> = Vec::new();
    let mut warnings = rows::read(source, text, "give the result of a run that got at least one response", |row| {
        responses.push((row.number("request-start")?.unwrap_or(f64::MAX), record(row)?));
        Ok(())
    })?;
    warnings.push(Warning {
        location: crate::error::Location::of(source),
        message: "oha omits requests without a response (refused connections, timeouts) from its CSV: the error rate \
             covers only responses; oha's JSON counts all requests"
            .to_owned(),
    });
    responses.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    let records = responses.into_iter().map(|(_, record)| record).collect();
    let header = SessionHeader {
        recorder: Some(Software { name: "oha".to_owned(), version: None }),
        ..SessionHeader::default()
    };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, warnings))
}

fn record(row: &Row<'_>) -> Result<RequestRecord> {
    let status = status(row)?;
    let error = http::refusal(status);
    let succeeded = error.is_none();
    // The tool writes 0 for what did not happen: no connection was made, or no byte of a body arrived.
    let happened = |name| row.number(name).map(|seconds| seconds.filter(|&seconds| seconds != 0.0));
    let (dns_s, connect_s, first_byte_s) = (happened("DNS")?, happened("DNS+dialup")?, happened("Response-delay")?);
    let e2e_s = row.number("request-duration")?;
    let of_success = |seconds: Option<f64>| seconds.filter(|_| succeeded);
    let attributes = numbers([
        // Starts are relative to the beginning of the run, whose time is not recorded.
        ("request_start_s", row.number("request-start")?),
        (DNS, of_success(dns_s)),
        (FIRST_BYTE, of_success(first_byte_s)),
        ("bytes", row.number("bytes")?),
        ("status", Some(f64::from(status))),
    ]);
    Ok(RequestRecord {
        status: if succeeded { Status::Ok } else { Status::Error },
        error,
        e2e_s: of_success(e2e_s),
        connect_s: of_success(connect_s),
        attributes: attributes.collect::<BTreeMap<_, _>>(),
        ..RequestRecord::default()
    })
}

fn status(row: &Row<'_>) -> Result<u16> {
    let text = row.text("status").unwrap_or_default();
    text.trim().parse().ok().filter(|status| (100..1000).contains(status)).ok_or_else(|| Error::Format {
        location: row.location.clone().field("status"),
        problem: format!("\"{}\" is not an HTTP status", crate::error::excerpt(text)),
        fix: "give the file as oha wrote it".to_owned(),
    })
}
