//! Builds the router from the operations.

use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderValue, Method};
use tower::ServiceBuilder;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _, SizeAbove};
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::timeout::RequestBodyTimeoutLayer;

use super::api_error::ApiError;
use super::operation::Operation;
use super::{App, dashboard, legacy, metrics, openapi, otlp, v1};
use crate::access::screen;

/// How long the service waits for the next bytes of a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// Every operation of the API, in the order of the document.
pub(super) fn operations() -> Vec<Operation> {
    [v1::operations(), legacy::operations(), otlp::operations(), metrics::operations(), openapi::operations()]
        .into_iter()
        .flatten()
        .collect()
}

/// The router that handles every request.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for operation in operations() {
        router = operation.route(router, &app);
    }
    router = dashboard::routes(router);
    router
        .fallback(async || ApiError::NotFound("there is no operation at this path".to_owned()))
        .method_not_allowed_fallback(async || ApiError::Method)
        // One combined layer: separate layers would cost every request an allocation or two each.
        .layer(
            ServiceBuilder::new()
                .layer(from_fn_with_state(app.clone(), headers))
                .layer(cors(&app.origins))
                .layer(from_fn_with_state(app.clone(), screen))
                .layer(RequestBodyTimeoutLayer::new(BODY_TIMEOUT))
                .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
                .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(1024)))),
        )
        .with_state(app)
}

/// Allows requests from pages of these origins only.
fn cors(origins: &[String]) -> CorsLayer {
    let known = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(known))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE, HeaderName::from_static("idempotency-key")])
}

/// Counts every response, and sets its security headers: no content sniffing, no framing, no loading of other resources.
async fn headers(State(app): State<App>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    app.metrics.responded(response.status().as_u16());
    let mut response = response.into_response();
    let always: [(HeaderName, &str); 5] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let defaults =
        [(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"), (CACHE_CONTROL, "no-store")];
    let own = response.headers_mut();
    for (name, value) in always {
        own.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in defaults {
        own.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
