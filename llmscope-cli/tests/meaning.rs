//! What the columns of a table mean, through the command line: outcomes, times, numbers, headers, identities, and what is
//! refused.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const BORDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmscope-core/tests/border");
const LOGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../llmscope-core/tests/logs");

fn border(name: &str) -> String {
    format!("{BORDER}/{name}")
}

fn run(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("llmscope")).args(args).output().unwrap()
}

/// The report about logs, the exit status, and what was message about them.
#[track_caller]
fn analyzed(args: &[&str]) -> (Value, i32, String) {
    let output = run(&[&["analyze"], args, &["--json"]].concat());
    let message = String::from_utf8(output.stderr).unwrap();
    let report = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no report: {message}"));
    (report, output.status.code().unwrap(), message)
}

/// The first analysis of logs.
#[track_caller]
fn first(args: &[&str]) -> Value {
    analyzed(args).0["analyses"][0].clone()
}

/// The measurements and the failures of the first analysis.
#[track_caller]
fn counts(args: &[&str]) -> (u64, u64) {
    let analysis = first(args);
    (analysis["n"].as_u64().unwrap(), analysis["excluded"]["failed"].as_u64().unwrap())
}

/// The message of the error that a call ends with.
#[track_caller]
fn refused(args: &[&str]) -> String {
    let output = run(args);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    message
}

fn written(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    path.display().to_string()
}

/// A table with 40 rows of around 0.3, of which some failed: the row is written by `row`.
fn table(header: &str, row: impl Fn(usize, f64, bool) -> String) -> String {
    let value = |i: usize| 0.3 + ((i * 37) % 41) as f64 / 1000.0;
    (0..40).fold(format!("{header}\n"), |text, i| text + &row(i, value(i), i % 10 == 6) + "\n")
}

fn outcomes(name: &str, ok: &str, failed: &str) -> String {
    table(&format!("e2e_s,{name}"), |_, value, fails| format!("{value},{}", if fails { failed } else { ok }))
}

#[test]
fn columns_of_outcomes_mean_failures() {
    let flat = border("status-flat.csv");
    assert_eq!(counts(&[&flat]), (28, 2));
    let folder = tempfile::tempdir().unwrap();
    for (header, ok, failed) in [
        ("e2e_s,status", "ok", "error"),
        ("e2e_s,status", "200", "503"),
        ("e2e_s,Status", "success", "timed_out"),
        ("e2e_s,success", "true", "false"),
        ("e2e_s,ok", "1", "0"),
        ("e2e_s,error", "", "ReadTimeout('')"),
        ("e2e_s,responseCode", "200", "Non HTTP response code: java.net.SocketTimeoutException"),
        ("e2e_s,status_code", "201", "429"),
        ("e2e_s,failed", "False", "True"),
        ("e2e_s,grpc_status", "0", "14"),
        ("e2e_s,rpc.grpc.code", "OK", "Unavailable"),
        ("e2e_s,exit_code", "0", "137"),
        ("e2e_s,elb_status_code", "200", "504"),
        ("e2e_s,exception.type", "", "ReadTimeout"),
        ("e2e_s,error", "nil", "EOF"),
        ("e2e_s,error", "-", "EOF"),
        ("e2e_s,finish_reason", "stop", "error"),
        ("e2e_s,stop_reason", "eos", "abort"),
        ("e2e_s,success", "T", "F"),
    ] {
        let text = table(header, |_, value, fails| format!("{value},{}", if fails { failed } else { ok }));
        let path = written(folder.path(), "table.csv", &text);
        assert_eq!(counts(&[&path]), (36, 4), "{header} {failed}");
        let lines = text.lines().skip(1).map(|line| {
            let (value, outcome) = line.split_once(',').unwrap();
            let name = header.split_once(',').unwrap().1;
            format!("{{\"e2e_s\": {value}, \"{name}\": {}}}\n", serde_json::json!(outcome))
        });
        let path = written(folder.path(), "table.jsonl", &lines.collect::<String>());
        assert_eq!(counts(&[&path]), (36, 4), "{header} {failed} in JSON Lines");
    }
}

