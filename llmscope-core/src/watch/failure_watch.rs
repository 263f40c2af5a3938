//! The alarms about failed requests of an endpoint.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::incident_report::{AlarmEvent, IncidentPart, IncidentReport};
use super::times::Times;
use crate::analysis::Direction;
use crate::detector::{FailureAlarm, FailureDetector, FalseAlarmRate};
use crate::error::Result;
use crate::session::{RequestRecord, Status};

/// While the detector learns, this many failures in a row open an incident.
const OUTAGE: u64 = 5;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct FailureWatch {
    pub(super) detector: FailureDetector,
    times: Times,
    failures_in_a_row: u64,
    /// The report of the open incident.
    pub(super) report: Option<IncidentReport>,
}

impl FailureWatch {
    pub(super) fn new(false_alarms: FalseAlarmRate, learn: usize) -> Result<Self> {
        Ok(Self {
            detector: FailureDetector::new(false_alarms, learn)?,
            times: Times::default(),
            failures_in_a_row: 0,
            report: None,
        })
    }

    /// Judges a request. One that the client stopped did neither succeed nor fail.
    pub(super) fn push(&mut self, record: &RequestRecord, at: Timestamp) -> Option<AlarmEvent> {
        if record.status == Status::Cancelled {
            return None;
        }
        let failed = !record.succeeded();
        let number = self.detector.pushed();
        let is_learning = self.detector.is_learning();
        let evidence = self.detector.push(failed);
        self.times.push(at);
        self.failures_in_a_row = if failed { self.failures_in_a_row + 1 } else { 0 };
        if let Some(report) = &mut self.report {
            report.requests += 1;
            report.failed = report.failed.map(|count| count + u64::from(failed));
            report.error = if failed { error(record) } else { report.error.take() };
            let is_over = !evidence.incident && self.detector.has_recovered();
            return if is_over { self.end(at) } else { None };
        }
        let since = match evidence.alarm {
            Some(FailureAlarm { since, .. }) => since,
            None if is_learning && self.failures_in_a_row == OUTAGE => number + 1 - OUTAGE,
            None => return None,
        };
        let report = IncidentReport {
            metric: None,
            part: IncidentPart::Failures,
            direction: Direction::Worse,
            since: self.times.at(since).unwrap_or(at),
            at,
            requests: evidence.alarm.map_or(OUTAGE, |alarm| alarm.of),
            ratio: None,
            difference: None,
            interval: None,
            failed: Some(evidence.alarm.map_or(OUTAGE, |alarm| alarm.failed)),
            share_before: evidence.alarm.map(|alarm| alarm.share_before),
            error: error(record),
            adjusted_for_load: false,
            false_alarms: evidence.alarm.map(|_| self.detector.false_alarms().values()),
            beat_s: None,
            accepted: false,
        };
        Some(AlarmEvent::Opened(self.report.insert(report).clone()))
    }

    /// Bursts of failures are usual from now on.
    pub(super) fn relearn(&mut self, at: Timestamp) -> Option<AlarmEvent> {
        self.detector.relearn();
        self.report.take().map(|report| AlarmEvent::Ended(IncidentReport { at, accepted: true, ..report }))
    }

    fn end(&mut self, at: Timestamp) -> Option<AlarmEvent> {
        self.report.take().map(|report| AlarmEvent::Ended(IncidentReport { at, ..report }))
    }

    /// True if a state from outside can be used.
    pub(super) fn is_valid(&self) -> bool {
        self.times.is_valid() && (self.report.is_some() || !self.detector.has_incident())
    }
}

/// `http_status: 503 Service Unavailable`.
fn error(record: &RequestRecord) -> Option<String> {
    let error = record.error.as_ref()?;
    Some(match &error.message {
        Some(message) => format!("{}: {message}", error.kind),
        None => error.kind.clone(),
    })
}
