//! The measurements of one metric of one group, in time order.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::error::{Error, Location, Result};
use crate::ingest::{Cell, GAP_POLICY, Time};
use crate::measure::Measure;
use crate::sample::{Missing, Sample};

/// The measurements of one metric of one group of requests, gaps included.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The files that they come from; none for numbers that were given as they are.
    pub sources: Vec<String>,
    /// What the requests have in common: `provider`, `model`, …
    pub group: BTreeMap<String, String>,
    /// What was measured.
    pub measure: Measure,
    /// A value for each request that is not a warm-up, in time order; NaN for a failed request and where it was not
    /// recorded.
    pub values: Vec<f64>,
    /// What else is known of each request. Series of several metrics share it.
    pub observations: Arc<Observations>,
    /// Warm-up requests, which are left out.
    pub warmup: usize,
    /// What a gap means if nobody says: an error in a table, a break in a session, whose failures are no mistake.
    pub missing: Missing,
    /// True if each value summarizes a run whose requests are not known.
    pub of_runs: bool,
    /// What their sources say against themselves: a simulation, a machine that was too busy to measure.
    pub cautions: Vec<String>,
}

/// What is known of requests beside their measurements, column by column. A column is empty where it would say the
/// same of all: nothing failed, no time is known, there is but one source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observations {
    pub(super) failed: Vec<bool>,
    pub(super) times: Vec<Time>,
    pub(super) source: Vec<u32>,
    pub(super) position: Vec<u32>,
    /// 1-based line of a table; a request of a session is found by its position.
    pub(super) line: Vec<u32>,
    pub(super) companion: Vec<Cell>,
}

/// One request on its way into a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// Its value; absent for a failed request and where it was not recorded.
    pub value: Option<f64>,
    /// True if it failed.
    pub failed: bool,
    /// When it was issued.
    pub at: Option<Timestamp>,
    /// Its 0-based position in the source.
    pub position: usize,
    /// The value of the column that gives subgroups or sample sizes, if one was named.
    pub companion: Option<Cell>,
}

impl Observations {
    /// True if the request failed.
    #[must_use]
    pub fn failed(&self, index: usize) -> bool {
        self.failed.get(index).is_some_and(|&failed| failed)
    }

    /// How many requests failed.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.iter().filter(|&&failed| failed).count()
    }

    /// When the request was issued.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Timestamp> {
        self.times.get(index).and_then(|time| time.get())
    }

    /// When these requests were issued; nothing at all if no time is known.
    pub(super) fn times_of(&self, indices: impl Iterator<Item = usize>) -> Vec<Time> {
        if self.times.is_empty() {
            return Vec::new();
        }
        indices.map(|index| self.times.get(index).copied().unwrap_or(Time::NONE)).collect()
    }

    /// Which of [`Series::sources`] it stands in.
    #[must_use]
    pub fn source(&self, index: usize) -> usize {
        self.source.get(index).map_or(0, |&source| source as usize)
    }

    /// 0-based position in its source.
    #[must_use]
    pub fn position(&self, index: usize) -> usize {
        self.position.get(index).map_or(index, |&position| position as usize)
    }

    /// The value of the column that gives subgroups or sample sizes, if one was named.
    #[must_use]
    pub fn companion(&self, index: usize) -> &Cell {
        self.companion.get(index).unwrap_or(&Cell::Missing)
    }
}

/// Which observations the values of a sample are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept(Option<Vec<u32>>);

impl Kept {
    /// All of them.
    pub(super) const fn all() -> Self {
        Self(None)
    }

    /// The observation of a value.
    #[must_use]
    pub fn at(&self, value: usize) -> usize {
        self.0.as_ref().map_or(value, |kept| kept[value] as usize)
    }
}

impl Series {
    /// Numbers that were given as they are, NaN where there is none.
    #[must_use]
    pub fn of_numbers(name: &str, values: Vec<f64>) -> Self {
        Self {
            sources: Vec::new(),
            group: BTreeMap::new(),
            measure: Measure::Column(name.to_owned()),
            values,
            observations: Arc::new(Observations::default()),
            warmup: 0,
            missing: Missing::Error,
            of_runs: false,
            cautions: Vec::new(),
        }
    }

    /// The series with these requests of one source, in time order, in place of its own.
    #[must_use]
    pub fn with_observations(mut self, observations: impl IntoIterator<Item = Observation>) -> Self {
        let (mut values, mut all) = (Vec::new(), Observations::default());
        for observation in observations {
            let place = values.len();
            values.push(observation.value.unwrap_or(f64::NAN));
            put(&mut all.failed, place, Some(observation.failed), false);
            put(&mut all.times, place, Some(observation.at.into()), Time::NONE);
            all.position.push(u32::try_from(observation.position).unwrap_or(u32::MAX));
            put(&mut all.companion, place, observation.companion, Cell::Missing);
        }
        self.values = values;
        self.observations = Arc::new(all);
        self
    }

