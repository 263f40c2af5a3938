//! SQLite databases: the table of a known tool becomes JSON, which the core's readers know.

use std::io::{Read, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use llmscope_core::ingest::Tool;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use serde_json::{Map, Value};

use crate::output::{self, CAUTION};

/// The first bytes of a database.
pub(crate) const MARK: &[u8] = b"SQLite";
/// The most rows that are read.
const MOST_ROWS: usize = 5_000_000;
/// The most tables that are examined.
const MOST_TABLES: usize = 200;
/// A longer text is not a measurement: it is the request or the response.
const LONGEST_TEXT: usize = 1 << 20;

/// The rows of the one table that a known tool wrote, as a JSON array of objects.
pub(crate) fn rows(source: &str, path: Option<&Path>, start: &[u8], rest: impl Read) -> Result<String> {
    match path {
        Some(path) => rows_of(source, path),
        // SQLite needs a file.
        None => {
            let mut copy = tempfile::NamedTempFile::new().context("cannot create a temporary file")?;
            let cannot_copy = || format!("cannot copy {source}");
            copy.write_all(start).with_context(cannot_copy)?;
            std::io::copy(&mut { rest }, &mut copy).with_context(cannot_copy)?;
            copy.flush().with_context(cannot_copy)?;
            rows_of(source, copy.path())
        }
    }
}

fn rows_of(source: &str, path: &Path) -> Result<String> {
    let cannot_read = || format!("cannot read {source}, an SQLite database");
    let database = open(path).with_context(cannot_read)?;
    report_unread_changes(source, path);
    let tables = tables(&database).with_context(cannot_read)?;
    let is_known = |name: &&String| -> bool {
        let first = array(&database, name, 1).unwrap_or_default();
        ![Tool::JSON_LINES, Tool::CSV].contains(&Tool::recognized(&first))
    };
    let known: Vec<&String> = tables.iter().take(MOST_TABLES).filter(is_known).collect();
    match known[..] {
        [table] => {
            let rows = count(&database, table).with_context(cannot_read)?;
            ensure!(
                rows <= MOST_ROWS,
                "{source}: the table {table} has {rows} rows: export at most {MOST_ROWS} of them"
            );
            array(&database, table, MOST_ROWS).with_context(cannot_read)
        }
        [] => bail!("{source} is an SQLite database without a table of a known tool: {}", export(&tables)),
        _ => bail!("{source} is an SQLite database with several tables of known tools: {}", export(&tables)),
    }
}

/// What the database has, and what to do with it.
fn export(tables: &[String]) -> String {
    let Some(first) = tables.first() else {
        return "it has no table; give the database that the tool wrote".to_owned();
    };
    let shown: Vec<&str> = tables.iter().take(10).map(String::as_str).collect();
    let more = if tables.len() > shown.len() { ", …" } else { "" };
    format!(
        "it has {}{more}; export one of them: sqlite3 -json FILE 'SELECT * FROM \"{first}\"' > table.json",
        shown.join(", ")
    )
}

/// Opens a database that nothing changes: without locks, and without files next to it.
fn open(path: &Path) -> Result<Connection> {
    let path = path.canonicalize()?;
    let mut location = String::from("file:");
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'?' | b'#' | b'%' | 0x80.. => location.push_str(&format!("%{byte:02x}")),
            _ => location.push(char::from(byte)),
        }
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Ok(Connection::open_with_flags(location + "?immutable=1", flags)?)
}

/// An immutable file has no changes elsewhere. A program that still writes keeps its last rows next to it.
fn report_unread_changes(source: &str, path: &Path) {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    if std::fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
        let text =
            format!("{source}: the last rows are in {source}-wal and are not read: close the program that writes");
        output::say(CAUTION, "note:", &text);
    }
}

fn tables(database: &Connection) -> Result<Vec<String>> {
    let mut statement = database
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(names)
}

fn count(database: &Connection, table: &str) -> Result<usize> {
    Ok(database.query_row(&format!("SELECT count(*) FROM {}", quoted(table)), [], |row| row.get(0))?)
}

/// The first rows of a table, in the order of their insertion.
fn array(database: &Connection, table: &str, most: usize) -> Result<String> {
    let mut statement = database.prepare(&format!("SELECT * FROM {} LIMIT {most}", quoted(table)))?;
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement.query([])?;
    let mut text = String::from("[");
    while let Some(row) = rows.next()? {
        if text.len() > 1 {
            text.push_str(",\n");
        }
        text.push_str(&object(row, &names)?.to_string());
    }
    Ok(text + "]")
}

fn object(row: &Row<'_>, names: &[String]) -> Result<Value> {
    let mut object = Map::new();
    for (index, name) in names.iter().enumerate() {
        object.insert(name.clone(), value(row.get_ref(index)?));
    }
    Ok(Value::Object(object))
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Integer(number) => number.into(),
        ValueRef::Real(number) => number.into(),
        ValueRef::Text(text) if text.len() <= LONGEST_TEXT => String::from_utf8_lossy(text).into_owned().into(),
        ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_) => Value::Null,
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
