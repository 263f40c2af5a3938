//! Measurements in subgroups, and counts with their sizes.

use llmscope_core::chart::attributes::Counts;
use llmscope_core::error::Result as CoreResult;
use llmscope_core::{ChartKind, Error, Missing, Subgroups};
use pyo3::prelude::*;

use crate::error::Result;
use crate::table::{self, Labels};
use crate::values::{Values, matrix};

/// Counts with their sample sizes.
pub(crate) struct CountData {
    pub(crate) counts: Values,
    sizes: Sizes,
}

enum Sizes {
    All(f64),
    Each(Values),
}

impl CountData {
    pub(crate) fn read(counts: &Bound<'_, PyAny>, sizes: Option<&Bound<'_, PyAny>>, kind: ChartKind) -> Result<Self> {
        let sizes = match sizes {
            None if kind == ChartKind::C => Sizes::All(1.0),
            None => Err(Error::Parameter {
                name: "sizes",
                value: String::new(),
                expected: "one size, or one size per count, for p, np, u and Laney charts",
            })?,
            Some(sizes) => match sizes.extract::<f64>() {
                Ok(size) => Sizes::All(size),
                Err(_) => Sizes::Each(Values::read(sizes)?),
            },
        };
        Ok(Self { counts: Values::read(counts)?, sizes })
    }

    pub(crate) fn checked(&self, kind: ChartKind) -> CoreResult<Counts> {
        let numbers = |values: &Values| values.sample(Missing::Error).map(|sample| sample.values().to_vec());
        let counts = numbers(&self.counts)?;
        let sizes = match &self.sizes {
            Sizes::All(size) => vec![*size; counts.len()],
            Sizes::Each(sizes) => numbers(sizes)?,
        };
        Counts::of_chart(kind, counts, sizes)
    }
}

/// Measurements, with or without information on subgroups.
pub(crate) struct GroupedData {
    pub(crate) values: Values,
    by: By,
    missing: Missing,
}

enum By {
    Size(usize),
    Labels(Labels),
}

impl GroupedData {
    pub(crate) fn read(
        values: &Bound<'_, PyAny>,
        subgroups: Option<&Bound<'_, PyAny>>,
        missing: Missing,
    ) -> Result<Self> {
        let none = || Error::Parameter {
            name: "subgroups",
            value: String::new(),
            expected: "a size or labels, or a matrix whose rows are subgroups",
        };
        Ok(Self::find(values, subgroups, missing)?.ok_or_else(none)?)
    }

    /// `None` without information on subgroups.
    pub(crate) fn find(
        values: &Bound<'_, PyAny>,
        subgroups: Option<&Bound<'_, PyAny>>,
        missing: Missing,
    ) -> Result<Option<Self>> {
        let Some(subgroups) = subgroups else {
            return Ok(matrix(values)?.map(|(values, size)| Self { values, by: By::Size(size), missing }));
        };
        let by = match subgroups.extract::<usize>() {
            Ok(size) => By::Size(size),
            Err(_) => By::Labels(table::labels(subgroups)?),
        };
        Ok(Some(Self { values: Values::read(values)?, by, missing }))
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&Subgroups<'_>) -> CoreResult<T>) -> CoreResult<T> {
        let sample = self.values.sample(self.missing)?;
        match &self.by {
            By::Size(size) => work(&Subgroups::of_size(&sample, *size)?),
            By::Labels(labels) => {
                let kept = self.values.kept(self.missing);
                if labels.len() != self.values.len() {
                    return Err(Error::LengthMismatch {
                        left_name: "the labels",
                        left: labels.len(),
                        right_name: "the values",
                        right: self.values.len(),
                    });
                }
                let labels: Vec<_> = kept.map(|index| labels[index].label()).collect();
                work(&Subgroups::of_labels(&sample, &labels)?)
            }
        }
    }
}
