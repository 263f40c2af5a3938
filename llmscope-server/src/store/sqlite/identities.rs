//! The table of what was accepted before.

use jiff::Timestamp;
use llmscope_core::ingest::SpanFact;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::identity::{AcceptedCall, CallIdentity, Identity};
use crate::timestamp::{from_ns, to_ns};

/// The most rows: 23 records a second for a day. A row takes about 70 bytes.
const MOST: i64 = 2_000_000;
/// New rows between two removals of the rows beyond [`MOST`].
const REMOVED_TOGETHER: i64 = 1024;

const UID: i64 = 0;
const CALL: i64 = 1;
const SPAN: i64 = 2;
/// The kinds of facts about spans, in the order of their numbers.
const FACTS: [&str; 4] = ["span", "other", "response", "server"];

/// A number of 64 bits as SQLite stores it.
const fn signed(number: u64) -> i64 {
    number.cast_signed()
}

fn row_of(identity: Identity) -> (i64, i64) {
    match identity {
        Identity::Uid(key) => (UID, signed(key)),
        Identity::Span(key) => (SPAN, signed(key)),
    }
}

/// The id of the record with this identity.
pub(super) fn record(connection: &Connection, identity: Identity) -> rusqlite::Result<Option<i64>> {
    let (kind, key) = row_of(identity);
    let select = "SELECT first_id FROM identities WHERE kind = ? AND key = ?";
    let found = connection.prepare_cached(select)?.query_row([kind, key], |row| row.get(0)).optional()?;
    Ok(found.flatten())
}

/// Remembers the record with this identity.
pub(super) fn add_record(connection: &Connection, identity: Identity, id: i64, at: Timestamp) -> rusqlite::Result<()> {
    let (kind, key) = row_of(identity);
    let insert = "INSERT INTO identities (kind, key, at_ns, first_id, last_id) VALUES (?, ?, ?, ?4, ?4) \
                  ON CONFLICT (kind, key) DO UPDATE SET first_id = ?4, last_id = ?4 RETURNING id";
    let row = connection.prepare_cached(insert)?.query_row(params![kind, key, to_ns(at), id], |row| row.get(0))?;
    make_room(connection, row)
}

/// What is known of the call with this identity.
pub(super) fn call(connection: &Connection, call: CallIdentity) -> rusqlite::Result<Option<AcceptedCall>> {
    let select = "SELECT digest, first_id, last_id FROM identities WHERE kind = ? AND key = ?";
    let accepted = |row: &rusqlite::Row<'_>| {
        let digest: i64 = row.get(0)?;
        Ok(AcceptedCall { digest: digest.cast_unsigned(), ids: row.get(1)?..=row.get(2)? })
    };
    connection.prepare_cached(select)?.query_row([CALL, signed(call.key)], accepted).optional()
}

/// Remembers a call.
pub(super) fn add_call(
    connection: &Connection,
    call: CallIdentity,
    ids: (i64, i64),
    at: Timestamp,
) -> rusqlite::Result<()> {
    let insert = "INSERT INTO identities (kind, key, at_ns, first_id, last_id, digest) VALUES (?, ?, ?, ?, ?, ?) \
                  RETURNING id";
    let (key, digest) = (signed(call.key), signed(call.digest));
    let values = params![CALL, key, to_ns(at), ids.0, ids.1, digest];
    let row = connection.prepare_cached(insert)?.query_row(values, |row| row.get(0))?;
    make_room(connection, row)
}

/// Remembers what is known of a span, or replaces it.
pub(super) fn add_fact(connection: &Connection, fact: &SpanFact, at: Timestamp) -> rusqlite::Result<()> {
    let Some(kind) = FACTS.iter().position(|kind| *kind == fact.kind) else { return Ok(()) };
    let insert = "INSERT INTO identities (kind, key, at_ns, state) VALUES (?, ?, ?, ?4) \
                  ON CONFLICT (kind, key) DO UPDATE SET state = ?4 RETURNING id";
    let kind = SPAN + i64::try_from(kind).unwrap_or(0);
    let values = params![kind, signed(fact.key), to_ns(at), fact.state];
    let row = connection.prepare_cached(insert)?.query_row(values, |row| row.get(0))?;
    make_room(connection, row)
}

/// Calls `each` with every fact about spans, the oldest first.
pub(super) fn facts(connection: &Connection, each: &mut dyn FnMut(&str, u64, &str, Timestamp)) -> rusqlite::Result<()> {
    let select = "SELECT kind, key, state, at_ns FROM identities WHERE kind >= ? AND state IS NOT NULL ORDER BY id";
    let mut statement = connection.prepare_cached(select)?;
    let mut rows = statement.query([SPAN])?;
    while let Some(row) = rows.next()? {
        let (kind, key, at_ns): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(3)?);
        let kind = usize::try_from(kind - SPAN).ok().and_then(|kind| FACTS.get(kind));
        if let Some(kind) = kind {
            each(kind, key.cast_unsigned(), row.get_ref(2)?.as_str()?, from_ns(at_ns));
        }
    }
    Ok(())
}

/// Removes at most `most` rows from before a time, and returns their number. Rows are in the order of their times, unless
/// the clock was set back: then they stay longer.
pub(super) fn remove_before(connection: &Connection, time: Timestamp, most: usize) -> rusqlite::Result<usize> {
    let delete = "DELETE FROM identities WHERE id IN (SELECT id FROM identities ORDER BY id LIMIT ?) AND at_ns < ?";
    connection.execute(delete, params![most, to_ns(time)])
}

/// Removes all rows.
pub(super) fn clear(connection: &Connection) -> rusqlite::Result<usize> {
    connection.execute("DELETE FROM identities", [])
}

/// Removes the oldest rows beyond [`MOST`], after each [`REMOVED_TOGETHER`] new ones.
fn make_room(connection: &Connection, newest: i64) -> rusqlite::Result<()> {
    if newest % REMOVED_TOGETHER == 0 {
        connection.execute("DELETE FROM identities WHERE id <= ?", [newest - MOST])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_newest_rows_stay() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema/2.sql")).unwrap();
        let add = |key| add_record(&connection, Identity::Uid(key), 1, Timestamp::UNIX_EPOCH).unwrap();
        add(0);
        // As if the table had been filled.
        connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'identities'", [MOST - 1]).unwrap();
        (1..=REMOVED_TOGETHER.cast_unsigned()).for_each(add);
        let known = |key| record(&connection, Identity::Uid(key)).unwrap();
        assert_eq!((known(0), known(1), known(REMOVED_TOGETHER.cast_unsigned())), (None, Some(1), Some(1)));
    }

    #[test]
    fn rows_of_the_last_day_stay() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema/2.sql")).unwrap();
        let at = |second| Timestamp::from_second(second).unwrap();
        for second in 0..10_i64 {
            let key = second.cast_unsigned();
            add_record(&connection, Identity::Span(key), second + 1, at(second)).unwrap();
        }
        assert_eq!(remove_before(&connection, at(4), 3).unwrap(), 3);
        assert_eq!(remove_before(&connection, at(4), 3).unwrap(), 1);
        assert_eq!(remove_before(&connection, at(4), 3).unwrap(), 0);
        let known = |key| record(&connection, Identity::Span(key)).unwrap();
        assert_eq!((known(3), known(4)), (None, Some(5)));
        assert_eq!(record(&connection, Identity::Uid(4)).unwrap(), None, "another kind");
    }
}
