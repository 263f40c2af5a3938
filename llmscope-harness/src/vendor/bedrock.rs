//! AWS Bedrock `ConverseStream`: binary frames; requests are signed (SigV4) or carry a Bedrock key.

use std::fmt::Write as _;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use http::Request;
use http::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::openai::authorized;
use super::{Ask, Endpoint, Piece, Profile, Reader, Vendor, parse, post, total};
use crate::answer::{Answer, reported};
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::framing::{Framing, Message};
use crate::secret::Secret;

const PROFILE: Profile = Profile {
    name: "bedrock",
    provider: "aws.bedrock",
    // https://bedrock-runtime.REGION.amazonaws.com
    url: None,
    key_variables: &["AWS_BEARER_TOKEN_BEDROCK"],
    needs_key: false,
    budget: None,
};

/// What signs a request to AWS.
#[derive(Debug, Clone)]
pub struct AwsSigner {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    region: String,
}

impl AwsSigner {
    /// A signer with these credentials.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: Secret, session_token: Option<Secret>, region: &str) -> Self {
        Self { access_key_id: access_key_id.to_owned(), secret_access_key, session_token, region: region.to_owned() }
    }

    /// The credentials that the environment offers, if it does.
    #[must_use]
    pub fn from_environment(region: &str) -> Option<Self> {
        let access_key_id = std::env::var("AWS_ACCESS_KEY_ID").ok().filter(|id| !id.is_empty())?;
        let secret_access_key = Secret::from_environment(&["AWS_SECRET_ACCESS_KEY"])?;
        let session_token = Secret::from_environment(&["AWS_SESSION_TOKEN"]);
        Some(Self::new(&access_key_id, secret_access_key, session_token, region))
    }

    /// What must never be shown.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.secret_access_key).chain(&self.session_token)
    }

    /// Signs a request to `url` for a service at a time (AWS Signature Version 4).
    ///
    /// # Errors
    /// [`Error::Request`].
    pub fn sign(&self, request: &mut Request<Bytes>, url: &Url, service: &str, at: SystemTime) -> Result<()> {
        let refuse =
            |error: &dyn std::fmt::Display| Error::Request { vendor: PROFILE.name, message: error.to_string() };
        let token = self.session_token.as_ref().map(|token| token.expose().to_owned());
        let secret = self.secret_access_key.expose();
        let identity = Credentials::new(&self.access_key_id, secret, token, None, "llmscope").into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(at)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| refuse(&error))?
            .into();
        let headers = request.headers().iter().filter(|(name, _)| *name == http::header::HOST);
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let body = SignableBody::Bytes(request.body());
        let signable = SignableRequest::new(request.method().as_str(), url.as_str(), headers, body);
        let signed = sign(signable.map_err(|error| refuse(&error))?, &parameters).map_err(|error| refuse(&error))?;
        let (instructions, _) = signed.into_parts();
        for (name, value) in instructions.headers() {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| refuse(&error))?;
            let mut value = HeaderValue::from_str(value).map_err(|error| refuse(&error))?;
            value.set_sensitive(true);
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(super) struct Bedrock;

impl Vendor for Bedrock {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let said = ask
            .conversation
            .iter()
            .map(|utterance| json!({"role": utterance.role.name(), "content": [{"text": utterance.text}]}));
        let mut body = Map::new();
        body.insert("messages".to_owned(), said.collect::<Vec<_>>().into());
        if let Some(system) = ask.system {
            body.insert("system".to_owned(), json!([{"text": system}]));
        }
        if let Some(tokens) = ask.output_tokens {
            body.insert("inferenceConfig".to_owned(), json!({"maxTokens": tokens}));
        }
        let url = address(&endpoint.url, ask.model)?;
        let mut request = post(PROFILE.name, endpoint, &url, body, ask.extra)?;
        match (&endpoint.key, &endpoint.aws) {
            (Some(_), _) => authorized(PROFILE.name, endpoint, request),
            (None, Some(signer)) => {
                signer.sign(&mut request, &url, "bedrock", SystemTime::now())?;
                Ok(request)
            }
            (None, None) => Ok(request),
        }
    }

    fn framing(&self) -> Framing {
        Framing::AwsEventStream
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ConverseReader)
    }
}

/// A model's name may be an ARN with colons and slashes: all of it is one segment.
fn address(base: &Url, model: &str) -> Result<Url> {
    let mut segment = String::new();
    for byte in model.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            segment.push(char::from(byte));
        } else {
            let _ = write!(segment, "%{byte:02X}");
        }
    }
    let root = base.as_str().trim_end_matches('/');
    let refuse = |_| Error::Url { url: root.to_owned(), problem: "the model's name does not fit into an address" };
    Url::parse(&format!("{root}/model/{segment}/converse-stream")).map_err(refuse)
}

struct ConverseReader;

#[derive(Deserialize)]
struct Block {
    delta: Option<Delta>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Delta {
    text: Option<String>,
    reasoning_content: Option<Value>,
    tool_use: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stop {
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    usage: Option<Usage>,
    metrics: Option<Metrics>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_write_input_tokens: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metrics {
    latency_ms: Option<f64>,
}

#[derive(Deserialize)]
struct Exception {
    message: Option<String>,
}

impl Reader for ConverseReader {
    fn read(&mut self, message: Message<'_>, answer: &mut Answer) -> Result<Option<Piece>, Failure> {
        if message.exception {
            let words = match parse::<Exception>(message) {
                Ok(exception) => exception.message.unwrap_or_default(),
                Err(_) => String::from_utf8_lossy(message.data).into_owned(),
            };
            return Err(reported(message.event, &words));
        }
        match message.event {
            "contentBlockDelta" => {
                let block: Block = parse(message)?;
                Ok(block.delta.and_then(|delta| piece_of(&delta, answer)))
            }
            "messageStop" => {
                answer.finish_reason = parse::<Stop>(message)?.stop_reason;
                answer.ended = true;
                Ok(None)
            }
            "metadata" => {
                note_metadata(&parse(message)?, answer);
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

fn note_metadata(metadata: &Metadata, answer: &mut Answer) {
    answer.closed = true;
    if let Some(usage) = &metadata.usage {
        let parts = [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_write_input_tokens];
        answer.input_tokens = usage.input_tokens.map(|_| total(&parts));
        answer.cached_tokens = usage.cache_read_input_tokens;
        answer.output_tokens = usage.output_tokens;
    }
    if let Some(ms) = metadata.metrics.as_ref().and_then(|metrics| metrics.latency_ms).filter(|&ms| ms > 0.0) {
        answer.server_time("server_total_s", ms * 1e-3);
    }
}

fn piece_of(delta: &Delta, answer: &mut Answer) -> Option<Piece> {
    match &delta.text {
        Some(words) if !words.is_empty() => {
            answer.say(words);
            Some(Piece::Text)
        }
        // A signature is none of the model's words.
        _ if holds(delta.reasoning_content.as_ref(), &["text", "redactedContent"]) => Some(Piece::Reasoning),
        _ => holds(delta.tool_use.as_ref(), &["input"]).then_some(Piece::Tool),
    }
}

/// True if one of these fields says something.
fn holds(content: Option<&Value>, fields: &[&str]) -> bool {
    content
        .is_some_and(|content| fields.iter().any(|field| content[field].as_str().is_some_and(|text| !text.is_empty())))
}
