//! `GET /api/v1/openapi.json`: the OpenAPI document, generated from the list of operations.

use std::sync::LazyLock;

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::api_error::FieldError;
use super::operation::{Operation, SchemaOf};
use super::routes;

/// The body of an error response.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct Failure {
    detail: String,
}

/// The body of a response to an invalid request.
#[derive(JsonSchema)]
#[allow(dead_code, reason = "only its schema is used")]
struct InvalidInput {
    detail: Vec<FieldError>,
}

static DOCUMENT: LazyLock<String> = LazyLock::new(|| document(&routes::operations()).to_string());

pub(super) fn operations() -> Vec<Operation> {
    vec![Operation::get("/api/v1/openapi.json", "Return this OpenAPI document", openapi).open().response::<Value>()]
}

async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], DOCUMENT.as_str()).into_response()
}

/// Generates an OpenAPI 3.1 document, whose schemas are JSON Schema 2020-12 like those of the core.
pub(super) fn document(operations: &[Operation]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_ascii_lowercase()] = described(operation, &mut generator);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "LLMscope",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Statistical process control of language-model latency. Durations are in seconds unless the \
            field's name ends in _ms. Times are in the format of RFC 3339. Unknown values are absent.",
            "license": {"name": "MIT OR Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    })
}

fn described(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut described = json!({
        "operationId": name(operation),
        "summary": operation.summary,
        "parameters": parameters(operation, generator),
        "responses": responses(operation, generator),
    });
    if let Some(scope) = operation.scope {
        // OpenAPI has no scopes for bearer keys: the description names the scope.
        described["security"] = json!([{"key": []}]);
        let exception = if operation.was_open { ", unless the service runs with --open-legacy" } else { "" };
        described["description"] = json!(format!("Requires a key with the scope {}{exception}.", scope.name()));
    }
    if !operation.bodies.is_empty() {
        let kinds = operation.bodies.iter().map(|(kind, schema)| (*kind, *schema));
        described["requestBody"] = json!({"required": true, "content": content(kinds, generator)});
    }
    described
}

/// `get_api_v1_series`
fn name(operation: &Operation) -> String {
    let path = operation.path.replace(['{', '}'], "").replace(['/', '.'], "_");
    format!("{}{path}", operation.method.as_str().to_ascii_lowercase())
}

fn parameters(operation: &Operation, generator: &mut SchemaGenerator) -> Vec<Value> {
    let in_path = operation.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "integer", "format": "int64"}}))
        .collect();
    if operation.is_repeatable {
        parameters.push(json!({
            "name": super::idempotency::HEADER, "in": "header", "required": false,
            "description": "A text that is new for each call. A call that is sent again with the same text and the same \
            body within a day stores nothing, and is answered as accepted.",
            "schema": {"type": "string", "minLength": 1, "maxLength": super::idempotency::LONGEST},
        }));
    }
    let Some(query) = operation.query else { return parameters };
    let schema = query(generator).to_value();
    let required: Vec<&str> = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let mut field = without_null(field.clone());
        let description = field.as_object_mut().and_then(|field| field.remove("description"));
        let mut parameter =
            json!({"name": name, "in": "query", "required": required.contains(&name.as_str()), "schema": field});
        if let Some(description) = description {
            parameter["description"] = description;
        }
        parameters.push(parameter);
    }
    parameters
}

/// Removes null from the schema of a query field, which is present or absent but never null.
fn without_null(mut schema: Value) -> Value {
    if let Some(fields) = schema.as_object_mut() {
        fields.remove("default");
        if let Some(Value::Array(types)) = fields.get_mut("type") {
            types.retain(|kind| kind != "null");
            if let [only] = &types[..] {
                fields["type"] = only.clone();
            }
        }
        if let Some(Value::Array(any)) = fields.get_mut("anyOf") {
            any.retain(|schema| schema["type"] != "null");
            if let [only] = &any[..] {
                let mut only = only.clone();
                if let (Some(only), Some(description)) = (only.as_object_mut(), fields.get("description")) {
                    only.insert("description".to_owned(), description.clone());
                }
                return only;
            }
        }
    }
    schema
}

fn responses(operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    for (status, kind, schema) in &operation.responses {
        let response =
            responses.entry(status.as_str()).or_insert_with(|| json!({"description": "The response.", "content": {}}));
        for (kind, value) in content([(*kind, *schema)].into_iter(), generator) {
            let known = response["content"][kind.as_str()]["schema"].take();
            response["content"][kind] = if known.is_null() {
                value
            } else {
                // The query selects one of several schemas.
                json!({"schema": {"anyOf": [known, value["schema"]]}})
            };
        }
    }
    let failure: SchemaOf = |generator| generator.subschema_for::<Failure>();
    let invalid: SchemaOf = |generator| generator.subschema_for::<InvalidInput>();
    let mut add = |status: &str, description: &str, schema: SchemaOf| {
        let content = content([("application/json", Some(schema))].into_iter(), generator);
        responses.insert(status.to_owned(), json!({"description": description, "content": content}));
    };
    if operation.scope.is_some() {
        add("401", "The key is missing or unknown.", failure);
    }
    add("403", "The key lacks the scope, or the host or the page's origin is not allowed.", failure);
    if operation.path.contains('{') || operation.query.is_some() || operation.names_resources {
        add("404", "The resource does not exist.", failure);
    }
    if operation.query.is_some() || !operation.bodies.is_empty() || operation.path.contains('{') {
        add("422", "The request is invalid; the body lists each error with its location.", invalid);
    }
    if !operation.bodies.is_empty() {
        add("413", "The body is too large.", failure);
        add("415", "The media type of the body is not supported.", failure);
    }
    if operation.responses.iter().any(|(_, kind, _)| kind.contains("parquet")) {
        add("406", "This build does not support the format.", failure);
    }
    // An operation that refuses every request describes this status itself.
    if operation.responses.iter().all(|(status, ..)| *status != StatusCode::BAD_REQUEST) {
        add("400", "The request names no host, several hosts, or another host in its target.", failure);
    }
    add("429", "Too many requests; Retry-After gives the seconds to wait.", failure);
    add("503", "The store is unavailable for now; Retry-After gives the seconds to wait.", failure);
    Value::Object(responses)
}

fn content(
    kinds: impl Iterator<Item = (&'static str, Option<SchemaOf>)>,
    generator: &mut SchemaGenerator,
) -> Map<String, Value> {
    let one = |(kind, schema): (&str, Option<SchemaOf>)| {
        let described = schema.map_or_else(|| json!({}), |schema| json!({"schema": schema(generator).to_value()}));
        (kind.to_owned(), described)
    };
    kinds.map(one).collect()
}
