//! Reads comma-, semicolon- and tab-separated values with a header.

use llmscope_core::error::{Error, Location, Result};
use llmscope_core::ingest::delimiter;

use super::source::Source;

/// A table that is read row by row.
pub(super) struct Table<'s> {
    source: &'s Source,
    reader: csv::Reader<&'s [u8]>,
    /// The column names as in the file, including surrounding spaces.
    pub(super) names: Vec<String>,
}

impl<'s> Table<'s> {
    /// Reads the header. The delimiter is detected from the text.
    pub(super) fn open(source: &'s Source) -> Result<Self> {
        let mut reader =
            csv::ReaderBuilder::new().delimiter(delimiter(&source.text)).from_reader(source.text.as_bytes());
        let headers = reader.headers().map_err(|error| Error::of_csv(&source.given, &error))?;
        let names = headers.iter().map(str::to_owned).collect();
        Ok(Self { source, reader, names })
    }

    /// The index of a column, ignoring case and surrounding spaces.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other.trim().eq_ignore_ascii_case(name))
    }

    /// Passes each row to `take`, with its line.
    pub(super) fn each(mut self, mut take: impl FnMut(&csv::StringRecord, &Location) -> Result<()>) -> Result<()> {
        let mut record = csv::StringRecord::new();
        while self.reader.read_record(&mut record).map_err(|error| Error::of_csv(&self.source.given, &error))? {
            let line = record.position().map_or(1, csv::Position::line);
            take(&record, &self.source.location().line(line))?;
        }
        Ok(())
    }
}
