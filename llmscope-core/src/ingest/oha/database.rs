//! `--db-url`: the rows of oha's table (SQLite), as a JSON array of objects. Several runs share a table.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::error::{Error, Location, Result};
use crate::ingest::attributes::{numbers, texts};
use crate::ingest::empty::no_requests;
use crate::ingest::hey::without_response;
use crate::ingest::http;
use crate::ingest::tool::Parsed;
use crate::session::{RequestRecord, Session, SessionHeader, Software, Status};

#[derive(Deserialize)]
struct Response {
    url: String,
    /// Seconds since the beginning of the run.
    start: f64,
    /// Seconds; from the time at which the request was due, with `--latency-correction`.
    duration: f64,
    status: u16,
    len_bytes: Option<f64>,
    /// Seconds since 1970, equal for all rows of a run.
    run: i64,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut responses: Vec<Response> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if responses.is_empty() {
        return Err(no_requests(source, "give the database of a run that got at least one response"));
    }
    // The rows of each connection follow one another.
    responses.sort_by(|a, b| a.run.cmp(&b.run).then(a.start.total_cmp(&b.start)));
    let several = responses.first().map(|first| first.run) != responses.last().map(|last| last.run);
    let records = responses.iter().map(|response| response.record(several)).collect();
    let recorder = Some(Software { name: "oha".to_owned(), version: None });
    let header = SessionHeader { recorder, ..SessionHeader::default() };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, vec![without_response(source, "oha")]))
}

impl Response {
    fn record(&self, several: bool) -> RequestRecord {
        let error = http::refusal(self.status);
        let succeeded = error.is_none();
        let run = several.then(|| self.run.to_string());
        let mut attributes: BTreeMap<_, _> = numbers([
            ("request_start_s", Some(self.start)),
            ("bytes", self.len_bytes),
            ("status", Some(f64::from(self.status))),
        ])
        .collect();
        attributes.extend(texts([("url", Some(self.url.as_str())), ("run", run.as_deref())]));
        RequestRecord {
            status: if succeeded { Status::Ok } else { Status::Error },
            error,
            e2e_s: Some(self.duration).filter(|_| succeeded),
            attributes,
            ..RequestRecord::default()
        }
    }
}
