//! Help fits a terminal of 80 columns, its examples are commands that the program accepts, and near misses are named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

const COMMANDS: [&str; 9] = ["analyze", "bench", "convert", "monitor", "serve", "reset", "report", "gate", "probe"];
const WIDEST: usize = 78;

fn llmscope(args: &[&str]) -> Output {
    Command::new(assert_cmd::cargo::cargo_bin!("llmscope")).args(args).env("COLUMNS", "200").output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The help of the program and of each command, short and long.
fn every_help() -> Vec<(String, String)> {
    let commands = COMMANDS.into_iter().chain(["schema", "completions", "man"]);
    let of_commands = commands.flat_map(|command| [vec![command, "-h"], vec![command, "--help"]]);
    let help = |args: Vec<&str>| {
        let output = llmscope(&args);
        assert_eq!(output.status.code(), Some(0), "{args:?}");
        (args.join(" "), text(&output.stdout))
    };
    of_commands.chain([vec!["-h"], vec!["--help"]]).map(help).collect()
}

#[test]
fn no_line_of_help_is_wider_than_78_columns() {
    let pages = every_help();
    assert_eq!(pages.len(), 26);
    for (name, page) in pages {
        for line in page.lines() {
            assert!(line.chars().count() <= WIDEST, "{name}: {} columns: {line}", line.chars().count());
        }
    }
}

/// The commands of the examples in help, with continued lines joined.
fn examples(page: &str) -> Vec<String> {
    let Some((_, rest)) = page.split_once("Examples:\n") else { return Vec::new() };
    let block: Vec<&str> = rest.lines().take_while(|line| !line.is_empty()).collect();
    let joined = block.join("\n").replace(" \\\n", " ");
    let indented = joined.lines().filter(|line| line.starts_with("    "));
    indented.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn each_command_has_examples_that_begin_with_the_program_below_a_description() {
    for command in COMMANDS.into_iter().filter(|&command| command != "probe") {
        let page = text(&llmscope(&[command, "--help"]).stdout);
        let examples = examples(&page);
        assert!(examples.len() >= 2, "{command} has {} examples", examples.len());
        assert!(examples.iter().all(|example| example.contains("llmscope ")), "{command}: {examples:?}");
        assert!(examples.iter().any(|example| example.contains(&format!("llmscope {command}"))), "{command}");
        let (_, rest) = page.split_once("Examples:\n").unwrap();
        let first: Vec<&str> = rest.lines().take(2).collect();
        assert!(first[0].ends_with([':', '?']) && first[1].starts_with("    "), "{command}: {first:?}");
    }
}

#[test]
fn examples_use_options_that_exist() {
    for (name, page) in every_help().into_iter().filter(|(name, _)| name.ends_with("--help")) {
        for example in examples(&page) {
            let own = example.split('|').find(|part| part.contains("llmscope ")).unwrap();
            let command = own.split_whitespace().skip_while(|word| *word != "llmscope").nth(1).unwrap().to_owned();
            let known = text(&llmscope(&[&command, "--help"]).stdout);
            for option in own.split_whitespace().filter(|word| word.starts_with("--")) {
                assert!(known.contains(option), "{name}: {command} has no {option}");
            }
        }
    }
}

#[test]
fn formats_are_listed_without_a_file_and_completely() {
    let lists: Vec<_> = ["analyze", "report", "convert", "gate"]
        .iter()
        .map(|command| {
            let output = llmscope(&[command, "--from", "help"]);
            assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{command}");
            text(&output.stdout)
        })
        .collect();
    assert!(lists.iter().all(|list| *list == lists[0]));
    assert_eq!(lists[0].lines().skip(1).count(), llmscope_core::ingest::Tool::ALL.len());
    assert!(lists[0].contains("\n  vllm-bench-serve "));
}

/// What the program answers to arguments that are nearly right.
fn remedy(args: &[&str]) -> String {
    let output = llmscope(args);
    assert_eq!(output.status.code(), Some(2), "{args:?}");
    text(&output.stderr)
}

#[test]
fn near_misses_are_named() {
    let cases: [(&[&str], &str); 8] = [
        (&["analyze", "x.json", "--metric", "ttft"], "'ttft_s'"),
        (&["analyze", "x.json", "--chart", "individual"], "'individuals'"),
        (&["analyze", "x.json", "--rules", "nelsn"], "\"nelson\""),
        (&["analyze", "x.json", "--from", "vllm"], "vllm-bench-serve"),
        (&["analyze", "x.json", "--sigma-estimator", "average_movingrange"], "'average_moving_range'"),
        (&["bench", "--vendor", "vllm"], "--vendor openai"),
        (&["bench", "--vendor", "antropic"], "'anthropic'"),
        (&["analize"], "'analyze'"),
    ];
    for (args, expected) in cases {
        let answer = remedy(args);
        assert!(answer.contains(expected), "{args:?}: {answer}");
    }
}

#[test]
fn settings_that_are_refused_are_not_announced() {
    let answer = remedy(&["monitor", "--vendor", "simulated", "--interval", "0s"]);
    assert!(answer.contains("--interval") && !answer.contains("watching"), "{answer}");
}

#[test]
fn both_names_are_the_same_program() {
    let of = |program: &std::path::Path| {
        let output = Command::new(program).args(["analyze", "--help"]).output().unwrap();
        (output.status.code(), text(&output.stdout))
    };
    let new = of(assert_cmd::cargo::cargo_bin!("llmscope"));
    assert_eq!(of(assert_cmd::cargo::cargo_bin!("llmscope-cli")), new);
    assert_eq!(new.0, Some(0));
}

#[test]
fn the_old_name_judges_the_sessions_of_a_folder() {
    let sessions = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");
    let files = ["paused", "second-load", "undisturbed"].map(|name| format!("{sessions}/{name}.json"));
    let run = |program: &std::path::Path| {
        Command::new(program).arg("analyze").args(&files).args(["--by", "session", "--format", "csv"]).output().unwrap()
    };
    let old = run(assert_cmd::cargo::cargo_bin!("llmscope-cli"));
    assert_eq!(old.status.code(), Some(1), "{}", text(&old.stderr));
    assert_eq!(old.stdout, run(assert_cmd::cargo::cargo_bin!("llmscope")).stdout);
}

#[test]
fn the_manual_page_has_sections_of_its_own_for_examples() {
    for command in COMMANDS.into_iter().filter(|&command| command != "probe") {
        let page = text(&llmscope(&["man", command]).stdout);
        assert!(page.contains(".SH EXAMPLES\n.nf\n") && !page.contains("EXTRA"), "{command}");
        assert!(page.contains(&format!("llmscope {command}")) || page.contains(&format!("llmscope\\-{command}")));
    }
}

#[test]
fn messages_name_the_address_and_the_option() {
    let message = |args: &[&str]| {
        let output = llmscope(args);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        text(&output.stderr)
    };
    let refused = message(&["serve", "--max-series", "0"]);
    assert!(refused.contains("'--max-series <N>': expected a whole number of at least 1"), "{refused}");
    // A free port, at which no server listens once it is closed.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = format!("http://127.0.0.1:{port}/v1");
    let refused = message(&["bench", "--vendor", "openai", "--url", &url, "--requests", "1", "-o", "unused.json"]);
    assert!(refused.contains("does not answer") && refused.contains("that the server runs"), "{refused}");
    assert!(!refused.contains("--model"), "{refused}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_device_is_named() {
    let log = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/columns/suffix-ms.csv");
    let output = llmscope(&["analyze", log, "--json", "--column", "latency_ms", "-o", "/dev/full"]);
    assert!(text(&output.stderr).contains("/dev/full: No space left on device"), "{output:?}");
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    let output = command.args(["schema", "report"]).stdout(full).output().unwrap();
    assert!(text(&output.stderr).contains("standard output: No space left on device"), "{output:?}");
}
