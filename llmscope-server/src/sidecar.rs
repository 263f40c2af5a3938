//! Files next to the store's file.

use std::path::{Path, PathBuf};

/// The spool of undelivered alerts.
pub(crate) const ALERTS: &str = ".alerts.jsonl";
/// The lock that reserves the store for one process.
pub(crate) const LOCK: &str = ".lock";

/// The path of the store with a suffix added to the file's name.
pub(crate) fn sidecar(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}
