//! The one connection that writes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use rusqlite::{Connection, OptionalExtension as _, TransactionBehavior, params};

use super::super::{Annotation, Inserted, Result, SeriesState, Transaction, Writer};
use super::row::{RecordRow, json};
use super::{Durability, opening, refusal, sessions, violations};
use crate::error::StoreError;
use crate::moment::to_ns;
use crate::record::Arrival;
use crate::series::Source;
use crate::session::{SessionSummary, Upload};
use crate::violation::Violation;

pub(super) struct SqliteWriter {
    path: PathBuf,
    connection: Connection,
    sources: Sources,
}

/// The sources that are known, by provider and model.
type Sources = HashMap<(String, String), i64>;

impl SqliteWriter {
    pub(super) fn open(path: &Path, durability: Durability) -> Result<Self> {
        let open = || {
            let connection = opening::connect(path)?;
            let synchronous = match durability {
                Durability::Full => "full",
                Durability::Normal => "normal",
            };
            connection.pragma_update(None, "synchronous", synchronous)?;
            // Pages that were written often are brought home once: 16 MiB of them, and no more is left lying about.
            connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
            connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| refusal(path, &error))?;
        Ok(Self { path: path.to_owned(), connection, sources: Sources::new() })
    }
}

impl Writer for SqliteWriter {
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>> {
        let path = &self.path;
        let inner = self.connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let inner = inner.map_err(|error| refusal(path, &error))?;
        Ok(Box::new(SqliteTransaction { path, inner, known: &mut self.sources, new: Sources::new() }))
    }
}

struct SqliteTransaction<'w> {
    path: &'w Path,
    inner: rusqlite::Transaction<'w>,
    known: &'w mut Sources,
    /// Sources that this transaction named: known to later ones only once it is committed.
    new: Sources,
}

impl SqliteTransaction<'_> {
    fn refused(&self) -> impl Fn(rusqlite::Error) -> StoreError + use<'_> {
        |error| refusal(self.path, &error)
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
        let Arrival { record, received_at, metadata } = arrival;
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
        let upsert = "INSERT INTO series (source, metric, n, last_ns, last_value, frozen_ns, state) \
                      VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source, metric) DO UPDATE SET n = excluded.n, \
                      last_ns = excluded.last_ns, last_value = excluded.last_value, frozen_ns = excluded.frozen_ns, \
                      state = excluded.state RETURNING id";
        self.inner.prepare_cached(upsert)?.query_row(
            params![
                series.source.id,
                series.name.metric.name(),
                series.n,
                series.last.map(|last| to_ns(last.at)),
                series.last.map(|last| last.value),
                series.frozen_at.map(to_ns),
                json(&series.memory)?,
            ],
            |row| row.get(0),
        )
    }
}

impl Transaction for SqliteTransaction<'_> {
    fn insert(&mut self, arrival: &Arrival) -> Result<Inserted> {
        self.insert_arrival(arrival).map_err(self.refused())
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

    fn annotate(&mut self, id: i64, annotation: &Annotation) -> Result<Violation> {
        let annotated = violations::annotate(&self.inner, id, annotation).map_err(self.refused())?;
        annotated.ok_or(StoreError::Absent { what: "violation", id })
    }

    fn insert_session(&mut self, upload: &Upload) -> Result<SessionSummary> {
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

    fn clear(&mut self) -> Result<u64> {
        let clear = || {
            let removed = self.inner.execute("DELETE FROM records WHERE session IS NULL", [])?;
            self.inner.execute("DELETE FROM series", [])?;
            Ok(removed as u64)
        };
        clear().map_err(self.refused())
    }

    fn commit(self: Box<Self>) -> Result<()> {
        let Self { path, inner, known, new } = *self;
        inner.commit().map_err(|error| refusal(path, &error))?;
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
