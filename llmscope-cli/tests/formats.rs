//! Tests of the formats of `analyze`: the answers come first in CSV and Markdown, unless the rules decide.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde_json::Value;

const SESSIONS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/sessions");
const PATTERNS: &str = "| group | metric | verdict | n | center | limits | rules broken | Cpk | Ppk |";

fn analyze(args: &[&str]) -> String {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    let output = command.arg("analyze").args(args).output().unwrap();
    assert_ne!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The output about three sessions.
fn sessions(more: &[&str]) -> String {
    let files = ["paused", "second-load", "undisturbed"].map(|name| format!("{SESSIONS}/{name}.json"));
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    analyze(&[&files[..], &["--by", "session"], more].concat())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The lines of a CSV report, each as its cells by column.
fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn csv_has_the_answers() {
    let report = json(&sessions(&["--json"]));
    let text = sessions(&["--format", "csv"]);
    let end = "lambda,direction,part,since_index,since,ratio,ratio_lower,ratio_upper,p,p_call,answer,patterns";
    assert!(text.lines().next().unwrap().ends_with(end), "{text}");
    let rows = rows(&text);
    let analyses = report["analyses"].as_array().unwrap();
    let studies = report["studies"].as_array().unwrap();
    assert_eq!(rows.len(), analyses.len() + studies.len());
    for (row, analysis) in rows.iter().zip(analyses) {
        let answer = &analysis["answer"];
        assert_eq!(analysis["verdict"], row["verdict"]);
        assert_eq!(answer["text"], row["answer"]);
        assert_eq!(analysis["patterns"]["verdict"].as_str().unwrap().replace('_', " "), row["patterns"]);
        let cell = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned).replace("null", "");
        assert_eq!(cell(&answer["direction"]), row["direction"]);
        assert_eq!(cell(&answer["part"]), row["part"]);
        assert_eq!(cell(&answer["since"]["index"]), row["since_index"]);
        assert_eq!(cell(&answer["since"]["t"]), row["since"]);
        for (column, value) in [
            ("ratio", &answer["ratio"]),
            ("ratio_lower", &answer["interval"][0]),
            ("ratio_upper", &answer["interval"][1]),
            ("p", &answer["p"]),
            ("p_call", &answer["p_call"]),
        ] {
            assert_eq!(value.as_f64(), row[column].parse().ok(), "{column}");
        }
    }
    let load = rows.iter().find(|row| row["group"] == "second-load" && row["metric"] == "tpot_s").unwrap();
    assert_eq!(["verdict", "direction", "part"].map(|column| load[column].as_str()), ["changed", "worse", "level"]);
    for (row, study) in rows[analyses.len()..].iter().zip(studies) {
        assert_eq!(study["verdict"].as_str().unwrap().replace('_', " "), row["patterns"]);
        assert_eq!(["part", "p", "answer"].map(|column| row[column].as_str()), [""; 3]);
    }
}

#[test]
fn the_interval_of_a_difference_is_not_that_of_a_ratio() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drift.csv");
    let value = |i: u32| f64::from(i * 37 % 101) / 101.0 - 0.5 + if i < 60 { 0.0 } else { 5.0 };
    fs::write(&path, (0..120).fold("drift\n".to_owned(), |text, i| format!("{text}{}\n", value(i)))).unwrap();
    let args = [path.to_str().unwrap(), "--column", "drift", "--format", "csv"];
    let row = &rows(&analyze(&args))[0];
    assert_eq!((row["verdict"].as_str(), row["since_index"].as_str()), ("changed", "60"));
    assert_eq!(["ratio", "ratio_lower", "ratio_upper"].map(|column| row[column].as_str()), [""; 3]);
}

#[test]
fn markdown_has_the_answers_before_the_patterns() {
    let report = json(&sessions(&["--json"]));
    let text = sessions(&["--format", "markdown"]);
    let (answers, patterns) = text.split_once("\n\nPatterns\n\n").unwrap();
    let mut lines = answers.lines();
    assert!(lines.next().unwrap().starts_with("9 series: "), "{text}");
    assert_eq!(lines.next(), Some(""));
    assert_eq!(lines.next(), Some("| verdict | group | metric | n | answer |"));
    let rows: Vec<&str> = lines.skip(1).collect();
    let ranked = report["answers"].as_array().unwrap();
    assert_eq!(rows.len(), ranked.len());
    for (row, answer) in rows.iter().zip(ranked) {
        let analysis = &report["analyses"][usize::try_from(answer["analysis"].as_u64().unwrap()).unwrap()];
        let part = |of: &Value| of.as_str().unwrap().replace('_', " ");
        let [verdict, session] = [part(&answer["verdict"]), part(&answer["group"]["session"])];
        let (metric, n) = (answer["metric"].as_str().unwrap(), &analysis["n"]);
        let text = answer["text"].as_str().unwrap();
        assert_eq!(*row, format!("| **{verdict}** | {session} | {metric} | {n} | {text} |"));
    }
    // If the rules decide, the limits are those of all points, and the patterns are the report.
    let by_rules = sessions(&["--format", "markdown", "--verdict", "rules"]);
    assert_eq!(patterns.lines().next(), by_rules.lines().next());
    let studies = |text: &str| text.lines().skip_while(|line| !line.starts_with("| runs of")).count();
    assert_eq!((studies(patterns), studies(&by_rules)), (5, 5), "{patterns}");
    assert!(patterns.contains("- Limits of second-load ttft_s: from points 150 to 299, the last stage"), "{patterns}");
    assert!(!by_rules.contains("Limits of"), "{by_rules}");
}

#[test]
fn messages_of_a_log_stay_in_their_cell() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hostile.json");
    let message = r"<img src=x> a|b \\| `c` [d](e)\nf & g";
    let good = r#"{"ttft_s":0.3},"#.repeat(20);
    let bad = format!(r#"{{"status":"error","error":{{"type":"busy","message":"{message}"}}}},"#).repeat(20);
    let records = format!("{good}{bad}");
    let records = records.trim_end_matches(',');
    fs::write(&path, format!(r#"{{"schema":"llmscope.session/1","records":[{records}]}}"#)).unwrap();
    let text = analyze(&[path.to_str().unwrap(), "--metric", "ttft_s", "--format", "markdown"]);
    let row = text.lines().find(|line| line.starts_with("| **failing**")).unwrap();
    assert!(row.contains(r"&lt;img src=x> a\|b \\\| \`c\` \[d](e) f &amp; g"), "{row}");
    assert!(row.ends_with(" |"), "{row}");
}

#[test]
fn the_rules_decide_about_the_same_tables_as_before() {
    let text = sessions(&["--format", "markdown", "--verdict", "rules"]);
    assert!(text.starts_with(PATTERNS) && text.contains("| runs of | metric |"), "{text}");
    let text = sessions(&["--format", "csv", "--verdict", "rules"]);
    assert!(text.lines().next().unwrap().ends_with(",supported,ppk_supported,lambda"), "{text}");
    let rows = rows(&text);
    assert_eq!(rows.len(), 12);
    assert!(rows[..9].iter().all(|row| row["verdict"] == "out of control"), "{text}");
}
