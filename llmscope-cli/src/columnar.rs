//! Parquet and Arrow files: recognized by every build, read and written by those with the feature `parquet`.

use anyhow::Result;
use llmscope_core::ingest::{Content, Log, Tool};

/// A binary format of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Parquet,
    Arrow,
}

impl Kind {
    /// Number of bytes by which a format is recognized.
    pub(crate) const MARK_BYTES: u64 = 6;

    /// The format of a file, by its first bytes.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if bytes.starts_with(b"ARROW1") {
            Some(Self::Arrow)
        } else {
            None
        }
    }
}

/// Reads a Parquet or Arrow file: as a session if its columns are those of one and no other format is forced.
#[cfg(feature = "parquet")]
pub(crate) fn read(source: &str, bytes: &[u8], kind: Kind, tool: Option<Tool>) -> Result<Log> {
    use llmscope_polars::{frame_to_session, is_session, read_bytes, table_of};

    // polars panics on some damaged files. The panic becomes an error, so its own message is suppressed.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let frame = read_bytes(source, bytes, file_kind(kind));
    std::panic::set_hook(hook);
    let frame = frame?;
    let (content, tool) = if is_session(&frame) && tool.is_none_or(|tool| tool == Tool::LLMSCOPE) {
        (Content::Session(std::sync::Arc::new(frame_to_session(source, &frame)?)), Tool::LLMSCOPE)
    } else {
        // A table like that of a CSV file.
        (Content::Table(table_of(source, &frame)?), Tool::CSV)
    };
    Ok(Log { source: source.to_owned(), tool, content, warnings: Vec::new() })
}

/// Writes a Parquet or Arrow file to memory.
#[cfg(feature = "parquet")]
pub(crate) fn write(content: &Content, kind: Kind) -> Result<Vec<u8>> {
    let frame = match content {
        Content::Session(session) => llmscope_polars::session_to_frame(session)?,
        Content::Table(table) => llmscope_polars::table_to_frame(table)?,
    };
    Ok(llmscope_polars::to_bytes(&frame, file_kind(kind))?)
}

#[cfg(feature = "parquet")]
fn file_kind(kind: Kind) -> llmscope_polars::FileKind {
    match kind {
        Kind::Parquet => llmscope_polars::FileKind::Parquet,
        Kind::Arrow => llmscope_polars::FileKind::Ipc,
    }
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn read(source: &str, _bytes: &[u8], kind: Kind, _tool: Option<Tool>) -> Result<Log> {
    anyhow::bail!("{source} is {}, but {WITHOUT}", named(kind))
}

#[cfg(not(feature = "parquet"))]
pub(crate) fn write(_content: &Content, kind: Kind) -> Result<Vec<u8>> {
    anyhow::bail!("cannot write {}: {WITHOUT}", named(kind))
}

#[cfg(not(feature = "parquet"))]
const WITHOUT: &str = "this program was built without the feature `parquet`; \
                       install it with: cargo install --path llmscope-cli --features parquet";

#[cfg(not(feature = "parquet"))]
const fn named(kind: Kind) -> &'static str {
    match kind {
        Kind::Parquet => "a Parquet file",
        Kind::Arrow => "an Arrow file",
    }
}
