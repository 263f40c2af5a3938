//! evalscope perf: the rows of its table `result` (SQLite), as a JSON array of objects; its summary and its percentiles
//! (JSON).
//!
//! Traps: times are seconds of a monotonic clock, and give an order but no time of day. A request that failed has no
//! latency, and no reason. Rows are in order of the end. The summary has means but not percentiles, and a request rate of
//! -1 if there is none. Units are in the names of fields, and differ between versions.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::attributes::texts;
use super::empty::no_requests;
use super::runs::{Runs, of_ms};
use super::statistics;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{RequestError, RequestRecord, Session, SessionHeader, Software, Status, Warning};

pub(super) const FORMAT: Format = Format {
    name: "evalscope",
    title: "evalscope perf requests (SQLite, or its rows as JSON)",
    recognizes: |signature| {
        signature.has_all(&["[].first_chunk_latency", "[].inter_token_latencies", "[].completed_time", "[].success"])
    },
    reading: Reading::Whole(read),
};

pub(super) const SUMMARY: Format = Format {
    name: "evalscope-summary",
    title: "evalscope perf summary (benchmark_summary.json)",
    recognizes: |signature| {
        let of_new = ["Test Duration (s)", "Total Requests", "Failed Requests"];
        let of_old = ["Time taken for tests (s)", "Total requests", "Failed requests"];
        signature.has_all(&of_new) || signature.has_all(&of_old)
    },
    reading: Reading::Whole(summary),
};

pub(super) const PERCENTILES: Format = Format {
    name: "evalscope-percentiles",
    title: "evalscope perf percentiles (benchmark_percentile.json)",
    recognizes: |signature| {
        signature.has("[].Percentiles")
            && ["[].Latency (s)", "[].TTFT (ms)", "[].TTFT (s)"].iter().any(|name| signature.has(name))
    },
    reading: Reading::Whole(percentiles),
};

/// The metrics of both files by their names in lower case, without a unit.
const METRICS: [(&str, &str); 9] = [
    ("latency", "e2e_s"),
    ("ttft", "ttft_s"),
    ("time to first token", "ttft_s"),
    ("tpot", "tpot_s"),
    ("time per output token", "tpot_s"),
    ("itl", "icl_s"),
    ("inter-token latency", "icl_s"),
    ("input tokens", "input_tokens"),
    ("output tokens", "output_tokens"),
];

/// The other numbers of a summary.
const NUMBERS: [(&str, &str); 10] = [
    ("test duration", "duration_s"),
    ("time taken for tests", "duration_s"),
    ("concurrency", "concurrency"),
    ("number of concurrency", "concurrency"),
    ("total requests", "requests"),
    ("failed requests", "failed"),
    ("req throughput", "requests_per_s"),
    ("request throughput", "requests_per_s"),
    ("output throughput", "output_tokens_per_s.mean"),
    ("output token throughput", "output_tokens_per_s.mean"),
];

/// A name such as `Avg TTFT (ms)` as its parts: `avg ttft`, `ms`.
fn parts(name: &str) -> (String, Option<&str>) {
    let with_unit = name.strip_suffix(')').and_then(|name| name.rsplit_once(" ("));
    with_unit.map_or((name.to_lowercase(), None), |(name, unit)| (name.to_lowercase(), Some(unit)))
}

fn column(known: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    known.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours)
}

/// A time in seconds, and another number as it is.
fn converted(value: f64, unit: Option<&str>) -> f64 {
    match unit {
        Some("ms") => of_ms(value),
        _ => value,
    }
}

fn summary(source: &str, text: &str) -> Result<Parsed> {
    let summary: BTreeMap<String, Value> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let mut runs = Runs::default();
    runs.begin(1);
    for (name, value) in &summary {
        let (name, unit) = parts(name);
        let value = value.as_f64().map(|value| converted(value, unit));
        let mean = ["avg ", "average "].iter().find_map(|prefix| name.strip_prefix(prefix));
        let of_metric = mean.and_then(|name| column(&METRICS, name));
        if let Some(metric) = of_metric {
            // evalscope writes 0 if no request has one.
            runs.number(&format!("{metric}.mean"), value.filter(|&value| value > 0.0));
        } else if let Some(number) = column(&NUMBERS, &name) {
            runs.number(number, value);
        } else if name == "request rate" {
            runs.number("request_rate_per_s", value.filter(|&rate| rate > 0.0));
        }
    }
    Ok(Parsed::Runs(runs))
}

fn percentiles(source: &str, text: &str) -> Result<Parsed> {
    let rows: Vec<BTreeMap<String, Value>> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let mut runs = Runs::default();
    runs.begin(1);
    for row in &rows {
        let rank = row.get("Percentiles").and_then(Value::as_str).unwrap_or_default();
        let theirs = rank.strip_suffix('%').map_or_else(|| rank.to_owned(), |rank| format!("p{rank}"));
        let Some(statistic) = statistics::name(&theirs) else { continue };
        for (name, value) in row {
            let (name, unit) = parts(name);
            if let Some(metric) = column(&METRICS, &name) {
                runs.number(&format!("{metric}.{statistic}"), value.as_f64().map(|value| converted(value, unit)));
            }
        }
    }
    if runs.table.columns.is_empty() {
        return Err(no_requests(source, "give the percentiles of a run with at least one successful request"));
    }
    let message = "percentiles of successful requests: the number of failures is in benchmark_summary.json".to_owned();
    runs.warnings.push(Warning { location: Location::of(source), message });
    Ok(Parsed::Runs(runs))
}

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
