//! The changes of a transaction.

use std::collections::BTreeMap;

use crate::alarms::IncidentTurns;
use crate::live::{Event, Records, SeriesUpdate};
use crate::series::Series;
use crate::violation::Violation;

/// The changes of a transaction, to be published after its commit.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// The number of stored records.
    pub(crate) count: u64,
    /// Values that were not judged, because there are as many series as allowed.
    pub(crate) unjudged: u64,
    pub(crate) updates: BTreeMap<i64, SeriesUpdate>,
    pub(crate) series: BTreeMap<i64, Series>,
    pub(crate) violations: BTreeMap<i64, Violation>,
    /// The ids of new violations.
    pub(crate) begun: Vec<i64>,
    /// What happened to incidents, in order.
    pub(crate) incidents: IncidentTurns,
}

impl Changes {
    /// The events of these changes.
    pub(crate) fn events(&self) -> impl Iterator<Item = Event> + '_ {
        let records = || Records { count: self.count, series: self.updates.values().cloned().collect() };
        let records = (self.count > 0).then(|| Event::Records(records()));
        let series = self.series.values().map(|series| Event::Series(Box::new(series.clone())));
        let violations = self.violations.values().map(|violation| Event::Violation(Box::new(violation.clone())));
        let incidents =
            self.incidents.iter().map(|(turn, incident)| Event::Incident(*turn, Box::new(incident.clone())));
        records.into_iter().chain(violations).chain(series).chain(incidents)
    }
}
