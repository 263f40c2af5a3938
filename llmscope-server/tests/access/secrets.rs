//! No response contains a key.

use llmscope_harness::Secret;
use llmscope_server::{Alerting, Keys};
use sha2::{Digest as _, Sha256};

use super::client::{Answer, Running};
use super::{KEY, KEYS, operations};

const WEBHOOK: &str = "http://127.0.0.1:9/services/T000/B000/the-secret-path";

/// Texts that no response may contain: keys, their digests, the path of the webhook.
fn secrets() -> Vec<String> {
    let keys = [KEY, "key-of-grafana", "key-of-ci", "key-of-ops"];
    let digest = |key: &&str| Sha256::digest(key).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    keys.iter()
        .map(|key| (*key).to_owned())
        .chain(keys.iter().map(digest))
        .chain(["the-secret-path".to_owned()])
        .collect()
}

#[track_caller]
fn assert_discreet(answer: &Answer, what: &str) {
    let headers: String = answer.headers.iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    let text = headers + &answer.text();
    for secret in secrets() {
        assert!(!text.contains(&secret), "{what} contains {secret}");
    }
}

#[test]
fn no_response_contains_a_secret() {
    let running = Running::with(|settings| {
        settings.keys = Keys::new(Some(KEY), Some(KEYS)).unwrap();
        settings.alerting = Some(Alerting {
            webhook: Secret::new(WEBHOOK),
            rules: "1".parse().unwrap(),
            both_sides: false,
            no_data: false,
        });
    });
    running.client.post("/api/log", &serde_json::json!({"provider": "p", "latency": 0.5})).ok();
    let mut answered = 0;
    for (method, path, _) in operations(&running.client) {
        if path == "/api/v1/events" {
            continue;
        }
        for key in [Some(KEY), Some("key-of-grafana"), Some("a-wrong-key"), None] {
            let client = key.map_or(running.client.without_key(), |key| running.client.with_key(key));
            let answer = client.send(&method, path.replace("{id}", "1"), &[], b"{}");
            assert_discreet(&answer, &format!("{method} {path}"));
            answered += 1;
        }
    }
    assert!(answered > 120, "{answered}");
}

#[test]
fn a_key_in_the_wrong_place_is_not_echoed() {
    let running = Running::start();
    let anonymous = running.client.without_key();
    assert_discreet(&anonymous.get(format!("/api/v1/series?api_key={KEY}")), "a query");
    assert_discreet(&anonymous.get(format!("/{KEY}")), "a path");
    assert_discreet(
        &anonymous.send("GET", "/api/v1/series", &[("authorization", &format!("Basic {KEY}"))], b""),
        "another scheme",
    );
}
