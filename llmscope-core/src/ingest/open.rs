//! Opens files: decompresses them if necessary, and reads them in blocks if records are lines, otherwise as a whole.

use std::io::{Cursor, Read};

use super::stream::Stream;
use super::{Log, ReadOptions, Tool, foreign, read_with};
use crate::error::{Error, Location, Result};

/// The largest log that is read as a whole. An endless pipe stops here.
const LARGEST_WHOLE_BYTES: u64 = 4 << 30;
/// The number of bytes that recognition examines. A shorter log is read as a whole.
const HEAD_BYTES: usize = 256 << 10;

/// An opened log.
pub enum OpenedLog {
    /// A log that has been read.
    Log(Log),
    /// A long log whose records can be read one after another.
    Stream(Box<Stream>),
}

/// Opens a log. `source` names the file in messages; `tool` forces a format. Files compressed with gzip or zstd are
/// decompressed (with the feature `compression`).
///
/// # Errors
/// [`Error::Io`] if it cannot be read; otherwise as [`read`](super::read).
pub fn open(source: &str, input: impl Read + Send + 'static, tool: Option<Tool>) -> Result<OpenedLog> {
    open_with(source, input, &ReadOptions { tool, ..ReadOptions::default() })
}

/// Opens a log about which the caller states these facts.
///
/// # Errors
/// As [`open`].
pub fn open_with(source: &str, input: impl Read + Send + 'static, options: &ReadOptions) -> Result<OpenedLog> {
    let mut input = unpack(source, Box::new(input))?;
    let head = take(source, &mut input, HEAD_BYTES as u64)?;
    if head.len() < HEAD_BYTES {
        return read_with(source, &head, options).map(OpenedLog::Log);
    }
    foreign::refuse(source, &head)?;
    let text = text_of(&head).to_owned();
    let skipped = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    let all = Box::new(Cursor::new(head).chain(input));
    match Stream::of(source, &text, skip(all, skipped), options)? {
        Ok(stream) => Ok(OpenedLog::Stream(Box::new(stream))),
        Err(rest) => read_whole_with(source, rest, options).map(OpenedLog::Log),
    }
}

/// Reads a log as a whole, regardless of its length. Files compressed with gzip or zstd are decompressed (with the
/// feature `compression`).
///
/// # Errors
/// [`Error::Io`] if it cannot be read; [`Error::Format`] as for [`read`](super::read), and for more than 4 GiB.
pub fn read_whole(source: &str, input: impl Read + Send + 'static, tool: Option<Tool>) -> Result<Log> {
    read_whole_with(source, input, &ReadOptions { tool, ..ReadOptions::default() })
}

/// Reads a log as a whole, about which the caller states these facts.
///
/// # Errors
/// As [`read_whole`].
pub fn read_whole_with(source: &str, input: impl Read + Send + 'static, options: &ReadOptions) -> Result<Log> {
    let mut input = unpack(source, Box::new(input))?;
    read_with(source, &take_whole(source, &mut input)?, options)
}

/// The whole stream, if it does not exceed the limit for reading a log as a whole.
fn take_whole(source: &str, input: &mut dyn Read) -> Result<Vec<u8>> {
    let bytes = take(source, input, LARGEST_WHOLE_BYTES + 1)?;
    if bytes.len() as u64 > LARGEST_WHOLE_BYTES {
        return Err(Error::Format {
            location: Location::of(source),
            problem: "larger than 4 GiB".to_owned(),
            fix: "split it, or select a part of it".to_owned(),
        });
    }
    Ok(bytes)
}

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text at the beginning of a file, up to the first bytes that are not UTF-8.
fn text_of(head: &[u8]) -> &str {
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(head);
    let valid = std::str::from_utf8(head).map_or_else(|error| error.valid_up_to(), str::len);
    std::str::from_utf8(&head[..valid]).unwrap_or_default()
}

fn skip(mut input: Box<dyn Read + Send>, bytes: usize) -> Box<dyn Read + Send> {
    // The bytes are in memory: reading them cannot fail.
    let _ = std::io::copy(&mut (&mut input).take(bytes as u64), &mut std::io::sink());
    input
}

fn take(source: &str, input: &mut dyn Read, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match input.take(most).read_to_end(&mut bytes) {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Error::Io { path: source.to_owned(), message: error.to_string() }),
    }
}

/// The decompressed stream.
fn unpack(source: &str, mut input: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
    let mark = take(source, &mut input, 4)?;
    let packing = Packing::of(&mark);
    let whole: Box<dyn Read + Send> = Box::new(Cursor::new(mark).chain(input));
    match packing {
        None => Ok(whole),
        Some(packing) => packing.open(source, whole),
    }
}

/// The compression of a file.
#[derive(Debug, Clone, Copy)]
pub(super) enum Packing {
    Gzip,
    Zstd,
}

impl Packing {
    /// The compression that the first bytes indicate.
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    #[cfg(feature = "compression")]
    fn open(self, source: &str, packed: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
        let unpacked: Box<dyn Read + Send> = match self {
            Self::Gzip => Box::new(flate2::read::MultiGzDecoder::new(packed)),
            Self::Zstd => {
                let decoder = zstd::stream::read::Decoder::new(packed);
                let refuse = |error: std::io::Error| Error::Io { path: source.to_owned(), message: error.to_string() };
                Box::new(decoder.map_err(refuse)?)
            }
        };
        Ok(Box::new(Unpacked { packing: self, input: unpacked }))
    }

    #[cfg(not(feature = "compression"))]
    fn open(self, source: &str, _: Box<dyn Read + Send>) -> Result<Box<dyn Read + Send>> {
        let tool = match self {
            Self::Gzip => "gunzip",
            Self::Zstd => "unzstd",
        };
        Err(Error::Format {
            location: Location::of(source),
            problem: "the file is compressed".to_owned(),
            fix: format!("decompress it first ({tool}), or build with the feature `compression`"),
        })
    }
}

/// A stream that is decompressed while it is read. Errors of the decoder become errors about the file.
#[cfg(feature = "compression")]
struct Unpacked {
    packing: Packing,
    input: Box<dyn Read + Send>,
}

#[cfg(feature = "compression")]
impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.input.read(buffer).map_err(|error| {
            let packing = self.packing;
            std::io::Error::new(
                error.kind(),
                format!("the {packing:?} data are truncated or damaged ({error}): copy the file again"),
            )
        })
    }
}

/// The decompressed content of `bytes`.
pub(super) fn unpacked(source: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>> {
    let Some(packing) = Packing::of(bytes) else { return Ok(None) };
    let mut input = packing.open(source, Box::new(Cursor::new(bytes.to_vec())))?;
    take_whole(source, &mut input).map(Some)
}
