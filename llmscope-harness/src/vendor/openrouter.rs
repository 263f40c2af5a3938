//! OpenRouter: OpenAI's chat completions with the price of each response.

use bytes::Bytes;
use http::Request;
use serde_json::json;

use super::openai::{self, ChatReader};
use super::{ChatRequest, Endpoint, Profile, Reader, Vendor, at, post};
use crate::error::Result;

const PROFILE: Profile = Profile {
    name: "openrouter",
    provider: "openrouter",
    url: Some("https://openrouter.ai/api/v1"),
    key_variables: &["OPENROUTER_API_KEY"],
    needs_key: true,
    budget: None,
};

#[derive(Debug)]
pub(super) struct OpenRouter;

impl Vendor for OpenRouter {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let url = at(&openai::base(&endpoint.url), &["chat", "completions"])?;
        let mut body = openai::body(chat, false);
        body.insert("usage".to_owned(), json!({"include": true}));
        openai::authorized(PROFILE.name, endpoint, post(PROFILE.name, endpoint, &url, body, chat.extra)?)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader::default())
    }

    fn models(&self, endpoint: &Endpoint) -> Result<Option<Request<Bytes>>> {
        openai::models(PROFILE.name, endpoint).map(Some)
    }
}
