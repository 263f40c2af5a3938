//! Every operation with every key. The list comes from the OpenAPI document, so it includes new operations.

use serde_json::Value;

use super::client::{Client, Connection};
use super::{KEY, operations, populated};

/// Operations without a key.
const OPEN: [&str; 5] = ["GET /api/v1/whoami", "GET /api/v1/openapi.json", "GET /health", "GET /ready", "GET /"];
/// Operations with the scope admin.
const ADMIN: [&str; 5] = [
    "POST /api/v1/cleanup",
    "POST /api/v1/backup",
    "POST /api/cleanup",
    "DELETE /api/data",
    "DELETE /api/v1/series/{id}",
];
const SCOPES: [&str; 4] = ["", "read", "write", "admin"];

/// The scope that an operation needs, as a position in [`SCOPES`].
fn needed(method: &str, path: &str) -> usize {
    let name = format!("{method} {path}");
    match method {
        _ if OPEN.contains(&name.as_str()) => 0,
        _ if ADMIN.contains(&name.as_str()) => 3,
        "GET" => 1,
        _ => 2,
    }
}

/// The status of a response, ignoring its body.
fn status(client: &Client, method: &str, path: &str) -> u16 {
    let mut connection = Connection::to(client.address);
    connection.send(&client.head(method, path.replace("{id}", "999"), &[], 0), b"");
    connection.answer_head().unwrap().status
}

#[test]
fn every_operation_needs_its_scope() {
    let running = populated();
    let keys = ["key-of-grafana", "key-of-ci", "key-of-ops"];
    for (method, path, _) in operations(&running.client) {
        let needed = needed(&method, &path);
        let keyless_status = status(&running.client.without_key(), &method, &path);
        assert_eq!(keyless_status == 401, needed > 0, "{method} {path} without a key: {keyless_status}");
        for (key, scope) in keys.into_iter().zip(1..) {
            let found = status(&running.client.with_key(key), &method, &path);
            assert_eq!(found == 403, scope < needed, "{method} {path} with {key}: {found}");
            assert!(![401, 405, 429].contains(&found) && found < 500, "{method} {path} with {key}: {found}");
        }
        let everything = status(&running.client.with_key(KEY), &method, &path);
        assert!(![401, 403].contains(&everything), "{method} {path}: {everything}");
    }
}

#[test]
fn the_document_names_the_scope() {
    let running = populated();
    for (method, path, operation) in operations(&running.client) {
        let needed = needed(&method, &path);
        assert_eq!(operation.get("security").is_some(), needed > 0, "{method} {path}");
        let description = operation["description"].as_str().unwrap_or_default();
        assert!(needed == 0 || description.contains(SCOPES[needed]), "{method} {path}: {description}");
        assert_eq!(operation["responses"].get("401").is_some(), needed > 0, "{method} {path}");
    }
}

#[test]
fn every_operation_refuses_a_wrong_key() {
    let running = populated();
    let mut closed = 0;
    for (method, path, _) in operations(&running.client).iter().filter(|(method, path, _)| needed(method, path) > 0) {
        // Too many wrong keys give 429: wait and try again.
        let wrong = running.client.with_key("key-of-no-one");
        let found = super::client::wait_for("a response", || {
            Some(status(&wrong, method, path)).filter(|status| *status != 429)
        });
        assert_eq!(found, 401, "{method} {path}");
        closed += 1;
    }
    assert!(closed > 25, "{closed}");
}

#[test]
fn a_refusal_names_the_key_and_the_scopes() {
    let running = populated();
    let reader = running.client.with_key("key-of-grafana");
    let message = reader.poke("/api/v1/backup").refusal(403);
    assert!(message.contains("grafana") && message.contains("read") && message.contains("admin"), "{message}");
    assert!(!message.contains("key-of-grafana"), "{message}");
}

#[test]
fn a_refused_request_changes_nothing() {
    let running = populated();
    let everything = || -> Vec<Value> {
        let paths = ["/api/v1/records", "/api/v1/series", "/api/v1/violations", "/api/v1/sessions"];
        paths.map(|path| running.client.get(path).ok()).into()
    };
    let before = everything();
    for (method, path, _) in operations(&running.client).iter().filter(|(method, ..)| method != "GET") {
        let path = path.replace("{id}", "1");
        let answer = running.client.with_key("key-of-grafana").send(method, &path, &[], b"");
        answer.refusal(403);
        assert_eq!(running.client.without_key().send(method, &path, &[], b"").status, 401);
    }
    assert_eq!(everything(), before);
}
