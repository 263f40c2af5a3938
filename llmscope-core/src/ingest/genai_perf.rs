//! genai-perf's `profile_export.json`, which Perf Analyzer writes: for each request, the timestamps of its responses
//! and the responses themselves, but no metrics.
//!
//! Traps: a response may be role-only, usage or empty, may hold several events, or only part of one. So the time to
//! first token is the time of the first response with generated content, not of the first response.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::runs::of_ns;
use super::tool::{Format, Parsed, Reading};
use super::{failure, timestamp};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, RequestRecord, Session, SessionHeader, Software, Status};

/// The requests of the first load level.
pub(super) const FORMAT: Format = Format {
    name: "genai-perf",
    title: "genai-perf profile export (JSON)",
    recognizes: |signature| signature.has_all(&["experiments[].experiment.mode", "experiments[].requests"]),
    reading: Reading::Whole(|source, text| read(source, text).map(|session| Parsed::Session(session, Vec::new()))),
};

#[derive(Deserialize)]
struct Export {
    experiments: Vec<Experiment>,
    service_kind: Option<String>,
    endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Experiment {
    experiment: Load,
    #[serde(default)]
    requests: Vec<Request>,
}

#[derive(Deserialize)]
struct Load {
    mode: String,
    value: f64,
}

/// Timestamps are nanoseconds of the system clock.
#[derive(Deserialize)]
struct Request {
    timestamp: i64,
    #[serde(default)]
    request_inputs: BTreeMap<String, Value>,
    #[serde(default)]
    response_timestamps: Vec<i64>,
    #[serde(default)]
    response_outputs: Vec<BTreeMap<String, Value>>,
}

fn read(source: &str, text: &str) -> Result<Session> {
    let mut export: Export =
        serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if export.experiments.iter().all(|experiment| experiment.requests.is_empty()) {
        return Err(Error::Format {
            location: Location::of(source).field("experiments"),
            problem: "no requests".to_owned(),
            fix: "give the export of a run that sent requests".to_owned(),
        });
    }
    let mut records = Vec::new();
    for experiment in &mut export.experiments {
        experiment.requests.sort_by_key(|request| request.timestamp);
        let attributes = experiment.experiment.attributes();
        for request in &experiment.requests {
            records.push(RequestRecord { attributes: attributes.clone(), ..request.record() });
        }
    }
    let models: Vec<_> = records.iter().map(|record| record.model.clone()).collect();
    let model =
        models.first().cloned().flatten().filter(|first| models.iter().all(|model| model.as_ref() == Some(first)));
    if model.is_some() {
        records.iter_mut().for_each(|record| record.model = None);
    }
    let labels = [("service_kind", export.service_kind), ("endpoint", export.endpoint)];
    let labels =
        labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.filter(|v| !v.is_empty())?)));
    let header = SessionHeader {
        recorder: Some(Software { name: "genai-perf".to_owned(), version: None }),
        started_at: records.iter().filter_map(|record| record.started_at).min(),
        model,
        labels: labels.collect(),
        ..SessionHeader::default()
    };
    Ok(Session { header, records, ..Session::default() })
}

impl Load {
    fn attributes(&self) -> BTreeMap<String, AttributeValue> {
        let number = match self.mode.as_str() {
            "concurrency" => Some("concurrency"),
            "request_rate" => Some("request_rate_per_s"),
            _ => None,
        };
        let run = AttributeValue::Text(format!("{}@{}", self.mode, self.value));
        let number = number.map(|name| (name.to_owned(), AttributeValue::Number(self.value)));
        number.into_iter().chain([("run".to_owned(), run)]).collect()
    }
}

/// What the responses of a request contain.
#[derive(Default)]
struct Answer {
    /// The timestamps of the responses with generated content.
    content_ns: Vec<i64>,
    usage: Option<Usage>,
    /// The message of an error event.
    error: Option<String>,
}

#[derive(Deserialize, Clone, Copy)]
struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

