//! What every request passes on its way in.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, Method};

use super::{Caller, Scope};
use crate::api::App;
use crate::api::problem::Problem;

/// The address at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Lets through what comes from where it may come from, and not too often.
pub(crate) async fn screen(State(app): State<App>, request: Request, next: Next) -> Result<Response, Problem> {
    if let Some(Peer(from)) = request.extensions().get() {
        app.rates.request(*from).map_err(Problem::TooMany)?;
    }
    let headers = request.headers();
    if app.keys.is_empty() && !is_here(headers) {
        // A page of another site can make a browser ask its own machine under a name of its choice.
        return Err(Problem::Forbidden(
            "without a key, only localhost is answered: use that name in the address".into(),
        ));
    }
    if request.method() != Method::GET && request.method() != Method::HEAD && !is_known_origin(headers, &app.origins) {
        return Err(Problem::Forbidden("the page's origin is not one that may write here (--origin)".into()));
    }
    Ok(next.run(request).await)
}

/// Lets through whose key has the scope, and notes who it is.
pub(crate) async fn guard(
    State((app, scope)): State<(App, Scope)>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = caller(&app, &request)?;
    if caller.scope < scope {
        let (name, has, needs) = (&caller.name, caller.scope.name(), scope.name());
        return Err(Problem::Forbidden(format!("the key \"{name}\" has the scope {has}, and this needs {needs}")));
    }
    request.extensions_mut().insert(caller);
    Ok(next.run(request).await)
}

/// Who asks.
pub(crate) fn caller(app: &App, request: &Request) -> Result<Caller, Problem> {
    if app.keys.is_empty() {
        return Ok(Caller { name: "local".into(), scope: Scope::Admin });
    }
    let presented = bearer(request.headers()).ok_or(Problem::Unauthenticated)?;
    if let Some(caller) = app.keys.caller(presented) {
        return Ok(caller.clone());
    }
    if let Some(Peer(from)) = request.extensions().get() {
        app.rates.wrong_key(*from).map_err(Problem::TooMany)?;
    }
    Err(Problem::WrongKey)
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty()).then_some(key.trim())
}

/// True if the host that was asked for is this machine, or was not said.
fn is_here(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(HOST) else { return true };
    let authority = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    authority.is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    })
}

/// True unless a browser says that the page came from elsewhere.
fn is_known_origin(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else { return true };
    let Ok(origin) = origin.to_str() else { return false };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let own = origin.split_once("://").is_some_and(|(_, authority)| Some(authority) == host);
    own || origins.iter().any(|known| known == origin)
}
