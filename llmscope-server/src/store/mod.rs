//! The interface of the store. SQLite is the only implementation, and all SQL is in its folder.
//!
//! There is one [`Writer`] at a time, whose transactions are durable on commit, and any number of readers.
//! Every method blocks, so async callers run them on a thread that may block.

pub mod sqlite;

use std::path::Path;

use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use llmscope_core::ingest::{FailureKind, SpanFact};
use llmscope_core::session::RunEvent;
use llmscope_core::watch::Watch;
use llmscope_core::{Metric, Session, TpotDefinition};
use serde::{Deserialize, Serialize};

use crate::error::StoreError;
use crate::identity::{AcceptedCall, CallIdentity, Identity};
use crate::incident::{Incident, IncidentFilter, IncidentTurn, Member};
use crate::record::{Arrival, StoredRecord};
use crate::series::{Measurement, SeriesName, Source};
use crate::session::{SessionSummary, Upload};
use crate::violation::{Violation, ViolationStatus};

/// The number of reads that a store serves at the same time, besides [`Store::ping`]; further ones wait.
pub const READERS: usize = 8;

/// The result of the store's methods.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// A store of records, series, violations and sessions.
pub trait Store: Send + Sync + 'static {
    /// Opens the writer. There must be only one at a time.
    ///
    /// # Errors
    /// [`StoreError`] if the store cannot be written.
    fn writer(&self) -> Result<Box<dyn Writer>>;
    /// Succeeds if the store answers. It waits for no other reader.
    ///
    /// # Errors
    /// [`StoreError`] if it does not.
    fn ping(&self) -> Result<()>;
    /// Reads the structure of the whole store, which takes a while for a large one.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] if it is damaged.
    fn quick_check(&self) -> Result<()>;
    /// The location of the store, for messages.
    fn place(&self) -> String;
    /// The size of the store's files, in bytes; 0 if it is unknown.
    fn bytes(&self) -> u64;
    /// The number of live records.
    ///
    /// # Errors
    /// [`StoreError`].
    fn count(&self) -> Result<u64>;
    /// At most [`Filter::limit`] records, newest first; with `before`, only those older than the record with this id.
    ///
    /// # Errors
    /// [`StoreError`].
    fn records(&self, filter: &Filter, before: Option<i64>) -> Result<Vec<StoredRecord>>;
    /// The values of a metric by source, in time order.
    ///
    /// # Errors
    /// [`StoreError`].
    fn measurements(&self, filter: &Filter, metric: Metric) -> Result<Vec<Measurements>>;
    /// All series.
    ///
    /// # Errors
    /// [`StoreError`].
    fn series(&self) -> Result<Vec<StoredSeries>>;
    /// Violations, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn violations(&self, filter: &ViolationFilter) -> Result<Vec<Violation>>;
    /// A violation.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn violation(&self, id: i64) -> Result<Violation>;
    /// What the alarms of all sources have learned.
    ///
    /// # Errors
    /// [`StoreError`].
    fn alarms(&self) -> Result<Vec<StoredAlarms>>;
    /// Calls `each` with the source and the record of every live record after the one with this id, in the order of arrival.
    ///
    /// # Errors
    /// [`StoreError`].
    fn records_after(&self, id: i64, each: &mut dyn FnMut(i64, StoredRecord)) -> Result<()>;
    /// The open incidents, and the last one of each provider and kind that ended.
    ///
    /// # Errors
    /// [`StoreError`].
    fn current_incidents(&self) -> Result<Vec<Incident>>;
    /// Messages about incidents that may not have been sent yet, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn messages(&self) -> Result<Vec<(IncidentTurn, Incident)>>;
    /// Incidents, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn incidents(&self, filter: &IncidentFilter) -> Result<Vec<Incident>>;
    /// An incident.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn incident(&self, id: i64) -> Result<Incident>;
    /// Uploaded sessions, newest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn sessions(&self) -> Result<Vec<SessionSummary>>;
    /// The events of an uploaded session.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn events(&self, session: i64) -> Result<Vec<RunEvent>>;
    /// An uploaded session, complete.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn session(&self, id: i64) -> Result<Session>;
    /// The cost of records, including failed ones, in US dollars.
    ///
    /// # Errors
    /// [`StoreError`].
    fn cost_usd(&self, filter: &Filter) -> Result<f64>;
    /// The totals of each provider since a time.
    ///
    /// # Errors
    /// [`StoreError`].
    fn totals(&self, since: Timestamp) -> Result<Vec<ProviderTotals>>;
    /// The totals of each provider for each day (UTC) since a time, oldest day first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn daily_totals(&self, since: Timestamp) -> Result<Vec<(String, ProviderTotals)>>;
    /// Calls `each` with the kind, number, state and time of every fact about spans, the oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    fn span_facts(&self, each: &mut dyn FnMut(&str, u64, &str, Timestamp)) -> Result<()>;
    /// Copies the store into a new file while it is in use.
    ///
    /// # Errors
    /// [`StoreError`].
    fn backup(&self, to: &Path) -> Result<()>;
}

