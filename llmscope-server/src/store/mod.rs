//! What the service keeps, apart from how: SQLite is the one store so far, and no SQL leaves its folder.
//!
//! There is one [`Writer`] at a time, whose transactions are durable when they are committed, and any number of readers.
//! Every method blocks: callers on a runtime take them to a thread that may.

pub mod sqlite;

use std::path::Path;

use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::watch::Watch;
use llmscope_core::{Metric, Session};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::record::{Arrival, StoredRecord};
use crate::series::{Measurement, SeriesName, Source};
use crate::session::{SessionSummary, Upload};
use crate::violation::{Status, Violation};

/// Questions that a store answers at the same time; more of them wait.
pub const READERS: usize = 4;

/// The result of the store's methods.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Where records, series, violations and sessions are kept.
pub trait Store: Send + Sync + 'static {
    /// What writes. There must be only one at a time.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be written.
    fn writer(&self) -> Result<Box<dyn Writer>>;
    /// Succeeds if the store answers.
    ///
    /// # Errors
    /// [`StoreError`] if it does not.
    fn ping(&self) -> Result<()>;
    /// Where it is, for people.
    fn place(&self) -> String;
    /// The live records.
    ///
    /// # Errors
    /// [`StoreError`].
    fn count(&self) -> Result<u64>;
    /// Records, the newest first, from before the record of this number if one is given; at most [`Filter::limit`].
    ///
    /// # Errors
    /// [`StoreError`].
    fn records(&self, filter: &Filter, before: Option<i64>) -> Result<Vec<StoredRecord>>;
    /// The values of a metric, source by source, in time order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn measurements(&self, filter: &Filter, metric: Metric) -> Result<Vec<Measurements>>;
    /// Every series.
    ///
    /// # Errors
    /// [`StoreError`].
    fn series(&self) -> Result<Vec<StoredSeries>>;
    /// Violations, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn violations(&self, filter: &ViolationFilter) -> Result<Vec<Violation>>;
    /// A violation.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if there is none of this number.
    fn violation(&self, id: i64) -> Result<Violation>;
    /// Uploaded sessions, the newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn sessions(&self) -> Result<Vec<SessionSummary>>;
    /// An uploaded session, as it was.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if there is none of this number.
    fn session(&self, id: i64) -> Result<Session>;
    /// What records cost, those that failed included, in US dollars.
    ///
    /// # Errors
    /// [`StoreError`].
    fn cost_usd(&self, filter: &Filter) -> Result<f64>;
    /// What each provider did since a time.
    ///
    /// # Errors
    /// [`StoreError`].
    fn totals(&self, since: Timestamp) -> Result<Vec<ProviderTotals>>;
    /// What each provider did on each day (UTC) since a time, the first day first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn daily_totals(&self, since: Timestamp) -> Result<Vec<(String, ProviderTotals)>>;
    /// Copies everything into a new file while the store is in use.
    ///
    /// # Errors
    /// [`StoreError`].
    fn backup(&self, to: &Path) -> Result<()>;
}

/// Writes to a store.
pub trait Writer: Send {
    /// Changes that are kept all together, or not at all.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>>;
}

/// Changes that are kept all together when they are committed; dropped, none of them is.
pub trait Transaction {
    /// Keeps a live record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn insert(&mut self, arrival: &Arrival) -> Result<Inserted>;
    /// Keeps the state of a series, and gives it a number if it has none.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_series(&mut self, series: &SeriesState) -> Result<i64>;
    /// Keeps a violation that began; its number is given.
    ///
    /// # Errors
    /// [`StoreError`].
    fn begin_violation(&mut self, violation: &Violation, first_signal: usize) -> Result<i64>;
    /// Keeps how far a violation has come: its side, last time, signals, and whether it is open.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_violation(&mut self, violation: &Violation) -> Result<()>;
    /// Notes what somebody made of a violation.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if there is none of this number.
    fn annotate(&mut self, id: i64, annotation: &Annotation) -> Result<Violation>;
    /// Keeps a session with its requests.
    ///
    /// # Errors
    /// [`StoreError`].
    fn insert_session(&mut self, upload: &Upload) -> Result<SessionSummary>;
    /// Removes a session with its requests, and says how many there were.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if there is none of this number.
    fn delete_session(&mut self, id: i64) -> Result<u64>;
    /// Removes at most `most` live records from before a time, and says how many.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delete_before(&mut self, time: Timestamp, most: usize) -> Result<u64>;
    /// Removes a series with its violations.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if there is none of this number.
    fn delete_series(&mut self, id: i64) -> Result<()>;
    /// Removes all live records, series and violations, and says how many records there were.
    ///
    /// # Errors
    /// [`StoreError`].
    fn clear(&mut self) -> Result<u64>;
    /// Makes it durable.
    ///
    /// # Errors
    /// [`StoreError`]: then nothing of it is kept.
    fn commit(self: Box<Self>) -> Result<()>;
}

