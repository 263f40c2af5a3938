//! The service itself: the caller, the machine, backups, the dashboard's files.

use std::io::Read as _;

use llmscope_server::{Keys, Service};
use serde_json::{Value, json};

use super::client::shape::assert_shape;
use super::client::values::unsteady;
use super::client::{Client, KEY, settings, wait_for};
use super::{Running, keep_latencies, learned};

#[test]
fn whoami_needs_no_key() {
    let running = Running::with(|settings| {
        settings.keys = Keys::new(Some(KEY), Some("grafana:read:key-of-grafana,ci:write:key-of-ci")).unwrap();
    });
    let version = env!("CARGO_PKG_VERSION");
    for (key, name, scopes) in [
        (KEY, "default", json!(["read", "write", "admin"])),
        ("key-of-ci", "ci", json!(["read", "write"])),
        ("key-of-grafana", "grafana", json!(["read"])),
    ] {
        let answer = running.client.with_key(key).get("/api/v1/whoami").ok();
        assert_eq!(answer, json!({"name": name, "scopes": scopes, "keyless": false, "version": version}));
    }
    let anonymous = json!({"scopes": [], "keyless": false, "version": version});
    assert_eq!(running.client.without_key().get("/api/v1/whoami").ok(), anonymous);
    assert_eq!(running.client.with_key("a-wrong-key").get("/api/v1/whoami").ok(), anonymous);
    let keyless = Running::with(|settings| settings.keys = Keys::default());
    let local = json!({"name": "local", "scopes": ["read", "write", "admin"], "keyless": true, "version": version});
    assert_eq!(keyless.client.without_key().get("/api/v1/whoami").ok(), local);
}

#[test]
fn the_machine_is_described() {
    let running = Running::start();
    let machine = wait_for("a reading", || {
        let machine = running.client.get("/api/v1/machine").ok();
        machine.get("sample").is_some().then_some(machine)
    });
    assert_shape(&machine, &json!({"environment": "object", "sample": "object"}));
    assert_shape(&machine["sample"]["at"], &json!("time"));
}

#[test]
fn a_backup_is_a_complete_store() {
    let running = learned();
    keep_latencies(&running.client, &unsteady(1, 100));
    let answer = running.client.poke("/api/v1/backup");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/vnd.sqlite3")));
    assert!(answer.header("content-disposition").unwrap().ends_with(".db\""));

    // A compressed response has the same content.
    let packed = running.client.send("POST", "/api/v1/backup", &[("accept-encoding", "gzip")], b"");
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut unpacked = Vec::new();
    flate2::read::GzDecoder::new(&packed.body[..]).read_to_end(&mut unpacked).unwrap();
    assert_eq!(unpacked.len(), answer.body.len());

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    std::fs::write(&path, &answer.body).unwrap();
    let copy = Service::start(settings(&path)).unwrap();
    let copy = (Client::new(copy.address(), Some(KEY)), copy);
    let ask = |client: &Client| -> Vec<Value> {
        ["/api/v1/series", "/api/v1/violations?limit=1000", "/api/v1/records?limit=1000"]
            .map(|path| client.get(path).ok())
            .into()
    };
    assert_eq!(ask(&copy.0), ask(&running.client));
}

#[test]
fn it_is_ready_when_its_store_answers() {
    let running = Running::start();
    assert_eq!(running.client.without_key().get("/ready").ok(), json!({"status": "ready"}));
}

#[test]
fn cleanup_returns_the_number_of_removed_records() {
    let running = Running::start();
    assert_eq!(running.client.poke("/api/v1/cleanup").ok(), json!({"deleted": 0}));
    let old = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * 8);
    running
        .client
        .post(
            "/api/v1/records",
            &json!([{"provider": "p", "e2e_s": 0.3, "started_at": old}, {"provider": "p", "e2e_s": 0.3}]),
        )
        .ok();
    assert_eq!(running.client.poke("/api/v1/cleanup").ok(), json!({"deleted": 1}));
}

#[test]
fn the_dashboard_and_its_assets_are_served() {
    let running = Running::start();
    let anybody = running.client.without_key();
    let page = anybody.get("/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    for view in ["/analysis", "/violations", "/sessions"] {
        assert_eq!(anybody.get(view).body, page.body, "{view}");
    }
    let text = page.text();
    let assets: Vec<&str> = text.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(assets.len() >= 2, "{text}");
    for asset in assets {
        let answer = anybody.get(asset);
        assert_eq!(answer.status, 200, "{asset}");
        assert!(answer.header("cache-control").unwrap().contains("immutable") && !answer.body.is_empty(), "{asset}");
    }
    let etag = page.header("etag").unwrap().to_owned();
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    assert_eq!(anybody.send("GET", "/", &[("if-none-match", etag.as_str())], b"").status, 304);
}
