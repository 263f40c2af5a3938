//! Tests of `action.yml`: its shell steps run as a GitHub runner would run them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The program of a `run:` block, and the inputs that its environment gets.
struct Step {
    program: String,
    inputs: Vec<(String, String)>,
}

/// The step of this name in `action.yml`.
fn step(name: &str) -> Step {
    let action = fs::read_to_string(Path::new(REPOSITORY).join("action.yml")).unwrap();
    let text = action.split("\n    - ").find(|step| step.starts_with(&format!("name: {name}\n"))).unwrap();
    let (head, block) = text.split_once("      run: |\n").unwrap();
    let program = block.lines().map(|line| line.strip_prefix("        ").unwrap_or("")).collect::<Vec<_>>().join("\n");
    let input = |line: &str| {
        let (name, value) = line.trim().split_once(": ${{ inputs.")?;
        Some((name.to_owned(), value.strip_suffix(" }}")?.to_owned()))
    };
    Step { program, inputs: head.lines().filter_map(input).collect() }
}

/// A runner with a home, a temporary folder, and a `cargo` that installs the program of this build.
struct Runner {
    folder: TempDir,
}

impl Runner {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "temp", "work", "path"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let program = assert_cmd::cargo::cargo_bin!("llmscope").display().to_string();
        let cargo = folder.path().join("path/cargo");
        let log = folder.path().join("cargo.log");
        let install = format!(
            "#!/bin/sh\necho \"$@\" >> '{}'\nmkdir -p \"$HOME/.llmscope/bin\"\ncp '{program}' \"$HOME/.llmscope/bin/llmscope\"\n",
            log.display()
        );
        fs::write(&cargo, install).unwrap();
        fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.at(name)).unwrap_or_default()
    }

    /// Runs a step as `shell: bash` does.
    fn run(&self, name: &str, inputs: &[(&str, &str)]) -> Output {
        let Step { program, inputs: wanted } = step(name);
        let path = format!("{}:{}", self.at("path").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", &program]).current_dir(self.at("work"));
        command.env("HOME", self.at("home")).env("RUNNER_TEMP", self.at("temp")).env("PATH", path);
        command.env("RUNNER_OS", "Linux").env("RUNNER_ARCH", "X64").env("GITHUB_ACTION_PATH", REPOSITORY);
        command.env("GITHUB_OUTPUT", self.at("output")).env("GITHUB_STEP_SUMMARY", self.at("summary"));
        for (variable, input) in wanted {
            let value = inputs.iter().find(|(name, _)| *name == input).map_or("", |(_, value)| value);
            command.env(variable, value);
        }
        command.output().unwrap()
    }

    fn gate(&self, inputs: &[(&str, &str)]) -> Option<i32> {
        fs::remove_file(self.at("output")).ok();
        fs::remove_file(self.at("summary")).ok();
        self.run("Gate", inputs).status.code()
    }

    /// Copies an example session into the working folder.
    fn session(&self, name: &str, as_name: &str) {
        let from = Path::new(REPOSITORY).join("examples/sessions").join(name);
        fs::copy(from, self.at("work").join(as_name)).unwrap();
    }
}

#[test]
fn the_program_is_installed_once_under_a_key_of_its_sources() {
    let runner = Runner::new();
    assert!(runner.run("Key", &[]).status.success());
    let output = runner.text("output");
    let key = output.trim_end().strip_prefix("key=llmscope-Linux-X64-").unwrap();
    assert!(key.len() == 16 && key.chars().all(|c| c.is_ascii_hexdigit()), "{key}");
    assert!(runner.run("Install", &[]).status.success());
    assert!(runner.run("Install", &[]).status.success());
    let expected = format!(
        "install --locked --path {REPOSITORY}/llmscope-cli --bin llmscope --root {}\n",
        runner.at("home/.llmscope").display()
    );
    assert_eq!(runner.text("cargo.log"), expected, "a cached program is not installed again");
}

#[test]
fn a_worse_candidate_fails_the_step_with_a_summary() {
    let runner = Runner::new();
    runner.run("Install", &[]);
    runner.session("undisturbed.json", "base-1.json");
    runner.session("second-load.json", "head-1.json");
    let sides = [("baseline", "base-*.json"), ("candidate", "head-*.json")];
    assert_eq!(runner.gate(&[&sides[..], &[("args", "--metric tpot_s --run-sd 0")]].concat()), Some(1));
    assert!(runner.text("summary").starts_with("### ❌ Latency gate: worse"), "{}", runner.text("summary"));
    let summary = runner.at("temp/llmscope-gate.md");
    assert_eq!(runner.text("output"), format!("status=1\nsummary={}\n", summary.display()));
    // A larger allowed shift, and a status without a decision.
    assert_eq!(runner.gate(&[&sides[..], &[("args", "--max-shift 90%")]].concat()), Some(0));
    assert!(runner.text("summary").contains("not enough data to tell"), "{}", runner.text("summary"));
}

#[test]
fn inputs_of_several_lines_count_as_a_whole() {
    let runner = Runner::new();
    runner.run("Install", &[]);
    runner.session("undisturbed.json", "base-1.json");
    runner.session("second-load.json", "head-1.json");
    let sides = [("baseline", "base-1.json\n"), ("candidate", "\n  head-1.json\n")];
    let of_two_lines = ("args", "--metric tpot_s\n--run-sd 0\n");
    assert_eq!(runner.gate(&[&sides[..], &[of_two_lines]].concat()), Some(1));
    let missed = ("args", "--undecided pass\n\n--slo tpot.p75=1ms\n");
    assert_eq!(runner.gate(&[("baseline", "base-1.json"), missed]), Some(1), "{}", runner.text("summary"));
    assert!(runner.text("summary").contains("tpot.p75"), "{}", runner.text("summary"));
}

#[test]
fn objectives_need_no_candidate_and_an_error_has_no_summary() {
    let runner = Runner::new();
    runner.run("Install", &[]);
    runner.session("undisturbed.json", "run.json");
    assert_eq!(runner.gate(&[("baseline", "run.json"), ("args", "--slo tpot.p75=10ms,errors=5%")]), Some(0));
    assert!(runner.text("summary").starts_with("### ✅ Latency gate: met"), "{}", runner.text("summary"));
    assert_eq!(runner.gate(&[("baseline", "missing-*.json"), ("candidate", "run.json")]), Some(2));
    assert_eq!((runner.text("summary").as_str(), &runner.text("output")[..8]), ("", "status=2"));
    // Text of an input is never a command.
    assert_eq!(
        runner.gate(&[("baseline", "run.json; touch x"), ("candidate", "$(touch x)"), ("args", "`touch x`")]),
        Some(2)
    );
    assert!(!runner.at("work/x").exists());
}
