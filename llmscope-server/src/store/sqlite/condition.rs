//! A builder of WHERE clauses.

use rusqlite::types::Value;

/// Terms that are joined with AND, with their parameters in order.
#[derive(Default)]
pub(super) struct Condition {
    terms: Vec<String>,
    pub(super) parameters: Vec<Value>,
}

impl Condition {
    /// Adds a term with a `?` for each parameter.
    pub(super) fn and(&mut self, term: &str, parameters: impl IntoIterator<Item = Value>) {
        self.terms.push(term.to_owned());
        self.parameters.extend(parameters);
    }

    /// Adds a term with one parameter, if the parameter is given.
    pub(super) fn and_some(&mut self, term: &str, parameter: Option<impl Into<Value>>) {
        if let Some(parameter) = parameter {
            self.and(term, [parameter.into()]);
        }
    }

    /// Adds the term that a column has one of these values.
    pub(super) fn and_one_of(&mut self, column: &str, values: impl IntoIterator<Item = Value>) {
        let values: Vec<Value> = values.into_iter().collect();
        let placeholders = vec!["?"; values.len()].join(", ");
        self.and(&format!("{column} IN ({placeholders})"), values);
    }

    /// ` WHERE …`, or nothing.
    pub(super) fn sql(&self) -> String {
        if self.terms.is_empty() { String::new() } else { format!(" WHERE {}", self.terms.join(" AND ")) }
    }
}
