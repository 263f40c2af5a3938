//! Asking a service for a JSON document, once.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http::header::AUTHORIZATION;
use serde_json::Value;
use url::Url;

use crate::error::{Error, Result};
use crate::failure::Failure;
use crate::secret::Secret;
use crate::transport::{Connector, HttpTransport, Origin, ask_for_json, request};

/// What stands at an address. It waits for the answer at most as long as it is told.
///
/// # Errors
/// [`Error::Url`], [`Error::Tls`], [`Error::Start`]; [`Error::Inquiry`] if there is no answer, or none in JSON.
pub fn inquire(address: &str, key: Option<&Secret>, patience: Duration) -> Result<Value> {
    let refuse = |problem| Error::Url { url: address.to_owned(), problem };
    let url = Url::parse(address).map_err(|_| refuse("expected one such as http://localhost:8081/ready"))?;
    let origin = Origin::of(&url).map_err(|_| refuse("expected http:// or https:// and a host"))?;
    let transport = HttpTransport::new(Connector::new(origin, patience, None)?, false);
    let mut question = request(Method::GET, &url, Bytes::new()).map_err(|_| refuse("expected a path and a query"))?;
    if let Some(key) = key {
        question.headers_mut().insert(AUTHORIZATION, key.header("service", "Bearer ")?);
    }
    let answer = ask_for_json(&transport, question, patience)?;
    answer.map_err(|failure| {
        let message = key.map_or_else(|| failure.message.clone(), |key| key.struck_from(&failure.message));
        Error::Inquiry { url: address.to_owned(), failure: Failure { message, ..failure } }
    })
}
