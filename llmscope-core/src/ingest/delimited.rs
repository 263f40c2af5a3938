//! Comma-, semicolon-, tab- and pipe-separated values.

use super::delimited_rows::Header;
use super::numbers::Decimal;
use super::{Cell, Column, Table};
use crate::error::{Error, Location, Result, excerpt};

/// The beginning of delimited values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Beginning<'t> {
    /// The number of bytes before the header line.
    pub(super) skipped: usize,
    /// The header line, without its line feed and without the mark of a comment.
    pub(super) header: &'t str,
    /// The number of bytes before the first row.
    pub(super) rows: usize,
    /// The byte between fields.
    pub(super) delimiter: u8,
    /// True if lines that begin with `#` are comments.
    pub(super) comments: bool,
}

impl<'t> Beginning<'t> {
    /// Finds the header line: it follows a line `sep=;`, as Excel writes it, and comments. If the values follow the
    /// comments at once, the last comment names them.
    pub(super) fn of(text: &'t str) -> Self {
        let (mut at, mut stated, mut comments) = (0, None, false);
        let mut last_comment: Option<(usize, &str)> = None;
        for line in text.split_inclusive('\n') {
            let plain = line.trim();
            if let Some(&[separator]) = plain.strip_prefix("sep=").map(str::as_bytes).filter(|_| stated.is_none()) {
                stated = Some(separator);
            } else if plain.starts_with('#') {
                comments = true;
                last_comment = Some((at, line));
            } else if !plain.is_empty() {
                let rows = at + end_of_record(&text[at..]);
                let delimiter = stated.unwrap_or_else(|| delimiter(line));
                let usual = Self { skipped: at, header: text[at..rows].trim_end(), rows, delimiter, comments };
                return usual.with_comment(last_comment, stated);
            }
            at += line.len();
        }
        Self { skipped: at, header: "", rows: at, delimiter: stated.unwrap_or(b','), comments }
    }

    /// The last comment is the header if the line after it holds a number, and the comment as many names.
    fn with_comment(self, comment: Option<(usize, &'t str)>, stated: Option<u8>) -> Self {
        let Some((skipped, line)) = comment else { return self };
        let header = line.trim().trim_start_matches('#').trim();
        let delimiter = stated.unwrap_or_else(|| delimiter(header));
        let cells =
            |line: &str| line.split(char::from(delimiter)).map(str::trim).map(str::to_owned).collect::<Vec<_>>();
        let (names, values) = (cells(header), cells(self.header));
        let is_number = |cell: &String| cell.parse::<f64>().is_ok();
        if names.len() == values.len() && values.iter().any(is_number) && !names.iter().any(is_number) {
            return Self { skipped, header, rows: self.skipped, delimiter, ..self };
        }
        self
    }
}

/// The end of the first record: a quoted field can contain line feeds.
fn end_of_record(text: &str) -> usize {
    let mut is_quoted = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => is_quoted = !is_quoted,
            b'\n' if !is_quoted => return at + 1,
            _ => {}
        }
    }
    text.find('\n').filter(|_| is_quoted).map_or(text.len(), |end| end + 1)
}

/// The column names in a header line.
pub(super) fn header(source: &str, beginning: &Beginning<'_>, line: u64) -> Result<Header> {
    let Beginning { header, delimiter, comments, .. } = *beginning;
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(header.as_bytes());
    let names = reader.headers().map_err(|error| Error::of_csv(source, &error))?;
    let names: Vec<_> = names.iter().map(|name| name.trim().to_owned()).collect();
    let refuse = |problem: String, fix: &str| {
        Err(Error::Format { location: Location::of(source).line(line), problem, fix: fix.to_owned() })
    };
    if names.iter().all(|name| name.parse::<f64>().is_ok()) || names.iter().any(|name| is_value(name)) {
        return refuse(
            "the first line holds numbers instead of column names".to_owned(),
            "add a header line, such as: latency",
        );
    }
    let repeated = names.iter().enumerate().find(|(at, name)| !name.is_empty() && names[..*at].contains(name));
    if let Some((_, name)) = repeated {
        return refuse(format!("two columns are named \"{}\"", excerpt(name)), "rename one of them");
    }
    Ok(Header { delimiter, names, comments })
}

