//! Undelivered records in a file that survives the end of the process, however it ends.
//!
//! Each record is appended as one line before it is sent. After deliveries, a line `{"delivered": N}` counts the records
//! that are done, from the beginning of the file. The next process that opens the file sends the rest. A record is delivered at
//! least once: a process that is killed between a delivery and its line sends that record again.
//!
//! The lines are written to the operating system, and not forced to the disk: they survive a killed process, and not
//! always a loss of power.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use llmscope_core::{Error, Location};
use serde_json::{Value, json};

use crate::error::Result;

/// A file of this many lines is written again with only the undelivered records.
const MOST_LINES: usize = 40_000;

/// A spool file, locked for this process.
#[derive(Debug)]
pub(crate) struct Spool {
    path: PathBuf,
    file: File,
    lines: usize,
    /// The records at the beginning of the file that are done.
    done: usize,
}

impl Spool {
    /// Opens or creates a file, and returns its undelivered records. `None` if another process has it.
    pub(crate) fn open(path: &Path) -> Result<Option<(Self, Vec<Value>)>> {
        let io = |error: std::io::Error| Error::Io { path: path.display().to_string(), message: error.to_string() };
        let Some(mut file) = lock(path).map_err(io)? else { return Ok(None) };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(io)?;
        // A process that was killed while it wrote leaves a part of a line.
        let complete = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        file.set_len(complete as u64).map_err(io)?;
        let (records, done) = read(path, &String::from_utf8_lossy(&bytes[..complete]))?;
        let lines = bytes[..complete].iter().filter(|&&byte| byte == b'\n').count();
        Ok(Some((Self { path: path.to_owned(), file, lines, done }, records)))
    }

    /// The path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a record that will be sent.
    pub(crate) fn append(&mut self, record: &Value) -> std::io::Result<()> {
        self.write_line(record)
    }

    /// Notes that the oldest record is done: delivered, refused or dropped. `left` are the records that are not.
    pub(crate) fn finish_oldest<'r>(&mut self, left: impl ExactSizeIterator<Item = &'r Value>) -> std::io::Result<()> {
        if left.len() == 0 {
            self.file.set_len(0)?;
            (self.lines, self.done) = (0, 0);
            return Ok(());
        }
        if self.lines >= MOST_LINES {
            return self.compact(left);
        }
        self.done += 1;
        self.write_line(&json!({"delivered": self.done}))
    }

    /// Removes the file if no record is left.
    pub(crate) fn close(self, left: usize) -> std::io::Result<()> {
        if left == 0 { std::fs::remove_file(&self.path) } else { Ok(()) }
    }

    /// One write for a line, so that a killed process tears at most the last one.
    fn write_line(&mut self, line: &Value) -> std::io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.lines += 1;
        Ok(())
    }

    /// Replaces the file by one with only these records.
    fn compact<'r>(&mut self, records: impl Iterator<Item = &'r Value>) -> std::io::Result<()> {
        let mut part = self.path.clone().into_os_string();
        part.push(".part");
        let Some(mut file) = lock(Path::new(&part))? else { return Ok(()) };
        file.set_len(0)?;
        let mut lines = 0;
        let text: String = records.inspect(|_| lines += 1).map(|record| format!("{record}\n")).collect();
        file.write_all(text.as_bytes())?;
        file.sync_data()?;
        std::fs::rename(&part, &self.path)?;
        (self.file, self.lines, self.done) = (file, lines, 0);
        Ok(())
    }
}

/// Opens or creates a file that only its owner can read, and locks it for this process. `None` if another one has it.
fn lock(path: &Path) -> std::io::Result<Option<File>> {
    loop {
        let mut options = OpenOptions::new();
        options.create(true).read(true).append(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            // The file may have been replaced or removed between the two calls.
            Ok(()) if is_at(&file, path) => return Ok(Some(file)),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

/// True if the path names this file.
fn is_at(file: &File, path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        let there = std::fs::metadata(path).map(identity);
        file.metadata().map(identity).is_ok_and(|own| there.is_ok_and(|there| there == own))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        path.exists()
    }
}

/// The undelivered records of a file, and the number of those that are done.
fn read(path: &Path, text: &str) -> Result<(Vec<Value>, usize)> {
    let (mut records, mut done) = (Vec::new(), 0);
    for (line, number) in text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty()) {
        let value: Value = serde_json::from_str(line).map_err(|error| Error::Format {
            location: Location::of(&path.display().to_string()).line(number),
            problem: error.to_string(),
            fix: "it is not a file of undelivered records: move it away".to_owned(),
        })?;
        match value.as_object().filter(|object| object.len() == 1).and_then(|object| object.get("delivered")?.as_u64())
        {
            Some(delivered) => done = usize::try_from(delivered).unwrap_or(usize::MAX),
            None => records.push(value),
        }
    }
    let done = done.min(records.len());
    Ok((records.split_off(done), done))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn record(n: usize) -> Value {
        if n == 1 { json!({"text": "an alert"}) } else { json!({"provider": "p", "n": n}) }
    }

    fn open(path: &Path) -> (Spool, Vec<Value>) {
        Spool::open(path).unwrap().unwrap()
    }

    #[test]
    fn the_next_process_gets_what_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let (mut spool, found) = open(&path);
        assert_eq!(found, [] as [Value; 0]);
        let records: Vec<Value> = (0..5).map(record).collect();
        records.iter().for_each(|record| spool.append(record).unwrap());
        spool.finish_oldest(records[1..].iter()).unwrap();
        spool.finish_oldest(records[2..].iter()).unwrap();
        assert!(Spool::open(&path).unwrap().is_none(), "it is locked");
        // As a killed process does, without an end.
        drop(spool);
        let (mut spool, found) = open(&path);
        assert_eq!(found, records[2..]);
        spool.append(&record(5)).unwrap();
        spool.finish_oldest([record(3), record(4), record(5)].iter()).unwrap();
        drop(spool);
        assert_eq!(open(&path).1, [record(3), record(4), record(5)]);
    }

    #[test]
    fn a_torn_line_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        std::fs::write(&path, format!("{}\n{}\n{{\"provider\": \"p", record(0), record(1))).unwrap();
        let (mut spool, found) = open(&path);
        assert_eq!(found, [record(0), record(1)]);
        spool.append(&record(2)).unwrap();
        drop(spool);
        assert_eq!(open(&path).1.len(), 3);
    }

    #[test]
    fn it_stays_small_and_private_and_goes_when_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let (mut spool, _) = open(&path);
        let left = [record(0)];
        for _ in 0..MOST_LINES {
            spool.append(&record(0)).unwrap();
            spool.finish_oldest(left.iter()).unwrap();
        }
        let metadata = std::fs::metadata(&path).unwrap();
        assert!(metadata.len() < (MOST_LINES * 60) as u64, "{}", metadata.len());
        #[cfg(unix)]
        assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
        assert!(Spool::open(&path).unwrap().is_none(), "the new file is locked, too");
        spool.finish_oldest([].iter()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        spool.close(0).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        std::fs::write(&path, "dear diary\n").unwrap();
        let message = Spool::open(&path).unwrap_err().to_string();
        assert!(message.contains("notes") && message.contains("move it away"), "{message}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "dear diary\n");
    }
}
