//! Damaged, repeated and renamed logs: what makes a bad log look good is never silent.
//!
//! Each log that `analyze` judges with exit status 1 is changed in ways that happen to logs. The changed log must not end
//! with exit status 0, unless a message says what was read in another way.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "the numbers are small")]

mod convert;
mod formats;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use formats::{FORMATS, Format, Request};

const REQUESTS: usize = 60;
/// The first slow request of a log with a step.
const SLOW_FROM: usize = 40;
/// The first failed request of a log with an outage.
const DOWN_FROM: usize = 48;

/// Names of columns and fields, with other names that people and tools use for the same.
const SYNONYMS: &[(&str, &[&str])] = &[
    ("e2e_s", &["latency_s", "duration_s", "total_time_s", "elapsed"]),
    ("latency_ms", &["duration_ms", "elapsed_ms", "responseTime"]),
    ("latency", &["duration", "elapsed"]),
    ("elapsed", &["duration", "responseTime"]),
    ("status", &["result", "state", "outcome", "verdict", "response", "http_status", "statusCode", "exit"]),
    ("success", &["ok", "succeeded", "passed", "valid", "result"]),
    ("error", &["err", "failure", "exception", "problem", "reason"]),
    ("errors", &["failures", "error_messages"]),
    ("error_code", &["errorCode", "code", "failure_code"]),
    ("error.type", &["error_type", "exception.type", "error.kind"]),
    ("responseCode", &["code", "response_code", "rc"]),
    ("status-code", &["code", "http_code"]),
    ("exit_codes", &["returncodes", "codes"]),
    ("error_message", &["message", "error_text"]),
    ("error_information", &["error_info", "exception"]),
    ("started_at", &["timestamp", "time", "when", "created", "begin"]),
    ("time", &["timestamp", "ts", "when"]),
    ("timeStamp", &["time", "date"]),
    ("timestamp", &["time", "ts", "when", "date"]),
    ("startTime", &["start_time", "begin"]),
    ("startTimeUnixNano", &["start_time_unix_nano", "startTime"]),
    ("start_times", &["starts", "begin_times"]),
    ("request_id", &["id", "uid", "correlation_id"]),
    ("end_to_end_latency_s", &["e2e_latency_s", "latency_s"]),
    ("request_latency", &["latency", "e2e_latency"]),
    ("ttft_s", &["time_to_first_token", "first_token_s"]),
    ("ttfts", &["first_token_times"]),
    ("itls", &["gaps"]),
    ("http_req_failed", &["http_req_errors"]),
    ("http_req_duration", &["http_request_duration"]),
    ("times", &["durations", "samples"]),
    ("data", &["rows", "items", "values"]),
];

/// A log, as files with their names.
type Files = Vec<(String, String)>;

/// What `analyze` answers.
struct Outcome {
    code: i32,
    /// The messages, without the names of files.
    messages: BTreeSet<String>,
    report: Value,
}

impl Outcome {
    fn of(files: &Files, folder: &Path) -> Self {
        fs::create_dir_all(folder).unwrap();
        let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.join(name)).collect();
        for (path, (_, text)) in paths.iter().zip(files) {
            fs::write(path, text).unwrap();
        }
        Self::of_paths(&paths)
    }

    fn of_paths(paths: &[PathBuf]) -> Self {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
        let output = command.arg("analyze").args(paths).arg("--json").output().unwrap();
        let mut text = String::from_utf8(output.stderr).unwrap();
        for path in paths {
            text = text.replace(&path.display().to_string(), "FILE");
        }
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let mut messages: BTreeSet<String> = text.lines().map(str::to_owned).collect();
        for analysis in report["analyses"].as_array().into_iter().flatten() {
            let warnings = analysis["warnings"].as_array().into_iter().flatten();
            messages.extend(warnings.filter_map(Value::as_str).map(str::to_owned));
        }
        Self { code: output.status.code().unwrap(), messages, report }
    }

    /// True if a bad log looks good, and no new message gives the reason.
    fn hides(&self, original: &Self) -> bool {
        self.code == 0 && self.messages.is_subset(&original.messages)
    }

    fn verdict(&self) -> Value {
        const FIELDS: [&str; 9] = ["n", "metric", "group", "mean", "median", "verdict", "answer", "excluded", "limits"];
        let of = |analysis: &Value| FIELDS.iter().map(|field| analysis[field].clone()).collect::<Value>();
        self.report["analyses"].as_array().into_iter().flatten().map(of).collect()
    }
}

/// Calls `check` with each item, on as many threads as the machine has processors. Returns what it found.
fn in_parallel<T: Sync>(items: &[T], check: impl Fn(&T, &Path) -> Vec<String> + Sync) -> Vec<String> {
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let problems = check(item, &folder.path().join(index.to_string()));
                    found.lock().unwrap().extend(problems);
                }
            });
        }
    });
    found.into_inner().unwrap()
}

