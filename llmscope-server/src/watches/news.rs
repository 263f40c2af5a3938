//! What a transaction brought.

use std::collections::BTreeMap;

use crate::live::{Event, Pulse, Records};
use crate::series::Series;
use crate::violation::Violation;

/// What a transaction brought, to be told once it is committed.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// Records that were kept.
    pub(crate) count: u64,
    pub(crate) pulses: BTreeMap<i64, Pulse>,
    pub(crate) series: BTreeMap<i64, Series>,
    pub(crate) violations: BTreeMap<i64, Violation>,
    /// The violations that began.
    pub(crate) begun: Vec<i64>,
}

impl News {
    /// The events that tell it.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let records = || Records { count: self.count, series: self.pulses.values().cloned().collect() };
        let records = (self.count > 0).then(|| Event::Records(records()));
        let series = self.series.values().map(|series| Event::Series(Box::new(series.clone())));
        let violations = self.violations.values().map(|violation| Event::Violation(Box::new(violation.clone())));
        records.into_iter().chain(violations).chain(series)
    }
}
