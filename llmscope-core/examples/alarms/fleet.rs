//! How many false alarms a service with many endpoints raises in a month, and how soon it finds a slower one.

use jiff::Timestamp;
use llmscope_core::watch::{AlarmEvent, AlarmWatch, Promise as FalseAlarms};
use llmscope_core::{Metric, RequestRecord, Result};

use super::cells::{self, CELLS, Cell, Change, Promise, Requests};
use super::parallel::in_parallel;
use super::rates::scaled;

/// Endpoints of one service, each with one metric.
pub(crate) const ENDPOINTS: usize = 100;
pub(crate) const EVERY_S: u32 = 15;
pub(crate) const DAYS: usize = 30;
const FLEETS: usize = 20;
const REQUESTS: usize = DAYS * 86_400 / EVERY_S as usize;
const LEARNED: usize = 100;
/// Requests before one endpoint becomes slower: a day.
const BEFORE: usize = 86_400 / EVERY_S as usize;
pub(crate) const SLOWER: f64 = 1.2;
const SLOWED: [&str; 5] = ["normal", "logn0.5", "mix", "tokens", "ar0.6"];

pub(crate) struct Fleet {
    pub(crate) fleets: usize,
    /// Incidents of all fleets although nothing changed.
    pub(crate) incidents: usize,
    /// The process of an endpoint that becomes slower, and the requests until its incident.
    pub(crate) found: Vec<(&'static str, Option<usize>)>,
}

impl Fleet {
    /// The weeks of all fleets: one false alarm in each is promised.
    pub(crate) fn weeks(&self) -> f64 {
        self.fleets as f64 * DAYS as f64 / 7.0
    }
}

/// `share` of the fleets.
pub(crate) fn simulated(share: f64) -> Result<Fleet> {
    let claimed: Vec<Cell> = CELLS
        .iter()
        .filter(|cell| cell.promise == Promise::Claimed && !cell.name.contains("failure"))
        .copied()
        .collect();
    let fleets = scaled(FLEETS, share);
    let of_series = |index: usize| {
        let cell = claimed[index % claimed.len()];
        incidents(&cell.requests(REQUESTS, index)).map(|incidents| incidents.len())
    };
    let incidents_of_all = in_parallel(fleets * ENDPOINTS, of_series)?.iter().sum();
    let slowed = SLOWED.iter().filter_map(|name| cells::named(name));
    let found = slowed.map(|cell| {
        let requests = cell.changed_at(BEFORE, REQUESTS, 0, ("", Change::Level(SLOWER)));
        let after = incidents(&requests)?.into_iter().find(|at| *at >= BEFORE);
        Ok((cell.name, after.map(|at| at + 1 - BEFORE)))
    });
    let fleet = Fleet { fleets, incidents: incidents_of_all, found: found.collect::<Result<_>>()? };
    eprintln!("{fleets} fleets: {} incidents in {:.0} weeks", fleet.incidents, fleet.weeks());
    Ok(fleet)
}

/// The requests at which an incident opened, in a service whose promise is one false alarm a week.
fn incidents(requests: &Requests) -> Result<Vec<usize>> {
    let (latencies, tokens) = requests.latencies();
    let mut watch = AlarmWatch::new(&[Metric::E2e], FalseAlarms::WEEKLY, LEARNED)?;
    watch.share(FalseAlarms::WEEKLY, 1.0 / f64::from(EVERY_S), ENDPOINTS, ENDPOINTS);
    let mut opened = Vec::new();
    for (i, (&e2e_s, second)) in latencies.iter().zip((1_800_000_000..).step_by(EVERY_S as usize)).enumerate() {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of tokens")]
        let output_tokens = tokens.get(i).map(|&tokens| tokens as u64);
        let input_tokens = output_tokens.map(|_| 100);
        let record = RequestRecord { e2e_s: Some(e2e_s), input_tokens, output_tokens, ..RequestRecord::default() };
        let at = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
        let events = watch.push(&record, at);
        opened.extend(events.iter().filter(|event| matches!(event, AlarmEvent::Opened(_))).map(|_| i));
    }
    Ok(opened)
}