/// Requests around 0.3 s, in which neighbours are independent.
fn requests(count: usize, of: impl Fn(usize, f64) -> (f64, bool)) -> Vec<Request> {
    // Marsaglia's xorshift: a regular sequence would count as dependent.
    let mut noise = 88_172_645_463_325_252_u64;
    let request = |number: usize| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let (took_s, failed) = of(number, 0.3 + (noise % 1000) as f64 / 10_000.0);
        Request { number, took_s, failed }
    };
    (0..count).map(request).collect()
}

fn step() -> Vec<Request> {
    requests(REQUESTS, |number, took_s| (if number < SLOW_FROM { took_s } else { 3.0 * took_s }, false))
}

fn outage() -> Vec<Request> {
    requests(REQUESTS, |number, took_s| (took_s, number >= DOWN_FROM))
}

/// The items in an order that has nothing to do with their own: 37 has no factor in common with their number.
fn shuffled<T: Clone>(items: &[T]) -> Vec<T> {
    (0..items.len()).map(|at| items[(at * 37 + 11) % items.len()].clone()).collect()
}

/// The text up to the middle of its last record.
fn cut(text: &str) -> String {
    let body = text.trim_end();
    let last = body.rfind(['\n', '{']).map_or(0, |at| at + 1);
    body[..last + (body.len() - last) / 2].to_owned()
}

/// The text in which a field has another name: as a key of JSON, or in a header line.
fn renamed(text: &str, from: &str, to: &str) -> Option<String> {
    let (header, rest) = text.split_once('\n').unwrap_or((text, ""));
    if text.trim_start().starts_with(['{', '[']) {
        let [from, spaced] = [format!("\"{from}\":"), format!("\"{from}\" :")];
        return (text.contains(&from) || text.contains(&spaced)).then(|| text.replace(&from, &format!("\"{to}\":")));
    }
    let delimiter = [',', ';', '\t'].into_iter().find(|&delimiter| header.contains(delimiter))?;
    let names: Vec<&str> = header.split(delimiter).collect();
    let other: Vec<&str> = names.iter().map(|&name| if name == from { to } else { name }).collect();
    (names != other && !names.contains(&to)).then(|| format!("{}\n{rest}", other.join(&delimiter.to_string())))
}

/// What happens to any text: each change with its name.
fn damaged(name: &str, text: &str) -> Vec<(String, Files)> {
    let one = |what: &str, text: String| (what.to_owned(), vec![(name.to_owned(), text)]);
    let mut changes = vec![
        one("empty", String::new()),
        one("cut inside the last record", cut(text)),
        one("its first line only", format!("{}\n", text.lines().next().unwrap_or_default())),
        (
            "given twice".to_owned(),
            vec![(name.to_owned(), text.to_owned()), (format!("again-{name}"), text.to_owned())],
        ),
    ];
    for (from, others) in SYNONYMS {
        changes.extend(
            others.iter().filter_map(|to| Some(one(&format!("{from} renamed to {to}"), renamed(text, from, to)?))),
        );
    }
    changes
}

/// Changes of the requests of a log.
fn rewritten(format: &Format, requests: &[Request]) -> Vec<(String, Files)> {
    let one =
        |what: &str, requests: &[Request]| (what.to_owned(), vec![(format.name.to_owned(), (format.write)(requests))]);
    let twice: Vec<Request> = requests.iter().flat_map(|&request| [request, request]).collect();
    let again: Vec<Request> = requests.iter().chain(requests).copied().collect();
    let mut changes =
        vec![one("no requests", &[]), one("each record twice", &twice), one("all records again at the end", &again)];
    if format.has_failures {
        let failed: Vec<Request> = requests.iter().map(|&request| Request { failed: true, ..request }).collect();
        changes.push(one("all failed", &failed));
    }
    changes
}

