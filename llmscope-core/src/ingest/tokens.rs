//! The token counts of requests, on which their latency depends.

use crate::cast::float;
use crate::session::{AttributeValue, RequestRecord};

/// Token counts, column by column; NaN where a count is unknown. A column stays empty if all its counts are unknown.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TokenColumns {
    columns: [Vec<f64>; 3],
}

impl TokenColumns {
    /// The names of the counts in tables and attributes, in the order of the columns: tokens of the prompt, those of
    /// them that the server took from its cache, and tokens generated.
    pub const NAMES: [&str; 3] = ["input_tokens", "cached_tokens", "output_tokens"];

    /// Tokens of the prompt.
    #[must_use]
    pub fn input(&self) -> &[f64] {
        &self.columns[0]
    }

    /// Tokens of the prompt that the server took from its cache.
    #[must_use]
    pub fn cached(&self) -> &[f64] {
        &self.columns[1]
    }

    /// Tokens generated.
    #[must_use]
    pub fn output(&self) -> &[f64] {
        &self.columns[2]
    }

    /// Adds the counts of the request at `place`.
    pub(crate) fn push(&mut self, place: usize, counts: [Option<f64>; 3]) {
        for (column, count) in self.columns.iter_mut().zip(counts) {
            if count.is_some() || !column.is_empty() {
                column.resize(place, f64::NAN);
                column.push(count.unwrap_or(f64::NAN));
            }
        }
    }

    /// Adds the counts of a record.
    pub(super) fn push_record(&mut self, place: usize, record: &RequestRecord) {
        let cached = match record.attributes.get(Self::NAMES[1]) {
            Some(AttributeValue::Number(count)) if count.is_finite() && *count >= 0.0 => Some(*count),
            _ => None,
        };
        self.push(place, [record.input_tokens.map(whole), cached, record.output_tokens.map(whole)]);
    }

    /// The counts at `row`.
    pub(crate) fn at(&self, row: usize) -> [Option<f64>; 3] {
        self.columns.each_ref().map(|column| column.get(row).copied().filter(|count| !count.is_nan()))
    }

    /// Puts the counts into the order of these rows.
    pub(crate) fn reorder(&mut self, order: &[usize]) {
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            *column = order.iter().map(|&row| column.get(row).copied().unwrap_or(f64::NAN)).collect();
        }
    }
}

/// A count of tokens as a number. Counts beyond the range of `usize` mean nothing, and are clamped.
fn whole(count: u64) -> f64 {
    float(usize::try_from(count).unwrap_or(usize::MAX))
}
