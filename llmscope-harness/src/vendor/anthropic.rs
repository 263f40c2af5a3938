//! Anthropic messages: named events. The input usage comes first, the output usage at the end.

use bytes::Bytes;
use http::{HeaderValue, Request};
use serde::Deserialize;
use serde_json::Map;
use url::Url;

use super::openai::{self, ReportedError};
use super::{
    ChatRequest, ContentKind, Endpoint, Profile, Reader, Vendor, at, get, is_filled, messages, parse, post, total,
};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::StreamEvent;
use crate::response_state::{ResponseState, reported_failure};

/// Default for `max_tokens`, which the API requires.
const DEFAULT_OUTPUT_TOKENS: u32 = 1024;

const PROFILE: Profile = Profile {
    name: "anthropic",
    provider: "anthropic",
    url: Some("https://api.anthropic.com/v1"),
    key_variables: &["ANTHROPIC_API_KEY"],
    needs_key: false,
    budget: None,
};

#[derive(Debug)]
pub(super) struct Anthropic;

impl Vendor for Anthropic {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let mut body = Map::new();
        body.insert("model".to_owned(), chat.model.into());
        body.insert("max_tokens".to_owned(), chat.output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS).into());
        body.insert("stream".to_owned(), true.into());
        if let Some(system) = chat.system {
            body.insert("system".to_owned(), system.into());
        }
        body.insert("messages".to_owned(), messages(&ChatRequest { system: None, ..*chat }).into());
        signed(endpoint, post(PROFILE.name, endpoint, &url(endpoint, "messages")?, body, chat.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(MessagesReader)
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        signed(endpoint, get(PROFILE.name, endpoint, &url(endpoint, "models")?)?).map(Some)
    }
}

fn url(endpoint: &Endpoint, leaf: &str) -> Result<Url> {
    at(&openai::base(&endpoint.url), &[leaf])
}

fn signed(endpoint: &Endpoint, mut request: Request<Bytes>) -> Result<Request<Bytes>> {
    if let Some(key) = &endpoint.key {
        request.headers_mut().insert("x-api-key", key.header(PROFILE.name, "")?);
    }
    request.headers_mut().insert("anthropic-version", HeaderValue::from_static("2023-06-01"));
    Ok(request)
}

struct MessagesReader;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type", default)]
    kind: String,
    message: Option<Started>,
    content_block: Option<Block>,
    delta: Option<Delta>,
    usage: Option<Usage>,
    error: Option<ReportedError>,
}

#[derive(Deserialize)]
struct Started {
    id: Option<String>,
    model: Option<String>,
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct Block {
    #[serde(rename = "type", default)]
    kind: String,
}

#[derive(Deserialize)]
struct Delta {
    text: Option<String>,
    thinking: Option<String>,
    partial_json: Option<String>,
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
}

impl Reader for MessagesReader {
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure> {
        let event: Event = parse(event)?;
        if let Some(error) = event.error {
            return Err(error.into_failure());
        }
        match event.kind.as_str() {
            "message_start" => {
                if let Some(started) = event.message {
                    state.id = started.id.or(state.id.take());
                    state.model = started.model;
                    started.usage.into_iter().for_each(|usage| note_input(&usage, state));
                }
                Ok(None)
            }
            // The thinking itself can be a summary, encrypted, or omitted.
            "content_block_start" => {
                state.uncounted_reasoning |= event.content_block.is_some_and(|block| block.kind.contains("thinking"));
                Ok(None)
            }
            "content_block_delta" => Ok(event.delta.and_then(|delta| content_kind(&delta, state))),
            "message_delta" => {
                state.ended = true;
                state.finish_reason = event.delta.and_then(|delta| delta.stop_reason).or(state.finish_reason.take());
                if let Some(usage) = event.usage {
                    // Cumulative: the count covers the complete response.
                    state.output_tokens = usage.output_tokens.or(state.output_tokens);
                    note_input(&usage, state);
                }
                Ok(None)
            }
            "message_stop" => {
                (state.ended, state.closed) = (true, true);
                Ok(None)
            }
            "error" => Err(reported_failure("", "an error without a message")),
            _ => Ok(None),
        }
    }
}

/// Anthropic counts tokens read from the cache and tokens written to it separately from the rest of the prompt. A later
/// event may omit the cache counts, so the total never decreases.
fn note_input(usage: &Usage, state: &mut ResponseState) {
    let cached = usage.cache_read_input_tokens;
    let parts = [usage.input_tokens, cached, usage.cache_creation_input_tokens];
    state.input_tokens = usage.input_tokens.map(|_| total(&parts)).max(state.input_tokens);
    state.cached_tokens = cached.or(state.cached_tokens);
}

fn content_kind(delta: &Delta, state: &mut ResponseState) -> Option<ContentKind> {
    state.silent = delta.text.as_deref() == Some("");
    if let Some(text) = delta.text.as_ref().filter(|text| !text.is_empty()) {
        state.push_text(text);
        Some(ContentKind::Text)
    } else if is_filled(&delta.thinking) {
        // The thinking of newer models is a summary, and the output tokens include the original.
        Some(ContentKind::ReasoningSummary)
    } else if is_filled(&delta.partial_json) {
        Some(ContentKind::Tool)
    } else {
        None
    }
}
