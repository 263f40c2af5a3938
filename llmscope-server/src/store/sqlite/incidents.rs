//! Stores and reads incidents, and what the alarms have learned.

use std::collections::HashMap;

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::super::StoredAlarms;
use super::condition::Condition;
use super::row::{self, json, parsed};
use super::writing::first;
use crate::incident::{Incident, IncidentFilter};
use crate::record::StoredRecord;
use crate::timestamp::{from_ns, to_ns};

const SELECT: &str = "SELECT i.id, i.opened_ns, i.ended_ns, i.report, s.id, s.provider, s.model \
                      FROM incidents i JOIN sources s ON s.id = i.source";

pub(super) fn alarms(reader: &Connection) -> rusqlite::Result<Vec<StoredAlarms>> {
    let mut open: HashMap<i64, Vec<Incident>> = HashMap::new();
    let mut statement = reader.prepare_cached(&format!("{SELECT} WHERE i.ended_ns IS NULL ORDER BY i.id"))?;
    for found in statement.query_map([], incident)? {
        let found = found?;
        open.entry(found.source).or_default().push(found);
    }
    let sql = "SELECT s.id, s.provider, s.model, a.record, a.state FROM alarms a JOIN sources s ON s.id = a.source";
    let mut statement = reader.prepare_cached(sql)?;
    let stored = |row: &Row<'_>| {
        let source = row::source(row, 0)?;
        let open = open.remove(&source.id).unwrap_or_default();
        Ok(StoredAlarms { source, record: row.get(3)?, state: row.get(4)?, open })
    };
    statement.query_map([], stored)?.collect()
}

pub(super) fn records_after(
    reader: &Connection,
    id: i64,
    each: &mut dyn FnMut(i64, StoredRecord),
) -> rusqlite::Result<()> {
    let sql = format!(
        "SELECT {}, r.source FROM records r JOIN sources s ON s.id = r.source \
         WHERE r.id > ? AND r.session IS NULL ORDER BY r.id",
        row::COLUMNS
    );
    let mut statement = reader.prepare_cached(&sql)?;
    let mut rows = statement.query([id])?;
    while let Some(row) = rows.next()? {
        each(row.get(row::COLUMN_COUNT)?, row::stored(row)?);
    }
    Ok(())
}

pub(super) fn list(reader: &Connection, filter: &IncidentFilter) -> rusqlite::Result<Vec<Incident>> {
    let mut condition = Condition::default();
    condition.and_some("(i.ended_ns IS NULL) = ?", filter.open.map(i64::from));
    condition.and_some("s.provider = ?", filter.provider.clone());
    condition.and_some("s.model = ?", filter.model.clone());
    condition.and_some("i.metric = ?", filter.metric.map(|metric| Value::Text(metric.name().to_owned())));
    condition.and_some("i.id < ?", filter.before);
    let sql = format!("{SELECT}{} ORDER BY i.id DESC LIMIT {}", condition.sql(), filter.limit);
    let mut statement = reader.prepare_cached(&sql)?;
    statement.query_map(params_from_iter(condition.parameters), incident)?.collect()
}

pub(super) fn one(reader: &Connection, id: i64) -> rusqlite::Result<Option<Incident>> {
    first(reader, &format!("{SELECT} WHERE i.id = ?"), id, incident)
}

fn incident(row: &Row<'_>) -> rusqlite::Result<Incident> {
    let report: String = row.get(3)?;
    let times = (from_ns(row.get(1)?), row.get::<_, Option<i64>>(2)?.map(from_ns));
    Ok(Incident::new(row.get(0)?, &row::source(row, 4)?, times, parsed(3, &report)?))
}

pub(super) fn save_alarms(writer: &Connection, source: i64, record: i64, state: &str) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO alarms (source, record, state) VALUES (?, ?, ?) \
                  ON CONFLICT (source) DO UPDATE SET record = excluded.record, state = excluded.state";
    writer.prepare_cached(upsert)?.execute(params![source, record, state]).map(drop)
}

pub(super) fn insert(writer: &Connection, incident: &Incident) -> rusqlite::Result<i64> {
    let insert = "INSERT INTO incidents (source, metric, opened_ns, ended_ns, report) VALUES (?, ?, ?, ?, ?)";
    writer.prepare_cached(insert)?.insert(params![
        incident.source,
        incident.metric().map(|metric| metric.name()),
        to_ns(incident.opened_at),
        incident.ended_at.map(to_ns),
        json(&incident.report)?,
    ])
}

pub(super) fn update(writer: &Connection, incident: &Incident) -> rusqlite::Result<()> {
    let update = "UPDATE incidents SET ended_ns = ?, report = ? WHERE id = ?";
    let row = params![incident.ended_at.map(to_ns), json(&incident.report)?, incident.id];
    writer.prepare_cached(update)?.execute(row).map(drop)
}

/// Removes at most `most` incidents that ended before a time.
pub(super) fn remove_before(connection: &Connection, time: Timestamp, most: usize) -> rusqlite::Result<usize> {
    let delete = "DELETE FROM incidents WHERE id IN \
                  (SELECT id FROM incidents WHERE ended_ns < ? ORDER BY id LIMIT ?)";
    connection.execute(delete, params![to_ns(time), most])
}

pub(super) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM incidents; DELETE FROM alarms")
}
