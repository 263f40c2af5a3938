//! Tests of the `analyze` command.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");

fn program() -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    command.env_remove("NO_COLOR").env_remove("COLUMNS").env_remove("CLICOLOR_FORCE");
    command
}

fn run(args: &[&str]) -> Output {
    program().args(args).output().unwrap()
}

fn run_on(input: &[u8], args: &[&str]) -> Output {
    let mut command = program();
    let mut child =
        command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

/// `latency` values as CSV.
fn table(values: &[f64]) -> String {
    values.iter().fold("latency\n".to_owned(), |text, value| format!("{text}{value}\n"))
}

fn steady(count: u32) -> Vec<f64> {
    (0..count).map(|i| 0.3 + f64::from(i * 4 % 11) * 0.001).collect()
}

#[test]
fn the_example_sessions_are_judged() {
    let files: Vec<String> = fs::read_dir(SESSIONS)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.display().to_string())
        .collect();
    assert!(files.len() >= 3);
    let mut args = vec!["analyze", "--by", "session", "--json"];
    args.extend(files.iter().map(String::as_str));
    let report = report(&run(&args));
    let analyses = report["analyses"].as_array().unwrap();
    assert_eq!(analyses.len(), 3 * files.len());
    let find = |session: &str, metric: &str| {
        analyses.iter().find(|a| a["group"]["session"] == session && a["metric"] == metric).unwrap()
    };
    // The second client is found with its event, and the pauses are named.
    let loaded = find("second-load", "tpot_s");
    assert_eq!((&loaded["verdict"], &loaded["answer"]["direction"]), (&"changed".into(), &"worse".into()));
    assert_eq!(loaded["answer"]["since"]["index"], 150);
    assert!(loaded["answer"]["ratio"].as_f64().unwrap() > 2.0, "{}", loaded["answer"]);
    assert!(loaded["answer"]["events"][0].as_str().unwrap().contains("second client"), "{}", loaded["answer"]);
    let first = &report["answers"][0];
    assert_eq!((&first["group"]["session"], &first["verdict"]), (&"second-load".into(), &"changed".into()));
    let paused = find("paused", "e2e_s");
    assert_eq!((&paused["verdict"], &paused["answer"]["slow_requests"]["count"]), (&"stable".into(), &2.into()));
    assert!(paused["answer"]["text"].as_str().unwrap().contains("1 timeout"), "{}", paused["answer"]);
    // The rules see more than that.
    assert_eq!(find("paused", "e2e_s")["patterns"]["verdict"], "out_of_control");
    assert_eq!(find("paused", "e2e_s")["excluded"]["failed"], 1);
    assert_eq!(find("paused", "e2e_s")["excluded"]["warmup"], 5);
}

#[test]
fn the_first_screen_names_what_changed_and_folds_the_rest() {
    let files = ["paused", "second-load", "undisturbed"].map(|name| format!("{SESSIONS}/{name}.json"));
    let args = [&["analyze", "--by", "session"], &files.each_ref().map(String::as_str)[..]].concat();
    let output = run(&args);
    assert_eq!(output.status.code(), Some(1));
    let text = stdout(&output);
    assert!(text.starts_with("9 series: ") && text.lines().count() <= 40, "{text}");
    let second = text.lines().position(|line| line.starts_with("CHANGED") && line.contains("second-load tpot_s"));
    assert_eq!(second, Some(2), "{text}");
    assert!(!text.contains("PATTERNS") && text.contains("--detail"), "{text}");
    assert!(stdout(&run(&[&args[..], &["--detail"]].concat())).contains("PATTERNS OUT OF CONTROL"));
}

