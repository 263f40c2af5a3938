//! The measurements of one metric of one group, in time order.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::column::Meaning;
use crate::error::{Error, Location, Result};
use crate::ingest::{Cell, FailureKind, GAP_POLICY, RunCounts, Time, TokenColumns};
use crate::measure::Measure;
use crate::metric::{Metric, TpotDefinition, Unit};
use crate::quantity::counted;
use crate::sample::{Missing, Sample};
use crate::session::RunEvent;

/// The measurements of one metric of one group of requests, including gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The files with the measurements; empty for plain numbers.
    pub sources: Vec<String>,
    /// The properties that the requests have in common: `provider`, `model`, …
    pub group: BTreeMap<String, String>,
    /// The measure.
    pub measure: Measure,
    /// What the measure means, if the user or the tool states more than its name gives.
    pub stated: Option<Meaning>,
    /// A value for each request except warm-ups, in time order; NaN if the request failed or the value was not
    /// recorded.
    pub values: Vec<f64>,
    /// The observations whose values were left out because the quantity cannot have them: a duration below 0.
    pub out_of_bounds: Vec<u32>,
    /// Further data of each request, shared by the series of several metrics.
    pub observations: Arc<Observations>,
    /// The number of warm-up requests, which are excluded.
    pub warmup: usize,
    /// How gaps are handled by default: an error in a table; a break in a session, where failed requests are expected.
    pub missing: Missing,
    /// True if each value summarizes a run.
    pub of_runs: bool,
    /// Warnings of the sources: a simulation, or a load generator that was too busy to measure.
    pub warnings: Vec<String>,
    /// Those of the warnings that contradict the meaning of the values: a stated unit against the name, values below 0.
    pub contradictions: Vec<String>,
    /// Events during the recording, in time order.
    pub events: Vec<RunEvent>,
    /// The definition of the values, if they are times per token.
    pub tpot_definition: TpotDefinition,
    /// True if other measurements of the group have another definition, and are a series of their own.
    pub is_part: bool,
}

/// Data of requests besides their measurements, column by column. A column is empty if all its entries have the default
/// value: nothing failed, no time is known, there is only one source.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observations {
    pub(super) failed: Vec<bool>,
    pub(super) times: Vec<Time>,
    pub(super) source: Vec<u32>,
    pub(super) position: Vec<u32>,
    /// The 1-based line in a table. A request of a session is identified by its position instead.
    pub(super) line: Vec<u32>,
    pub(super) companion: Vec<Cell>,
    /// The number of the kind of each failure in `failure_kinds`, counted from 1; 0 for none.
    pub(super) failure: Vec<u32>,
    pub(super) failure_kinds: Vec<FailureKind>,
    pub(super) tokens: TokenColumns,
    /// The definition of each time per token.
    pub(super) definitions: Vec<TpotDefinition>,
    /// The requests of each run and its failures, if each value summarizes a run.
    pub(super) counts: RunCounts,
    /// True if nothing tells whether a request failed, in one of the sources at least.
    pub(super) outcomes_unknown: bool,
}

/// One request to be added to a series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observation {
    /// The value; absent if the request failed or the value was not recorded.
    pub value: Option<f64>,
    /// True if the request failed.
    pub failed: bool,
    /// The time at which the request was issued.
    pub at: Option<Timestamp>,
    /// The index of the request's source in [`Series::sources`].
    pub source: usize,
    /// The 0-based position in the source.
    pub position: usize,
    /// The value of the column with subgroup labels or sample sizes, if one was selected.
    pub companion: Option<Cell>,
    /// Why the request failed, if known.
    pub failure: Option<FailureKind>,
    /// Tokens of the prompt, those of them from the server's cache, and tokens generated, as far as they are known.
    pub tokens: [Option<f64>; 3],
    /// The definition of the value, if it is a time per token.
    pub tpot_definition: TpotDefinition,
}

impl Observations {
    /// True if the request failed.
    #[must_use]
    pub fn failed(&self, index: usize) -> bool {
        self.failed.get(index).is_some_and(|&failed| failed)
    }

    /// Why the request failed, if known.
    #[must_use]
    pub fn failure(&self, index: usize) -> Option<&FailureKind> {
        let number = self.failure.get(index).copied()?;
        self.failure_kinds.get((number as usize).checked_sub(1)?)
    }

    /// The token counts of the requests.
    #[must_use]
    pub const fn tokens(&self) -> &TokenColumns {
        &self.tokens
    }

