//! Azure OpenAI: OpenAI's chat completions at an address of each customer.
//!
//! With `https://RESOURCE.openai.azure.com`, requests go to the newer `/openai/v1` and the model is the name of a
//! deployment. With `…/openai/deployments/NAME?api-version=…`, requests go to that deployment.

use bytes::Bytes;
use http::Request;

use super::openai::{self, ChatReader};
use super::{ChatRequest, Endpoint, Profile, Reader, Vendor, at, post};
use crate::error::Result;

const PROFILE: Profile = Profile {
    name: "azure",
    provider: "azure.ai.openai",
    url: None,
    key_variables: &["AZURE_OPENAI_API_KEY"],
    needs_key: true,
    budget: None,
};

#[derive(Debug)]
pub(super) struct Azure;

impl Vendor for Azure {
    fn profile(&self) -> &'static Profile {
        &PROFILE
    }

    fn request(&self, endpoint: &Endpoint, chat: &ChatRequest<'_>) -> Result<Request<Bytes>> {
        let names_deployment = endpoint.url.path().contains("/deployments/");
        let path: &[&str] = match endpoint.url.path() {
            "/" => &["openai", "v1", "chat", "completions"],
            _ => &["chat", "completions"],
        };
        let url = at(&endpoint.url, path)?;
        let mut request = post(PROFILE.name, endpoint, &url, openai::body(chat, !names_deployment), chat.extra)?;
        if let Some(key) = &endpoint.key {
            request.headers_mut().insert("api-key", key.header(PROFILE.name, "")?);
        }
        Ok(request)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader::default())
    }
}
