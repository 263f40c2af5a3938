//! No log is recognized by two formats: the order in which formats are tried does not matter.

use std::fs;
use std::path::{Path, PathBuf};

use super::signature::Signature;
use super::tool::Tool;

/// The fixtures of the readers' tests.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(logs(&path));
        } else if path.file_name().is_some_and(|name| name != "README.md") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_log_is_recognized_by_two_formats() {
    let tables = [Tool::JSON_LINES, Tool::CSV];
    let all = logs(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs"));
    assert!(!all.is_empty());
    for path in all {
        let text = fs::read_to_string(&path).unwrap();
        let signature = Signature::of(&text);
        let formats: Vec<_> = Tool::ALL.iter().filter(|tool| (tool.0.recognizes)(&signature)).collect();
        let own: Vec<_> = formats.iter().filter(|tool| !tables.contains(tool)).collect();
        assert!(own.len() <= 1, "{} by {own:?}", path.display());
    }
}
