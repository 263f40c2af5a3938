//! genai-bench: the requests of one scenario at one concurrency, as JSON.
//!
//! Traps: all latencies are in the unit `_time_unit`. `error_rate` is 0 whatever failed: a failed request has an
//! `error_code`. No request has a time of day.

use serde::Deserialize;

use super::attributes::{numbers, texts};
use super::empty::no_requests;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::metric::Unit;
use crate::session::{RequestError, RequestRecord, Session, SessionHeader, Software, Status};

pub(super) const FORMAT: Format = Format {
    name: "genai-bench",
    title: "genai-bench requests (JSON)",
    recognizes: |signature| signature.has_all(&["aggregated_metrics", "individual_request_metrics"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Report {
    aggregated_metrics: Aggregated,
    individual_request_metrics: Vec<Request>,
    #[serde(rename = "_time_unit")]
    time_unit: Option<String>,
}

#[derive(Deserialize)]
struct Aggregated {
    scenario: Option<String>,
    num_concurrency: Option<f64>,
}

#[derive(Deserialize)]
struct Request {
    ttft: Option<f64>,
    tpot: Option<f64>,
    e2e_latency: Option<f64>,
    num_input_tokens: Option<u64>,
    num_output_tokens: Option<u64>,
    error_code: Option<i64>,
    error_message: Option<String>,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let unit = report.time_unit.as_deref().unwrap_or("s");
    if Unit::Second.convert(1.0, unit).is_none() {
        return Err(Error::Format {
            location: Location::of(source).field("_time_unit"),
            problem: format!("\"{}\" is not a unit of time", crate::error::excerpt(unit)),
            fix: "give the file as genai-bench wrote it".to_owned(),
        });
    }
    if report.individual_request_metrics.is_empty() {
        return Err(no_requests(source, "give the result of a run that sent at least one request"));
    }
    let seconds = |time: Option<f64>| time.and_then(|time| Unit::Second.convert(time, unit));
    let record = |request: Request| {
        let error = request.error_code.map(|code| RequestError {
            kind: code.to_string(),
            code: Some(code),
            message: request.error_message.clone(),
        });
        let succeeded = error.is_none();
        RequestRecord {
            status: if succeeded { Status::Ok } else { Status::Error },
            error,
            ttft_s: seconds(request.ttft).filter(|_| succeeded),
            e2e_s: seconds(request.e2e_latency).filter(|_| succeeded),
            tpot_s: seconds(request.tpot).filter(|_| succeeded),
            input_tokens: request.num_input_tokens,
            output_tokens: request.num_output_tokens,
            attributes: numbers([("concurrency", report.aggregated_metrics.num_concurrency)])
                .chain(texts([("scenario", report.aggregated_metrics.scenario.as_deref())]))
                .collect(),
            ..RequestRecord::default()
        }
    };
    let records = report.individual_request_metrics.into_iter().map(record).collect();
    let recorder = Some(Software { name: "genai-bench".to_owned(), version: None });
    let header = SessionHeader { recorder, ..SessionHeader::default() };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, Vec::new()))
}
