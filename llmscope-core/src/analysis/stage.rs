//! Stages: intervals of a series, each with its own limits.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::sample::{Sample, ranges_between};
use crate::stats::{self, ChangePoint, about_means, mean};

use super::Autocorrelation;

/// How the series is divided into stages.
///
/// ```
/// use llmscope_core::analysis::Stages;
///
/// assert_eq!("150,300".parse::<Stages>()?, Stages::At(vec![150, 300]));
/// assert_eq!("auto".parse::<Stages>()?.to_string(), "auto");
/// # Ok::<(), llmscope_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Stages {
    /// One stage: the same limits for all points.
    #[default]
    One,
    /// Stages that begin at these points, after known changes.
    At(Vec<usize>),
    /// Stages that begin where the level changes, as detected in the data ([`crate::stats::change_points`]).
    Auto,
}

impl FromStr for Stages {
    type Err = Error;

    /// Parses `auto`, or positions such as `150,300`.
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

/// An interval of points with its own limits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Stage {
    /// The first point.
    pub first: usize,
    /// The last point.
    pub last: usize,
    /// The time of the first point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub t: Option<Timestamp>,
    /// The mean of the points in which the change was sought: the measurements, or the plotted values if these are
    /// counts or means of subgroups.
    pub mean: f64,
    /// For a detected change: the probability of a change at least as clear anywhere in the series, if the level never
    /// changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p: Option<f64>,
}

/// The start of a stage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) at: usize,
    pub(super) p: Option<f64>,
}

impl Start {
    pub(super) fn given(at: usize) -> Self {
        Self { at, p: None }
    }
}

impl From<ChangePoint> for Start {
    fn from(change: ChangePoint) -> Self {
        Self { at: change.at, p: Some(change.p) }
    }
}

/// The starts of the stages after the first.
pub(super) fn positions(starts: &[Start]) -> Vec<usize> {
    starts.iter().map(|start| start.at).collect()
}

/// The stages with their means. `level` holds a value for each point, and `time` returns the time of a point.
pub(super) fn described(starts: &[Start], level: &[f64], time: impl Fn(usize) -> Option<Timestamp>) -> Vec<Stage> {
    let p = [None].into_iter().chain(starts.iter().map(|start| start.p));
    let stage = |(Range { start: first, end }, p)| {
        Some(Stage { first, last: end - 1, t: time(first), mean: mean(&level[first..end])?, p })
    };
    ranges_between(&positions(starts), level.len()).zip(p).filter_map(stage).collect()
}

/// Lag-1 autocorrelation about the means of the stages, so that a change of the level does not count as dependence.
pub(super) fn autocorrelation(sample: &Sample<'_>, starts: &[Start]) -> Option<Autocorrelation> {
    let residuals = Sample::new(about_means(sample.values(), &positions(starts))).ok()?;
    let residuals = residuals.with_breaks(sample.breaks().to_vec()).ok()?;
    stats::autocorrelation(&residuals, 1).map(|lag1| Autocorrelation { lag1 })
}