#[test]
fn outcomes_are_stated_or_refused_never_ignored() {
    let folder = tempfile::tempdir().unwrap();
    let text = table("e2e_s,code", |_, value, fails| format!("{value},{}", if fails { "E7" } else { "A1" }));
    let path = written(folder.path(), "codes.csv", &text);
    assert_eq!(counts(&[&path]), (40, 0));
    assert_eq!(counts(&[&path, "--status", "code=A1"]), (36, 4));
    let message = refused(&["analyze", &path, "--map", "status=code"]);
    assert!(
        message.contains("\"A1\" does not say whether the row succeeded") && message.contains("--status"),
        "{message}"
    );
    let message = refused(&["analyze", &path, "--status", "other=A1"]);
    assert!(message.contains("unknown column \"other\""), "{message}");
    let gate = run(&["gate", &path, &path, "--status", "code=A1", "--json"]);
    assert!(String::from_utf8_lossy(&gate.stdout).contains("failed"), "{gate:?}");
    let plain = written(folder.path(), "tiers.csv", &text.replace("code", "status").replace("A1", "premium"));
    let message = refused(&["analyze", &plain]);
    assert!(message.contains("\"premium\" does not say whether the row succeeded"), "{message}");
    assert_eq!(counts(&[&plain, "--status", "none"]), (40, 0));
}

#[test]
fn columns_that_look_like_outcomes_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    for (name, ok, failed) in [
        ("result", "1", "0"),
        ("error_count", "0", "2"),
        ("level", "INFO", "ERROR"),
        ("status_text", "OK", "Bad Gateway"),
        ("event", "request_completed", "request_failed"),
    ] {
        let text = outcomes(name, ok, failed);
        let path = written(folder.path(), "table.csv", &text);
        let (_, _, stderr) = analyzed(&[&path]);
        assert!(stderr.contains(&format!("the column \"{name}\" looks like the outcome")), "{name}: {stderr}");
    }
}

#[test]
fn outcomes_that_only_values_show_are_read_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    for (name, ok, failed, meaning) in [
        ("status", "0", "14", "0 is success"),
        ("status_code", "0", "4", "0 is success"),
        ("code", "0", "1", "0 is success"),
        ("code", "200", "503", "a status of HTTP"),
        ("code", "200", "0", "a status of HTTP"),
        ("timeout", "false", "true", "true or 1 is a failure"),
        ("cancelled", "0", "1", "true or 1 is a failure"),
        ("Response", "200", "503", "a status of HTTP"),
        ("state", "COMPLETED", "FAILED", "words of success and of failure"),
        ("code", "200", "529", "a status of HTTP"),
        ("result", "pass", "fail", "words of success and of failure"),
        ("result", "true", "false", "true or 1 is success"),
        ("verdict", "OK", "Timeout", "words of success and of failure"),
        ("valid", "1", "0", "true or 1 is success"),
        ("completed", "true", "false", "true or 1 is success"),
        ("request_success", "yes", "no", "true or 1 is success"),
        ("error_flag", "0", "1", "true or 1 is a failure"),
        ("errors", "[]", "['reset']", "texts of errors"),
        ("fail_reason", "", "connection reset", "texts of errors"),
    ] {
        let text = outcomes(name, ok, failed);
        let path = written(folder.path(), "table.csv", &text);
        assert_eq!(counts(&[&path]), (36, 4), "{name} {ok} {failed}");
        let (_, _, stderr) = analyzed(&[&path]);
        let note =
            format!("\"{name}\" is read as the outcome of each row, a guess from its values: {meaning}; use --status");
        assert!(stderr.contains(&note), "{name}: {stderr}");
        let other = written(folder.path(), "other.csv", &text.replace("e2e_s", "latency"));
        assert_eq!(counts(&[&other]), (36, 4), "{name} next to the only number");
        let session = written(folder.path(), "session.json", "");
        assert!(run(&["convert", &path, "-o", &session, "--force"]).status.success());
        assert_eq!(counts(&[&session]), (36, 4), "{name} {ok} {failed} after convert");
    }
}

