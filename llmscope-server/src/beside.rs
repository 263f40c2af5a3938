//! Files that stand beside the store's.

use std::path::{Path, PathBuf};

/// The spool of alerts that could not be brought.
pub(crate) const ALERTS: &str = ".alerts.jsonl";
/// What holds the store for one process.
pub(crate) const LOCK: &str = ".lock";

/// The path with an ending more.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}
