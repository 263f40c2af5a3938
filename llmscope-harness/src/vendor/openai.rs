//! OpenAI chat completions, and every server that is compatible.
//!
//! The stream: chunks with `choices[0].delta`, of which the first may carry a role and no content; a chunk with
//! `choices: []` and the usage; then `[DONE]`.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use url::Url;

use super::{Ask, Endpoint, Piece, Profile, Reader, Vendor, at, get, messages, parse, post};
use crate::answer::{Answer, reported};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::Message;

const PROFILE: Profile = Profile {
    name: "openai",
    provider: "openai",
    url: Some("https://api.openai.com/v1"),
    key_variables: &["OPENAI_API_KEY"],
    needs_key: false,
    budget: None,
};

#[derive(Debug)]
pub(super) struct OpenAi;

impl Vendor for OpenAi {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let url = at(&base(&endpoint.url), &["chat", "completions"])?;
        let body = body(ask, is_openai(&url));
        authorized(PROFILE.name, endpoint, post(PROFILE.name, endpoint, &url, body, ask.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader)
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        models(PROFILE.name, endpoint).map(Some)
    }
}

/// The request for the list of models, which all compatible servers share.
pub(super) fn models(vendor: &'static str, endpoint: &Endpoint) -> Result<Request<Bytes>> {
    let url = at(&base(&endpoint.url), &["models"])?;
    authorized(vendor, endpoint, get(vendor, endpoint, &url)?)
}

/// `http://host:8000` means `http://host:8000/v1`, as people say it.
pub(super) fn base(url: &Url) -> Url {
    let mut base = url.clone();
    if base.path() == "/" {
        base.set_path("/v1");
    }
    base
}

/// OpenAI itself no longer takes `max_tokens` for its newer models; most compatible servers know nothing else.
pub(super) fn is_openai(url: &Url) -> bool {
    url.host_str() == Some("api.openai.com")
}

pub(super) fn authorized(
    vendor: &'static str,
    endpoint: &Endpoint,
    mut request: Request<Bytes>,
) -> Result<Request<Bytes>> {
    if let Some(key) = &endpoint.key {
        request.headers_mut().insert(AUTHORIZATION, key.header(vendor, "Bearer ")?);
    }
    Ok(request)
}

pub(super) fn body(ask: &Ask<'_>, newest: bool) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("model".to_owned(), ask.model.into());
    body.insert("messages".to_owned(), messages(ask).into());
    body.insert("stream".to_owned(), true.into());
    body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    if let Some(tokens) = ask.output_tokens {
        body.insert(if newest { "max_completion_tokens" } else { "max_tokens" }.to_owned(), tokens.into());
    }
    body
}

/// Reads the chunks of a chat completion.
pub(super) struct ChatReader;

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    usage: Option<Usage>,
    error: Option<ReportedError>,
    timings: Option<Timings>,
    id: Option<String>,
    model: Option<String>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    /// What plain completions have instead of a delta.
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    finish_reason: Option<String>,
    error: Option<ReportedError>,
}

/// The pieces stay unread JSON unless somebody needs their words: this runs for every token.
#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// OpenRouter's.
    cost: Option<f64>,
}

#[derive(Deserialize)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

/// llama.cpp's own times.
#[derive(Deserialize)]
pub(super) struct Timings {
    prompt_ms: Option<f64>,
    predicted_ms: Option<f64>,
}

impl Timings {
    pub(super) fn note(&self, answer: &mut Answer) {
        self.prompt_ms.into_iter().for_each(|ms| answer.server_time("server_prefill_s", ms * 1e-3));
        self.predicted_ms.into_iter().for_each(|ms| answer.server_time("server_decode_s", ms * 1e-3));
    }
}

/// An error inside a stream: an object by the letter, a bare text by some gateways.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum ReportedError {
    Object {
        #[serde(default)]
        message: Option<String>,
        #[serde(default, rename = "type")]
        kind: Option<String>,
        #[serde(default)]
        code: Option<Value>,
        #[serde(default)]
        status: Option<String>,
    },
    Text(String),
}

impl ReportedError {
    pub(super) fn into_failure(self) -> Failure {
        match self {
            Self::Text(words) => reported("", &words),
            Self::Object { message, kind, code, status } => {
                let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
                let said = [status, kind, code].into_iter().flatten().filter(|part| part != "null");
                reported(&said.collect::<Vec<_>>().join(" "), &message.unwrap_or_default())
            }
        }
    }
}

impl Reader for ChatReader {
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure> {
        if message.data.trim_ascii() == b"[DONE]" {
            (answer.ended, answer.closed) = (true, true);
            return Ok(None);
        }
        let chunk: Chunk<'_> = parse(message)?;
        if let Some(error) = chunk.error {
            return Err(error.into_failure());
        }
        // Azure's first chunk has both, and both are empty.
        let named = |name: Option<String>| name.filter(|name| !name.is_empty());
        answer.id = named(chunk.id).or(answer.id.take());
        answer.model = named(chunk.model).or(answer.model.take());
        if let Some(timings) = chunk.timings {
            timings.note(answer);
        }
        if let Some(usage) = chunk.usage {
            note_usage(usage, answer);
        }
        let mut piece = None;
        for choice in chunk.choices {
            if let Some(error) = choice.error {
                return Err(error.into_failure());
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                if reason == "error" {
                    return Err(reported("", "the stream ended with finish_reason \"error\""));
                }
                answer.finish_reason = Some(reason);
                answer.ended = true;
            }
            piece = piece.or(choice.delta.as_ref().and_then(|delta| piece_of(delta, answer)));
            if choice.text.is_some_and(|text| said(text, answer)) {
                piece = Some(Piece::Text);
            }
        }
        Ok(piece)
    }
}

fn note_usage(usage: Usage, answer: &mut Answer) {
    answer.input_tokens = usage.prompt_tokens.or(answer.input_tokens);
    answer.output_tokens = usage.completion_tokens.or(answer.output_tokens);
    answer.tokens_so_far = usage.completion_tokens;
    answer.cached_tokens = usage.prompt_tokens_details.and_then(|d| d.cached_tokens).or(answer.cached_tokens);
    let reasoning = usage.completion_tokens_details.and_then(|details| details.reasoning_tokens);
    answer.reasoning_tokens = reasoning.or(answer.reasoning_tokens);
    answer.cost_usd = usage.cost.or(answer.cost_usd);
}

fn piece_of(delta: &Delta<'_>, answer: &mut Answer) -> Option<Piece> {
    let holds = |raw: Option<&RawValue>| raw.is_some_and(|raw| !is_nothing(raw));
    if delta.content.is_some_and(|content| said(content, answer)) {
        Some(Piece::Text)
    } else if holds(delta.reasoning_content) || holds(delta.reasoning) {
        Some(Piece::Reasoning)
    } else if holds(delta.tool_calls) {
        Some(Piece::Tool)
    } else {
        None
    }
}

fn is_nothing(raw: &RawValue) -> bool {
    matches!(raw.get(), "null" | "\"\"" | "[]")
}

/// Notes the words of a piece if they will be needed; false for a piece that says nothing.
fn said(raw: &RawValue, answer: &mut Answer) -> bool {
    if is_nothing(raw) {
        return false;
    }
    if answer.text.is_some()
        && let Ok(words) = serde_json::from_str::<String>(raw.get())
    {
        answer.say(&words);
    }
    true
}
