//! Stores and reads incidents with their members, and what the alarms have learned.

use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, Row, params, params_from_iter};

use super::super::{Annotation, StoredAlarms};
use super::annotations::{INCIDENTS, mark};
use super::condition::Condition;
use super::row::{self, json, of_name, parsed};
use crate::incident::{Incident, IncidentFilter, IncidentTurn, Member};
use crate::record::StoredRecord;
use crate::timestamp::{from_ns, to_ns};

const SELECT: &str = "SELECT i.id, i.provider, i.opened_ns, i.ended_ns, i.pending, i.status, i.acknowledged_ns, \
                      i.acknowledged_by, i.resolved_ns, i.resolved_by FROM incidents i";

pub(super) fn alarms(reader: &Connection) -> rusqlite::Result<Vec<StoredAlarms>> {
    let sql = "SELECT s.id, s.provider, s.model, a.record, a.state FROM alarms a JOIN sources s ON s.id = a.source";
    let mut statement = reader.prepare_cached(sql)?;
    let stored =
        |row: &Row<'_>| Ok(StoredAlarms { source: row::source(row, 0)?, record: row.get(3)?, state: row.get(4)? });
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

/// The incidents that a further change can join: the open ones, and the last one of each provider and kind that ended.
pub(super) fn current(reader: &Connection) -> rusqlite::Result<Vec<Incident>> {
    let sql = format!(
        "{SELECT} WHERE i.ended_ns IS NULL OR NOT EXISTS (SELECT 1 FROM incidents l WHERE l.provider = i.provider \
         AND l.kind = i.kind AND (l.ended_ns, l.id) > (i.ended_ns, i.id)) ORDER BY i.id"
    );
    read(reader, &sql, [])
}

pub(super) fn list(reader: &Connection, filter: &IncidentFilter) -> rusqlite::Result<Vec<Incident>> {
    let member = |term: &str| {
        format!(
            "EXISTS (SELECT 1 FROM incident_members m JOIN sources s ON s.id = m.source WHERE m.incident = i.id \
             AND {term})"
        )
    };
    let mut condition = Condition::default();
    if !filter.status.is_empty() {
        condition.and_one_of("i.status", filter.status.iter().map(|status| Value::Text(status.name().to_owned())));
    }
    condition.and_some("(i.ended_ns IS NULL) = ?", filter.open.map(i64::from));
    condition.and_some("i.provider = ?", filter.provider.clone());
    condition.and_some(&member("s.model = ?"), filter.model.clone());
    condition.and_some(&member("m.signal = ?"), filter.metric.map(|metric| Value::Text(metric.name().to_owned())));
    condition.and_some("i.id < ?", filter.before);
    let sql = format!("{SELECT}{} ORDER BY i.id DESC LIMIT {}", condition.sql(), filter.limit);
    read(reader, &sql, params_from_iter(condition.parameters))
}

pub(super) fn one(reader: &Connection, id: i64) -> rusqlite::Result<Option<Incident>> {
    Ok(read(reader, &format!("{SELECT} WHERE i.id = ?"), [id])?.pop())
}

fn read(reader: &Connection, sql: &str, parameters: impl rusqlite::Params) -> rusqlite::Result<Vec<Incident>> {
    let mut incidents = Vec::new();
    let mut statement = reader.prepare_cached(sql)?;
    let mut rows = statement.query(parameters)?;
    while let Some(row) = rows.next()? {
        let mut members = members(reader, row.get(0)?)?.into_iter();
        // An incident is stored with its first member.
        if let Some(first) = members.next() {
            let notes = INCIDENTS.notes(reader, row.get(0)?)?;
            incidents.push(Incident { notes, ..incident(row, first, members)? });
        }
    }
    Ok(incidents)
}

fn incident(row: &Row<'_>, first: Member, others: impl Iterator<Item = Member>) -> rusqlite::Result<Incident> {
    let (pending, status): (String, String) = (row.get(4)?, row.get(5)?);
    let times = (from_ns(row.get(2)?), row.get::<_, Option<i64>>(3)?.map(from_ns));
    let mut incident = Incident {
        status: of_name(5, &status)?,
        acknowledged: mark(row, 6)?,
        resolved: mark(row, 8)?,
        pending: parsed(4, &pending)?,
        ..Incident::new(row.get(0)?, row.get(1)?, times, first)
    };
    incident.members.extend(others);
    incident.describe();
    Ok(incident)
}

fn members(reader: &Connection, incident: i64) -> rusqlite::Result<Vec<Member>> {
    let sql = "SELECT m.opened_ns, m.ended_ns, m.report, s.id, s.provider, s.model FROM incident_members m \
               JOIN sources s ON s.id = m.source WHERE m.incident = ? ORDER BY m.id";
    let member = |row: &Row<'_>| {
        let report: String = row.get(2)?;
        let times = (from_ns(row.get(0)?), row.get::<_, Option<i64>>(1)?.map(from_ns));
        Ok(Member::new(&row::source(row, 3)?, times, parsed(2, &report)?))
    };
    reader.prepare_cached(sql)?.query_map([incident], member)?.collect()
}

