//! The target of a measurement: a vendor, an address, a model and a key.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Request};
use serde_json::{Map, Value};
use url::Url;

use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::secret::Secret;
use crate::transport::{Connector, HttpTransport, Origin, request_json};
use crate::vendor::{AwsSigner, ChatRequest, Endpoint, Profile, VendorKind};

/// The options for a target. The environment and the vendor's profile supply the rest.
#[derive(Debug, Clone, Default)]
pub struct TargetOptions {
    /// The base URL, such as `http://localhost:8000/v1`.
    pub url: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The provider name for the session, where the vendor's dialect is served by another provider.
    pub provider: Option<String>,
    /// The environment variable that holds the key, if it is not one of the vendor's.
    pub key_variable: Option<String>,
    /// Additional headers.
    pub headers: BTreeMap<String, String>,
    /// Additional headers whose values are in environment variables: name → variable.
    pub secret_headers: BTreeMap<String, String>,
    /// A PEM file of certificates to trust in addition to the system's.
    pub roots: Option<PathBuf>,
    /// Fields to set in the body of every request.
    pub extra: Map<String, Value>,
    /// Prices, to compute the cost.
    pub prices: Prices,
}

/// Prices in US dollars per million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Prices {
    /// Price of input tokens.
    pub input_usd_per_million: Option<f64>,
    /// Price of output tokens.
    pub output_usd_per_million: Option<f64>,
}

impl Prices {
    /// The cost of a response; `None` if a price or a count that it needs is unknown.
    #[must_use]
    pub fn cost_usd(&self, input_tokens: Option<u64>, output_tokens: Option<u64>) -> Option<f64> {
        if self.input_usd_per_million.is_none() && self.output_usd_per_million.is_none() {
            return None;
        }
        #[allow(clippy::cast_precision_loss, reason = "token counts are far below 2^53")]
        let part = |price: Option<f64>, tokens: Option<u64>| match price {
            None => Some(0.0),
            Some(price) => Some(price * tokens? as f64 / 1e6),
        };
        Some(part(self.input_usd_per_million, input_tokens)? + part(self.output_usd_per_million, output_tokens)?)
    }
}

/// An endpoint and a model, ready for requests.
#[derive(Debug, Clone)]
pub struct Target {
    /// The vendor's dialect.
    pub vendor: VendorKind,
    /// The model.
    pub model: String,
    /// The provider name in sessions.
    pub provider: String,
    /// The address and the credentials.
    pub endpoint: Endpoint,
    /// Fields to set in the body of every request.
    pub extra: Map<String, Value>,
    /// Prices.
    pub prices: Prices,
    roots: Option<PathBuf>,
    secret_variables: Vec<String>,
}

impl Target {
    /// Creates a target from options and the environment. If no model is set and the endpoint has only one, that model
    /// is used.
    ///
    /// # Errors
    /// [`Error::MissingKey`], [`Error::Url`], [`Error::NoModels`], [`Error::Setting`].
    pub fn new(vendor: VendorKind, options: TargetOptions) -> Result<Self> {
        let profile = vendor.profile();
        let endpoint = endpoint(vendor, &options)?;
        let secret_variables = options.key_variable.iter().chain(options.secret_headers.values()).cloned().collect();
        let mut target = Self {
            vendor,
            model: options.model.unwrap_or_default(),
            provider: options.provider.unwrap_or_else(|| provider(profile, &endpoint.url)),
            endpoint,
            extra: options.extra,
            prices: options.prices,
            roots: options.roots,
            secret_variables,
        };
        if target.model.is_empty() {
            target.model = target.only_model()?;
        }
        Ok(target)
    }

    /// A transport to the target.
    ///
    /// # Errors
    /// [`Error::Url`], [`Error::Tls`].
    pub fn transport(&self, connect_limit: Duration, reuse: bool) -> Result<HttpTransport> {
        let origin = Origin::of(&self.endpoint.url)?;
        Ok(HttpTransport::new(Connector::new(origin, connect_limit, self.roots.as_deref())?, reuse))
    }

    /// The HTTP request for a chat request.
    ///
    /// # Errors
    /// [`Error::Request`].
    pub fn request(&self, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        self.vendor.vendor().request(&self.endpoint, chat)
    }

    /// The environment variables that can hold keys of any vendor, and those that the options of this target name. A
    /// command that is started for this target does not need them.
    pub fn secret_variables(&self) -> impl Iterator<Item = &str> {
        let vendors = VendorKind::ALL.into_iter().flat_map(|vendor| vendor.profile().key_variables).copied();
        vendors.chain(AwsSigner::SECRET_VARIABLES).chain(self.secret_variables.iter().map(String::as_str))
    }

    /// The text with all keys of this target replaced by `***`.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        let keys = self.endpoint.key.iter();
        let keys = keys.chain(self.endpoint.aws.iter().flat_map(AwsSigner::secrets));
        let headers = self.endpoint.headers.values().filter(|value| value.is_sensitive());
        let headers = headers.filter_map(|value| value.to_str().ok()).map(Secret::new).collect::<Vec<_>>();
        keys.chain(&headers).fold(text.to_owned(), |text, secret| secret.redact(&text))
    }

    /// The models that the endpoint lists; empty if the vendor has no such list.
    ///
    /// # Errors
    /// [`Error::NoModels`] if the request failed.
    pub fn models(&self) -> Result<Vec<String>> {
        const PATIENCE: Duration = Duration::from_secs(10);
        if self.vendor == VendorKind::Simulated {
            return Ok(vec!["simulated".to_owned()]);
        }
        let Some(request) = self.vendor.vendor().models(&self.endpoint)? else { return Ok(Vec::new()) };
        let url = self.endpoint.url.to_string();
        let transport = self.transport(PATIENCE, false)?;
        let body = request_json(&transport, request, PATIENCE)?;
        let body = body.map_err(|failure| {
            let message = self.redact(&failure.message);
            Error::NoModels { url, failure: Failure { message, ..failure } }
        })?;
        Ok(model_names(&body))
    }

    fn only_model(&self) -> Result<String> {
        let models = self.models()?;
        match models.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Error::Setting {
                name: "--model",
                value: String::new(),
                expected: format!("expected a model name, as {} does not list its models", self.vendor.profile().name),
            }),
            many => Err(Error::Setting {
                name: "--model",
                value: String::new(),
                expected: format!("expected one of {}", many.join(", ")),
            }),
        }
    }
}

