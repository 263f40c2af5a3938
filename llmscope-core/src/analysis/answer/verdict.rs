//! The verdict on a series.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The verdict on a series, the gravest one first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SeriesVerdict {
    /// At least half of the requests failed, or of those since the last change of the share of failed requests, or the
    /// last five in a row.
    Failing,
    /// The level, the dispersion or the share of failed requests changed.
    Changed,
    /// The series was judged, and nothing of the above was found.
    Stable,
    /// The series could not be judged.
    NotEnoughData,
}

impl SeriesVerdict {
    /// The verdict's name in files and in Python.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Changed => "changed",
            Self::Stable => "stable",
            Self::NotEnoughData => "not_enough_data",
        }
    }

    /// The verdict's human-readable label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotEnoughData => "not enough data",
            _ => self.name(),
        }
    }
}
