//! A text file in memory.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use llmscope_core::error::{Error, Location, Result};

/// Maximum size of a file: its text and its conversations are held in memory at the same time.
const LARGEST: u64 = 1 << 30;

/// The text of a file and its names.
#[derive(Debug)]
pub(super) struct Source {
    /// The path as given, for messages.
    pub(super) given: String,
    /// The file name.
    pub(super) name: String,
    /// The text.
    pub(super) text: String,
}

impl Source {
    /// Reads a file, which must be UTF-8.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let given = path.display().to_string();
        let io = |error: std::io::Error| Error::Io { path: given.clone(), message: error.to_string() };
        let file = File::open(path).map_err(io)?;
        let size = file.metadata().map_err(io)?.len();
        if size > LARGEST {
            return Err(too_large(&given));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        // The size of a pipe is unknown.
        file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(io)?;
        if bytes.len() as u64 > LARGEST {
            return Err(too_large(&given));
        }
        let name = path.file_name().map_or_else(|| given.clone(), |name| name.to_string_lossy().into_owned());
        Ok(Self { text: decode(&given, bytes)?, given, name })
    }

    /// The location of the whole file.
    pub(super) fn location(&self) -> Location {
        Location::of(&self.given)
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self { given: "data/x".to_owned(), name: "x".to_owned(), text: text.to_owned() }
    }
}

/// An error for a file or a location in it.
pub(super) fn refuse<T>(location: Location, problem: impl Into<String>, fix: impl Into<String>) -> Result<T> {
    Err(Error::Format { location, problem: problem.into(), fix: fix.into() })
}

fn too_large(given: &str) -> Error {
    Error::Format {
        location: Location::of(given),
        problem: "the file is larger than 1 GiB".to_owned(),
        fix: "take a part of it (head -n 100000)".to_owned(),
    }
}

fn decode(given: &str, mut bytes: Vec<u8>) -> Result<String> {
    let location = Location::of(given);
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return refuse(location, "the file is compressed", "decompress it first (gunzip, unzstd)");
    }
    if bytes.starts_with(b"PAR1") {
        return refuse(location, "the file is Parquet", "convert it to JSON Lines or CSV first");
    }
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return refuse(location, "the file is UTF-16", "save it as UTF-8");
    }
    if bytes.starts_with(b"\xef\xbb\xbf") {
        bytes.drain(..3);
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..valid].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            refuse(location.line(line), "bytes that are not UTF-8", "save the file as UTF-8")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::super::{prompts, trace};
    use super::*;

    fn open(bytes: &[u8]) -> Result<Source> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        Source::open(file.path())
    }

    #[test]
    fn a_byte_order_mark_is_not_part_of_the_text() {
        assert_eq!(open(b"\xef\xbb\xbfhello").unwrap().text, "hello");
    }

    #[test]
    fn files_that_are_not_text_are_named() {
        let is_refused_with = |bytes: &[u8], words: &str| open(bytes).unwrap_err().to_string().contains(words);
        assert!(is_refused_with(&[0x1f, 0x8b, 8], "compressed"));
        assert!(is_refused_with(b"PAR1....", "Parquet"));
        assert!(is_refused_with(&[0xff, 0xfe, 65, 0], "UTF-16"));
        assert!(is_refused_with(b"fine\nfine\nbad \xff\n", ":3: bytes that are not UTF-8"));
        assert!(matches!(Source::open(Path::new("no/such/file")), Err(Error::Io { .. })));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes: Vec<u8>) {
            let (given, name) = (String::new(), String::new());
            if let Ok(text) = decode("x", bytes) {
                let source = Source { given, name, text };
                let _ = (prompts::read(&source), trace::read(&source, 1));
            }
        }
    }

    #[test]
    fn a_file_above_1_gib_is_refused_unread() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGEST + 1).unwrap();
        assert!(Source::open(file.path()).unwrap_err().to_string().contains("larger than 1 GiB"));
    }
}