    /// The values as a sample, and which observation each one is.
    ///
    /// # Errors
    /// [`Error::Format`] at the first gap under [`Missing::Error`], and at a value that is not finite;
    /// [`Error::Missing`], [`Error::NonFinite`] or [`Error::TooLarge`] where there is no file to name.
    pub fn sample(&self, missing: Option<Missing>) -> Result<(Sample<'_>, Kept)> {
        let sample = match Sample::new(&self.values[..]) {
            Ok(sample) => sample,
            Err(_) if self.values.iter().any(|value| value.is_nan()) => {
                return self.sample_with_gaps(missing.unwrap_or(self.missing));
            }
            Err(error) => return Err(self.placed(error, &Kept(None))),
        };
        let breaks = if self.observations.source.is_empty() || self.of_runs {
            Vec::new()
        } else {
            (1..self.values.len()).filter(|&index| self.is_new_source(index - 1, index)).collect()
        };
        Ok((sample.with_breaks(breaks)?, Kept(None)))
    }

    fn sample_with_gaps(&self, policy: Missing) -> Result<(Sample<'_>, Kept)> {
        let (mut values, mut kept, mut breaks) = (Vec::new(), Vec::new(), Vec::new());
        for (index, &value) in self.values.iter().enumerate() {
            if value.is_nan() {
                if policy == Missing::Error && !self.observations.failed(index) {
                    return Err(self.missing_at(index));
                }
                continue;
            }
            if kept.last().is_some_and(|&last| self.parted(last as usize, index, policy)) {
                breaks.push(values.len());
            }
            values.push(value);
            kept.push(u32::try_from(index).unwrap_or(u32::MAX));
        }
        let kept = Kept(Some(kept));
        match Sample::new(values) {
            Ok(sample) => Ok((sample.with_breaks(breaks)?, kept)),
            Err(error) => Err(self.placed(error, &kept)),
        }
    }

    /// When the first request was issued, where that is known.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.observations.at(0)
    }

    /// True if two kept observations are no neighbours: another file begins between them, or a gap that counts.
    fn parted(&self, last: usize, next: usize, policy: Missing) -> bool {
        let new_source = !self.of_runs && self.is_new_source(last, next);
        new_source || (policy != Missing::Drop && next != last + 1)
    }

    fn is_new_source(&self, last: usize, next: usize) -> bool {
        self.observations.source(last) != self.observations.source(next)
    }

    /// File, line and field of a value.
    fn location(&self, index: usize) -> Option<Location> {
        let name = self.measure.name();
        let source = Location::of(self.sources.get(self.observations.source(index))?);
        let line = self.observations.line.get(index).copied().filter(|&line| line > 0);
        Some(match line {
            Some(line) => source.line(line.into()).field(name),
            None => source.field(&format!("records[{}].{name}", self.observations.position(index))),
        })
    }

    fn missing_at(&self, index: usize) -> Error {
        match self.location(index) {
            Some(location) => {
                let fix = format!("say {GAP_POLICY}");
                Error::Format { location, problem: "no value".to_owned(), fix }
            }
            None => Error::Missing { index },
        }
    }

    /// The refusal of a value with its place in a file; as it is for numbers that come from none.
    pub(super) fn placed(&self, error: Error, kept: &Kept) -> Error {
        let (index, value, problem, fix) = match error {
            Error::NonFinite { index, value } | Error::TooLarge { index, value, .. } => {
                (index, value, "is not a finite measurement", "correct it, or leave it out".to_owned())
            }
            Error::NotPositive { index, value } => (
                index,
                value,
                "is not positive and cannot be transformed",
                format!("leave it out, or say {GAP_POLICY}"),
            ),
            _ => return error,
        };
        match self.location(kept.at(index)) {
            Some(location) => Error::Format { location, problem: format!("{value} {problem}"), fix },
            None => error,
        }
    }
}

/// Puts an entry at the end of a column, which stays empty as long as every entry is the usual one.
pub(super) fn put<T: Clone + PartialEq>(column: &mut Vec<T>, place: usize, entry: Option<T>, usual: T) {
    let entry = entry.unwrap_or_else(|| usual.clone());
    if column.is_empty() && entry == usual {
        return;
    }
    column.resize(place, usual);
    column.push(entry);
}
