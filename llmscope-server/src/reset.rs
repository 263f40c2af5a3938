//! Beginning anew: what a store holds, and its removal. The service must not be running.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::beside::{ALERTS, LOCK, beside};
use crate::error::{Result, StoreError};
use crate::store::sqlite::{Durability, SqliteStore};
use crate::store::{Store as _, ViolationFilter};

/// How much is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Live records. Series keep their limits, violations and sessions stay.
    Records,
    /// Live records, series with their limits, violations. Sessions stay.
    Series,
    /// The store's file.
    Everything,
}

/// What a store holds.
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

/// What the store in this file holds.
///
/// # Errors
/// [`StoreError::Busy`] while a service has it; as [`SqliteStore::open`].
pub fn holdings(database: &Path) -> Result<Holdings> {
    let store = open(database)?;
    Ok(Holdings {
        records: store.count()?,
        series: store.series()?.len(),
        violations: store.violations(&ViolationFilter { limit: usize::MAX >> 1, ..ViolationFilter::default() })?.len(),
        sessions: store.sessions()?.len(),
    })
}

/// Removes what a reach says.
///
/// # Errors
/// As [`holdings`], and the operating system's refusal to remove the files.
pub fn reset(database: &Path, reach: Reach) -> Result<()> {
    let store = open(database)?;
    if reach == Reach::Everything {
        drop(store);
        return files(database).iter().try_for_each(|path| remove(path));
    }
    let mut writer = store.writer()?;
    let mut transaction = writer.transaction()?;
    match reach {
        Reach::Records => transaction.delete_before(Timestamp::MAX, usize::MAX >> 1)?,
        _ => transaction.clear()?,
    };
    Ok(transaction.commit()?)
}

fn open(database: &Path) -> Result<SqliteStore> {
    if !database.exists() {
        let place = database.display().to_string();
        return Err(StoreError::Other { place, message: "there is no store".to_owned() }.into());
    }
    Ok(SqliteStore::open(database, Durability::Full)?)
}

/// The store's file and those beside it. The lock goes last.
fn files(database: &Path) -> Vec<PathBuf> {
    ["", "-wal", "-shm", ALERTS, LOCK].map(|ending| beside(database, ending)).to_vec()
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(StoreError::Other { place: path.display().to_string(), message: error.to_string() }.into())
        }
        _ => Ok(()),
    }
}
