//! Anthropic messages: named events; the usage of the prompt comes first, that of the answer at the end.

use bytes::Bytes;
use http::{HeaderValue, Request};
use serde::Deserialize;
use serde_json::Map;
use url::Url;

use super::openai::{self, ReportedError};
use super::{Ask, Endpoint, Piece, Profile, Reader, Vendor, at, get, messages, parse, post, total};
use crate::answer::{Answer, reported};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::Message;

/// The vendor insists on a bound; this one holds for whoever does not name one.
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

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let mut body = Map::new();
        body.insert("model".to_owned(), ask.model.into());
        body.insert("max_tokens".to_owned(), ask.output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS).into());
        body.insert("stream".to_owned(), true.into());
        if let Some(system) = ask.system {
            body.insert("system".to_owned(), system.into());
        }
        body.insert("messages".to_owned(), messages(&Ask { system: None, ..*ask }).into());
        signed(endpoint, post(PROFILE.name, endpoint, &url(endpoint, "messages")?, body, ask.extra)?)
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
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure> {
        let event: Event = parse(message)?;
        if let Some(error) = event.error {
            return Err(error.into_failure());
        }
        match event.kind.as_str() {
            "message_start" => {
                if let Some(started) = event.message {
                    answer.id = started.id.or(answer.id.take());
                    answer.model = started.model;
                    started.usage.into_iter().for_each(|usage| note_input(&usage, answer));
                }
                Ok(None)
            }
            "content_block_delta" => Ok(event.delta.and_then(|delta| piece_of(&delta, answer))),
            "message_delta" => {
                answer.ended = true;
                answer.finish_reason = event.delta.and_then(|delta| delta.stop_reason).or(answer.finish_reason.take());
                if let Some(usage) = event.usage {
                    // Cumulative: this is the whole answer.
                    answer.output_tokens = usage.output_tokens.or(answer.output_tokens);
                    note_input(&usage, answer);
                }
                Ok(None)
            }
            "message_stop" => {
                (answer.ended, answer.closed) = (true, true);
                Ok(None)
            }
            "error" => Err(reported("", "an error without words")),
            _ => Ok(None),
        }
    }
}

/// The vendor counts what it read from its cache, and what it wrote there, apart from the rest of the prompt. Counts
/// never shrink: where they come a second time, the parts in the cache may be left out.
fn note_input(usage: &Usage, answer: &mut Answer) {
    let cached = usage.cache_read_input_tokens;
    let parts = [usage.input_tokens, cached, usage.cache_creation_input_tokens];
    answer.input_tokens = usage.input_tokens.map(|_| total(&parts)).max(answer.input_tokens);
    answer.cached_tokens = cached.or(answer.cached_tokens);
}

fn piece_of(delta: &Delta, answer: &mut Answer) -> Option<Piece> {
    let holds = |words: &Option<String>| words.as_ref().is_some_and(|words| !words.is_empty());
    if let Some(words) = delta.text.as_ref().filter(|words| !words.is_empty()) {
        answer.say(words);
        Some(Piece::Text)
    } else if holds(&delta.thinking) {
        Some(Piece::Reasoning)
    } else if holds(&delta.partial_json) {
        Some(Piece::Tool)
    } else {
        None
    }
}
