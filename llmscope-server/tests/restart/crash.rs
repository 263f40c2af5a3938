//! Crashes: the file and its log as they were in the middle of writing.

use std::fs;

use llmscope_server::Service;
use serde_json::json;

use super::client::{KEY, settings};
use super::{Client, LEARN, Running, history, keep, series, violations};

#[test]
fn acknowledged_records_survive_a_crash() {
    let running = Running::learning(LEARN);
    let folder = tempfile::tempdir().unwrap();
    for (crash, part) in history(6, 120).chunks(30).enumerate() {
        keep(&running.client, part);
        let copy = folder.path().join(format!("{crash}.db"));
        let log = |database: &std::path::Path| database.with_extension("db-wal");
        fs::copy(running.database(), &copy).unwrap();
        fs::copy(log(&running.database()), log(&copy)).unwrap();
        assert!(fs::metadata(log(&copy)).unwrap().len() > 0, "the log holds nothing to recover");

        let service = Service::start(settings(&copy)).unwrap();
        let client = Client::new(service.address(), Some(KEY));
        assert_eq!(client.get("/health").ok()["total_requests"], json!(30 * (crash + 1)));
        assert_eq!(series(&client), series(&running.client));
        assert_eq!(violations(&client), violations(&running.client));
    }
}

#[test]
fn a_stopped_service_leaves_one_whole_file() {
    let mut running = Running::learning(LEARN);
    keep(&running.client, &history(8, 50));
    running.stop();
    let mut names: Vec<_> = fs::read_dir(running.database().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["llmscope.db", "llmscope.db.lock"]);
}
