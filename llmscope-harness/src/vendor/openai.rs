//! OpenAI chat completions, and every compatible server.
//!
//! The stream has chunks with `choices[0].delta`, of which the first may have a role and no content. A chunk with
//! `choices: []` and the usage follows, then `[DONE]`.

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use url::Url;

use super::{ChatRequest, ContentKind, Endpoint, Profile, Reader, Vendor, at, get, is_filled, messages, parse, post};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::StreamEvent;
use crate::response_state::{ResponseState, reported_failure};

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

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let url = at(&base(&endpoint.url), &["chat", "completions"])?;
        let body = body(chat, is_openai(&url));
        authorized(PROFILE.name, endpoint, post(PROFILE.name, endpoint, &url, body, chat.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader::default())
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

/// The base URL. `http://host:8000` is short for `http://host:8000/v1`.
pub(super) fn base(url: &Url) -> Url {
    let mut base = url.clone();
    if base.path() == "/" {
        base.set_path("/v1");
    }
    base
}

/// True for OpenAI itself, which no longer accepts `max_tokens` for its newer models. Most compatible servers accept
/// only that.
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

pub(super) fn body(chat: &ChatRequest<'_>, newest: bool) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("model".to_owned(), chat.model.into());
    body.insert("messages".to_owned(), messages(chat).into());
    body.insert("stream".to_owned(), true.into());
    body.insert("stream_options".to_owned(), json!({"include_usage": true}));
    if let Some(tokens) = chat.output_tokens {
        body.insert(if newest { "max_completion_tokens" } else { "max_tokens" }.to_owned(), tokens.into());
    }
    body
}

/// Reads the chunks of a chat completion.
#[derive(Default)]
pub(super) struct ChatReader {
    /// True after the first delta. With a role and an empty text, that one contains no token.
    started: bool,
}

#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    choices: Vec<Choice<'a>>,
    usage: Option<Usage>,
    error: Option<ReportedError>,
    timings: Option<Timings>,
    id: Option<String>,
    model: Option<String>,
    #[serde(borrow)]
    system_fingerprint: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow)]
    delta: Option<Delta<'a>>,
    /// The text of plain completions, which have no delta.
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    finish_reason: Option<String>,
    /// vLLM's own field, which it sends with the end of a response.
    #[serde(default, deserialize_with = "is_present")]
    stop_reason: bool,
    error: Option<ReportedError>,
}

/// True for a field that is in the event, even if it is null.
fn is_present<'de, D: Deserializer<'de>>(field: D) -> std::result::Result<bool, D::Error> {
    IgnoredAny::deserialize(field).map(|_| true)
}

/// The fields stay unparsed JSON unless their text is needed, because this runs for every token.
#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow)]
    reasoning: Option<&'a RawValue>,
    /// OpenRouter's parts of the reasoning.
    #[serde(default)]
    reasoning_details: Option<Vec<ReasoningDetail>>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
}

/// A part of the reasoning: its text, a summary, or encrypted data.
#[derive(Deserialize)]
struct ReasoningDetail {
    text: Option<String>,
    summary: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
    /// The price that OpenRouter reports.
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

/// Server times of llama.cpp.
#[derive(Deserialize)]
pub(super) struct Timings {
    prompt_ms: Option<f64>,
    predicted_ms: Option<f64>,
}

impl Timings {
    pub(super) fn note(&self, state: &mut ResponseState) {
        self.prompt_ms.into_iter().for_each(|ms| state.server_time("server_prefill_s", ms * 1e-3));
        self.predicted_ms.into_iter().for_each(|ms| state.server_time("server_decode_s", ms * 1e-3));
    }
}

/// An error inside a stream: an object, or a plain text from some gateways.
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
            Self::Text(text) => reported_failure("", &text),
            Self::Object { message, kind, code, status } => {
                let code = code.map(|code| code.as_str().map_or_else(|| code.to_string(), str::to_owned));
                let codes = [status, kind, code].into_iter().flatten().filter(|part| part != "null");
                reported_failure(&codes.collect::<Vec<_>>().join(" "), &message.unwrap_or_default())
            }
        }
    }
}

