//! `-o csv` and `-o sql`: tests with mean and standard deviation, without samples.

use super::Settings;
use super::fields::{Test, runs};
use crate::error::{Error, Location, Result};
use crate::ingest::rows;
use crate::ingest::tool::Parsed;

const AT_LEAST_ONE: &str = "give the result of at least one test";

pub(super) fn read_csv(source: &str, text: &str) -> Result<Parsed> {
    let mut tests = Vec::new();
    let warnings = rows::read(source, text, AT_LEAST_ONE, |row| {
        let fields = row.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        tests.push(Test { location: row.location.clone(), fields });
        Ok(())
    })?;
    runs(&tests, warnings).map(Parsed::Runs)
}

/// The beginning of each row.
pub(super) const INSERT: &str = "INSERT INTO llama_bench (";

pub(super) fn read_sql(source: &str, text: &str) -> Result<Parsed> {
    let (text, warnings) = rows::whole_lines(source, text);
    let mut tests = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| line.starts_with(INSERT)) {
        let location = Location::of(source).line(number);
        match fields_of(line) {
            Some(fields) => tests.push(Test { location, fields }),
            None => {
                return Err(Error::Format {
                    location,
                    problem: "the row's names and values do not match".to_owned(),
                    fix: "give the file as llama-bench wrote it: one row per line, each value in single quotes"
                        .to_owned(),
                });
            }
        }
    }
    if tests.is_empty() {
        return Err(rows::no_rows(source, &warnings, AT_LEAST_ONE));
    }
    runs(&tests, warnings).map(Parsed::Runs)
}

/// The fields of `INSERT INTO llama_bench (a, b) VALUES ('1', '2');`. The tool puts each value in single quotes and
/// escapes nothing inside them.
fn fields_of(line: &str) -> Option<Settings> {
    let (names, values) = line.strip_prefix(INSERT)?.split_once(") VALUES (")?;
    let names: Vec<&str> = names.split(", ").collect();
    let values: Vec<&str> = values.trim_end().strip_prefix('\'')?.strip_suffix("');")?.split("', '").collect();
    (names.len() == values.len())
        .then(|| names.into_iter().zip(values).map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}
