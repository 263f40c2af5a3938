//! Tests of the `gate` command.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");

/// Runs `gate` about these runs: a difference between runs is not assumed.
fn run(args: &[&str]) -> Output {
    run_with_defaults(&[args, &["--run-sd", "0"]].concat())
}

fn run_with_defaults(args: &[&str]) -> Output {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
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

/// Independent latencies, uniform between 0.2 and 0.4 s, times a factor. A hash of the index gives the values.
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
fn a_shift_fails_and_the_first_line_names_it() {
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
fn a_column_that_numbers_the_runs_is_warned_about() {
    let folder = TempDir::new().unwrap();
    let table = |side: &str, run: u32| {
        let values = latencies(200, run + if side == "new" { 10 } else { 0 }, 1.0);
        let rows: String = values.iter().map(|value| format!("m,load {run},{value}\n")).collect();
        let path = folder.path().join(format!("{side}-{run}.csv"));
        fs::write(&path, format!("model,run,ttft_s\n{rows}")).unwrap();
        text(&path).to_owned()
    };
    let sides = |side| (0..3).map(|run| table(side, run)).collect::<Vec<_>>();
    let args = [sides("old"), vec!["--candidate".to_owned()], sides("new"), vec!["--json".to_owned()]].concat();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let warning = "the column run makes 3 groups of one run a side: runs of one build belong in one group";
    let warnings = |args: &[&str]| answer(&run_with_defaults(args))["warnings"].clone();
    assert_eq!(warnings(&args), serde_json::json!([warning]));
    assert_eq!(warnings(&[&args[..], &["--by", "model"]].concat()), serde_json::json!([]));
    // Loads in one file are groups of their own.
    let sweep = |side: &str| {
        let path = folder.path().join(format!("{side}.csv"));
        let tables: Vec<String> = (0..3).map(|run| fs::read_to_string(table(side, run)).unwrap()).collect();
        let rows = tables.iter().flat_map(|table| table.lines().skip(1)).collect::<Vec<_>>().join("\n");
        fs::write(&path, format!("model,run,ttft_s\n{rows}\n")).unwrap();
        text(&path).to_owned()
    };
    assert_eq!(warnings(&[&sweep("old"), &sweep("new"), "--json"]), serde_json::json!([]));
}

#[test]
fn the_example_session_with_a_second_load_is_worse() {
    let (quiet, loaded) = (format!("{SESSIONS}/undisturbed.json"), format!("{SESSIONS}/second-load.json"));
    let output = run_with_defaults(&[&quiet, &loaded, "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let answer = answer(&output);
    assert_eq!(answer["schema"], "llmscope.gate/2");
    assert_eq!(answer["verdict"], "fail");
    assert!(answer["headline"].as_str().unwrap().starts_with("TPOT"), "{}", answer["headline"]);
    let tpot = answer["pairs"].as_array().unwrap().iter().find(|pair| pair["metric"] == "tpot_s").unwrap();
    // Request 150 was on its way when the load began: 8.1 ms, between 4.0 ms and 9.3 ms, and nearer to these.
    assert_eq!(tpot["since"]["index"], 150);
    assert_eq!(tpot["since"]["interval"], serde_json::json!([148, 151]));
    assert_eq!((&tpot["runs"]["sd"], &tpot["runs"]["assumed"]), (&Value::from(0.1), &Value::from(true)));
    let same = run(&[&quiet, &quiet]);
    assert_eq!(same.status.code(), Some(0));
    assert!(stdout(&same).contains("both sides have the same requests"), "{}", stdout(&same));
}

#[test]
fn too_few_requests_warn_and_only_fail_on_request() {
    let folder = TempDir::new().unwrap();
    let old = session(&folder, "old.json", "m", &latencies(12, 1, 1.0), None);
    let new = session(&folder, "new.json", "m", &latencies(12, 2, 1.0), None);
    let output = run(&[text(&old), text(&new)]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).starts_with("NOT ENOUGH DATA TO TELL"), "{}", stdout(&output));
    assert!(stderr(&output).contains("does not prove anything"), "{}", stderr(&output));
    assert_eq!(run(&[text(&old), text(&new), "--undecided", "fail"]).status.code(), Some(1));
}

#[test]
fn each_side_can_have_several_runs() {
    let folder = TempDir::new().unwrap();
    let one = session(&folder, "1.json", "m", &latencies(200, 1, 1.0), None);
    let two = session(&folder, "2.json", "m", &latencies(200, 2, 1.0), None);
    let new = session(&folder, "3.json", "m", &latencies(300, 3, 1.0), Some(4));
    let output = run(&[text(&one), text(&two), "--candidate", text(&new), "--json"]);
    let answer = answer(&output);
    assert_eq!(answer["pairs"][0]["baseline"]["n"], 400);
    assert_eq!(answer["pairs"][0]["baseline"]["source"].as_array().unwrap().len(), 2);
    // A quarter of the requests fails. That decides, although no latency changed.
    assert_eq!(output.status.code(), Some(1));
    let headline = answer["headline"].as_str().unwrap();
    assert!(headline.starts_with("25 % of the requests failed, 0 % in the baseline, p < 0.0001"), "{headline}");
    assert_eq!(answer["failing"], true);
}

#[test]
fn an_objective_is_compared_on_both_sides() {
    let folder = TempDir::new().unwrap();
    let old = session(&folder, "old.json", "m", &latencies(400, 1, 1.0), None);
    let new = session(&folder, "new.json", "m", &latencies(400, 2, 1.2), None);
    let output = run(&[
        text(&old),
        text(&new),
        "--slo",
        "ttft=350ms",
        "--statistic",
        "missed_objective",
        "--max-share-increase",
        "2%",
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("WORSE  TTFT beyond 350.0 ms +"), "{}", stdout(&output));
}

#[test]
fn junit_is_well_formed_for_any_names() {
    let folder = TempDir::new().unwrap();
    let name = r"a<b>&'c' | `d`\u0007";
    let old = session(&folder, "old.json", name, &latencies(300, 1, 1.0), None);
    let new = session(&folder, "new.json", name, &latencies(300, 2, 1.3), None);
    let (xml, markdown) = (folder.path().join("gate.xml"), folder.path().join("gate.md"));
    let output = run(&[text(&old), text(&new), "--junit", text(&xml), "--markdown", text(&markdown)]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let xml = fs::read_to_string(xml).unwrap();
    let counted = |what: &str| xml.matches(what).count();
    assert_eq!((counted("<testcase "), counted("</testcase>")), (6, 6), "{xml}");
    let number = |name: &str| {
        let (_, rest) = xml.split_once(&format!("{name}=\"")).unwrap();
        rest.split('"').next().unwrap().parse::<usize>().unwrap()
    };
    assert_eq!(
        (number("tests"), number("failures"), number("skipped")),
        (6, counted("<failure "), counted("<skipped "))
    );
    assert!(counted("<failure ") >= 1 && xml.contains("a&lt;b&gt;&amp;&apos;c&apos;"), "{xml}");
    well_formed(&xml);
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(markdown.starts_with("### ❌ Latency gate: worse\n\n**TTFT"), "{markdown}");
    assert!(
        markdown.contains("<details>") && markdown.contains("a&lt;b&gt;") && !markdown.contains("a<b>"),
        "{markdown}"
    );
    let rows: Vec<&str> = markdown.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() >= 7 && rows.iter().all(|row| row.matches(" | ").count() >= 4), "{rows:?}");
}

/// Asserts that tags are balanced, attributes are quoted, and every character is valid in XML 1.0.
fn well_formed(xml: &str) {
    assert!(xml.chars().all(|c| c == '\n' || !c.is_control()));
    let mut open = Vec::new();
    let body = xml.strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n").unwrap();
    for part in body.split('<').skip(1) {
        let (tag, content) = part.split_once('>').unwrap();
        assert!(!content.contains('>') && tag.matches('"').count() % 2 == 0, "{part}");
        let name = tag.trim_matches('/').split(' ').next().unwrap();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name));
        } else if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn errors_name_the_fix() {
    let folder = TempDir::new().unwrap();
    let one = session(&folder, "1.json", "m", &latencies(30, 1, 1.0), None);
    let table = folder.path().join("t.csv");
    fs::write(&table, "latency\n0.1\n0.2\n").unwrap();
    let one = text(&one);
    for (args, part) in [
        (vec![one], "BASELINE CANDIDATE"),
        (vec![one, one, one], "--candidate"),
        (vec!["-", "-"], "standard input can be read once"),
        (vec![one, "no-such-file.json"], "candidate: cannot read no-such-file.json"),
        (vec![one, one, "--max-shift", "5 apples"], "--max-shift 5 apples"),
        (vec![one, one, "--max-shift", "-5%"], "invalid largest shift -0.05: expected at least 0 and below 1"),
        (vec![one, one, "--alpha", "0.9"], "invalid alpha 0.9: expected a number above 0 and at most 0.2"),
        (vec![one, one, "--statistic", "q95"], "p99.9"),
        (vec![one, one, "--slo", "ttft"], "ttft=500ms"),
        (vec![one, one, "--slo", "ttft=500"], "expected a limit with its unit"),
        (vec![one, one, "--slo", "e2e.p99=1s"], "e2e.p99=1s"),
        (vec![one, one, "--max-share-increase", "2"], "largest increase of a share"),
        (vec![one, text(&table)], "candidate"),
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {}", stdout(&output));
        assert!(stderr(&output).contains(part), "{args:?}: {} does not contain {part}", stderr(&output));
    }
}

#[test]
fn failed_rows_of_a_table_count_if_no_row_of_the_baseline_failed() {
    let folder = TempDir::new().unwrap();
    let table = |name: &str, failed: usize, seed: u32| {
        let failures = ",timeout\n".repeat(failed);
        let rows: String = latencies(300, seed, 1.0).iter().map(|ttft| format!("{ttft},ok\n")).collect();
        let path = folder.path().join(name);
        fs::write(&path, format!("ttft_s,status\n{failures}{rows}")).unwrap();
        path
    };
    let (baseline, candidate) = (table("main.csv", 0, 1), table("branch.csv", 60, 2));
    let output = run(&[text(&baseline), text(&candidate)]);
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    // 60 of 360 requests.
    assert!(
        stdout(&output).starts_with("FAILING  17 % of the requests failed, 0 % in the baseline"),
        "{}",
        stdout(&output)
    );
    assert_eq!(run(&[text(&baseline), text(&baseline)]).status.code(), Some(0));
}

#[test]
fn objectives_of_a_run_need_no_baseline() {
    let folder = TempDir::new().unwrap();
    // Two of the slowest requests are neighbours by chance, so 1000 carry the information of 712.
    let good = session(&folder, "good.json", "m", &latencies(1000, 1, 1.0), None);
    let bad = session(&folder, "bad.json", "m", &latencies(600, 2, 1.0), Some(10));
    let (xml, markdown) = (folder.path().join("gate.xml"), folder.path().join("gate.md"));
    let reports = ["--slo", "errors=1%,ttft.p99=500ms", "--junit", text(&xml), "--markdown", text(&markdown)];
    let met = run(&[&[text(&good)][..], &reports].concat());
    assert_eq!(met.status.code(), Some(0), "{}", stderr(&met));
    assert!(stdout(&met).starts_with("MET  errors=1%: met"), "{}", stdout(&met));
    let missed = run(&[&[text(&bad)][..], &reports].concat());
    assert_eq!(missed.status.code(), Some(1), "{}", stderr(&missed));
    assert!(stdout(&missed).starts_with("FAILING  errors=1%: missed, 60 of 600"), "{}", stdout(&missed));
    let xml = fs::read_to_string(xml).unwrap();
    well_formed(&xml);
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\" skipped=\"0\""), "{xml}");
    let markdown = fs::read_to_string(markdown).unwrap();
    assert!(markdown.starts_with("### ❌ Latency gate: failing") && markdown.contains("- ttft.p99"), "{markdown}");
    // Too few requests decide nothing, which fails only with the option for it.
    let few = session(&folder, "few.json", "m", &latencies(30, 3, 1.0), None);
    let slo = ["--slo", "errors=1%"];
    assert_eq!(run(&[&[text(&few)][..], &slo].concat()).status.code(), Some(0));
    let strict = run(&[&[text(&few)][..], &slo, &["--undecided", "fail"]].concat());
    assert_eq!(strict.status.code(), Some(1), "{}", stdout(&strict));
}

#[test]
fn a_plan_shows_how_many_runs_decide() {
    let folder = TempDir::new().unwrap();
    let runs: Vec<PathBuf> = (0..4)
        .map(|run| {
            let factor = 1.0 + 0.02 * f64::from(run);
            session(&folder, &format!("{run}.json"), "m", &latencies(400, run, factor), None)
        })
        .collect();
    let files: Vec<&str> = runs.iter().map(|path| text(path)).collect();
    let output = run_with_defaults(&[&["--plan", "--max-shift", "10%"][..], &files].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = stdout(&output);
    assert!(shown.contains("measured standard deviation") && shown.contains("requests per run"), "{shown}");
    let json = answer(&run_with_defaults(&[&["--plan", "--max-shift", "10%", "--json"][..], &files].concat()));
    assert_eq!(json["schema"], "llmscope.gate-preview/1");
    let of_row = |row: usize| json["tables"][0]["rows"][row]["runs"][0].as_u64().unwrap();
    assert!(of_row(0) >= of_row(6), "{json}");
}

#[test]
fn a_closed_pipe_does_not_change_the_verdict() {
    let (quiet, loaded) = (format!("{SESSIONS}/undisturbed.json"), format!("{SESSIONS}/second-load.json"));
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    let status = command.args(["gate", &quiet, &loaded]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(1));
}

#[test]
fn the_ci_examples_match_the_documentation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let document = fs::read_to_string(root.join("docs/gate.md")).unwrap();
    for name in ["github-actions.yml", "gitlab-ci.yml"] {
        let example = fs::read_to_string(root.join("examples/ci").join(name)).unwrap();
        assert!(document.contains(example.trim()), "docs/gate.md differs from {name}");
    }
}
