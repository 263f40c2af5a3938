//! `convert`: logs → sessions or tables → files of another format.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use clap::{Args, ValueEnum};
use llmscope_core::Session;
use llmscope_core::files::write_atomically;
use llmscope_core::ingest::{Content, Log, Mapping, Tool};
use llmscope_core::quantity::counted;

use crate::cells::{self, CellArgs};
use crate::columnar;
use crate::logs;
use crate::meaning::units;
use crate::output::{self, CAUTION, DIM};
use crate::values;

const EXAMPLES: &str = "\
Examples:
  A session as a table, for a spreadsheet or pandas, and back without loss:
    llmscope convert run.jsonl -o run.csv
    llmscope convert run.csv -o run.json
  The log of another tool as a session:
    llmscope convert responses.json -o run.json
  One file for each input:
    llmscope convert logs/*.json -o out/ --to csv
  Parts of one run, joined in this order:
    llmscope convert day1.jsonl day2.jsonl -o run.json
  Parquet (in builds with the feature `parquet`):
    llmscope convert run.json -o run.parquet
  To standard output:
    llmscope convert run.json -o - --to csv | head

Exit status: 0 converted, 2 error.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ConvertArgs {
    /// Sessions, other tools' logs, CSV, JSON Lines or Parquet; `-` reads standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// File, directory (one file for each input), or `-` for standard output
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Format to write [default: by the extension of OUT]
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: Option<Target>,
    /// Read as this format instead of recognizing it; `--from help` lists them
    #[arg(long, value_name = "FORMAT", value_parser = values::format(), hide_possible_values = true)]
    from: Option<Tool>,
    /// Meaning of a table's column (repeatable): ttft_s=first_token:ms, model=engine
    #[arg(long, value_name = "NAME=COLUMN[:UNIT]")]
    map: Vec<String>,
    /// Unit of a table's column (repeatable), which its name gets: latency=ms
    #[arg(long, value_name = "NAME=UNIT")]
    unit: Vec<String>,
    #[command(flatten)]
    cells: CellArgs,
    /// Overwrite existing files
    #[arg(long)]
    force: bool,
}

/// A format that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Target {
    /// A session as one JSON document, or an array of summaries
    Json,
    /// A session as JSON Lines, or a table with one object a row
    Jsonl,
    /// One row a request, or a table
    Csv,
    /// The same as Apache Parquet (in builds with the feature `parquet`)
    Parquet,
    /// The same as an Arrow IPC file, or Feather (in builds with the feature `parquet`)
    #[value(aliases = ["ipc", "feather"])]
    Arrow,
}

impl Target {
    fn extension(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
            Self::Arrow => "arrow",
        }
    }

    /// The format of a file name, by its extension.
    fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "json" => Self::Json,
            "jsonl" | "ndjson" => Self::Jsonl,
            "csv" => Self::Csv,
            "parquet" => Self::Parquet,
            "arrow" | "ipc" | "feather" => Self::Arrow,
            _ => return None,
        })
    }
}

pub(crate) fn run(args: &ConvertArgs) -> Result<ExitCode> {
    let place = Place::of(args)?;
    let target = target(args, &place)?;
    if let Place::File(path) = &place {
        refuse_existing(path, args.force)?;
    }
    let mappings = cells::mappings(&args.map)?;
    let options = args.cells.options(args.from, &mappings)?;
    let logs = with_units(logs::whole(&args.files, &mappings, &options)?, &mappings, args)?;
    match place {
        Place::Stdout => {
            output::write_data(&content(&joined(&logs, "standard output")?, target)?)?;
        }
        Place::File(path) => {
            let item = joined(&logs, &path.display().to_string())?;
            write(&path, &content(&item, target)?, &item)?;
        }
        Place::Folder(folder) => write_each(&folder, &logs, target, args.force)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The logs with the stated units in the names of their columns.
fn with_units(logs: Vec<Log>, mappings: &[Mapping], args: &ConvertArgs) -> Result<Vec<Log>> {
    for warning in mappings.iter().filter_map(Mapping::contradiction) {
        output::say(CAUTION, "note:", &warning);
    }
    if args.unit.is_empty() {
        return Ok(logs);
    }
    let stated = units(&args.unit)?;
    let of_log = |log: Log| match log.content {
        Content::Table(table) if !table.of_runs => {
            Ok(Log { content: Content::Table(table.with_units_in_names(&stated)?), ..log })
        }
        _ => bail!("{} ({}) has no columns that --unit could change", log.source, log.tool.name()),
    };
    logs.into_iter().map(of_log).collect()
}

/// Destination of the results.
enum Place {
    Stdout,
    File(PathBuf),
    Folder(PathBuf),
}

impl Place {
    fn of(args: &ConvertArgs) -> Result<Self> {
        let (path, text) = (args.output.clone(), args.output.display().to_string());
        if text == "-" {
            return Ok(Self::Stdout);
        }
        let several_need_one = args.files.len() > 1 && path.extension().is_none();
        if path.is_dir() || text.ends_with(std::path::is_separator) || several_need_one {
            ensure!(!path.is_file(), "{text} is a file: several results need a directory");
            return Ok(Self::Folder(path));
        }
        Ok(Self::File(path))
    }
}

fn target(args: &ConvertArgs, place: &Place) -> Result<Target> {
    if let Some(target) = args.to {
        return Ok(target);
    }
    match place {
        Place::Stdout => bail!("-o -: the format is not known; use --to, such as --to csv"),
        Place::Folder(folder) => {
            bail!("-o {}: the format is not known for a directory; use --to, such as --to csv", folder.display())
        }
        Place::File(path) => Target::of(path).ok_or_else(|| {
            let endings = Target::value_variants().iter().map(|target| format!(".{}", target.extension()));
            let endings = endings.collect::<Vec<_>>().join(", ");
            anyhow!("-o {}: expected a name that ends in {endings}, or a format with --to", path.display())
        }),
    }
}

/// Content to write, and the name of its source for messages.
struct Item {
    source: String,
    content: Content,
}

/// All logs as one item: a single log, or the parts of one session.
fn joined(logs: &[Log], place: &str) -> Result<Item> {
    let [first, others @ ..] = logs else { bail!("no input") };
    let item = |content| Item { source: first.source.clone(), content };
    if others.is_empty() {
        return Ok(item(first.content.clone()));
    }
    let apart = |why: String| {
        anyhow!("{} inputs cannot be joined into {place}: {why}; use a directory, such as -o out/ --to csv", logs.len())
    };
    let mut whole = match &first.content {
        Content::Session(session) => Session::clone(session),
        Content::Table(_) => return Err(apart(format!("{} is a table", first.source))),
    };
    for log in others {
        let Content::Session(part) = &log.content else { return Err(apart(format!("{} is a table", log.source))) };
        if part.header != whole.header {
            let what = difference(&whole, part).unwrap_or_else(|| "header".to_owned());
            return Err(apart(format!(
                "{} and {} are different sessions: they differ in {what}",
                first.source, log.source
            )));
        }
        if part.client_health.is_some() && whole.client_health.is_some() {
            return Err(apart(format!("{} and {} both end a run", first.source, log.source)));
        }
        whole.records.extend_from_slice(&part.records);
        whole.events.extend_from_slice(&part.events);
        whole.samples.extend_from_slice(&part.samples);
        whole.client_health = whole.client_health.or_else(|| part.client_health.clone());
    }
    output::say(DIM, "joined:", &format!("{} parts of one session", logs.len()));
    Ok(item(Content::Session(Arc::new(whole))))
}

/// The first field in which two headers differ.
fn difference(one: &Session, other: &Session) -> Option<String> {
    let fields = |session: &Session| serde_json::to_value(&session.header).ok()?.as_object().cloned();
    let (one, other) = (fields(one)?, fields(other)?);
    one.keys().chain(other.keys()).find(|&name| one.get(name) != other.get(name)).cloned()
}

fn write_each(folder: &Path, logs: &[Log], target: Target, force: bool) -> Result<()> {
    let mut taken: BTreeMap<PathBuf, &str> = BTreeMap::new();
    let mut results = Vec::new();
    for log in logs {
        let path = folder.join(format!("{}.{}", stem(&log.source), target.extension()));
        if let Some(other) = taken.insert(path.clone(), &log.source) {
            bail!("{other} and {} would both become {}: convert them separately", log.source, path.display());
        }
        refuse_existing(&path, force)?;
        let item = Item { source: log.source.clone(), content: log.content.clone() };
        results.push((path, content(&item, target)?, item));
    }
    std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    results.iter().try_for_each(|(path, content, item)| write(path, content, item))
}

/// The name of a file without its folder and ending.
fn stem(source: &str) -> String {
    if source == "-" {
        return "stdin".to_owned();
    }
    Path::new(source).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn refuse_existing(path: &Path, force: bool) -> Result<()> {
    ensure!(force || !path.exists(), "{} exists: use --force to overwrite it", path.display());
    Ok(())
}

fn content(item: &Item, target: Target) -> Result<Vec<u8>> {
    let text = match (target, &item.content) {
        (Target::Parquet, content) => return columnar::write(content, columnar::Kind::Parquet),
        (Target::Arrow, content) => return columnar::write(content, columnar::Kind::Arrow),
        (Target::Json, Content::Session(session)) => session.to_json()?,
        (Target::Jsonl, Content::Session(session)) => session.to_json_lines()?,
        (Target::Csv, Content::Session(session)) => session.to_csv()?,
        (Target::Json, Content::Table(table)) if table.of_runs => table.to_json_array(&item.source)?,
        (Target::Json, Content::Table(table)) => table.to_session(&item.source)?.to_json()?,
        (Target::Jsonl, Content::Table(table)) => table.to_json_lines(&item.source)?,
        (Target::Csv, Content::Table(table)) => table.to_csv(&item.source)?,
    };
    Ok(text.into_bytes())
}

fn write(path: &Path, content: &[u8], item: &Item) -> Result<()> {
    write_atomically(path, content)?;
    let count = match &item.content {
        Content::Session(session) => counted(session.records.len(), "request"),
        Content::Table(table) => counted(table.rows(), "row"),
    };
    output::say(DIM, "written:", &format!("{} ({count})", path.display()));
    Ok(())
}
