//! The dialects of the vendors: how each is asked, and what its stream says. One file a vendor.

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
use crate::answer::Answer;
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::framing::{Framing, Message};
use crate::secret::Secret;
use crate::transport;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name that most vendors have for it.
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
pub struct Utterance {
    /// Who says it.
    pub role: Role,
    /// The words.
    pub text: String,
}

/// What is asked of a model.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    /// The model.
    pub model: &'a str,
    /// Instructions that come before everything.
    pub system: Option<&'a str>,
    /// The conversation so far; the user speaks last.
    pub conversation: &'a [Utterance],
    /// The longest answer to ask for, in tokens.
    pub output_tokens: Option<u32>,
    /// Fields to set in the request's body beside ours, or instead of them.
    pub extra: &'a Map<String, Value>,
}

/// Where and as whom a vendor is asked.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The base of its addresses.
    pub url: Url,
    /// The key, where one is needed or known.
    pub key: Option<Secret>,
    /// What signs the requests, where the vendor wants them signed.
    pub aws: Option<AwsSigner>,
    /// Headers to send along.
    pub headers: HeaderMap,
}

/// How one vendor is asked.
pub trait Vendor: Debug + Send + Sync {
    /// What is known about it.
    fn profile(&self) -> &'static Profile;

    /// The request that asks this.
    ///
    /// # Errors
    /// [`Error::Request`], [`Error::Url`].
    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>>;

    /// How its answers are cut into messages.
    fn framing(&self) -> Framing {
        Framing::ServerSentEvents
    }

    /// A reader for one answer.
    fn reader(&self) -> Box<dyn Reader>;

    /// The request that asks for its models, and how to read the answer; `None` where it has no such list.
    ///
    /// # Errors
    /// [`Error::Request`], [`Error::Url`].
    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        let _ = endpoint;
        Ok(None)
    }
}

/// Understands the messages of one answer.
pub trait Reader: Send {
    /// Takes one message, notes in `answer` what it says, and tells whether it carries generated content.
    ///
    /// # Errors
    /// A [`Failure`] that the message reports, or because it breaks the vendor's format.
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure>;
}

/// The kind of content that a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// Thinking, before the answer proper.
    Reasoning,
    /// The answer.
    Text,
    /// A call of a tool.
    Tool,
}

/// What is known about a vendor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name on the command line.
    pub name: &'static str,
    /// Its name in sessions (OpenTelemetry: `gen_ai.provider.name`).
    pub provider: &'static str,
    /// Where it is asked unless told; `None` where that differs for every customer.
    pub url: Option<&'static str>,
    /// Environment variables that may hold the key, the first one wins.
    pub key_variables: &'static [&'static str],
    /// True if it answers nobody without a key.
    pub needs_key: bool,
    /// Requests that its free plan bears, where it has such limits.
    pub budget: Option<Budget>,
}

/// Requests that an endpoint bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// In one minute.
    pub per_minute: u32,
    /// In one day.
    pub per_day: u64,
}

/// The vendors by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum VendorKind {
    /// OpenAI chat completions, and every server that is compatible: vLLM, llama.cpp, SGLang, TGI, LM Studio.
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
    /// No endpoint at all: a simulation, for demonstrations and tests.
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

    /// How it is asked.
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

    /// What is known about it.
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

/// A JSON body of a POST, with the fields of [`Ask::extra`] set, and the endpoint's own headers.
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

/// A request without a body.
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

/// The base address with more segments: `http://host/v1` and `["chat", "completions"]`.
fn at(base: &Url, segments: &[&str]) -> Result<Url> {
    let mut url = base.clone();
    url.path_segments_mut()
        .map_err(|()| Error::Url { url: base.to_string(), problem: "it cannot have a path" })?
        .pop_if_empty()
        .extend(segments);
    Ok(url)
}

/// The messages in OpenAI's form, which several vendors share.
fn messages(ask: &Ask<'_>) -> Vec<Value> {
    let system = ask.system.iter().map(|text| serde_json::json!({"role": "system", "content": text}));
    let said = ask
        .conversation
        .iter()
        .map(|utterance| serde_json::json!({"role": utterance.role.name(), "content": utterance.text}));
    system.chain(said).collect()
}

/// The sum of the counts that were reported.
fn total(parts: &[Option<u64>]) -> u64 {
    parts.iter().flatten().fold(0, |sum, part| sum.saturating_add(*part))
}

/// A message as the JSON that a vendor promises.
fn parse<'m, T: serde::Deserialize<'m>>(message: Message<'m>) -> Result<T, Failure> {
    serde_json::from_slice(message.data).map_err(|error| {
        let start = String::from_utf8_lossy(&message.data[..message.data.len().min(80)]).into_owned();
        Failure::new(crate::failure::FailureKind::Malformed, format!("{error} in {start:?}"))
    })
}
