//! Readers for logs of benchmark tools, one file per tool. The format is recognized by content, never by file name.

mod ab;
mod action_benchmark;
mod aiperf;
mod artillery;
mod attributes;
mod bench_my_llm;
mod blocks;
mod counts;
mod criterion;
mod delimited;
mod delimited_rows;
mod documents;
mod empty;
mod evalscope;
mod expected;
mod failure;
mod failure_kind;
mod fields;
mod filter;
mod foreign;
mod gathered;
mod genai_bench;
mod genai_perf;
mod google_benchmark;
mod guidellm;
mod h2load;
mod hey;
mod http;
mod hyperfine;
pub mod identity;
mod inference_benchmarker;
mod inference_perf;
mod inferencex;
mod infermark;
mod javascript_benchmarks;
mod jmeter;
mod json_lines;
mod json_rows;
mod json_scan;
mod json_shape;
mod k6;
mod leaves;
mod lines;
mod litellm;
mod llama_bench;
mod llama_server;
mod llm_d;
mod llmperf;
mod locust;
mod mapping;
mod markdown;
mod mlflow_runs;
mod non_finite;
mod numbers;
mod oha;
mod ollama;
mod open;
mod options;
mod otel;
mod outcome;
mod outcome_by_value;
mod projection;
mod prometheus;
mod pytest_benchmark;
#[cfg(test)]
mod recognition;
mod requests;
mod roles;
mod rows;
mod runs;
mod server_times;
mod service_export;
mod sglang;
mod signature;
mod simd;
mod stated;
mod stated_units;
mod statistics;
mod stream;
mod table;
mod tally;
mod time;
mod timestamp;
mod tokens;
mod tool;
mod vllm;
mod when;
mod wrapped;
mod xml;

use std::sync::Arc;

pub use counts::{CountColumns, RunCounts};
pub use delimited::delimiter;
pub use failure_kind::FailureKind;
pub(crate) use failure_kind::on_one_line;
pub use filter::Filter;
pub use lines::StreamSummary;
pub use mapping::Mapping;
pub use numbers::Decimal;
pub use open::{OpenedLog, open, open_with, read_whole, read_whole_with};
pub use options::ReadOptions;
pub use otel::{SpanExport, SpanFact, SpanMemory, Spans};
pub use outcome::{Accepted, StatusRule};
pub use outcome_by_value::OutcomeGuess;
pub(crate) use projection::{GAP_POLICY, SESSION};
pub use projection::{Projection, Rows};
pub use service_export::{Flag, ServiceRow};
pub use stream::Stream;
pub use table::{Cell, Column, Table};
pub use tally::Tally;
pub use time::Time;
pub use tokens::TokenColumns;
pub use tool::Tool;
pub use when::{TimeForm, TimeRules};

use crate::error::{Error, Location, Result};
use crate::session::{Session, Warning, check_records};
use signature::Signature;
use tool::{Parsed, Reading};

/// A log that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Log {
    /// The name of the file as given.
    pub source: String,
    /// The tool that wrote it.
    pub tool: Tool,
    /// The requests or columns.
    pub content: Content,
    /// Problems that did not prevent reading.
    pub warnings: Vec<Warning>,
}

impl Log {
    /// The number of requests, including warm-up, or of rows.
    #[must_use]
    pub fn records(&self) -> usize {
        match &self.content {
            Content::Session(session) => session.records.len(),
            Content::Table(table) => table.rows(),
        }
    }
}

/// What a log holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Requests, with metrics whose meaning is known.
    Session(Arc<Session>),
    /// Columns whose meaning only their names indicate.
    Table(Table),
}

/// Reads a log. `source` names the file in messages; `tool` forces a format.
///
/// # Errors
/// [`Error::Format`] with file, line and field, the problem and a fix.
///
/// ```
/// use llmscope_core::ingest::{self, Content};
///
/// let log = ingest::read("latency.csv", b"model,latency\nsmall,0.31\nsmall,0.29\n", None)?;
/// assert!(matches!(log.content, Content::Table(_)));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn read(source: &str, bytes: &[u8], tool: Option<Tool>) -> Result<Log> {
    read_with(source, bytes, &ReadOptions { tool, ..ReadOptions::default() })
}

