//! SQLite databases of tools are read where their table is known, and named as what they are otherwise.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn sql(name: &str) -> String {
    fs::read_to_string(format!("{}/tests/databases/{name}.sql", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A database that these statements make.
fn database(folder: &Path, name: &str, sql: &str) -> PathBuf {
    let path = folder.join(name);
    rusqlite::Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    path
}

fn run(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("llmscope")).args(args).output().unwrap()
}

fn report(output: &Output) -> Value {
    let message = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{message}"))
}

#[track_caller]
fn refused(path: &Path) -> String {
    let output = run(&["analyze", path.to_str().unwrap()]);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    message
}

#[test]
fn the_responses_of_oha_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let text = sql("oha");
    let all = text.matches("INSERT").count();
    let failed = text.matches(",503,").count();
    assert_eq!((all, failed), (30, 4));
    // A name with characters that have a meaning in a URI.
    let path = database(folder.path(), "oha run #1?.db", &text);
    let before = fs::read(&path).unwrap();
    let output = run(&["analyze", path.to_str().unwrap(), "--json", "--undecided", "pass"]);
    let analysis = &report(&output)["analyses"][0];
    assert_eq!((&analysis["metric"], &analysis["n"]), (&"e2e_s".into(), &(all - failed).into()), "{analysis}");
    assert_eq!(analysis["excluded"]["failed"], failed);
    assert!(String::from_utf8_lossy(&output.stderr).contains("oha omits requests without a response"));
    assert_eq!(fs::read(&path).unwrap(), before, "the file is not changed");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no file is next to it");
}

#[test]
fn the_requests_of_evalscope_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), "benchmark_data.db", &sql("evalscope"));
    let out = folder.path().join("run.json");
    let output = run(&["convert", path.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let session: Value = serde_json::from_str(&fs::read_to_string(out).unwrap()).unwrap();
    let records = session["records"].as_array().unwrap();
    let failed: Vec<&Value> = records.iter().filter(|record| record["status"] == "error").collect();
    assert!(!failed.is_empty() && failed.iter().all(|record| record["e2e_s"].is_null()), "{session}");
    assert_eq!(records[0]["e2e_s"], 0.175_458_418_000_062);
    assert_eq!(records[0]["ttft_s"], 0.089_199_794_000_023_76);
    assert_eq!((&records[0]["input_tokens"], &records[0]["output_tokens"]), (&43.into(), &16.into()));
    assert_eq!(records[0]["icl_s"].as_array().unwrap().len(), 15);
}

#[test]
fn a_database_is_read_from_a_pipe() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), "oha.db", &sql("oha"));
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    command.args(["analyze", "-", "--json", "--undecided", "pass"]).stdin(Stdio::from(fs::File::open(path).unwrap()));
    assert_eq!(report(&command.output().unwrap())["analyses"][0]["metric"], "e2e_s");
}

#[test]
fn rows_that_are_not_yet_in_the_file_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path(), "oha.db", &sql("oha"));
    let writer = rusqlite::Connection::open(&path).unwrap();
    writer.execute_batch("PRAGMA journal_mode = wal; INSERT INTO oha SELECT * FROM oha LIMIT 5").unwrap();
    let output = run(&["analyze", path.to_str().unwrap(), "--undecided", "pass"]);
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && message.contains("oha.db-wal and are not read"), "{message}");
}

#[test]
fn another_database_is_named_with_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let other = database(folder.path(), "other.db", "CREATE TABLE \"my runs\"(x REAL); CREATE TABLE notes(t TEXT)");
    let message = refused(&other);
    assert!(
        message.contains("is an SQLite database without a table of a known tool: it has my runs, notes"),
        "{message}"
    );
    assert!(message.contains("sqlite3 -json FILE 'SELECT * FROM \"my runs\"'"), "{message}");
    let empty = database(folder.path(), "empty.db", "CREATE TABLE t(x); DROP TABLE t");
    assert!(refused(&empty).contains("it has no table"));
    let damaged = folder.path().join("damaged.db");
    fs::write(&damaged, b"SQLite format 3\0 and nothing else").unwrap();
    assert!(refused(&damaged).contains("damaged.db, an SQLite database"));
    let no_rows = database(folder.path(), "no-rows.db", &sql("oha").lines().take(10).collect::<Vec<_>>().join("\n"));
    assert!(refused(&no_rows).contains("it has oha"));
}
