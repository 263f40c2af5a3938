//! Reads rows from tools that end each line with a line feed: a last line without one was truncated while it was
//! written.

use csv::StringRecord;

use super::delimited::line_of;
use super::empty::no_requests;
use crate::error::{Error, Location, Result, excerpt};
use crate::session::{Warning, is_torn, torn_tail};

/// The text without a truncated last line, and a warning if there is one. A truncated number is still a number, so
/// nothing on such a line is reliable.
pub(super) fn whole_lines<'t>(source: &str, text: &'t str) -> (&'t str, Vec<Warning>) {
    if !is_torn(text) {
        return (text, Vec::new());
    }
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    let line = whole.matches('\n').count() as u64 + 1;
    (whole, vec![torn_tail(Location::of(source).line(line))])
}

/// The error for a table without rows; `fix` names what to give instead.
pub(super) fn no_rows(source: &str, warnings: &[Warning], fix: &str) -> Error {
    match warnings.first() {
        None => no_requests(source, fix),
        Some(torn) => Error::Format {
            location: torn.location.clone(),
            problem: "the only row is incomplete: it does not end with a line feed".to_owned(),
            fix: "copy the file again, or end its last line".to_owned(),
        },
    }
}

/// A row of delimited values with the names from the header line.
pub(super) struct Row<'r> {
    pub(super) location: Location,
    names: &'r StringRecord,
    cells: &'r StringRecord,
}

/// Passes each row of comma-separated values to `take`; `fix` names what to give instead of a table without rows.
pub(super) fn read(
    source: &str,
    text: &str,
    fix: &str,
    take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<Vec<Warning>> {
    read_with(source, text, b',', fix, take)
}

/// Passes each row of values with this delimiter to `take`.
pub(super) fn read_with(
    source: &str,
    text: &str,
    delimiter: u8,
    fix: &str,
    mut take: impl FnMut(&Row<'_>) -> Result<()>,
) -> Result<Vec<Warning>> {
    let (text, warnings) = whole_lines(source, text);
    let mut reader =
        csv::ReaderBuilder::new().trim(csv::Trim::Headers).delimiter(delimiter).from_reader(text.as_bytes());
    let names = reader.headers().map_err(|error| Error::of_csv(source, &error))?.clone();
    let (mut cells, mut rows) = (StringRecord::new(), 0);
    while reader.read_record(&mut cells).map_err(|error| Error::of_csv(source, &error))? {
        rows += 1;
        let line = line_of(text, cells.position(), false);
        take(&Row { location: Location::of(source).line(line), names: &names, cells: &cells })?;
    }
    if rows == 0 { Err(no_rows(source, &warnings, fix)) } else { Ok(warnings) }
}

impl<'r> Row<'r> {
    /// The fields of the row with their names.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&'r str, &'r str)> {
        self.names.iter().zip(self.cells)
    }

    /// A field; `None` if it is empty or if the table has no such column.
    pub(super) fn text(&self, name: &str) -> Option<&'r str> {
        self.fields().find(|(known, _)| *known == name).map(|(_, text)| text).filter(|text| !text.is_empty())
    }

    /// A field as a number.
    pub(super) fn number(&self, name: &str) -> Result<Option<f64>> {
        self.text(name).map(|text| number(&self.location, name, text)).transpose()
    }
}

/// A field as a number.
pub(super) fn number(location: &Location, name: &str, text: &str) -> Result<f64> {
    text.trim().parse().map_err(|_| Error::Format {
        location: location.clone().field(name),
        problem: format!("\"{}\" is not a number", excerpt(text)),
        fix: "give the file as the tool wrote it".to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Result<Vec<(u64, String)>> {
        let mut rows = Vec::new();
        read("log", text, "give one", |row| {
            rows.push((row.location.line.unwrap_or(0), row.text("b").unwrap_or("-").to_owned()));
            Ok(())
        })?;
        Ok(rows)
    }

    #[test]
    fn rows_know_their_lines_whatever_ends_them() {
        for end in ["\n", "\r\n"] {
            let text = ["a,b", "1,2", "", "3,\"4", "5\"", "6,", ""].join(end);
            let rows = lines(&text).expect("is well-formed");
            let expected = [(2, "2".to_owned()), (4, format!("4{end}5")), (6, "-".to_owned())];
            assert_eq!(rows, expected);
        }
    }

    #[test]
    fn a_row_that_no_line_feed_ends_is_not_trusted() {
        assert_eq!(lines("a,b\n1,2\n3,45").expect("the first row is whole"), [(2, "2".to_owned())]);
        let only = lines("a,b\n1,2").expect_err("the only row is truncated").to_string();
        assert!(only.starts_with("log:2: the only row is incomplete"), "{only}");
        assert!(lines("a,b\n").expect_err("has no row").to_string().contains("no requests; give one"));
    }
}
