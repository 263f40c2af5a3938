//! Records a session while it runs: one line is appended per request, so that a crash loses at most that line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::format::SessionLine;
use super::{ClientHealth, MachineSample, RequestRecord, RunEvent, Session, SessionHeader, Warning};
use crate::error::{Error, Location, Result};

/// Appends the records of one session to a JSON Lines file.
///
/// [`SessionWriter::append`] returns only after the operating system has accepted the record in a single write. While a
/// writer is open, a second writer of the same file is rejected. A line that does not fit on the disk is removed, so that a
/// later one can be appended.
#[derive(Debug)]
pub struct SessionWriter {
    file: File,
    path: PathBuf,
    /// The bytes of complete lines.
    length: u64,
}

impl SessionWriter {
    /// Begins a session in a file that must not exist yet.
    ///
    /// # Errors
    /// [`Error::Io`] with the path, also if the file exists.
    pub fn create(path: &Path, header: &SessionHeader) -> Result<Self> {
        let file =
            OpenOptions::new().append(true).create_new(true).open(path).map_err(|error| Error::io(path, &error))?;
        let mut writer = Self { file, path: path.to_owned(), length: 0 };
        writer.lock()?;
        writer.write(&SessionLine::Session(Box::new(header.clone())))?;
        Ok(writer)
    }

    /// Continues a previous session. A truncated last line, as after a crash, is removed with a warning.
    ///
    /// # Errors
    /// [`Error::Io`]; [`Error::Format`] if the file does not contain a session in JSON Lines.
    pub fn resume(path: &Path) -> Result<(Self, Vec<Warning>)> {
        let open = OpenOptions::new().read(true).append(true).open(path);
        let file = open.map_err(|error| Error::io(path, &error))?;
        let mut writer = Self { file, path: path.to_owned(), length: 0 };
        writer.lock()?;
        let mut bytes = Vec::new();
        writer.file.read_to_end(&mut bytes).map_err(|error| Error::io(path, &error))?;
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        let source = path.display().to_string();
        let text = std::str::from_utf8(&bytes[..whole]).unwrap_or_default();
        let first = serde_json::from_str(text.lines().next().unwrap_or_default());
        if !matches!(first, Ok(SessionLine::Session(_))) {
            return Err(Error::Format {
                location: Location::of(&source).line(1),
                problem: "the file does not begin with the header of a session in JSON Lines".to_owned(),
                fix: "begin a new file".to_owned(),
            });
        }
        // Rejects a session of another version, or with an invalid line, before anything is appended.
        Session::read(&source, text)?;
        let mut warnings = Vec::new();
        if whole < bytes.len() {
            writer.file.set_len(whole as u64).map_err(|error| Error::io(path, &error))?;
            let line = bytes[..whole].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            let message = "the last line was incomplete, as after a crash, and was removed".to_owned();
            warnings.push(Warning { location: Location::of(&source).line(line), message });
        }
        writer.length = whole as u64;
        writer.file.seek(SeekFrom::End(0)).map_err(|error| Error::io(path, &error))?;
        Ok((writer, warnings))
    }

    /// Appends one request.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append(&mut self, record: &RequestRecord) -> Result<()> {
        self.write(&SessionLine::Request(Box::new(record.clone())))
    }

    /// Appends an event.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append_event(&mut self, event: &RunEvent) -> Result<()> {
        self.write(&SessionLine::Event(event.clone()))
    }

    /// Appends a sample of the machine's state.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append_sample(&mut self, sample: &MachineSample) -> Result<()> {
        self.write(&SessionLine::Sample(sample.clone()))
    }

    /// Appends the client's report on itself at the end of a run.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn append_health(&mut self, health: &ClientHealth) -> Result<()> {
        self.write(&SessionLine::ClientHealth(health.clone()))
    }

    /// Waits until everything appended so far is on disk.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| Error::io(&self.path, &error))
    }

    fn write(&mut self, line: &SessionLine) -> Result<()> {
        let text = line.to_text()?;
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // A part of the line may have been written. If it cannot be removed, the next start removes it.
            let _ = self.file.set_len(self.length);
            return Err(Error::io(&self.path, &error));
        }
        self.length += text.len() as u64;
        Ok(())
    }

    fn lock(&self) -> Result<()> {
        self.file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => Error::Io {
                path: self.path.display().to_string(),
                message: "another program is writing this session".to_owned(),
            },
            TryLockError::Error(error) => Error::io(&self.path, &error),
        })
    }
}
