//! Logs of any tool, from files and standard input, with a progress bar on long ones.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use llmscope_core::analysis::{Gathered, Input, Selection};
use llmscope_core::ingest::{self, Log, Opened, Tool};
use llmscope_core::session::Notice;

use crate::columnar::{self, Kind};
use crate::output::{self, CAUTION};

/// Work that takes longer shows a bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// The series of a selection, with words about what was odd in the logs.
pub(crate) fn series(files: &[PathBuf], tool: Option<&str>, selection: Selection) -> Result<Gathered> {
    let tool = tool.map(named).transpose()?;
    let inputs = files.iter().map(|path| {
        let opened = open(path, tool)?;
        Ok(if path.as_os_str() == "-" { Input::once(opened) } else { Input::new(opened, move || open(path, tool)) })
    });
    let gathered = selection.gather::<anyhow::Error>(inputs)?;
    tell(gathered.logs.iter().flat_map(|log| &log.notices));
    Ok(gathered)
}

/// Logs as a whole, with words about what was odd in them.
pub(crate) fn whole(files: &[PathBuf], tool: Option<&str>) -> Result<Vec<Log>> {
    let tool = tool.map(named).transpose()?;
    let read = |path: &PathBuf| {
        let (source, input) = input(path)?;
        match columns(&source, input, tool)? {
            Columns::Read(log) => Ok(log),
            Columns::None(input) => Ok(ingest::read_whole(&source, input, tool)?),
        }
    };
    let logs = files.iter().map(read).collect::<Result<Vec<_>>>()?;
    tell(logs.iter().flat_map(|log| &log.notices));
    Ok(logs)
}

fn tell<'n>(notices: impl Iterator<Item = &'n Notice>) {
    for notice in notices {
        output::say(CAUTION, "note:", &notice.to_string());
    }
}

fn open(path: &Path, tool: Option<Tool>) -> Result<Opened> {
    let (source, input) = input(path)?;
    match columns(&source, input, tool)? {
        Columns::Read(log) => Ok(Opened::Log(log)),
        Columns::None(input) => Ok(ingest::open(&source, input, tool)?),
    }
}

/// A stream that was looked into for binary columns.
enum Columns {
    Read(Log),
    /// It holds none, and is whole again.
    None(Box<dyn Read + Send>),
}

/// Reads a file of binary columns if it is one.
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
    let watched = Watched { bar: bar(&source, size), input: file };
    Ok((source, Box::new(watched)))
}

/// The tool of this name; `help` lists them.
fn named(name: &str) -> Result<Tool> {
    if name == "help" {
        let tools = Tool::ALL.iter().map(|tool| format!("  {:24} {}", tool.name(), tool.title()));
        bail!("--from takes one of these:\n{}", tools.collect::<Vec<_>>().join("\n"));
    }
    Ok(name.parse()?)
}

/// A bar that nobody sees yet.
fn bar(source: &str, size: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(size), ProgressDrawTarget::hidden());
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_prefix(source.to_owned())
}

/// A file whose bytes are counted as they are read, on a bar that is drawn if it takes long.
struct Watched {
    bar: ProgressBar,
    input: File,
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.bar.inc(read as u64);
        if read == 0 {
            self.bar.finish_and_clear();
        } else if self.bar.is_hidden() && self.bar.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        Ok(read)
    }
}
