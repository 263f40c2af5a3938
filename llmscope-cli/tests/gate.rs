//! `gate` as a person or a CI job would use it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope-cli"));
    command.env_remove("NO_COLOR").env_remove("COLUMNS").env_remove("CLICOLOR_FORCE");
    command.arg("gate").args(args).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Latencies without memory between 0.2 and 0.4 s, times a factor: Weyl's sequence visits them evenly, in an order that a
/// second, scrambled one gives.
fn latencies(count: u32, seed: u32, factor: f64) -> Vec<f64> {
    let hash = |i: u32| {
        let mut x = i.wrapping_add(seed.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
        x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
        f64::from(x ^ (x >> 16)) / f64::from(u32::MAX)
    };
    (0..count).map(|i| factor * (0.2 + 0.2 * hash(i))).collect()
}

/// A session with these times to first token; every `fails`-th request fails.
fn session(folder: &TempDir, name: &str, model: &str, ttft_s: &[f64], fails: Option<usize>) -> PathBuf {
    let record = |(i, ttft): (usize, &f64)| match fails {
        Some(every) if i % every == 0 => r#"{"status":"error"}"#.to_owned(),
        _ => format!(r#"{{"status":"ok","ttft_s":{ttft}}}"#),
    };
    let records = ttft_s.iter().enumerate().map(record).collect::<Vec<_>>().join(",");
    let path = folder.path().join(name);
    let head = format!(r#"{{"schema":"llmscope.session/1","provider":"p","model":"{model}","records":["#);
    fs::write(&path, format!("{head}{records}]}}")).unwrap();
    path
}

#[test]
fn a_shift_fails_and_the_line_says_which() {
    let folder = TempDir::new().unwrap();
    let old = session(&folder, "old.json", "m", &latencies(400, 1, 1.0), None);
    let new = session(&folder, "new.json", "m", &latencies(400, 2, 1.2), None);
    let output = run(&[text(&old), text(&new)]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let line = stdout(&output).lines().next().unwrap().to_owned();
    assert!(line.starts_with("WORSE  TTFT") && line.contains(" %]: worse"), "{line}");
    let back = run(&[text(&new), text(&old)]);
    assert_eq!(back.status.code(), Some(0), "faster is not worse");
    assert!(stdout(&back).starts_with("NOT WORSE"), "{}", stdout(&back));
}

#[test]
fn the_example_session_with_a_second_load_is_worse() {
    let (quiet, loaded) = (format!("{SESSIONS}/undisturbed.json"), format!("{SESSIONS}/second-load.json"));
    let output = run(&[&quiet, &loaded, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer = answer(&output);
    assert_eq!(answer["schema"], "llmscope.gate/1");
    assert_eq!(answer["verdict"], "fail");
    assert!(answer["headline"].as_str().unwrap().starts_with("TPOT"), "{}", answer["headline"]);
    let same = run(&[&quiet, &quiet]);
    assert_eq!(same.status.code(), Some(0));
}
