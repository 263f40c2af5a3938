//! Logs that are compressed, long, have other column names, or are read as a given tool.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn analyze(folder: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    command.current_dir(folder).arg("analyze").args(args).output().unwrap()
}

fn report(output: &Output) -> Value {
    let messages = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {messages}"))
}

/// Rows of two engines.
fn rows(count: u32) -> String {
    let row = |i: u32| {
        let (engine, milliseconds) = (i % 2, 300 + i * 7 % 11);
        format!(
            "{{\"ts\": {}, \"engine\": \"e{engine}\", \"first\": {milliseconds}}}\n",
            1_795_420_000_000_u64 + u64::from(i)
        )
    };
    (0..count).map(row).collect()
}

const MAPS: [&str; 6] = ["--map", "ttft_s=first:ms", "--map", "model=engine", "--map", "started_at=ts:ms"];

#[test]
fn columns_with_other_names_are_mapped_in_short_and_in_long_logs() {
    let folder = tempfile::tempdir().unwrap();
    for count in [40_u32, 20_000] {
        fs::write(folder.path().join("log.jsonl"), rows(count)).unwrap();
        let output = analyze(folder.path(), &[&["log.jsonl", "--json", "--points"], &MAPS[..]].concat());
        let report = report(&output);
        let analyses = report["analyses"].as_array().unwrap();
        assert_eq!(analyses.len(), 2, "{report}");
        assert_eq!((&analyses[1]["group"]["model"], &analyses[1]["metric"]), (&"e1".into(), &"ttft_s".into()));
        assert_eq!((analyses[1]["n"].as_u64(), &analyses[1]["unit"]), (Some(u64::from(count / 2)), &"s".into()));
        let point = &analyses[1]["points"][0];
        assert_eq!((point["x"].as_f64(), point["source_index"].as_u64()), (Some(0.307), Some(1)));
        assert!(point["t"].as_str().unwrap().starts_with("2026-11-23T07:46:40.001"), "{point}");
    }
    let output = analyze(folder.path(), &["log.jsonl", "--map", "ttft_s=last:ms"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("unknown column \"last\": expected ts, engine, first"));
}

#[test]
fn a_compressed_log_is_read_and_a_truncated_one_is_rejected() {
    use std::io::Write as _;

    let folder = tempfile::tempdir().unwrap();
    let text = rows(20_000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    let compressed = gzip.finish().unwrap();
    fs::write(folder.path().join("log.gz"), &compressed).unwrap();
    fs::write(folder.path().join("log.jsonl"), &text).unwrap();
    let analyses =
        |file: &str| report(&analyze(folder.path(), &[&[file, "--json"], &MAPS[..]].concat()))["analyses"].clone();
    let (from_compressed, plain) = (analyses("log.gz"), analyses("log.jsonl"));
    assert_eq!(from_compressed[0]["limits"], plain[0]["limits"]);
    assert!(plain[0]["limits"]["center"].is_f64());

    fs::write(folder.path().join("cut.gz"), &compressed[..compressed.len() / 2]).unwrap();
    let output = analyze(folder.path(), &[&["cut.gz"], &MAPS[..]].concat());
    assert_eq!(output.status.code(), Some(2), "a truncated file must not be accepted");
    assert!(String::from_utf8_lossy(&output.stderr).contains("cut.gz"));
}

#[test]
fn the_tools_are_listed_and_one_can_be_forced() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.csv"), "latency\n0.3\n0.3\n").unwrap();
    let listed = analyze(folder.path(), &["a.csv", "--from", "help"]);
    assert_eq!(listed.status.code(), Some(0));
    let messages = String::from_utf8_lossy(&listed.stdout).into_owned();
    for tool in ["llmscope", "llmperf", "jsonl", "csv"] {
        assert!(messages.contains(&format!("  {tool} ")), "{messages}");
    }
    let forced = analyze(folder.path(), &["a.csv", "--from", "llmperf"]);
    assert_eq!(forced.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&forced.stderr).contains("a.csv:1"));
}