pub(super) fn save_alarms(writer: &Connection, source: i64, record: i64, state: &str) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO alarms (source, record, state) VALUES (?, ?, ?) \
                  ON CONFLICT (source) DO UPDATE SET record = excluded.record, state = excluded.state";
    writer.prepare_cached(upsert)?.execute(params![source, record, state]).map(drop)
}

/// Stores a new incident with its members.
pub(super) fn insert(writer: &Connection, incident: &Incident) -> rusqlite::Result<i64> {
    let insert = "INSERT INTO incidents (provider, kind, opened_ns, ended_ns, pending) VALUES (?, ?, ?, ?, ?)";
    let id = writer.prepare_cached(insert)?.insert(params![
        incident.provider,
        incident.kind().name(),
        to_ns(incident.opened_at),
        incident.ended_at.map(to_ns),
        json(&incident.pending)?,
    ])?;
    incident.members.iter().try_for_each(|member| save_member(writer, id, member))?;
    Ok(id)
}

/// Updates an incident, without its members and annotations.
pub(super) fn update(writer: &Connection, incident: &Incident) -> rusqlite::Result<()> {
    let update = "UPDATE incidents SET ended_ns = ?, pending = ? WHERE id = ?";
    let row = params![incident.ended_at.map(to_ns), json(&incident.pending)?, incident.id];
    writer.prepare_cached(update)?.execute(row).map(drop)
}

/// Stores a member of an incident, or updates it.
pub(super) fn save_member(writer: &Connection, incident: i64, member: &Member) -> rusqlite::Result<()> {
    let upsert = "INSERT INTO incident_members (incident, source, signal, opened_ns, ended_ns, report) \
                  VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (incident, source, signal) DO UPDATE SET \
                  opened_ns = excluded.opened_ns, ended_ns = excluded.ended_ns, report = excluded.report";
    let row = params![
        incident,
        member.source,
        member.signal().name(),
        to_ns(member.opened_at),
        member.ended_at.map(to_ns),
        json(&member.report)?,
    ];
    writer.prepare_cached(upsert)?.execute(row).map(drop)
}

pub(super) fn annotate(writer: &Connection, id: i64, annotation: &Annotation) -> rusqlite::Result<Option<Incident>> {
    if INCIDENTS.annotate(writer, id, annotation)? { one(writer, id) } else { Ok(None) }
}

pub(super) fn save_message(writer: &Connection, incident: i64, turn: IncidentTurn) -> rusqlite::Result<()> {
    let insert = "INSERT INTO messages (incident, turn) VALUES (?, ?)";
    writer.prepare_cached(insert)?.execute(params![incident, turn.name()]).map(drop)
}

pub(super) fn messages(reader: &Connection) -> rusqlite::Result<Vec<(IncidentTurn, Incident)>> {
    let mut statement = reader.prepare_cached("SELECT incident, turn FROM messages ORDER BY id")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?)))?;
    let mut messages = Vec::new();
    for row in rows {
        let (id, turn) = row?;
        messages.extend(IncidentTurn::named(&turn).zip(one(reader, id)?));
    }
    Ok(messages)
}

pub(super) fn clear_messages(writer: &Connection) -> rusqlite::Result<()> {
    writer.execute("DELETE FROM messages", []).map(drop)
}

/// Removes at most `most` incidents that ended before a time, with their members and notes.
pub(super) fn remove_before(connection: &Connection, time: Timestamp, most: usize) -> rusqlite::Result<usize> {
    let delete = "DELETE FROM incidents WHERE id IN \
                  (SELECT id FROM incidents WHERE ended_ns < ? ORDER BY id LIMIT ?)";
    connection.execute(delete, params![to_ns(time), most])
}

pub(super) fn clear(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("DELETE FROM incidents; DELETE FROM alarms")
}
