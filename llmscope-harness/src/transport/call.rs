//! Calls that are not measured: lists of models, posts to a service, webhooks.

use std::time::Duration;

use ::http::header::{HOST, USER_AGENT};
use ::http::{Method, Request};
use bytes::Bytes;
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use super::{Exchange as _, HttpTransport, Transport as _};
use crate::error::Error;
use crate::failure::{Failure, FailureKind};
use crate::refusal::error_message;

const LARGEST: usize = 8 << 20;

/// A request with the headers that all requests share.
pub(crate) fn request(method: Method, url: &Url, body: Bytes) -> Result<Request<Bytes>, ::http::Error> {
    Request::builder()
        .method(method)
        .uri(&url[url::Position::BeforePath..url::Position::AfterQuery])
        .header(HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(USER_AGENT, concat!("llmscope/", env!("CARGO_PKG_VERSION")))
        .body(body)
}

/// The complete body of a successful response.
pub(crate) async fn call(
    transport: &HttpTransport,
    request: Request<Bytes>,
    limit: Duration,
) -> Result<Vec<u8>, Failure> {
    let timed_out = |_| Failure::new(FailureKind::Timeout, format!("no response within {limit:?}"));
    timeout(limit, fetch(transport, request)).await.map_err(timed_out)?
}

/// The JSON of a successful response. It blocks, for callers without an async runtime.
///
/// # Errors
/// [`Error::Start`] if the runtime cannot be started.
pub(crate) fn request_json(
    transport: &HttpTransport,
    request: Request<Bytes>,
    limit: Duration,
) -> Result<Result<Value, Failure>, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::Start { message: error.to_string() })?;
    let result = runtime.block_on(call(transport, request, limit));
    runtime.shutdown_background();
    Ok(result.and_then(|body| {
        serde_json::from_slice(&body).map_err(|error| Failure::new(FailureKind::Malformed, error.to_string()))
    }))
}

async fn fetch(transport: &HttpTransport, request: Request<Bytes>) -> Result<Vec<u8>, Failure> {
    let mut exchange = transport.send(request).await?;
    let status = exchange.head().status.as_u16();
    let mut body = Vec::new();
    while let Some(frame) = exchange.next().await {
        body.extend_from_slice(&frame?.bytes);
        if body.len() > LARGEST {
            return Err(Failure::new(FailureKind::TooLarge, "the response is larger than 8 MiB"));
        }
    }
    match FailureKind::of_status(status) {
        None => Ok(body),
        Some(kind) => {
            let message = format!("HTTP {status}: {}", error_message(&body));
            Err(Failure { code: Some(status), ..Failure::new(kind, message) })
        }
    }
}
