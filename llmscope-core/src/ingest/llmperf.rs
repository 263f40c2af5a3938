//! LLMPerf's individual responses: a JSON array with one object a request, in order of completion, without times.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::tool::{Format, Found, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, RequestError, RequestRecord, Session, SessionHeader, Software, Status};

/// The fields that every response has, errors too.
pub(super) const FORMAT: Format = Format {
    name: "llmperf",
    title: "LLMPerf individual responses",
    recognizes: |outline| outline.has_all(&["[].error_code", "[].end_to_end_latency_s"]),
    reading: Reading::Whole(|source, text| read(source, text).map(|session| Found::Session(session, Vec::new()))),
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
        // Counted by the tool with a tokenizer of its own.
        tokens_estimated: response.number_output_tokens.is_some(),
        attributes: attributes
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), AttributeValue::Number(value?))))
            .collect::<BTreeMap<_, _>>(),
        ..RequestRecord::default()
    }
}
