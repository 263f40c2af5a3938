//! Files of other kinds, which are named as what they are.

use memchr::memmem;

use crate::error::{Error, Location, Result};

/// First bytes of files, what the file is, and what to do about it.
const KINDS: [(&[u8], &str, &str); 14] = [
    (
        b"SQLite format 3\0",
        "an SQLite database",
        "export its table: sqlite3 -header -csv FILE 'SELECT * FROM TABLE' > table.csv",
    ),
    (b"\xfd7zXZ\0", "compressed with xz", "decompress it first (unxz)"),
    (b"BZh91AY&SY", "compressed with bzip2", "decompress it first (bunzip2)"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "decompress it first (unlz4)"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "extract it, and give the files in it"),
    (b"Rar!", "a RAR archive", "extract it, and give the files in it"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save its sheet as CSV"),
    (b"%PDF", "a PDF document", "give the log that it shows"),
    (b"\x89HDF", "an HDF5 file", "export its table as CSV or Parquet"),
    (b"\x93NUMPY", "a NumPy array", "export it as CSV"),
    (b"\x89PNG", "a PNG picture", "give the log that it shows"),
    (b"PAR1", "a Parquet file", "convert it to CSV or JSON Lines"),
    (b"ARROW1", "an Arrow file", "convert it to CSV or JSON Lines"),
    (b"\x7fELF", "a program", "give the log that it writes"),
];

/// Refuses a file of another kind.
pub(super) fn refuse(source: &str, bytes: &[u8]) -> Result<()> {
    let known = KINDS.iter().find(|(mark, ..)| bytes.starts_with(mark)).map(|&(_, what, fix)| (what, fix));
    match known.or_else(|| zip(bytes)).or_else(|| tar(bytes)).or_else(|| html(bytes)) {
        None => Ok(()),
        Some((what, fix)) => Err(Error::Format {
            location: Location::of(source),
            problem: format!("the file is {what}"),
            fix: fix.to_owned(),
        }),
    }
}

fn zip(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    const LONGEST: usize = 4096;
    let archive = bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06");
    let head = &bytes[..bytes.len().min(LONGEST)];
    let is_office = memmem::find(head, b"[Content_Types].xml").is_some() || memmem::find(head, b"xl/").is_some();
    match (archive, is_office) {
        (false, _) => None,
        (true, true) => Some(("an Excel workbook (.xlsx)", "save its sheet as CSV")),
        (true, false) => Some(("a zip archive", "extract it, and give the files in it")),
    }
}

fn html(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = bytes.trim_ascii_start();
    let begins = |mark: &[u8]| text.get(..mark.len()).is_some_and(|start| start.eq_ignore_ascii_case(mark));
    (begins(b"<!doctype html") || begins(b"<html")).then_some(("a web page", "give the log that it shows"))
}

fn tar(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let is_tar = bytes.get(257..262) == Some(b"ustar");
    is_tar.then_some(("a tar archive", "extract it, and give the files in it"))
}
