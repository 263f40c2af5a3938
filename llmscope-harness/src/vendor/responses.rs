//! OpenAI responses: typed events instead of chunks.

use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::openai::{self, ReportedError, Timings};
use super::{Ask, Endpoint, Piece, Profile, Reader, Vendor, at, parse, post};
use crate::answer::{Answer, reported};
use crate::error::Result;
use crate::failure::Failure;
use crate::framing::Message;

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

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let url = at(&openai::base(&endpoint.url), &["responses"])?;
        let mut body = Map::new();
        body.insert("model".to_owned(), ask.model.into());
        body.insert("stream".to_owned(), true.into());
        if let Some(system) = ask.system {
            body.insert("instructions".to_owned(), system.into());
        }
        body.insert("input".to_owned(), super::messages(&Ask { system: None, ..*ask }).into());
        if let Some(tokens) = ask.output_tokens {
            body.insert("max_output_tokens".to_owned(), tokens.into());
        }
        openai::authorized(PROFILE.name, endpoint, post(PROFILE.name, endpoint, &url, body, ask.extra)?)
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
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure> {
        // OpenAI ends without it, some compatible servers with it.
        if message.data.trim_ascii() == b"[DONE]" {
            answer.closed = true;
            return Ok(None);
        }
        let event: Event = parse(message)?;
        let words = event.delta.as_ref().and_then(Value::as_str).filter(|words| !words.is_empty());
        match event.kind.as_str() {
            "response.output_text.delta" | "response.refusal.delta" => Ok(words.map(|words| {
                answer.say(words);
                Piece::Text
            })),
            "response.reasoning_text.delta" | "response.reasoning_summary_text.delta" => {
                Ok(words.map(|_| Piece::Reasoning))
            }
            "response.function_call_arguments.delta" => Ok(words.map(|_| Piece::Tool)),
            "response.completed" | "response.incomplete" => {
                (answer.ended, answer.closed) = (true, true);
                event.timings.into_iter().for_each(|timings| timings.note(answer));
                event.response.into_iter().for_each(|response| note(response, answer));
                Ok(None)
            }
            "response.failed" => Err(event
                .response
                .and_then(|response| response.error)
                .map_or_else(|| reported("", "response.failed"), ReportedError::into_failure)),
            "error" => Err(match event.error {
                Some(error) => error.into_failure(),
                None => reported(&event.code.unwrap_or_default(), &event.message.unwrap_or_default()),
            }),
            // Created, in progress, parts added and done, in whatever order a server sends them.
            _ => Ok(None),
        }
    }
}

fn note(response: Response, answer: &mut Answer) {
    answer.id = response.id.or(answer.id.take());
    answer.model = response.model.or(answer.model.take());
    answer.finish_reason = response.incomplete_details.and_then(|details| details.reason).or(response.status);
    if let Some(usage) = response.usage {
        (answer.input_tokens, answer.output_tokens) = (usage.input_tokens, usage.output_tokens);
        answer.cached_tokens = usage.input_tokens_details.and_then(|details| details.cached_tokens);
        answer.reasoning_tokens = usage.output_tokens_details.and_then(|details| details.reasoning_tokens);
    }
}