    /// The definition of a time per token.
    pub(super) fn definition(&self, index: usize) -> TpotDefinition {
        self.definitions.get(index).copied().unwrap_or_default()
    }

    /// Puts these observations in place of all, in this order.
    pub(super) fn select(&mut self, order: &[usize]) {
        reorder(&mut self.failed, order);
        reorder(&mut self.times, order);
        reorder(&mut self.source, order);
        reorder(&mut self.position, order);
        reorder(&mut self.line, order);
        reorder(&mut self.companion, order);
        reorder(&mut self.failure, order);
        reorder(&mut self.definitions, order);
        self.tokens.reorder(order);
        self.counts.reorder(order);
    }

    /// The requests of each run and its failures, if each value summarizes a run.
    #[must_use]
    pub const fn counts(&self) -> &RunCounts {
        &self.counts
    }

    /// True if nothing tells whether a request failed: no failure is known, and none can be ruled out.
    #[must_use]
    pub const fn outcomes_unknown(&self) -> bool {
        self.outcomes_unknown
    }

    /// The number of failed requests.
    #[must_use]
    pub fn failures(&self) -> usize {
        self.failed.iter().filter(|&&failed| failed).count()
    }

    /// The time at which the request was issued.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<Timestamp> {
        self.times.get(index).and_then(|time| time.get())
    }

    /// The times at which these requests were issued; empty if no time is known.
    pub(super) fn times_of(&self, indices: impl Iterator<Item = usize>) -> Vec<Time> {
        if self.times.is_empty() {
            return Vec::new();
        }
        indices.map(|index| self.times.get(index).copied().unwrap_or(Time::NONE)).collect()
    }

    /// The index of the request's source in [`Series::sources`].
    #[must_use]
    pub fn source(&self, index: usize) -> usize {
        self.source.get(index).map_or(0, |&source| source as usize)
    }

    /// The 1-based line in a table, if known.
    pub(super) fn line(&self, index: usize) -> Option<u32> {
        self.line.get(index).copied().filter(|&line| line > 0)
    }

    /// The 0-based position in the source.
    #[must_use]
    pub fn position(&self, index: usize) -> usize {
        self.position.get(index).map_or(index, |&position| position as usize)
    }

    /// The value of the column with subgroup labels or sample sizes, if one was selected.
    #[must_use]
    pub fn companion(&self, index: usize) -> &Cell {
        self.companion.get(index).unwrap_or(&Cell::Missing)
    }
}

/// Maps each value of a sample to its observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SampleIndex(Option<Vec<u32>>);

impl SampleIndex {
    /// The identity: a sample of all observations.
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
    /// A series of plain numbers, with NaN for gaps.
    ///
    /// ```
    /// use llmscope_core::{Unit, analysis::Series};
    ///
    /// let series = Series::of_numbers("queue_ms", vec![12.0, 14.0]);
    /// assert_eq!(series.unit(), Unit::Millisecond); // as the name says
    /// ```
    #[must_use]
    pub fn of_numbers(name: &str, values: Vec<f64>) -> Self {
        Self {
            sources: Vec::new(),
            group: BTreeMap::new(),
            measure: Measure::Column(name.to_owned()),
            stated: None,
            values,
            out_of_bounds: Vec::new(),
            observations: Arc::new(Observations { outcomes_unknown: true, ..Observations::default() }),
            warmup: 0,
            missing: Missing::Error,
            of_runs: false,
            warnings: Vec::new(),
            contradictions: Vec::new(),
            events: Vec::new(),
            tpot_definition: TpotDefinition::FIRST,
            is_part: false,
        }
    }

    /// True if it is known which requests failed: in logs of requests, and in tables whose rows have an outcome.
    #[must_use]
    pub fn tells_failures(&self) -> bool {
        !self.observations.outcomes_unknown || self.observations.failures() > 0
    }

    /// What the measure means.
    #[must_use]
    pub fn meaning(&self) -> Meaning {
        self.stated.unwrap_or_else(|| self.measure.meaning())
    }

