//! Opening a file: whose is it, how old is its schema.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use super::super::Result;
use super::refusal;
use crate::beside::{LOCK, beside};
use crate::error::StoreError;

/// What SQLite writes into the head of our files: "LLMS".
const APPLICATION_ID: i64 = 0x4c4c_4d53;
/// What every file of SQLite begins with; the size of its pages follows.
const MAGIC: &[u8] = b"SQLite format 3\0";
/// From one version of the schema to the next.
const STEPS: [&str; 1] = [include_str!("schema/1.sql")];
/// How long one waits for another connection's lock.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// Takes the store for this process, as long as the file that is returned lives.
pub(super) fn lock(path: &Path) -> Result<File> {
    let lock_path = beside(path, LOCK);
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

/// How files of the store are made: what they hold is nobody else's business.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes the store's file if it is not there. What SQLite puts beside it gets its permissions.
pub(super) fn make(path: &Path) -> Result<()> {
    let made = private().open(path);
    made.map(drop).map_err(|error| StoreError::Other { place: path.display().to_string(), message: error.to_string() })
}

/// Refuses a file that is none of SQLite's, or not the whole of one: SQLite takes a few bytes for a new database, and
/// what is missing of the last page for zeros.
pub(super) fn check_whole(path: &Path) -> Result<()> {
    // What a crash left half done is brought home from the log beside it.
    let is_unfinished = |ending| std::fs::metadata(beside(path, ending)).is_ok_and(|log| log.len() > 0);
    // A file that cannot be read is for SQLite to complain of.
    let Ok((head, length)) = head(path) else { return Ok(()) };
    if length == 0 || is_unfinished("-wal") || is_unfinished("-journal") {
        return Ok(());
    }
    let place = path.display().to_string();
    let Some([high, low]) = head.strip_prefix(MAGIC) else {
        return Err(StoreError::Foreign { place, found: "a file that is no database".to_owned() });
    };
    // 1 stands for 65,536, which 16 bits do not hold.
    let page = match u16::from_be_bytes([*high, *low]) {
        1 => 1 << 16,
        page => u64::from(page).max(1),
    };
    if length % page != 0 {
        return Err(StoreError::Damaged { place, message: "its end is cut off".to_owned() });
    }
    Ok(())
}

/// The first bytes of a file, as many as there are, and its length.
fn head(path: &Path) -> std::io::Result<(Vec<u8>, u64)> {
    let (mut head, file) = (Vec::new(), File::open(path)?);
    let length = file.metadata()?.len();
    file.take(MAGIC.len() as u64 + 2).read_to_end(&mut head)?;
    Ok((head, length))
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
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(refuse)?;
    let is_new = application == 0 && tables == 0 && found == 0;
    if application != APPLICATION_ID && !is_new {
        let found = "a database of another program (a store of the earlier service is brought over by its /api/export \
                     and an upload of that file)";
        return Err(StoreError::Foreign { place: place(), found: found.to_owned() });
    }
    let known = i64::try_from(STEPS.len()).unwrap_or(i64::MAX);
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
