//! Tests of the `convert` command.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use llmscope_core::Session;
use llmscope_core::session::AttributeValue;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");

/// The formats that this build can write.
const FORMATS: &[&str] = if cfg!(feature = "parquet") {
    &["json", "jsonl", "csv", "parquet", "arrow", "feather"]
} else {
    &["json", "jsonl", "csv"]
};

fn run_on(input: &[u8], folder: &Path, args: &[&str]) -> Output {
    let mut child = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"))
        .arg("convert")
        .args(args)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that rejects its arguments may not read its input.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

fn run(folder: &Path, args: &[&str]) -> Output {
    run_on(b"", folder, args)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// Asserts that the run succeeded, and returns its messages.
fn done(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{}", stderr(output));
    stderr(output)
}

/// Asserts that the run was rejected, and returns its messages.
fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{}", stderr(output));
    assert!(output.stdout.is_empty());
    stderr(output)
}

fn session(path: &Path) -> Session {
    let source = path.display().to_string();
    Session::read(&source, &fs::read_to_string(path).unwrap()).unwrap().session
}

fn examples() -> Vec<String> {
    let files = fs::read_dir(SESSIONS).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<String> = files
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .map(|path| path.display().to_string())
        .collect();
    files.sort();
    files
}

#[test]
fn the_example_sessions_go_through_every_format_and_back() {
    let folder = tempfile::tempdir().unwrap();
    for example in examples() {
        let original = session(Path::new(&example));
        let mut last = example;
        for (step, format) in FORMATS.iter().chain(FORMATS.iter().rev()).chain(["csv"].iter()).enumerate() {
            let next = format!("{step}.{format}");
            let message = done(&run(folder.path(), &[&last, "-o", &next, "--force"]));
            assert!(message.contains(&format!("written: {next} ({} requests)", original.records.len())), "{message}");
            done(&run(folder.path(), &[&next, "-o", "check.json", "--force"]));
            assert_eq!(session(&folder.path().join("check.json")), original, "{next}");
            last = next;
        }
    }
}

#[test]
fn several_inputs_become_files_of_a_directory() {
    let folder = tempfile::tempdir().unwrap();
    let examples = examples();
    let files: Vec<&str> = examples.iter().map(String::as_str).collect();
    let together = refused(&run(folder.path(), &[&files[..], &["-o", "all.csv"]].concat()));
    assert!(
        together.contains("are different sessions: they differ in") && together.contains("-o out/ --to csv"),
        "{together}"
    );
    let no_format = refused(&run(folder.path(), &[&files[..], &["-o", "out/"]].concat()));
    assert!(no_format.contains("--to csv"), "{no_format}");
    let message = done(&run(folder.path(), &[&files[..], &["-o", "out/", "--to", "csv"]].concat()));
    assert_eq!(message.matches("written:").count(), files.len(), "{message}");
    assert_eq!(session(&folder.path().join("out/paused.csv")), session(&Path::new(SESSIONS).join("paused.json")));
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), files.len(), "no temporary file is left");
    let again = refused(&run(folder.path(), &[&files[..], &["-o", "out", "--to", "csv"]].concat()));
    assert!(again.contains("exists: use --force to overwrite it"), "{again}");
    let copy = folder.path().join("copy");
    fs::create_dir_all(&copy).unwrap();
    let copy = copy.join(Path::new(files[0]).file_name().unwrap());
    fs::copy(files[0], &copy).unwrap();
    let twice = refused(&run(folder.path(), &[files[0], copy.to_str().unwrap(), "-o", "other/", "--to", "csv"]));
    assert!(twice.contains("would both become other/paused.csv"), "{twice}");
    assert!(!folder.path().join("other").exists(), "nothing is written if any input is rejected");
}

