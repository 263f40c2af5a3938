//! Where the records of a run are written.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use jiff::Timestamp;
use llmscope_core::Session;
use llmscope_core::session::{SessionHeader, SessionWriter};
use llmscope_harness::Update;

use crate::output::{self, CAUTION, Sink};

/// A growing session. After a crash, everything recorded before it is readable.
pub(crate) enum Recorder {
    /// JSON Lines: each record is appended as it ends.
    Lines { writer: SessionWriter, path: PathBuf },
    /// One document: JSON Lines in `run.json.partial` during the run.
    Document { writer: SessionWriter, partial: PathBuf, path: PathBuf },
    /// Standard output, at the end.
    Stdout(Box<Session>),
}

impl Recorder {
    pub(crate) fn open(path: Option<&Path>, header: &SessionHeader, append: bool) -> Result<Self> {
        let path = path.map_or_else(unnamed, Path::to_owned);
        if path.as_os_str() == "-" {
            return Ok(Self::Stdout(Box::new(Session { header: header.clone(), ..Session::default() })));
        }
        let is_document = path.extension().is_some_and(|extension| extension == "json");
        ensure!(
            !(append && is_document),
            "--append: {} is one JSON document; only a .jsonl file can be appended to",
            path.display()
        );
        if append && path.exists() {
            let (writer, warnings) = SessionWriter::resume(&path)?;
            for warning in warnings {
                output::say(CAUTION, "warning:", &warning.to_string());
            }
            return Ok(Self::Lines { writer, path });
        }
        ensure!(!path.exists(), "{} exists: use another name, or move the file away", path.display());
        if !is_document {
            return Ok(Self::Lines { writer: SessionWriter::create(&path, header)?, path });
        }
        let mut partial = path.clone().into_os_string();
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        Ok(Self::Document { writer: SessionWriter::create(&partial, header)?, partial, path })
    }

    pub(crate) fn record(&mut self, update: &Update) -> Result<()> {
        match self {
            Self::Lines { writer, .. } | Self::Document { writer, .. } => Ok(update.append_to(writer)?),
            Self::Stdout(session) => {
                update.clone().put_into(session);
                Ok(())
            }
        }
    }

    /// Completes the session and returns its path.
    pub(crate) fn finish(self) -> Result<Option<PathBuf>> {
        match self {
            Self::Lines { writer, path } => {
                writer.sync()?;
                Ok(Some(path))
            }
            Self::Document { writer, partial, path } => {
                drop(writer);
                let text = std::fs::read_to_string(&partial)?;
                Session::read(&partial.display().to_string(), &text)?.session.write_json(&path)?;
                std::fs::remove_file(&partial)?;
                Ok(Some(path))
            }
            Self::Stdout(session) => {
                let mut sink = Sink::stdout();
                sink.write_all(session.to_json_lines()?.as_bytes())?;
                sink.finish()?;
                Ok(None)
            }
        }
    }
}

/// The default name: results are kept without -o, too.
fn unnamed() -> PathBuf {
    PathBuf::from(format!("llmscope-{}.jsonl", Timestamp::now().strftime("%Y%m%dT%H%M%SZ")))
}
