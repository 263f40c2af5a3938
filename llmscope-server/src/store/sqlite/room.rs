//! How much room there is: what is free of the disk, and what is free inside the file.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::opening::PATIENCE;
use crate::beside::beside;

/// How often one looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// A log of this size is not brought home by itself: there always was a reader.
const LONG_LOG_BYTES: u64 = 64 << 20;
/// How long the readers of a long log are waited for. New ones do not need it, and who reads for longer comes to an end
/// some time.
const READERS_PATIENCE: Duration = Duration::from_millis(500);

/// The room that was seen when one last looked.
#[derive(Debug, Default)]
pub(super) struct Room {
    seen: Option<(Instant, u64)>,
}

impl Room {
    /// Bytes of room for the store in this file. Where that cannot be found out, SQLite says when the disk is full.
    pub(super) fn bytes(&mut self, path: &Path, connection: &Connection) -> rusqlite::Result<u64> {
        match self.seen {
            Some((at, room)) if at.elapsed() < INTERVAL => Ok(room),
            _ => {
                shorten_log(path, connection)?;
                let room = free_of_disk(path).map_or(u64::MAX, |free| free.saturating_add(free_of_file(connection)));
                self.seen = Some((Instant::now(), room));
                Ok(room)
            }
        }
    }
}

/// Begins a long log anew. SQLite does so when nobody reads; where somebody always does, the log would grow for ever.
fn shorten_log(path: &Path, connection: &Connection) -> rusqlite::Result<()> {
    let length = std::fs::metadata(beside(path, "-wal")).map_or(0, |log| log.len());
    if length <= LONG_LOG_BYTES {
        return Ok(());
    }
    connection.busy_timeout(READERS_PATIENCE)?;
    // Where somebody reads for longer, the next look tries again.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(PATIENCE)
}

/// Pages that hold nothing, because what they held was removed.
fn free_of_file(connection: &Connection) -> u64 {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0)).unwrap_or(0);
    pragma("freelist_count") * pragma("page_size")
}

#[cfg(unix)]
fn free_of_disk(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    // Network file systems may not say how large they are, and say 0.
    (disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_of_disk(_: &Path) -> Option<u64> {
    None
}
