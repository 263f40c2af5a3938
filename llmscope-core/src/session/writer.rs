//! Records a session while it runs: one line is appended per request, so that a crash loses at most that line.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::format::{LineReader, SessionLine};
use super::{ClientHealth, MachineSample, RequestRecord, RunEvent, SessionHeader, Warning};
use crate::error::{Error, Location, Result};

/// A longer line is not one of a session.
const MOST_OF_A_LINE: u64 = 64 << 20;

/// Appends the records of one session to a JSON Lines file.
///
/// [`SessionWriter::append`] returns only after the operating system has accepted the record in a single write. While a
/// writer is open, a second writer of the same file is rejected. A line that does not fit on the disk is removed, so that a
/// later one can be appended.
///
/// ```
/// use llmscope_core::session::{RequestRecord, Session, SessionHeader, SessionWriter};
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("run.jsonl");
/// let mut writer = SessionWriter::create(&path, &SessionHeader::default())?;
/// writer.append(&RequestRecord { ttft_s: Some(0.21), ..RequestRecord::default() })?;
/// let text = std::fs::read_to_string(&path).unwrap();
/// assert_eq!(Session::read("run.jsonl", &text)?.session.records[0].ttft_s, Some(0.21));
/// # Ok::<(), llmscope_core::Error>(())
/// ```
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
    ///
    /// ```
    /// use llmscope_core::session::{RequestRecord, SessionHeader, SessionWriter};
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let path = folder.path().join("run.jsonl");
    /// SessionWriter::create(&path, &SessionHeader::default())?.append(&RequestRecord::default())?;
    /// // A crash in the middle of a line.
    /// let torn = std::fs::read_to_string(&path).unwrap() + "{\"kind\":\"req";
    /// std::fs::write(&path, torn).unwrap();
    /// let (_, warnings) = SessionWriter::resume(&path)?;
    /// assert_eq!(warnings.len(), 1);
    /// assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn resume(path: &Path) -> Result<(Self, Vec<Warning>)> {
        Self::resume_with(path, |_| ())
    }

    /// The same, and calls `each` with every record of the session, in order. The file is read line by line, so that a long
    /// session needs no memory.
    ///
    /// # Errors
    /// Those of [`SessionWriter::resume`]. A session with an invalid line is rejected before anything is appended.
    pub fn resume_with(path: &Path, mut each: impl FnMut(RequestRecord)) -> Result<(Self, Vec<Warning>)> {
        let open = OpenOptions::new().read(true).append(true).open(path);
        let file = open.map_err(|error| Error::io(path, &error))?;
        let mut writer = Self { file, path: path.to_owned(), length: 0 };
        writer.lock()?;
        let source = path.display().to_string();
        let (mut lines, mut reader) = (LineReader::new(&source), BufReader::new(&writer.file));
        let (mut warnings, mut whole, mut line) = (Vec::new(), 0, Vec::new());
        loop {
            line.clear();
            let length = (&mut reader).take(MOST_OF_A_LINE).read_until(b'\n', &mut line);
            let length = length.map_err(|error| Error::io(path, &error))? as u64;
            if length == 0 {
                break;
            }
            if line.last() != Some(&b'\n') && lines.has_header() && length < MOST_OF_A_LINE {
                let message = "the last line was incomplete, as after a crash, and was removed".to_owned();
                warnings.push(Warning { location: Location::of(&source).line(lines.number() + 1), message });
                break;
            }
            let text = str::from_utf8(&line).map_err(|_| not_text(&source, lines.number() + 1))?;
            match lines.read(text) {
                Ok(Some(SessionLine::Request(record))) => each(*record),
                Ok(_) => {}
                Err(error) if lines.has_header() || is_header(&line) => return Err(error),
                Err(_) => return Err(no_header(&source)),
            }
            whole += length;
        }
        if !lines.has_header() {
            return Err(no_header(&source));
        }
        if !warnings.is_empty() {
            writer.file.set_len(whole).map_err(|error| Error::io(path, &error))?;
        }
        writer.length = whole;
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

fn not_text(source: &str, line: u64) -> Error {
    Error::Format {
        location: Location::of(source).line(line),
        problem: "the line is not UTF-8".to_owned(),
        fix: "begin a new file".to_owned(),
    }
}

/// True for the header of a session of any version.
fn is_header(line: &[u8]) -> bool {
    matches!(serde_json::from_slice(line), Ok(SessionLine::Session(_)))
}

fn no_header(source: &str) -> Error {
    Error::Format {
        location: Location::of(source).line(1),
        problem: "the file does not begin with the header of a session in JSON Lines".to_owned(),
        fix: "begin a new file".to_owned(),
    }
}
