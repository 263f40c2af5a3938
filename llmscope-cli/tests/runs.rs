//! Runs as the unit: summaries of benchmark tools and sessions of many nights.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

const NIGHTLY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/runs/nightly-vllm.jsonl");
const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmscope-core/tests/logs");

fn run(folder: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    command.env_remove("NO_COLOR").env_remove("COLUMNS").env_remove("CLICOLOR_FORCE");
    command.args(words).current_dir(folder).output().unwrap()
}

/// The exit status of `analyze`, and its report.
fn analyzed(folder: &Path, files: &[&str], options: &[&str]) -> (Option<i32>, Value) {
    let output = run(folder, &[&["analyze", "--json"], options, files].concat());
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|problem| panic!("{problem}: {error}"));
    (output.status.code(), report)
}

fn printed(folder: &Path, words: &[&str]) -> String {
    String::from_utf8(run(folder, words).stdout).unwrap().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn only<'r>(report: &'r Value, metric: &str) -> &'r Value {
    let analyses: Vec<&Value> =
        report["analyses"].as_array().unwrap().iter().filter(|analysis| analysis["metric"] == metric).collect();
    assert_eq!(analyses.len(), 1, "{metric}: {report}");
    analyses[0]
}

fn text(analysis: &Value) -> &str {
    analysis["answer"]["text"].as_str().unwrap()
}

fn nights() -> Vec<Value> {
    fs::read_to_string(NIGHTLY).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn write_lines(folder: &Path, name: &str, runs: &[Value]) {
    fs::write(folder.join(name), runs.iter().map(|run| format!("{run}\n")).collect::<String>()).unwrap();
}

/// Writes one file for each run, and returns their names.
fn write_files(folder: &Path, runs: &[Value]) -> Vec<String> {
    let name = |(at, run): (usize, &Value)| {
        let name = format!("run-{at:02}.json");
        fs::write(folder.join(&name), run.to_string()).unwrap();
        name
    };
    runs.iter().enumerate().map(name).collect()
}

fn names(files: &[String]) -> Vec<&str> {
    files.iter().map(String::as_str).collect()
}

#[test]
fn nightly_summaries_are_one_chart_and_the_last_run_is_beyond_its_limits() {
    let folder = tempfile::tempdir().unwrap();
    let (status, report) = analyzed(folder.path(), &[NIGHTLY], &[]);
    let analysis = only(&report, "ttft_s.p50");
    assert_eq!((status, &analysis["n"], &analysis["verdict"]), (Some(1), &json!(11), &json!("changed")));
    assert_eq!(analysis["group"], json!({"model": "m", "concurrency": "8"}));
    let answer = &analysis["answer"];
    assert_eq!((&answer["part"], &answer["direction"]), (&json!("level"), &json!("worse")));
    let run_of = &answer["since"]["run"];
    assert_eq!((&answer["since"]["index"], &run_of["index"], &run_of["count"]), (&json!(10), &json!(10), &json!(1)));
    assert_eq!(run_of["t"], "2026-01-11T03:00:00Z");
    assert!(run_of["name"].as_str().unwrap().ends_with("nightly-vllm.jsonl:11"), "{run_of}");
    // Half of the share of the level is for the last run: mean ± t(0.99875; 9)·s·√1.1 of the others, and of their logarithms,
    // by SciPy 1.17.1.
    let limits = [0.095_258_323_798_535_79, 0.105_456_248_292_041_31];
    for (limit, expected) in answer["runs"]["limits"].as_array().unwrap().iter().zip(limits) {
        assert!((limit.as_f64().unwrap() / expected - 1.0).abs() < 1e-9, "{limit}");
    }
    assert_eq!(answer["runs"]["last"].as_f64().map(|last| (1e6 * last).round()), Some(505_000.0));
    let expected = "since the run of 2026-01-11, 1 run, p < 0.0001; the other 10 runs predict 95.26 ms to 105.5 ms for the \
                    last one, if runs are normal or lognormal";
    assert!(text(analysis).starts_with("slower by 40") && text(analysis).ends_with(expected), "{}", text(analysis));
    // The chart of runs has the limits of the other runs, and the last one is beyond them.
    assert_eq!((&analysis["basis"]["n"], &analysis["basis"]["outliers"]), (&json!(10), &json!(1)));
    assert_eq!(analysis["patterns"]["violations"][0]["rule"], "nelson-1");
    for format in ["table", "markdown", "html"] {
        let shown = printed(folder.path(), &["analyze", NIGHTLY, "--format", format]);
        assert!(shown.contains("since the run of 2026-01-11, 1 run"), "{format}: {shown}");
    }
    let page = printed(folder.path(), &["report", NIGHTLY, "-o", "/dev/stdout"]);
    assert!(page.contains("since the run of 2026-01-11, 1 run"));
}

#[test]
fn the_order_of_the_input_and_the_number_of_files_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = nights();
    runs.reverse();
    write_lines(folder.path(), "all.jsonl", &runs);
    runs.rotate_left(4);
    let files = write_files(folder.path(), &runs);
    let answers = |files: &[&str]| {
        let (status, report) = analyzed(folder.path(), files, &[]);
        (status, text(only(&report, "ttft_s.p50")).to_owned())
    };
    let expected = answers(&[NIGHTLY]);
    assert_eq!(expected.0, Some(1));
    assert_eq!(answers(&["all.jsonl"]), expected);
    assert_eq!(answers(&names(&files)), expected);
}

