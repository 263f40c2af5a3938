//! aiperf's records: one request per line, in the order in which they were processed, including warm-up.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{KNOWN_UNITS, in_si};
use crate::error::{Error, Location, Result};
use crate::ingest::{failure, timestamp};
use crate::session::{AttributeValue, RequestError, RequestRecord, SessionHeader, Software, Status};

#[derive(Deserialize)]
struct Line {
    metadata: Metadata,
    #[serde(default)]
    metrics: BTreeMap<String, Metric>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
struct Metadata {
    benchmark_phase: String,
    phase_kind: Option<String>,
    phase_name: Option<String>,
    credit_issued_ns: Option<i64>,
    x_request_id: Option<String>,
    request_start_ns: i64,
    #[serde(default)]
    was_cancelled: bool,
}

#[derive(Deserialize)]
struct Metric {
    value: Value,
    #[serde(default)]
    unit: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Value {
    Number(f64),
    Numbers(Vec<f64>),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
struct Failure {
    code: Option<i64>,
    #[serde(rename = "type")]
    kind: Option<String>,
    message: Option<String>,
}

/// Times that have no field in a session: the tool's tag and the attribute.
const OWN_TIMES: &[(&str, &str)] = &[
    ("time_to_second_token", "time_to_second_token_s"),
    ("time_to_first_output_token", "time_to_first_output_token_s"),
    ("http_req_blocked", "http_req_blocked_s"),
    ("http_req_dns_lookup", "http_req_dns_lookup_s"),
    ("http_req_sending", "http_req_sending_s"),
    // Until the first byte, which need not contain a token.
    ("http_req_waiting", "http_req_waiting_s"),
    ("http_req_receiving", "http_req_receiving_s"),
];

/// The lines contain neither the model nor the version; only the summary does.
pub(super) fn header(_first: &str) -> SessionHeader {
    SessionHeader { recorder: Some(Software { name: "aiperf".to_owned(), version: None }), ..SessionHeader::default() }
}

pub(super) fn read(line: &str, location: &dyn Fn() -> Location, records: &mut Vec<RequestRecord>) -> Result<()> {
    let line: Line = serde_json::from_str(line).map_err(|error| Error::of_json(location(), &error))?;
    records.push(line.record(location)?);
    Ok(())
}

impl Line {
    fn record(&self, location: &dyn Fn() -> Location) -> Result<RequestRecord> {
        let metadata = &self.metadata;
        let (status, error) = self.outcome();
        let mut record = RequestRecord {
            started_at: timestamp::of_epoch_ns(metadata.request_start_ns),
            warmup: metadata.is_warm_up(),
            status,
            error,
            ..RequestRecord::default()
        };
        // The server's counts where it reported them; otherwise aiperf counts with its own tokenizer.
        let tokens = |tag: &str| Ok::<_, Error>(self.number(tag, location)?.and_then(count));
        let reported = tokens("usage_completion_tokens")?;
        let own = tokens("output_sequence_length")?;
        record.input_tokens = tokens("usage_prompt_tokens")?.or(tokens("input_sequence_length")?);
        record.output_tokens = reported.or(own);
        record.tokens_estimated = reported.is_none() && own.is_some();
        if record.succeeded() {
            record.ttft_s = self.number("time_to_first_token", location)?;
            record.e2e_s = self.number("request_latency", location)?;
            record.tpot_s = self.number("inter_token_latency", location)?;
            record.icl_s = self.numbers("inter_chunk_latency", location)?;
        }
        // A reused connection has an overhead of 0, which is not a connection time.
        let reused = self.number("http_req_connection_reused", location)? == Some(1.0);
        record.connect_s = self.number("http_req_connection_overhead", location)?.filter(|_| !reused);
        record.attributes = self.attributes(location)?;
        Ok(record)
    }

    fn attributes(&self, location: &dyn Fn() -> Location) -> Result<BTreeMap<String, AttributeValue>> {
        let metadata = &self.metadata;
        let mut attributes = BTreeMap::new();
        let mut note = |name: &str, value: Option<f64>| {
            attributes.extend(value.map(|value| (name.to_owned(), AttributeValue::Number(value))));
        };
        for (tag, name) in OWN_TIMES {
            note(name, self.number(tag, location)?);
        }
        note("reasoning_tokens", self.number("reasoning_token_count", location)?);
        note("http_req_connection_reused", self.number("http_req_connection_reused", location)?);
        #[allow(clippy::cast_precision_loss, reason = "a wait is far below the 104 days of 2^53 ns")]
        let wait_s = metadata
            .credit_issued_ns
            .and_then(|at| metadata.request_start_ns.checked_sub(at))
            .map(|ns| ns as f64 / 1e9);
        note("credit_to_start_latency_s", wait_s);
        // One file may contain several measurement phases.
        if let Some(name) = metadata.phase_name.as_ref().filter(|name| **name != metadata.benchmark_phase) {
            attributes.insert("run".to_owned(), AttributeValue::Text(name.clone()));
        }
        if let Some(id) = &metadata.x_request_id {
            attributes.insert("x_request_id".to_owned(), AttributeValue::Text(id.clone()));
        }
        Ok(attributes)
    }

    fn outcome(&self) -> (Status, Option<RequestError>) {
        let Some(failed) = &self.error else {
            return match self.metadata.was_cancelled {
                false => (Status::Ok, None),
                true => {
                    (Status::Cancelled, Some(RequestError { kind: "cancelled".to_owned(), code: None, message: None }))
                }
            };
        };
        let text = failed.kind.as_deref().or(failed.message.as_deref()).unwrap_or_default();
        let (status, error) = failure::of_text(text);
        let status = if self.metadata.was_cancelled { Status::Cancelled } else { status };
        (status, Some(RequestError { code: failed.code, message: failed.message.clone(), ..error }))
    }

    /// A number converted to its SI unit.
    fn number(&self, tag: &str, location: &dyn Fn() -> Location) -> Result<Option<f64>> {
        match self.metrics.get(tag) {
            Some(Metric { value: Value::Number(value), unit }) => to_si(tag, *value, unit, location).map(Some),
            _ => Ok(None),
        }
    }

    fn numbers(&self, tag: &str, location: &dyn Fn() -> Location) -> Result<Vec<f64>> {
        match self.metrics.get(tag) {
            Some(Metric { value: Value::Numbers(values), unit }) => {
                values.iter().map(|&value| to_si(tag, value, unit, location)).collect()
            }
            _ => Ok(Vec::new()),
        }
    }
}

impl Metadata {
    fn is_warm_up(&self) -> bool {
        self.phase_kind.as_deref().unwrap_or(&self.benchmark_phase) == "warmup"
    }
}

fn to_si(tag: &str, value: f64, unit: &str, location: &dyn Fn() -> Location) -> Result<f64> {
    in_si(value, unit).ok_or_else(|| Error::Format {
        location: location().field(&format!("metrics.{tag}.unit")),
        problem: format!("unknown unit {unit:?}"),
        fix: KNOWN_UNITS.to_owned(),
    })
}

/// A count that is written as a floating-point number.
fn count(value: f64) -> Option<u64> {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range, as tested")]
    ((0.0..9e15).contains(&value) && value.fract() == 0.0).then_some(value as u64)
}
