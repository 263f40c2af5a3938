//! Atomic writing of files.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// Writes a complete file atomically, as [`WholeFile`] does.
///
/// # Errors
/// [`Error::Io`].
///
/// ```
/// use llmscope_core::files::write_atomically;
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("report.html");
/// write_atomically(&path, b"<p>old")?;
/// write_atomically(&path, b"<p>new")?;
/// assert_eq!(std::fs::read(&path).unwrap(), b"<p>new");
/// # Ok::<(), llmscope_core::Error>(())
/// ```
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = WholeFile::create(path)?;
    file.target.as_write().write_all(content).map_err(|error| Error::io(path, &error))?;
    file.finish()
}

/// A file that appears only when it is complete. The content goes to a temporary file in the same directory, which is
/// renamed at the end. If the writer is dropped before that, the temporary file is removed and an existing file stays
/// unchanged.
///
/// A file that exists keeps its permissions, and its owner if the process may set it.
///
/// A symbolic link is followed to its target. A path that is not a regular file, such as a device or a pipe, is written
/// to directly.
///
/// ```
/// use std::io::Write as _;
///
/// use llmscope_core::files::WholeFile;
///
/// let folder = tempfile::tempdir().unwrap();
/// let path = folder.path().join("report.html");
/// let mut file = WholeFile::create(&path)?;
/// file.write_all(b"<p>half").unwrap();
/// assert!(!path.exists());
/// drop(file); // not finished: nothing appears
/// assert!(!path.exists());
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    target: Target,
}

#[derive(Debug)]
enum Target {
    Temporary(BufWriter<NamedTempFile>),
    Stream(BufWriter<File>),
}

impl WholeFile {
    /// Starts writing the file at `path`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn create(path: &Path) -> Result<Self> {
        let io = |error: std::io::Error| Error::io(path, &error);
        let there = std::fs::metadata(path).ok();
        if there.as_ref().is_some_and(|there| !there.is_file()) {
            let stream = File::options().write(true).open(path).map_err(io)?;
            return Ok(Self { path: path.to_owned(), target: Target::Stream(BufWriter::new(stream)) });
        }
        let path = if there.is_some() { std::fs::canonicalize(path).map_err(io)? } else { path.to_owned() };
        let temporary = temporary_next_to(&path).map_err(io)?;
        if let Some(there) = &there {
            keep_access(temporary.as_file(), there).map_err(io)?;
        }
        Ok(Self { path, target: Target::Temporary(BufWriter::new(temporary)) })
    }

    /// Completes the file: from now on it is visible.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn finish(self) -> Result<()> {
        let Self { path, target } = self;
        let io = |error: std::io::Error| Error::io(&path, &error);
        match target {
            Target::Temporary(temporary) => {
                let file = temporary.into_inner().map_err(|error| io(error.into_error()))?;
                file.as_file().sync_all().map_err(io)?;
                file.persist(&path).map_err(|error| io(error.error))?;
            }
            Target::Stream(mut stream) => stream.flush().map_err(io)?,
        }
        Ok(())
    }
}

impl Target {
    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::Temporary(file) => file,
            Self::Stream(stream) => stream,
        }
    }
}

/// Errors name the file.
impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.target.as_write().write(bytes).map_err(|error| named(&self.path, &error))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.target.as_write().flush().map_err(|error| named(&self.path, &error))
    }
}

fn named(path: &Path, error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Gives a new file the permissions of the one that it replaces, and its owner.
fn keep_access(file: &File, replaced: &std::fs::Metadata) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        // Only a privileged process may give files away. For others, the writer becomes the owner.
        let _ = std::os::unix::fs::fchown(file, Some(replaced.uid()), Some(replaced.gid()));
    }
    // After the owner, whose change can remove bits of the mode.
    file.set_permissions(replaced.permissions())
}

fn temporary_next_to(path: &Path) -> std::io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // Created like any new file: the process's umask removes permissions from this mode.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.prefix(".llmscope-").tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_file_that_is_not_ended_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_atomically(&path, b"old").unwrap();
        let mut file = WholeFile::create(&path).unwrap();
        file.write_all(b"new, but not all of it").unwrap();
        drop(file);
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    #[cfg(unix)]
    fn a_private_file_stays_private() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for mode in [0o600, 0o640, 0o444] {
            let _ = std::fs::remove_file(&path);
            std::fs::write(&path, "old").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            write_atomically(&path, b"new").unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode);
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_link_stays_and_its_file_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let [file, link] = ["file", "link"].map(|name| folder.path().join(name));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_atomically(&link, b"new").unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    #[cfg(unix)]
    fn a_pipe_is_written_to_and_stays_one() {
        use std::os::unix::fs::FileTypeExt as _;

        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || std::fs::read(pipe).unwrap()
        });
        write_atomically(&pipe, b"content").unwrap();
        assert_eq!(reader.join().unwrap(), b"content");
        assert!(std::fs::symlink_metadata(&pipe).unwrap().file_type().is_fifo());
    }

    #[test]
    fn a_folder_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refused = write_atomically(folder.path(), b"content").unwrap_err();
        assert!(matches!(refused, Error::Io { .. }), "{refused}");
    }
}
