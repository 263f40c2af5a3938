//! inference-perf: requests (`per_request_lifecycle_metrics.json`) and summaries (`summary_lifecycle_metrics.json`).
//!
//! Traps: times are seconds of a monotonic clock, and rows are in order of the end. The response of a failed request is
//! the server's message.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::empty::no_requests;
use super::failure;
use super::runs::Runs;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{RequestError, RequestRecord, Session, SessionHeader, Software};

pub(super) const REQUESTS: Format = Format {
    name: "inference-perf",
    title: "inference-perf requests (JSON)",
    recognizes: |signature| signature.has_all(&["[].start_time", "[].end_time", "[].info.request_metrics"]),
    reading: Reading::Whole(requests),
};

pub(super) const SUMMARY: Format = Format {
    name: "inference-perf-summary",
    title: "inference-perf summary (JSON)",
    recognizes: |signature| signature.has_all(&["load_summary", "successes.latency.request_latency"]),
    reading: Reading::Whole(summary),
};

#[derive(Deserialize)]
struct Request {
    start_time: f64,
    end_time: f64,
    info: Info,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Info {
    response_metrics: Option<Response>,
    input_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Response {
    output_tokens: Option<u64>,
    #[serde(default)]
    chunk_times: Vec<f64>,
    #[serde(default)]
    output_token_times: Vec<f64>,
}

#[derive(Deserialize)]
struct Failure {
    error_type: Option<String>,
    error_msg: Option<String>,
}

fn requests(source: &str, text: &str) -> Result<Parsed> {
    let mut requests: Vec<Request> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if requests.is_empty() {
        return Err(no_requests(source, "give the result of a run that sent at least one request"));
    }
    requests.sort_by(|a, b| a.start_time.total_cmp(&b.start_time));
    let recorder = Some(Software { name: "inference-perf".to_owned(), version: None });
    let header = SessionHeader { recorder, ..SessionHeader::default() };
    let records = requests.into_iter().map(Request::into_record).collect();
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, Vec::new()))
}

impl Request {
    fn into_record(self) -> RequestRecord {
        let mut record = RequestRecord { input_tokens: self.info.input_tokens, ..RequestRecord::default() };
        if let Some(error) = self.error {
            (record.status, record.error) = error.outcome();
            return record;
        }
        record.e2e_s = Some(self.end_time - self.start_time);
        let Some(response) = self.info.response_metrics else { return record };
        record.output_tokens = response.output_tokens;
        let times =
            if response.output_token_times.is_empty() { &response.chunk_times } else { &response.output_token_times };
        if let [first, .., last] = times[..] {
            record.ttft_s = Some(first - self.start_time);
            record.icl_s = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
            #[allow(clippy::cast_precision_loss, reason = "a count of tokens is small")]
            let after_first = response.output_tokens.filter(|&tokens| tokens > 1).map(|tokens| (tokens - 1) as f64);
            record.tpot_s = after_first.map(|tokens| (last - first) / tokens);
        }
        record
    }
}

impl Failure {
    fn outcome(self) -> (crate::session::Status, Option<RequestError>) {
        let kind = self.error_type.unwrap_or_default();
        let (status, error) = failure::of_text(&kind);
        let code = kind.rsplit(' ').next().and_then(|code| code.parse().ok());
        (status, Some(RequestError { code, message: self.error_msg, ..error }))
    }
}

#[derive(Deserialize)]
struct Summary {
    benchmark_time_seconds: Option<f64>,
    load_summary: BTreeMap<String, Value>,
    successes: Successes,
    #[serde(default)]
    failures: BTreeMap<String, Value>,
}

#[derive(Deserialize)]
struct Successes {
    latency: BTreeMap<String, Value>,
}

const METRICS: [(&str, &str); 4] = [
    ("time_to_first_token", "ttft_s"),
    ("request_latency", "e2e_s"),
    ("time_per_output_token", "tpot_s"),
    ("inter_token_latency", "icl_s"),
];

fn summary(source: &str, text: &str) -> Result<Parsed> {
    let summary: Summary = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let mut runs = Runs::default();
    runs.begin(1);
    runs.number("requests", summary.load_summary.get("count").and_then(Value::as_f64));
    runs.number("failed", summary.failures.get("count").and_then(Value::as_f64));
    runs.number("duration_s", summary.benchmark_time_seconds);
    for (theirs, ours) in METRICS {
        let statistics = summary.successes.latency.get(theirs).and_then(Value::as_object);
        runs.statistics(ours, statistics.into_iter().flatten(), Some);
    }
    Ok(Parsed::Runs(runs))
}