#[test]
fn runs_with_other_settings_are_charts_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = nights();
    let with = |name: &'static str, value: Value| {
        nights().into_iter().map(move |mut run| {
            run[name] = value.clone();
            run
        })
    };
    runs.extend(with("max_concurrency", json!(16)));
    runs.extend(with("request_rate", json!(2.5)));
    runs.extend(with("dataset", json!("sharegpt")));
    write_lines(folder.path(), "all.jsonl", &runs);
    let (_, report) = analyzed(folder.path(), &["all.jsonl"], &[]);
    let groups: Vec<&Value> =
        report["analyses"].as_array().unwrap().iter().map(|analysis| &analysis["group"]).collect();
    assert!(report["analyses"].as_array().unwrap().iter().all(|analysis| analysis["n"] == 11), "{report}");
    assert_eq!(
        groups,
        [
            &json!({"model": "m", "concurrency": "8"}),
            &json!({"model": "m", "concurrency": "16"}),
            &json!({"model": "m", "concurrency": "8", "request_rate_per_s": "2.5"}),
            &json!({"model": "m", "concurrency": "8", "dataset": "sharegpt"}),
        ]
    );
    let used = |name: &str| {
        let columns = report["columns"].as_array().unwrap();
        columns.iter().find(|column| column["name"] == name).unwrap()["used_as"].clone()
    };
    assert_eq!([used("concurrency"), used("dataset"), used("run")], ["group", "group", "unused"]);
    // Versions are what is compared.
    let versions = nights().into_iter().enumerate().map(|(at, mut run)| {
        run["vllm_version"] = json!(format!("0.{at}.0"));
        run
    });
    write_lines(folder.path(), "versions.jsonl", &versions.collect::<Vec<_>>());
    let (_, report) = analyzed(folder.path(), &["versions.jsonl"], &[]);
    assert_eq!(only(&report, "ttft_s.p50")["n"], 11);
}

#[test]
fn a_run_whose_requests_all_failed_is_a_run_with_failures() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs = nights();
    runs.pop();
    for run in &mut runs {
        run["failed"] = json!(0);
    }
    let mut failed = runs[9].clone();
    failed["date"] = json!("20260111-030000");
    (failed["completed"], failed["failed"]) = (json!(0), json!(100));
    for statistic in ["mean_ttft_ms", "median_ttft_ms", "p99_ttft_ms"] {
        failed[statistic] = json!(0.0);
    }
    runs.push(failed);
    write_lines(folder.path(), "failed.jsonl", &runs);
    let (status, report) = analyzed(folder.path(), &["failed.jsonl"], &[]);
    assert_eq!(status, Some(1));
    let level = only(&report, "ttft_s.p50");
    assert_eq!((&level["n"], &level["verdict"]), (&json!(10), &json!("failing")));
    let failures = &level["answer"]["failures"];
    assert_eq!((&failures["count"], &failures["requests"]), (&json!(100), &json!(1100)));
    assert_eq!(failures["runs"], json!({"count": 11, "with_failures": 1, "all_failed": 1}));
    assert!(text(level).contains("every request of the run of 2026-01-11 failed"), "{}", text(level));
    assert!(text(level).contains("100 of 1100 requests failed (9.1 %), in 1 of 11 runs"), "{}", text(level));
    // The share of failures has a chart, in which this run is a point.
    let shares = only(&report, "error_rate");
    assert_eq!((&shares["n"], &shares["chart"], &shares["verdict"]), (&json!(11), &json!("p"), &json!("failing")));
}