/// `{"data": [{"id": …}]}`, `{"models": [{"name": …}]}` or a bare list.
fn model_names(body: &Value) -> Vec<String> {
    let list = [&body["data"], &body["models"], body].into_iter().find_map(Value::as_array);
    let name =
        |model: &Value| Some(model["id"].as_str().or(model["name"].as_str())?.trim_start_matches("models/").to_owned());
    list.into_iter().flatten().filter_map(name).collect()
}

fn endpoint(vendor: VendorKind, options: &TargetOptions) -> Result<Endpoint> {
    let profile = vendor.profile();
    let region = std::env::var("AWS_REGION").or_else(|_| std::env::var("AWS_DEFAULT_REGION"));
    let region = region.unwrap_or_else(|_| "us-east-1".to_owned());
    let key = match &options.key_variable {
        Some(variable) => Some(
            Secret::from_environment(&[variable])
                .ok_or_else(|| Error::MissingKey { vendor: profile.name, variables: variable.clone() })?,
        ),
        None => Secret::from_environment(profile.key_variables),
    };
    let aws = (vendor == VendorKind::Bedrock).then(|| AwsSigner::from_environment(&region)).flatten();
    let url = url(vendor, options, &region)?;
    let needs_key =
        profile.needs_key || profile.url.is_some_and(|usual| usual.starts_with("https") && is_at(&url, usual));
    if key.is_none() && aws.is_none() && (needs_key || (vendor == VendorKind::Bedrock && options.url.is_none())) {
        let mut variables = profile.key_variables.join(" or ");
        if vendor == VendorKind::Bedrock {
            variables.push_str(", or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
        }
        return Err(Error::MissingKey { vendor: profile.name, variables });
    }
    Ok(Endpoint { url, key, aws, headers: headers(options)? })
}

/// The provider: the vendor at its own address, a compatible server elsewhere.
fn provider(profile: &Profile, url: &Url) -> String {
    match profile.url {
        Some(usual) if usual.starts_with("https") && !is_at(url, usual) => format!("{}-compatible", profile.provider),
        _ => profile.provider.to_owned(),
    }
}

/// True if the address is the vendor's own, which requires a key.
fn is_at(url: &Url, usual: &str) -> bool {
    Url::parse(usual).is_ok_and(|usual| usual.host_str() == url.host_str())
}

fn url(vendor: VendorKind, options: &TargetOptions, region: &str) -> Result<Url> {
    let variables: &[&str] = match vendor {
        VendorKind::OpenAi | VendorKind::OpenAiResponses => &["OPENAI_BASE_URL"],
        VendorKind::Azure => &["AZURE_OPENAI_ENDPOINT"],
        VendorKind::Anthropic => &["ANTHROPIC_BASE_URL"],
        VendorKind::Ollama | VendorKind::OllamaGenerate => &["OLLAMA_URL", "OLLAMA_BASE_URL", "OLLAMA_HOST"],
        _ => &[],
    };
    let from_environment = || variables.iter().find_map(|name| std::env::var(name).ok().filter(|url| !url.is_empty()));
    let usual = || match vendor {
        VendorKind::Bedrock => Some(format!("https://bedrock-runtime.{region}.amazonaws.com")),
        _ => vendor.profile().url.map(str::to_owned),
    };
    let text = options.url.clone().or_else(from_environment).or_else(usual).ok_or_else(|| Error::Setting {
        name: "--url",
        value: String::new(),
        expected: format!("{} has a different address for every customer", vendor.profile().name),
    })?;
    let with_scheme = if text.contains("://") { text.clone() } else { format!("http://{text}") };
    let url = Url::parse(&with_scheme).map_err(|_| Error::Setting {
        name: "--url",
        value: text,
        expected: "expected an address such as http://localhost:8000/v1".to_owned(),
    })?;
    Origin::of(&url).map(|_| url)
}

fn headers(options: &TargetOptions) -> Result<HeaderMap> {
    let refuse = |name: &str| Error::Setting {
        name: "header",
        value: name.to_owned(),
        expected: "expected a name and a value that HTTP allows".to_owned(),
    };
    let mut headers = HeaderMap::new();
    for (name, value) in &options.headers {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse(name))?;
        headers.insert(header, HeaderValue::from_str(value).map_err(|_| refuse(name))?);
    }
    for (name, variable) in &options.secret_headers {
        let header = HeaderName::from_bytes(name.as_bytes()).map_err(|_| refuse(name))?;
        let secret = Secret::from_environment(&[variable]).ok_or_else(|| Error::Setting {
            name: "header",
            value: name.clone(),
            expected: format!("the environment variable {variable} is not set"),
        })?;
        headers.insert(header, secret.header("header", "")?);
    }
    Ok(headers)
}
