//! Maps columns of a table to the names of this crate: `ttft_s=time_to_first_token:ms`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use super::when::EARLIEST_S;
use super::{Cell, Projection, Table};
use crate::error::{Error, Result};
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
    /// The unit that the column's name gives, if the mapping states none and it differs from that of the new name.
    implied: Option<&'static str>,
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
        let to = to.trim();
        let implied = if unit.is_none() && !is_time(to) { implied_unit(to, from) } else { None };
        Ok(Self { to: to.to_owned(), from: from.to_owned(), unit, implied })
    }
}

impl fmt::Display for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { to, from, unit, .. } = self;
        write!(f, "{to}={from}{}{}", if unit.is_some() { ":" } else { "" }, unit.as_deref().unwrap_or_default())
    }
}

impl Mapping {
    /// What the column's name says against the mapping: another unit, or another kind of quantity.
    #[must_use]
    pub fn contradiction(&self) -> Option<String> {
        let (by_name, wanted) = (Unit::of_column(&self.from), Unit::of_column(&self.to));
        let is_known = by_name != Unit::One && wanted != Unit::One && !is_time(&self.to);
        let stated = self.unit.as_deref().and_then(Unit::of_time).unwrap_or(by_name);
        if is_known && stated != by_name {
            return Some(format!("{self}: the column is read in {stated} as stated, but its name gives {by_name}"));
        }
        let converts = wanted.convert(1.0, by_name.symbol()).is_some();
        (is_known && !converts)
            .then(|| format!("{self}: the column's name gives the unit {by_name}, which does not convert to {wanted}"))
    }

    /// The unit of the column's numbers, if they are to be converted.
    pub(super) fn unit(&self) -> Option<&str> {
        self.unit.as_deref().or(self.implied)
    }

    /// A cell of the column, converted to the unit of the new name.
    pub(super) fn cell(&self, cell: Cell) -> Cell {
        let cell = match cell {
            Cell::Text(text) if self.unit().is_some() => Cell::parse(&text),
            cell => cell,
        };
        match (cell, self.unit()) {
            // Seconds since 1970, or from the start of the run.
            (Cell::Number(number), Some(unit)) if is_time(&self.to) => {
                match (since_1970(number, unit), Unit::Second.convert(number, unit)) {
                    (Some(at), Some(seconds)) if seconds >= EARLIEST_S => Cell::Text(at.to_string()),
                    (Some(_), Some(seconds)) => Cell::Number(seconds),
                    _ => Cell::Missing,
                }
            }
            (Cell::Number(number), Some(_)) => Cell::Number(self.number(number)),
            (cell, _) => cell,
        }
    }

    /// A number of the column, converted to the unit of the new name.
    pub(super) fn number(&self, number: f64) -> f64 {
        let unit = self.unit().unwrap_or_default();
        convert(&self.to, number, unit).unwrap_or(f64::INFINITY)
    }
}

/// `number` converted to the unit of a column called `name`; `None` if `unit` does not fit it.
fn convert(name: &str, number: f64, unit: &str) -> Option<f64> {
    let own = if is_time(name) { Unit::Second } else { Unit::of_column(name) };
    own.convert(number, unit)
}

/// The unit of a column by its name, if it converts to that of its new name and is another one: `e2e_s=latency_ms`.
fn implied_unit(to: &str, from: &str) -> Option<&'static str> {
    let (own, by_name) = (Unit::of_column(to), Unit::of_column(from));
    let differs = own != Unit::One && by_name != Unit::One && by_name != own;
    Some(by_name.symbol()).filter(|symbol| differs && own.convert(1.0, symbol).is_some())
}

fn is_time(name: &str) -> bool {
    Projection::TIMES.contains(&name)
}

/// A time counted since 1970. The integral and fractional parts are converted separately, so that milliseconds stay
/// whole.
pub(super) fn since_1970(number: f64, unit: &str) -> Option<Timestamp> {
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

    pub(crate) fn unknown_column(&self, name: &str) -> Error {
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
    fn a_suffix_gives_the_unit_unless_the_mapping_states_one() {
        for (text, expected, contradicts) in [
            ("e2e_s=latency_ms", 0.358, false),
            ("e2e_s=latencyUs", 0.000_358, false),
            ("e2e_s=Total Time (min)", 21_480.0, false),
            ("tpot_s=itl_ms", 0.358, false),
            ("e2e_s=latency", 358.0, false),
            ("e2e_s=latency_s", 358.0, false),
            ("e2e_s=latency_ms:ms", 0.358, false),
            ("e2e_s=latency_ms:s", 358.0, true),
            ("e2e_s=tps", 358.0, true),
            ("output_tokens_per_s=tok_min", 358.0, false),
            ("output_tokens_per_s=tokens_per_min", 358.0 / 60.0, false),
        ] {
            let mapping: Mapping = text.parse().unwrap();
            assert_eq!(mapping.cell(Cell::Number(358.0)), Cell::Number(expected), "{text}");
            assert_eq!(mapping.contradiction().is_some(), contradicts, "{text}");
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
            assert_eq!(since_1970(number, unit).unwrap().to_string(), expected);
        }
        for number in [f64::NAN, f64::INFINITY, -1e300, 1e29] {
            assert_eq!(since_1970(number, "s"), None);
        }
    }
}