/// A summary of oha with these latencies, as a multiple of those in the file.
fn oha(factor: f64) -> Value {
    let mut summary: Value =
        serde_json::from_str(&fs::read_to_string(format!("{LOGS}/oha/summary.json")).unwrap()).unwrap();
    for percentile in summary["latencyPercentiles"].as_object_mut().unwrap().values_mut() {
        *percentile = json!(factor * percentile.as_f64().unwrap());
    }
    summary
}

/// Twelve factors that differ by about 1 %.
const NOISE: [f64; 12] = [1.0, 1.01, 0.99, 1.003, 0.995, 1.012, 1.0, 0.99, 1.004, 1.008, 0.996, 0.991];

#[test]
fn summaries_of_oha_are_one_chart_with_the_runs_that_have_refusals() {
    let folder = tempfile::tempdir().unwrap();
    let mut runs: Vec<Value> = NOISE.iter().map(|&factor| oha(factor)).collect();
    let refusals = fs::read_to_string(format!("{LOGS}/oha/refusals.json")).unwrap();
    runs[5] = serde_json::from_str(&refusals).unwrap();
    let files = write_files(folder.path(), &runs);
    let (status, report) = analyzed(folder.path(), &names(&files), &[]);
    let level = only(&report, "e2e_s.p50");
    assert_eq!((status, &level["n"], &level["verdict"]), (Some(0), &json!(11), &json!("stable")));
    assert!(text(level).contains("7 of 250 requests failed (2.8 %), in 1 of 12 runs"), "{}", text(level));
    assert_eq!(only(&report, "error_rate")["n"], 12);
    let warnings = level["warnings"].to_string();
    assert!(warnings.contains("run-00.json and 11 other files contain only summaries (oha)"), "{warnings}");
    assert!(warnings.contains("no run of 12 runs has a date"), "{warnings}");
    // Without a date, a run has the name of its file.
    runs[11] = oha(3.0);
    let files = write_files(folder.path(), &runs);
    let (status, report) = analyzed(folder.path(), &names(&files), &[]);
    assert_eq!(status, Some(1));
    let text = text(only(&report, "e2e_s.p50")).to_owned();
    assert!(text.contains("since run 10 (run-11.json), 1 run"), "{text}");
}

#[test]
fn summaries_of_k6_are_ordered_by_their_dates() {
    let folder = tempfile::tempdir().unwrap();
    let original: Value =
        serde_json::from_str(&fs::read_to_string(format!("{LOGS}/k6/machine_readable.json")).unwrap()).unwrap();
    let summary = |(night, factor): (usize, f64)| {
        let mut summary = original.clone();
        summary["metadata"]["generated_at"] = json!(format!("2026-11-{:02}T02:45:14Z", night + 1));
        for metric in summary["results"]["metrics"].as_array_mut().unwrap() {
            let name = metric["name"].as_str().unwrap().to_owned();
            for (statistic, value) in metric["values"].as_object_mut().unwrap() {
                if name == "http_req_failed" && statistic == "matches" {
                    *value = json!(0);
                } else if name.starts_with("http_req_duration") {
                    *value = json!(factor * value.as_f64().unwrap());
                }
            }
        }
        summary
    };
    let factors = NOISE.iter().enumerate().map(|(night, &noise)| (night, if night < 8 { noise } else { 1.3 * noise }));
    let mut runs: Vec<Value> = factors.map(summary).collect();
    runs.rotate_left(3);
    let files = write_files(folder.path(), &runs);
    let column = ["--column", "http_req_duration_s.p50"];
    let (status, report) = analyzed(folder.path(), &names(&files), &column);
    let level = only(&report, "http_req_duration_s.p50");
    assert_eq!((status, &level["n"]), (Some(1), &json!(12)));
    assert!(
        text(level).starts_with("slower by ") && text(level).contains("since the run of 2026-11-09, 4 runs"),
        "{level}"
    );
    assert_eq!(level["answer"]["since"]["run"]["name"], "run-05.json");
}