#[test]
fn no_change_of_a_bad_log_makes_it_look_good_in_silence() {
    let cases: Vec<(&Format, &str, Vec<Request>)> = FORMATS
        .iter()
        .flat_map(|format| [(format, "step", step()), (format, "outage", outage())])
        .filter(|(format, what, _)| format.has_failures || *what == "step")
        .collect();
    let problems = in_parallel(&cases, |(format, what, requests), folder| {
        let text = (format.write)(requests);
        let original = Outcome::of(&vec![(format.name.to_owned(), text.clone())], folder);
        if original.code != 1 {
            let messages = &original.messages;
            return vec![format!("{} with {what}: exit status {}, {messages:?}", format.name, original.code)];
        }
        let changes = damaged(format.name, &text).into_iter().chain(rewritten(format, requests));
        let hidden = |(change, files): (String, Files)| {
            let outcome = Outcome::of(&files, folder);
            let says = outcome.report["analyses"][0]["answer"]["text"].clone();
            outcome.hides(&original).then(|| format!("{} with {what}, {change}: exit status 0, {says}", format.name))
        };
        changes.filter_map(hidden).collect()
    });
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_order_of_the_file_does_not_matter_if_there_are_times() {
    let cases: Vec<&Format> = FORMATS.iter().filter(|format| format.has_times).collect();
    let problems = in_parallel(&cases, |format, folder| {
        let mut requests = step();
        let of = |requests: &[Request]| {
            Outcome::of(&vec![(format.name.to_owned(), (format.write)(requests))], folder).verdict()
        };
        let (original, other) = (of(&requests), of(&shuffled(&requests)));
        requests.reverse();
        let reversed = of(&requests);
        let differs = |verdict: &Value| *verdict != original;
        let text = |verdict: &Value| verdict[0].to_string();
        [("shuffled", other), ("reversed", reversed)]
            .into_iter()
            .filter(|(_, verdict)| differs(verdict))
            .map(|(what, verdict)| format!("{} {what}: {}\n    {}", format.name, text(&original), text(&verdict)))
            .collect()
    });
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn repeated_records_with_ids_count_once() {
    let cases: Vec<&Format> = FORMATS.iter().filter(|format| format.has_ids).collect();
    let problems = in_parallel(&cases, |format, folder| {
        let requests = step();
        let twice: Vec<Request> = requests.iter().flat_map(|&request| [request, request]).collect();
        let of = |requests: &[Request]| Outcome::of(&vec![(format.name.to_owned(), (format.write)(requests))], folder);
        let (original, other) = (of(&requests), of(&twice));
        let has_message = !other.messages.is_subset(&original.messages);
        let is_same = other.verdict() == original.verdict();
        let what = format!("{}: the same {is_same}, a message {has_message}", format.name);
        if is_same && has_message { Vec::new() } else { vec![what] }
    });
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn long_logs_are_no_less_safe() {
    /// A log of this many requests is longer than 256 KiB: it is read as a stream.
    const MANY: usize = 5501;
    let cases: Vec<&Format> =
        FORMATS.iter().filter(|format| ["session.jsonl", "table.csv", "table.jsonl"].contains(&format.name)).collect();
    assert_eq!(cases.len(), 3);
    let problems = in_parallel(&cases, |format, folder| {
        let of = |text: String| Outcome::of(&vec![(format.name.to_owned(), text)], folder);
        let down = (format.write)(&requests(MANY, |number, took_s| (took_s, number + 30 >= MANY)));
        assert!(down.len() > 256 << 10, "{} is short", format.name);
        let original = of(down.clone());
        let mut found = Vec::new();
        if original.code != 1 {
            found.push(format!("{}: exit status {}, {:?}", format.name, original.code, original.messages));
        }
        for (from, to) in [("status", "result"), ("status", "state"), ("e2e_s", "latency_s")] {
            let changed = renamed(&down, from, to).map(of);
            if changed.is_none_or(|outcome| outcome.hides(&original)) {
                found.push(format!("{}: {from} renamed to {to}", format.name));
            }
        }
        let slow = requests(MANY, |number, took_s| (if number < 3000 { took_s } else { 3.0 * took_s }, false));
        let twice: Vec<Request> = slow.iter().flat_map(|&request| [request, request]).collect();
        let verdict = of((format.write)(&slow)).verdict();
        for (what, other) in [("shuffled", shuffled(&slow)), ("twice", twice)] {
            if of((format.write)(&other)).verdict() != verdict {
                found.push(format!("{}: {what}", format.name));
            }
        }
        found
    });
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

/// The logs in the repository.
fn fixtures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut folders: Vec<PathBuf> =
        ["llmscope-core/tests/logs", "llmscope-core/tests/border", "llmscope-cli/tests/columns", "examples/sessions"]
            .map(|folder| root.join(folder))
            .to_vec();
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_none_or(|name| name != "README.md") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

#[test]
fn no_change_of_a_bad_fixture_makes_it_look_good_in_silence() {
    let fixtures = fixtures();
    let bad = AtomicUsize::new(0);
    let problems = in_parallel(&fixtures, |path, folder| {
        let original = Outcome::of_paths(std::slice::from_ref(path));
        if original.code != 1 {
            return Vec::new();
        }
        bad.fetch_add(1, Ordering::Relaxed);
        let text = fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        let hidden = |(change, files): (String, Files)| {
            let outcome = Outcome::of(&files, folder);
            outcome.hides(&original).then(|| format!("{}, {change}: exit status 0", path.display()))
        };
        damaged(name, &text).into_iter().filter_map(hidden).collect()
    });
    assert!(bad.into_inner() >= 5, "few of {} fixtures have exit status 1: this test sees nothing", fixtures.len());
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}
