//! Maps columns of a table to the names of this crate: `ttft_s=time_to_first_token:ms`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::{Cell, Projection, Table};
use crate::error::{Error, Result};
use crate::measure::Measure;
use crate::metric::Unit;

/// A column of a table under a name and in a unit that this crate knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    /// The new name: a metric such as `ttft_s`, `model`, `started_at`, or any other name.
    pub to: String,
    /// The column's name in the table.
    pub from: String,
    /// The unit of its numbers if it differs from that of the new name: `ms`, `us`, `ns`, … For `started_at`, the unit
    /// of the time since 1970.
    pub unit: Option<String>,
}

const EXPECTED: &str = "NAME=COLUMN or NAME=COLUMN:UNIT, such as ttft_s=time_to_first_token:ms";

impl FromStr for Mapping {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::Parameter { name: "mapping", value: text.to_owned(), expected: EXPECTED };
        let (to, column) = text.split_once('=').ok_or_else(refuse)?;
        // A column's name may contain colons: the text after the last one is a unit only if it names one.
        let (from, unit) = match column.rsplit_once(':') {
            Some((from, unit)) if convert(to.trim(), 1.0, unit.trim()).is_some() => {
                (from, Some(unit.trim().to_owned()))
            }
            _ => (column, None),
        };
        if to.trim().is_empty() || from.is_empty() {
            return Err(refuse());
        }
        Ok(Self { to: to.trim().to_owned(), from: from.to_owned(), unit })
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, from, unit } = self;
        write!(f, "{to}={from}{}{}", if unit.is_some() { ":" } else { "" }, unit.as_deref().unwrap_or_default())
    }
}

impl Mapping {
    /// A cell of the column, converted to the unit of the new name.
    pub(super) fn cell(&self, cell: Cell) -> Cell {
        match (cell, &self.unit) {
            (Cell::Number(number), Some(unit)) if is_time(&self.to) => {
                time(number, unit).map_or(Cell::Missing, |at| Cell::Text(at.to_string()))
            }
            (Cell::Number(number), Some(unit)) => {
                Cell::Number(convert(&self.to, number, unit).unwrap_or(f64::INFINITY))
            }
            (cell, _) => cell,
        }
    }
}

/// `number` converted to the unit of a column called `name`; `None` if `unit` does not fit it.
fn convert(name: &str, number: f64, unit: &str) -> Option<f64> {
    let own = if is_time(name) { Unit::Second } else { Measure::Column(name.to_owned()).unit() };
    own.convert(number, unit)
}

fn is_time(name: &str) -> bool {
    Projection::TIMES.contains(&name)
}

/// A time counted since 1970. The integral and fractional parts are converted separately, so that milliseconds stay
/// whole.
fn time(number: f64, unit: &str) -> Option<Timestamp> {
    let per_unit = Unit::Second.convert(1.0, unit)? * 1e9;
    let nanoseconds = |count: f64| {
        // Outside the years that a timestamp can represent, or NaN.
        let fits = count.abs() < 1e30;
        #[allow(clippy::cast_possible_truncation, reason = "the range is checked above")]
        fits.then_some(count as i128)
    };
    let whole = nanoseconds(number.trunc())?.checked_mul(nanoseconds(per_unit.round())?)?;
    let rest = nanoseconds((number.fract() * per_unit).round())?;
    Timestamp::from_nanosecond(whole.checked_add(rest)?).ok()
}

impl Table {
    /// The table with the mapped columns, converted to the units of their new names. A mapped column replaces an
    /// existing column of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`] with the existing columns, if the table lacks a mapped one.
    pub fn mapped(mut self, mappings: &[Mapping]) -> Result<Self> {
        let mut mapped = Vec::new();
        for mapping in mappings {
            let column = self.column(&mapping.from).cloned().ok_or_else(|| self.unknown_column(&mapping.from))?;
            let cells = column.cells.into_iter().map(|cell| mapping.cell(cell)).collect();
            mapped.push(super::Column { name: mapping.to.clone(), cells });
        }
        self.columns.retain(|column| mappings.iter().all(|mapping| mapping.to != column.name));
        self.columns.extend(mapped);
        Ok(self)
    }

    fn unknown_column(&self, name: &str) -> Error {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name.as_str()).collect();
        Error::Unknown { what: "column", name: name.to_owned(), expected: names.join(", ") }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_mapping_reads_back_as_it_is_written() {
        for text in ["ttft_s=first:ms", "model=engine", "latency=a:b:c", "started_at=ts:us", "x=a=b"] {
            let mapping: Mapping = text.parse().unwrap();
            assert_eq!(mapping.to_string(), text);
        }
        let odd: Mapping = "ttft_s=time:to:first".parse().unwrap();
        assert_eq!((odd.from.as_str(), odd.unit), ("time:to:first", None));
        for text in ["", "ttft_s", "=a", "a=", " =b"] {
            assert!(text.parse::<Mapping>().is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_become_times_of_the_unit() {
        for (number, unit, expected) in [
            (1_795_420_000.0, "s", "2026-11-23T07:46:40Z"),
            (1_795_420_000_001.0, "ms", "2026-11-23T07:46:40.001Z"),
            (1_795_420_000_000_001.0, "us", "2026-11-23T07:46:40.000001Z"),
            (1_795_420_000.25, "s", "2026-11-23T07:46:40.25Z"),
        ] {
            assert_eq!(time(number, unit).unwrap().to_string(), expected);
        }
        for number in [f64::NAN, f64::INFINITY, -1e300, 1e29] {
            assert_eq!(time(number, "s"), None);
        }
    }
}
