//! A log and what `convert` makes of it have the same analyses, in each format.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::formats::FORMATS;
use super::{Outcome, fixtures, in_parallel, outage, step};

/// Writes a log in another format.
fn converted(from: &Path, to: &Path) -> Result<(), String> {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("llmscope"));
    let output = command.arg("convert").arg(from).arg("-o").args([to, Path::new("--force")]).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()) }
}

/// The differences between the analyses of a log and of its conversions. `judged` counts the logs that have analyses.
fn differences(path: &Path, folder: &Path, judged: &AtomicUsize) -> Vec<String> {
    let original = Outcome::of_paths(&[path.to_owned()]).verdict();
    if original.as_array().is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    judged.fetch_add(1, Ordering::Relaxed);
    let mut found = Vec::new();
    for format in ["json", "jsonl", "csv"] {
        let folder = folder.join(format);
        std::fs::create_dir_all(&folder).unwrap();
        // The name of the file can be that of the session.
        let target = folder.join(path.file_stem().unwrap()).with_extension(format);
        match converted(path, &target) {
            Err(message) => found.push(format!("{} to {format}: {message}", path.display())),
            Ok(()) => {
                let outcome = Outcome::of_paths(&[target]);
                let other = outcome.verdict();
                if other != original {
                    let messages = outcome.messages;
                    found.push(format!("{} to {format}: {messages:?}\n    {original}\n    {other}", path.display()));
                }
            }
        }
    }
    found
}

#[test]
fn the_conversion_of_each_fixture_has_the_same_analyses() {
    let fixtures = fixtures();
    let judged = AtomicUsize::new(0);
    let problems = in_parallel(&fixtures, |path, folder| differences(path, folder, &judged));
    assert!(judged.into_inner() > 60, "few of {} fixtures have analyses: this test sees nothing", fixtures.len());
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn the_conversion_of_each_format_has_the_same_analyses() {
    let judged = AtomicUsize::new(0);
    let problems = in_parallel(FORMATS, |format, folder| {
        std::fs::create_dir_all(folder).unwrap();
        let mut found = Vec::new();
        for (what, requests) in [("step", step()), ("outage", outage())] {
            if what == "outage" && !format.has_failures {
                continue;
            }
            let path: PathBuf = folder.join(format!("{what}-{}", format.name));
            std::fs::write(&path, (format.write)(&requests)).unwrap();
            found.extend(differences(&path, &folder.join(what), &judged));
        }
        found
    });
    assert!(judged.into_inner() > FORMATS.len(), "some formats have no analyses");
    assert!(problems.is_empty(), "{}:\n{}", problems.len(), problems.join("\n"));
}
