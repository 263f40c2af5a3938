//! How much room there is: what is free of the disk, and what is free inside the file.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// How often one looks.
const INTERVAL: Duration = Duration::from_secs(1);

/// The room that was seen when one last looked.
#[derive(Debug, Default)]
pub(super) struct Room {
    seen: Option<(Instant, u64)>,
}

impl Room {
    /// Bytes of room for the store in this file. Where that cannot be found out, SQLite says when the disk is full.
    pub(super) fn bytes(&mut self, path: &Path, connection: &Connection) -> u64 {
        match self.seen {
            Some((at, room)) if at.elapsed() < INTERVAL => room,
            _ => {
                let room = free_of_disk(path).map_or(u64::MAX, |free| free.saturating_add(free_of_file(connection)));
                self.seen = Some((Instant::now(), room));
                room
            }
        }
    }
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
