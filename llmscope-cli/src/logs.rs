//! Logs of any tool, from files and standard input, with a progress bar on long ones.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use llmscope_core::analysis::{LogSource, SelectedSeries, Selection};
use llmscope_core::ingest::{self, Log, Mapping, OpenedLog, ReadOptions};
use llmscope_core::session::Warning;

use crate::columnar::{self, Kind};
use crate::output::{self, CAUTION};
use crate::remedy::remedy_of_warning;
use crate::sqlite;

/// A progress bar is shown for reading that takes longer.
const PROGRESS_DELAY: Duration = Duration::from_secs(1);

/// The series of a selection. Warnings about the logs are printed.
pub(crate) fn series(files: &[PathBuf], selection: Selection) -> Result<SelectedSeries> {
    let files = listed(files)?;
    let options = &selection.reading.clone();
    let inputs = files.iter().map(|path| {
        let opened = open(path, options)?;
        Ok(if path.as_os_str() == "-" {
            LogSource::once(opened)
        } else {
            LogSource::new(opened, move || open(path, options))
        })
    });
    let selected = selection.gather::<anyhow::Error>(inputs)?;
    print_warnings(selected.logs.iter().flat_map(|log| &log.warnings));
    Ok(selected)
}

/// Complete logs, with the cells of tables as the caller states them. Warnings about them are printed.
pub(crate) fn whole(files: &[PathBuf], mappings: &[Mapping], options: &ReadOptions) -> Result<Vec<Log>> {
    let read = |path: PathBuf| {
        let (source, input) = input(&path)?;
        let log = match binary(&source, &path, input, options)? {
            Binary::Read(log) => log,
            Binary::None(input) => ingest::read_whole_with(&source, input, options)?,
        };
        Ok(log.stated(mappings, options)?)
    };
    let logs = listed(files)?.into_iter().map(read).collect::<Result<Vec<_>>>()?;
    print_warnings(logs.iter().flat_map(|log| &log.warnings));
    Ok(logs)
}

/// The files to read: a folder stands for its files, and a file that is given twice counts once.
fn listed(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() { files.extend(files_of(path)?) } else { files.push(path.clone()) }
    }
    let mut known = BTreeSet::new();
    files.retain(|path| {
        let is_new = path.as_os_str() == "-" || known.insert(path.canonicalize().unwrap_or_else(|_| path.clone()));
        if !is_new {
            output::say(CAUTION, "note:", &format!("{} was given twice: read once", path.display()));
        }
        is_new
    });
    say_copies(&files);
    Ok(files)
}

/// Says which files have the same content. Runs can have equal results, so both are read.
fn say_copies(files: &[PathBuf]) {
    let mut of_size: BTreeMap<u64, Vec<&PathBuf>> = BTreeMap::new();
    for path in files {
        if let Ok(found) = path.metadata().map(|found| (found.is_file(), found.len()))
            && found.0
            && found.1 > 0
        {
            of_size.entry(found.1).or_default().push(path);
        }
    }
    for same_size in of_size.values() {
        for (at, path) in same_size.iter().enumerate() {
            if let Some(other) = same_size[..at].iter().find(|other| has_same_content(path, other).unwrap_or(false)) {
                let text = format!("{} has the same content as {}: both are read", path.display(), other.display());
                output::say(CAUTION, "note:", &text);
            }
        }
    }
}

fn has_same_content(path: &Path, other: &Path) -> std::io::Result<bool> {
    let (mut one, mut two) = (BufReader::new(File::open(path)?), BufReader::new(File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, two.fill_buf()?);
        let count = left.len().min(right.len());
        if count == 0 {
            return Ok(left.len() == right.len());
        }
        if left[..count] != right[..count] {
            return Ok(false);
        }
        one.consume(count);
        two.consume(count);
    }
}

/// The files of a folder, without hidden ones, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot_read = || format!("cannot read {}", folder.display());
    let mut files = Vec::new();
    for entry in folder.read_dir().with_context(cannot_read)? {
        let path = entry.with_context(cannot_read)?.path();
        let is_hidden = path.file_name().is_none_or(|name| name.to_string_lossy().starts_with('.'));
        if !is_hidden && path.is_file() {
            files.push(path);
        }
    }
    let is_readme = |path: &PathBuf| {
        path.file_stem().is_some_and(|name| name.eq_ignore_ascii_case("readme"))
            && path.extension().is_none_or(|end| end == "md" || end == "txt")
    };
    if files.iter().any(|path| !is_readme(path)) {
        files.retain(|path| !is_readme(path));
    }
    ensure!(!files.is_empty(), "{} is a folder without files: give the files of the logs", folder.display());
    files.sort();
    Ok(files)
}

fn print_warnings<'n>(warnings: impl Iterator<Item = &'n Warning>) {
    for warning in warnings {
        output::say(CAUTION, "note:", &format!("{warning}{}", remedy_of_warning(warning)));
    }
}

fn open(path: &Path, options: &ReadOptions) -> Result<OpenedLog> {
    let (source, input) = input(path)?;
    match binary(&source, path, input, options)? {
        Binary::Read(log) => Ok(OpenedLog::Log(log)),
        Binary::None(input) => Ok(ingest::open_with(&source, input, options)?),
    }
}

/// The start of a stream, checked for a binary format.
enum Binary {
    Read(Log),
    /// Another format: the whole stream, from its start.
    None(Box<dyn Read + Send>),
}

/// Reads a Parquet or Arrow file, or the table of a known tool in an SQLite database, if the stream is one.
fn binary(source: &str, path: &Path, mut input: Box<dyn Read + Send>, options: &ReadOptions) -> Result<Binary> {
    let mut bytes = Vec::new();
    let cannot_read = || format!("cannot read {source}");
    (&mut input).take(Kind::MARK_BYTES).read_to_end(&mut bytes).with_context(cannot_read)?;
    if bytes == sqlite::MARK {
        let path = Some(path).filter(|path| path.is_file());
        let rows = sqlite::rows(source, path, &bytes, input)?;
        return Ok(Binary::Read(ingest::read_with(source, rows.as_bytes(), options)?));
    }
    let Some(kind) = Kind::of(&bytes) else { return Ok(Binary::None(Box::new(Cursor::new(bytes).chain(input)))) };
    input.read_to_end(&mut bytes).with_context(cannot_read)?;
    Ok(Binary::Read(columnar::read(source, &bytes, kind, options.tool)?))
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
