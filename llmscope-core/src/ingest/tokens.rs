//! The token counts of requests, on which their latency depends.

use super::counts::CountColumns;
use crate::cast::float;
use crate::session::{AttributeValue, RequestRecord};

/// Token counts of requests.
pub type TokenColumns = CountColumns<3>;

impl TokenColumns {
    /// The names of the counts in tables and attributes, in the order of the columns: tokens of the prompt, those of
    /// them that the server took from its cache, and tokens generated.
    pub const NAMES: [&'static str; 3] = ["input_tokens", "cached_tokens", "output_tokens"];

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

    /// Adds the counts of a record.
    pub(super) fn push_record(&mut self, place: usize, record: &RequestRecord) {
        let cached = match record.attributes.get(Self::NAMES[1]) {
            Some(AttributeValue::Number(count)) if count.is_finite() && *count >= 0.0 => Some(*count),
            _ => None,
        };
        self.push(place, [record.input_tokens.map(whole), cached, record.output_tokens.map(whole)]);
    }
}

/// A count of tokens as a number. Counts beyond the range of `usize` mean nothing, and are clamped.
fn whole(count: u64) -> f64 {
    float(usize::try_from(count).unwrap_or(usize::MAX))
}