/// True for a number that cannot be a name. A number of few digits can be one, such as a year or the percentile 99.9.
fn is_value(name: &str) -> bool {
    const LARGEST: f64 = 9999.0;
    let is_plain = name.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'));
    let Some(number) = name.parse::<f64>().ok().filter(|_| is_plain) else { return false };
    let is_percentile = (90.0..100.0).contains(&number) || number == 0.1 || number == 2.5;
    !(0.0..=LARGEST).contains(&number) || (number.fract() != 0.0 && !is_percentile)
}

/// Reads a table whose first line names its columns. The delimiter is the candidate that occurs most often in the first
/// line.
pub(super) fn read(source: &str, text: &str, decimal: Decimal) -> Result<Table> {
    let beginning = Beginning::of(text);
    let before = text[..beginning.rows].matches('\n').count() as u64;
    let header = header(source, &beginning, before.max(1))?;
    let mut table = Table {
        columns: header.names.iter().map(|name| Column { name: name.clone(), cells: Vec::new() }).collect(),
        ..Table::default()
    };
    let rows = &text[beginning.rows..];
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(header.comments.then_some(b'#'))
        .delimiter(header.delimiter)
        .from_reader(rows.as_bytes());
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| Error::of_csv(source, &error))? {
        let line = before + line_of(rows, record.position(), header.comments);
        if record.len() != header.names.len() {
            return Err(Error::of_unequal_lengths(source, line, header.names.len(), record.len()));
        }
        table.lines.push(line);
        for (column, cell) in table.columns.iter_mut().zip(&record) {
            column.cells.push(Cell::parse_as(cell, decimal));
        }
    }
    Ok(table)
}

/// The 1-based line in `text` on which a record begins. The parser reports that a record begins where the previous one
/// ended, which is before the line feed of a CRLF and before blank lines and comments.
pub(super) fn line_of(text: &str, position: Option<&csv::Position>, comments: bool) -> u64 {
    let Some(position) = position else { return 1 };
    let mut at = usize::try_from(position.byte()).unwrap_or(usize::MAX).min(text.len());
    let mut line = position.line();
    loop {
        let ends = text.as_bytes()[at..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
        let skipped = ends.clone().count();
        line += ends.filter(|&&byte| byte == b'\n').count() as u64;
        at += skipped;
        if !comments || text.as_bytes().get(at) != Some(&b'#') {
            return line;
        }
        at += memchr::memchr(b'\n', &text.as_bytes()[at..]).unwrap_or(text.len() - at);
    }
}

/// The delimiter that occurs most often in a header: comma, semicolon, tab or pipe.
#[must_use]
pub fn delimiter(text: &str) -> u8 {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |delimiter: u8| first.bytes().filter(|&byte| byte == delimiter).count();
    [b'|', b'\t', b';', b','].into_iter().max_by_key(|&delimiter| count(delimiter)).unwrap_or(b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_follows_what_is_no_data() {
        for (text, header, delimiter) in [
            ("a,b\n1,2\n", "a,b", b','),
            ("\r\na;b\r\n1;2\r\n", "a;b", b';'),
            ("sep=;\r\na,x;b\r\n1;2\r\n", "a,x;b", b';'),
            ("# host\n# run 7\na,b\n1,2\n", "a,b", b','),
            ("a|b\n1|2\n", "a|b", b'|'),
            ("# time\tlatency\n1\t2\n", "time\tlatency", b'\t'),
            ("# run 7\nlatency\n1\n", "latency", b','),
        ] {
            let found = Beginning::of(text);
            assert_eq!((found.header, found.delimiter), (header, delimiter), "{text:?}");
            assert!(text[found.rows..].starts_with('1'), "{text:?}");
        }
    }
}