#[test]
fn a_status_that_does_not_show_which_value_is_success_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (failed, problem) in [("1", "only 0 and 1, which do not say"), ("0", "only 0, which can mean")] {
        let text = table("e2e_s,status", |_, value, fails| format!("{value},{}", if fails { failed } else { "0" }));
        let path = written(folder.path(), "table.csv", &text);
        let message = refused(&["analyze", &path]);
        assert!(message.contains(problem) && message.contains("--status"), "{message}");
        assert!(refused(&["convert", &path, "-o", "-", "--to", "json"]).contains(problem));
        assert_eq!(counts(&[&path, "--status", "status=0"]), if failed == "1" { (36, 4) } else { (40, 0) });
    }
}

#[test]
fn an_objective_of_failures_needs_a_column_of_outcomes() {
    let folder = tempfile::tempdir().unwrap();
    let long = |header: &str, more: &str| {
        let value = |i: usize| 0.3 + ((i * 37) % 41) as f64 / 1000.0;
        (0..600).fold(format!("{header}\n"), |text, i| text + &format!("{}{more}\n", value(i)))
    };
    let lines = |more: &str| {
        let value = |i: usize| 0.3 + ((i * 37) % 41) as f64 / 1000.0;
        (0..600).fold(String::new(), |text, i| text + &format!("{{\"e2e_s\": {}{more}}}\n", value(i)))
    };
    const REASON: &str = "errors=1%: cannot tell, no column says whether a request failed";
    for (name, text, known) in [
        ("plain.csv", long("e2e_s", ""), false),
        ("plain.jsonl", lines(""), false),
        ("status.csv", long("e2e_s,status", ",ok"), true),
        ("errors.csv", long("e2e_s,error", ","), true),
        ("errors.jsonl", lines(", \"error\": null"), true),
    ] {
        let path = written(folder.path(), name, &text);
        let session = format!("{path}.json");
        assert!(run(&["convert", &path, "-o", &session]).status.success());
        let of_session = &first(&[&session, "--slo", "errors=1%"])["answer"]["objectives"][0];
        let (report, status, message) = analyzed(&[&path, "--slo", "errors=1%"]);
        assert_eq!(of_session["status"], report["analyses"][0]["answer"]["objectives"][0]["status"], "{name}");
        let certificate = &report["analyses"][0]["answer"]["objectives"][0];
        let expected = if known { "met" } else { "cannot_tell" };
        assert_eq!((certificate["status"].as_str(), status), (Some(expected), 0), "{name}: {certificate}");
        assert_eq!(certificate["text"].as_str() == Some(REASON), !known, "{name}: {certificate}");
        assert_eq!(message.contains("use --status COLUMN=ok"), !known, "{name}: {message}");
        for (options, status) in [(&[][..], 0), (&["--undecided", "fail"], i32::from(!known))] {
            let gate = run(&[&["gate", path.as_str(), "--slo", "errors=1%"], options].concat());
            let line = String::from_utf8_lossy(&gate.stdout).into_owned();
            assert_eq!(gate.status.code(), Some(status), "{name}: {line}");
            assert_eq!(line.contains(REASON), !known, "{name}: {line}");
        }
    }
}

#[test]
fn all_failed_is_no_success() {
    let (report, status, _) = analyzed(&[&border("all-failed.jsonl")]);
    let text = report["analyses"][0]["answer"]["text"].as_str().unwrap();
    assert!(status == 1 && text.contains("100 of 100 requests failed"), "{text}");
}

