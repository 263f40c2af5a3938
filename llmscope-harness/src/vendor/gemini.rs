//! Gemini: few, large chunks; the usage is cumulative and may stand on every one.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::openai::ReportedError;
use super::{Ask, Endpoint, Piece, Profile, Reader, Role, Vendor, at, get, parse, post, total};
use crate::answer::{Answer, reported};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::Message;

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

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let model = ask.model.trim_start_matches("models/");
        let mut url = at(&base(&endpoint.url), &["models", &format!("{model}:streamGenerateContent")])?;
        // Without it the answer is one JSON array, which comes as a whole.
        url.set_query(Some("alt=sse"));
        let said = ask.conversation.iter().map(|utterance| {
            let role = if utterance.role == Role::User { "user" } else { "model" };
            json!({"role": role, "parts": [{"text": utterance.text}]})
        });
        let mut body = Map::new();
        body.insert("contents".to_owned(), said.collect::<Vec<_>>().into());
        if let Some(system) = ask.system {
            body.insert("systemInstruction".to_owned(), json!({"parts": [{"text": system}]}));
        }
        if let Some(tokens) = ask.output_tokens {
            body.insert("generationConfig".to_owned(), json!({"maxOutputTokens": tokens}));
        }
        signed(endpoint, post(PROFILE.name, endpoint, &url, body, ask.extra)?)
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

/// The key goes into a header: as a part of the address it would land in logs.
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
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure> {
        let chunk: Chunk = parse(message)?;
        if let Some(error) = chunk.error {
            return Err(error.into_failure());
        }
        if let Some(reason) = chunk.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            return Err(reported("invalid: blocked", &reason));
        }
        answer.model = answer.model.take().or(chunk.model_version);
        answer.id = chunk.response_id.or(answer.id.take());
        chunk.usage_metadata.into_iter().for_each(|usage| note_usage(&usage, answer));
        let mut piece = None;
        for candidate in chunk.candidates {
            if let Some(reason) = candidate.finish_reason {
                answer.finish_reason = Some(reason);
                answer.ended = true;
            }
            for part in candidate.content.into_iter().flat_map(|content| content.parts) {
                piece = piece.or(piece_of(&part, answer));
            }
        }
        Ok(piece)
    }
}

fn note_usage(usage: &Usage, answer: &mut Answer) {
    answer.input_tokens = usage.prompt_token_count.or(answer.input_tokens);
    answer.cached_tokens = usage.cached_content_token_count.or(answer.cached_tokens);
    answer.reasoning_tokens = usage.thoughts_token_count.or(answer.reasoning_tokens);
    if usage.candidates_token_count.is_some() || usage.thoughts_token_count.is_some() {
        let generated = total(&[usage.candidates_token_count, usage.thoughts_token_count]);
        answer.output_tokens = Some(generated);
        answer.tokens_so_far = Some(generated);
    }
}

fn piece_of(part: &Part, answer: &mut Answer) -> Option<Piece> {
    match &part.text {
        Some(words) if words.is_empty() => None,
        Some(_) if part.thought => Some(Piece::Reasoning),
        Some(words) => {
            answer.say(words);
            Some(Piece::Text)
        }
        None => part.function_call.as_ref().map(|_| Piece::Tool),
    }
}
