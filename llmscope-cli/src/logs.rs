//! Logs of any tool, from files and standard input, with a progress bar on long ones.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use llmscope_core::analysis::{LogSource, SelectedSeries, Selection};
use llmscope_core::ingest::{self, Log, OpenedLog, Tool};
use llmscope_core::session::Warning;

use crate::columnar::{self, Kind};
use crate::output::{self, CAUTION};

/// A progress bar is shown for reading that takes longer.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// The series of a selection. Warnings about the logs are printed.
pub(crate) fn series(files: &[PathBuf], tool: Option<Tool>, selection: Selection) -> Result<SelectedSeries> {
    let inputs = files.iter().map(|path| {
        let opened = open(path, tool)?;
        Ok(if path.as_os_str() == "-" {
            LogSource::once(opened)
        } else {
            LogSource::new(opened, move || open(path, tool))
        })
    });
    let selected = selection.gather::<anyhow::Error>(inputs)?;
    print_warnings(selected.logs.iter().flat_map(|log| &log.warnings));
    Ok(selected)
}

/// Complete logs. Warnings about them are printed.
pub(crate) fn whole(files: &[PathBuf], tool: Option<Tool>) -> Result<Vec<Log>> {
    let read = |path: &PathBuf| {
        let (source, input) = input(path)?;
        match columns(&source, input, tool)? {
            Columns::Read(log) => Ok(log),
            Columns::None(input) => Ok(ingest::read_whole(&source, input, tool)?),
        }
    };
    let logs = files.iter().map(read).collect::<Result<Vec<_>>>()?;
    print_warnings(logs.iter().flat_map(|log| &log.warnings));
    Ok(logs)
}

fn print_warnings<'n>(warnings: impl Iterator<Item = &'n Warning>) {
    for warning in warnings {
        output::say(CAUTION, "note:", &warning.to_string());
    }
}

fn open(path: &Path, tool: Option<Tool>) -> Result<OpenedLog> {
    let (source, input) = input(path)?;
    match columns(&source, input, tool)? {
        Columns::Read(log) => Ok(OpenedLog::Log(log)),
        Columns::None(input) => Ok(ingest::open(&source, input, tool)?),
    }
}

/// The start of a stream, checked for a binary format of columns.
enum Columns {
    Read(Log),
    /// Another format: the whole stream, from its start.
    None(Box<dyn Read + Send>),
}

/// Reads a Parquet or Arrow file, if the stream is one.
fn columns(source: &str, mut input: Box<dyn Read + Send>, tool: Option<Tool>) -> Result<Columns> {
    let mut bytes = Vec::new();
    let cannot_read = || format!("cannot read {source}");
    (&mut input).take(Kind::MARK_BYTES).read_to_end(&mut bytes).with_context(cannot_read)?;
    let Some(kind) = Kind::of(&bytes) else { return Ok(Columns::None(Box::new(Cursor::new(bytes).chain(input)))) };
    input.read_to_end(&mut bytes).with_context(cannot_read)?;
    Ok(Columns::Read(columnar::read(source, &bytes, kind, tool)?))
}

/// A file, or standard input for `-`, and its name in messages.
fn input(path: &Path) -> Result<(String, Box<dyn Read + Send>)> {
    let source = path.display().to_string();
    if source == "-" {
        return Ok((source, Box::new(io::stdin())));
    }
    let file = File::open(path).with_context(|| format!("cannot read {source}"))?;
    let size = file.metadata().map(|metadata| metadata.len()).unwrap_or_default();
    let reader = ProgressReader { bar: bar(&source, size), input: file };
    Ok((source, Box::new(reader)))
}

/// A bar that is still hidden.
fn bar(source: &str, size: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(source.to_owned())
}

/// A file with a progress bar, which is shown if reading takes long.
struct ProgressReader {
    bar: ProgressBar,
    input: File,
}

impl Read for ProgressReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bar.inc(read as u64);
        if read == 0 {
            self.bar.finish_and_clear();
        } else if self.bar.is_hidden() && self.bar.elapsed() > PROGRESS_DELAY {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Ok(read)
    }
}
