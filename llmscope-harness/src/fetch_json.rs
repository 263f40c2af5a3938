//! Fetches a JSON document from a service.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::Value;
use url::Url;

use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::secret::Secret;
use crate::transport::{Connector, HttpTransport, Origin, request, request_json};

/// Fetches the JSON document at an address. It waits at most `patience` for the response.
///
/// # Errors
/// [`Error::Url`], [`Error::Tls`], [`Error::Start`]; [`Error::Fetch`] if there is no response or it is not JSON.
pub fn fetch_json(address: &str, key: Option<&Secret>, patience: Duration) -> Result<Value> {
    let refuse = |problem| Error::Url { url: address.to_owned(), problem };
    let url = Url::parse(address).map_err(|_| refuse("expected an address such as http://localhost:8081/ready"))?;
    let origin = Origin::of(&url).map_err(|_| refuse("expected http:// or https:// and a host"))?;
    let transport = HttpTransport::new(Connector::new(origin, patience, None)?, false);
    let mut http_request =
        request(Method::GET, &url, Bytes::new()).map_err(|_| refuse("expected a path and a query"))?;
    if let Some(key) = key {
        http_request.headers_mut().insert(AUTHORIZATION, key.header("service", "Bearer ")?);
    }
    let response = request_json(&transport, http_request, patience)?;
    response.map_err(|failure| {
        let message = key.map_or_else(|| failure.message.clone(), |key| key.redact(&failure.message));
        Error::Fetch { url: address.to_owned(), failure: Failure { message, ..failure } }
    })
}
