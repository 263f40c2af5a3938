//! The dialects of the vendors: how to build requests and read streams. One file per vendor.

mod anthropic;
mod azure;
mod bedrock;
mod gemini;
mod github;
mod ollama;
mod openai;
mod openrouter;
mod responses;
mod simulated;

use std::fmt::Debug;
use std::str::FromStr;

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use serde_json::{Map, Value};
use url::Url;

pub use self::bedrock::AwsSigner;
pub use self::simulated::{SimulatedTransport, Simulation};
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::framing::{Framing, StreamEvent};
use crate::response_state::ResponseState;
use crate::secret::Secret;
use crate::transport;

/// The role of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The user.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name that most vendors use for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its role.
    pub role: Role,
    /// Its text.
    pub text: String,
}

/// A chat request.
#[derive(Debug, Clone, Copy)]
pub struct ChatRequest<'a> {
    /// The model.
    pub model: &'a str,
    /// The system prompt.
    pub system: Option<&'a str>,
    /// The conversation so far; its last message is from the user.
    pub conversation: &'a [Message],
    /// Maximum number of output tokens.
    pub output_tokens: Option<u32>,
    /// Fields to set in the request body. They override the fields of the dialect.
    pub extra: &'a Map<String, Value>,
}

/// The address of a vendor and the credentials.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The base URL.
    pub url: Url,
    /// The API key, if one is needed or known.
    pub key: Option<Secret>,
    /// The signer, where the vendor requires signed requests.
    pub aws: Option<AwsSigner>,
    /// Additional headers.
    pub headers: HeaderMap,
}

/// The dialect of a vendor.
pub trait Vendor: Debug + Send + Sync {
    /// Its profile.
    fn profile(&self) -> &'static Profile;

    /// The HTTP request for a chat request.
    ///
    /// # Errors
    /// [`Error::Request`], [`Error::Url`].
    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>>;

    /// The framing of its streams.
    fn framing(&self) -> Framing {
        Framing::ServerSentEvents
    }

    /// A reader for one response.
    fn reader(&self) -> Box<dyn Reader>;

    /// The request for its list of models; `None` if it has no such list.
    ///
    /// # Errors
    /// [`Error::Request`], [`Error::Url`].
    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        let _ = endpoint;
        Ok(None)
    }
}

/// Interprets the events of one response.
pub trait Reader: Send {
    /// Reads one event, updates `state`, and returns the kind of generated content in the event, if any.
    ///
    /// # Errors
    /// A [`Failure`] that the event reports, or [`FailureKind::Malformed`](crate::FailureKind::Malformed).
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure>;
}

/// The kind of content in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentKind {
    /// Reasoning, before the response text.
    Reasoning,
    /// A summary of reasoning, whose own tokens are counted and not streamed.
    ReasoningSummary,
    /// Response text.
    Text,
    /// A tool call.
    Tool,
}

/// The profile of a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in sessions (OpenTelemetry: `gen_ai.provider.name`).
    pub provider: &'static str,
    /// The default base URL; `None` if each customer has a different one.
    pub url: Option<&'static str>,
    /// Environment variables that can hold the key; the first that is set is used.
    pub key_variables: &'static [&'static str],
    /// True if every request requires a key.
    pub needs_key: bool,
    /// The limits of its free plan, if it has limits.
    pub budget: Option<Budget>,
}

/// Limits on the number of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Requests per minute.
    pub per_minute: u32,
    /// Requests per day.
    pub per_day: u64,
}

/// The supported vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VendorKind {
    /// OpenAI chat completions, and every compatible server: vLLM, llama.cpp, SGLang, TGI, LM Studio.
    OpenAi,
    /// OpenAI responses.
    OpenAiResponses,
    /// Azure OpenAI.
    Azure,
    /// OpenRouter.
    OpenRouter,
    /// Anthropic messages.
    Anthropic,
    /// Gemini `streamGenerateContent`.
    Gemini,
    /// AWS Bedrock `ConverseStream`.
    Bedrock,
    /// GitHub Models.
    GitHub,
    /// Ollama's `/api/chat`.
    Ollama,
    /// Ollama's `/api/generate`.
    OllamaGenerate,
    /// A simulation without an endpoint, for demonstrations and tests.
    Simulated,
}

