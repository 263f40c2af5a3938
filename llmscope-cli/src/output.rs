//! The one place that prints: data to standard output or a file, messages to standard error.

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Write};
use std::path::Path;

use anstream::adapter::StripBytes;
use anstyle::{AnsiColor, Style};
use anyhow::Result;
use llmscope_core::files::WholeFile;
use llmscope_core::text::visible;
use serde::Serialize;

use crate::remedy::remedy;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
pub(crate) const CAUTION: Style = AnsiColor::Yellow.on_default();

/// The destination of data: standard output (styled on a terminal only), or a file that is replaced atomically.
pub(crate) enum Sink {
    Stdout { stream: Box<anstream::AutoStream<io::Stdout>>, is_terminal: bool },
    File { file: WholeFile, styles: StripBytes },
}

impl Sink {
    pub(crate) fn stdout() -> Self {
        let stream = Box::new(anstream::AutoStream::auto(io::stdout()));
        Self::Stdout { stream, is_terminal: io::stdout().is_terminal() }
    }

    pub(crate) fn to(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::stdout()) };
        Ok(Self::File { file: WholeFile::create(path)?, styles: StripBytes::new() })
    }

    /// Writes a JSON document.
    pub(crate) fn write_json(&mut self, document: &impl Serialize) -> Result<()> {
        let mut buffer = BufWriter::new(self);
        serde_json::to_writer_pretty(&mut buffer, document).map_err(io::Error::from)?;
        writeln!(buffer)?;
        Ok(buffer.flush()?)
    }

    /// Width of tables: `COLUMNS`, the width of the terminal, or 100.
    pub(crate) fn width(&self) -> usize {
        const DEFAULT: usize = 100;
        let requested = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = match self {
            Self::Stdout { is_terminal: true, .. } => {
                terminal_size::terminal_size().map(|(width, _)| usize::from(width.0))
            }
            _ => None,
        };
        requested.or(measured).unwrap_or(DEFAULT).clamp(40, 160)
    }

    /// Flushes standard output, or puts the file in place.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Stdout { mut stream, .. } => Ok(stream.flush().map_err(|error| of_stdout(&error))?),
            Self::File { file, .. } => Ok(file.finish()?),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout { stream, is_terminal: true } => {
                stream.write_all(harmless(bytes).as_bytes()).map_err(|error| of_stdout(&error))?;
                Ok(bytes.len())
            }
            Self::Stdout { stream, .. } => stream.write(bytes).map_err(|error| of_stdout(&error)),
            Self::File { file, styles } => {
                styles.strip_next(bytes).try_for_each(|plain| file.write_all(plain))?;
                Ok(bytes.len())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout { stream, .. } => stream.flush().map_err(|error| of_stdout(&error)),
            Self::File { file, .. } => file.flush(),
        }
    }
}

/// The error with the name of the destination.
fn of_stdout(error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("standard output: {error}"))
}

/// The text for a terminal: control and bidirectional characters of data are visible escapes, as in
/// [`visible`]. Line breaks, tabs and styles (`ESC [ digits m`), which change no more than colors, stay.
fn harmless(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut safe = String::with_capacity(text.len());
    let mut rest = &text[..];
    while let Some(at) = rest.find(|c: char| c.is_control() || !c.is_ascii()) {
        safe.push_str(&rest[..at]);
        let (kept, after) = split_harmless(&rest[at..]);
        safe.push_str(&kept);
        rest = after;
    }
    safe.push_str(rest);
    safe
}

/// Splits off a style, or one character.
fn split_harmless(text: &str) -> (Cow<'_, str>, &str) {
    if let Some(code) = text.strip_prefix("\u{1b}[") {
        let length = code.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
        if code[length..].starts_with('m') {
            let (style, rest) = text.split_at("\u{1b}[m".len() + length);
            return (Cow::Borrowed(style), rest);
        }
    }
    let first = text.chars().next().map_or(0, char::len_utf8);
    let (character, rest) = text.split_at(first);
    let stays = matches!(character, "\n" | "\t");
    (if stays { Cow::Borrowed(character) } else { visible(character) }, rest)
}

/// Writes bytes to standard output unchanged, without interpreting styles.
pub(crate) fn write_data(bytes: &[u8]) -> Result<()> {
    let mut stream = io::stdout().lock();
    Ok(stream.write_all(bytes).and_then(|()| stream.flush()).map_err(|error| of_stdout(&error))?)
}

/// Prints a message to standard error. A closed standard error is ignored.
pub(crate) fn say(style: Style, label: &str, text: &str) {
    let mut stream = anstream::AutoStream::auto(io::stderr());
    let text = text.split('\n').map(visible).collect::<Vec<_>>().join("\n");
    let _ = writeln!(stream, "{style}{label}{style:#} {text}");
}

/// Prints several lines to standard error.
pub(crate) fn write_text(text: &[u8]) {
    let _ = anstream::AutoStream::auto(io::stderr()).write_all(harmless(text).as_bytes());
}

pub(crate) fn say_error(error: &anyhow::Error) {
    say(BAD, "error:", &format!("{error:#}"));
    if let Some(remedy) = error.chain().find_map(|cause| remedy(cause.downcast_ref()?)) {
        say(BOLD, "hint:", &remedy);
    }
}

/// A reader that stops early, such as `head`, changes no exit status.
pub(crate) fn unless_closed(written: Result<()>) -> Result<()> {
    match written {
        Err(error) if is_closed_pipe(&error) => Ok(()),
        written => written,
    }
}

pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let closed = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    error.chain().any(closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_no_control_characters_of_data() {
        let styled = format!("{BAD}CHANGED{BAD:#} größer\t1\n");
        assert_eq!(harmless(styled.as_bytes()), styled);
        let hostile = "a\u{1b}[2J\u{1b}]0;title\u{7}b\u{9b}1mc\r\u{202e}d";
        assert_eq!(harmless(hostile.as_bytes()), r"a\u{1b}[2J\u{1b}]0;title\u{7}b\u{9b}1mc\r\u{202e}d");
    }
}
