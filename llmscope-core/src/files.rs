//! Writing files so that nobody ever sees half of one.

use std::io::Write as _;
use std::path::Path;

use crate::error::{Error, Result};

/// Writes a file whole: into a temporary neighbour that then takes its name.
///
/// # Errors
/// [`Error::Io`].
pub fn write_atomically(path: &Path, content: &[u8]) -> Result<()> {
    let io = |error: std::io::Error| Error::io(path, &error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As any new file would be: the process's umask takes from this what it should.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.prefix(".llmscope-").tempfile_in(folder).map_err(io)?;
    file.write_all(content).map_err(io)?;
    file.as_file().sync_all().map_err(io)?;
    file.persist(path).map_err(|error| io(error.error))?;
    Ok(())
}