#[test]
fn the_exit_status_reports_changes_or_signals() {
    let quiet = table(&steady(60));
    let mut spiked = steady(60);
    spiked[40] = 0.9;
    assert_eq!(
        run_on(quiet.as_bytes(), &["analyze", "-", "--column", "latency", "--rules", "1"]).status.code(),
        Some(0)
    );
    let status = |values: &[f64], more: &[&str]| {
        let input = table(values).replace("latency", "latency_s");
        run_on(input.as_bytes(), &[&["analyze", "-", "--column", "latency_s"], more].concat()).status.code()
    };
    assert_eq!((status(&spiked, &[]), status(&spiked, &["--verdict", "rules"])), (Some(0), Some(1)));
    assert_eq!(status(&spiked, &["--spikes"]), Some(1));
    let half = |factor: f64| steady(60).iter().enumerate().map(|(i, x)| if i < 30 { *x } else { factor * x }).collect();
    let (slower, faster): (Vec<f64>, Vec<f64>) = (half(1.2), half(0.8));
    assert_eq!((status(&slower, &[]), status(&faster, &[])), (Some(1), Some(0)));
    assert_eq!(status(&faster, &["--any-change"]), Some(1));
    assert_eq!((status(&slower, &["--alpha", "1e-30"]), status(&slower, &["--alpha", "0.6"])), (Some(0), Some(2)));
    assert_eq!(run(&["analyze", "no-such-file.json"]).status.code(), Some(2));
    assert_eq!(run(&["analyze"]).status.code(), Some(2));
}

#[test]
fn a_missed_objective_of_a_run_is_an_alarm() {
    // Marsaglia's xorshift: a regular sequence would count as dependent.
    let mut noise = 1_u64;
    let mut record = |i: usize| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        let (status, e2e) =
            if i % 10 == 9 { ("error", String::new()) } else { ("ok", format!(",\"e2e_s\":0.{}", 200 + noise % 101)) };
        format!("{{\"kind\":\"request\",\"status\":\"{status}\"{e2e}}}\n")
    };
    let header = "{\"kind\":\"session\",\"schema\":\"llmscope.session/1\"}\n".to_owned();
    let session: String = std::iter::once(header).chain((0..400).map(&mut record)).collect();
    let judge = |slo: &str| run_on(session.as_bytes(), &["analyze", "-", "--json", "--slo", slo]);
    for (slo, status, verdict, certificate) in [
        ("errors=1%", 1, "failing", "missed"),
        ("errors=25%", 0, "stable", "met"),
        ("errors=10%", 0, "stable", "cannot_tell"),
        ("e2e.p90=100ms", 1, "stable", "missed"),
        ("e2e.p50=1s", 0, "stable", "met"),
    ] {
        let output = judge(slo);
        assert_eq!(output.status.code(), Some(status), "{slo}: {}", stderr(&output));
        let analysis = &report(&output)["analyses"][0];
        let found = (&analysis["verdict"], &analysis["answer"]["objectives"][0]["status"]);
        assert_eq!(found, (&verdict.into(), &certificate.into()), "{slo}");
    }
    // The objective of a request is a specification limit and never an alarm.
    let output = judge("e2e=1s");
    assert_eq!(output.status.code(), Some(0));
    let analysis = &report(&output)["analyses"][0];
    assert_eq!(
        (&analysis["specification"]["upper"], &analysis["answer"]["goodput"][0]["share"]),
        (&1.0.into(), &0.9.into())
    );
    for (slo, part) in
        [("e2e=300", "a limit with its unit"), ("ttft.p99=1s", "unknown metric of the objective \"ttft.p99=1s\"")]
    {
        let output = judge(slo);
        assert_eq!(output.status.code(), Some(2), "{slo}");
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
}