#[test]
fn converted_summaries_are_judged_as_the_summaries() {
    let folder = tempfile::tempdir().unwrap();
    let judged = |file: &str| {
        let (status, mut report) = analyzed(folder.path(), &[file], &[]);
        let analysis = report["analyses"][0].take();
        let mut answer = analysis["answer"].clone();
        answer["since"]["run"]["name"].take();
        answer["changes"][0]["since"]["run"]["name"].take();
        (status, analysis["group"].clone(), analysis["n"].clone(), answer, analysis["points"].clone())
    };
    let expected = judged(NIGHTLY);
    for format in ["csv", "jsonl", "json"] {
        let name = format!("converted.{format}");
        let output = run(folder.path(), &["convert", NIGHTLY, "-o", &name]);
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(judged(&name), expected, "{format}");
    }
}

#[test]
fn a_gate_compares_summaries_by_their_runs() {
    let folder = tempfile::tempdir().unwrap();
    let runs = nights();
    write_lines(folder.path(), "before.jsonl", &runs[..5]);
    write_lines(folder.path(), "after.jsonl", &runs[6..]);
    let output = run(folder.path(), &["gate", "before.jsonl", "after.jsonl"]);
    assert_eq!(output.status.code(), Some(2));
    let message = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(message.contains("unknown candidate group \"model m, run 20260107-030000;"), "{message}");
    let output = run(folder.path(), &["gate", "before.jsonl", "after.jsonl", "--by", "model", "--json"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let metrics: Vec<&Value> = report["pairs"].as_array().unwrap().iter().map(|pair| &pair["metric"]).collect();
    assert_eq!(metrics, ["ttft_s.p50"]);
    // Refused requests do not pass as nothing to compare.
    let refusals = format!("{LOGS}/oha/refusals.json");
    for metric in [&[][..], &["--metric", "error_rate"]] {
        let output = run(folder.path(), &[&["gate", &refusals, &refusals], metric].concat());
        assert_eq!(output.status.code(), Some(2));
    }
}

/// A night of 40 requests about this median, in seconds: a sequence without a trend.
fn night(day: usize, median: f64) -> String {
    let header = json!({"kind": "session", "schema": "llmscope.session/1", "model": "m", "provider": "local"});
    let mut noise = 7 + day as u64;
    let mut request = |at: usize| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let value = median * (1.0 + 0.0001 * (noise % 400) as f64);
        let started_at = format!("2026-11-{day:02}T03:00:{at:02}Z");
        json!({"kind": "request", "started_at": started_at, "status": "ok", "tpot_s": value}).to_string()
    };
    let lines = (0..40).map(|at| request(at) + "\n");
    std::iter::once(format!("{header}\n")).chain(lines).collect()
}

#[test]
fn sessions_of_many_nights_are_compared_as_runs() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = (0..12).map(|at| folder.path().join(format!("{}.jsonl", 12 - at))).collect();
    for (at, path) in paths.iter().enumerate() {
        let slower = if at < 8 { 1.0 } else { 1.07 };
        fs::write(path, night(at + 1, 0.02 * slower * NOISE[at].sqrt().sqrt())).unwrap();
    }
    let files: Vec<&str> = paths.iter().map(|path| path.to_str().unwrap()).collect();
    let (status, report) = analyzed(folder.path(), &files, &[]);
    let analysis = only(&report, "tpot_s");
    assert_eq!((status, &analysis["n"], &analysis["answer"]["runs"]["count"]), (Some(1), &json!(480), &json!(12)));
    let since = &analysis["answer"]["since"];
    assert_eq!((&since["index"], &since["run"]["index"]), (&json!(320), &json!(8)));
    assert!(text(analysis).starts_with("slower by "), "{}", text(analysis));
    assert!(text(analysis).contains(" since the run of 2026-11-09, 4 runs, p"), "{}", text(analysis));
    let page = printed(folder.path(), &[&["report", "-o", "/dev/stdout"], &files[..]].concat());
    assert!(page.contains("Chart of runs") && page.contains("since the run of 2026-11-09, 4 runs"), "{}", page.len());
    let few = analyzed(folder.path(), &files[..5], &["--undecided", "pass"]).1;
    assert_eq!(text(only(&few, "tpot_s")), "5 runs: 3 more are needed for a verdict between runs");
}
