//! Stores and reads series and their violations.

use std::collections::HashMap;

use jiff::Timestamp;
use llmscope_core::{Metric, Side};
use rusqlite::types::{Type, Value};
use rusqlite::{Connection, Row, params, params_from_iter};

use super::super::{Annotation, SeriesState, StoredSeries, ViolationFilter};
use super::annotations::{VIOLATIONS, mark};
use super::condition::Condition;
use super::row::{self, json, of_name, parsed};
use super::writing::first;
use crate::series::{Measurement, SeriesName, Source};
use crate::timestamp::{from_ns, to_ns};
use crate::violation::Violation;

const SELECT: &str = "SELECT v.id, v.rule, v.words, v.side, v.first_signal, v.first_ns, v.signal_ns, v.last_ns, \
                      v.signals, v.open, v.value, v.limits, v.status, v.acknowledged_ns, v.acknowledged_by, \
                      v.resolved_ns, v.resolved_by, e.id, e.metric, s.id, s.provider, s.model \
                      FROM violations v JOIN series e ON e.id = v.series JOIN sources s ON s.id = e.source";

pub(super) fn series(reader: &Connection) -> rusqlite::Result<Vec<StoredSeries>> {
    let mut open: HashMap<i64, Vec<(usize, Violation)>> = HashMap::new();
    let mut statement = reader.prepare_cached(&format!("{SELECT} WHERE v.open = 1 ORDER BY v.id"))?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let violation = violation(row)?;
        open.entry(violation.series.id).or_default().push((row.get(4)?, violation));
    }
    let sql = "SELECT e.id, e.metric, s.id, s.provider, s.model, e.n, e.last_ns, e.last_value, e.frozen_ns, e.state \
               FROM series e JOIN sources s ON s.id = e.source ORDER BY s.provider, s.model, e.id";
    let mut statement = reader.prepare_cached(sql)?;
    let stored = |row: &Row<'_>| {
        let (name, source) = name(row, 0)?;
        let last = row.get::<_, Option<i64>>(6)?.zip(row.get::<_, Option<f64>>(7)?);
        let state: String = row.get(9)?;
        let state = SeriesState {
            source,
            n: row.get(5)?,
            last: last.map(|(ns, value)| Measurement { at: from_ns(ns), value }),
            frozen_at: row.get::<_, Option<i64>>(8)?.map(from_ns),
            memory: parsed(9, &state)?,
            name,
        };
        Ok(StoredSeries { open: open.remove(&state.name.id).unwrap_or_default(), state })
    };
    statement.query_map([], stored)?.collect()
}

/// Removes at most `most` violations that ended before a time, with their notes. Open ones stay.
pub(super) fn remove_before(connection: &Connection, time: Timestamp, most: usize) -> rusqlite::Result<usize> {
    let delete = "DELETE FROM violations WHERE id IN \
                  (SELECT id FROM violations WHERE open = 0 AND last_ns < ? ORDER BY id LIMIT ?)";
    connection.execute(delete, params![to_ns(time), most])
}

pub(super) fn list(reader: &Connection, filter: &ViolationFilter) -> rusqlite::Result<Vec<Violation>> {
    let mut condition = Condition::default();
    if !filter.status.is_empty() {
        condition.and_one_of("v.status", filter.status.iter().map(|status| Value::Text(status.name().to_owned())));
    }
    condition.and_some("v.open = ?", filter.open.map(i64::from));
    condition.and_some("v.rule = ?", filter.rule.clone());
    condition.and_some("e.id = ?", filter.series);
    condition.and_some("s.provider = ?", filter.provider.clone());
    condition.and_some("s.model = ?", filter.model.clone());
    condition.and_some("e.metric = ?", filter.metric.map(|metric| metric.name().to_owned()));
    condition.and_some("v.id < ?", filter.before);
    let sql = format!("{SELECT}{} ORDER BY v.id DESC LIMIT {}", condition.sql(), filter.limit);
    let mut statement = reader.prepare_cached(&sql)?;
    let found: Vec<Violation> =
        statement.query_map(params_from_iter(condition.parameters), violation)?.collect::<rusqlite::Result<_>>()?;
    found.into_iter().map(|violation| with_notes(reader, violation)).collect()
}

pub(super) fn one(reader: &Connection, id: i64) -> rusqlite::Result<Option<Violation>> {
    let found = first(reader, &format!("{SELECT} WHERE v.id = ?"), id, violation)?;
    found.map(|violation| with_notes(reader, violation)).transpose()
}

pub(super) fn insert(writer: &Connection, violation: &Violation, first_signal: usize) -> rusqlite::Result<i64> {
    let insert = "INSERT INTO violations (series, rule, words, side, first_signal, first_ns, signal_ns, last_ns, \
                  signals, open, value, limits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    writer.prepare_cached(insert)?.insert(params![
        violation.series.id,
        violation.rule.as_str(),
        violation.words,
        violation.side.name(),
        first_signal,
        to_ns(violation.first_at),
        to_ns(violation.signal_at),
        to_ns(violation.last_at),
        violation.signals,
        violation.open,
        violation.value,
        json(&violation.limits)?,
    ])
}

pub(super) fn update(writer: &Connection, violation: &Violation) -> rusqlite::Result<()> {
    let update = "UPDATE violations SET side = ?, last_ns = ?, signals = ?, open = ? WHERE id = ?";
    let row = params![violation.side.name(), to_ns(violation.last_at), violation.signals, violation.open, violation.id];
    writer.prepare_cached(update)?.execute(row).map(drop)
}

pub(super) fn annotate(writer: &Connection, id: i64, annotation: &Annotation) -> rusqlite::Result<Option<Violation>> {
    if VIOLATIONS.annotate(writer, id, annotation)? { one(writer, id) } else { Ok(None) }
}

/// Reads a series and its source from five columns: id, metric; id, provider, model.
fn name(row: &Row<'_>, column: usize) -> rusqlite::Result<(SeriesName, Source)> {
    let metric: String = row.get(column + 1)?;
    let metric: Metric = metric.parse().map_err(|error: llmscope_core::Error| broken(column + 1, error))?;
    let source = row::source(row, column + 2)?;
    Ok((SeriesName::new(row.get(column)?, &source, metric), source))
}

fn violation(row: &Row<'_>) -> rusqlite::Result<Violation> {
    let (rule, side, limits, status): (String, String, String, String) =
        (row.get(1)?, row.get(3)?, row.get(11)?, row.get(12)?);
    Ok(Violation {
        id: row.get(0)?,
        series: name(row, 17)?.0,
        rule: parsed(1, &serde_json::Value::String(rule).to_string())?,
        words: row.get(2)?,
        side: of_name::<Side>(3, &side)?,
        first_at: from_ns(row.get(5)?),
        signal_at: from_ns(row.get(6)?),
        last_at: from_ns(row.get(7)?),
        signals: row.get(8)?,
        open: row.get(9)?,
        value: row.get(10)?,
        limits: parsed(11, &limits)?,
        status: of_name(12, &status)?,
        acknowledged: mark(row, 13)?,
        resolved: mark(row, 15)?,
        notes: Vec::new(),
    })
}

fn with_notes(reader: &Connection, violation: Violation) -> rusqlite::Result<Violation> {
    Ok(Violation { notes: VIOLATIONS.notes(reader, violation.id)?, ..violation })
}

fn broken(column: usize, error: llmscope_core::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error.into())
}
