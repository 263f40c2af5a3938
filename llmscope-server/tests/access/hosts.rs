//! Without a key, the service answers this machine only.

use std::net::SocketAddr;

use llmscope_server::{Error, Keys, Service};

use super::Running;
use super::client::settings;

fn keyless() -> Running {
    Running::with(|settings| settings.keys = Keys::default())
}

#[test]
fn without_a_key_it_listens_on_loopback_only() {
    let folder = tempfile::tempdir().unwrap();
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:80", "[::ffff:0.0.0.0]:0"] {
        let mut settings = settings(&folder.path().join("llmscope.db"));
        settings.address = address.parse::<SocketAddr>().unwrap();
        settings.keys = Keys::new(Some(" "), Some("")).unwrap();
        let Err(Error::Open { address: refused }) = Service::start(settings) else { panic!("{address} is open") };
        assert_eq!(refused.to_string(), address);
    }
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "a service that does not start must create no files"
    );
}

#[test]
fn with_a_key_it_listens_anywhere() {
    let running = Running::with(|settings| settings.address = "0.0.0.0:0".parse().unwrap());
    let mut client = running.client.clone();
    client.address = SocketAddr::new([127, 0, 0, 1].into(), running.client.address.port());
    client.get("/api/v1/series").ok();
}

#[test]
fn without_a_key_every_local_client_has_all_scopes() {
    let running = keyless();
    let client = running.client.without_key();
    client.post("/api/log", &serde_json::json!({"provider": "p", "latency": 0.3})).ok();
    client.get("/api/v1/series").ok();
    client.delete("/api/data").ok();
    assert_eq!(client.poke("/api/v1/backup").status, 200);
    // The service ignores a key that it does not need.
    client.with_key("any-key-at-all").get("/api/v1/series").ok();
}

#[test]
fn without_a_key_only_names_of_this_machine_are_answered() {
    let running = keyless();
    let client = running.client.without_key();
    for host in ["localhost", "LOCALHOST:9", "127.0.0.1", "127.0.0.1:8081", "127.9.9.9", "[::1]", "[::1]:8081"] {
        client.send("GET", "/api/v1/series", &[("host", host)], b"").ok();
    }
    for host in [
        "evil.example",
        "evil.example:8081",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost@evil.example",
        "0.0.0.0",
        "192.168.1.5",
        "[::]",
        "",
        "a b",
    ] {
        for path in ["/api/v1/series", "/health", "/metrics", "/", "/api/v1/nothing"] {
            let answer = client.send("GET", path, &[("host", host)], b"");
            assert!([400, 403].contains(&answer.status), "{host} {path}: {}", answer.status);
        }
        let answer = client.send("POST", "/api/log", &[("host", host)], br#"{"provider": "p", "latency": 1}"#);
        assert!([400, 403].contains(&answer.status), "{host}");
    }
    assert_eq!(client.get("/health").ok()["total_requests"], 0);
}

#[test]
fn with_a_key_every_host_name_is_answered() {
    let running = Running::start();
    running.client.send("GET", "/api/v1/series", &[("host", "llmscope.intern.example")], b"").ok();
}
