//! The dependencies between crates, as shown in `docs/architecture.md`.

#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// Each crate with the crates of this workspace that it may use.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("llmscope-core", &[]),
    ("llmscope-harness", &["llmscope-core"]),
    // polars only with a feature that is off by default.
    ("llmscope-server", &["llmscope-core", "llmscope-harness", "llmscope-polars"]),
    ("llmscope-cli", &["llmscope-core", "llmscope-harness", "llmscope-polars", "llmscope-server"]),
    ("llmscope-polars", &["llmscope-core"]),
    ("llmscope-py", &["llmscope-core", "llmscope-harness"]),
    ("llmscope-examples", &["llmscope-core"]),
    ("llmscope-benches", &["llmscope-core", "llmscope-harness"]),
    // Only the features of shared libraries.
    ("llmscope-features", &[]),
];

#[test]
fn crates_only_use_allowed_crates() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let allowed: BTreeMap<_, _> = ALLOWED.into_iter().collect();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let targets = allowed.get(name).unwrap_or_else(|| panic!("{name} is missing from the architecture"));
        seen.insert(name);
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            if used == "llmscope-polars" {
                assert_eq!(dependency["optional"], true, "polars compiles for many minutes: {name} must not need it");
            }
            if allowed.contains_key(used) {
                assert!(targets.contains(&used), "{name} must not use {used}");
            }
        }
    }
    assert_eq!(seen.len(), ALLOWED.len(), "every listed crate must exist");
}
