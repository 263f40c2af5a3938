//! Stages: stretches of a series with limits of their own.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::sample::{Sample, stretches};
use crate::stats::{self, ChangePoint, about_means, mean};

use super::Autocorrelation;

/// Where limits of their own begin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stages {
    /// One stage: the same limits from end to end.
    #[default]
    One,
    /// At these points, after known changes.
    At(Vec<usize>),
    /// Where the level changes, as the data say ([`crate::stats::change_points`]).
    Auto,
}

impl FromStr for Stages {
    type Err = Error;

    /// Reads `auto`, or positions such as `150,300`.
    fn from_str(text: &str) -> Result<Self> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        let points: Option<Vec<usize>> = text.split(',').map(|point| point.trim().parse().ok()).collect();
        points.map(Self::At).ok_or_else(|| Error::Parameter {
            name: "stages",
            value: text.to_owned(),
            expected: "auto, or 0-based positions such as 150,300",
        })
    }
}

impl fmt::Display for Stages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One => f.write_str("one"),
            Self::At(points) => f.write_str(&points.iter().map(usize::to_string).collect::<Vec<_>>().join(",")),
            Self::Auto => f.write_str("auto"),
        }
    }
}

/// A stretch of points with limits of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Stage {
    /// Its first point.
    pub first: usize,
    /// Its last point.
    pub last: usize,
    /// When its first point was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// Mean of the points that the change was looked for in: the measurements, or those that are plotted where they are
    /// counts or means of subgroups.
    pub mean: f64,
    /// For a change that was found, the probability of so clear a one anywhere, if the level never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

/// Where a stage begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) at: usize,
    pub(super) p: Option<f64>,
}

impl Start {
    pub(super) fn told(at: usize) -> Self {
        Self { at, p: None }
    }
}

impl From<ChangePoint> for Start {
    fn from(change: ChangePoint) -> Self {
        Self { at: change.at, p: Some(change.p) }
    }
}

/// Where stages begin, beyond the first.
pub(super) fn positions(starts: &[Start]) -> Vec<usize> {
    starts.iter().map(|start| start.at).collect()
}

/// The stages in numbers; `level` holds a value for each point, `time` tells when one was measured.
pub(super) fn described(starts: &[Start], level: &[f64], time: impl Fn(usize) -> Option<Timestamp>) -> Vec<Stage> {
    let p = [None].into_iter().chain(starts.iter().map(|start| start.p));
    let stage = |(Range { start: first, end }, p)| {
        Some(Stage { first, last: end - 1, t: time(first), mean: mean(&level[first..end])?, p })
    };
    stretches(&positions(starts), level.len()).zip(p).filter_map(stage).collect()
}

/// Correlation of neighbours about the means of their stages: a change of the level is no dependence.
pub(super) fn autocorrelation(sample: &Sample<'_>, starts: &[Start]) -> Option<Autocorrelation> {
    let residuals = Sample::new(about_means(sample.values(), &positions(starts))).ok()?;
    let residuals = residuals.with_breaks(sample.breaks().to_vec()).ok()?;
    stats::autocorrelation(&residuals, 1).map(|lag1| Autocorrelation { lag1 })
}
