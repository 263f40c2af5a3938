//! Reads rows of delimited values and keeps only the requested columns.

use super::blocks::Block;
use super::delimited::line_of;
use super::fields::{Assembly, Field, Wanted};
use super::projection::Rows;
use super::simd::field_ends;
use crate::error::{Error, Location, Result};

/// The header line of delimited values.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) delimiter: u8,
    pub(super) names: Vec<String>,
    /// True if lines that begin with `#` are comments.
    pub(super) comments: bool,
}

/// The rows of a block of delimited values that follows the header.
pub(super) fn read(source: &str, block: &Block, header: &Header, wanted: &Wanted<'_>) -> Result<Rows> {
    let mut table = TableReader::new(source, block, header, wanted);
    if is_plain(block.text.as_bytes()) {
        table.read_plain(block)?;
    } else {
        table.read_quoted(block)?;
    }
    let mut seen = vec![false; wanted.names.len()];
    table.columns.iter().for_each(|column| seen[column.field] = true);
    Ok(table.assembly.into_rows(&seen))
}

/// Reads the wanted columns of a table.
struct TableReader<'w, 'p> {
    source: &'w str,
    header: &'w Header,
    /// The requested columns that the table has.
    columns: Vec<WantedColumn>,
    fields: usize,
    assembly: Assembly<'w, 'p>,
}

/// A requested column.
struct WantedColumn {
    /// Its index among the requested fields.
    field: usize,
    /// Its index in the table.
    place: usize,
}

impl<'w, 'p> TableReader<'w, 'p> {
    fn new(source: &'w str, block: &Block, header: &'w Header, wanted: &'w Wanted<'p>) -> Self {
        let column = |(field, wanted): (usize, &String)| {
            let place = header.names.iter().position(|name| name == wanted)?;
            Some(WantedColumn { field, place })
        };
        let columns = wanted.names.iter().enumerate().filter_map(column).collect();
        let assembly = Assembly::new(wanted, source, block.line_feeds);
        Self { source, header, columns, fields: wanted.names.len(), assembly }
    }

    /// Reads lines that are rows without any quoting.
    fn read_plain(&mut self, block: &Block) -> Result<()> {
        let bytes = block.text.as_bytes();
        let mut fields = vec![Field::Missing; self.fields];
        let mut row = PlainRow { text: &block.text, start: 0, ends: Vec::new() };
        let mut line = block.line;
        for end in field_ends(bytes, self.header.delimiter) {
            row.ends.push(end);
            if bytes[end] == b'\n' {
                self.add(&mut row, line, &mut fields)?;
                row.start = end + 1;
                line += 1;
            }
        }
        // The last line may lack a line feed.
        row.ends.push(bytes.len());
        self.add(&mut row, line, &mut fields)
    }

    /// Adds a row unless its line is blank, and clears the field ends.
    fn add<'b>(&mut self, row: &mut PlainRow<'b>, line: u64, fields: &mut [Field<'b>]) -> Result<()> {
        row.drop_carriage_return();
        if !row.is_blank() {
            self.check_length(row.ends.len(), line)?;
            for column in &self.columns {
                fields[column.field] = cell(row.field(column.place));
            }
            self.assembly.add(fields, line)?;
        }
        row.ends.clear();
        Ok(())
    }

    /// Reads rows whose fields may be quoted and contain delimiters and line feeds.
    fn read_quoted(&mut self, block: &Block) -> Result<()> {
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(self.header.delimiter)
            .from_reader(block.text.as_bytes());
        let mut record = csv::ByteRecord::new();
        let refuse = |error: &csv::Error| relocated(Error::of_csv(self.source, error), block.line);
        while reader.read_byte_record(&mut record).map_err(|error| refuse(&error))? {
            let line = block.line + line_of(&block.text, record.position(), false) - 1;
            self.check_length(record.len(), line)?;
            let mut fields = vec![Field::Missing; self.fields];
            for column in &self.columns {
                // The block is UTF-8, and fields end at single-byte characters.
                fields[column.field] = cell(std::str::from_utf8(&record[column.place]).unwrap_or_default());
            }
            self.assembly.add(&fields, line)?;
        }
        Ok(())
    }

