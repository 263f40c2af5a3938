//! Tables that contradict themselves, through the command line: refused with the cause, or read with a warning.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("llmscope")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A table with 60 rows of around 0.3.
fn table(header: &str, row: impl Fn(usize, f64) -> String) -> String {
    let value = |i: usize| 0.3 + ((i * 37) % 41) as f64 / 1000.0;
    (0..60).fold(format!("{header}\n"), |text, i| text + &row(i, value(i)) + "\n")
}

#[track_caller]
fn refused(table: &str, name: &str, options: &[&str], problem: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), name, table);
    let output = run(&[&["analyze", path.as_str()], options].concat());
    let message = text(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains(problem), "{name}: {message}");
}

/// The warning is printed, and in the JSON of the analysis if it is one about its values.
#[track_caller]
fn warned(table: &str, options: &[&str], warning: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = written(folder.path(), "table.csv", table);
    let output = run(&[&["analyze", path.as_str(), "--json", "--undecided", "pass"], options].concat());
    let message = text(&output.stderr);
    assert!(output.status.code() != Some(2) && message.contains(warning), "{warning}: {message}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let named = report["analyses"][0]["n"].as_u64();
    assert_eq!(named, Some(60), "{report}");
}

#[test]
fn a_column_of_one_meaning_has_values_of_one_form() {
    let mixed = table("latency", |i, value| if i % 2 == 0 { format!("{value}s") } else { format!("{}", value * 1e3) });
    refused(&mixed, "mixed.csv", &[], "latency: some values have a unit of time, and others have none");
    let stated = table("latency", |_, value| format!("{value}s"));
    refused(&stated, "stated.csv", &["--unit", "latency=ms"], "the values have units of their own");
    let point = table("latency_ms", |_, value| format!("{value}"));
    refused(&point, "point.csv", &["--decimal", ","], "\"0.3\" is not a number");
    let named = table("latency", |_, value| format!("{value}ms"));
    warned(&named, &[], "60 durations with units: read in seconds");
}

#[test]
fn names_are_names_and_unique() {
    let rows = table("0,0.31,ok", |i, value| format!("{i},{value},ok"));
    refused(&rows, "rows.csv", &[], "the first line holds numbers instead of column names");
    let rows = table("1767607200,0.31,ok", |i, value| format!("{i},{value},ok"));
    refused(&rows, "rows.csv", &[], "the first line holds numbers instead of column names");
    let percentiles = table("model,50,99.9", |_, value| format!("m,{value},{value}"));
    warned(&percentiles, &["--column", "99.9", "--lower-is-better", "99.9"], "");
    let twice = table("", |_, value| format!("{{\"latency_ms\": {value}, \"latency_ms\": 1}}"));
    refused(&twice, "twice.jsonl", &[], "two fields of an object are named \"latency_ms\"");
    let plain = table("batch,latency_ms", |i, value| format!("{},{value}", i / 5));
    let options = ["--column", "latency_ms", "--subgroup-by", "btach"];
    refused(&plain, "plain.csv", &options, "unknown column of subgroups or sample sizes \"btach\"");
}

#[test]
fn a_flag_of_completion_does_not_count_requests() {
    let folder = tempfile::tempdir().unwrap();
    let rows = table("e2e_s,completed,success", |i, value| format!("{value},{},{}", i != 3, i % 10 != 6));
    let path = written(folder.path(), "table.csv", &rows);
    let session = written(folder.path(), "session.json", "");
    assert!(run(&["convert", &path, "-o", &session, "--force"]).status.success());
    for file in [path, session] {
        let report: serde_json::Value = serde_json::from_slice(&run(&["analyze", &file, "--json"]).stdout).unwrap();
        let analysis = &report["analyses"][0];
        assert_eq!((&analysis["n"], &analysis["excluded"]["failed"]), (&53.into(), &7.into()), "{file}");
    }
}

#[test]
fn times_that_give_no_order_are_reported() {
    let time = |second: usize| format!("2026-01-05T10:{:02}:{:02}Z", second / 60, second % 60);
    let some = table(
        "time,latency_ms",
        |i, value| if i % 4 == 0 { format!(",{value}") } else { format!("{},{value}", time(i)) },
    );
    warned(&some, &[], "15 rows without a time: the rows keep the order of the file");
    let equal = table("time,latency_ms", |_, value| format!("{},{value}", time(0)));
    warned(&equal, &[], "all 60 times are equal: the order is that of the file");
    let small = table("time,latency_ms", |i, value| format!("{},{value}", 37 * (60 - i)));
    warned(&small, &[], "the numbers of the column \"time\" can be durations, and are not read as times");
}

#[test]
fn latencies_that_cannot_be_are_reported() {
    let zeros = table("latency_ms", |i, value| if i % 20 == 7 { "0".to_owned() } else { value.to_string() });
    warned(&zeros, &[], "3 values of exactly 0 among the durations");
    let late = table("ttft_s,e2e_s", |_, value| format!("{},{value}", value * 2.0));
    warned(&late, &[], "60 requests with a time to first token above the end-to-end latency");
}

#[test]
fn files_are_read_as_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let rows = table("latency_ms", |_, value| value.to_string());
    let path = written(folder.path(), "a.csv", &rows);
    written(folder.path(), "README.md", "# Results of 1 night\n");
    let output = run(&["analyze", folder.path().to_str().unwrap(), "--undecided", "pass"]);
    assert_ne!(output.status.code(), Some(2), "{}", text(&output.stderr));
    let copy = written(folder.path(), "b.csv", &rows);
    let output = run(&["analyze", &path, &copy, "--undecided", "pass"]);
    assert!(text(&output.stderr).contains("b.csv has the same content as"), "{}", text(&output.stderr));
    refused("<!DOCTYPE html><html></html>", "page.csv", &[], "the file is a web page");
    let pretty = table("", |_, value| format!("{{\n  \"latency_ms\": {value}\n}}"));
    let path = written(folder.path(), "pretty.json", &pretty);
    let output = run(&["analyze", &path, "--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["analyses"][0]["n"], 60, "{}", text(&output.stderr));
}
