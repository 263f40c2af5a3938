//! The writing connection.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use llmscope_core::ingest::SpanFact;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::super::{Annotation, Inserted, Result, SeriesState, Transaction, Writer};
use super::room::Room;
use super::row::{RecordRow, json};
use super::{Durability, identities, incidents, opening, refusal, sessions, violations};
use crate::error::StoreError;
use crate::identity::{AcceptedCall, CallIdentity, Identity};
use crate::incident::{Incident, IncidentTurn, Member};
use crate::record::Arrival;
use crate::series::Source;
use crate::session::{SessionSummary, Upload};
use crate::timestamp::to_ns;
use crate::violation::Violation;

pub(super) struct SqliteWriter {
    path: PathBuf,
    connection: Connection,
    sources: Sources,
    room: Room,
}

/// The ids of known sources, by provider and model.
type Sources = HashMap<(String, String), i64>;

/// The number of pages of 4 KiB in the log that triggers a checkpoint: 16 MiB.
const LOG_PAGES: u32 = 4096;
/// The space to leave free on the disk: twice the log, so that a transaction fits into it and a checkpoint into the file.
const RESERVE_BYTES: u64 = 32 << 20;
/// The approximate size of a session's request, with its gaps and attributes.
const REQUEST_BYTES: u64 = 1024;

/// The most sources whose ids are kept in memory; the others are read from the store.
const MOST_KNOWN_SOURCES: usize = 100_000;

impl SqliteWriter {
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self> {
        let open = || {
            let connection = opening::connect(path)?;
            let (synchronous, log_pages) = match durability {
                Durability::Full => ("full", LOG_PAGES),
                // Here only checkpoints wait for the disk: smaller ones take less time.
                Durability::Normal => ("normal", LOG_PAGES / 4),
            };
            connection.pragma_update(None, "synchronous", synchronous)?;
            // A checkpoint writes a page that changed often only once. Truncate the log afterwards.
            connection.pragma_update(None, "wal_autocheckpoint", log_pages)?;
            connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| refusal(path, &error))?;
        Ok(Self { path: path.to_owned(), connection, sources: Sources::new(), room: Room::default() })
    }
}

impl Writer for SqliteWriter {
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>> {
        let path = &self.path;
        let room = self.room.bytes(path, &self.connection, RESERVE_BYTES).map_err(|error| refusal(path, &error))?;
        let inner = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let inner = inner.map_err(|error| refusal(path, &error))?;
        let known = &mut self.sources;
        Ok(Box::new(SqliteTransaction { path, inner, known, new: Sources::new(), room }))
    }
}

struct SqliteTransaction<'w> {
    path: &'w Path,
    inner: rusqlite::Transaction<'w>,
    known: &'w mut Sources,
    /// Sources that this transaction added. Later transactions know them only after its commit.
    new: Sources,
    /// The free space, in bytes.
    room: u64,
}

