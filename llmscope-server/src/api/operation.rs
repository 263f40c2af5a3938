//! One operation of the API: how it is reached, who may, what it takes and gives.

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, on};
use axum::{Router, handler::Handler};
use http::{Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::App;
use crate::access::{Scope, guard};

/// Makes the schema of a type.
pub(super) type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// One operation.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What the caller's key must allow; `None` for everyone.
    pub(super) scope: Option<Scope>,
    pub(super) summary: &'static str,
    pub(super) query: Option<SchemaOf>,
    /// Kinds of bodies that are taken.
    pub(super) bodies: Vec<(&'static str, Option<SchemaOf>)>,
    pub(super) answers: Vec<(StatusCode, &'static str, Option<SchemaOf>)>,
    body_limit: usize,
    handler: MethodRouter<App>,
}

/// The largest body, unless an operation says otherwise.
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

    /// An operation that needs the scope to read; one that changes something needs that to write.
    fn new<T: 'static>(
        method: Method,
        path: &'static str,
        summary: &'static str,
        handler: impl Handler<T, App>,
    ) -> Self {
        let scope = if method == Method::GET { Scope::Read } else { Scope::Write };
        // Every method here is one that axum knows.
        let filter = axum::routing::MethodFilter::try_from(method.clone()).unwrap_or(axum::routing::MethodFilter::GET);
        Self {
            method,
            path,
            scope: Some(scope),
            summary,
            query: None,
            bodies: Vec::new(),
            answers: Vec::new(),
            body_limit: BODY_LIMIT,
            handler: on(filter, handler),
        }
    }

    /// Everyone may.
    pub(super) fn open(self) -> Self {
        Self { scope: None, ..self }
    }

    /// The caller's key must be an administrator's.
    pub(super) fn admin(self) -> Self {
        Self { scope: Some(Scope::Admin), ..self }
    }

    /// Takes this query.
    pub(super) fn asks<T: JsonSchema>(self) -> Self {
        Self { query: Some(|generator| T::json_schema(generator)), ..self }
    }

    /// Takes this body as JSON.
    pub(super) fn takes<T: JsonSchema>(mut self) -> Self {
        self.bodies.push((JSON, Some(|generator| generator.subschema_for::<T>())));
        self
    }

    /// Takes a body of another kind.
    pub(super) fn takes_kind(mut self, kind: &'static str) -> Self {
        self.bodies.push((kind, None));
        self
    }

    /// Takes bodies up to this size.
    pub(super) fn up_to(self, body_limit: usize) -> Self {
        Self { body_limit, ..self }
    }

    /// Gives this as JSON.
    pub(super) fn gives<T: JsonSchema>(self) -> Self {
        self.gives_with::<T>(StatusCode::OK)
    }

    /// Gives this as JSON, with a status of its own.
    pub(super) fn gives_with<T: JsonSchema>(mut self, status: StatusCode) -> Self {
        self.answers.push((status, JSON, Some(|generator| generator.subschema_for::<T>())));
        self
    }

    /// Gives something of another kind.
    pub(super) fn gives_kind(mut self, kind: &'static str) -> Self {
        self.answers.push((StatusCode::OK, kind, None));
        self
    }

    /// Adds the operation's route.
    pub(super) fn route(self, router: Router<App>, app: &App) -> Router<App> {
        let handler = self.handler.layer(DefaultBodyLimit::max(self.body_limit));
        let handler = match self.scope {
            None => handler,
            Some(scope) => handler.layer(from_fn_with_state((app.clone(), scope), guard)),
        };
        router.route(self.path, handler)
    }
}