#[test]
fn times_in_every_usual_form_order_the_rows() {
    let maps = ["--map", "e2e_s=latency_ms:ms", "--map", "started_at=time"];
    let naive = border("newest-first-naive.csv");
    let (report, status, message) = analyzed(&[&[naive.as_str()], &maps[..]].concat());
    let answer = &report["analyses"][0]["answer"];
    assert_eq!((status, answer["since"]["t"].as_str()), (1, Some("2026-01-05T10:20:00Z")));
    assert!(message.contains("the times of 30 rows have no offset: read as UTC; use --timezone"), "{message}");
    let offset = first(&[&[border("newest-first-offset.csv").as_str()], &maps[..]].concat());
    assert_eq!(answer["ratio"], offset["answer"]["ratio"]);
    let zoned = first(&[&[naive.as_str(), "--timezone", "Europe/Berlin"], &maps[..]].concat());
    assert_eq!(zoned["answer"]["since"]["t"], "2026-01-05T09:20:00Z");

    let folder = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(&naive).unwrap();
    let minute = |line: &str| line[14..16].parse::<u32>().unwrap();
    for (form, options) in [
        ("05/Jan/2026:10:MM:00 +0000", vec![]),
        ("\"Mon, 05 Jan 2026 10:MM:00 +0000\"", vec![]),
        ("2026-01-05 10:MM:00 +0000", vec![]),
        ("Mon Jan  5 10:MM:00 2026", vec![]),
        ("05/01/2026 10:MM:00", vec!["--time-format", "%d/%m/%Y %H:%M:%S"]),
    ] {
        let rows = text.lines().skip(1).map(|line| {
            let value = line.split_once(',').unwrap().1;
            format!("{},{value}\n", form.replace("MM", &format!("{:02}", minute(line))))
        });
        let path = written(folder.path(), "forms.csv", &format!("time,latency_ms\n{}", rows.collect::<String>()));
        let analysis = first(&[&[path.as_str()], &options[..]].concat());
        assert_eq!(analysis["answer"]["since"]["t"], "2026-01-05T10:20:00Z", "{form}");
    }
    for factor in ["", "000", "000000", "000000000"] {
        let rows = text.lines().skip(1).map(|line| {
            let value = line.split_once(',').unwrap().1;
            format!("{}{factor},{value}\n", 1_767_607_200 + minute(line) * 60)
        });
        let path = written(folder.path(), "epoch.csv", &format!("time,latency_ms\n{}", rows.collect::<String>()));
        assert_eq!(first(&[&path])["answer"]["since"]["t"], "2026-01-05T10:20:00Z", "{factor}");
    }
    let rows = text.lines().skip(1).map(|line| {
        let value = line.split_once(',').unwrap().1;
        format!("{}.5,{value}\n", minute(line))
    });
    let path = written(folder.path(), "elapsed.csv", &format!("offset,latency_ms\n{}", rows.collect::<String>()));
    let elapsed = first(&[&path, "--map", "started_at=offset", "--column", "latency_ms"]);
    assert_eq!(
        (&elapsed["answer"]["since"]["index"], &elapsed["answer"]["since"]["t"]),
        (&Value::from(20), &Value::Null)
    );
}

/// A table of 60 rows in another order than that of their times: the last 20 are slower.
fn shuffled(name: &str, time: impl Fn(i64) -> String) -> String {
    let row = |i: i64| {
        let latency = 400.0 * (1.0 + ((i * i * 7919 + i * 613) % 101) as f64 / 1000.0) * if i < 40 { 1.0 } else { 1.4 };
        format!("{},m,{latency:.1}\n", time(i))
    };
    (0..60).map(|i| (i * 23) % 60).fold(format!("{name},model,latency_ms\n"), |text, i| text + &row(i))
}

