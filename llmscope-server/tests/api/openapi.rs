//! The OpenAPI document is consistent and matches the service.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use llmscope_server::WatchSettings;
use serde_json::{Map, Value, json};

use super::client::values::{records, steady};
use super::client::{Client, Connection};
use super::{LEARN, Running, fixture, keep, keep_latencies};

fn document(client: &Client) -> Value {
    client.without_key().get("/api/v1/openapi.json").ok()
}

/// Every operation: method, path, description.
pub(super) fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, methods): (&String, &Value)| -> Vec<_> {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(|(method, one)| (method.to_uppercase(), path.clone(), one.clone()))
            .collect()
    };
    let all: Vec<_> = paths.iter().flat_map(of).collect();
    assert!(all.len() > 30, "{} operations", all.len());
    all
}

fn references<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Value::as_str));
            fields.values().for_each(|value| references(value, found));
        }
        Value::Array(all) => all.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

#[test]
fn every_reference_resolves() {
    let running = Running::start();
    let document = document(&running.client);
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50, "{} references", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} points outside the document"));
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

#[test]
fn its_structure_is_that_of_openapi() {
    let running = Running::start();
    let document = document(&running.client);
    assert_eq!(document["openapi"], "3.1.0");
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    assert_eq!(document["components"]["securitySchemes"]["key"], json!({"type": "http", "scheme": "bearer"}));
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        let place = format!("{method} {path}");
        assert!(ids.insert(operation["operationId"].as_str().unwrap().to_owned()), "{place}");
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{place}");
        check_parameters(&path, &operation, &place);
        check_contents(&operation, &place);
        assert!(operation.get("security").is_none_or(|security| *security == json!([{"key": []}])), "{place}");
        assert!(method != "GET" || operation.get("requestBody").is_none(), "{place}");
    }
}

fn check_parameters(path: &str, operation: &Value, place: &str) {
    let mut names = BTreeSet::new();
    for parameter in operation["parameters"].as_array().unwrap() {
        let (name, within) = (parameter["name"].as_str().unwrap(), parameter["in"].as_str().unwrap());
        assert!(names.insert((within, name)), "{place}: {name} twice");
        assert!(["query", "path", "header"].contains(&within) && parameter["schema"].is_object(), "{place}: {name}");
        assert!(within != "path" || parameter["required"] == true, "{place}: {name}");
    }
    let in_path: BTreeSet<_> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    let named: BTreeSet<_> = names.iter().filter(|(within, _)| *within == "path").map(|(_, name)| *name).collect();
    assert_eq!(in_path, named, "{place}");
}

fn check_contents(operation: &Value, place: &str) {
    let responses = operation["responses"].as_object().unwrap();
    // The service refuses other signals than spans.
    let is_refused = ["POST /v1/metrics", "POST /v1/logs"].contains(&place);
    assert!(is_refused || responses.keys().any(|status| status.starts_with('2')), "{place}");
    let bodies = operation.get("requestBody").into_iter().chain(responses.values());
    for body in bodies {
        let content = body["content"].as_object().unwrap();
        assert!(!content.is_empty(), "{place}");
        assert!(content.keys().all(|kind| kind.split('/').count() == 2), "{place}");
    }
    assert!(responses.values().all(|response| response["description"].is_string()), "{place}");
}

#[test]
fn every_documented_operation_exists() {
    let running = Running::with(|settings| settings.watch = WatchSettings { learn: LEARN, ..WatchSettings::default() });
    // A violation, and an incident: five failures in a row while the alarms are learned.
    keep(&running.client, &records("p", "m", &[None; 5]));
    keep_latencies(&running.client, &[steady(1, LEARN), vec![9.0]].concat());
    running
        .client
        .post_bytes("/api/v1/sessions", "application/json", &fixture("examples/sessions/undisturbed.json"))
        .ok();
    let mut all = operations(&document(&running.client));
    // Operations that remove data come last, because the others need the data.
    all.sort_by_key(|(method, path, _)| (method == "DELETE", path.starts_with("/api/data"), Reverse(path.len())));
    for (method, path, _) in all {
        let mut connection = Connection::to(running.client.address);
        let path = path.replace("{id}", "1");
        connection.send(&running.client.head(&method, &path, &[], 0), b"");
        let answer = connection.answer_head().unwrap();
        assert!(![404, 405].contains(&answer.status) && answer.status < 500, "{method} {path}: {}", answer.status);
    }
}

#[test]
fn undocumented_methods_do_not_exist() {
    let running = Running::start();
    let document = document(&running.client);
    for (method, path, _) in operations(&document) {
        let others = ["GET", "POST", "PUT", "DELETE", "PATCH"].into_iter().filter(|other| {
            let known = document["paths"][&path].get(other.to_lowercase()).is_some();
            !known && *other != method
        });
        for other in others {
            let answer = running.client.without_key().send(other, path.replace("{id}", "1"), &[], b"");
            assert_eq!(answer.refusal(405), "Method Not Allowed", "{other} {path}");
        }
    }
    for path in
        ["/api", "/api/v1", "/api/v2/series", "/api/v1/series/", "/docs", "/assets/x/app.js", "/..%2f..%2fetc/passwd"]
    {
        running.client.get(path).refusal(404);
    }
}

#[test]
fn bounds_of_numbers_are_those_of_the_document() {
    let running = Running::start();
    let mut checked = 0;
    for (method, path, operation) in operations(&document(&running.client)) {
        for parameter in operation["parameters"].as_array().unwrap() {
            let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
            let outside =
                [schema["minimum"].as_i64().map(|least| least - 1), schema["maximum"].as_i64().map(|most| most + 1)];
            for value in outside.into_iter().flatten() {
                let (loc, _) = running.client.send(&method, format!("{path}?{name}={value}"), &[], b"").field_error();
                assert_eq!(loc, [json!("query"), json!(name)], "{method} {path}");
                checked += 1;
            }
        }
    }
    assert!(checked > 30, "{checked}");
}

#[test]
fn every_call_in_the_documentation_is_in_the_document() {
    let running = Running::start();
    let document = document(&running.client);
    let text = String::from_utf8(fixture("docs/http-api.md")).unwrap();
    let calls: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect();
    let mut found = Map::new();
    for call in calls {
        let Some((method @ ("GET" | "POST" | "PUT" | "DELETE"), path)) = call.split_once(' ') else { continue };
        let path = path.split('?').next().unwrap();
        let operation = &document["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{call}");
        found.insert(call.to_owned(), operation.clone());
    }
    assert!(found.len() > 25, "{:?}", found.keys());
}
