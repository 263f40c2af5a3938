//! The file of records that the service has not accepted yet.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use llmscope_core::quantity::counted;
use llmscope_harness::Uploader;
use sha2::{Digest as _, Sha256};

use super::MonitorArgs;
use crate::output::{self, CAUTION, DIM};

/// Monitors of one user that send to one service, each of which has a file of its own.
const MOST_MONITORS: usize = 100;

/// Keeps undelivered records in a file: that of `--spool`, or one in the user's state folder. Returns its path, which is
/// absent if the user has no such folder.
pub(super) fn keep(args: &MonitorArgs, uploader: &Uploader, service: &str) -> Result<Option<PathBuf>> {
    if let Some(path) = &args.spool {
        let found = uploader.keep_in(path)?;
        let found = found.with_context(|| format!("{}: in use by another process", path.display()))?;
        announce(found);
        return Ok(Some(path.clone()));
    }
    let Some(folder) = state_folder() else {
        output::say(CAUTION, "note:", "no home folder: unsent records are lost at the end; use --spool FILE");
        return Ok(None);
    };
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    let service: String = Sha256::digest(service).iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    for number in 0..MOST_MONITORS {
        let path = folder.join(format!("unsent-{service}-{number}.jsonl"));
        if let Some(found) = uploader.keep_in(&path)? {
            announce(found);
            return Ok(Some(path));
        }
    }
    bail!("{}: {MOST_MONITORS} monitors send to this service already", folder.display())
}

fn announce(found: usize) {
    if found > 0 {
        let records = counted(found, "record");
        output::say(DIM, "post:", &format!("{records} of a previous monitor will be sent"));
    }
}

/// The folder for state that lasts: `$XDG_STATE_HOME/llmscope`, or `~/.local/state/llmscope` (XDG Base Directory
/// Specification 0.8).
fn state_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = variable("XDG_STATE_HOME").or_else(|| variable("HOME").map(|home| home.join(".local/state")));
    base.map(|base| base.join("llmscope"))
}