impl Request {
    fn record(&self) -> RequestRecord {
        let answer = self.answer();
        let seconds = |from: i64, to: i64| nanoseconds(from, to).map(of_ns);
        let (first, last) = (answer.content_ns.first().copied(), answer.content_ns.last().copied());
        let output_tokens = answer.usage.and_then(|usage| usage.completion_tokens);
        let mut record = RequestRecord {
            started_at: timestamp::of_epoch_ns(self.timestamp),
            model: self.model(),
            input_tokens: answer.usage.and_then(|usage| usage.prompt_tokens),
            output_tokens,
            ..RequestRecord::default()
        };
        if first.is_none() {
            let (status, error) = failure::of_text(answer.error.as_deref().unwrap_or("no content"));
            (record.status, record.error) = (status, Some(error));
        } else if let Some(message) = answer.error {
            record.status = Status::Error;
            record.error = Some(failure::of_text(&message).1);
        } else {
            record.ttft_s = first.and_then(|first| seconds(self.timestamp, first));
            record.e2e_s = self.response_timestamps.last().and_then(|&end| seconds(self.timestamp, end));
            record.icl_s = answer.content_ns.windows(2).filter_map(|pair| seconds(pair[0], pair[1])).collect();
            record.tpot_s = first.zip(last).and_then(|(first, last)| {
                let after_first = output_tokens?.checked_sub(1).filter(|&tokens| tokens > 0)?;
                #[allow(clippy::cast_precision_loss, reason = "a token count is far below 2^53")]
                let tokens = after_first as f64;
                seconds(first, last).filter(|&seconds| seconds > 0.0).map(|seconds| seconds / tokens)
            });
        }
        record
    }

    /// The model that an OpenAI payload requests.
    fn model(&self) -> Option<String> {
        let payload: Value = serde_json::from_str(self.request_inputs.get("payload")?.as_str()?).ok()?;
        payload.get("model")?.as_str().map(str::to_owned)
    }

    /// Role-only, usage and empty chunks are responses without content. One response may hold several events, and one
    /// event may be split over two responses: the second one completes it.
    fn answer(&self) -> Answer {
        let mut answer = Answer::default();
        let mut unfinished = String::new();
        for (&at, output) in self.response_timestamps.iter().zip(&self.response_outputs) {
            let Some(response) = output.get("response").and_then(Value::as_str) else {
                if output.iter().any(|(name, value)| name != "response" && is_output(value)) {
                    answer.content_ns.push(at);
                }
                continue;
            };
            let text = std::mem::take(&mut unfinished) + response;
            let mut has_content = false;
            for event in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
                let data = event.strip_prefix("data:").map_or(event, str::trim);
                match serde_json::from_str::<Value>(data) {
                    Ok(data) => {
                        has_content |= has_tokens(&data);
                        answer.usage = usage(&data).or(answer.usage);
                        let error = data.get("error").filter(|error| !error.is_null()).map(Value::to_string);
                        answer.error = error.or(answer.error);
                    }
                    Err(error) if error.is_eof() => unfinished = event.to_owned(),
                    // The end marker, comments and event names.
                    Err(_) => {}
                }
            }
            if has_content {
                answer.content_ns.push(at);
            }
        }
        answer
    }
}

/// Nanoseconds between two timestamps; `None` if the clock stepped back between them.
fn nanoseconds(from: i64, to: i64) -> Option<f64> {
    #[allow(clippy::cast_precision_loss, reason = "a duration is far below the 104 days of 2^53 ns")]
    to.checked_sub(from).filter(|&ns| ns >= 0).map(|ns| ns as f64)
}

/// True if a tensor of a Triton response is not empty.
fn is_output(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Null => false,
        _ => true,
    }
}

/// True if a chunk of an OpenAI, Triton or Hugging Face stream carries generated content, including reasoning.
fn has_tokens(chunk: &Value) -> bool {
    let filled = |value: Option<&Value>| {
        value.is_some_and(|value| match value {
            Value::String(text) => !text.is_empty(),
            Value::Array(calls) => !calls.is_empty(),
            _ => false,
        })
    };
    let choice = chunk.pointer("/choices/0");
    let delta = choice.and_then(|choice| choice.get("delta").or_else(|| choice.get("message")));
    ["content", "reasoning_content", "reasoning", "tool_calls"]
        .iter()
        .any(|name| filled(delta.and_then(|delta| delta.get(name))))
        || filled(choice.and_then(|choice| choice.get("text")))
        || filled(chunk.get("text_output"))
        || filled(chunk.pointer("/token/text"))
        || filled(chunk.get("generated_text").or_else(|| chunk.pointer("/0/generated_text")))
}

fn usage(chunk: &Value) -> Option<Usage> {
    Usage::deserialize(chunk.get("usage")?).ok()
}
