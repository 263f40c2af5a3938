//! evalscope perf: the rows of its table `result` (SQLite), as a JSON array of objects.
//!
//! Traps: times are seconds of a monotonic clock, and give an order but no time of day. A request that failed has no
//! latency, and no reason. Rows are in order of the end.

use serde::Deserialize;

use super::attributes::texts;
use super::empty::no_requests;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{RequestError, RequestRecord, Session, SessionHeader, Software, Status};

pub(super) const FORMAT: Format = Format {
    name: "evalscope",
    title: "evalscope perf requests (SQLite, or its rows as JSON)",
    recognizes: |signature| {
        signature.has_all(&["[].first_chunk_latency", "[].inter_token_latencies", "[].completed_time", "[].success"])
    },
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Request {
    /// The body of the request, as JSON text.
    request: Option<String>,
    start_time: Option<f64>,
    /// A list, as JSON text.
    inter_token_latencies: Option<String>,
    success: i64,
    latency: Option<f64>,
    first_chunk_latency: Option<f64>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    time_per_output_token: Option<f64>,
    request_id: Option<String>,
    is_stream: Option<i64>,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let mut requests: Vec<Request> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if requests.is_empty() {
        return Err(no_requests(source, "give the result of a run that sent at least one request"));
    }
    requests.sort_by(|a, b| a.start_time.unwrap_or(f64::MAX).total_cmp(&b.start_time.unwrap_or(f64::MAX)));
    let recorder = Some(Software { name: "evalscope".to_owned(), version: None });
    let header = SessionHeader { recorder, ..SessionHeader::default() };
    let records = requests.iter().map(Request::record).collect();
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, Vec::new()))
}

impl Request {
    fn record(&self) -> RequestRecord {
        let mut record = RequestRecord {
            model: self.model(),
            input_tokens: self.prompt_tokens,
            attributes: texts([("request_id", self.request_id.as_deref())]).collect(),
            ..RequestRecord::default()
        };
        if self.success == 0 {
            record.status = Status::Error;
            record.error = Some(RequestError { kind: "failed".to_owned(), code: None, message: None });
            return record;
        }
        let streamed = self.is_stream != Some(0);
        record.e2e_s = self.latency;
        record.ttft_s = self.first_chunk_latency.filter(|_| streamed);
        record.tpot_s = self.time_per_output_token.filter(|_| streamed);
        record.icl_s = self.gaps().filter(|_| streamed).unwrap_or_default();
        record.output_tokens = self.completion_tokens;
        record
    }

    fn gaps(&self) -> Option<Vec<f64>> {
        serde_json::from_str(self.inter_token_latencies.as_deref()?).ok()
    }

    fn model(&self) -> Option<String> {
        let request: serde_json::Value = serde_json::from_str(self.request.as_deref()?).ok()?;
        request.get("model")?.as_str().map(str::to_owned)
    }
}
