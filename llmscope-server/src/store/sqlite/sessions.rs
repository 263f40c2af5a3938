//! Stores and reads uploaded sessions.

use llmscope_core::RequestRecord;
use rusqlite::{Connection, params};

use super::row::{self, json, parsed};
use super::writing::first;
use crate::session::{SessionSummary, Upload};
use crate::timestamp::to_ns;

pub(super) fn insert(connection: &Connection, upload: &Upload, summary: &SessionSummary) -> rusqlite::Result<i64> {
    let envelope = upload.session.envelope();
    let envelope = envelope.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    let insert = "INSERT INTO sessions (name, tool, uploaded_ns, envelope, summary) VALUES (?, ?, ?, ?, ?)";
    let row = params![upload.name, upload.tool, to_ns(upload.at), envelope, json(summary)?];
    connection.prepare_cached(insert)?.insert(row)
}

pub(super) fn list(reader: &Connection) -> rusqlite::Result<Vec<SessionSummary>> {
    let mut statement = reader.prepare_cached("SELECT id, summary FROM sessions ORDER BY id DESC")?;
    let summary = |row: &rusqlite::Row<'_>| {
        let text: String = row.get(1)?;
        Ok(SessionSummary { id: row.get(0)?, ..parsed(1, &text)? })
    };
    statement.query_map([], summary)?.collect()
}

/// The envelope of a session as JSON.
pub(super) fn envelope(reader: &Connection, id: i64) -> rusqlite::Result<Option<String>> {
    first(reader, "SELECT envelope FROM sessions WHERE id = ?", id, |row| row.get(0))
}

/// The envelope of a session as JSON, and its requests.
pub(super) fn one(reader: &Connection, id: i64) -> rusqlite::Result<Option<(String, Vec<RequestRecord>)>> {
    let Some(envelope) = envelope(reader, id)? else { return Ok(None) };
    let columns = row::COLUMNS;
    let sql =
        format!("SELECT {columns} FROM records r JOIN sources s ON s.id = r.source WHERE r.session = ? ORDER BY r.id");
    let mut statement = reader.prepare_cached(&sql)?;
    let records = statement.query_map([id], row::of_session)?.collect::<rusqlite::Result<_>>()?;
    Ok(Some((envelope, records)))
}
