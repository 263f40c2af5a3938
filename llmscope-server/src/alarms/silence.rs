//! Endpoints that had regular requests and are silent.

use jiff::Timestamp;
use llmscope_core::watch::{AlarmEvent, IncidentReport};

use super::Alarms;
use super::incident_book::IncidentTurns;
use super::source_alarms::SourceAlarms;
use crate::incident::Signal;
use crate::store::{Result, Transaction};

impl Alarms {
    /// True if an endpoint is silent for too long without an incident.
    pub(crate) fn is_any_silent(&self, now: Timestamp) -> bool {
        self.silent(now).next().is_some()
    }

    /// Opens incidents for the endpoints that are silent for too long.
    pub(crate) fn open_silences(&mut self, transaction: &mut dyn Transaction, now: Timestamp) -> Result<IncidentTurns> {
        let silent: Vec<_> = self
            .silent(now)
            .map(|(alarms, since)| {
                (alarms.source.clone(), IncidentReport::no_data(since, now, alarms.learned.gaps.beat()))
            })
            .collect();
        let mut turns = IncidentTurns::new();
        for (source, report) in silent {
            turns.extend(self.incidents.change(transaction, &source, AlarmEvent::Opened(report), now)?);
        }
        Ok(turns)
    }

    /// The sources that are silent for too long without an incident, and since when.
    fn silent(&self, now: Timestamp) -> impl Iterator<Item = (&SourceAlarms, Timestamp)> {
        let since = move |alarms: &SourceAlarms| alarms.learned.gaps.silent_since(now);
        let silent = self.sources.values().filter_map(move |alarms| Some((alarms, since(alarms)?)));
        silent.filter(|(alarms, _)| self.incidents.of(alarms.source.id, Signal::NoData).is_none())
    }
}
