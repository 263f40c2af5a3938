//! The checks that every request passes before its handler.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method, Version};

use super::{Caller, Scope};
use crate::api::App;
use crate::api::api_error::ApiError;

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Rejects requests with a forbidden host or origin, and requests above the rate limit.
pub(crate) async fn screen(State(app): State<App>, request: Request, next: Next) -> Result<Response, ApiError> {
    if let Some(Peer(from)) = request.extensions().get() {
        app.rates.request(*from).map_err(ApiError::TooMany)?;
    }
    check_host(&request)?;
    let headers = request.headers();
    if app.keys.is_empty() && !is_here(headers) {
        // DNS rebinding: a page of another site can make a browser send requests to this machine under any host name.
        return Err(ApiError::Forbidden(
            "host not allowed: a service without a key answers only at localhost; use that name in the address".into(),
        ));
    }
    if request.method() != Method::GET && request.method() != Method::HEAD && !is_known_origin(headers, &app.origins) {
        return Err(ApiError::Forbidden(
            "the origin of the page may not write to this service: allow it with --origin".into(),
        ));
    }
    Ok(next.run(request).await)
}

/// Refuses a request that names no host, several hosts, or another host in its target (RFC 9112, section 3.2). A proxy in
/// front of the service could have decided by the other one.
fn check_host(request: &Request) -> Result<(), ApiError> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next();
    if hosts.next().is_some() {
        return Err(ApiError::Host("expected one Host header, found several"));
    }
    if host.is_none() && request.version() == Version::HTTP_11 {
        return Err(ApiError::Host("expected a Host header"));
    }
    let target = request.uri().authority().map(|authority| authority.as_str().as_bytes());
    match (target, host) {
        (Some(target), Some(host)) if !target.eq_ignore_ascii_case(host.as_bytes()) => {
            Err(ApiError::Host("expected the same host in the target of the request and in its Host header"))
        }
        _ => Ok(()),
    }
}

/// Rejects callers whose key lacks the scope, and attaches the caller to the request.
pub(crate) async fn guard(
    State((app, scope)): State<(App, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let caller = caller(&app, &request)?;
    if caller.scope < scope {
        let (name, has, needs) = (&caller.name, caller.scope.name(), scope.name());
        return Err(ApiError::Forbidden(format!("the key \"{name}\" has the scope {has}: expected {needs}")));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// The caller of a request.
pub(crate) fn caller(app: &App, request: &Request) -> Result<Caller, ApiError> {
    if app.keys.is_empty() {
        return Ok(Caller { name: "local".into(), scope: Scope::Admin });
    }
    let presented = bearer(request.headers()).ok_or(ApiError::Unauthenticated)?;
    if let Some(caller) = app.keys.caller(presented) {
        return Ok(caller.clone());
    }
    if let Some(Peer(from)) = request.extensions().get() {
        app.rates.wrong_key(*from).map_err(ApiError::TooMany)?;
    }
    Err(ApiError::WrongKey)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty()).then_some(key.trim())
}

/// True if the `Host` header names this machine or is absent.
fn is_here(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// True unless the `Origin` header names an origin that is not allowed.
fn is_known_origin(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    own || origins.iter().any(|known| known == origin)
}