#[test]
fn parts_of_one_session_are_joined_in_their_order() {
    let folder = tempfile::tempdir().unwrap();
    let header = r#"{"kind":"session","schema":"llmscope.session/1","model":"small"}"#;
    for (name, ttft) in [("a.jsonl", 0.1), ("b.jsonl", 0.2)] {
        fs::write(folder.path().join(name), format!("{header}\n{{\"kind\":\"request\",\"ttft_s\":{ttft}}}\n")).unwrap();
    }
    let message = done(&run(folder.path(), &["b.jsonl", "a.jsonl", "-o", "run.json"]));
    assert!(message.contains("joined: 2 parts of one session"), "{message}");
    let times: Vec<_> = session(&folder.path().join("run.json")).records.iter().map(|record| record.ttft_s).collect();
    assert_eq!(times, [Some(0.2), Some(0.1)]);
}

#[test]
fn a_file_that_exists_is_kept_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.csv");
    fs::write(&path, "precious").unwrap();
    let example = &examples()[0];
    let message = refused(&run(folder.path(), &[example, "-o", "run.csv"]));
    assert!(message.contains("run.csv exists: use --force to overwrite it"), "{message}");
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    done(&run(folder.path(), &[example, "-o", "run.csv", "--force"]));
    assert_eq!(session(&path), session(Path::new(example)));
}

#[test]
fn standard_input_and_output_preserve_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let text =
        "{\"schema\":\"llmscope.session/1\",\"records\":[{\"attributes\":{\"note\":\"\\u001b[31mred,\\n\\\"x\\\"\"}}]}";
    let csv = run_on(text.as_bytes(), folder.path(), &["-", "-o", "-", "--to", "csv"]);
    assert_eq!(done(&csv), "", "no message next to the data");
    let back = run_on(&csv.stdout, folder.path(), &["-", "-o", "-", "--to", "json"]);
    done(&back);
    let session = Session::read("-", &String::from_utf8(back.stdout).unwrap()).unwrap().session;
    assert_eq!(session.records[0].attributes["note"], AttributeValue::Text("\u{1b}[31mred,\n\"x\"".to_owned()));
    let silent = refused(&run_on(text.as_bytes(), folder.path(), &["-", "-o", "-"]));
    assert!(silent.contains("-o -: the format is not known; use --to, such as --to csv"), "{silent}");
}

#[test]
fn another_tools_log_becomes_a_session() {
    let folder = tempfile::tempdir().unwrap();
    let log = r#"[{"error_code":null,"error_msg":"","inter_token_latency_s":0.02,"ttft_s":0.3,"end_to_end_latency_s":1.1,
        "number_output_tokens":40,"number_input_tokens":9},
        {"error_code":429,"error_msg":"slow down","ttft_s":null,"end_to_end_latency_s":null}]"#;
    let output = run_on(log.as_bytes(), folder.path(), &["-", "-o", "run.json"]);
    done(&output);
    let session = session(&folder.path().join("run.json"));
    assert_eq!(session.header.recorder.unwrap().name, "LLMPerf");
    assert_eq!((session.records[0].ttft_s, session.records[1].error.as_ref().unwrap().code), (Some(0.3), Some(429)));
}

#[test]
fn a_table_stays_a_table_unless_a_session_is_requested() {
    let folder = tempfile::tempdir().unwrap();
    let csv = "model,latency,ttft_s\nsmall,0.31,0.1\n\"a,b\",,0.2\n";
    fs::write(folder.path().join("log.csv"), csv).unwrap();
    let message = done(&run(folder.path(), &["log.csv", "-o", "log.jsonl"]));
    assert!(message.contains("log.jsonl (2 rows)"), "{message}");
    let lines = fs::read_to_string(folder.path().join("log.jsonl")).unwrap();
    let expected = "{\"model\":\"small\",\"latency\":0.31,\"ttft_s\":0.1}\n\
                    {\"model\":\"a,b\",\"latency\":null,\"ttft_s\":0.2}\n";
    assert_eq!(lines, expected);
    done(&run(folder.path(), &["log.jsonl", "-o", "back.csv"]));
    assert_eq!(fs::read_to_string(folder.path().join("back.csv")).unwrap(), csv);
    done(&run(folder.path(), &["log.csv", "-o", "log.json"]));
    let session = session(&folder.path().join("log.json"));
    assert_eq!((session.records[1].ttft_s, session.records[1].model.as_deref()), (Some(0.2), Some("a,b")));
    assert_eq!(session.records[0].attributes["latency"], AttributeValue::Number(0.31));
    fs::write(folder.path().join("other.csv"), "a,b\nx,y\n").unwrap();
    let unknown = refused(&run(folder.path(), &["other.csv", "-o", "other.json"]));
    assert!(unknown.contains("no column has numbers (a, b)"), "{unknown}");
    assert!(!folder.path().join("other.json").exists());
}

