//! Counts skipped items, to give one warning instead of thousands.

use llmscope_core::error::Location;

/// The number of skipped items, and the location of the first.
#[derive(Debug, Default)]
pub(super) struct Tally {
    count: usize,
    first: Option<Location>,
}

impl Tally {
    /// Counts an item at this location.
    pub(super) fn add(&mut self, location: &Location) {
        self.count += 1;
        self.first.get_or_insert_with(|| location.clone());
    }

    /// The number of items.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// The warning, such as `x.csv:17: skipped, as it has no tokens; 4 others were skipped, too`.
    pub(super) fn warning(&self, reason: &str) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(match self.count - 1 {
            0 => format!("{first}: skipped, as {reason}"),
            1 => format!("{first}: skipped, as {reason}; 1 other was skipped, too"),
            others => format!("{first}: skipped, as {reason}; {others} others were skipped, too"),
        })
    }
}
