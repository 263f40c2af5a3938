//! Every operation by every key. The list is the service's own: a new operation cannot be forgotten here.

use serde_json::Value;

use super::client::{Client, Connection};
use super::{KEY, operations, populated};

/// What everybody may ask.
const OPEN: [&str; 8] = [
    "GET /api/v1/whoami",
    "GET /api/v1/openapi.json",
    "GET /health",
    "GET /ready",
    "GET /metrics",
    "GET /api/stats",
    "GET /api/system",
    "GET /",
];
/// What only administrators may.
const ADMIN: [&str; 5] = [
    "POST /api/v1/cleanup",
    "POST /api/v1/backup",
    "POST /api/cleanup",
    "DELETE /api/data",
    "DELETE /api/v1/series/{id}",
];
const SCOPES: [&str; 4] = ["", "read", "write", "admin"];

/// The least scope that an operation is to take, as a place in [`SCOPES`].
fn needed(method: &str, path: &str) -> usize {
    let name = format!("{method} {path}");
    match method {
        _ if OPEN.contains(&name.as_str()) => 0,
        _ if ADMIN.contains(&name.as_str()) => 3,
        "GET" => 1,
        _ => 2,
    }
}

/// The status of an answer, whatever its body.
fn status(client: &Client, method: &str, path: &str) -> u16 {
    let mut connection = Connection::to(client.address);
    connection.send(&client.head(method, path.replace("{id}", "999"), &[], 0), b"");
    connection.answer_head().unwrap().status
}

#[test]
fn every_operation_takes_the_scope_that_it_needs_and_no_less() {
    let running = populated();
    let keys = ["key-of-grafana", "key-of-ci", "key-of-ops"];
    for (method, path, _) in operations(&running.client) {
        let needed = needed(&method, &path);
        let nobody = status(&running.client.without_key(), &method, &path);
        assert_eq!(nobody == 401, needed > 0, "{method} {path} without a key: {nobody}");
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
fn the_document_says_which_scope_it_is() {
    let running = populated();
    for (method, path, operation) in operations(&running.client) {
        let needed = needed(&method, &path);
        assert_eq!(operation.get("security").is_some(), needed > 0, "{method} {path}");
        let words = operation["description"].as_str().unwrap_or_default();
        assert!(needed == 0 || words.contains(SCOPES[needed]), "{method} {path}: {words}");
        assert_eq!(operation["responses"].get("401").is_some(), needed > 0, "{method} {path}");
    }
}

#[test]
fn every_operation_refuses_a_wrong_key() {
    let running = populated();
    let mut closed = 0;
    for (method, path, _) in operations(&running.client).iter().filter(|(method, path, _)| needed(method, path) > 0) {
        // Too many wrong ones are another answer: then the next one is heard in a while.
        let wrong = running.client.with_key("key-of-nobody");
        let found =
            super::client::wait_for("an answer", || Some(status(&wrong, method, path)).filter(|status| *status != 429));
        assert_eq!(found, 401, "{method} {path}");
        closed += 1;
    }
    assert!(closed > 25, "{closed}");
}

#[test]
fn a_refusal_says_who_and_why() {
    let running = populated();
    let reader = running.client.with_key("key-of-grafana");
    let words = reader.poke("/api/v1/backup").refusal(403);
    assert!(words.contains("grafana") && words.contains("read") && words.contains("admin"), "{words}");
    assert!(!words.contains("key-of-grafana"), "{words}");
}

#[test]
fn what_is_refused_changes_nothing() {
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