#[test]
fn errors_name_the_fix() {
    let folder = tempfile::tempdir().unwrap();
    let example = &examples()[0];
    let cases: [(&[&str], &str); 5] = [
        (&[example, "-o", "run.xlsx"], "expected a name that ends in .json"),
        (&[example, "-o", "run"], "expected a name that ends in .json"),
        (&["missing.json", "-o", "run.csv"], "cannot read missing.json"),
        (&[example, "-o", "no/such/folder/run.csv"], "no/such/folder/run.csv"),
        (&[example, "-o", "run.csv", "--from", "csv"], "paused.json"),
    ];
    for (args, expected) in cases {
        let message = refused(&run(folder.path(), args));
        assert!(message.contains(expected), "{message} does not contain {expected}");
    }
    let torn = "{\"kind\":\"session\",\"schema\":\"llmscope.session/1\"}\n{\"kind\":\"request\"}\n{\"kind\":\"requ";
    let message = done(&run_on(torn.as_bytes(), folder.path(), &["-", "-o", "torn.json"]));
    assert!(message.contains("-:3: the last line is incomplete") && message.contains("(1 request)"), "{message}");
}

#[test]
#[cfg(feature = "parquet")]
fn parquet_is_read_like_any_other_log() {
    let folder = tempfile::tempdir().unwrap();
    let analyze = |args: &[&str]| {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
        let output = command.arg("analyze").args(args).arg("--json").current_dir(folder.path()).output().unwrap();
        let report: serde_json::Value =
            serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", stderr(&output)));
        report["analyses"].clone()
    };
    let example = format!("{SESSIONS}/paused.json");
    done(&run(folder.path(), &[&example, "-o", "paused.parquet"]));
    let from_parquet = analyze(&["paused.parquet", "--by", "model"]).to_string().replace("paused.parquet", "");
    assert_eq!(from_parquet, analyze(&[&example, "--by", "model"]).to_string().replace(&example, ""));
    let csv: String = (0..40).fold("model,latency\n".to_owned(), |csv, i| format!("{csv}small,0.{}\n", 31 + i % 7));
    fs::write(folder.path().join("log.csv"), &csv).unwrap();
    for format in ["parquet", "arrow"] {
        let binary = format!("log.{format}");
        done(&run(folder.path(), &["log.csv", "-o", &binary]));
        assert_eq!(analyze(&[&binary, "--column", "latency", "--by", "model"])[0]["n"], 40);
        done(&run(folder.path(), &[&binary, "-o", "back.csv", "--force"]));
        assert_eq!(fs::read_to_string(folder.path().join("back.csv")).unwrap(), csv);
    }
    fs::write(folder.path().join("damaged.parquet"), b"PAR1 and nothing else").unwrap();
    let message = refused(&run(folder.path(), &["damaged.parquet", "-o", "x.csv"]));
    assert!(message.contains("error:") && !message.contains("panicked at"), "{message}");
}

#[test]
#[cfg(not(feature = "parquet"))]
fn a_build_without_parquet_explains_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let install = "cargo install --path llmscope-cli --features parquet";
    let message = refused(&run(folder.path(), &[&examples()[0], "-o", "run.parquet"]));
    assert!(message.contains("cannot write a Parquet file") && message.contains(install), "{message}");
    fs::write(folder.path().join("log"), b"ARROW1\0\0").unwrap();
    let message = refused(&run(folder.path(), &["log", "-o", "run.csv"]));
    assert!(message.contains("log is an Arrow file") && message.contains(install), "{message}");
}
