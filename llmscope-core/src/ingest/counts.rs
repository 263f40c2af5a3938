//! Counts next to the values of rows, column by column.

/// `N` counts of each row; NaN where a count is unknown. A column stays empty if all its counts are unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct CountColumns<const N: usize> {
    pub(super) columns: [Vec<f64>; N],
}

impl<const N: usize> Default for CountColumns<N> {
    fn default() -> Self {
        Self { columns: std::array::from_fn(|_| Vec::new()) }
    }
}

impl<const N: usize> CountColumns<N> {
    /// Adds the counts of the row at `place`.
    pub(crate) fn push(&mut self, place: usize, counts: [Option<f64>; N]) {
        for (column, count) in self.columns.iter_mut().zip(counts) {
            if count.is_some() || !column.is_empty() {
                column.resize(place, f64::NAN);
                column.push(count.unwrap_or(f64::NAN));
            }
        }
    }

    /// The counts at `row`.
    pub(crate) fn at(&self, row: usize) -> [Option<f64>; N] {
        self.columns.each_ref().map(|column| column.get(row).copied().filter(|count| !count.is_nan()))
    }

    /// Puts the counts into the order of these rows.
    pub(crate) fn reorder(&mut self, order: &[usize]) {
        for column in self.columns.iter_mut().filter(|column| !column.is_empty()) {
            *column = order.iter().map(|&row| column.get(row).copied().unwrap_or(f64::NAN)).collect();
        }
    }
}

/// The requests of each run of a table of runs, and those of them that failed.
pub type RunCounts = CountColumns<2>;

impl RunCounts {
    /// The names of the counts in tables, in the order of the columns.
    pub const NAMES: [&'static str; 2] = ["requests", "failed"];

    /// The failed requests and all requests of the run at `row`; `None` if one of them is unknown, or if they contradict
    /// each other.
    #[must_use]
    pub fn failures(&self, row: usize) -> Option<(f64, f64)> {
        let [requests, failed] = self.at(row);
        requests.zip(failed).filter(|(requests, failed)| *requests > 0.0 && failed <= requests).map(|(n, k)| (k, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_failures_only_if_both_counts_are_known_and_agree() {
        let mut counts = RunCounts::default();
        let rows = [[Some(10.0), Some(2.0)], [Some(10.0), None], [Some(10.0), Some(11.0)], [Some(0.0), Some(0.0)]];
        rows.into_iter().enumerate().for_each(|(row, of_row)| counts.push(row, of_row));
        let failures: Vec<_> = (0..5).map(|row| counts.failures(row)).collect();
        assert_eq!(failures, [Some((2.0, 10.0)), None, None, None, None]);
    }
}
