//! LLMPerf: the individual responses, a JSON array with one object per request, and the summary, a flat JSON object.
//!
//! Traps: responses are in order of completion and have no timestamps. LLMPerf's inter-token latency is e2e/n and
//! includes the time to first token, so it is not our `tpot_s`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::runs::Runs;
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, RequestError, RequestRecord, Session, SessionHeader, Software, Status};

/// The fields that every response has, including failed ones.
pub(super) const FORMAT: Format = Format {
    name: "llmperf",
    title: "LLMPerf individual responses",
    recognizes: |signature| signature.has_all(&["[].error_code", "[].end_to_end_latency_s"]),
    reading: Reading::Whole(|source, text| read(source, text).map(|session| Parsed::Session(session, Vec::new()))),
};

/// The settings at the beginning of every summary.
pub(super) const SUMMARY: Format = Format {
    name: "llmperf-summary",
    title: "LLMPerf summary",
    recognizes: |signature| {
        signature.has_all(&[
            "mean_input_tokens",
            "stddev_input_tokens",
            "mean_output_tokens",
            "num_concurrent_requests",
        ])
    },
    reading: Reading::Whole(read_summary),
};

#[derive(Deserialize)]
struct Response {
    error_code: Option<Value>,
    #[serde(default)]
    error_msg: String,
    inter_token_latency_s: Option<f64>,
    ttft_s: Option<f64>,
    end_to_end_latency_s: Option<f64>,
    request_output_throughput_token_per_s: Option<f64>,
    number_output_tokens: Option<u64>,
    number_input_tokens: Option<u64>,
}

fn read(source: &str, text: &str) -> Result<Session> {
    let responses: Vec<Response> =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let header = SessionHeader {
        recorder: Some(Software { name: "LLMPerf".to_owned(), version: None }),
        ..SessionHeader::default()
    };
    let records: Vec<RequestRecord> = responses.into_iter().map(record).collect();
    Ok(Session { header, records, ..Session::default() })
}

fn record(response: Response) -> RequestRecord {
    let error = response.error_code.filter(|code| !code.is_null()).map(|code| RequestError {
        kind: if response.error_msg.is_empty() { "_OTHER".to_owned() } else { response.error_msg.clone() },
        code: code.as_i64(),
        message: (!response.error_msg.is_empty()).then_some(response.error_msg),
    });
    // LLMPerf's inter-token latency is e2e/n and includes the time to first token: it is not our `tpot_s`.
    let attributes = [
        ("inter_token_latency_s", response.inter_token_latency_s),
        ("request_output_throughput_token_per_s", response.request_output_throughput_token_per_s),
    ];
    RequestRecord {
        status: if error.is_some() { Status::Error } else { Status::Ok },
        error,
        ttft_s: response.ttft_s,
        e2e_s: response.end_to_end_latency_s,
        input_tokens: response.number_input_tokens,
        output_tokens: response.number_output_tokens,
        // The tool counts tokens with its own tokenizer.
        tokens_estimated: response.number_output_tokens.is_some(),
        attributes: attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), AttributeValue::Number(value?))))
            .collect::<BTreeMap<_, _>>(),
        ..RequestRecord::default()
    }
}

/// The summary's names and ours. Here too, the inter-token latency is e2e/n, and the throughput is that of a single
/// request.
const SUMMARIZED: &[(&str, &str)] = &[
    ("ttft_s", "ttft_s"),
    ("end_to_end_latency_s", "e2e_s"),
    ("inter_token_latency_s", "inter_token_latency_s"),
    ("request_output_throughput_token_per_s", "output_tokens_per_s"),
    ("number_input_tokens", "input_tokens"),
    ("number_output_tokens", "output_tokens"),
];

fn read_summary(source: &str, text: &str) -> Result<Parsed> {
    // Python writes NaN for statistics without data, as after a run with failures only.
    let text = text.replace(": NaN", ": null");
    let summary: BTreeMap<String, Value> =
        serde_json::from_str(&text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let number = |name: &str| match summary.get(name)? {
        Value::Number(number) => number.as_f64(),
        // pandas' integers are written as text.
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let result = |name: &str| number(&format!("results_{name}"));
    let mut runs = Runs::default();
    runs.begin(1);
    runs.text("run", summary.get("name").and_then(Value::as_str));
    runs.text("model", summary.get("model").and_then(Value::as_str));
    // The end of the run, in whole seconds.
    runs.text("timestamp", number("timestamp").and_then(timestamp::of_epoch_s).map(|at| at.to_string()).as_deref());
    runs.number("concurrency", number("num_concurrent_requests"));
    runs.number("requests", result("num_requests_started"));
    runs.number("failed", result("number_errors"));
    runs.number("requests_per_s", result("num_completed_requests_per_min").map(|per_minute| per_minute / 60.0));
    runs.number("output_tokens_per_s", result("mean_output_throughput_token_per_s"));
    for (theirs, ours) in SUMMARIZED {
        for (name, statistic) in [("mean", "mean"), ("stddev", "std"), ("min", "min"), ("max", "max")] {
            runs.number(&format!("{ours}.{statistic}"), result(&format!("{theirs}_{name}")));
        }
        for percentile in ["p25", "p50", "p75", "p90", "p95", "p99"] {
            runs.number(&format!("{ours}.{percentile}"), result(&format!("{theirs}_quantiles_{percentile}")));
        }
    }
    Ok(Parsed::Runs(runs))
}