impl VendorKind {
    /// Every vendor.
    pub const ALL: [Self; 11] = [
        Self::OpenAi,
        Self::OpenAiResponses,
        Self::Azure,
        Self::OpenRouter,
        Self::Anthropic,
        Self::Gemini,
        Self::Bedrock,
        Self::GitHub,
        Self::Ollama,
        Self::OllamaGenerate,
        Self::Simulated,
    ];

    /// Its dialect.
    #[must_use]
    pub fn vendor(self) -> &'static dyn Vendor {
        match self {
            Self::OpenAi => &openai::OpenAi,
            Self::OpenAiResponses => &responses::Responses,
            Self::Azure => &azure::Azure,
            Self::OpenRouter => &openrouter::OpenRouter,
            Self::Anthropic => &anthropic::Anthropic,
            Self::Gemini => &gemini::Gemini,
            Self::Bedrock => &bedrock::Bedrock,
            Self::GitHub => &github::GitHub,
            Self::Ollama => &ollama::Ollama { generate: false },
            Self::OllamaGenerate => &ollama::Ollama { generate: true },
            Self::Simulated => &simulated::Simulated,
        }
    }

    /// Its profile.
    #[must_use]
    pub fn profile(self) -> &'static Profile {
        self.vendor().profile()
    }
}

impl FromStr for VendorKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.profile().name == name).ok_or_else(|| {
            let names = Self::ALL.iter().map(|vendor| vendor.profile().name).collect::<Vec<_>>().join(", ");
            llmscope_core::Error::Unknown { what: "vendor", name: name.to_owned(), expected: names }.into()
        })
    }
}

/// A POST request with a JSON body, the fields of [`ChatRequest::extra`], and the headers of the endpoint.
fn post(
    vendor: &'static str,
    endpoint: &Endpoint,
    url: &Url,
    mut body: Map<String, Value>,
    extra: &Map<String, Value>,
) -> Result<Request<Bytes>> {
    for (name, value) in extra {
        body.insert(name.clone(), value.clone());
    }
    let mut request = request(vendor, endpoint, Method::POST, url, Bytes::from(Value::Object(body).to_string()))?;
    let json = http::HeaderValue::from_static("application/json");
    request.headers_mut().entry(http::header::CONTENT_TYPE).or_insert(json);
    Ok(request)
}

/// A GET request.
fn get(vendor: &'static str, endpoint: &Endpoint, url: &Url) -> Result<Request<Bytes>> {
    request(vendor, endpoint, Method::GET, url, Bytes::new())
}

fn request(
    vendor: &'static str,
    endpoint: &Endpoint,
    method: Method,
    url: &Url,
    body: Bytes,
) -> Result<Request<Bytes>> {
    let mut request =
        transport::request(method, url, body).map_err(|error| Error::Request { vendor, message: error.to_string() })?;
    for (name, value) in &endpoint.headers {
        request.headers_mut().insert(name, value.clone());
    }
    Ok(request)
}

/// The base URL with more path segments: `http://host/v1` and `["chat", "completions"]`.
fn at(base: &Url, segments: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::Url { url: base.to_string(), problem: "expected a URL that can have a path" })?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

/// The messages in OpenAI's format, which several vendors share.
fn messages(chat: &ChatRequest<'_>) -> Vec<Value> {
    let system = chat.system.iter().map(|text| serde_json::json!({"role": "system", "content": text}));
    let conversation = chat
        .conversation
        .iter()
        .map(|message| serde_json::json!({"role": message.role.name(), "content": message.text}));
    system.chain(conversation).collect()
}

/// True for a text that is present and not empty.
fn is_filled(text: &Option<String>) -> bool {
    text.as_ref().is_some_and(|text| !text.is_empty())
}

/// The sum of the reported counts.
fn total(parts: &[Option<u64>]) -> u64 {
    parts.iter().flatten().fold(0, |sum, part| sum.saturating_add(*part))
}

/// Parses the data of an event as JSON.
fn parse<'m, T: serde::Deserialize<'m>>(event: StreamEvent<'m>) -> Result<T, Failure> {
    serde_json::from_slice(event.data).map_err(|error| {
        let start = String::from_utf8_lossy(&event.data[..event.data.len().min(80)]).into_owned();
        Failure::new(crate::failure::FailureKind::Malformed, format!("{error} in {start:?}"))
    })
}
