//! Rows from delimited values, without keeping the columns that nobody asked for.

use super::blocks::Block;
use super::delimited::line_of;
use super::fields::{Assembly, Field, Wanted};
use super::projection::Rows;
use crate::error::{Error, Location, Result};

/// The header line of delimited values.
#[derive(Debug, Clone)]
pub(super) struct Header {
    pub(super) delimiter: u8,
    pub(super) names: Vec<String>,
}

/// The rows of a block of delimited values, which begins after the header.
pub(super) fn read(source: &str, block: &Block, header: &Header, wanted: &Wanted<'_>) -> Result<Rows> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(header.delimiter)
        .from_reader(block.text.as_bytes());
    let places: Vec<_> =
        wanted.names.iter().map(|wanted| header.names.iter().position(|name| name == wanted)).collect();
    let mut assembly = Assembly::new(wanted, source);
    let mut record = csv::ByteRecord::new();
    let refuse = |error: &csv::Error| relocated(Error::of_csv(source, error), block.line);
    while reader.read_byte_record(&mut record).map_err(|error| refuse(&error))? {
        let line = block.line + line_of(&block.text, record.position()) - 1;
        if record.len() != header.names.len() {
            return Err(Error::of_unequal_lengths(source, line, header.names.len(), record.len()));
        }
        // The block is UTF-8, and fields end at single bytes of it.
        let text = |place: usize| std::str::from_utf8(&record[place]).unwrap_or_default();
        let fields: Vec<_> =
            places.iter().map(|place| place.map_or(Field::Missing, |place| field(text(place)))).collect();
        assembly.add(&fields, line)?;
    }
    assembly.rows.offered = wanted.offered(&places.iter().map(Option::is_some).collect::<Vec<_>>());
    Ok(assembly.rows)
}

fn field(text: &str) -> Field<'_> {
    let text = text.trim();
    if text.is_empty() { Field::Missing } else { Field::Unparsed(text) }
}

/// An error whose line was counted within a block that begins at `first`.
fn relocated(error: Error, first: u64) -> Error {
    match error {
        Error::Format { location, problem, fix } => {
            let line = location.line.map(|line| line + first - 1);
            Error::Format { location: Location { line, ..location }, problem, fix }
        }
        other => other,
    }
}
