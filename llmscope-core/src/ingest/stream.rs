//! A log that several threads read in blocks and that is never held in memory as a whole.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use serde::de::IgnoredAny;

use super::blocks::{Block, Blocks, Ends};
use super::delimited::Beginning;
use super::delimited_rows::Header;
use super::fields::Wanted;
use super::lines::{self, StreamSummary};
use super::projection::{Projection, Rows};
use super::roles::KnownNames;
use super::signature::Signature;
use super::tool::{Reading, RecordsOf, Tool};
use super::{Content, Log, ReadOptions, delimited, delimited_rows, expected, json_rows, read_with};
use crate::error::{Error, Result};
use crate::session::{Session, SessionHeader, SessionLine, Warning, second_session};

/// A log whose records are lines, not yet read.
pub struct Stream {
    /// The name of the file as given.
    pub source: String,
    /// The tool that wrote it.
    pub tool: Tool,
    /// What applies to all requests; `None` for a table.
    pub header: Option<SessionHeader>,
    /// Its first records, which show what fields the log has.
    pub head: Option<Log>,
    /// What its first records lack.
    warnings: Vec<Warning>,
    lines: Lines,
    ends: Ends,
    /// 1-based line of the first record.
    first: u64,
    input: Box<dyn Read + Send>,
}

/// What the lines are.
enum Lines {
    Objects,
    Values(Header),
    Requests(RecordsOf),
    /// Lines of a session of our own.
    Session,
}

/// The result of reading a block.
type Part = (Rows, StreamSummary);

impl Stream {
    /// A stream of the log that begins with `head`, if its records are lines; `input` provides the whole log.
    pub(super) fn of(
        source: &str,
        head: &str,
        input: Box<dyn Read + Send>,
        options: &ReadOptions,
    ) -> Result<Result<Self, Box<dyn Read + Send>>> {
        let blank = head.len() - head.trim_start().len();
        let text = &head[blank..];
        let Some(end) = text.find('\n') else { return Ok(Err(input)) };
        let line = &text[..end];
        // One line of JSON suffices for recognition; delimited values need their first rows too.
        let signature = || Signature::of(if text.starts_with('{') { line } else { text });
        let tool = options.tool.unwrap_or_else(|| Tool::of_options(&signature(), options));
        let (beginning, mut skipped) = (Beginning::of(text), blank);
        let is_object = || line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_ok();
        let mut first = 1 + head[..blank].matches('\n').count() as u64;
        let mut ends = Ends::Lines;
        let mut header = None;
        let lines = match &tool.0.reading {
            Reading::Lines { header: of, records } if is_object() => {
                header = Some(of(line));
                Lines::Requests(*records)
            }
            _ if tool == Tool::JSON_LINES && is_object() => {
                signature().check_names(source)?;
                Lines::Objects
            }
            _ if tool == Tool::LLMSCOPE && is_object() && Session::begins_lines(line) => {
                header = Some(Session::read(source, text.get(..=end).unwrap_or(line))?.session.header);
                Lines::Session
            }
            // A quotation mark in a comment would not begin a field.
            _ if tool == Tool::CSV && !beginning.comments => {
                skipped += beginning.rows;
                first += text[..beginning.rows].matches('\n').count() as u64;
                let named = delimited::header(source, &beginning, first.saturating_sub(1))?;
                ends = Ends::Quoted { delimiter: named.delimiter };
                Lines::Values(named)
            }
            _ => return Ok(Err(input)),
        };
        let head = first_records(source, text, tool, options);
        let warnings = expected::warnings(source, tool, &Signature::of(text));
        let mut stream = Self { source: source.to_owned(), tool, header, head, warnings, lines, ends, first, input };
        stream.skip(skipped)?;
        Ok(Ok(stream))
    }

    /// Skips what precedes the first record.
    fn skip(&mut self, skipped: usize) -> Result<()> {
        let read = std::io::copy(&mut (&mut self.input).take(skipped as u64), &mut std::io::sink());
        read.map(|_| ()).map_err(|error| Error::Io { path: self.source.clone(), message: error.to_string() })
    }

