//! Opens the store's file: checks that it is a store, and updates its schema.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::Result;
use super::refusal;
use crate::error::StoreError;
use crate::sidecar::{LOCK, sidecar};

/// The application id in the header of a store: "LLMS".
const APPLICATION_ID: i64 = 0x4c4c_4d53;
/// The first bytes of every SQLite file. The page size follows them.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// The migrations from one version of the schema to the next.
const MIGRATIONS: [&str; 4] = [
    include_str!("schema/1.sql"),
    include_str!("schema/2.sql"),
    include_str!("schema/3.sql"),
    include_str!("schema/4.sql"),
];
/// How long to wait for another connection's lock.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// Locks the store for this process until the returned file is dropped. A store that is reached through a link has the
/// lock of its file.
pub(super) fn lock(path: &Path) -> Result<File> {
    let lock_path = sidecar(&std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()), LOCK);
    let other = |message: String| StoreError::Other { place: lock_path.display().to_string(), message };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| other(error.to_string()))?;
    }
    let file = private().open(&lock_path);
    let file = file.map_err(|error| other(error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { place: path.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(other(error.to_string())),
    }
}

/// Options that create files which only their owner can read.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Creates the store's file if it does not exist. SQLite gives its other files the same permissions.
pub(super) fn create(path: &Path) -> Result<()> {
    let created = private().open(path);
    created
        .map(drop)
        .map_err(|error| StoreError::Other { place: path.display().to_string(), message: error.to_string() })
}

/// Refuses a file that is not an SQLite database or is truncated. SQLite itself treats a file of a few bytes as a new
/// database, and fills a truncated last page with zeros.
pub(super) fn check_whole(path: &Path) -> Result<()> {
    // After a crash, SQLite completes the file from the log next to it.
    let is_unfinished = |suffix| std::fs::metadata(sidecar(path, suffix)).is_ok_and(|log| log.len() > 0);
    // SQLite reports a file that cannot be read.
    let Ok((head, length)) = head(path) else { return Ok(()) };
    if length == 0 || is_unfinished("-wal") || is_unfinished("-journal") {
        return Ok(());
    }
    let place = path.display().to_string();
    let Some([high, low]) = head.strip_prefix(MAGIC) else {
        return Err(StoreError::Foreign { place, found: "the file is not a database".to_owned() });
    };
    // 1 stands for 65,536, which does not fit into 16 bits.
    let page = match u16::from_be_bytes([*high, *low]) {
        1 => 1 << 16,
        page => u64::from(page).max(1),
    };
    if length % page != 0 {
        return Err(StoreError::Damaged { place, message: "its end is missing".to_owned() });
    }
    Ok(())
}

/// The first bytes of a file and its length.
fn head(path: &Path) -> std::io::Result<(Vec<u8>, u64)> {
    let (mut head, file) = (Vec::new(), File::open(path)?);
    let length = file.metadata()?.len();
    file.take(MAGIC.len() as u64 + 2).read_to_end(&mut head)?;
    Ok((head, length))
}

/// Opens a connection with the settings of the store.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // No URI: the name is a plain path. No mutex: only one thread at a time uses a connection.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(LOCK_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // SQLite must not trust the schema of a damaged or hostile file.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Creates the schema in a new file, and updates the schema of an older store.
pub(super) fn prepare(path: &Path, connection: &mut Connection) -> Result<()> {
    let refuse = |error| refusal(path, &error);
    let place = || path.display().to_string();
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(refuse)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(refuse)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refuse)?;
    let is_new = application == 0 && tables == 0 && found == 0;
    if application != APPLICATION_ID && !is_new {
        let found = "the file is the database of another program (to import a store of the previous service, save \
        its /api/export to a file and upload that file)";
        return Err(StoreError::Foreign { place: place(), found: found.to_owned() });
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(StoreError::Newer { place: place(), found, known });
    }
    connection.pragma_update(None, "journal_mode", "wal").map_err(refuse)?;
    let behind = usize::try_from(found).unwrap_or(0);
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(behind) {
        let apply = |connection: &mut Connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            transaction.execute_batch(sql)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
            transaction.pragma_update(None, "user_version", i64::try_from(step + 1).unwrap_or(known))?;
            transaction.commit()
        };
        apply(connection).map_err(refuse)?;
    }
    Ok(())
}
