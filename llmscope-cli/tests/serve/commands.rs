//! Errors of `serve`, its health check, and `reset`.

use std::fs;
use std::process::Stdio;

use super::{KEY, Serving, entry, program};
use crate::client::Client;

#[test]
fn it_shuts_down_cleanly_on_sigterm() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("llmscope.db");
    let mut serving = Serving::start(&database);
    assert_eq!(serving.client().post("/api/log", &entry(1, 0.3, true)).status, 200);
    let pid = serving.process.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(serving.process.wait().unwrap().code(), Some(0));
    assert!(!serving.rest().contains("ERROR"));
    // A clean shutdown leaves a single file.
    assert!(!folder.path().join("llmscope.db-wal").exists());
}

#[test]
fn errors_at_startup_name_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("llmscope.db");
    let serving = Serving::start(&database);
    let address = serving.address.to_string();
    let garbage = folder.path().join("garbage.db");
    fs::write(&garbage, "This text is not a database, but it is long enough. ".repeat(100)).unwrap();
    let at = |path: &std::path::Path| path.display().to_string();
    let database = at(&database);
    for (args, expected) in [
        (vec!["--address", "0.0.0.0:0"], "set LLMSCOPE_API_KEY"),
        (vec!["--address", &address, "--database", "unused.db"], "cannot listen at"),
        (vec!["--address", "127.0.0.1:0", "--database", &database], "in use by another process"),
        (
            vec!["--address", "127.0.0.1:0", "--database", &at(&garbage)],
            "the file is not a database; it was not changed",
        ),
        (vec!["--address", "127.0.0.1:0", "--learn", "3", "--database", "unused.db"], "20 to 2048 values"),
        (vec!["--rules", "nelsen"], "nelson"),
        (vec!["--metric", "latency"], "ttft_s"),
    ] {
        let ended = program().arg("serve").args(&args).current_dir(folder.path()).output().unwrap();
        let messages = String::from_utf8_lossy(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{args:?}: {messages}");
        assert!(messages.contains(expected), "{args:?}: {messages}");
    }
    let refused = |args: &[&str]| {
        let ended = program().arg("serve").args(args).env("LLMSCOPE_API_KEY", "dev-123").output().unwrap();
        assert_eq!(ended.status.code(), Some(2));
        String::from_utf8(ended.stderr).unwrap()
    };
    let messages = refused(&["--address", "0.0.0.0:0", "--database", &at(&folder.path().join("short.db"))]);
    assert!(messages.contains("fewer than 8 characters") && messages.contains("openssl rand"), "{messages}");
    assert!(!messages.contains("dev-123"), "{messages}");
    let messages = refused(&["--origin", "*"]);
    assert!(messages.contains("every page could write"), "{messages}");
}

/// The previous service's tools have a key of seven characters.
#[test]
fn a_short_key_is_accepted_on_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::with_key(program(), &folder.path().join("llmscope.db"), "dev-123");
    assert_eq!(serving.client().get("/api/data").status, 401);
    assert_eq!(Client::new(serving.address, Some("dev-123")).get("/api/data").status, 200);
}

#[test]
fn a_link_to_a_store_in_use_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [database, link] = ["llmscope.db", "link.db"].map(|name| folder.path().join(name));
    let _serving = Serving::start(&database);
    std::os::unix::fs::symlink(&database, &link).unwrap();
    let args = ["serve", "--address", "127.0.0.1:0", "--database", link.to_str().unwrap()];
    let second = program().args(args).output().unwrap();
    let messages = String::from_utf8_lossy(&second.stderr);
    assert_eq!(second.status.code(), Some(2), "{messages}");
    assert!(messages.contains("in use by another process"), "{messages}");
}

#[test]
fn the_health_check_reports_whether_it_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let serving = Serving::start(&folder.path().join("llmscope.db"));
    let check = |address: &str| {
        let check = program().args(["serve", "--healthcheck", "--address", address]).stderr(Stdio::null()).status();
        check.unwrap().code()
    };
    let everywhere = format!("0.0.0.0:{}", serving.address.port());
    assert_eq!((check(&serving.address.to_string()), check(&everywhere)), (Some(0), Some(0)));
    let address = serving.address.to_string();
    drop(serving);
    assert_eq!(check(&address), Some(1));
}

#[test]
fn a_reset_removes_only_what_it_announces() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("llmscope.db");
    let serving = Serving::start(&database);
    let client = serving.client();
    (0..40).for_each(|n| assert_eq!(client.post("/api/log", &entry(n, 0.3 + 0.01 * (n % 3) as f64, true)).status, 200));
    let session = include_bytes!("../../../examples/sessions/paused.json");
    assert_eq!(client.send("POST", "/api/v1/sessions?name=paused", &[], session).status, 201);
    let reset = |args: &[&str]| {
        let ended = program().arg("reset").args(args).arg("--database").arg(&database).output().unwrap();
        (ended.status.code(), String::from_utf8_lossy(&ended.stderr).into_owned())
    };
    let (code, messages) = reset(&["--yes"]);
    assert!(code == Some(2) && messages.contains("in use by another process"), "{messages}");
    drop((client, serving));

    let (code, messages) = reset(&[]);
    assert!(code == Some(2) && messages.contains("40 records") && messages.contains("--yes"), "{messages}");
    assert_eq!(reset(&["--yes"]).0, Some(0));
    let counts = || {
        let serving = Serving::start(&database);
        let count = |path: &str, of: &str| serving.client().get(path).json()[of].as_array().unwrap().len();
        let records = count("/api/v1/records", "records");
        (records, count("/api/v1/series", "series"), count("/api/v1/sessions", "sessions"))
    };
    assert_eq!(counts(), (0, 1, 1), "the series keeps its limits");
    assert_eq!(reset(&["medium", "--yes"]).0, Some(0));
    assert_eq!(counts(), (0, 0, 1));
    assert_eq!(reset(&["full", "--yes"]).0, Some(0));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "no file is left");
    let (code, messages) = reset(&["full", "--yes"]);
    assert!(code == Some(2) && messages.contains("no store"), "{messages}");
}

#[test]
fn the_smoke_test_passes() {
    let ended = program().args(["reset", "--smoke"]).output().unwrap();
    let messages = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success() && messages.contains("smoke test passed"), "{messages}");
}

#[test]
fn no_key_appears_in_the_list_of_processes_or_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut serving = Serving::start(&folder.path().join("llmscope.db"));
    let line = fs::read(format!("/proc/{}/cmdline", serving.process.id())).unwrap_or_default();
    assert!(!String::from_utf8_lossy(&line).contains(KEY));
    let client = serving.client().with_key("another-key-that-is-wrong");
    let answer = client.get(format!("/api/data?provider={KEY}"));
    assert!(answer.status == 401 && !answer.text().contains("another-key"), "{}", answer.text());
    serving.process.kill().unwrap();
    let messages = serving.rest();
    assert!(!messages.contains(KEY) && !messages.contains("another-key"), "{messages}");
}