    /// Passes the projected rows to `take`, block by block in the order of the log. All processors read blocks in
    /// parallel.
    ///
    /// # Errors
    /// [`Error::Format`] with line and field; [`Error::Unknown`] for a mapping of a column that does not exist;
    /// [`Error::Io`]; any error that `take` returns.
    pub fn rows(self, projection: &Projection, mut take: impl FnMut(Rows) -> Result<()>) -> Result<StreamSummary> {
        let Self { source, header, lines, ends, first, input, head, warnings, .. } = self;
        let shown = match (&lines, &head) {
            (Lines::Values(header), _) => header.names.clone(),
            (_, Some(Log { content: Content::Table(table), .. })) => {
                table.columns.iter().map(|column| column.name.clone()).collect()
            }
            _ => Vec::new(),
        };
        drop(head);
        let known = KnownNames { names: &shown, complete: matches!(lines, Lines::Values(_)) };
        let wanted = &Wanted::of(projection, known);
        let header = &header.unwrap_or_default();
        let (source, lines) = (source.as_str(), &lines);
        let part = move |block: &Block| part(source, block, lines, header, projection, wanted);
        let blocks = &Mutex::new(Some(Blocks::new(source, input, ends, first)));
        // One thread more than can run at once: while one waits for bytes, another parses.
        let threads = thread::available_parallelism().map_or(1, usize::from) + 1;
        let mut summary = StreamSummary { warnings, ..StreamSummary::default() };
        thread::scope(|scope| {
            let (to_us, parts) = sync_channel(threads);
            for _ in 0..threads {
                let to_us = to_us.clone();
                scope.spawn(move || work(source, blocks, &to_us, part));
            }
            drop(to_us);
            in_order(&parts, |(rows, other)| {
                summary.warnings.extend(other.warnings);
                summary.events.extend(other.events);
                summary.client_health = other.client_health.or(summary.client_health.take());
                take(rows)
            })
        })?;
        Ok(summary)
    }
}

/// Takes blocks one after another and parses them in parallel with the other threads. A block is parsed by the thread
/// that read its bytes, while they are still in the processor's cache. Returns after the last block, or when the
/// receiver is gone.
fn work<R: Read>(
    source: &str,
    blocks: &Mutex<Option<Blocks<R>>>,
    results: &SyncSender<(usize, Result<Part>)>,
    part: impl Fn(&Block) -> Result<Part>,
) {
    let mut buffer = String::new();
    while let Some((index, block)) = next_block(blocks, std::mem::take(&mut buffer)) {
        let read = block.and_then(|block| block.into_text(source)).and_then(|block| {
            let read = part(&block)?;
            buffer = block.text;
            Ok(read)
        });
        if results.send((index, read)).is_err() {
            return;
        }
    }
}

/// The index of the next block, and the block or an error. Nothing follows the end or an error.
fn next_block<R: Read>(blocks: &Mutex<Option<Blocks<R>>>, buffer: String) -> Option<(usize, Result<Block<Vec<u8>>>)> {
    let mut blocks = blocks.lock().unwrap_or_else(PoisonError::into_inner);
    let open = blocks.as_mut()?;
    let (index, next) = (open.next_index(), open.next(buffer));
    if !matches!(next, Ok(Some(_))) {
        *blocks = None;
    }
    Some((index, next.transpose()?))
}

/// Passes parts to `take` in the order of the log, whatever order they arrive in.
fn in_order(parts: &Receiver<(usize, Result<Part>)>, mut take: impl FnMut(Part) -> Result<()>) -> Result<()> {
    let (mut early, mut next) = (BTreeMap::new(), 0);
    for (index, part) in parts {
        early.insert(index, part);
        while let Some(part) = early.remove(&next) {
            take(part?)?;
            next += 1;
        }
    }
    Ok(())
}

fn part(
    source: &str,
    block: &Block,
    lines: &Lines,
    header: &SessionHeader,
    projection: &Projection,
    wanted: &Wanted<'_>,
) -> Result<Part> {
    match lines {
        Lines::Objects => {
            let (rows, warnings) = json_rows::read(source, block, wanted)?;
            Ok((rows, StreamSummary { warnings, ..StreamSummary::default() }))
        }
        Lines::Values(names) => Ok((delimited_rows::read(source, block, names, wanted)?, StreamSummary::default())),
        Lines::Requests(records) => {
            let (found, summary) = lines::requests(source, block.lines(), block.index > 0, |line, place, found, _| {
                records(line, place, found)
            })?;
            Ok((projection.of_records(header, &found), summary))
        }
        Lines::Session => {
            let (found, summary) =
                lines::requests(source, block.lines(), block.index > 0, |line, place, found, summary| {
                    match SessionLine::read(line, place)? {
                        SessionLine::Request(record) => found.push(*record),
                        SessionLine::ClientHealth(health) => summary.client_health = Some(health),
                        SessionLine::Session(_) if place().line > Some(1) => return Err(second_session(place())),
                        SessionLine::Event(event) => summary.events.push(event),
                        SessionLine::Session(_) | SessionLine::Sample(_) => {}
                    }
                    Ok(())
                })?;
            Ok((projection.of_records(header, &found), summary))
        }
    }
}

/// The records in the head of the log.
fn first_records(source: &str, head: &str, tool: Tool, options: &ReadOptions) -> Option<Log> {
    let whole = &head[..=head.rfind('\n')?];
    read_with(source, whole.as_bytes(), &ReadOptions { tool: Some(tool), ..options.clone() }).ok()
}
