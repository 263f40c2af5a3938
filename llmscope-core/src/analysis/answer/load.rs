//! Changes of the token counts: the load, not the server.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Series;
use super::family::{FEWEST, MIN_VALUES};
use crate::ingest::TokenColumns;
use crate::sample::Sample;
use crate::stats::{change_sizes, search_changes};

/// The level of the search for changes of the load, which are information and no verdict.
const LEVEL: f64 = 0.01;

/// A change of the token counts of the requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct LoadChange {
    /// The count: `input_tokens` or `output_tokens`.
    pub name: String,
    /// Position of the first measurement after the change.
    pub index: usize,
    /// The time of that measurement, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The quotient of the counts after and before the change.
    pub ratio: f64,
    /// The probability of so clear a change if the counts never changed.
    pub p: f64,
}

/// The clearest change of each count of the requests behind these measurements; `None` if no counts are known.
pub(super) fn changes(series: &Series, observations: &[usize]) -> Option<Vec<LoadChange>> {
    let tokens = series.observations.tokens();
    let [input, _, output] = TokenColumns::NAMES;
    let columns = [(input, tokens.input()), (output, tokens.output())];
    if columns.iter().all(|(_, column)| column.is_empty()) {
        return None;
    }
    Some(columns.into_iter().filter_map(|(name, column)| change(series, observations, name, column)).collect())
}

fn change(series: &Series, observations: &[usize], name: &str, column: &[f64]) -> Option<LoadChange> {
    let counted = |(position, &at): (usize, &usize)| {
        column.get(at).filter(|count| count.is_finite()).map(|&count| (position, count))
    };
    let (positions, counts): (Vec<usize>, Vec<f64>) = observations.iter().enumerate().filter_map(counted).unzip();
    if counts.len() < MIN_VALUES {
        return None;
    }
    let sample = Sample::new(counts).ok()?;
    let found = search_changes(&sample, FEWEST, LEVEL).changes;
    let sizes = change_sizes(&sample, &found, super::CONFIDENCE);
    let (change, size) = found.iter().zip(&sizes).min_by(|a, b| a.0.p.total_cmp(&b.0.p))?;
    let index = positions[change.at];
    let ratio = size.after / size.before;
    ratio.is_finite().then(|| LoadChange {
        name: name.to_owned(),
        index,
        t: series.observations.at(observations[index]),
        ratio,
        p: change.p,
    })
}
