//! A monitor that continues a session: what it learned is learned again from the records, so that a restart changes no alarm.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;
use jiff::Timestamp;
use llmscope_core::Metric;
use llmscope_core::quantity::counted;
use llmscope_core::session::{SessionHeader, SessionWriter, Software};
use llmscope_core::watch::AlarmWatch;
use llmscope_harness::monitor::{Judge, MonitoredEndpoint};
use llmscope_harness::{Probe, VendorKind};

use super::session_log::SessionLog;
use crate::output::{self, CAUTION, DIM};

/// Opens a session, or creates it. Its records go through the judges of their endpoints, as if the monitor had not stopped.
pub(super) fn open_session(path: &Path, judges: &mut [(MonitoredEndpoint, Judge)]) -> Result<SessionLog> {
    if !path.exists() {
        return Ok(SessionLog::new(SessionWriter::create(path, &header(judges))?));
    }
    let mut learned = 0_u64;
    let (writer, warnings) = SessionWriter::resume_with(path, |record| {
        // Endpoints with the same provider and model cannot be distinguished in a session.
        let mut of_record = judges.iter_mut().map(|(_, judge)| judge).filter(|judge| judge.learns_from(&record));
        if let (Some(judge), None) = (of_record.next(), of_record.next()) {
            judge.push(&record);
            learned += 1;
        }
    })?;
    warnings.iter().for_each(|warning| output::say(CAUTION, "warning:", &warning.to_string()));
    if learned > 0 {
        output::say(DIM, "continuing:", &format!("{} of {} count", counted(learned, "result"), path.display()));
    }
    Ok(SessionLog::new(writer))
}

fn header(judges: &[(MonitoredEndpoint, Judge)]) -> SessionHeader {
    SessionHeader {
        started_at: Some(Timestamp::now()),
        recorder: Some(Software {
            name: "llmscope monitor".to_owned(),
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        }),
        simulated: judges.iter().all(|(endpoint, _)| endpoint.target.vendor == VendorKind::Simulated),
        environment: Some(Probe::new().environment()),
        ..SessionHeader::default()
    }
}

/// The incidents that are open, but for changes for the better.
pub(super) fn incidents(judges: &[(MonitoredEndpoint, Judge)]) -> BTreeMap<(String, Option<Metric>), Timestamp> {
    let of_endpoint = |(endpoint, alarms): (&str, &AlarmWatch)| {
        let worse = alarms.incidents().filter(|report| report.direction.counts_as_worse());
        worse.map(|report| ((endpoint.to_owned(), report.metric), report.at)).collect::<Vec<_>>()
    };
    alarms(judges).flat_map(of_endpoint).collect()
}

/// The metrics that are not judged yet.
pub(super) fn learning(judges: &[(MonitoredEndpoint, Judge)]) -> BTreeSet<(String, Metric)> {
    let of_endpoint = |(endpoint, alarms): (&str, &AlarmWatch)| {
        let learning = alarms.metrics().filter(|(_, watch)| watch.detector().learning().is_some());
        learning.map(|(metric, _)| (endpoint.to_owned(), metric)).collect::<Vec<_>>()
    };
    alarms(judges).flat_map(of_endpoint).collect()
}

/// The endpoints that are not judged by rules, each with its alarms.
fn alarms(judges: &[(MonitoredEndpoint, Judge)]) -> impl Iterator<Item = (&str, &AlarmWatch)> {
    judges.iter().filter_map(|(endpoint, judge)| Some((endpoint.name.as_str(), judge.alarms()?)))
}
