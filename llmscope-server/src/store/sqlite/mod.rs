//! A store in one SQLite file in WAL mode: readers see the last commit and never wait for the writer.

mod annotations;
mod condition;
mod failure;
mod identities;
mod incidents;
mod opening;
mod reading;
mod room;
mod row;
mod sessions;
mod violations;
mod writing;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use jiff::Timestamp;
use llmscope_core::session::RunEvent;
use llmscope_core::{Metric, Session};
use rusqlite::{Connection, ErrorCode};

use super::{
    Filter, Measurements, ProviderTotals, READERS, Result, Store, StoredAlarms, StoredSeries, ViolationFilter, Writer,
};
use crate::error::StoreError;
use crate::incident::{Incident, IncidentFilter, IncidentTurn};
use crate::record::StoredRecord;
use crate::session::SessionSummary;
use crate::sidecar::sidecar;
use crate::violation::Violation;

/// When a transaction is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// When the disk has it. It survives a loss of power.
    #[default]
    Full,
    /// When the operating system has it. It survives a crash of the service, but not always a loss of power.
    Normal,
}

/// A store in one SQLite file.
pub struct SqliteStore {
    path: PathBuf,
    durability: Durability,
    readers: Readers,
    /// The connection of [`Store::ping`], so that no reader delays it.
    probe: Mutex<Connection>,
    /// The lock, held for the lifetime of the store: only one service may use the file.
    _lock: File,
}

/// The pool of connections for reading.
struct Readers {
    idle: Mutex<Vec<Connection>>,
    returned: Condvar,
}

impl SqliteStore {
    /// Opens the store in this file, and creates the file if it does not exist.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process uses the store. [`StoreError::Foreign`], [`StoreError::Newer`] and
    /// [`StoreError::Damaged`] for a file that is not a usable store; the file is not changed.
    pub fn open(path: &Path, durability: Durability) -> Result<Self> {
        let lock = opening::lock(path)?;
        opening::check_whole(path)?;
        opening::create(path)?;
        let refuse = |error| refusal(path, &error);
        let mut first = opening::connect(path).map_err(refuse)?;
        opening::prepare(path, &mut first)?;
        let mut idle = vec![first];
        while idle.len() < READERS {
            idle.push(opening::connect(path).map_err(refuse)?);
        }
        for reader in &idle {
            reader.pragma_update(None, "query_only", true).map_err(refuse)?;
        }
        let probe = opening::connect(path).map_err(refuse)?;
        probe.pragma_update(None, "query_only", true).map_err(refuse)?;
        let readers = Readers { idle: Mutex::new(idle), returned: Condvar::new() };
        Ok(Self { path: path.to_owned(), durability, readers, probe: Mutex::new(probe), _lock: lock })
    }

    /// Checks the integrity of the whole file with SQLite.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first problem.
    pub fn check(&self) -> Result<()> {
        let found: String = self.read(|reader| reader.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { place: self.place(), message: found }) }
    }

    /// Runs `work` with a reading connection, in one snapshot, so that all of its statements see the same commit.
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        self.read_without_snapshot(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let result = work(&snapshot)?;
            snapshot.finish()?;
            Ok(result)
        })
    }

    /// Runs long `work` with a reading connection, without a snapshot. Each statement sees the last commit at its
    /// start, so the log can be restarted between the statements.
    fn read_without_snapshot<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let mut idle = self.readers.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let reader = loop {
            match idle.pop() {
                Some(reader) => break Returned { reader: Some(reader), to: &self.readers },
                None => idle = self.readers.returned.wait(idle).unwrap_or_else(PoisonError::into_inner),
            }
        };
        drop(idle);
        reader.get().and_then(work).map_err(|error| self.refusal(&error))
    }

    fn refusal(&self, error: &rusqlite::Error) -> StoreError {
        refusal(&self.path, error)
    }

    /// A session from its envelope, which has everything but the requests.
    fn without_records(&self, id: i64, envelope: &str) -> Result<Session> {
        let place = llmscope_core::Location::of(&format!("session {id}"));
        Session::from_envelope(&place, envelope)
            .map_err(|error| StoreError::Damaged { place: self.place(), message: error.to_string() })
    }
}

/// A connection that returns to the pool on drop, even after a panic.
struct Returned<'r> {
    reader: Option<Connection>,
    to: &'r Readers,
}

impl Returned<'_> {
    fn get(&self) -> rusqlite::Result<&Connection> {
        self.reader.as_ref().ok_or(rusqlite::Error::InvalidQuery)
    }
}

impl Drop for Returned<'_> {
    fn drop(&mut self) {
        self.to.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.reader.take());
        self.to.returned.notify_one();
    }
}

impl Store for SqliteStore {
    fn writer(&self) -> Result<Box<dyn Writer>> {
        Ok(Box::new(writing::SqliteWriter::open(&self.path, self.durability)?))
    }

    fn ping(&self) -> Result<()> {
        let probe = self.probe.lock().unwrap_or_else(PoisonError::into_inner);
        let answered = probe.query_row("SELECT count(*) FROM sources", [], |_| Ok(()));
        answered.map_err(|error| self.refusal(&error))
    }