impl SqliteTransaction<'_> {
    fn refused(&self) -> impl Fn(rusqlite::Error) -> StoreError + use<'_> {
        |error| refusal(self.path, &error)
    }

    /// Refuses to store `bytes` more bytes if the store would then have no space for a checkpoint: it could not even
    /// remove records.
    fn check_room(&self, bytes: u64) -> Result<()> {
        if self.room < RESERVE_BYTES.saturating_add(bytes) {
            return Err(StoreError::Full { place: self.path.display().to_string() });
        }
        Ok(())
    }

    fn source(&mut self, record: &RequestRecord) -> rusqlite::Result<Source> {
        let (provider, model) = (record.provider.clone().unwrap_or_default(), record.model.clone().unwrap_or_default());
        let id = self.source_id(&provider, &model)?;
        Ok(Source { id, provider, model: record.model.clone() })
    }

    fn source_id(&mut self, provider: &str, model: &str) -> rusqlite::Result<i64> {
        let key = (provider.to_owned(), model.to_owned());
        if let Some(&id) = self.known.get(&key).or_else(|| self.new.get(&key)) {
            return Ok(id);
        }
        let insert = "INSERT INTO sources (provider, model) VALUES (?, ?) ON CONFLICT DO NOTHING";
        self.inner.prepare_cached(insert)?.execute([provider, model])?;
        let select = "SELECT id FROM sources WHERE provider = ? AND model = ?";
        let id = self.inner.prepare_cached(select)?.query_row([provider, model], |row| row.get(0))?;
        self.new.insert(key, id);
        Ok(id)
    }

    fn insert_row(
        &self,
        record: &RequestRecord,
        row: &RecordRow,
        at: (i64, Option<i64>),
        of: (i64, Option<i64>),
        metadata: Option<&str>,
    ) -> rusqlite::Result<i64> {
        let ((received_ns, at_ns), (source, session)) = (at, of);
        let insert = "INSERT INTO records (source, session, at_ns, received_ns, status, warmup, ttft_s, e2e_s, tpot_s, \
                      input_tokens, output_tokens, cost_usd, rest, metadata) \
                      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
        let mut statement = self.inner.prepare_cached(insert)?;
        statement.insert(params![
            source,
            session,
            at_ns,
            received_ns,
            row.status,
            record.warmup,
            record.ttft_s,
            record.e2e_s,
            record.tpot_s,
            row.input_tokens,
            row.output_tokens,
            record.cost_usd,
            row.rest,
            metadata,
        ])
    }

    fn insert_arrival(&mut self, arrival: &Arrival) -> rusqlite::Result<Inserted> {
        let Arrival { record, received_at, metadata, .. } = arrival;
        let source = self.source(record)?;
        let row = RecordRow::of(record, false)?;
        let received_ns = to_ns(*received_at);
        let at = (received_ns, Some(row.at_ns.unwrap_or(received_ns)));
        let id = self.insert_row(record, &row, at, (source.id, None), metadata.as_deref())?;
        Ok(Inserted { id, source })
    }

    fn insert_upload(&mut self, upload: &Upload) -> rusqlite::Result<SessionSummary> {
        let (received_ns, mut summary) = (to_ns(upload.at), upload.summary());
        let session = sessions::insert(&self.inner, upload, &summary)?;
        for record in &upload.session.records {
            let provider = upload.session.provider_of(record).unwrap_or_default();
            let model = upload.session.model_of(record).unwrap_or_default();
            let source = self.source_id(provider, model)?;
            let row = RecordRow::of(record, true)?;
            self.insert_row(record, &row, (received_ns, row.at_ns), (source, Some(session)), None)?;
        }
        summary.id = session;
        Ok(summary)
    }

    fn save_state(&self, series: &SeriesState) -> rusqlite::Result<i64> {
        let SeriesState { name, source, n, last, frozen_at, memory } = series;
        let (last_ns, last_value) = (last.map(|last| to_ns(last.at)), last.map(|last| last.value));
        let (frozen_ns, memory) = (frozen_at.map(to_ns), json(memory)?);
        if name.id == 0 {
            let insert = "INSERT INTO series (source, metric, n, last_ns, last_value, frozen_ns, state) \
                          VALUES (?, ?, ?, ?, ?, ?, ?)";
            let row = params![source.id, name.metric.name(), n, last_ns, last_value, frozen_ns, memory];
            return self.inner.prepare_cached(insert)?.insert(row);
        }
        let update = "UPDATE series SET n = ?, last_ns = ?, last_value = ?, frozen_ns = ?, state = ? WHERE id = ?";
        let row = params![n, last_ns, last_value, frozen_ns, memory, name.id];
        self.inner.prepare_cached(update)?.execute(row)?;
        Ok(name.id)
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn insert(&mut self, arrival: &Arrival) -> Result<Inserted> {
        self.check_room(0)?;
        self.insert_arrival(arrival).map_err(self.refused())
    }

    fn known_record(&mut self, identity: Identity) -> Result<Option<i64>> {
        identities::record(&self.inner, identity).map_err(self.refused())
    }

    fn remember_record(&mut self, identity: Identity, id: i64, at: Timestamp) -> Result<()> {
        identities::add_record(&self.inner, identity, id, at).map_err(self.refused())
    }

    fn known_call(&mut self, call: CallIdentity) -> Result<Option<AcceptedCall>> {
        identities::call(&self.inner, call).map_err(self.refused())
    }

    fn remember_call(&mut self, call: CallIdentity, ids: (i64, i64), at: Timestamp) -> Result<()> {
        identities::add_call(&self.inner, call, ids, at).map_err(self.refused())
    }

    fn remember_fact(&mut self, fact: &SpanFact, at: Timestamp) -> Result<()> {
        self.check_room(0)?;
        identities::add_fact(&self.inner, fact, at).map_err(self.refused())
    }

    fn forget_before(&mut self, time: Timestamp, most: usize) -> Result<u64> {
        let removed = identities::remove_before(&self.inner, time, most);
        removed.map(|removed| removed as u64).map_err(self.refused())
    }

    fn save_series(&mut self, series: &SeriesState) -> Result<i64> {
        self.save_state(series).map_err(self.refused())
    }

    fn begin_violation(&mut self, violation: &Violation, first_signal: usize) -> Result<i64> {
        violations::insert(&self.inner, violation, first_signal).map_err(self.refused())
    }

    fn save_violation(&mut self, violation: &Violation) -> Result<()> {
        violations::update(&self.inner, violation).map_err(self.refused())
    }

    fn save_alarms(&mut self, source: i64, record: i64, state: &str) -> Result<()> {
        incidents::save_alarms(&self.inner, source, record, state).map_err(self.refused())
    }

    fn begin_incident(&mut self, incident: &Incident) -> Result<i64> {
        incidents::insert(&self.inner, incident).map_err(self.refused())
    }

    fn save_incident(&mut self, incident: &Incident) -> Result<()> {
        incidents::update(&self.inner, incident).map_err(self.refused())
    }

    fn save_member(&mut self, incident: i64, member: &Member) -> Result<()> {
        incidents::save_member(&self.inner, incident, member).map_err(self.refused())
    }

    fn annotate_incident(&mut self, id: i64, annotation: &Annotation) -> Result<Incident> {
        let annotated = incidents::annotate(&self.inner, id, annotation).map_err(self.refused())?;
        annotated.ok_or(StoreError::Absent { what: "incident", id })
    }

    fn save_message(&mut self, incident: i64, turn: IncidentTurn) -> Result<()> {
        incidents::save_message(&self.inner, incident, turn).map_err(self.refused())
    }

    fn clear_messages(&mut self) -> Result<()> {
        incidents::clear_messages(&self.inner).map_err(self.refused())
    }

    fn delete_incidents_before(&mut self, time: Timestamp, most: usize) -> Result<u64> {
        incidents::remove_before(&self.inner, time, most).map(|removed| removed as u64).map_err(self.refused())
    }

    fn annotate(&mut self, id: i64, annotation: &Annotation) -> Result<Violation> {
        let annotated = violations::annotate(&self.inner, id, annotation).map_err(self.refused())?;
        annotated.ok_or(StoreError::Absent { what: "violation", id })
    }

    fn insert_session(&mut self, upload: &Upload) -> Result<SessionSummary> {
        self.check_room(REQUEST_BYTES * upload.session.records.len() as u64)?;
        self.insert_upload(upload).map_err(self.refused())
    }

    fn delete_session(&mut self, id: i64) -> Result<u64> {
        let delete = || {
            let count = "SELECT count(*) FROM records WHERE session = ?";
            let records: u64 = self.inner.query_row(count, [id], |row| row.get(0))?;
            let removed = self.inner.execute("DELETE FROM sessions WHERE id = ?", [id])?;
            Ok((removed > 0).then_some(records))
        };
        delete().map_err(self.refused())?.ok_or(StoreError::Absent { what: "session", id })
    }

    fn delete_before(&mut self, time: Timestamp, most: usize) -> Result<u64> {
        let delete = "DELETE FROM records WHERE id IN \
                      (SELECT id FROM records WHERE session IS NULL AND at_ns < ? ORDER BY at_ns LIMIT ?)";
        let removed = self.inner.execute(delete, params![to_ns(time), most]);
        removed.map(|removed| removed as u64).map_err(self.refused())
    }

    fn delete_violations_before(&mut self, time: Timestamp, most: usize) -> Result<u64> {
        violations::remove_before(&self.inner, time, most).map(|removed| removed as u64).map_err(self.refused())
    }

    fn delete_series(&mut self, id: i64) -> Result<()> {
        let removed = self.inner.execute("DELETE FROM series WHERE id = ?", [id]).map_err(self.refused())?;
        if removed == 0 { Err(StoreError::Absent { what: "series", id }) } else { Ok(()) }
    }

    fn clear(&mut self) -> Result<u64> {
        let clear = || {
            let removed = self.inner.execute("DELETE FROM records WHERE session IS NULL", [])?;
            self.inner.execute("DELETE FROM series", [])?;
            identities::clear(&self.inner)?;
            incidents::clear(&self.inner)?;
            Ok(removed as u64)
        };
        clear().map_err(self.refused())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let Self { path, inner, known, new, .. } = *self;
        inner.commit().map_err(|error| refusal(path, &error))?;
        if known.len() > MOST_KNOWN_SOURCES {
            known.clear();
        }
        known.extend(new);
        Ok(())
    }
}

/// The first row of a statement, if it has one.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    id: i64,
    of: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(sql)?.query_row([id], of).optional()
}
