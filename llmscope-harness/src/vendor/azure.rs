//! Azure OpenAI: OpenAI's chat completions at a customer's own address.
//!
//! With `https://RESOURCE.openai.azure.com` the model is the name of a deployment and the newer `/openai/v1` is asked;
//! with `…/openai/deployments/NAME?api-version=…` that deployment is.

use bytes::Bytes;
use http::Request;

use super::openai::{self, ChatReader};
use super::{Ask, Endpoint, Profile, Reader, Vendor, at, post};
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

    fn request(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Request<Bytes>> {
        let names_deployment = endpoint.url.path().contains("/deployments/");
        let path: &[&str] = match endpoint.url.path() {
            "/" => &["openai", "v1", "chat", "completions"],
            _ => &["chat", "completions"],
        };
        let url = at(&endpoint.url, path)?;
        let mut request = post(PROFILE.name, endpoint, &url, openai::body(ask, !names_deployment), ask.extra)?;
        if let Some(key) = &endpoint.key {
            request.headers_mut().insert("api-key", key.header(PROFILE.name, "")?);
        }
        Ok(request)
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader)
    }
}