#[test]
fn a_pipe_gets_json_and_no_color() {
    let lines: String = (0..30).map(|i| format!("{{\"latency\":{}}}\n", 0.3 + f64::from(i % 7) * 0.01)).collect();
    let output = run_on(lines.as_bytes(), &["analyze", "-", "--column", "latency", "--format", "json", "--points"]);
    let report = report(&output);
    assert_eq!(report["schema"], "llmscope.report/2");
    let analysis = &report["analyses"][0];
    assert_eq!(analysis["n"], 30);
    assert_eq!(analysis["points"].as_array().unwrap().len(), 30);
    assert_eq!(analysis["points"][4]["source_index"], 4);
    let table = run_on(lines.as_bytes(), &["analyze", "-", "--column", "latency"]);
    assert!(!stdout(&table).contains('\u{1b}'), "no color in a pipe");
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let mut child = program()
        .args(["analyze", "--points", "--json", &format!("{SESSIONS}/undisturbed.json")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(stderr(&output), "");
    assert_ne!(output.status.code(), Some(2));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let slower = program().args(["analyze", &format!("{SESSIONS}/second-load.json")]).stdout(writer).status().unwrap();
    assert_eq!(slower.code(), Some(1), "a reader that stops early does not change the verdict");
}

#[test]
fn errors_of_bad_input_name_the_line_and_a_fix() {
    let long = "x".repeat(1_000_000);
    let cases: Vec<(Vec<u8>, &[&str], &[&str])> = vec![
        (b"".to_vec(), &[], &["-: the file is empty"]),
        (b"latency\n0.1\nfast\n".to_vec(), &["--column", "latency"], &["-:3: latency", "\"fast\" is not a number"]),
        (b"latency\n0.1\nNaN\n".to_vec(), &["--column", "latency"], &["-:3: latency", "--missing"]),
        (b"latency\n0.1\ninf\n".to_vec(), &["--column", "latency"], &["-:3: latency", "finite"]),
        (b"a,b\n1,2,3\n".to_vec(), &["--column", "a"], &["-:2", "found 3 fields, expected 2 as in the header"]),
        (b"latency\n0.1\n\xff\n".to_vec(), &["--column", "latency"], &["-:3", "UTF-8"]),
        (b"1.0\n2.0\n".to_vec(), &["--column", "latency"], &["-:1", "header"]),
        (format!("{{\"latency\":1}}\n{{\"latency\":\"{long}\"}}\n").into_bytes(), &["--column", "latency"], &["-:2"]),
        (b"{\"a\":1}\n{\"a\":\n{\"a\":2}\n".to_vec(), &["--column", "a"], &["-:2"]),
        (b"a\n1\n".to_vec(), &["--column", "b"], &["unknown metric or column \"b\": expected a"]),
        (b"a,b\n1,2\n".to_vec(), &[], &["--column"]),
        (b"{\"schema\":\"llmscope.session/9\"}".to_vec(), &[], &["-: schema", "update llmscope"]),
        (
            b"a\n1\n2\n".to_vec(),
            &["--column", "a", "--lsl", "2", "--usl", "1"],
            &["expected the lower limit below the upper one"],
        ),
        (b"a\n1\n2\n".to_vec(), &["--column", "a", "--usl", "fast"], &["--usl", "invalid quantity"]),
        (b"\x1f\x8b\x08".to_vec(), &[], &["-: the Gzip data are truncated or damaged"]),
    ];
    for (input, options, expected) in cases {
        let args = [&["analyze", "-"], options].concat();
        let output = run_on(&input, &args);
        let message = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {message}");
        assert!(message.len() < 500, "too long: {}", message.len());
        for part in expected {
            assert!(message.contains(part), "{message} does not contain {part}");
        }
    }
    let many = table(&steady(60));
    for (options, part) in [
        (&["--chart", "xbar-r", "--subgroup", "1"][..], "at least 2"),
        (&["--chart", "xbar-r", "--subgroup", "61"], "at most the number"),
        (&["--rules", "9"], "unknown rule \"9\""),
        (&["--rule-length", "2=1"], "a length from 2 to"),
        (&["--stages", "60"], "strictly increasing"),
        (&["--stages", "automatic"], "auto, or 0-based positions"),
        (&["--confidence", "2"], "between 0 and 1"),
        (&["--plot", "chart.gif"], ".svg or .png"),
    ] {
        let args = [&["analyze", "-", "--column", "latency"], options].concat();
        let output = run_on(many.as_bytes(), &args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stderr(&output).contains(part), "{} does not contain {part}", stderr(&output));
    }
}

#[test]
fn few_failed_or_constant_values_give_a_verdict_without_invalid_numbers() {
    let all_failed = r#"{"schema":"llmscope.session/1","records":[{"status":"error"},{"status":"timeout"}]}"#;
    let mut inputs = vec![(all_failed.to_owned(), vec![]), (all_failed.to_owned(), vec!["--metric", "error_rate"])];
    for values in [vec![0.5], vec![0.5; 30], vec![0.1, 0.2, 0.3], steady(9)] {
        inputs.push((table(&values), vec!["--column", "latency", "--usl", "1"]));
    }
    for (input, options) in inputs {
        let args = [&["analyze", "-", "--json", "--points"], &options[..]].concat();
        let output = run_on(input.as_bytes(), &args);
        let text = stdout(&output).replace("\"load\": null", "");
        for invalid in ["NaN", "inf", "null"] {
            assert!(!text.contains(invalid), "{invalid} in {text}");
        }
        let analysis = &report(&output)["analyses"][0];
        if input == all_failed {
            assert_eq!(analysis["verdict"], "failing");
            assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        } else if analysis["n"].as_u64().unwrap() < 10 {
            assert_eq!(analysis["verdict"], "not_enough_data");
            assert_eq!((&analysis["need"], &analysis["patterns"]["verdict"]), (&10.into(), &"not_enough_data".into()));
            assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        } else {
            assert_eq!(
                (&analysis["verdict"], &analysis["patterns"]["verdict"]),
                (&"stable".into(), &"in_control".into())
            );
            assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
            assert!(analysis["capability"].is_null() && !analysis["warnings"].as_array().unwrap().is_empty());
        }
    }
}

#[test]
fn a_torn_last_line_is_reported_and_skipped() {
    let mut lines = "{\"kind\":\"session\",\"schema\":\"llmscope.session/1\"}\n".to_owned();
    for _ in 0..20 {
        lines.push_str("{\"kind\":\"request\",\"ttft_s\":0.25}\n");
    }
    lines.push_str("{\"kind\":\"request\",\"ttf");
    let output = run_on(lines.as_bytes(), &["analyze", "-", "--json"]);
    assert!(stderr(&output).contains("-:22: the last line is incomplete"), "{}", stderr(&output));
    assert_eq!(report(&output)["analyses"][0]["n"], 20);
}

#[test]
fn frozen_limits_judge_later_data() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline.json").display().to_string();
    let quiet = table(&steady(60));
    let column = ["analyze", "-", "--column", "latency", "--json", "--rules", "1"];
    let study = run_on(quiet.as_bytes(), &[&column[..], &["--save-baseline", &baseline]].concat());
    let shifted: Vec<f64> = steady(60).iter().map(|x| x + 0.2).collect();
    let later = run_on(table(&shifted).as_bytes(), &[&column[..], &["--baseline", &baseline]].concat());
    let (study, later) = (report(&study), report(&later));
    assert_eq!(study["analyses"][0]["limits"], later["analyses"][0]["limits"]);
    assert_eq!(
        (&later["analyses"][0]["phase"], &later["analyses"][0]["patterns"]["verdict"]),
        (&2.into(), &"out_of_control".into())
    );
    assert_eq!(later["decided_by"], "rules", "frozen limits are judged by the rules");
    let other = run_on(b"other\n1\n2\n", &["analyze", "-", "--column", "other", "--baseline", &baseline]);
    assert!(stderr(&other).contains("unknown baseline series"), "{}", stderr(&other));
}

/// 60 values, and 60 more that are slower by half.
fn slower() -> Vec<f64> {
    steady(120).iter().enumerate().map(|(index, x)| if index < 60 { *x } else { 1.5 * x }).collect()
}

#[test]
fn the_limits_are_those_of_the_last_stage_unless_something_else_is_requested() {
    let log = table(&slower()).replace("latency", "latency_s");
    let analyzed = |options: &[&str]| {
        let output = run_on(log.as_bytes(), &[&["analyze", "-", "--column", "latency_s", "--json"], options].concat());
        report(&output)["analyses"][0].clone()
    };
    let default = analyzed(&["--usl", "2s"]);
    assert_eq!(default["basis"], serde_json::json!({"first": 60, "last": 119, "n": 60, "outliers": 0}), "{default}");
    assert_eq!(default["transform"]["lambda"], 0.0);
    assert!(default["warnings"].to_string().contains("performance mixes all stages"), "{default}");
    let classical = analyzed(&["--rules", "nelson"]);
    let requests: [&[&str]; 6] = [
        &["--verdict", "rules"],
        &["--chart", "individuals"],
        &["--sigma-estimator", "average-mr"],
        &["--transform", "none"],
        &["--rule-length", "2=9"],
        &["--rule-sigma", "1=3"],
    ];
    for request in requests {
        assert_eq!(analyzed(request), classical, "{request:?}");
    }
    assert!(classical.get("basis").is_none() && classical.get("transform").is_none(), "{classical}");
    let (all, stage) = (&classical["limits"]["center"], &default["limits"]["center"]);
    assert!(stage.as_f64() > all.as_f64(), "{stage} is that of the slower half, {all} that of both");
}

#[test]
fn a_saved_baseline_reports_its_stage() {
    let folder = tempfile::tempdir().unwrap();
    let baseline = folder.path().join("baseline.json").display().to_string();
    let save = |values: &[f64]| {
        let args = ["analyze", "-", "--column", "latency", "--save-baseline", &baseline];
        stderr(&run_on(table(values).as_bytes(), &args))
    };
    let text = save(&slower());
    assert!(text.contains("latency: limits from points 60 to 119, the last stage"), "{text}");
    assert!(text.contains("limits from 60 measurements are provisional: collect at least 100"), "{text}");
    assert!(text.contains("the series is not stable: "), "{text}");
    let text = save(&steady(200));
    assert!(text.contains("limits from all 200 measurements") && !text.contains("warning"), "{text}");
}

#[test]
fn each_analysis_is_plotted_to_its_own_file() {
    let folder = tempfile::tempdir().unwrap();
    for extension in ["svg", "png"] {
        let path = folder.path().join(format!("run.{extension}"));
        let output = run(&["analyze", &format!("{SESSIONS}/paused.json"), "--plot", &path.display().to_string()]);
        assert_ne!(output.status.code(), Some(2), "{}", stderr(&output));
        let drawn = folder.path().join(format!("run.random-llama-4l.llama-cpp.ttft_s.{extension}"));
        let content = fs::read(&drawn).unwrap();
        let start: &[u8] = if extension == "svg" { b"<svg " } else { b"\x89PNG" };
        assert!(content.starts_with(start));
    }
    let svg = fs::read_to_string(folder.path().join("run.random-llama-4l.llama-cpp.e2e_s.svg")).unwrap();
    assert!(svg.contains("UCL") && svg.contains("nelson-1: 1 point beyond 3σ"));
}

#[test]
fn the_other_formats_and_output_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.csv").display().to_string();
    let session = format!("{SESSIONS}/undisturbed.json");
    run(&["analyze", &session, "--format", "csv", "-o", &path]);
    let csv = fs::read_to_string(Path::new(&path)).unwrap();
    assert_eq!(csv.lines().count(), 4);
    assert!(stdout(&run(&["analyze", &session, "--format", "markdown"])).contains("| verdict | group |"));
    for width in ["40", "160"] {
        let output = program().args(["analyze", &session]).env("COLUMNS", width).output().unwrap();
        let widest = stdout(&output).lines().map(|line| line.chars().count()).max().unwrap();
        assert!(widest <= width.parse::<usize>().unwrap(), "{widest} columns at {width}");
    }
}

