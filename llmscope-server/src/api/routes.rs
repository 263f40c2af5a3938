//! From the operations to what listens.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn, from_fn_with_state};
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

use super::operation::Operation;
use super::problem::Problem;
use super::{App, dashboard, earlier, metrics, openapi, otlp, v1};
use crate::access::screen;

/// A body that does not move for so long is given up.
const BODY_PATIENCE: Duration = Duration::from_secs(30);

/// Every operation of the API, in the order of the document.
pub(super) fn operations() -> Vec<Operation> {
    [v1::operations(), earlier::operations(), otlp::operations(), metrics::operations(), openapi::operations()]
        .into_iter()
        .flatten()
        .collect()
}

/// Answers every request.
pub(crate) fn router(app: App) -> Router {
    let mut router = Router::new();
    for operation in operations() {
        router = operation.route(router, &app);
    }
    router = dashboard::routes(router);
    router
        .fallback(async || Problem::NotFound("there is nothing at this path".to_owned()))
        .method_not_allowed_fallback(async || Problem::Method)
        // As one layer: each one by itself would cost every request an allocation or two.
        .layer(
            ServiceBuilder::new()
                .layer(from_fn(headers))
                .layer(cors(&app.origins))
                .layer(from_fn_with_state(app.clone(), screen))
                .layer(RequestBodyTimeoutLayer::new(BODY_PATIENCE))
                .layer(RequestDecompressionLayer::new().pass_through_unaccepted(true))
                .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(SizeAbove::new(1024)))),
        )
        .with_state(app)
}

/// Pages of these origins may ask, and of no other.
fn cors(origins: &[String]) -> CorsLayer {
    let known = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(known))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
}

/// What every answer says to browsers: take it for what it is, frame it nowhere, load nothing because of it.
async fn headers(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let mut response = response.into_response();
    let fixed: [(HeaderName, &str); 5] = [
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    let unless_said =
        [(CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"), (CACHE_CONTROL, "no-store")];
    let own = response.headers_mut();
    for (name, value) in fixed {
        own.insert(name, HeaderValue::from_static(value));
    }
    for (name, value) in unless_said {
        own.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}
