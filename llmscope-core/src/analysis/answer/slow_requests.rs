//! Single slow requests.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::outliers;
use crate::cast::float;
use crate::metric::Unit;
use crate::sample::ranges_between;
use crate::stats::median;
use crate::stats::special::normal_sf;

/// A slow request takes at least this multiple of the median of its stage: a smaller difference matters to no one.
const LEAST: f64 = 1.5;

/// Single requests that are far slower than the others of their stage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SlowRequests {
    /// The number of slow requests.
    pub count: usize,
    /// Position of the slowest one among the measurements.
    pub index: usize,
    /// Its time, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The slowest value, in the unit of the metric.
    pub slowest: f64,
    /// The median of its stage.
    pub median: f64,
    /// The probability of so slow a request if the logarithms are normal about the level of their stage. A longer tail
    /// makes it larger, and it is unknown from fewer than about 1/alpha values.
    pub p: f64,
}

/// The slow requests of durations about the medians of their stages (`residuals`, logarithms), which begin at `bounds`. By chance, 0.01 requests
/// of a series are beyond the limit if the logarithms are normal.
pub(super) fn of(unit: Unit, values: &[f64], residuals: &[f64], bounds: &[usize]) -> Option<SlowRequests> {
    let n = float(residuals.len());
    if !unit.is_duration() || residuals.len() < super::family::MIN_VALUES {
        return None;
    }
    let sigma = outliers::sigma(residuals)?;
    let limit = outliers::distance(residuals.len(), sigma)?.max(LEAST.ln());
    let slow = || residuals.iter().enumerate().filter(|(_, residual)| **residual > limit);
    let count = slow().count();
    let (index, largest) = slow().max_by(|a, b| a.1.total_cmp(b.1))?;
    if outliers::are_many(count, residuals.len()) {
        return None;
    }
    let stage = ranges_between(bounds, values.len()).find(|stage| stage.contains(&index))?;
    Some(SlowRequests {
        count,
        index,
        t: None,
        slowest: values[index],
        median: median(&values[stage])?,
        p: (n * normal_sf(largest / sigma)).min(1.0),
    })
}
