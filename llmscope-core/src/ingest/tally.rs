//! Counts of what the rows of a log leave open, for warnings.

/// Counts over the rows of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Rows whose time was read.
    pub times: usize,
    /// Rows whose time has no offset: it was taken as UTC.
    pub naive_times: usize,
    /// Rows whose time could not be read.
    pub unreadable_times: usize,
    /// The first text that is not a time, with its column.
    pub unreadable_time: Option<(String, String)>,
    /// The column whose name only suggests the time, and that gave it.
    pub guessed_times: Option<String>,
    /// A column of times whose numbers are small: they can be durations.
    pub small_times: Option<String>,
    /// Rows with a known outcome.
    pub outcomes: usize,
    /// Rows without an outcome, in a log with outcomes.
    pub without_outcome: usize,
    /// Rows that do not meet the conditions of the caller.
    pub filtered: usize,
    /// Numbers that are not finite, and were read as absent values.
    pub non_finite: usize,
    /// Durations with a unit, in a column without one.
    pub durations: usize,
    /// A column without a unit whose values have one.
    pub duration_column: Option<String>,
    /// A column in which some values have a unit of time, and others have none.
    pub mixed_units: Option<String>,
    /// For each mapping, the number of values that it yields; `None` if no analysis uses it.
    pub mapped: Vec<Option<usize>>,
}

impl Tally {
    /// Adds the counts of further rows.
    pub(crate) fn add(&mut self, other: &Self) {
        self.times += other.times;
        self.naive_times += other.naive_times;
        self.unreadable_times += other.unreadable_times;
        if self.unreadable_time.is_none() {
            self.unreadable_time.clone_from(&other.unreadable_time);
        }
        for (known, other) in [
            (&mut self.guessed_times, &other.guessed_times),
            (&mut self.small_times, &other.small_times),
            (&mut self.duration_column, &other.duration_column),
            (&mut self.mixed_units, &other.mixed_units),
        ] {
            if known.is_none() {
                known.clone_from(other);
            }
        }
        self.outcomes += other.outcomes;
        self.without_outcome += other.without_outcome;
        self.filtered += other.filtered;
        self.non_finite += other.non_finite;
        self.durations += other.durations;
        self.mapped.resize(self.mapped.len().max(other.mapped.len()), None);
        for (sum, count) in self.mapped.iter_mut().zip(&other.mapped) {
            *sum = sum.map_or(*count, |sum| Some(sum + count.unwrap_or(0)));
        }
    }
}
