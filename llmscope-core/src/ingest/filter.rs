//! Selects rows by the text of a column: `metric_name=http_req_duration`.

use std::fmt;
use std::str::FromStr;

use super::Cell;
use crate::error::{Error, Result};

/// A condition on a column. Rows that do not meet it are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The column's name.
    pub column: String,
    /// The value.
    pub value: String,
    /// True if the column must have this value; false if it must have another one.
    pub equal: bool,
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = || Error::Parameter {
            name: "condition",
            value: text.to_owned(),
            expected: "COLUMN=VALUE or COLUMN!=VALUE, such as metric_name=http_req_duration",
        };
        let (column, value) = text.split_once('=').ok_or_else(refuse)?;
        let (column, equal) = column.strip_suffix('!').map_or((column, true), |column| (column, false));
        if column.is_empty() {
            return Err(refuse());
        }
        Ok(Self { column: column.to_owned(), value: value.to_owned(), equal })
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}{}", self.column, if self.equal { "=" } else { "!=" }, self.value)
    }
}

impl Filter {
    /// True if a cell of the column meets the condition. Numbers are compared as numbers.
    pub(super) fn accepts(&self, cell: &Cell) -> bool {
        self.accepts_label(cell.label().as_deref())
    }

    /// True if a column's value, as text, meets the condition.
    pub(super) fn accepts_label(&self, label: Option<&str>) -> bool {
        let label = label.unwrap_or_default();
        let number = |text: &str| text.trim().parse::<f64>().ok();
        let same = label == self.value || number(label).is_some_and(|one| number(&self.value) == Some(one));
        same == self.equal
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_condition_compares_text_and_numbers() {
        let accepts = |filter: &str, cell: &str| filter.parse::<Filter>().unwrap().accepts(&Cell::parse(cell));
        assert!(accepts("a=b", "b") && !accepts("a=b", "c") && accepts("a!=b", "c") && !accepts("a!=b", "b"));
        assert!(accepts("a=200", "200.0") && accepts("a=", "") && !accepts("a=", "x") && accepts("a=b=c", "b=c"));
        for text in ["", "a", "=b", "!=b"] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
        assert_eq!("a!=b".parse::<Filter>().unwrap().to_string(), "a!=b");
    }
}
