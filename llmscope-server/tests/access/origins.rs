//! Pages of other sites may neither read nor write, unless their origin is in the settings.

use super::Running;
use super::client::Answer;
use llmscope_server::Keys;

const KNOWN: &str = "https://ops.example";
const BODY: &[u8] = br#"{"provider": "p", "latency": 1}"#;

fn with_known_origin() -> Running {
    Running::with(|settings| settings.origins = vec![KNOWN.to_owned()])
}

fn cors(answer: &Answer) -> Vec<&(String, String)> {
    answer.headers.iter().filter(|(name, _)| name.starts_with("access-control-")).collect()
}

#[test]
fn pages_of_other_origins_may_not_write() {
    let keyless = Running::with(|settings| settings.keys = Keys::default());
    for running in [with_known_origin(), keyless] {
        let port = running.client.address.port();
        for origin in [
            "https://evil.example",
            "http://ops.example",
            "https://ops.example:444",
            "https://ops.example.evil.example",
            "null",
            "",
            &format!("http://127.0.0.1:{}", port ^ 1),
        ] {
            for (method, path) in
                [("POST", "/api/log"), ("DELETE", "/api/data"), ("PUT", "/api/v1/baselines"), ("POST", "/v1/traces")]
            {
                running.client.send(method, path, &[("origin", origin)], BODY).refusal(403);
            }
        }
        assert_eq!(running.client.get("/health").ok()["total_requests"], 0);
    }
}

#[test]
fn its_own_page_and_pages_of_known_origins_may_write() {
    let running = with_known_origin();
    let own = format!("http://{}", running.client.address);
    for origin in [own.as_str(), KNOWN] {
        running.client.send("POST", "/api/log", &[("origin", origin)], BODY).ok();
    }
    // Programs send no origin.
    running.client.send("POST", "/api/log", &[], BODY).ok();
    assert_eq!(running.client.get("/health").ok()["total_requests"], 3);
}

#[test]
fn only_pages_of_known_origins_may_read() {
    let running = with_known_origin();
    let known = running.client.send("GET", "/api/v1/series", &[("origin", KNOWN)], b"");
    assert_eq!(known.header("access-control-allow-origin"), Some(KNOWN));
    assert_eq!(known.header("access-control-allow-credentials"), None);
    assert!(known.header("vary").is_some_and(|vary| vary.to_lowercase().contains("origin")));
    for origin in ["https://evil.example", "null", "https://ops.example.evil.example"] {
        for path in ["/api/v1/series", "/health", "/api/stats", "/", "/api/v1/nothing"] {
            let answer = running.client.send("GET", path, &[("origin", origin)], b"");
            assert_eq!(answer.header("access-control-allow-origin"), None, "{origin} {path}");
        }
    }
    let untold = Running::start();
    let answer = untold.client.send("GET", "/api/v1/series", &[("origin", KNOWN)], b"");
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn preflight_requests_are_answered() {
    let running = with_known_origin();
    let ask = |origin: &str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type"),
        ];
        running.client.without_key().send("OPTIONS", "/api/v1/records", &headers, b"")
    };
    let known = ask(KNOWN);
    assert!([200, 204].contains(&known.status), "{}", known.status);
    assert_eq!(known.header("access-control-allow-origin"), Some(KNOWN));
    let allowed = |name: &str| known.header(name).unwrap().to_lowercase();
    assert!(allowed("access-control-allow-methods").contains("post"));
    let headers = allowed("access-control-allow-headers");
    assert!(headers.contains("authorization") && headers.contains("content-type"), "{headers}");
    let unknown = ask("https://evil.example");
    assert_eq!(unknown.header("access-control-allow-origin"), None, "{:?}", cors(&unknown));
}

#[test]
fn only_pages_of_known_origins_can_read_a_refusal() {
    let running = with_known_origin();
    let answer = running.client.without_key().send("GET", "/api/v1/series", &[("origin", KNOWN)], b"");
    answer.refusal(401);
    assert_eq!(answer.header("access-control-allow-origin"), Some(KNOWN));
}
