//! Opening a file: whose is it, how old is its schema.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::Result;
use super::refusal;
use crate::error::StoreError;

/// What SQLite writes into the head of our files: "LLMS".
const APPLICATION_ID: i64 = 0x4c4c_4d53;
/// From one version of the schema to the next.
const STEPS: [&str; 1] = [include_str!("schema/1.sql")];
/// How long one waits for another connection's lock.
const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the store for this process, as long as the file that is returned lives.
pub(super) fn lock(path: &Path) -> Result<File> {
    let lock_path = lock_path(path);
    let other = |message: String| StoreError::Other { place: lock_path.display().to_string(), message };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| other(error.to_string()))?;
    }
    let file = File::options().create(true).truncate(false).write(true).open(&lock_path);
    let file = file.map_err(|error| other(error.to_string()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Busy { place: path.display().to_string() }),
        Err(TryLockError::Error(error)) => Err(other(error.to_string())),
    }
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    path.with_file_name(name)
}

/// A connection with our settings.
pub(super) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // No URI: a name is a name, whatever characters it has. No mutex: a connection belongs to one thread at a time.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    // Damaged or hostile files must not make SQLite trust what they say of themselves.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    Ok(connection)
}

/// Makes a new file ours and brings an older one of ours up to date.
pub(super) fn prepare(path: &Path, connection: &mut Connection) -> Result<()> {
    let refuse = |error| refusal(path, &error);
    let place = || path.display().to_string();
    let application: i64 = connection.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(refuse)?;
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(refuse)?;
    if application != APPLICATION_ID && tables > 0 {
        let found = "a database of another program (a store of the earlier service is brought over by its /api/export \
                     and an upload of that file)";
        return Err(StoreError::Foreign { place: place(), found: found.to_owned() });
    }
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refuse)?;
    if found > known {
        return Err(StoreError::Newer { place: place(), found, known });
    }
    connection.pragma_update(None, "journal_mode", "wal").map_err(refuse)?;
    let behind = usize::try_from(found).unwrap_or(0);
    for (step, sql) in STEPS.iter().enumerate().skip(behind) {
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
