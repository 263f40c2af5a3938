//! The alarms of one source.

use jiff::Timestamp;
use llmscope_core::RequestRecord;
use llmscope_core::watch::{AlarmEvent, AlarmWatch, GapWatch};
use serde::{Deserialize, Serialize};

use super::AlarmSettings;
use super::pace::Pace;
use crate::series::Source;

/// After this number of requests, what was learned is stored again. A restart learns from the requests since then.
const BETWEEN_SNAPSHOTS: u64 = 1024;

/// What is learned of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Learned {
    pub(super) watch: AlarmWatch,
    pub(super) pace: Pace,
    #[serde(default)]
    pub(super) gaps: GapWatch,
}

pub(super) struct SourceAlarms {
    pub(super) source: Source,
    pub(super) learned: Learned,
    /// The last record that was judged.
    pub(super) record: i64,
    /// The requests since the last snapshot, and the time of the first of them.
    pub(super) pending: u64,
    pub(super) pending_since: Option<Timestamp>,
    /// True if the state must be stored with this transaction: it cannot be learned again from records.
    pub(super) must_save: bool,
}

impl SourceAlarms {
    pub(super) fn new(source: Source, learned: Learned, record: i64) -> Self {
        Self { source, learned, record, pending: 0, pending_since: None, must_save: false }
    }

    /// Judges a request at the present rates of false alarms. `times` are those at which it counts and arrived.
    pub(super) fn push(&mut self, id: i64, record: &RequestRecord, times: (Timestamp, Timestamp)) -> Vec<AlarmEvent> {
        let (at, received_at) = times;
        self.record = id;
        self.pending += 1;
        self.pending_since = self.pending_since.or(Some(at));
        self.learned.pace.push(at);
        self.learned.gaps.push(received_at);
        self.learned.watch.push(record, at)
    }

    /// Adapts the rates of false alarms to the numbers of metrics and of sources.
    pub(super) fn share(&mut self, settings: &AlarmSettings, metrics: usize, sources: usize) {
        let has_changed =
            self.learned.watch.share(settings.false_alarms, self.learned.pace.requests_per_s(), metrics, sources);
        self.must_save |= has_changed;
    }

    pub(super) fn is_due(&self) -> bool {
        self.must_save || self.pending >= BETWEEN_SNAPSHOTS
    }

    pub(super) fn saved(&mut self) {
        (self.pending, self.pending_since, self.must_save) = (0, None, false);
    }

    /// The number of metrics with values.
    pub(super) fn metrics(&self) -> usize {
        self.learned.watch.metrics().filter(|(_, watch)| watch.detector().pushed() > 0).count()
    }
}