/// Reads a log about which the caller states these facts.
///
/// # Errors
/// As [`read`].
pub fn read_with(source: &str, bytes: &[u8], options: &ReadOptions) -> Result<Log> {
    let unpacked = open::unpacked(source, bytes)?;
    let text = decode(source, unpacked.as_deref().unwrap_or(bytes))?;
    let finite = non_finite::removed(text);
    let text = finite.as_ref().map_or(text, |(text, _)| text.as_str());
    let signature = Signature::of(text);
    let tool = options.tool.unwrap_or_else(|| Tool::of_options(&signature, options));
    if tool == Tool::JSON_LINES {
        signature.check_names(source)?;
    }
    let found = match tool.0.reading {
        Reading::Whole(read) => read(source, text)?,
        Reading::Lines { header, records } => read_lines(source, text, header, records)?,
        Reading::Delimited => {
            let table = delimited::read(source, text, options.decimal);
            let is_guess = options.tool.is_none();
            let table = table.map_err(|error| if is_guess { unknown_format(source, text, error) } else { error })?;
            Parsed::Table(table, Vec::new())
        }
    };
    let (content, mut warnings) = match found {
        Parsed::Session(session, warnings) => {
            check_records(source, &session.records)?;
            (Content::Session(Arc::new(session)), warnings)
        }
        Parsed::Runs(runs) => (Content::Table(runs.table.summaries_of(tool.name())), runs.warnings),
        Parsed::Table(table, warnings) => (Content::Table(table.summaries_of(tool.name())), warnings),
    };
    warnings.extend(expected::warnings(source, tool, &signature));
    if let Some((_, count)) = finite {
        warnings.push(non_finite::warning(source, count));
    }
    Ok(Log { source: source.to_owned(), tool, content, warnings })
}

/// The error for a text that is neither a known format nor a table: it quotes what was seen. Other errors stay.
fn unknown_format(source: &str, text: &str, error: Error) -> Error {
    // A sentence, or more, is not the name of a column.
    const SENTENCE_WORDS: usize = 3;
    let beginning = delimited::Beginning::of(text);
    let is_table = beginning.header.as_bytes().contains(&beginning.delimiter);
    if is_table || beginning.header.split_whitespace().count() < SENTENCE_WORDS {
        return error;
    }
    let seen = on_one_line(beginning.header);
    Error::Format {
        location: Location::of(source),
        problem: format!("the format is unknown: the file begins with \"{}\"", crate::error::excerpt(&seen)),
        fix: "use JSON Lines, or delimited values with a header line, or a format of the list".to_owned(),
    }
}

/// The error for a statement about the columns of a format that gives them a meaning of its own.
pub(crate) fn takes_no_statement(source: &str, tool: Tool) -> Error {
    Error::Format {
        location: Location::of(source),
        problem: format!("the columns of this format have a meaning of their own ({})", tool.label()),
        fix: "omit the mapping, or read delimited values as a table".to_owned(),
    }
}

/// Reads a log in which each line is independent.
fn read_lines(source: &str, text: &str, header: tool::HeaderOf, records: tool::RecordsOf) -> Result<Parsed> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let lines = (1..).zip(text.split_inclusive('\n'));
    let (found, summary) = lines::requests(source, lines, false, |line, place, found, _| records(line, place, found))?;
    Ok(Parsed::Session(Session { header: header(first), records: found, ..Session::default() }, summary.warnings))
}

/// The text of a file, which must be UTF-8 and not empty.
fn decode<'b>(source: &str, bytes: &'b [u8]) -> Result<&'b str> {
    let refuse = |problem: &str, fix: &str| {
        let location = Location::of(source);
        Err(Error::Format { location, problem: problem.to_owned(), fix: fix.to_owned() })
    };
    foreign::refuse(source, bytes)?;
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refuse("the file is UTF-16", "save it as UTF-8");
    }
    let bytes = bytes.strip_prefix(open::BYTE_ORDER_MARK).unwrap_or(bytes);
    match std::str::from_utf8(bytes) {
        Ok(text) if text.trim().is_empty() => refuse("the file is empty", "give a log with at least one record"),
        Ok(text) => Ok(text),
        Err(error) => {
            let line = blocks::line_feeds(&bytes[..error.valid_up_to()]) as u64 + 1;
            Err(blocks::not_utf8(source, line))
        }
    }
}
