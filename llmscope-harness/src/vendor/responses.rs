//! OpenAI responses: typed events instead of chunks.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::openai::{self, ReportedError, Timings};
use super::{ChatRequest, ContentKind, Endpoint, Profile, Reader, Vendor, at, parse, post};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::StreamEvent;
use crate::response_state::{ResponseState, reported_failure};

const PROFILE: Profile = Profile {
    name: "openai-responses",
    provider: "openai",
    url: Some("https://api.openai.com/v1"),
    key_variables: &["OPENAI_API_KEY"],
    needs_key: false,
    budget: None,
};

#[derive(Debug)]
pub(super) struct Responses;

impl Vendor for Responses {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let url = at(&openai::base(&endpoint.url), &["responses"])?;
        let mut body = Map::new();
        body.insert("model".to_owned(), chat.model.into());
        body.insert("stream".to_owned(), true.into());
        if let Some(system) = chat.system {
            body.insert("instructions".to_owned(), system.into());
        }
        body.insert("input".to_owned(), super::messages(&ChatRequest { system: None, ..*chat }).into());
        if let Some(tokens) = chat.output_tokens {
            body.insert("max_output_tokens".to_owned(), tokens.into());
        }
        openai::authorized(PROFILE.name, endpoint, post(PROFILE.name, endpoint, &url, body, chat.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ResponsesReader)
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        openai::models(PROFILE.name, endpoint).map(Some)
    }
}

struct ResponsesReader;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type", default)]
    kind: String,
    delta: Option<Value>,
    response: Option<Response>,
    message: Option<String>,
    code: Option<String>,
    error: Option<ReportedError>,
    timings: Option<Timings>,
}

#[derive(Deserialize)]
struct Response {
    id: Option<String>,
    model: Option<String>,
    status: Option<String>,
    usage: Option<Usage>,
    error: Option<ReportedError>,
    incomplete_details: Option<Incomplete>,
}

#[derive(Deserialize)]
struct Incomplete {
    reason: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: Option<InputDetails>,
    output_tokens_details: Option<OutputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl Reader for ResponsesReader {
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure> {
        // OpenAI ends the stream without `[DONE]`, some compatible servers with it.
        if event.data.trim_ascii() == b"[DONE]" {
            state.closed = true;
            return Ok(None);
        }
        let event: Event = parse(event)?;
        let text = event.delta.as_ref().and_then(Value::as_str).filter(|text| !text.is_empty());
        match event.kind.as_str() {
            "response.output_text.delta" | "response.refusal.delta" => {
                state.silent = text.is_none();
                Ok(text.map(|text| {
                    state.push_text(text);
                    ContentKind::Text
                }))
            }
            "response.reasoning_text.delta" => Ok(text.map(|_| ContentKind::Reasoning)),
            "response.reasoning_summary_text.delta" => Ok(text.map(|_| ContentKind::ReasoningSummary)),
            "response.function_call_arguments.delta" => Ok(text.map(|_| ContentKind::Tool)),
            "response.completed" | "response.incomplete" => {
                (state.ended, state.closed) = (true, true);
                state.counts_end_token |= event.timings.is_some();
                event.timings.into_iter().for_each(|timings| timings.note(state));
                event.response.into_iter().for_each(|response| note(response, state));
                Ok(None)
            }
            "response.failed" => Err(event
                .response
                .and_then(|response| response.error)
                .map_or_else(|| reported_failure("", "response.failed"), ReportedError::into_failure)),
            "error" => Err(match event.error {
                Some(error) => error.into_failure(),
                None => reported_failure(&event.code.unwrap_or_default(), &event.message.unwrap_or_default()),
            }),
            // Events such as created, in progress, part added and part done, which servers send in any order.
            _ => Ok(None),
        }
    }
}

fn note(response: Response, state: &mut ResponseState) {
    state.id = response.id.or(state.id.take());
    state.model = response.model.or(state.model.take());
    state.finish_reason = response.incomplete_details.and_then(|details| details.reason).or(response.status);
    if let Some(usage) = response.usage {
        (state.input_tokens, state.output_tokens) = (usage.input_tokens, usage.output_tokens);
        state.cached_tokens = usage.input_tokens_details.and_then(|details| details.cached_tokens);
        state.reasoning_tokens = usage.output_tokens_details.and_then(|details| details.reasoning_tokens);
    }
}