/// Writes to a store.
pub trait Writer: Send {
    /// Starts a transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    fn transaction(&mut self) -> Result<Box<dyn Transaction + '_>>;
}

/// Changes that are stored together on commit. Dropping the transaction discards them.
pub trait Transaction {
    /// Stores a live record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn insert(&mut self, arrival: &Arrival) -> Result<Inserted>;
    /// The id of the record that was accepted with this identity.
    ///
    /// # Errors
    /// [`StoreError`].
    fn known_record(&mut self, identity: Identity) -> Result<Option<i64>>;
    /// Remembers the identity of a record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remember_record(&mut self, identity: Identity, id: i64, at: Timestamp) -> Result<()>;
    /// What is known of the call with this identity.
    ///
    /// # Errors
    /// [`StoreError`].
    fn known_call(&mut self, call: CallIdentity) -> Result<Option<AcceptedCall>>;
    /// Remembers a call, with the ids of the first and the last object that it stored.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remember_call(&mut self, call: CallIdentity, ids: (i64, i64), at: Timestamp) -> Result<()>;
    /// Remembers what is known of a span, or replaces it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn remember_fact(&mut self, fact: &SpanFact, at: Timestamp) -> Result<()>;
    /// Forgets at most `most` identities from before a time, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn forget_before(&mut self, time: Timestamp, most: usize) -> Result<u64>;
    /// Stores the state of a series, and returns its id. A series with the id 0 gets a new one.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_series(&mut self, series: &SeriesState) -> Result<i64>;
    /// Stores a new violation and returns its id.
    ///
    /// # Errors
    /// [`StoreError`].
    fn begin_violation(&mut self, violation: &Violation, first_signal: usize) -> Result<i64>;
    /// Updates a violation: its side, its last time, its number of signals, and whether it is open.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_violation(&mut self, violation: &Violation) -> Result<()>;
    /// Stores what the alarms of a source have learned up to a record.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_alarms(&mut self, source: i64, record: i64, state: &str) -> Result<()>;
    /// Stores a new incident with its members and returns its id.
    ///
    /// # Errors
    /// [`StoreError`].
    fn begin_incident(&mut self, incident: &Incident) -> Result<i64>;
    /// Updates an incident: whether it is open, and what decides about its messages.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_incident(&mut self, incident: &Incident) -> Result<()>;
    /// Stores a member of an incident, or updates it.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_member(&mut self, incident: i64, member: &Member) -> Result<()>;
    /// Adds a status or a note to an incident.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn annotate_incident(&mut self, id: i64, annotation: &Annotation) -> Result<Incident>;
    /// Remembers that a message about an incident must be sent after the commit.
    ///
    /// # Errors
    /// [`StoreError`].
    fn save_message(&mut self, incident: i64, turn: IncidentTurn) -> Result<()>;
    /// Forgets all messages, because they are with the sender.
    ///
    /// # Errors
    /// [`StoreError`].
    fn clear_messages(&mut self) -> Result<()>;
    /// Removes at most `most` incidents that ended before a time, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delete_incidents_before(&mut self, time: Timestamp, most: usize) -> Result<u64>;
    /// Adds a status or a note to a violation.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn annotate(&mut self, id: i64, annotation: &Annotation) -> Result<Violation>;
    /// Stores a session with its requests.
    ///
    /// # Errors
    /// [`StoreError`].
    fn insert_session(&mut self, upload: &Upload) -> Result<SessionSummary>;
    /// Removes a session with its requests, and returns the number of requests.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn delete_session(&mut self, id: i64) -> Result<u64>;
    /// Removes at most `most` live records from before a time, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delete_before(&mut self, time: Timestamp, most: usize) -> Result<u64>;
    /// Removes at most `most` violations that ended before a time, and returns their number.
    ///
    /// # Errors
    /// [`StoreError`].
    fn delete_violations_before(&mut self, time: Timestamp, most: usize) -> Result<u64>;
    /// Removes a series with its violations.
    ///
    /// # Errors
    /// [`StoreError::Absent`] if the id is unknown.
    fn delete_series(&mut self, id: i64) -> Result<()>;
    /// Removes all live records, identities, series, violations and incidents, and returns the number of records.
    ///
    /// # Errors
    /// [`StoreError`].
    fn clear(&mut self) -> Result<u64>;
    /// Makes the changes durable.
    ///
    /// # Errors
    /// [`StoreError`]: then none of the changes are stored.
    fn commit(self: Box<Self>) -> Result<()>;
}

/// A selection of records.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Filter {
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only of the source with this id.
    pub source: Option<i64>,
    /// Only of the session with this id; `None` for live records.
    pub session: Option<i64>,
    /// Only at or after this time.
    pub from: Option<Timestamp>,
    /// Only before this time.
    pub to: Option<Timestamp>,
    /// At most the newest N; `None` for all.
    pub limit: Option<usize>,
    /// Failed requests have the time until their failure as their latency, as in the calls of the previous service.
    pub failures_have_latencies: bool,
}

