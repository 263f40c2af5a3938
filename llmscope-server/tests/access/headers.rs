//! The security headers of every response.

use super::client::events::open;
use super::client::{Answer, Connection};
use super::populated;

#[track_caller]
fn assert_guarded(answer: &Answer, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{what}");
    }
    let policy = answer.header("content-security-policy").unwrap_or_else(|| panic!("{what}"));
    assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe-eval") && !policy.contains('*'), "{what}: {policy}");
    assert!(answer.header("cache-control").is_some(), "{what}");
}

#[test]
fn every_kind_of_response_has_security_headers() {
    let running = populated();
    let (client, anonymous) = (&running.client, running.client.without_key());
    let page = anonymous.get("/");
    let asset = page.text().split('"').find(|part| part.starts_with("/assets/")).unwrap().to_owned();
    let etag = page.header("etag").unwrap().to_owned();
    let answers = [
        (200, "a document", client.get("/api/v1/series")),
        (201, "a batch", client.post("/api/v1/records", &serde_json::json!([{"provider": "p", "e2e_s": 1}]))),
        (200, "a file", client.get("/api/v1/records?format=csv")),
        (200, "a picture", client.get("/api/v1/chart.svg")),
        (200, "a photograph", client.get("/api/v1/chart.png")),
        (200, "a backup", client.poke("/api/v1/backup")),
        (200, "metrics", client.get("/metrics")),
        (200, "the page", page),
        (304, "the page that is known", anonymous.send("GET", "/", &[("if-none-match", etag.as_str())], b"")),
        (200, "what the page loads", anonymous.get(asset)),
        (200, "an icon", anonymous.get("/favicon.ico")),
        (200, "a head", anonymous.send("HEAD", "/health", &[], b"")),
        (401, "no key", anonymous.get("/api/v1/series")),
        (403, "too little a scope", client.with_key("key-of-grafana").poke("/api/v1/backup")),
        (403, "a foreign origin", client.send("POST", "/api/log", &[("origin", "http://evil.example")], b"{}")),
        (404, "nothing", anonymous.get("/nothing")),
        (404, "no such thing", client.get("/api/v1/violations/999")),
        (405, "another method", anonymous.send("PATCH", "/api/v1/series", &[], b"")),
        (413, "too large a body", client.post_bytes("/api/log", "application/json", &vec![b' '; (1 << 20) + 1])),
        (415, "another kind", client.post_bytes("/api/log", "text/plain", b"x")),
        (422, "a wrong query", client.get("/api/v1/records?limit=0")),
        (
            200,
            "a question beforehand",
            anonymous.send(
                "OPTIONS",
                "/api/log",
                &[("origin", "http://x"), ("access-control-request-method", "POST")],
                b"",
            ),
        ),
    ];
    for (status, what, answer) in &answers {
        assert_eq!(answer.status, *status, "{what}: {}", answer.text());
        assert_guarded(answer, what);
    }
    let mut events = Connection::to(client.address);
    events.send(&client.head("GET", "/api/v1/events", &[], 0), b"");
    assert_guarded(&events.answer_head().unwrap(), "events");
    drop(open(client));
}

#[test]
fn responses_that_may_change_are_not_cached() {
    let running = populated();
    for path in
        ["/api/v1/series", "/api/v1/records", "/health", "/metrics", "/api/v1/whoami", "/api/v1/chart.svg", "/nothing"]
    {
        assert_eq!(running.client.get(path).header("cache-control"), Some("no-store"), "{path}");
    }
}

#[test]
fn the_service_does_not_reveal_its_software() {
    let running = populated();
    for path in ["/", "/health", "/nothing"] {
        let answer = running.client.get(path);
        assert_eq!((answer.header("server"), answer.header("x-powered-by")), (None, None), "{path}");
    }
}
