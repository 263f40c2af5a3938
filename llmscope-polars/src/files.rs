//! Parquet and Arrow files.

use std::io::Cursor;
use std::path::Path;
use std::str::FromStr;

use llmscope_core::files::write_atomically;
use polars::prelude::{
    DataFrame, IpcCompression, IpcReader, IpcScanOptions, IpcWriter, LazyFrame, ParquetCompression, ParquetReader,
    ParquetWriter, PlRefPath, ScanArgsParquet, SerReader as _, SerWriter as _, UnifiedScanArgs,
};

use crate::error::{Result, guarded};

/// A binary format of columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// Apache Parquet.
    Parquet,
    /// An Arrow IPC file, also known as Feather 2.
    Ipc,
}

impl FileKind {
    /// The format of a file, recognized by its first bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"PAR1") {
            Some(Self::Parquet)
        } else if bytes.starts_with(b"ARROW1") {
            Some(Self::Ipc)
        } else {
            None
        }
    }
}

impl FromStr for FileKind {
    type Err = llmscope_core::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        match name {
            "parquet" => Ok(Self::Parquet),
            "arrow" | "ipc" | "feather" => Ok(Self::Ipc),
            _ => Err(llmscope_core::Error::Unknown {
                what: "format of columns",
                name: name.to_owned(),
                expected: "parquet, arrow, ipc or feather".to_owned(),
            }),
        }
    }
}

/// Reads a frame from the bytes of a file. `source` names the file in messages.
///
/// polars allocates as much memory as a file declares: a file with a corrupted length can abort the program for lack of
/// memory, which cannot be reported as an error. Truncated files and other damage are errors.
///
/// # Errors
/// [`Error::Polars`](crate::Error::Polars) or [`Error::Panicked`](crate::Error::Panicked) for a damaged file.
pub fn read_bytes(source: &str, bytes: &[u8], kind: FileKind) -> Result<DataFrame> {
    guarded(source, || match kind {
        FileKind::Parquet => ParquetReader::new(Cursor::new(bytes)).finish(),
        FileKind::Ipc => IpcReader::new(Cursor::new(bytes)).finish(),
    })
}

/// A frame as the bytes of a file, compressed with Zstandard.
///
/// # Errors
/// [`Error::Polars`](crate::Error::Polars) if the format does not support a type of the frame.
pub fn to_bytes(frame: &DataFrame, kind: FileKind) -> Result<Vec<u8>> {
    // This copies pointers, not data: the writers rearrange chunks.
    let mut frame = frame.clone();
    let mut bytes = Vec::new();
    guarded("writing", || match kind {
        FileKind::Parquet => ParquetWriter::new(&mut bytes)
            .with_compression(ParquetCompression::Zstd(None))
            .finish(&mut frame)
            .map(|_| ()),
        FileKind::Ipc => {
            IpcWriter::new(&mut bytes).with_compression(Some(IpcCompression::default())).finish(&mut frame)
        }
    })?;
    Ok(bytes)
}

/// Reads a frame from a Parquet file.
///
/// # Errors
/// [`Error::Core`](crate::Error::Core) if the file cannot be opened; otherwise as [`read_bytes`].
pub fn read_parquet(path: &Path) -> Result<DataFrame> {
    read(path, FileKind::Parquet)
}

/// Writes a frame as a Parquet file, atomically: the file has either the old or the complete new content.
///
/// # Errors
/// [`Error::Core`](crate::Error::Core) if the file cannot be written; otherwise as [`to_bytes`].
pub fn write_parquet(path: &Path, frame: &DataFrame) -> Result<()> {
    Ok(write_atomically(path, &to_bytes(frame, FileKind::Parquet)?)?)
}

/// Reads a frame from an Arrow IPC file.
///
/// # Errors
/// As [`read_parquet`].
pub fn read_ipc(path: &Path) -> Result<DataFrame> {
    read(path, FileKind::Ipc)
}

/// Writes a frame as an Arrow IPC file, atomically: the file has either the old or the complete new content.
///
/// # Errors
/// As [`write_parquet`].
pub fn write_ipc(path: &Path, frame: &DataFrame) -> Result<()> {
    Ok(write_atomically(path, &to_bytes(frame, FileKind::Ipc)?)?)
}

/// A lazy frame of a file: only the columns that a query needs are read.
///
/// # Errors
/// [`Error::Polars`](crate::Error::Polars) if polars rejects the path.
pub fn scan(path: &Path, kind: FileKind) -> Result<LazyFrame> {
    let place = PlRefPath::new(path.to_string_lossy());
    guarded(&path.display().to_string(), || match kind {
        // The path is literal: `*` and `?` are not wildcards.
        FileKind::Parquet => {
            LazyFrame::scan_parquet(place, ScanArgsParquet { glob: false, ..ScanArgsParquet::default() })
        }
        FileKind::Ipc => {
            let args = UnifiedScanArgs { glob: false, ..UnifiedScanArgs::default() };
            LazyFrame::scan_ipc(place, IpcScanOptions::default(), args)
        }
    })
}

fn read(path: &Path, kind: FileKind) -> Result<DataFrame> {
    let source = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| llmscope_core::Error::Io { path: source.clone(), message: error.to_string() })?;
    read_bytes(&source, &bytes, kind)
}