/// A selection of violations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ViolationFilter {
    /// Only with one of these statuses; empty for all.
    pub status: Vec<ViolationStatus>,
    /// Only violations that are open (true) or have ended (false).
    pub open: Option<bool>,
    /// Only of this rule.
    pub rule: Option<String>,
    /// Only of the series with this id.
    pub series: Option<i64>,
    /// Only of this provider.
    pub provider: Option<String>,
    /// Only of this model.
    pub model: Option<String>,
    /// Only of this metric.
    pub metric: Option<Metric>,
    /// Only those older than the violation with this id.
    pub before: Option<i64>,
    /// At most N.
    pub limit: usize,
}

/// The values of a metric of one source, in time order: one entry for each request that is not a warm-up.
#[derive(Debug, Clone, PartialEq)]
pub struct Measurements {
    /// The source.
    pub source: Source,
    /// When each request was issued, in nanoseconds; `None` if the session does not record it.
    pub at_ns: Vec<Option<i64>>,
    /// The value; `None` for a failed request and for an unrecorded value.
    pub values: Vec<Option<f64>>,
    /// Whether the request failed.
    pub failed: Vec<bool>,
    /// Why the request failed; `None` for a successful request.
    pub failures: Vec<Option<FailureKind>>,
    /// Tokens of the prompt, those of them from the server's cache, and tokens generated, as far as the metric depends on
    /// them and they are known.
    pub tokens: Vec<[Option<f64>; 3]>,
    /// The definition of each value, if they are times per token.
    pub definitions: Vec<TpotDefinition>,
    /// The position of each request among all selected ones, including warm-up.
    pub positions: Vec<usize>,
    /// The number of warm-up requests, which are left out.
    pub warmup: usize,
}

/// A record that was stored.
#[derive(Debug, Clone)]
pub struct Inserted {
    /// Its id.
    pub id: i64,
    /// Its source.
    pub source: Source,
}

/// The persistent state of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct SeriesState {
    /// Its name; its id is 0 if it was never stored.
    pub name: SeriesName,
    /// Its source.
    pub source: Source,
    /// The number of values so far.
    pub n: u64,
    /// The last value.
    pub last: Option<Measurement>,
    /// When the limits were frozen.
    pub frozen_at: Option<Timestamp>,
    /// The state that judges its next value.
    pub memory: Memory,
}

/// The state that judges the next value of a series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    /// The limits and the state of the rules.
    pub watch: Watch,
    /// The times of the last values in nanoseconds, as many as the longest pattern has points.
    pub times_ns: std::collections::VecDeque<i64>,
    /// The number of values that the frozen limits are based on.
    pub studied: usize,
    /// The definition of the values, if they are times per token.
    #[serde(default)]
    pub tpot_definition: TpotDefinition,
    /// The definition of the limits that were given up because values of a newer one arrived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub given_up: Option<TpotDefinition>,
}

/// What the alarms of a source have learned.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredAlarms {
    /// The source.
    pub source: Source,
    /// The id of the last record that the state contains.
    pub record: i64,
    /// The state, as JSON.
    pub state: String,
}

/// A series with its open violations.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredSeries {
    /// The state of the series.
    pub state: SeriesState,
    /// The open violations, each with the position of the value that completed its pattern.
    pub open: Vec<(usize, Violation)>,
}

impl StoredSeries {
    /// The frozen limits, if any.
    #[must_use]
    pub fn baseline(&self) -> Option<Baseline> {
        let SeriesState { name, memory, .. } = &self.state;
        let model = name.model.clone().map(|model| ("model".to_owned(), model));
        Some(Baseline {
            group: [("provider".to_owned(), name.provider.clone())].into_iter().chain(model).collect(),
            metric: name.metric.name().to_owned(),
            tpot_definition: memory.tpot_definition,
            n: memory.studied,
            standards: memory.watch.standards()?,
        })
    }
}

/// A status or note that a user adds to a violation or an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Annotation {
    /// The new status; `None` to add only a note.
    pub status: Option<ViolationStatus>,
    /// The text of the note.
    pub note: Option<String>,
    /// The name of the user's key.
    pub by: String,
    /// The time of the annotation.
    pub at: Timestamp,
}

/// The totals of a provider over a period.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProviderTotals {
    /// The provider.
    pub provider: String,
    /// The number of its requests.
    pub requests: u64,
    /// The sum of the latencies, in seconds; that of a failed request is the time until its failure.
    pub latency_s: f64,
    /// The number of requests with a latency.
    pub timed: u64,
    /// The cost of all requests, in US dollars.
    pub cost_usd: f64,
}

impl ProviderTotals {
    /// Adds the totals of another model of the provider.
    pub(crate) fn add(&mut self, other: Self) {
        self.provider = other.provider;
        self.requests += other.requests;
        self.latency_s += other.latency_s;
        self.timed += other.timed;
        self.cost_usd += other.cost_usd;
    }

    /// The mean latency; 0 if no request has one.
    #[must_use]
    pub fn mean_latency_s(&self) -> f64 {
        #[allow(clippy::cast_precision_loss, reason = "a count of requests is far below 2^53")]
        if self.timed == 0 { 0.0 } else { self.latency_s / self.timed as f64 }
    }
}
