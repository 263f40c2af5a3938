//! The free space for the store: on the disk and inside the file.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::opening::LOCK_TIMEOUT;
use crate::sidecar::sidecar;

/// How often to check the length of the log.
const INTERVAL: Duration = Duration::from_secs(1);

/// A log that has grown to this size was never restarted, because there was always a reader.
const LONG_LOG_BYTES: u64 = 64 << 20;
/// How long to wait for the readers of a long log. New readers do not use it, and longer reads finish some time.
const READERS_TIMEOUT: Duration = Duration::from_millis(500);

/// The free space, and the log that takes a part of it.
#[derive(Debug, Default)]
pub(super) struct Room {
    log_checked: Option<Instant>,
}

impl Room {
    /// The free bytes for the store in this file, now: a second of writes can be more than the reserve. If they are
    /// unknown, SQLite reports a full disk on writing.
    ///
    /// A log of any length gives its space back if there would be less than `reserve` otherwise. SQLite keeps the file
    /// of a log that it has copied, so a store whose records were removed could stay full.
    pub(super) fn bytes(&mut self, path: &Path, connection: &Connection, reserve: u64) -> rusqlite::Result<u64> {
        let room = free(path, connection);
        if self.log_checked.is_some_and(|at| at.elapsed() < INTERVAL) {
            return Ok(room);
        }
        self.log_checked = Some(Instant::now());
        let log_bytes = std::fs::metadata(sidecar(path, "-wal")).map_or(0, |log| log.len());
        if log_bytes <= LONG_LOG_BYTES && (log_bytes == 0 || room >= reserve) {
            return Ok(room);
        }
        truncate_log(connection)?;
        Ok(free(path, connection))
    }
}

/// The free bytes on the disk and inside the file.
fn free(path: &Path, connection: &Connection) -> u64 {
    free_of_disk(path).map_or(u64::MAX, |free| free.saturating_add(free_of_file(connection)))
}

/// Copies the log into the file and truncates it. SQLite restarts a log only while there are no readers; otherwise it
/// would grow without limit.
fn truncate_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(READERS_TIMEOUT)?;
    // If a reader takes longer, the next check tries again.
    let _ = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
    connection.busy_timeout(LOCK_TIMEOUT)
}

/// The bytes of pages that are free because their content was removed.
fn free_of_file(connection: &Connection) -> u64 {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, u64>(0)).unwrap_or(0);
    pragma("freelist_count") * pragma("page_size")
}

#[cfg(unix)]
fn free_of_disk(path: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(path).ok()?;
    // Network file systems may report a size of 0 if they do not know it.
    (disk.f_blocks > 0).then(|| disk.f_bavail.saturating_mul(disk.f_frsize))
}

#[cfg(not(unix))]
fn free_of_disk(_: &Path) -> Option<u64> {
    None
}
