//! Columns of numbers and text.

use super::numbers::{self, Decimal};

/// A rectangular log: named columns of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The columns, in the order of the file.
    pub columns: Vec<Column>,
    /// The 1-based line of each row in the file.
    pub lines: Vec<u64>,
    /// True if each row is the summary of a run, whose requests the tool did not keep.
    pub of_runs: bool,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// One cell for each row.
    pub cells: Vec<Cell>,
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Cell {
    /// Missing: an empty cell, `null`, `NA`, `NaN`, or a field that the row lacks.
    #[default]
    Missing,
    /// A number; infinite if the file has an infinite number.
    Number(f64),
    /// Anything else.
    Text(String),
}

impl Cell {
    /// Parses a cell of a text file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::parse_as(text, Decimal::Point)
    }

    /// Parses a cell of a text file with this decimal separator.
    pub(super) fn parse_as(text: &str, decimal: Decimal) -> Self {
        let text = text.trim();
        if ["", "na", "n/a", "nan", "null", "none"].iter().any(|missing| text.eq_ignore_ascii_case(missing)) {
            return Self::Missing;
        }
        decimal.number(text).map_or_else(|| Self::Text(text.to_owned()), Self::Number)
    }

    /// True for a number, also as text, as a duration with its unit, or with separators whose meaning is not stated.
    fn is_number(&self) -> bool {
        match self {
            Self::Missing => false,
            Self::Number(_) => true,
            Self::Text(text) => {
                text.parse::<f64>().is_ok()
                    || numbers::duration_s(text).is_some()
                    || numbers::ambiguous(text.trim()).is_some()
            }
        }
    }

    /// The cell as text to group by.
    #[must_use]
    pub fn label(&self) -> Option<String> {
        match self {
            Self::Missing => None,
            Self::Number(number) => Some(number.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }
}

impl Table {
    /// The column with a name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Number of rows.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.lines.len()
    }

    /// The names of the columns with at least one number.
    pub fn numeric_columns(&self) -> impl Iterator<Item = &str> + '_ {
        let numeric = |column: &&Column| column.cells.iter().any(Cell::is_number);
        self.columns.iter().filter(numeric).map(|column| column.name.as_str())
    }
}
