//! The annotations of violations and incidents: who acknowledged or resolved them, and notes.

use rusqlite::{Connection, Row, params};

use super::super::Annotation;
use crate::timestamp::{from_ns, to_ns};
use crate::violation::{Mark, Note, ViolationStatus};

/// A table whose rows have annotations, and the table of their notes with the column of the row's id.
pub(super) struct Annotated {
    table: &'static str,
    notes: &'static str,
    of: &'static str,
}

pub(super) const VIOLATIONS: Annotated = Annotated { table: "violations", notes: "notes", of: "violation" };
pub(super) const INCIDENTS: Annotated = Annotated { table: "incidents", notes: "incident_notes", of: "incident" };

impl Annotated {
    /// Adds an annotation to a row; false if the id is unknown.
    pub(super) fn annotate(&self, writer: &Connection, id: i64, annotation: &Annotation) -> rusqlite::Result<bool> {
        let Annotation { status, note, by, at } = annotation;
        let (Self { table, notes, of }, at_ns) = (self, to_ns(*at));
        let change = match status {
            Some(ViolationStatus::Acknowledged) => {
                // The first acknowledgement stays, and what is resolved stays resolved.
                "acknowledged_ns = iif(status = 'new', ?2, acknowledged_ns), \
                 acknowledged_by = iif(status = 'new', ?3, acknowledged_by), \
                 status = iif(status = 'new', 'acknowledged', status) WHERE id = ?1"
            }
            Some(ViolationStatus::Resolved) => "resolved_ns = ?2, resolved_by = ?3, status = 'resolved' WHERE id = ?1",
            // A note changes no column, but the row must exist.
            Some(ViolationStatus::New) | None => "id = id WHERE id = ?1 AND ?2 = ?2 AND ?3 = ?3",
        };
        let update = format!("UPDATE {table} SET {change}");
        if writer.prepare_cached(&update)?.execute(params![id, at_ns, by])? == 0 {
            return Ok(false);
        }
        if let Some(note) = note {
            let insert = format!("INSERT INTO {notes} ({of}, at_ns, by, text) VALUES (?, ?, ?, ?)");
            writer.prepare_cached(&insert)?.execute(params![id, at_ns, by, note])?;
        }
        Ok(true)
    }

    /// The notes of a row, oldest first.
    pub(super) fn notes(&self, reader: &Connection, id: i64) -> rusqlite::Result<Vec<Note>> {
        let Self { notes, of, .. } = self;
        let note =
            |row: &Row<'_>| Ok(Note { mark: Mark { at: from_ns(row.get(0)?), by: row.get(1)? }, text: row.get(2)? });
        let sql = format!("SELECT at_ns, by, text FROM {notes} WHERE {of} = ? ORDER BY rowid");
        reader.prepare_cached(&sql)?.query_map([id], note)?.collect()
    }
}

/// Reads who did something, and when, from two columns: the time, the name.
pub(super) fn mark(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Mark>> {
    let (at, by): (Option<i64>, Option<String>) = (row.get(column)?, row.get(column + 1)?);
    Ok(at.zip(by).map(|(ns, by)| Mark { at: from_ns(ns), by }))
}
