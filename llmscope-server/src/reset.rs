//! Reports and removes the contents of a store. The service must not be running.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::error::{Result, StoreError};
use crate::sidecar::{ALERTS, LOCK, sidecar};
use crate::store::sqlite::{Durability, SqliteStore};
use crate::store::{Store as _, ViolationFilter};

/// What to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Live records. Series with their limits, violations and sessions stay.
    Records,
    /// Live records, series with their limits, and violations. Sessions stay.
    Series,
    /// The store's file.
    Everything,
}

/// The contents of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Holdings {
    /// Live records.
    pub records: u64,
    /// Series.
    pub series: usize,
    /// Violations.
    pub violations: usize,
    /// Uploaded sessions.
    pub sessions: usize,
}

/// Counts the contents of the store in this file.
///
/// # Errors
/// [`StoreError::Busy`] while a service uses the store; otherwise those of [`SqliteStore::open`].
pub fn holdings(database: &Path) -> Result<Holdings> {
    let store = open(database)?;
    Ok(Holdings {
        records: store.count()?,
        series: store.series()?.len(),
        violations: store.violations(&ViolationFilter { limit: usize::MAX >> 1, ..ViolationFilter::default() })?.len(),
        sessions: store.sessions()?.len(),
    })
}

/// Removes the contents that `reach` selects.
///
/// # Errors
/// Those of [`holdings`], and errors of the operating system when it removes the files.
pub fn reset(database: &Path, reach: Reach) -> Result<()> {
    let store = open(database)?;
    if reach == Reach::Everything {
        drop(store);
        return files(database).iter().try_for_each(|path| remove(path));
    }
    let mut writer = store.writer()?;
    let mut transaction = writer.transaction()?;
    match reach {
        Reach::Records => {
            // Records that are sent again after the reset are new ones.
            transaction.forget_before(Timestamp::MAX, usize::MAX >> 1)?;
            transaction.delete_before(Timestamp::MAX, usize::MAX >> 1)?
        }
        _ => transaction.clear()?,
    };
    Ok(transaction.commit()?)
}

fn open(database: &Path) -> Result<SqliteStore> {
    if !database.exists() {
        let place = database.display().to_string();
        return Err(StoreError::Other { place, message: "there is no store at this path".to_owned() }.into());
    }
    Ok(SqliteStore::open(database, Durability::Full)?)
}

/// The store's file and the files next to it, the lock last.
fn files(database: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm", ALERTS, LOCK].map(|suffix| sidecar(database, suffix)).to_vec()
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Other { place: path.display().to_string(), message: error.to_string() }.into())
        }
        _ => Ok(()),
    }
}