    /// The unit of the values.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.meaning().unit
    }

    /// Replaces the observations with these requests, in time order.
    #[must_use]
    pub fn with_observations(mut self, observations: impl IntoIterator<Item = Observation>) -> Self {
        let (mut values, mut all) = (Vec::new(), Observations::default());
        for observation in observations {
            let place = values.len();
            values.push(observation.value.unwrap_or(f64::NAN));
            put(&mut all.failed, place, Some(observation.failed), false);
            put(&mut all.times, place, Some(observation.at.into()), Time::NONE);
            put(&mut all.source, place, u32::try_from(observation.source).ok(), 0);
            all.position.push(u32::try_from(observation.position).unwrap_or(u32::MAX));
            put(&mut all.companion, place, observation.companion, Cell::Missing);
            let failure = observation.failure.map(|kind| FailureKind::number_in(&mut all.failure_kinds, kind));
            put(&mut all.failure, place, failure, 0);
            all.tokens.push(place, observation.tokens);
            put(&mut all.definitions, place, Some(observation.tpot_definition), TpotDefinition::FIRST);
        }
        self.values = values;
        self.observations = Arc::new(all);
        self
    }

    /// The values as a sample, and the observation of each value.
    ///
    /// # Errors
    /// [`Error::Format`] at the first gap under [`Missing::Error`], and at a value that is not finite. Without a file
    /// to name: [`Error::Missing`], [`Error::NonFinite`] or [`Error::TooLarge`].
    ///
    /// ```
    /// use llmscope_core::{Missing, analysis::Series};
    ///
    /// let series = Series::of_numbers("ttft_s", vec![0.3, f64::NAN, 0.4]);
    /// assert!(series.sample(None).is_err());
    /// let (sample, places) = series.sample(Some(Missing::Break))?;
    /// assert_eq!((sample.values(), sample.breaks(), places.at(1)), (&[0.3, 0.4][..], &[1][..], 2));
    /// # Ok::<(), llmscope_core::Error>(())
    /// ```
    pub fn sample(&self, missing: Option<Missing>) -> Result<(Sample<'_>, SampleIndex)> {
        let sample = match Sample::new(&self.values[..]) {
            Ok(sample) => sample,
            Err(_) if self.values.iter().any(|value| value.is_nan()) => {
                return self.sample_with_gaps(missing.unwrap_or(self.missing));
            }
            Err(error) => return Err(self.placed(error, &SampleIndex(None))),
        };
        let breaks = if self.observations.source.is_empty() || self.of_runs {
            Vec::new()
        } else {
            (1..self.values.len()).filter(|&index| self.is_new_source(index - 1, index)).collect()
        };
        Ok((sample.with_breaks(breaks)?, SampleIndex(None)))
    }

    fn sample_with_gaps(&self, policy: Missing) -> Result<(Sample<'_>, SampleIndex)> {
        let (mut values, mut kept, mut breaks) = (Vec::new(), Vec::new(), Vec::new());
        for (index, &value) in self.values.iter().enumerate() {
            if value.is_nan() {
                if policy == Missing::Error && !self.observations.failed(index) && !self.is_out_of_bounds(index) {
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
        let kept = SampleIndex(Some(kept));
        match Sample::new(values) {
            Ok(sample) => Ok((sample.with_breaks(breaks)?, kept)),
            Err(error) => Err(self.placed(error, &kept)),
        }
    }

    /// Leaves out values that the quantity cannot have. A value of 0 stays.
    pub(super) fn within_bounds(mut self) -> Self {
        let meaning = self.meaning();
        let Some(lower) = meaning.bounds.lower else { return self };
        // Waits can be 0; the latency of a request that was answered is not.
        let zeros = self.values.iter().filter(|value| **value == 0.0).count();
        if meaning.role.is_duration() && (1..self.values.len().div_ceil(2)).contains(&zeros) {
            let count = counted(zeros, "value");
            self.contradicted_by(format!(
                "{count} of exactly 0 among the durations: failures or missing values may be written so"
            ));
        }
        for (index, value) in self.values.iter_mut().enumerate() {
            if *value < lower {
                *value = f64::NAN;
                self.out_of_bounds.push(u32::try_from(index).unwrap_or(u32::MAX));
            }
        }
        if let Some(&first) = self.out_of_bounds.first() {
            let place = self.location(first as usize).map_or_else(String::new, |place| format!(", first {place}"));
            let count = counted(self.out_of_bounds.len(), "value");
            let role = meaning.role;
            self.contradicted_by(format!("{count} below {lower} left out: a {role} is never negative{place}"));
        }
        self
    }

    /// Adds a warning that contradicts the meaning of the values.
    pub(super) fn contradicted_by(&mut self, text: String) {
        self.warnings.push(text.clone());
        self.contradictions.push(text);
    }

    fn is_out_of_bounds(&self, index: usize) -> bool {
        u32::try_from(index).is_ok_and(|index| self.out_of_bounds.binary_search(&index).is_ok())
    }

    /// The time at which the first request was issued, if known.
    #[must_use]
    pub fn started_at(&self) -> Option<Timestamp> {
        self.observations.at(0)
    }

    /// True if the log sorted these values, so that their order says nothing about time: in the order of the file they
    /// only rise or only fall, and no times tell another order. Values that a caller passes have the caller's order.
    #[must_use]
    pub fn lacks_order(&self) -> bool {
        /// As few values in order are chance: ten different ones are sorted once in two million times.
        const FEWEST: usize = 10;
        let is_listed = !self.sources.is_empty() && !self.of_runs && self.measure != Measure::Metric(Metric::ErrorRate);
        if !is_listed || self.values.len() < FEWEST || self.has_distinct_times() {
            return false;
        }
        // Rows that were put in order of time keep the order of the file where their times are equal.
        let are_rows = |pair: &[usize]| self.observations.source(pair[0]) == self.observations.source(pair[1]);
        let are_tied = |pair: &[usize]| self.observations.at(pair[0]) == self.observations.at(pair[1]);
        let mut places: Vec<usize> = (0..self.values.len()).filter(|&index| !self.values[index].is_nan()).collect();
        if !self.is_monotonic(places.windows(2).filter(|pair| are_rows(pair) && are_tied(pair))) {
            return false;
        }
        let all = &self.observations;
        let in_file = |&index: &usize| (all.source(index), all.line.get(index).copied(), all.position(index));
        if !all.times.is_empty() {
            places.sort_by_key(in_file);
        }
        let distinct = places.windows(2).filter(|pair| self.values[pair[0]] != self.values[pair[1]]).count() + 1;
        distinct >= FEWEST && self.is_monotonic(places.windows(2).filter(|pair| are_rows(pair)))
    }

    /// True if the values of these pairs of observations never fall, or never rise.
    fn is_monotonic<'p>(&self, mut pairs: impl Iterator<Item = &'p [usize]>) -> bool {
        let (mut rises, mut falls) = (true, true);
        pairs.all(|pair| {
            rises &= self.values[pair[1]] >= self.values[pair[0]];
            falls &= self.values[pair[1]] <= self.values[pair[0]];
            rises || falls
        })
    }

    /// True if every observation has a time of its own.
    fn has_distinct_times(&self) -> bool {
        let times = &self.observations.times;
        let rises = |pair: &[Time]| pair[0] < pair[1];
        times.len() == self.values.len() && times.first() != Some(&Time::NONE) && times.windows(2).all(rises)
    }

    /// True if two kept observations are not adjacent: another file begins between them, or a gap that is kept as a
    /// break.
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
        Some(match self.observations.line(index) {
            Some(line) => source.line(line.into()).field(name),
            None => source.field(&format!("records[{}].{name}", self.observations.position(index))),
        })
    }

    fn missing_at(&self, index: usize) -> Error {
        match self.location(index) {
            Some(location) => {
                let fix = format!("choose {GAP_POLICY}");
                Error::Format { location, problem: "missing value".to_owned(), fix }
            }
            None => Error::Missing { index },
        }
    }

    /// Adds the location of the value in its file to an error. Errors about plain numbers stay unchanged.
    pub(super) fn placed(&self, error: Error, kept: &SampleIndex) -> Error {
        let (index, value, problem, fix) = match error {
            Error::NonFinite { index, value } | Error::TooLarge { index, value, .. } => {
                (index, value, "is not a finite measurement", "correct or exclude the value".to_owned())
            }
            Error::NotPositive { index, value } => (
                index,
                value,
                "is not positive and cannot be transformed",
                format!("exclude the value, or choose {GAP_POLICY}"),
            ),
            _ => return error,
        };
        match self.location(kept.at(index)) {
            Some(location) => Error::Format { location, problem: format!("{value} {problem}"), fix },
            None => error,
        }
    }
}

/// Reorders the entries of a column. The column may be shorter if its last entries are the default value.
pub(super) fn reorder<T: Clone>(column: &mut Vec<T>, order: &[usize]) {
    if !column.is_empty() {
        *column = order.iter().map(|&row| column[row].clone()).collect();
    }
}

/// Appends an entry to a column, which stays empty as long as every entry is the default value.
pub(super) fn put<T: Clone + PartialEq>(column: &mut Vec<T>, place: usize, entry: Option<T>, usual: T) {
    let entry = entry.unwrap_or_else(|| usual.clone());
    if column.is_empty() && entry == usual {
        return;
    }
    column.resize(place, usual);
    column.push(entry);
}
