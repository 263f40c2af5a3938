//! One operation of the API: its route, its scope, and the schemas of its query, body and responses.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, on};
use axum::{Router, handler::Handler};
use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::App;
use crate::access::{Scope, guard};

/// Generates the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// The scope that the caller's key needs; `None` if no key is needed.
    pub(super) scope: Option<Scope>,
    /// True if it needs no key with `--open-legacy`.
    pub(super) was_open: bool,
    pub(super) summary: &'static str,
    pub(super) query: Option<SchemaOf>,
    /// The accepted media types of bodies, with their schemas.
    pub(super) bodies: Vec<(&'static str, Option<SchemaOf>)>,
    pub(super) responses: Vec<(StatusCode, &'static str, Option<SchemaOf>)>,
    /// True if the body names resources, which may not exist.
    pub(super) names_resources: bool,
    /// True if a call with an `Idempotency-Key` can be repeated.
    pub(super) is_repeatable: bool,
    body_limit: usize,
    handler: MethodRouter<App>,
}

/// The default limit of a body's size.
const BODY_LIMIT: usize = 1 << 20;
const JSON: &str = "application/json";

impl Operation {
    pub(super) fn get<T: 'static>(path: &'static str, summary: &'static str, handler: impl Handler<T, App>) -> Self {
        Self::new(Method::GET, path, summary, handler)
    }

    pub(super) fn post<T: 'static>(path: &'static str, summary: &'static str, handler: impl Handler<T, App>) -> Self {
        Self::new(Method::POST, path, summary, handler)
    }

    pub(super) fn put<T: 'static>(path: &'static str, summary: &'static str, handler: impl Handler<T, App>) -> Self {
        Self::new(Method::PUT, path, summary, handler)
    }

    pub(super) fn delete<T: 'static>(path: &'static str, summary: &'static str, handler: impl Handler<T, App>) -> Self {
        Self::new(Method::DELETE, path, summary, handler)
    }

    /// An operation that needs the scope read if it is a GET, otherwise the scope write.
    fn new<T: 'static>(
        method: Method,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, App>,
    ) -> Self {
        let scope = if method == Method::GET { Scope::Read } else { Scope::Write };
        // axum supports every method that is used here.
        let filter = axum::routing::MethodFilter::try_from(method.clone()).unwrap_or(axum::routing::MethodFilter::GET);
        Self {
            method,
            path,
            scope: Some(scope),
            was_open: false,
            summary,
            query: None,
            bodies: Vec::new(),
            responses: Vec::new(),
            names_resources: false,
            is_repeatable: false,
            body_limit: BODY_LIMIT,
            handler: on(filter, handler),
        }
    }

    /// Needs no key.
    pub(super) fn open(self) -> Self {
        Self { scope: None, ..self }
    }

    /// Needs no key if the service runs with `--open-legacy`.
    pub(super) fn was_open(self) -> Self {
        Self { was_open: true, ..self }
    }

    /// The body names resources by their ids.
    pub(super) fn of_resources(self) -> Self {
        Self { names_resources: true, ..self }
    }

    /// Needs a key with the scope admin.
    pub(super) fn admin(self) -> Self {
        Self { scope: Some(Scope::Admin), ..self }
    }

    /// Accepts this query.
    pub(super) fn query<T: JsonSchema>(self) -> Self {
        Self { query: Some(|generator| T::json_schema(generator)), ..self }
    }

    /// Accepts this body as JSON.
    pub(super) fn body<T: JsonSchema>(mut self) -> Self {
        self.bodies.push((JSON, Some(|generator| generator.subschema_for::<T>())));
        self
    }

    /// Accepts a body of another media type.
    pub(super) fn body_type(mut self, kind: &'static str) -> Self {
        self.bodies.push((kind, None));
        self
    }

    /// Accepts an `Idempotency-Key`.
    pub(super) fn repeatable(self) -> Self {
        Self { is_repeatable: true, ..self }
    }

    /// Accepts bodies up to this size.
    pub(super) fn body_limit(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// Responds with this type as JSON.
    pub(super) fn response<T: JsonSchema>(self) -> Self {
        self.response_with_status::<T>(StatusCode::OK)
    }

    /// Responds with this type as JSON and with this status.
    pub(super) fn response_with_status<T: JsonSchema>(mut self, status: StatusCode) -> Self {
        self.responses.push((status, JSON, Some(|generator| generator.subschema_for::<T>())));
        self
    }

    /// Responds with a body of another media type.
    pub(super) fn response_type(self, kind: &'static str) -> Self {
        self.response_type_with_status(StatusCode::OK, kind)
    }

    /// Responds with a body of another media type and with this status.
    pub(super) fn response_type_with_status(mut self, status: StatusCode, kind: &'static str) -> Self {
        self.responses.push((status, kind, None));
        self
    }

    /// Adds the operation to the router.
    pub(super) fn route(self, router: Router<App>, app: &App) -> Router<App> {
        let handler = self.handler.layer(DefaultBodyLimit::max(self.body_limit));
        let handler = match self.scope.filter(|_| !(self.was_open && app.open_legacy)) {
            None => handler,
            Some(scope) => handler.layer(from_fn_with_state((app.clone(), scope), guard)),
        };
        router.route(self.path, handler)
    }
}
