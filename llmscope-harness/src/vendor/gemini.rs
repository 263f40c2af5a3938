//! Gemini: few, large chunks. The usage is cumulative and can appear in every chunk.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::openai::ReportedError;
use super::{ChatRequest, ContentKind, Endpoint, Profile, Reader, Role, Vendor, at, get, parse, post, total};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::StreamEvent;
use crate::response_state::{ResponseState, reported_failure};

const PROFILE: Profile = Profile {
    name: "gemini",
    provider: "gcp.gemini",
    url: Some("https://generativelanguage.googleapis.com/v1beta"),
    key_variables: &["GEMINI_API_KEY", "GOOGLE_API_KEY"],
    needs_key: false,
    budget: None,
};

#[derive(Debug)]
pub(super) struct Gemini;

impl Vendor for Gemini {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let model = chat.model.trim_start_matches("models/");
        let mut url = at(&base(&endpoint.url), &["models", &format!("{model}:streamGenerateContent")])?;
        // Without `alt=sse` the response is one JSON array.
        url.set_query(Some("alt=sse"));
        let contents = chat.conversation.iter().map(|message| {
            let role = if message.role == Role::User { "user" } else { "model" };
            json!({"role": role, "parts": [{"text": message.text}]})
        });
        let mut body = Map::new();
        body.insert("contents".to_owned(), contents.collect::<Vec<_>>().into());
        if let Some(system) = chat.system {
            body.insert("systemInstruction".to_owned(), json!({"parts": [{"text": system}]}));
        }
        if let Some(tokens) = chat.output_tokens {
            body.insert("generationConfig".to_owned(), json!({"maxOutputTokens": tokens}));
        }
        signed(endpoint, post(PROFILE.name, endpoint, &url, body, chat.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(GeminiReader)
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        signed(endpoint, get(PROFILE.name, endpoint, &at(&base(&endpoint.url), &["models"])?)?).map(Some)
    }
}

fn base(url: &Url) -> Url {
    let mut base = url.clone();
    if base.path() == "/" {
        base.set_path("/v1beta");
    }
    base
}

/// The key is sent in a header, because URLs appear in logs.
fn signed(endpoint: &Endpoint, mut request: Request<Bytes>) -> Result<Request<Bytes>> {
    if let Some(key) = &endpoint.key {
        request.headers_mut().insert("x-goog-api-key", key.header(PROFILE.name, "")?);
    }
    Ok(request)
}

struct GeminiReader;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk {
    #[serde(default)]
    candidates: Vec<Candidate>,
    usage_metadata: Option<Usage>,
    prompt_feedback: Option<Feedback>,
    model_version: Option<String>,
    response_id: Option<String>,
    error: Option<ReportedError>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
    function_call: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    prompt_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

impl Reader for GeminiReader {
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure> {
        let chunk: Chunk = parse(event)?;
        if let Some(error) = chunk.error {
            return Err(error.into_failure());
        }
        if let Some(reason) = chunk.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            return Err(reported_failure("invalid: blocked", &reason));
        }
        state.model = state.model.take().or(chunk.model_version);
        state.id = chunk.response_id.or(state.id.take());
        chunk.usage_metadata.into_iter().for_each(|usage| note_usage(&usage, state));
        let mut kind = None;
        for candidate in chunk.candidates {
            if let Some(reason) = candidate.finish_reason {
                state.finish_reason = Some(reason);
                state.ended = true;
            }
            for part in candidate.content.into_iter().flat_map(|content| content.parts) {
                kind = kind.or(content_kind(&part, state));
            }
        }
        Ok(kind)
    }
}

fn note_usage(usage: &Usage, state: &mut ResponseState) {
    state.input_tokens = usage.prompt_token_count.or(state.input_tokens);
    state.cached_tokens = usage.cached_content_token_count.or(state.cached_tokens);
    state.reasoning_tokens = usage.thoughts_token_count.or(state.reasoning_tokens);
    if usage.candidates_token_count.is_some() || usage.thoughts_token_count.is_some() {
        let generated = total(&[usage.candidates_token_count, usage.thoughts_token_count]);
        state.output_tokens = Some(generated);
        state.tokens_so_far = Some(generated);
    }
}

fn content_kind(part: &Part, state: &mut ResponseState) -> Option<ContentKind> {
    match &part.text {
        Some(text) if text.is_empty() => None,
        Some(_) if part.thought => Some(ContentKind::ReasoningSummary),
        Some(text) => {
            state.push_text(text);
            Some(ContentKind::Text)
        }
        None => part.function_call.as_ref().map(|_| ContentKind::Tool),
    }
}
