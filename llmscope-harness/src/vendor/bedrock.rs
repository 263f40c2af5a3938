//! AWS Bedrock `ConverseStream`: binary frames. Requests are signed (SigV4) or have a Bedrock API key.

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
use super::{ChatRequest, ContentKind, Endpoint, Profile, Reader, Vendor, parse, post, total};
use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::framing::{Framing, StreamEvent};
use crate::response_state::{ResponseState, reported_failure};
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

/// Signs requests to AWS.
#[derive(Debug, Clone)]
pub struct AwsSigner {
    access_key_id: String,
    secret_access_key: Secret,
    session_token: Option<Secret>,
    region: String,
}

impl AwsSigner {
    /// The environment variables that hold its secrets.
    pub(crate) const SECRET_VARIABLES: [&str; 2] = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

    /// A signer with these credentials.
    #[must_use]
    pub fn new(access_key_id: &str, secret_access_key: Secret, session_token: Option<Secret>, region: &str) -> Self {
        Self { access_key_id: access_key_id.to_owned(), secret_access_key, session_token, region: region.to_owned() }
    }

    /// A signer with the credentials of the environment, if there are any.
    #[must_use]
    pub fn from_environment(region: &str) -> Option<Self> {
        let access_key_id = std::env::var("AWS_ACCESS_KEY_ID").ok().filter(|id| !id.is_empty())?;
        let secret_access_key = Secret::from_environment(&["AWS_SECRET_ACCESS_KEY"])?;
        let session_token = Secret::from_environment(&["AWS_SESSION_TOKEN"]);
        Some(Self::new(&access_key_id, secret_access_key, session_token, region))
    }

    /// The secrets to redact from messages.
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

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let messages = chat
            .conversation
            .iter()
            .map(|message| json!({"role": message.role.name(), "content": [{"text": message.text}]}));
        let mut body = Map::new();
        body.insert("messages".to_owned(), messages.collect::<Vec<_>>().into());
        if let Some(system) = chat.system {
            body.insert("system".to_owned(), json!([{"text": system}]));
        }
        if let Some(tokens) = chat.output_tokens {
            body.insert("inferenceConfig".to_owned(), json!({"maxTokens": tokens}));
        }
        let url = address(&endpoint.url, chat.model)?;
        let mut request = post(PROFILE.name, endpoint, &url, body, chat.extra)?;
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

/// The address of a model. Its name can be an ARN with colons and slashes, which is one escaped path segment.
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
    let refuse = |_| Error::Url { url: root.to_owned(), problem: "expected a model name that is valid in a URL" };
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
    fn read(&mut self, event: StreamEvent<'_>, state: &mut ResponseState) -> Result<Option<ContentKind>, Failure> {
        if event.exception {
            let text = match parse::<Exception>(event) {
                Ok(exception) => exception.message.unwrap_or_default(),
                Err(_) => String::from_utf8_lossy(event.data).into_owned(),
            };
            return Err(reported_failure(event.name, &text));
        }
        match event.name {
            "contentBlockDelta" => {
                let block: Block = parse(event)?;
                Ok(block.delta.and_then(|delta| content_kind(&delta, state)))
            }
            "messageStop" => {
                state.finish_reason = parse::<Stop>(event)?.stop_reason;
                state.ended = true;
                Ok(None)
            }
            "metadata" => {
                note_metadata(&parse(event)?, state);
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

fn note_metadata(metadata: &Metadata, state: &mut ResponseState) {
    state.closed = true;
    if let Some(usage) = &metadata.usage {
        let parts = [usage.input_tokens, usage.cache_read_input_tokens, usage.cache_write_input_tokens];
        state.input_tokens = usage.input_tokens.map(|_| total(&parts));
        state.cached_tokens = usage.cache_read_input_tokens;
        state.output_tokens = usage.output_tokens;
    }
    if let Some(ms) = metadata.metrics.as_ref().and_then(|metrics| metrics.latency_ms).filter(|&ms| ms > 0.0) {
        state.server_time("server_total_s", ms * 1e-3);
    }
}

fn content_kind(delta: &Delta, state: &mut ResponseState) -> Option<ContentKind> {
    match &delta.text {
        Some(text) if !text.is_empty() => {
            state.push_text(text);
            Some(ContentKind::Text)
        }
        // A signature is not generated content.
        _ if has_text(delta.reasoning_content.as_ref(), &["text", "redactedContent"]) => {
            // The reasoning of newer models is a summary, and the output tokens include the original.
            Some(ContentKind::ReasoningSummary)
        }
        _ => has_text(delta.tool_use.as_ref(), &["input"]).then_some(ContentKind::Tool),
    }
}

/// True if one of these fields has text.
fn has_text(content: Option<&Value>, fields: &[&str]) -> bool {
    content
        .is_some_and(|content| fields.iter().any(|field| content[field].as_str().is_some_and(|text| !text.is_empty())))
}
