//! bench-my-llm's results file (JSON): one request per prompt, with times to a tenth of a millisecond.
//!
//! Traps: token counts are estimates (words times 1.3). The first request's time to first token includes the loading of
//! the client library. For a response without text, the tool writes the total latency as the time to first token.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::runs::of_ms;
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::session::{AttributeValue, RequestRecord, Session, SessionHeader, Software, Warning};

/// A suite of prompts, with the times of the first result.
pub(super) const FORMAT: Format = Format {
    name: "bench-my-llm",
    title: "bench-my-llm results",
    recognizes: |signature| signature.has_all(&["suite", "results[].ttft_ms", "results[].total_latency_ms"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Run {
    model: Option<String>,
    suite: Option<String>,
    base_url: Option<String>,
    timestamp: Option<String>,
    results: Vec<Answer>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Metadata {
    notes: Option<String>,
    temperature: Option<f64>,
    tool_version: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    model: Option<String>,
    category: Option<String>,
    response_text: Option<String>,
    ttft_ms: Option<f64>,
    total_latency_ms: Option<f64>,
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let run: Run = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if run.results.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("results"),
            problem: "no requests".to_owned(),
            fix: "give the results of a finished run".to_owned(),
        });
    }
    let first = Warning {
        location: Location::of(source).field("results[0]"),
        message: "the time to first token of the first request is too long: bench-my-llm loads its client library \
                  within it"
            .to_owned(),
    };
    let records = run.results.iter().map(|answer| answer.record(run.model.as_deref())).collect();
    Ok(Parsed::Session(Session { header: run.header(), records, ..Session::default() }, vec![first]))
}

impl Run {
    fn header(&self) -> SessionHeader {
        let metadata = self.metadata.as_ref();
        let labels = [
            ("suite", self.suite.clone()),
            ("base_url", self.base_url.clone()),
            ("temperature", metadata.and_then(|metadata| metadata.temperature).map(|t| t.to_string())),
        ];
        SessionHeader {
            recorder: Some(Software {
                name: "bench-my-llm".to_owned(),
                version: metadata.and_then(|metadata| metadata.tool_version.clone()).filter(|text| !text.is_empty()),
            }),
            description: metadata.and_then(|metadata| metadata.notes.clone()).filter(|text| !text.is_empty()),
            started_at: self.timestamp.as_deref().and_then(timestamp::of_text),
            model: self.model.clone(),
            labels: labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect(),
            ..SessionHeader::default()
        }
    }
}

impl Answer {
    fn record(&self, model: Option<&str>) -> RequestRecord {
        // Without text in the response, the tool writes the total latency as the time to first token and counts one
        // word.
        let has_text = self.response_text.as_ref().is_none_or(|text| !text.is_empty());
        RequestRecord {
            model: self.model.clone().filter(|own| Some(own.as_str()) != model),
            ttft_s: self.ttft_ms.filter(|_| has_text).map(of_ms),
            e2e_s: self.total_latency_ms.map(of_ms),
            // The tool's estimate: words times 1.3.
            input_tokens: self.prompt_tokens,
            output_tokens: self.completion_tokens.filter(|_| has_text),
            tokens_estimated: true,
            attributes: self
                .category
                .iter()
                .map(|category| ("category".to_owned(), AttributeValue::Text(category.clone())))
                .collect::<BTreeMap<_, _>>(),
            ..RequestRecord::default()
        }
    }
}
