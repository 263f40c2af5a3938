//! Authentication: `Not authenticated` without a key, `Invalid API key` for a wrong one.

use llmscope_server::Keys;

use super::Running;
use super::client::KEY;

/// The calls that need a key.
const CLOSED: [(&str, &str); 12] = [
    ("POST", "/api/log"),
    ("GET", "/api/data"),
    ("GET", "/api/stats/spc"),
    ("GET", "/api/providers"),
    ("GET", "/api/cost/summary"),
    ("POST", "/api/cleanup"),
    ("DELETE", "/api/data"),
    ("GET", "/api/export"),
    ("GET", "/api/data?hours=nonsense"),
    ("GET", "/api/stats"),
    ("GET", "/api/system"),
    ("GET", "/metrics"),
];
/// The calls that needed no key in the previous service.
const WERE_OPEN: [&str; 4] = ["/health", "/api/stats", "/api/system", "/metrics"];

#[test]
fn without_a_key_the_response_is_not_authenticated() {
    let running = Running::start();
    for (method, path) in CLOSED {
        for given in [None, Some(""), Some("Bearer"), Some("Bearer "), Some("Basic dXNlcjpwYXNz"), Some(KEY)] {
            let headers: Vec<_> = given.into_iter().map(|given| ("authorization", given)).collect();
            let answer = running.client.without_key().send(method, path, &headers, b"not even JSON");
            assert_eq!(answer.refusal(401), "Not authenticated", "{method} {path} {given:?}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path} {given:?}");
        }
    }
}

#[test]
fn a_wrong_key_is_an_invalid_one() {
    // Few enough to stay below the rate limit.
    for calls in CLOSED.chunks(3) {
        let running = Running::start();
        for (method, path) in calls {
            let answer = running.client.with_key("the-key-of-someone-else").send(method, path, &[], b"not even JSON");
            assert_eq!(answer.refusal(401), "Invalid API key", "{method} {path}");
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{method} {path}");
        }
    }
}

#[test]
fn the_scheme_is_case_insensitive() {
    let running = Running::start();
    for scheme in ["Bearer", "bearer", "BEARER"] {
        let given = format!("{scheme} {KEY}");
        running.client.without_key().send("GET", "/api/data", &[("authorization", given.as_str())], b"").ok();
    }
}

#[test]
fn the_previous_contract_can_be_restored() {
    let running = Running::with(|settings| settings.open_legacy = true);
    for path in WERE_OPEN {
        assert_eq!(running.client.without_key().get(path).status, 200, "{path}");
        assert_eq!(running.client.with_key("the-key-of-someone-else").get(path).status, 200, "{path}");
    }
    assert_eq!(running.client.without_key().get("/health").ok()["total_requests"], 0);
    running.client.without_key().get("/api/data").refusal(401);
}

#[test]
fn a_service_without_keys_is_open() {
    let running = Running::with(|settings| settings.keys = Keys::default());
    for path in WERE_OPEN {
        assert_eq!(running.client.without_key().get(path).status, 200, "{path}");
    }
    assert_eq!(running.client.without_key().get("/health").ok()["total_requests"], 0);
}

#[test]
fn probes_need_no_key_and_count_nothing() {
    let running = Running::start();
    for client in [running.client.without_key(), running.client.with_key("the-key-of-someone-else")] {
        assert_eq!(client.get("/ready").ok(), serde_json::json!({"status": "ready"}));
        let health = client.get("/health").ok();
        assert_eq!((&health["status"], health.get("total_requests")), (&"healthy".into(), None), "{health}");
    }
}
