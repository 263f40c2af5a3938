//! Logs of benchmark tools, one file a tool, recognized by content and never by file name.

mod delimited;
mod json_lines;
mod llmperf;
mod table;

use std::str::FromStr;
use std::sync::Arc;

pub use delimited::delimiter;
pub use table::{Cell, Column, Table};

use crate::error::{Error, Location, Result, by_name};
use crate::session::{Notice, Session};

/// A tool whose logs are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Tool {
    /// A session of our own, as a JSON document or as JSON Lines.
    Llmscope,
    /// LLMPerf's individual responses.
    Llmperf,
    /// JSON Lines, or a JSON array, of objects with numeric fields.
    JsonLines,
    /// Comma-, semicolon- or tab-separated values with a header line.
    Csv,
}

impl Tool {
    /// Every tool, in the order in which logs are tried.
    pub const ALL: [Self; 4] = [Self::Llmscope, Self::Llmperf, Self::JsonLines, Self::Csv];

    /// The tool's name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Llmscope => "llmscope",
            Self::Llmperf => "llmperf",
            Self::JsonLines => "jsonl",
            Self::Csv => "csv",
        }
    }

    fn recognizes(self, text: &str) -> bool {
        match self {
            Self::Llmscope => is_session(text),
            Self::Llmperf => llmperf::recognizes(text),
            Self::JsonLines => text.starts_with(['{', '[']),
            Self::Csv => true,
        }
    }
}

impl FromStr for Tool {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        by_name("tool", name, &Self::ALL, Self::name)
    }
}

/// A log that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// The file's name as it was given.
    pub source: String,
    /// The tool that wrote it.
    pub tool: Tool,
    /// What it holds.
    pub content: Content,
    /// What was odd about it.
    pub notices: Vec<Notice>,
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Requests, with metrics of known meaning.
    Session(Arc<Session>),
    /// Columns, whose meaning only their names tell.
    Table(Table),
}

/// Reads a log. `source` names it in messages; `tool` forces a format.
///
/// # Errors
/// [`Error::Format`] with file, line and field, what was found and what to do.
///
/// ```
/// use llmscope_core::ingest::{self, Content};
///
/// let log = ingest::read("latency.csv", b"model,latency\nsmall,0.31\nsmall,0.29\n", None)?;
/// assert!(matches!(log.content, Content::Table(_)));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn read(source: &str, bytes: &[u8], tool: Option<Tool>) -> Result<Log> {
    let text = decode(source, bytes)?;
    let tool = tool.or_else(|| Tool::ALL.into_iter().find(|tool| tool.recognizes(text.trim_start())));
    let tool = tool.unwrap_or(Tool::Csv);
    let (content, notices) = match tool {
        Tool::Llmscope => {
            let read = Session::read(source, text)?;
            (Content::Session(Arc::new(read.session)), read.notices)
        }
        Tool::Llmperf => (Content::Session(Arc::new(llmperf::read(source, text)?)), Vec::new()),
        Tool::JsonLines => json_lines::read(source, text).map(|(table, notices)| (Content::Table(table), notices))?,
        Tool::Csv => (Content::Table(delimited::read(source, text)?), Vec::new()),
    };
    Ok(Log { source: source.to_owned(), tool, content, notices })
}

/// The text of a file, which must be UTF-8 and not empty.
fn decode<'b>(source: &str, bytes: &'b [u8]) -> Result<&'b str> {
    let refuse = |line: Option<u64>, problem: &str, fix: &str| {
        let location = Location { line, ..Location::of(source) };
        Err(Error::Format { location, problem: problem.to_owned(), fix: fix.to_owned() })
    };
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return refuse(None, "the file is compressed", "decompress it first (gunzip, unzstd)");
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refuse(None, "the file is UTF-16", "save it as UTF-8");
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => refuse(None, "the file is empty", "give a log with at least one record"),
        Ok(text) => Ok(text),
        Err(error) => {
            let line = bytes[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            refuse(Some(line), "bytes that are not UTF-8", "save the file as UTF-8")
        }
    }
}

/// A session of our own announces its schema among its first fields.
fn is_session(text: &str) -> bool {
    const MARK: &str = "\"llmscope.session/";
    let head_end = text.char_indices().nth(4096).map_or(text.len(), |(at, _)| at);
    text.starts_with('{') && text[..head_end].contains(MARK)
}
