//! The table of formats in docs/logs.md: what is read is what the readers read from the fixtures. The version that was
//! tried, and what a file cannot tell, are notes next to this test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use llmscope_core::ingest::{self, Content, Log, Table, Tool};
use llmscope_core::session::{RequestRecord, Session};

const NOTES: &str = include_str!("formats/notes.tsv");
const PAGE: &str = include_str!("../../docs/logs.md");
/// Formats that the fixtures of this crate lack: databases, which the program reads.
const ELSEWHERE: [&str; 2] = ["oha-db", "evalscope"];

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.file_name().is_some_and(|name| name != "README.md") {
            found.push(path);
        }
    }
    found
}

/// The fixtures of each format.
fn logs() -> BTreeMap<&'static str, Vec<Log>> {
    let mut of_format: BTreeMap<&'static str, Vec<Log>> = BTreeMap::new();
    for path in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs")) {
        if let Ok(log) = ingest::read("log", &fs::read(path).unwrap(), None) {
            of_format.entry(log.tool.name()).or_default().push(log);
        }
    }
    of_format
}

/// What the fixtures of a format have.
struct Facts {
    content: &'static str,
    order: &'static str,
    failures: &'static str,
    first_token: &'static str,
}

impl Facts {
    /// The facts about a database, which llmscope-cli/tests/databases.rs tests.
    fn of_database(name: &str) -> Self {
        let first_token = if name == "evalscope" { "yes" } else { "first byte" };
        Self { content: "requests", order: "start in the run", failures: "counted", first_token }
    }

    fn of(logs: &[Log]) -> Self {
        let all = || logs.iter().map(|log| &log.content);
        let sessions: Vec<&Session> = all()
            .filter_map(|content| if let Content::Session(session) = content { Some(&**session) } else { None })
            .collect();
        let tables: Vec<&Table> =
            all().filter_map(|content| if let Content::Table(table) = content { Some(table) } else { None }).collect();
        let records = || sessions.iter().flat_map(|session| &session.records);
        let columns = || tables.iter().flat_map(|table| &table.columns);
        let content = match (sessions.is_empty(), tables.is_empty(), tables.iter().all(|table| table.of_runs)) {
            (false, true, _) => "requests",
            (true, _, true) => "runs",
            (true, _, false) => "rows",
            (false, false, _) => "requests or runs",
        };
        let is_dated = |name: &str| ["started_at", "timestamp", "start_time_local"].contains(&name);
        let timed = |record: &RequestRecord| record.started_at.is_some();
        let offset = |record: &RequestRecord| {
            ["request_start_s", "start_time_s"].iter().any(|name| record.attributes.contains_key(*name))
        };
        let is_sorted =
            logs.iter().any(|log| log.warnings.iter().any(|warning| warning.message.contains("no order in time")));
        let order = if is_sorted {
            "sorted: none"
        } else if records().any(timed) || columns().any(|column| is_dated(&column.name)) {
            "time of day"
        } else if records().any(offset) {
            "start in the run"
        } else if sessions.is_empty() {
            "none"
        } else {
            "of the file"
        };
        let counted = |name: &str| columns().any(|column| column.name == name);
        let failed = records().any(|record| !record.succeeded()) || counted("failed");
        let column_begins = |name: &str| columns().any(|column| column.name.starts_with(name));
        let attribute =
            |name: &str| records().any(|record| record.attributes.contains_key(name)) || column_begins(name);
        let first_token = if records().any(|record| record.ttft_s.is_some()) || column_begins("ttft_s") {
            "yes"
        } else if attribute("server_time_to_first_token_s") {
            "of the server"
        } else if attribute("time_to_first_chunk_s") {
            "first chunk"
        } else if attribute("first_byte_s") || attribute("http_req_waiting_s") {
            "first byte"
        } else {
            "no"
        };
        Self { content, order, failures: if failed { "counted" } else { "none in our files" }, first_token }
    }
}

/// The notes: version, and what the file cannot tell, by the name of the format.
fn notes() -> BTreeMap<&'static str, [&'static str; 2]> {
    let note = |line: &'static str| {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, version, missing] = fields[..] else { panic!("{line}") };
        (name, [version, missing])
    };
    NOTES.lines().skip(1).map(note).collect()
}

fn table() -> String {
    let (logs, notes) = (logs(), notes());
    let mut text =
        "| tool, file | `--from` | tried | read as | order | failures | first token | the file cannot tell |\n\
                    | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
    for tool in Tool::ALL {
        let Some([version, missing]) = notes.get(tool.name()) else { continue };
        let facts = logs.get(tool.name()).map_or_else(|| Facts::of_database(tool.name()), |logs| Facts::of(logs));
        let Facts { content, order, failures, first_token } = facts;
        let (label, name) = (tool.label(), tool.name());
        writeln!(
            text,
            "| {label} | `{name}` | {version} | {content} | {order} | {failures} | {first_token} | {missing} |"
        )
        .unwrap();
    }
    text
}

#[test]
fn the_table_of_formats_is_that_of_the_readers() {
    const BEGIN: &str = "<!-- begin formats -->\n";
    const END: &str = "<!-- end formats -->";
    let table = table();
    let shown = PAGE.split_once(BEGIN).and_then(|(_, rest)| rest.split_once(END)).map(|(shown, _)| shown.trim());
    assert!(shown == Some(table.trim()), "put this between {BEGIN}and {END} of docs/logs.md:\n{table}");
}

#[test]
fn every_format_has_a_note_and_a_fixture() {
    let (logs, notes) = (logs(), notes());
    // Tables, and files of LLMscope itself, have sections of their own.
    let own = ["llmscope", "runs", "jsonl", "csv", "llmscope-export"];
    // A list of failures without times, which is refused.
    let refused = ["locust-failures"];
    for tool in Tool::ALL.iter().filter(|tool| !own.contains(&tool.name()) && !refused.contains(&tool.name())) {
        let name = tool.name();
        assert!(notes.contains_key(name), "{name} has no line in tests/formats/notes.tsv");
        assert!(logs.contains_key(name) || ELSEWHERE.contains(&name), "{name} has no fixture in tests/logs");
    }
    let known: Vec<&str> = Tool::ALL.iter().map(|tool| tool.name()).collect();
    notes.keys().for_each(|name| assert!(known.contains(name), "{name} of tests/formats/notes.tsv is not a format"));
}