    fn quick_check(&self) -> Result<()> {
        // Not from the pool: the check may take minutes.
        let reader = opening::connect(&self.path).map_err(|error| self.refusal(&error))?;
        let check = "PRAGMA quick_check(1)";
        let found: String = reader.query_row(check, [], |row| row.get(0)).map_err(|error| self.refusal(&error))?;
        if found == "ok" { Ok(()) } else { Err(StoreError::Damaged { place: self.place(), message: found }) }
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn bytes(&self) -> u64 {
        ["", "-wal"]
            .iter()
            .filter_map(|suffix| std::fs::metadata(sidecar(&self.path, suffix)).ok())
            .map(|file| file.len())
            .sum()
    }

    fn count(&self) -> Result<u64> {
        self.read(reading::count)
    }

    fn records(&self, filter: &Filter, before: Option<i64>) -> Result<Vec<StoredRecord>> {
        self.read(|reader| reading::records(reader, filter, before))
    }

    fn measurements(&self, filter: &Filter, metric: Metric) -> Result<Vec<Measurements>> {
        self.read(|reader| reading::measurements(reader, filter, metric))
    }

    fn series(&self) -> Result<Vec<StoredSeries>> {
        self.read(violations::series)
    }

    fn violations(&self, filter: &ViolationFilter) -> Result<Vec<Violation>> {
        self.read(|reader| violations::list(reader, filter))
    }

    fn violation(&self, id: i64) -> Result<Violation> {
        self.read(|reader| violations::one(reader, id))?.ok_or(StoreError::Absent { what: "violation", id })
    }

    fn alarms(&self) -> Result<Vec<StoredAlarms>> {
        self.read(incidents::alarms)
    }

    fn records_after(&self, id: i64, each: &mut dyn FnMut(i64, StoredRecord)) -> Result<()> {
        self.read(|reader| incidents::records_after(reader, id, each))
    }

    fn current_incidents(&self) -> Result<Vec<Incident>> {
        self.read(incidents::current)
    }

    fn messages(&self) -> Result<Vec<(IncidentTurn, Incident)>> {
        self.read(incidents::messages)
    }

    fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>> {
        self.read(|reader| incidents::list(reader, filter))
    }

    fn incident(&self, id: i64) -> Result<Incident> {
        self.read(|reader| incidents::one(reader, id))?.ok_or(StoreError::Absent { what: "incident", id })
    }

    fn sessions(&self) -> Result<Vec<SessionSummary>> {
        self.read(sessions::list)
    }

    fn events(&self, session: i64) -> Result<Vec<RunEvent>> {
        let envelope = self.read(|reader| sessions::envelope(reader, session))?;
        let envelope = envelope.ok_or(StoreError::Absent { what: "session", id: session })?;
        Ok(self.without_records(session, &envelope)?.events)
    }

    fn session(&self, id: i64) -> Result<Session> {
        let (envelope, records) =
            self.read(|reader| sessions::one(reader, id))?.ok_or(StoreError::Absent { what: "session", id })?;
        Ok(Session { records, ..self.without_records(id, &envelope)? })
    }

    fn cost_usd(&self, filter: &Filter) -> Result<f64> {
        self.read(|reader| reading::cost_usd(reader, filter))
    }

    fn totals(&self, since: Timestamp) -> Result<Vec<ProviderTotals>> {
        self.read_without_snapshot(|reader| reading::totals(reader, since))
    }

    fn daily_totals(&self, since: Timestamp) -> Result<Vec<(String, ProviderTotals)>> {
        self.read_without_snapshot(|reader| reading::daily_totals(reader, since))
    }

    fn span_facts(&self, each: &mut dyn FnMut(&str, u64, &str, Timestamp)) -> Result<()> {
        self.read(|reader| identities::facts(reader, each))
    }

    fn backup(&self, to: &Path) -> Result<()> {
        // Not from the pool: a long snapshot must not take a connection from other readers.
        let refuse = |error| refusal(to, &error);
        let from = opening::connect(&self.path).map_err(|error| self.refusal(&error))?;
        // In one snapshot: otherwise each write during the copy would restart it.
        let snapshot = "BEGIN; SELECT count(*) FROM sources";
        from.execute_batch(snapshot).map_err(|error| self.refusal(&error))?;
        let mut copy = Connection::open(to).map_err(refuse)?;
        let backup = rusqlite::backup::Backup::new(&from, &mut copy).map_err(refuse)?;
        const PAGES: std::ffi::c_int = 1024;
        backup.run_to_completion(PAGES, std::time::Duration::ZERO, None).map_err(refuse)
    }
}

/// Converts an error of SQLite.
fn refusal(path: &Path, error: &rusqlite::Error) -> StoreError {
    let place = path.display().to_string();
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full { place },
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { place, message },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { place },
        _ if matches!(error, rusqlite::Error::FromSqlConversionFailure(..)) => StoreError::Damaged { place, message },
        _ => StoreError::Other { place, message },
    }
}