/// Which records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// Of this provider.
    pub provider: Option<String>,
    /// Of this model.
    pub model: Option<String>,
    /// Of the provider and model of this number.
    pub source: Option<i64>,
    /// Of this session; without one, what arrived live.
    pub session: Option<i64>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Before.
    pub to: Option<Timestamp>,
    /// The newest so many; `None` for all.
    pub limit: Option<usize>,
}

/// Which violations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViolationFilter {
    /// With one of these; empty for all.
    pub status: Vec<Status>,
    /// Still signalling, or not any more.
    pub open: Option<bool>,
    /// Of this rule.
    pub rule: Option<String>,
    /// Of this series.
    pub series: Option<i64>,
    /// Of this provider.
    pub provider: Option<String>,
    /// Of this model.
    pub model: Option<String>,
    /// Of this metric.
    pub metric: Option<Metric>,
    /// Before the violation of this number.
    pub before: Option<i64>,
    /// At most so many.
    pub limit: usize,
}

/// The values of a metric of one source, in time order: one entry for each request that is no warm-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurements {
    /// The source.
    pub source: Source,
    /// When each request was issued, in nanoseconds; `None` where a session did not say.
    pub at_ns: Vec<Option<i64>>,
    /// The value; absent for a failed request and where it was not recorded.
    pub values: Vec<Option<f64>>,
    /// Whether the request failed.
    pub failed: Vec<bool>,
    /// Where each request stands among all that were selected, warm-up included.
    pub positions: Vec<usize>,
    /// Warm-up requests, which are left out.
    pub warmup: usize,
}

/// A record that was kept.
#[derive(Debug, Clone)]
pub struct Inserted {
    /// Its number.
    pub id: i64,
    /// Who served it.
    pub source: Source,
}

/// How a series stands.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesState {
    /// Its name; the number 0 for one that was never kept.
    pub name: SeriesName,
    /// Who serves.
    pub source: Source,
    /// Values so far.
    pub n: u64,
    /// The last of them.
    pub last: Option<Measurement>,
    /// When the limits were frozen.
    pub frozen_at: Option<Timestamp>,
    /// What judges its values.
    pub memory: Memory,
}

/// What a series must remember to judge its next value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// Limits, and what the rules know of the values so far.
    pub watch: Watch,
    /// The times of the last values, as many as the longest pattern takes, in nanoseconds.
    pub times_ns: std::collections::VecDeque<i64>,
    /// Values that the frozen limits stand on.
    pub studied: usize,
}

/// A series with the violations that are going on, each with its first signal.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSeries {
    /// How it stands.
    pub state: SeriesState,
    /// The violations, each with the count of the value that completed its pattern.
    pub open: Vec<(usize, Violation)>,
}

impl StoredSeries {
    /// The frozen limits, once there are some.
    #[must_use]
    pub fn baseline(&self) -> Option<Baseline> {
        let SeriesState { name, memory, .. } = &self.state;
        let model = name.model.clone().map(|model| ("model".to_owned(), model));
        Some(Baseline {
            group: [("provider".to_owned(), name.provider.clone())].into_iter().chain(model).collect(),
            metric: name.metric.name().to_owned(),
            n: memory.studied,
            standards: memory.watch.standards()?,
        })
    }
}

/// What somebody made of a violation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// What it is now; `None` for a mere note.
    pub status: Option<Status>,
    /// What was written.
    pub note: Option<String>,
    /// The name of the key.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// What a provider did in some time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProviderTotals {
    /// The provider.
    pub provider: String,
    /// Its requests.
    pub requests: u64,
    /// Sum of the latencies of those that succeeded, in seconds.
    pub latency_s: f64,
    /// How many these are.
    pub succeeded: u64,
    /// What they cost, in US dollars.
    pub cost_usd: f64,
}

impl ProviderTotals {
    /// Adds what another model of the provider did.
    pub(crate) fn add(&mut self, other: Self) {
        self.provider = other.provider;
        self.requests += other.requests;
        self.latency_s += other.latency_s;
        self.succeeded += other.succeeded;
        self.cost_usd += other.cost_usd;
    }

    /// Mean latency of the requests that succeeded; 0 if none did.
    #[must_use]
    pub fn mean_latency_s(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
        if self.succeeded == 0 { 0.0 } else { self.latency_s / self.succeeded as f64 }
    }
}
