//! The layers of `docs/architecture.md`: a module uses only itself and earlier layers.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

const STEPS: [&[&str]; 11] = [
    &["metric", "error", "cast", "quantity", "text", "split_mix"],
    &["column"],
    &["sample", "files", "measure"],
    &["stats", "factors"],
    &["transform"],
    &["sigma", "limits"],
    &["rules", "capability", "session", "objective", "detector"],
    &["chart", "ingest"],
    &["analysis"],
    &["gate", "watch"],
    &["plot"],
];

fn step(module: &str) -> usize {
    STEPS.iter().position(|step| step.contains(&module)).unwrap_or_else(|| panic!("{module} has no step"))
}

#[test]
fn a_module_uses_only_earlier_ones() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut seen = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let module = inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
            if module == "lib" || path.extension().is_none_or(|extension| extension != "rs") {
                continue;
            }
            check(&module, &fs::read_to_string(&path).unwrap(), inside);
            seen.push(module);
        }
    }
    for module in STEPS.concat() {
        assert!(seen.iter().any(|seen| seen == module), "{module} was not found: update the list of steps");
    }
}

fn check(module: &str, text: &str, file: &Path) {
    let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    for line in code {
        for used in line.split("crate::").skip(1) {
            let used: String = used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if used == module || used.is_empty() || used.starts_with(char::is_uppercase) {
                continue;
            }
            assert!(step(&used) <= step(module), "{} uses the later module {used}", file.display());
            let same_step = step(&used) == step(module);
            let known = [
                ("error", "metric"),
                ("metric", "error"),
                ("error", "quantity"),
                ("quantity", "metric"),
                ("stats", "factors"),
                ("factors", "stats"),
                ("stats", "sample"),
            ];
            assert!(
                !same_step || known.contains(&(module, used.as_str())),
                "{} uses {used} of the same step",
                file.display()
            );
        }
    }
}