#[test]
fn columns_that_hold_times_order_the_rows_or_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    const START: i64 = 1_767_607_200;
    let iso = |i: i64| jiff::Timestamp::from_second(START + 37 * i).unwrap().to_string();
    let compact = |i: i64| {
        let at = jiff::Timestamp::from_second(START + 37 * i).unwrap();
        at.strftime("%Y%m%d%H%M%S").to_string()
    };
    let analyzed_table = |name: &str, time: &dyn Fn(i64) -> String| {
        let path = written(folder.path(), "table.csv", &shuffled(name, time));
        let output = run(&["analyze", &path, "--column", "latency_ms"]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    for name in ["created", "start", "end_time", "requested_at", "Start Time (UTC)", "unix", "_source.@timestamp"] {
        let (code, stdout, stderr) = analyzed_table(name, &iso);
        assert!(code == Some(1) && stdout.contains("since 2026-01-05T10:24:40Z"), "{name}: {stdout}");
        assert!(
            stderr.contains(&format!("the column \"{name}\" is read as the time of each row, a guess")),
            "{stderr}"
        );
        assert!(stderr.contains("--map timestamp=COLUMN"), "{stderr}");
    }
    for (name, per_s) in [("start_ms", 1_000), ("startTimeUnixNano", 1_000_000_000), ("begin", 1), ("ts_ms", 1_000)] {
        let (code, stdout, _) = analyzed_table(name, &|i| ((START + 37 * i) * per_s).to_string());
        assert!(code == Some(1) && stdout.contains("since 2026-01-05T10:24:40Z"), "{name}: {stdout}");
    }
    let (code, stdout, _) = analyzed_table("timestamp", &compact);
    assert!(code == Some(1) && stdout.contains("since 2026-01-05T10:24:40Z"), "{stdout}");
    // A name that suggests nothing.
    let (_, stdout, stderr) = analyzed_table("Zeitpunkt", &iso);
    assert!(stderr.contains("the column \"Zeitpunkt\" holds times, and is not read as one"), "{stderr}");
    assert!(!stdout.contains("2026"), "{stdout}");
    // Other numbers do not order the rows.
    for (name, value) in [("start", 7), ("queue_time", 3), ("start_ns", 1_000_000_000_000)] {
        let (_, stdout, stderr) = analyzed_table(name, &|i| (value * (i + 1)).to_string());
        assert!(!stderr.contains("time of each row") && !stdout.contains("since 2"), "{name}: {stderr}");
    }
    let only = written(folder.path(), "only.csv", &table("model,response_time", |_, value, _| format!("m,{value}")));
    assert_eq!(first(&[&only])["metric"], "response_time");
    let path = written(folder.path(), "table.csv", &shuffled("created", iso));
    let converted = folder.path().join("table.json").to_string_lossy().into_owned();
    assert!(run(&["convert", &path, "-o", &converted, "--map", "e2e_s=latency_ms"]).status.success());
    assert_eq!(run(&["analyze", &converted]).status.code(), Some(1));
}

#[test]
fn a_time_or_a_mapping_without_a_value_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = table("time,latency_ms", |i, value, _| format!("05/01/2026 10:{i:02}:00,{value}"));
    let path = written(folder.path(), "numeric.csv", &text);
    let message = refused(&["analyze", &path]);
    assert!(message.contains("no row has a time that can be read, such as \"05/01/2026 10:00:00\""), "{message}");
    assert!(message.contains("--time-format"), "{message}");
    assert_eq!(counts(&[&path, "--time-format", "none"]), (40, 0));
    let text = table("a,b", |_, value, _| format!("{value},"));
    let path = written(folder.path(), "empty.csv", &text);
    let message = refused(&["analyze", &path, "--map", "e2e_s=a", "--map", "model=b"]);
    assert!(message.contains("the column \"b\" has no value on any row"), "{message}");
    let message = refused(&["analyze", &path, "--map", "e2e_s=a", "--map", "e2e_s=b"]);
    assert!(message.contains("two columns are mapped to \"e2e_s\""), "{message}");
    let session = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions/paused.json");
    let message = refused(&["analyze", session, "--map", "e2e_s=a"]);
    assert!(message.contains("a meaning of their own") && message.contains("--from csv"), "{message}");
}

