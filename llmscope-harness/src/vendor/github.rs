//! GitHub Models: OpenAI's chat completions with a personal access token.
//!
//! GitHub Copilot is not supported: its official interface is an agent protocol, not a model endpoint, and the address
//! that some tools use instead is undocumented.

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderValue, Request};

use super::openai::{self, ChatReader};
use super::{Budget, ChatRequest, Endpoint, Profile, Reader, Vendor, at, get, post};
use crate::error::Result;

const PROFILE: Profile = Profile {
    name: "github",
    provider: "github",
    url: Some("https://models.github.ai/inference"),
    key_variables: &["GITHUB_MODELS_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"],
    needs_key: true,
    // The limits of the free plan for the smaller models; larger models have lower limits.
    budget: Some(Budget { per_minute: 15, per_day: 150 }),
};

#[derive(Debug)]
pub(super) struct GitHub;

impl Vendor for GitHub {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let url = at(&endpoint.url, &["chat", "completions"])?;
        let body = openai::body(chat, false);
        signed(endpoint, post(PROFILE.name, endpoint, &url, body, chat.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader::default())
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        let mut url = endpoint.url.clone();
        url.set_path("/catalog/models");
        signed(endpoint, get(PROFILE.name, endpoint, &url)?).map(Some)
    }
}

fn signed(endpoint: &Endpoint, request: Request<Bytes>) -> Result<Request<Bytes>> {
    let mut request = openai::authorized(PROFILE.name, endpoint, request)?;
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static("application/vnd.github+json"));
    request.headers_mut().insert("x-github-api-version", HeaderValue::from_static("2022-11-28"));
    Ok(request)
}
