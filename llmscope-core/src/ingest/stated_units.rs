//! Writes the units that the user states into the names of columns, because a table has no other place for them.

use super::Table;
use crate::column::{Meaning, StatedMeanings};
use crate::error::{Error, Result};
use crate::metric::Unit;

impl Table {
    /// The table with the stated units in the names of its columns: `latency` in milliseconds becomes `latency_ms`. A
    /// name that gives the unit already stays.
    ///
    /// # Errors
    /// [`Error::Unknown`] if the table lacks such a column; [`Error::Parameter`] if the new name is taken, or if names
    /// have no notation for the unit.
    pub fn with_units_in_names(mut self, stated: &StatedMeanings) -> Result<Self> {
        for (name, unit) in stated.units() {
            if self.column(name).is_none() {
                return Err(self.unknown_column(name));
            }
            if Meaning::of_name(name).unit == unit {
                continue;
            }
            let renamed = suffix(unit).map(|suffix| format!("{name}{suffix}"));
            let renamed = renamed.filter(|renamed| self.column(renamed).is_none()).ok_or_else(|| Error::Parameter {
                name: "unit of a column",
                value: format!("{name}={unit}"),
                expected: "a unit that a name can have, such as ms, and a name that no other column has",
            })?;
            for column in self.columns.iter_mut().filter(|column| column.name == name) {
                column.name.clone_from(&renamed);
            }
        }
        Ok(self)
    }
}

/// The end of a name that gives a unit.
const fn suffix(unit: Unit) -> Option<&'static str> {
    Some(match unit {
        Unit::Second => "_s",
        Unit::SecondPerToken => "_s_per_token",
        Unit::PerSecond => "_per_s",
        Unit::UsDollar => "_usd",
        Unit::Millisecond => "_ms",
        Unit::Microsecond => "_us",
        Unit::Nanosecond => "_ns",
        Unit::Minute => "_minutes",
        Unit::Hour => "_hours",
        Unit::PerMillisecond => "_per_ms",
        Unit::PerMicrosecond => "_per_us",
        Unit::PerNanosecond => "_per_ns",
        Unit::PerMinute => "_per_min",
        Unit::PerHour => "_per_hour",
        Unit::Percent => "_percent",
        Unit::One => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Cell, Column};
    use super::*;

    #[test]
    fn a_name_takes_its_unit_and_reads_back() {
        for unit in
            ["s", "s/token", "1/s", "USD", "ms", "us", "ns", "min", "h", "1/ms", "1/us", "1/ns", "1/min", "1/h", "%"]
        {
            let column = Column { name: "x".to_owned(), cells: vec![Cell::Number(1.0)] };
            let table = Table { columns: vec![column], lines: vec![2], of_runs: false };
            let mut stated = StatedMeanings::default();
            stated.state_unit(&format!("x={unit}")).expect("a known unit");
            let table = table.with_units_in_names(&stated).expect("the column exists");
            assert_eq!(Ok(Unit::of_column(&table.columns[0].name)), unit.parse(), "{unit}");
        }
    }
}
