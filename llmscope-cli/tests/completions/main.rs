//! Completion, as each shell answers it: the script is loaded into the real shell, and a word is completed there.
//!
//! zsh and fish must be installed: `make shells` does it on Debian.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What is typed, and what a key of completion makes of it or must offer.
const CASES: [(&str, &str); 14] = [
    ("anal", "analyze"),
    ("analyze --metr", "--metric"),
    ("analyze --metric ttft_s --metric out", "output_tokens_per_s"),
    ("analyze --chart cus", "cusum"),
    ("analyze --rules montg", "montgomery"),
    ("analyze --sigma-estimator median", "median_moving_range"),
    ("analyze --transform box", "box-cox"),
    ("analyze --from inference-b", "inference-benchmarker"),
    ("gate --statistic typ", "typical"),
    ("convert --from inferm", "infermark"),
    ("bench --vendor anth", "anthropic"),
    ("bench --tier simp", "simple-recall"),
    ("serve --alert-rules western", "western-electric"),
    ("schema be", "bench"),
];

fn script(shell: &str, folder: &Path) -> String {
    let output = Command::new(assert_cmd::cargo::cargo_bin!("llmscope")).args(["completions", shell]).output().unwrap();
    assert!(output.status.success());
    let path = folder.join(format!("llmscope.{shell}"));
    fs::write(&path, output.stdout).unwrap();
    path.display().to_string()
}

/// Runs a shell and returns what it prints. A shell that is not there fails the test.
fn ask(shell: &str, args: &[&str]) -> String {
    let program = env!("CARGO_BIN_EXE_llmscope");
    let folder = Path::new(program).parent().unwrap().display().to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let mut command = Command::new(shell);
    command.args(args).env("PATH", path).env("TERM", "dumb").stdin(Stdio::null());
    let output = command.output().unwrap_or_else(|error| panic!("{shell}: {error}; install it with: make shells"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{shell}: {errors}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Both names of the program.
const NAMES: [&str; 2] = ["llmscope", "llmscope-cli"];

#[test]
fn bash_completes() {
    let folder = tempfile::tempdir().unwrap();
    let script = script("bash", folder.path());
    for name in NAMES {
        for (typed, expected) in CASES {
            // The function that the shell itself would call, found as it finds it.
            let ask_for = format!(
                "source {script}\n\
                 words=({name} {typed}); COMP_WORDS=(\"${{words[@]}}\"); COMP_CWORD=$((${{#words[@]}} - 1))\n\
                 COMP_LINE='{name} {typed}'; COMP_POINT=${{#COMP_LINE}}\n\
                 registered=$(complete -p {name}); function=${{registered#* -F }}\n\
                 ${{function%% *}} {name} \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\n\
                 printf '%s\\n' \"${{COMPREPLY[@]}}\""
            );
            let offered = ask("bash", &["--norc", "-c", &ask_for]);
            assert!(offered.lines().any(|line| line == expected), "{name} {typed}: {offered}");
        }
    }
}

#[test]
fn fish_completes() {
    let folder = tempfile::tempdir().unwrap();
    let script = script("fish", folder.path());
    for name in NAMES {
        for (typed, expected) in CASES {
            let offered =
                ask("fish", &["--no-config", "-c", &format!("source {script}; complete -C '{name} {typed}'")]);
            let words: Vec<&str> = offered.lines().filter_map(|line| line.split('\t').next()).collect();
            assert!(words.contains(&expected), "{name} {typed}: {offered}");
        }
    }
}

#[test]
fn zsh_completes() {
    let folder = tempfile::tempdir().unwrap();
    let script = script("zsh", folder.path());
    // A second, interactive zsh behind a pseudo-terminal: the words are typed there, Tab is pressed, and the line that
    // results is written to a file.
    let driver = folder.path().join("driver.zsh");
    fs::write(&driver, include_str!("driver.zsh")).unwrap();
    let cases: String = NAMES.iter().flat_map(|name| CASES.map(|(typed, _)| format!("{name} {typed}\n"))).collect();
    let cases_file = folder.path().join("cases");
    fs::write(&cases_file, cases).unwrap();
    let (driver, cases_file) = (driver.display().to_string(), cases_file.display().to_string());
    let lines = ask("zsh", &["-f", &driver, &script, &cases_file, &folder.path().display().to_string()]);
    let lines: Vec<&str> = lines.lines().collect();
    assert_eq!(lines.len(), NAMES.len() * CASES.len(), "{lines:?}");
    for (line, (typed, expected)) in lines.iter().zip(CASES.iter().cycle()) {
        // zsh adds the `=` of an option that takes a value.
        let last = line.split_whitespace().last().map(|word| word.trim_end_matches('='));
        assert_eq!(last, Some(*expected), "{typed} became {line}");
    }
}