#[test]
fn numbers_are_read_as_they_are_written() {
    let message = refused(&["analyze", &border("decimal-comma.csv")]);
    assert!(message.contains("\"126,4\" has a decimal comma") && message.contains("--decimal"), "{message}");
    let mean = |args: &[&str]| first(args)["mean"].as_f64().unwrap();
    assert!((mean(&[&border("decimal-comma.csv"), "--decimal", ","]) - 123.645).abs() < 0.5);
    let message = refused(&["analyze", &border("thousands.csv")]);
    assert!(message.contains("\"1,133\" has a decimal comma or a thousands separator"), "{message}");
    assert!(mean(&[&border("thousands.csv"), "--decimal", "."]) > 1000.0);
    let strings = first(&[&border("json-strings.jsonl")]);
    assert_eq!((&strings["n"], strings["metric"].as_str()), (&Value::from(20), Some("latency_us")));
    let (report, _, message) = analyzed(&[&border("python-infinity.jsonl"), "--column", "median_ttft_ms"]);
    assert_eq!(report["analyses"][0]["n"], 12);
    assert!(message.contains("12 numbers that JSON cannot hold (NaN, Infinity): read as absent"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    for (form, expected) in [("950ms", 0.95), ("1.06s", 1.06), ("1m2.2s", 62.2), ("PT0.2S", 0.2)] {
        let text = table("e2e_s,model", |i, _, _| if i % 2 == 0 { format!("{form},m") } else { "1s,m".to_owned() });
        let path = written(folder.path(), "durations.csv", &text);
        assert!((mean(&[&path]) - (expected + 1.0) / 2.0).abs() < 1e-9, "{form}");
    }
}

#[test]
fn headers_follow_what_is_no_data() {
    for (name, options) in [
        ("excel-sep.csv", &[][..]),
        ("comment-lines.csv", &[]),
        ("pipes.csv", &[]),
        ("wrapped-pages.json", &["--column", "latency"]),
    ] {
        let analysis = first(&[&[border(name).as_str()], options].concat());
        assert!(analysis["n"].as_u64().unwrap() >= 20, "{name}: {analysis}");
    }
    let k6 = border("k6.csv");
    let (report, _, message) = analyzed(&[&k6, "--where", "metric_name=http_req_duration"]);
    assert_eq!(report["analyses"][0]["n"], 20);
    assert!(message.contains("left out 40 of 60 rows by the conditions"), "{message}");
    assert!(refused(&["analyze", &k6, "--where", "metric_name=none"]).contains("no row meets the conditions"));
    assert!(refused(&["analyze", &k6, "--where", "name=x"]).contains("unknown column \"name\""));
    assert_eq!(first(&[&k6])["metric"], "http_req_duration_s");
}

#[test]
fn what_was_seen_twice_counts_once() {
    let (report, _, message) = analyzed(&[&border("duplicate-spans.json")]);
    assert_eq!(report["analyses"][0]["n"], 9);
    assert!(message.contains("3 repetitions of spans were left out"), "{message}");
    let flat = border("status-flat.csv");
    let other = format!("{BORDER}/../border/status-flat.csv");
    let (report, _, message) = analyzed(&[&flat, &other]);
    assert_eq!(report["analyses"][0]["n"], 28);
    assert!(message.contains("was given twice: read once"), "{message}");
    let folder = tempfile::tempdir().unwrap();
    let text = table("request_id,e2e_s", |i, value, _| format!("request-{:04},{value}", i / 2));
    let (report, _, message) = analyzed(&[&written(folder.path(), "ids.csv", &text)]);
    assert_eq!(report["analyses"][0]["n"], 20);
    assert!(message.contains("left out 20 rows that repeat the id of another"), "{message}");
    let text = table("e2e_s", |_, _, _| "0.3".to_owned());
    assert_eq!(counts(&[&written(folder.path(), "equal.csv", &text)]).0, 40, "equal rows are different requests");
    let copy = written(folder.path(), "spans-again.json", &fs::read_to_string(border("duplicate-spans.json")).unwrap());
    let (report, _, message) = analyzed(&[&border("duplicate-spans.json"), &copy, "--by", "provider"]);
    assert_eq!(report["analyses"][0]["n"], 9);
    assert!(message.contains("left out 9 records that repeat the id of another"), "{message}");
}

#[test]
fn sorted_values_are_no_sequence() {
    for options in [&[][..], &["--from", "csv", "--column", "ttime"]] {
        let path = format!("{LOGS}/ab/requests.tsv");
        let (report, status, message) = analyzed(&[&[path.as_str()], options].concat());
        let analysis = &report["analyses"][0];
        let text = analysis["answer"]["text"].as_str().unwrap();
        assert!(text.contains("sorted by their value: they have no order in time"), "{text}");
        assert!(status == 2 && analysis["limits"].is_null(), "{message}");
    }
    let folder = tempfile::tempdir().unwrap();
    let timed = table("started_at,e2e_s", |i, _, _| format!("2026-01-05T10:00:{i:02}Z,0.{}", 300 + i));
    let (report, ..) = analyzed(&[&written(folder.path(), "drift.csv", &timed)]);
    assert!(!report["analyses"][0]["limits"].is_null(), "a trend in time is one");
}

#[test]
fn names_and_files_that_say_nothing_are_refused_with_the_fix() {
    for command in ["analyze", "report"] {
        let message = refused(&[command, &border("header-only.csv")]);
        assert!(message.contains("the file has no rows"), "{message}");
    }
    let flat = border("status-flat.csv");
    let message = refused(&["analyze", &flat, "--by", "modle"]);
    assert!(
        message.contains("unknown group column \"modle\"") && message.contains("did you mean \"model\""),
        "{message}"
    );
    let folder = tempfile::tempdir().unwrap();
    let message = refused(&["analyze", &written(folder.path(), "two.csv", "a,b,a\n1,2,3\n")]);
    assert!(message.contains("two columns are named \"a\""), "{message}");
    let message =
        refused(&["analyze", &written(folder.path(), "notes.txt", "the server was slow today\nvery, very\n")]);
    assert!(message.contains("the format is unknown: the file begins with \"the server was slow today\""), "{message}");
    for (mark, expected) in [
        (&b"SQLite format 3\0xx"[..], "an SQLite database"),
        (b"PK\x03\x04....[Content_Types].xml", "an Excel workbook"),
        (b"PK\x03\x04....a.csv", "a zip archive"),
        (b"\xfd7zXZ\0...", "compressed with xz"),
    ] {
        let path: PathBuf = folder.path().join("file.bin");
        fs::write(&path, mark).unwrap();
        let message = refused(&["analyze", path.to_str().unwrap()]);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn a_folder_stands_for_its_files() {
    let folder = tempfile::tempdir().unwrap();
    let text = table("model,e2e_s", |_, value, _| format!("m,{value}"));
    written(folder.path(), "a.csv", &text);
    written(folder.path(), "b.csv", &text);
    written(folder.path(), ".hidden", "x");
    assert_eq!(counts(&[folder.path().to_str().unwrap()]).0, 80);
    let empty = tempfile::tempdir().unwrap();
    assert!(refused(&["analyze", empty.path().to_str().unwrap()]).contains("a folder without files"));
}

#[test]
fn logs_of_load_generators_have_their_failures() {
    for (log, n, failed, says) in [
        ("jmeter/results.jtl", 29, 10, ""),
        ("hey/refused.csv", 0, 0, "hey omits requests without a response"),
        ("h2load/refused.log", 54, 6, "h2load omits requests without a response"),
        ("guidellm/cut_off.json", 1, 1, "left out 1 request that guidellm cut off"),
        ("sglang/details.jsonl", 5, 1, ""),
        ("inference_perf/requests.json", 2, 1, ""),
        ("genai_bench/requests.json", 3, 1, ""),
    ] {
        let path = format!("{LOGS}/{log}");
        let (report, _, message) = analyzed(&[&path, "--metric", "e2e_s"]);
        let analysis = &report["analyses"][0];
        let found = (analysis["n"].as_u64().unwrap(), analysis["excluded"]["failed"].as_u64().unwrap());
        if n > 0 {
            assert_eq!(found, (n, failed), "{log}");
        }
        assert!(found.1 > 0 && message.contains(says), "{log}: {message}");
    }
    let mapped = ["--map", "e2e_s=elapsed:ms", "--map", "started_at=timeStamp:ms"];
    let path = format!("{LOGS}/jmeter/results.jtl");
    assert_eq!(counts(&[&[path.as_str()], &mapped[..]].concat()), (29, 10), "the columns that the caller names");
    let (_, _, message) = analyzed(&[&format!("{LOGS}/oha/refusals.json"), "--column", "response_s.p50"]);
    assert!(message.contains("failed: "), "{message}");
}

#[test]
fn a_converted_log_has_the_same_analyses() {
    let folder = tempfile::tempdir().unwrap();
    let state = table("when,took,result,note", |i, value, fails| {
        format!(
            "{:02}/01/2026 10:00:00,\"{}\",{},x",
            28 - i % 28,
            value.to_string().replace('.', ","),
            if fails { "bad" } else { "fine" }
        )
    });
    let stated = written(folder.path(), "stated.csv", &state);
    let stated_options = [
        "--map",
        "e2e_s=took",
        "--map",
        "started_at=when",
        "--status",
        "result=fine",
        "--decimal",
        ",",
        "--time-format",
        "%d/%m/%Y %H:%M:%S",
    ];
    let logs: Vec<(String, Vec<&str>)> = vec![
        (border("status-flat.csv"), vec![]),
        (border("newest-first-naive.csv"), vec!["--map", "e2e_s=latency_ms:ms"]),
        (border("json-strings.jsonl"), vec![]),
        (border("thousands.csv"), vec!["--decimal", "."]),
        (border("pipes.csv"), vec![]),
        (border("k6.csv"), vec!["--where", "metric_name=http_req_duration"]),
        (format!("{LOGS}/jmeter/results.jtl"), vec![]),
        (format!("{LOGS}/hey/refused.csv"), vec![]),
        (format!("{LOGS}/ab/requests.tsv"), vec![]),
        (format!("{LOGS}/sglang/details.jsonl"), vec![]),
        (stated, stated_options.to_vec()),
    ];
    for (log, options) in logs {
        let before = analyzed(&[&[log.as_str()], &options[..]].concat()).0;
        for format in ["json", "jsonl", "csv"] {
            let stem = Path::new(&log).file_stem().unwrap().to_str().unwrap();
            let out = folder.path().join(format).join(format!("{stem}.{format}"));
            fs::create_dir_all(out.parent().unwrap()).unwrap();
            let out = out.to_str().unwrap();
            let converted = run(&[&["convert", log.as_str(), "-o", out, "--force"], &options[..]].concat());
            assert!(converted.status.success(), "{log} to {format}: {}", String::from_utf8_lossy(&converted.stderr));
            let after = analyzed(&[out]).0;
            for field in ["n", "metric", "group", "mean", "median", "verdict", "answer", "excluded", "limits"] {
                let (before, after) = (&before["analyses"][0][field], &after["analyses"][0][field]);
                assert_eq!(before, after, "{field} of {log} to {format}");
            }
        }
    }
}

#[test]
fn a_record_counts_once_under_any_name_of_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let log = |name: &str, id: &dyn Fn(usize) -> String, more: &dyn Fn(usize) -> String| {
        let header = if more(0).is_empty() { format!("{name},e2e_s") } else { format!("{name},e2e_s,started_at") };
        let row = |i: usize| format!("{},0.{}{}\n", id(i), 300 + (i * 37) % 41, more(i));
        let rows: String = (0..40).chain(0..5).map(row).collect();
        written(folder.path(), &format!("{name}-{}.csv", more(0).len()), &format!("{header}\n{rows}"))
    };
    let random = |i: usize| format!("chatcmpl-9f0c2d1e7ab6{i:04x}");
    let undated = |_: usize| String::new();
    let dated = |i: usize| format!(",2026-01-05T10:00:{i:02}Z");
    for (path, left_out) in [
        (log("ID", &random, &undated), true),
        (log("Response ID", &random, &undated), true),
        (log("responseId", &random, &undated), true),
        (log("X-Request-Id", &random, &undated), true),
        (log("id", &|i| i.to_string(), &dated), true),
        (log("id", &|i| format!("p{}", i % 7), &undated), false),
        (log("prompt_id", &random, &undated), false),
    ] {
        let expected = if left_out { (40, 0) } else { (45, 0) };
        let session = written(folder.path(), "session.json", "");
        assert!(run(&["convert", &path, "-o", &session, "--force"]).status.success());
        for file in [&path, &session] {
            assert_eq!(counts(&[file]), expected, "{file} of {path}");
            assert_eq!(analyzed(&[file]).2.contains("left out 5 "), left_out);
        }
        if left_out {
            assert_eq!(counts(&[&path, &session, "--by", "run"]), (40, 0), "{path}");
        }
    }
}
