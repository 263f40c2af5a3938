//! The dashboard, embedded in the binary.
//!
//! Browsers revalidate the page on every visit. The paths of its assets contain a hash of their content, so browsers
//! cache the assets indefinitely.

use std::sync::LazyLock;

use axum::Router;
use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, StatusCode};
use sha2::{Digest as _, Sha256};

use super::App;
use super::api_error::ApiError;

const PAGE: &str = include_str!("../../dashboard/dist/index.html");
/// The assets of the page: name, media type, content.
const ASSETS: [(&str, &str, &[u8]); 3] = [
    ("app.js", "text/javascript; charset=utf-8", include_bytes!("../../dashboard/dist/assets/app.js")),
    ("app.css", "text/css; charset=utf-8", include_bytes!("../../dashboard/dist/assets/app.css")),
    ("icon.svg", "image/svg+xml", include_bytes!("../../dashboard/dist/assets/icon.svg")),
];
/// The paths of the page's views.
const VIEWS: [&str; 5] = ["/", "/live", "/analysis", "/violations", "/sessions"];

/// Allows only resources of this service, no inline scripts or styles, and no framing.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page, which names the version of its assets, that version, and the entity tag of the page.
struct Built {
    page: String,
    version: String,
    etag: String,
}

static BUILT: LazyLock<Built> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    ASSETS.iter().for_each(|(_, _, content)| digest.update(content));
    let version = short(&digest.finalize());
    let page = PAGE.replace("/assets/", &format!("/assets/{version}/"));
    let etag = format!("\"{}\"", short(&Sha256::digest(&page)));
    Built { page, version, etag }
});

fn short(digest: &[u8]) -> String {
    digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn routes(router: Router<App>) -> Router<App> {
    let router = VIEWS.into_iter().fold(router, |router, view| router.route(view, get(page)));
    router.route("/assets/{version}/{name}", get(asset)).route("/favicon.ico", get(icon))
}

async fn page(headers: HeaderMap) -> Response {
    let built = &*BUILT;
    let fixed = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-cache"),
        (ETAG, built.etag.as_str()),
    ];
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    match known {
        Some(known) if known.contains(built.etag.as_str()) => (StatusCode::NOT_MODIFIED, fixed).into_response(),
        _ => (fixed, built.page.as_str()).into_response(),
    }
}

async fn asset(Path((version, name)): Path<(String, String)>) -> Result<Response, ApiError> {
    let found = ASSETS.iter().find(|(known, _, _)| *known == name).filter(|_| version == BUILT.version);
    let (_, kind, content) = found.ok_or_else(|| {
        ApiError::NotFound("this asset belongs to another version of the page: reload the page".into())
    })?;
    Ok(([(CONTENT_TYPE, *kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")], *content).into_response())
}

async fn icon() -> Response {
    let (_, kind, content) = ASSETS[2];
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=86400")], content).into_response()
}
