//! Files that are in use, foreign, damaged or from a newer version give a clear error and are not changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use llmscope_server::{Error, Service, StoreError};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use super::client::settings;
use super::client::values::Numbers;
use super::{Running, history, keep};

/// The error of starting a service on this file, which must not change.
#[track_caller]
fn refusal(path: &Path) -> StoreError {
    let before = fs::read(path).unwrap();
    let refusal = match Service::start(settings(path)) {
        Err(Error::Store(refusal)) => refusal,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("the service started"),
    };
    assert!(fs::read(path).unwrap() == before, "the file was changed: {refusal}");
    assert!(refusal.to_string().contains(path.to_str().unwrap()), "{refusal}");
    refusal
}

/// A file with these bytes.
fn file(bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("some.db");
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// The bytes of a store with some content.
fn store() -> Vec<u8> {
    let mut running = Running::learning(20);
    keep(&running.client, &history(9, 60));
    running.stop();
    fs::read(running.database()).unwrap()
}

#[test]
fn only_one_service_can_use_a_file() {
    let running = Running::start();
    let other = Service::start(settings(&running.database()));
    let Err(Error::Store(StoreError::Busy { place })) = other else { panic!("two services use one file") };
    assert_eq!(place, running.database().display().to_string());
    // The first service continues, and the next one has its data.
    running.client.post("/api/log", &serde_json::json!({"provider": "p", "latency": 1})).ok();
    let mut running = running;
    running.restart(|_| {});
    assert_eq!(running.client.get("/health").ok()["total_requests"], 1);
}

#[test]
fn the_database_of_another_program_is_not_changed() {
    for journal in ["delete", "wal"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("theirs.db");
        let theirs = Connection::open(&path).unwrap();
        theirs.pragma_update(None, "journal_mode", journal).unwrap();
        theirs
            .execute_batch("CREATE TABLE logs (id INTEGER, latency REAL); INSERT INTO logs VALUES (1, 0.5);")
            .unwrap();
        drop(theirs);
        let refusal = refusal(&path);
        assert!(matches!(refusal, StoreError::Foreign { .. }), "{refusal}");
        // The message tells users of the previous service how to import its data.
        assert!(refusal.to_string().contains("/api/export"), "{refusal}");
    }
}

#[test]
fn the_database_of_another_program_is_not_changed_even_if_it_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("theirs.db");
    let theirs = Connection::open(&path).unwrap();
    theirs.execute_batch("PRAGMA application_id = 1234; PRAGMA user_version = 7; VACUUM;").unwrap();
    drop(theirs);
    assert!(matches!(refusal(&path), StoreError::Foreign { .. }));
}

#[test]
fn a_file_without_a_database_is_not_changed() {
    let mut numbers = Numbers::of(3);
    for length in [1, 15, 16, 99, 100, 511, 512, 4096, 70_000] {
        let bytes: Vec<u8> = (0..length).map(|_| u8::try_from(numbers.below(256)).unwrap()).collect();
        let (_folder, path) = file(&bytes);
        let refusal = refusal(&path);
        assert!(matches!(refusal, StoreError::Foreign { .. }), "{length}: {refusal}");
    }
    let (_folder, path) = file(b"timestamp,latency\n2026-01-01,0.5\n");
    assert!(matches!(refusal(&path), StoreError::Foreign { .. }));
}

#[test]
fn an_empty_file_is_a_new_store() {
    let (_folder, path) = file(b"");
    Service::start(settings(&path)).unwrap().stop();
    assert!(fs::metadata(&path).unwrap().len() > 0);
}

#[test]
fn a_truncated_store_is_not_changed() {
    let whole = store();
    let runner = ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(runner, |(length in 1..whole.len())| {
        let (_folder, path) = file(&whole[..length]);
        let refusal = refusal(&path);
        let is_clear = matches!(refusal, StoreError::Damaged { .. } | StoreError::Foreign { .. });
        prop_assert!(is_clear, "{}: {}", length, refusal);
    });
}

#[test]
fn a_store_with_a_page_of_zeros_is_not_changed() {
    let whole = store();
    // The header, and the schema table after it.
    for (place, is_clear) in [(0, "not a database"), (100, "damaged")] {
        let mut bytes = whole.clone();
        bytes[place..4096].fill(0);
        let (_folder, path) = file(&bytes);
        let refusal = refusal(&path);
        assert!(refusal.to_string().contains(is_clear), "{refusal}");
    }
}

#[test]
fn a_service_that_sees_damage_is_not_ready() {
    let mut running = Running::start();
    let records: Vec<_> = (0..2000).map(|_| json!({"provider": "p", "e2e_s": 0.3})).collect();
    running.client.post("/api/v1/records", &json!(records)).ok();
    running.stop();
    let whole = fs::read(running.database()).unwrap();
    // A page of records, which the start does not read.
    let mut damaged = whole.clone();
    let page = whole.len() / 2 / 4096 * 4096;
    damaged[page..page + 4096].fill(0xff);
    for (bytes, is_damaged) in [(&whole, false), (&damaged, true)] {
        fs::write(running.database(), bytes).unwrap();
        running.restart(|settings| settings.first_check = Duration::from_millis(1));
        let ready = || running.client.without_key().get("/ready");
        if is_damaged {
            super::client::wait_for("the check", || (ready().status == 503).then_some(()));
            assert!(ready().refusal(503).contains("damaged"));
        } else {
            std::thread::sleep(Duration::from_millis(300));
            assert_eq!(ready().status, 200);
        }
        running.stop();
    }
}

#[test]
fn a_store_whose_series_cannot_be_read_is_not_changed() {
    let (_folder, path) = file(&store());
    let connection = Connection::open(&path).unwrap();
    assert_eq!(connection.execute("UPDATE series SET state = '{\"half\":'", []).unwrap(), 1);
    drop(connection);
    let refusal = refusal(&path);
    assert!(matches!(refusal, StoreError::Damaged { .. }), "{refusal}");
}

#[test]
fn a_store_of_a_newer_version_is_not_changed() {
    let (_folder, path) = file(&store());
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let refusal = refusal(&path);
    assert!(matches!(refusal, StoreError::Newer { found: 99, known, .. } if known < 99), "{refusal}");
}

#[test]
fn a_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    fs::create_dir(&path).unwrap();
    assert!(matches!(Service::start(settings(&path)), Err(Error::Store(_))));
    assert!(path.is_dir());
}

#[test]
fn missing_parent_folders_are_created() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c?mode=ro&x=%41/llmscope.db");
    Service::start(settings(&path)).unwrap().stop();
    assert!(path.is_file());
}

#[test]
fn an_unusable_store_leaves_the_port_free() {
    let (_folder, path) = file(b"this is text, not a database, despite its name");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut settings = settings(&path);
    settings.address = port;
    assert!(matches!(Service::start(settings), Err(Error::Store(_))));
    std::net::TcpListener::bind(port).unwrap();
}
