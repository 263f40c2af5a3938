//! `--output-format csv`: a line for each response, in order of the start of its request.

use std::collections::BTreeMap;

use super::{DNS, FIRST_BYTE};
use crate::error::{Error, Result};
use crate::ingest::attributes::numbers;
use crate::ingest::http;
use crate::ingest::rows::{self, Row};
use crate::ingest::tool::Found;
use crate::session::{Notice, RequestRecord, Session, SessionHeader, Software, Status};

pub(super) fn read(source: &str, text: &str) -> Result<Found> {
    let mut records = Vec::new();
    let mut notices = rows::read(source, text, "give the result of a run that got at least one response", |row| {
        records.push(record(row)?);
        Ok(())
    })?;
    notices.push(Notice {
        location: crate::error::Location::of(source),
        message:
            "oha leaves requests without a response out of its CSV (refused connections, timeouts): the error rate \
                  knows only of responses; its JSON counts them"
                .to_owned(),
    });
    let header = SessionHeader {
        recorder: Some(Software { name: "oha".to_owned(), version: None }),
        ..SessionHeader::default()
    };
    Ok(Found::Session(Session { header, records, ..Session::default() }, notices))
}

fn record(row: &Row<'_>) -> Result<RequestRecord> {
    let status = status(row)?;
    let error = http::refusal(status);
    let succeeded = error.is_none();
    // What did not happen is written as 0: no connection was made, no byte of a body came.
    let happened = |name| row.number(name).map(|seconds| seconds.filter(|&seconds| seconds != 0.0));
    let (dns_s, connect_s, first_byte_s) = (happened("DNS")?, happened("DNS+dialup")?, happened("Response-delay")?);
    let e2e_s = row.number("request-duration")?;
    let of_success = |seconds: Option<f64>| seconds.filter(|_| succeeded);
    let attributes = numbers([
        // The start is told from the beginning of the run, whose moment is not.
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