    fn check_length(&self, length: usize, line: u64) -> Result<()> {
        let expected = self.header.names.len();
        if length == expected {
            return Ok(());
        }
        Err(Error::of_unequal_lengths(self.source, line, expected, length))
    }
}

/// A row on a line of its own.
struct PlainRow<'b> {
    /// The block that contains the row.
    text: &'b str,
    start: usize,
    /// The end of each field.
    ends: Vec<usize>,
}

impl<'b> PlainRow<'b> {
    fn drop_carriage_return(&mut self) {
        if let Some(end) = self.ends.last_mut()
            && self.text[self.start..*end].ends_with('\r')
        {
            *end -= 1;
        }
    }

    fn is_blank(&self) -> bool {
        self.ends == [self.start]
    }

    fn field(&self, place: usize) -> &'b str {
        let start = place.checked_sub(1).map_or(self.start, |before| self.ends[before] + 1);
        &self.text[start..self.ends[place]]
    }
}

/// True if every line is a row: no field is quoted, and every carriage return is part of a line ending.
fn is_plain(text: &[u8]) -> bool {
    let ends_line = |at: usize| text[at] == b'\r' && text.get(at + 1).is_none_or(|&next| next == b'\n');
    memchr::memchr2_iter(b'"', b'\r', text).all(ends_line)
}

fn cell(text: &str) -> Field<'_> {
    let text = match text.as_bytes() {
        // Most fields have no white space at their ends: decoding the first and last character is not necessary.
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    };
    if text.is_empty() { Field::Missing } else { Field::Unparsed(text) }
}

/// Corrects an error whose line was counted within a block that begins at line `first`.
fn relocated(error: Error, first: u64) -> Error {
    match error {
        Error::Format { location, problem, fix } => {
            let line = location.line.map(|line| line + first - 1);
            Error::Format { location: Location { line, ..location }, problem, fix }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::projection::Projection;
    use super::super::roles::KnownNames;
    use super::*;
    use crate::measure::Measure;

    proptest! {
        #[test]
        fn plain_lines_are_read_as_the_full_parser_reads_them(text in "([a0-9. ]{0,3}[;,][0-9]{1,2}(;[a-cä]?)?(\n|\r\n|\n\n)){0,9}([0-9;]{0,4})") {
            let projection = Projection {
                measures: vec![Measure::Column("b".to_owned())],
                labels: vec!["a".to_owned(), "d".to_owned()],
                ..Projection::default()
            };
            let header = Header { delimiter: b';', names: ["a", "b", "c"].map(str::to_owned).to_vec(), comments: false };
            let wanted = Wanted::of(&projection, KnownNames { names: &header.names, complete: true });
            let block = Block { line_feeds: text.matches('\n').count(), text, line: 2, index: 0 };
            prop_assert!(is_plain(block.text.as_bytes()));
            let mut plain = TableReader::new("log", &block, &header, &wanted);
            let mut full = TableReader::new("log", &block, &header, &wanted);
            prop_assert_eq!(plain.read_plain(&block), full.read_quoted(&block));
            let shown = |Rows { groups, group, values, line, records, .. }: &Rows| {
                format!("{groups:?} {group:?} {values:?} {line:?} {records}")
            };
            prop_assert_eq!(shown(&plain.assembly.rows), shown(&full.assembly.rows));
        }
    }

    #[test]
    fn quotation_marks_and_odd_carriage_returns_take_the_full_parser() {
        for (text, plain) in
            [("1;2\r\n", true), ("1;2\r", true), ("1;\"2\"\n", false), ("1;2\r3;4\n", false), ("1\r\r\n", false)]
        {
            assert_eq!(is_plain(text.as_bytes()), plain, "{text:?}");
        }
    }
}
