//! A store of a former version keeps its incidents.

use llmscope_server::{AlarmKind, WatchSettings};
use rusqlite::Connection;
use serde_json::json;

use super::Client;
use super::client::{KEY, settings};
use llmscope_server::Service;

#[test]
fn incidents_of_one_series_become_incidents_with_one_member() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("llmscope.db");
    let store = Connection::open(&path).unwrap();
    for schema in [
        include_str!("../../src/store/sqlite/schema/1.sql"),
        include_str!("../../src/store/sqlite/schema/2.sql"),
        include_str!("../../src/store/sqlite/schema/3.sql"),
    ] {
        store.execute_batch(schema).unwrap();
    }
    let report = json!({
        "metric": "e2e_s", "part": "level", "direction": "worse", "since": "2026-11-30T12:00:00Z",
        "at": "2026-11-30T12:10:00Z", "requests": 14, "ratio": 1.52, "interval": [1.31, 1.8], "false_alarms": 370_000.0,
    });
    let failures = json!({
        "part": "failures", "direction": "worse", "since": "2026-11-30T12:00:00Z", "at": "2026-11-30T12:10:00Z",
        "requests": 14, "failed": 12,
    });
    store.execute("INSERT INTO sources (id, provider, model) VALUES (1, 'p', 'm')", []).unwrap();
    let insert = "INSERT INTO incidents (id, source, metric, opened_ns, ended_ns, report) VALUES (?, 1, ?, ?, ?, ?)";
    let second = 1_000_000_000_i64;
    let metric = Some("e2e_s");
    store.execute(insert, rusqlite::params![3, metric, 5 * second, Some(9 * second), report.to_string()]).unwrap();
    store.execute(insert, rusqlite::params![4, None::<&str>, 6 * second, None::<i64>, failures.to_string()]).unwrap();
    store.pragma_update(None, "application_id", 0x4c4c_4d53).unwrap();
    store.pragma_update(None, "user_version", 3).unwrap();
    drop(store);

    let mut settings = settings(&path);
    settings.watch = WatchSettings { alarm: AlarmKind::Shift("1/week".parse().unwrap()), ..WatchSettings::default() };
    let service = Service::start(settings).unwrap();
    let client = Client::new(service.address(), Some(KEY));
    let all = client.get("/api/v1/incidents").ok()["incidents"].as_array().unwrap().clone();
    let ids: Vec<_> = all.iter().map(|incident| incident["id"].as_i64().unwrap()).collect();
    assert_eq!(ids, [4, 3]);
    let [failed, slow] = &all[..] else { panic!("{all:?}") };
    assert_eq!((&slow["provider"], &slow["model"], &slow["ratio"]), (&json!("p"), &json!("m"), &json!(1.52)));
    assert_eq!(
        (&slow["opened_at"], &slow["ended_at"]),
        (&json!("1970-01-01T00:00:05Z"), &json!("1970-01-01T00:00:09Z"))
    );
    assert_eq!((&slow["members"][0]["metric"], &slow["status"]), (&json!("e2e_s"), &json!("new")));
    assert_eq!(slow["members"].as_array().unwrap().len(), 1);
    assert!(failed.get("ended_at").is_none() && failed["failed"] == 12, "{failed}");
}