impl Reader for ChatReader {
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure> {
        if event.data.trim_ascii() == b"[DONE]" {
            (state.ended, state.closed) = (true, true);
            return Ok(None);
        }
        let chunk: Chunk<'_> = parse(event)?;
        if let Some(error) = chunk.error {
            return Err(error.into_failure());
        }
        // Both are empty in the first chunk of Azure.
        let named = |name: Option<String>| name.filter(|name| !name.is_empty());
        state.id = named(chunk.id).or(state.id.take());
        state.model = named(chunk.model).or(state.model.take());
        if let Some(timings) = chunk.timings {
            timings.note(state);
            state.counts_end_token = true;
        }
        state.counts_end_token |= chunk.system_fingerprint.is_some_and(|name| name.get().starts_with("\"vllm"));
        if let Some(usage) = chunk.usage {
            note_usage(usage, state);
        }
        let mut kind = None;
        for choice in chunk.choices {
            if let Some(error) = choice.error {
                return Err(error.into_failure());
            }
            if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
                if reason == "error" {
                    return Err(reported_failure("", "the stream ended with finish_reason \"error\""));
                }
                state.finish_reason = Some(reason);
                state.ended = true;
            }
            state.counts_end_token |= choice.stop_reason;
            if let Some(delta) = &choice.delta {
                kind = kind.or(content_kind(delta, state));
                let only_role = delta.role.is_some() && !self.started;
                state.silent |= !only_role && delta.content.is_some_and(|content| content.get() == "\"\"");
                self.started = true;
            }
            if let Some(text) = choice.text {
                state.silent |= text.get() == "\"\"";
                kind = kind.or(push_raw_text(text, state).then_some(ContentKind::Text));
            }
        }
        Ok(kind)
    }
}

fn note_usage(usage: Usage, state: &mut ResponseState) {
    state.input_tokens = usage.prompt_tokens.or(state.input_tokens);
    state.output_tokens = usage.completion_tokens.or(state.output_tokens);
    state.tokens_so_far = usage.completion_tokens;
    state.cached_tokens = usage.prompt_tokens_details.and_then(|d| d.cached_tokens).or(state.cached_tokens);
    let reasoning = usage.completion_tokens_details.and_then(|details| details.reasoning_tokens);
    state.reasoning_tokens = reasoning.or(state.reasoning_tokens);
    state.cost_usd = usage.cost.or(state.cost_usd);
}

fn content_kind(delta: &Delta<'_>, state: &mut ResponseState) -> Option<ContentKind> {
    let has_content = |raw: Option<&RawValue>| raw.is_some_and(|raw| !is_empty(raw));
    if delta.content.is_some_and(|content| push_raw_text(content, state)) {
        Some(ContentKind::Text)
    } else if let Some(kind) = delta.reasoning_details.as_deref().and_then(detail_kind) {
        Some(kind)
    } else if has_content(delta.reasoning_content) || has_content(delta.reasoning) {
        Some(ContentKind::Reasoning)
    } else if has_content(delta.tool_calls) {
        Some(ContentKind::Tool)
    } else {
        None
    }
}

/// The kind of the first detail with text. Encrypted reasoning has none.
fn detail_kind(details: &[ReasoningDetail]) -> Option<ContentKind> {
    details.iter().find_map(|detail| {
        let text = is_filled(&detail.text).then_some(ContentKind::Reasoning);
        text.or_else(|| is_filled(&detail.summary).then_some(ContentKind::ReasoningSummary))
    })
}

fn is_empty(raw: &RawValue) -> bool {
    matches!(raw.get(), "null" | "\"\"" | "[]")
}

/// Appends the text of a delta if it is needed; false if the delta is empty.
fn push_raw_text(raw: &RawValue, state: &mut ResponseState) -> bool {
    if is_empty(raw) {
        return false;
    }
    if state.text.is_some()
        && let Ok(text) = serde_json::from_str::<String>(raw.get())
    {
        state.push_text(&text);
    }
    true
}