#[test]
#[cfg(unix)]
fn writing_to_a_device_does_not_replace_it() {
    use std::os::unix::fs::FileTypeExt as _;

    let session = format!("{SESSIONS}/undisturbed.json");
    let read: Value =
        serde_json::from_str(&stdout(&run(&["analyze", &session, "--json", "-o", "/dev/stdout"]))).unwrap();
    assert_eq!(read["schema"], "llmscope.report/2");
    assert_ne!(run(&["analyze", &session, "-o", "/dev/null"]).status.code(), Some(2));
    assert!(fs::metadata("/dev/null").unwrap().file_type().is_char_device());
}

#[test]
fn completions_man_pages_and_schemas_are_generated() {
    assert!(stdout(&run(&["completions", "bash"])).contains("llmscope-cli"));
    assert!(stdout(&run(&["man", "analyze"])).contains("usl"));
    assert_eq!(run(&["man", "nonsense"]).status.code(), Some(2));
    let schema: Value = serde_json::from_slice(&run(&["schema", "session"]).stdout).unwrap();
    assert_eq!(schema["title"], "LLMscope session");
}

#[test]
fn the_schemas_in_the_documentation_are_up_to_date() {
    for name in ["session", "report", "bench", "gate"] {
        let path = format!("{}/../docs/{name}.schema.json", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(fs::read_to_string(path).unwrap(), stdout(&run(&["schema", name])), "run `make schemas`");
    }
}

#[test]
fn runs_are_studied_together_when_they_are_grouped_by_session() {
    let folder = tempfile::tempdir().unwrap();
    let mut args = vec!["analyze".to_owned(), "--column".into(), "latency".into(), "--by".into(), "session".into()];
    for (i, level) in [0.0, 0.002, 0.001, 0.0, 0.5, 0.001, 0.002, 0.0, 0.001].into_iter().enumerate() {
        let path = folder.path().join(format!("run-{i}.csv"));
        fs::write(&path, table(&steady(40).iter().map(|x| x + level).collect::<Vec<_>>())).unwrap();
        args.push(path.display().to_string());
    }
    let with = |more: &[&str]| run(&[&args.iter().map(String::as_str).collect::<Vec<_>>()[..], more].concat());
    let output = with(&["--json", "--rules", "1", "--usl", "2", "--verdict", "rules"]);
    assert_eq!(
        output.status.code(),
        Some(1),
        "every run is in control, but one run is outside the limits of run means"
    );
    let report = report(&output);
    assert!(
        report["analyses"].as_array().unwrap().iter().all(|analysis| analysis["patterns"]["verdict"] == "in_control")
    );
    let study = &report["studies"][0];
    let out = |run: &Value| run["out"] == true;
    let names: Vec<&Value> =
        study["runs"].as_array().unwrap().iter().filter(|run| out(run)).map(|run| &run["name"]).collect();
    assert_eq!(names, [&Value::from("run-4")]);
    assert!(study["performance"]["ppk"].as_f64() < study["capability"]["cpk"].as_f64());
    let first = with(&[]);
    assert_eq!(first.status.code(), Some(0), "no run changed");
    assert!(stdout(&first).contains("outside the limits of the run means: run-4"), "{}", stdout(&first));
    let text = stdout(&with(&["--detail"]));
    assert!(text.contains("RUNS OUT OF CONTROL") && text.contains("9 runs · 360 measurements"), "{text}");
    assert!(text.contains("σ between runs") && text.contains("OUT of the limits of run means"), "{text}");
    assert!(stdout(&with(&["--format", "markdown"])).contains("| runs of | metric |"));
    let csv = stdout(&with(&["--format", "csv", "--verdict", "rules"]));
    assert_eq!(csv.lines().count(), 1 + 9 + 1);
    assert!(csv.lines().all(|line| line.matches(',').count() == 26), "{csv}");
    // Without --by session, there is no study.
    assert!(!stdout(&run(&["analyze", &args[5], &args[6], "--column", "latency", "--json"])).contains("studies"));
}

#[test]
fn a_cusum_estimates_when_a_shift_began() {
    let folder = tempfile::tempdir().unwrap();
    let plot = folder.path().join("shift.svg").display().to_string();
    let shifted: Vec<f64> = steady(60).iter().enumerate().map(|(i, x)| if i < 40 { *x } else { x + 0.004 }).collect();
    let args = ["analyze", "-", "--column", "latency_s", "--chart", "cusum", "--phase1", "40", "--plot", &plot];
    let input = table(&shifted).replace("latency", "latency_s");
    let output = run_on(input.as_bytes(), &[&args[..], &["--json", "--points"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let report = report(&output);
    let shift = &report["analyses"][0]["patterns"]["shifts"][0];
    assert!((39..=41).contains(&shift["began"].as_u64().unwrap()), "{shift}");
    assert!((shift["mean"].as_f64().unwrap() - 0.309).abs() < 0.002, "{shift}");
    let last = &report["analyses"][0]["points"][59];
    assert!(last["x"].as_f64() > Some(0.0) && last["lower"].as_f64() <= Some(0.0), "{last}");
    let text = stdout(&run_on(input.as_bytes(), &args));
    assert!(text.contains("shifts") && text.contains("signal at"), "{text}");
    let svg = fs::read_to_string(&plot).unwrap();
    assert!(svg.contains("CUSUM chart") && svg.matches("stroke-linejoin").count() == 2, "two lines, one per sum");
    for (options, part) in [(["--cusum-k", "200"], "allowance k"), (["--cusum-headstart", "1"], "head start")] {
        let output = run_on(input.as_bytes(), &[&args[..6], &options].concat());
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(part), "{}", stderr(&output));
    }
    let average = ["analyze", "-", "--column", "latency_s", "--chart", "moving-average", "--span", "8", "--json"];
    assert_eq!(self::report(&run_on(input.as_bytes(), &average))["analyses"][0]["chart"], "moving-average");
}

#[test]
fn skewed_data_get_capability_indices_of_a_fitted_distribution() {
    // Quantiles of a lognormal distribution.
    let values: Vec<f64> = (1..=150_u32)
        .map(|i| 0.3 * (f64::from(i * 67 % 151) / 151.0 / (1.0 - f64::from(i * 67 % 151) / 151.0)).powf(0.35))
        .collect();
    let input = table(&values);
    let args = ["analyze", "-", "--column", "latency", "--usl", "2"];
    let analysis = &report(&run_on(input.as_bytes(), &[&args[..], &["--json"]].concat()))["analyses"][0];
    let non_normal = &analysis["non_normal"];
    assert_eq!(non_normal["supported"], "lognormal", "{non_normal}");
    let best = &non_normal["fits"][0];
    assert_eq!((&best["distribution"], &best["fits"]), (&"lognormal".into(), &true.into()));
    assert!(best["ppk"].as_f64() < analysis["performance"]["ppk"].as_f64());
    let text = stdout(&run_on(input.as_bytes(), &args));
    assert!(text.contains("from the lognormal distribution") && text.contains("Box–Cox"), "{text}");
    let csv = stdout(&run_on(input.as_bytes(), &[&args[..], &["--format", "csv"]].concat()));
    assert!(csv.contains("lognormal distribution,"), "{csv}");
}

#[test]
fn a_level_that_changes_has_stages() {
    let level = |i: usize, by: f64| 0.3 + by + 0.01 * (i * 37 % 101) as f64 / 101.0;
    let values: Vec<f64> = (0..120).map(|i| level(i, if i < 70 { 0.0 } else { 0.02 })).collect();
    let judge = |values: &[f64], more: &[&str]| {
        run_on(table(values).as_bytes(), &[&["analyze", "-", "--column", "latency", "--rules", "1"], more].concat())
    };
    let output = judge(&values, &["--json", "--stages", "auto"]);
    assert_eq!(output.status.code(), Some(1), "a change is a signal: {}", stderr(&output));
    let (found, given) = (report(&output), report(&judge(&values, &["--json", "--stages", "70"])));
    let stages = &found["analyses"][0]["stages"];
    assert_eq!((&stages[0]["last"], &stages[1]["first"], &stages[1]["last"]), (&69.into(), &70.into(), &119.into()));
    assert!(stages[1]["p"].as_f64().unwrap() < 1e-9 && stages[0].get("p").is_none(), "{stages}");
    assert_eq!(found["analyses"][0]["limits"], given["analyses"][0]["limits"]);
    assert_eq!(given["analyses"][0]["patterns"]["verdict"], "in_control", "a given change is not a signal");
    let stage = "; from 70 on ";
    assert!(stdout(&judge(&values, &["--stages", "auto"])).contains(stage));
    let page = stdout(&judge(&values, &["--stages", "auto", "--format", "html"]));
    assert!(page.contains(stage) && page.contains("Miller &amp; Siegmund 1982"), "{}", page.len());

    let steady = judge(&values[..70], &["--stages", "auto"]);
    assert!(stdout(&steady).contains("one: no change of the level was found"), "{}", stdout(&steady));
    assert_eq!(steady.status.code(), Some(0));
    let refused = judge(&values, &["--stages", "auto", "--phase1", "50"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn values_with_a_long_tail_are_judged_after_a_transformation() {
    // Quantiles of a lognormal distribution, in an order without a pattern.
    let quantile = |i: u32| f64::from(i * 67 % 151) / 151.0;
    let values: Vec<f64> = (1..=150).map(|i| 0.3 * (quantile(i) / (1.0 - quantile(i))).powf(0.4)).collect();
    let input = table(&values);
    let judge = |more: &[&str]| run_on(input.as_bytes(), &[&["analyze", "-", "--column", "latency"], more].concat());
    let beyond = |output: &Output| {
        let report = report(output);
        let all = report["analyses"][0]["patterns"]["violations"].as_array().unwrap().clone();
        all.iter().filter(|violation| violation["rule"] == "nelson-1").count()
    };
    assert!(beyond(&judge(&["--json"])) > 1);
    for transform in ["log", "box-cox", "auto"] {
        let output = judge(&["--json", "--transform", transform]);
        assert_eq!(beyond(&output), 0, "{transform}");
        assert_eq!(report(&output)["analyses"][0]["transform"]["lambda"], 0.0, "{transform}");
    }
    let text = stdout(&judge(&["--transform", "log"]));
    assert!(text.contains("transform") && text.contains("logarithm: sigma"), "{text}");
    let page = stdout(&judge(&["--transform", "log", "--format", "html"]));
    for expected in ["\"lambda\":0.0", "Box &amp; Cox 1964", "after the transformation (logarithm)"] {
        assert!(page.contains(expected), "{expected}");
    }
    // Frozen limits contain their transformation.
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("limits.json");
    judge(&["--transform", "log", "--save-baseline", kept.to_str().unwrap()]);
    let later = judge(&["--json", "--baseline", kept.to_str().unwrap()]);
    let (first, later) = (report(&judge(&["--json", "--transform", "log"])), report(&later));
    assert_eq!(first["analyses"][0]["limits"], later["analyses"][0]["limits"]);

    let refused = judge(&["--transform", "cube-root"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("none, log, box-cox, auto"), "{}", stderr(&refused));
    let with_zero = table(&[&values[..20], &[0.0], &values[20..]].concat());
    let args = ["analyze", "-", "--column", "latency", "--transform", "log"];
    let zero = run_on(with_zero.as_bytes(), &args);
    assert_eq!(zero.status.code(), Some(2));
    assert!(stderr(&zero).contains("22: latency: 0 is not positive and cannot be transformed"), "{}", stderr(&zero));
    let gap = stdout(&run_on(with_zero.as_bytes(), &[&args[..], &["--missing", "break"]].concat()));
    assert!(gap.contains("1 not positive") && gap.contains("1 nonpositive value cannot be transformed"), "{gap}");
}

#[test]
fn logs_without_enough_data_do_not_pass() {
    let empty = run_on(b"latency\n", &["analyze", "-", "--column", "latency", "--undecided", "pass"]);
    assert!(stderr(&empty).contains("-: the file has no rows"), "{}", stderr(&empty));
    assert_eq!(empty.status.code(), Some(2));
    let cases: [(&[u8], &str); 2] = [
        (b"latency\n0.1\n", "latency: 1 measurement: 29 more are needed;"),
        (b"latency\n0.1\n0.2\n", "latency: 2 measurements: 28 more are needed;"),
    ];
    for (log, reason) in cases {
        let output = run_on(log, &["analyze", "-", "--column", "latency"]);
        assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
        let accepted = run_on(log, &["analyze", "-", "--column", "latency", "--undecided", "pass"]);
        assert_eq!(accepted.status.code(), Some(0));
        assert_eq!(stdout(&accepted), stdout(&output), "the report is printed all the same");
    }
    let input = table(&steady(60));
    let status = |points: &str| {
        run_on(input.as_bytes(), &["analyze", "-", "--column", "latency", "--rules", "1", "--phase1", points]).status
    };
    assert_eq!(["60", "61"].map(|points| status(points).code()), [Some(0), Some(2)], "more points than the data have");
}
