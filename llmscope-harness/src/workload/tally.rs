//! Counts what was skipped, for one notice instead of thousands.

use llmscope_core::error::Location;

/// How often something odd came, and where first.
#[derive(Debug, Default)]
pub(super) struct Tally {
    count: usize,
    first: Option<Location>,
}

impl Tally {
    /// Once more, here.
    pub(super) fn add(&mut self, location: &Location) {
        self.count += 1;
        self.first.get_or_insert_with(|| location.clone());
    }

    /// How often it came.
    pub(super) const fn count(&self) -> usize {
        self.count
    }

    /// What to tell about it: `x.csv:17: skipped, as there was no token; so were 4 others`.
    pub(super) fn notice(&self, what: &str) -> Option<String> {
        let first = self.first.as_ref()?;
        Some(match self.count - 1 {
            0 => format!("{first}: {what}"),
            1 => format!("{first}: {what}; so was 1 other"),
            others => format!("{first}: {what}; so were {others} others"),
        })
    }
}
