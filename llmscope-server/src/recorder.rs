//! The writer thread: it stores records in batches, judges them in the same transaction, and replies when the
//! transaction is durable.
//!
//! Records that arrive during a commit form the next batch. So a commit costs the same for one request and for
//! thousands, and no caller gets a reply before its commit is done.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use llmscope_harness::Delivery;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::alarms::AlarmBoard;
use crate::alerts::Alerts;
use crate::error::{Error, StoreError};
use crate::identity::{KeyReused, Receipt, Submission};
use crate::live::{Event, Live};
use crate::record::Arrival;
use crate::service_metrics::ServiceMetrics;
use crate::store::{self, Store, Transaction, Writer};
use crate::watches::{Changes, WatchSettings, Watches};

/// The length of the queue of calls. When it is full, senders wait.
const QUEUE_LENGTH: usize = 8192;
/// The most calls in one batch, so that later calls do not wait for too many earlier ones.
const LARGEST_BATCH: usize = 2048;

/// Sends calls to the thread that writes. The thread ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Recorder {
    calls: mpsc::Sender<Call>,
}

enum Call {
    Store { submission: Submission, reply: Reply },
    Change(Box<dyn FnOnce(&mut WriterThread) + Send>),
}

type Outcome = Result<Receipt, KeyReused>;
type Reply = oneshot::Sender<store::Result<Outcome>>;

impl Recorder {
    /// Starts the writing thread.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be read or written.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        settings: WatchSettings,
        live: Live,
        alerts: Option<Alerts>,
        (board, metrics): (Arc<AlarmBoard>, Arc<ServiceMetrics>),
        (runtime, started): (Handle, Timestamp),
    ) -> Result<(Self, JoinHandle<()>), Error> {
        let watches = Watches::restored(settings, &*store, started)?;
        let mut writer = WriterThread {
            writer: store.writer()?,
            store,
            watches,
            is_restored: true,
            refusal: None,
            live,
            alerts,
            board,
            metrics,
            is_full: false,
            runtime,
        };
        writer.change(|transaction, watches| {
            if let Some(alarms) = watches.alarms() {
                alarms.end_unknown(transaction, started)?;
            }
            watches.adopt_rules()
        })?;
        writer.watches.show_alarms(&writer.board);
        writer.send_messages()?;
        let (calls, mut waiting) = mpsc::channel(QUEUE_LENGTH);
        let thread = std::thread::Builder::new().name("recorder".to_owned());
        let thread = thread.spawn(move || {
            let mut batch = Vec::with_capacity(LARGEST_BATCH);
            while waiting.blocking_recv_many(&mut batch, LARGEST_BATCH) > 0 {
                writer.serve(&mut batch);
            }
            if let Some(alerts) = writer.alerts {
                alerts.close();
            }
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok((Self { calls }, thread))
    }

    /// Stores all records or none of them, except those that were accepted before, and returns once they are durable.
    pub(crate) async fn keep(&self, submission: Submission) -> store::Result<Outcome> {
        let (reply, received) = oneshot::channel();
        let sent = self.calls.send(Call::Store { submission, reply }).await;
        sent.map_err(|_| shutting_down())?;
        received.await.map_err(|_| shutting_down())?
    }

    /// The number of calls that wait for the writer.
    pub(crate) fn waiting(&self) -> usize {
        self.calls.max_capacity() - self.calls.capacity()
    }

    /// The state of the deliveries to the webhook; `None` without a webhook, and while the writer is busy.
    pub(crate) async fn deliveries(&self) -> Option<Delivery> {
        const PATIENCE: Duration = Duration::from_millis(500);
        let (reply, received) = oneshot::channel();
        let ask = move |writer: &mut WriterThread| drop(reply.send(writer.alerts.as_ref().map(Alerts::delivery)));
        self.calls.try_send(Call::Change(Box::new(ask))).ok()?;
        tokio::time::timeout(PATIENCE, received).await.ok()?.ok()?
    }

    /// Opens incidents for the endpoints that are silent for too long. Records that wait come first.
    pub(crate) async fn look_for_silence(&self, now: Timestamp) -> store::Result<()> {
        let (reply, received) = oneshot::channel();
        let look = move |writer: &mut WriterThread| {
            let is_silent = writer.watches.alarms().is_some_and(|alarms| alarms.is_any_silent(now));
            let open = |writer: &mut WriterThread| {
                writer.change(|transaction, watches| watches.open_silences(transaction, now))
            };
            let _ = reply.send(if is_silent { open(writer) } else { Ok(()) });
        };
        self.calls.send(Call::Change(Box::new(look))).await.map_err(|_| shutting_down())?;
        received.await.map_err(|_| shutting_down())?
    }

    /// Makes a change in its own transaction.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut dyn Transaction, &mut Watches) -> store::Result<T> + Send + 'static,
    ) -> store::Result<T> {
        let (reply, received) = oneshot::channel();
        // The caller may be gone: the change is made anyway.
        let work = move |writer: &mut WriterThread| drop(reply.send(writer.change(change)));
        self.calls.send(Call::Change(Box::new(work))).await.map_err(|_| shutting_down())?;
        received.await.map_err(|_| shutting_down())?
    }
}

fn shutting_down() -> StoreError {
    StoreError::Other { place: "the store".to_owned(), message: "the service is shutting down".to_owned() }
}

/// The state of the writing thread.
struct WriterThread {
    store: Arc<dyn Store>,
    writer: Box<dyn Writer>,
    watches: Watches,
    /// False while the watches contain uncommitted changes because the store could not be read again.
    is_restored: bool,
    /// Why the last change was not stored.
    refusal: Option<StoreError>,
    live: Live,
    alerts: Option<Alerts>,
    board: Arc<AlarmBoard>,
    metrics: Arc<ServiceMetrics>,
    /// Whether the log says that there are as many series as allowed.
    is_full: bool,
    /// The runtime of the callers.
    runtime: Handle,
}

impl WriterThread {
    fn serve(&mut self, calls: &mut Vec<Call>) {
        let mut submissions: Vec<(Submission, Reply)> = Vec::new();
        for call in calls.drain(..) {
            match call {
                Call::Store { submission, reply } => submissions.push((submission, reply)),
                Call::Change(change) => {
                    self.keep(std::mem::take(&mut submissions));
                    change(self);
                }
            }
        }
        self.keep(submissions);
    }

    /// Stores and judges the records of several callers, and replies to each of them.
    fn keep(&mut self, submissions: Vec<(Submission, Reply)>) {
        if submissions.is_empty() {
            return;
        }
        let (submissions, replies): (Vec<_>, Vec<_>) = submissions.into_iter().unzip();
        let kept = self.change(|transaction, watches| {
            submissions
                .iter()
                .map(|submission| insert(transaction, watches, submission))
                .collect::<store::Result<Vec<_>>>()
        });
        let results: Vec<store::Result<_>> = match kept {
            Ok(outcomes) => {
                let repeated = outcomes.iter().flatten().map(|receipt| receipt.repeated as u64).sum();
                self.metrics.repeated.add(repeated);
                outcomes.into_iter().map(Ok).collect()
            }
            Err(error) => replies.iter().map(|_| Err(error.clone())).collect(),
        };
        let send = move || replies.into_iter().zip(results).for_each(|(reply, result)| drop(reply.send(result)));
        if submissions.len() == 1 {
            send();
        } else {
            // On the runtime: each reply from this thread would wake the runtime again.
            self.runtime.spawn(async move { send() });
        }
    }

    /// Makes a change and publishes it once it is durable. A change that fails has no effect.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut dyn Transaction, &mut Watches) -> store::Result<T>,
    ) -> store::Result<T> {
        if !self.is_restored {
            self.restore()?;
        }
        let begun = Instant::now();
        let (watches, alerts) = (&mut self.watches, self.alerts.as_ref());
        let mut messages = 0;
        let changed = self.writer.transaction().and_then(|mut transaction| {
            let result = change(&mut *transaction, watches)?;
            watches.save(&mut *transaction)?;
            for (turn, incident) in watches.incidents() {
                if alerts.is_some_and(|alerts| alerts.is_sent(*turn, incident)) {
                    transaction.save_message(incident.id, *turn)?;
                    messages += 1;
                }
            }
            transaction.commit()?;
            Ok(result)
        });
        match &changed {
            Ok(_) => {
                self.metrics.committed(begun.elapsed());
                self.log_refusal(None);
                self.publish();
                if messages > 0
                    && let Err(error) = self.clear_messages()
                {
                    tracing::warn!(%error, "a restart will send the last alert again: the store refuses changes");
                }
            }
            // An unknown id is an error of the caller; nothing was changed.
            Err(StoreError::Absent { .. }) => {}
            Err(error) => {
                self.log_refusal(Some(error));
                if let Err(error) = self.restore() {
                    tracing::error!(%error, "cannot read the series from the store again");
                }
            }
        }
        changed
    }

    /// Hands over the messages that a killed service had committed and not handed over.
    fn send_messages(&mut self) -> store::Result<()> {
        let messages = self.store.messages()?;
        if messages.is_empty() {
            return Ok(());
        }
        if let Some(alerts) = &self.alerts {
            messages.iter().for_each(|(turn, incident)| alerts.report(*turn, incident));
        }
        self.clear_messages()
    }

    /// Forgets the messages of the last commit: they are in the file of undelivered messages.
    fn clear_messages(&mut self) -> store::Result<()> {
        let mut transaction = self.writer.transaction()?;
        transaction.clear_messages()?;
        transaction.commit()
    }

    /// Logs when the store starts to refuse changes and when it accepts them again, not each refused request.
    fn log_refusal(&mut self, refusal: Option<&StoreError>) {
        match refusal {
            Some(error) if self.refusal.as_ref() != Some(error) => {
                tracing::error!(%error, "the store refuses changes");
                self.refusal = Some(error.clone());
            }
            Some(_) => {}
            None if self.refusal.take().is_some() => tracing::info!("the store accepts changes again"),
            None => {}
        }
    }

    /// Resets the watches to the state in the store.
    fn restore(&mut self) -> store::Result<()> {
        self.is_restored = false;
        self.watches.restore(&*self.store)?;
        self.watches.show_alarms(&self.board);
        self.is_restored = true;
        Ok(())
    }

    fn publish(&mut self) {
        let changes: Changes = self.watches.take_changes(&self.board);
        self.metrics.unjudged.add(changes.unjudged);
        if changes.unjudged > 0 && !self.is_full {
            self.is_full = true;
            tracing::warn!(
                "there are as many series as allowed (--max-series): values of further providers and models are stored \
                and not judged; delete series, or allow more"
            );
        }
        if let Some(alerts) = &self.alerts {
            changes
                .begun
                .iter()
                .filter_map(|id| changes.violations.get(id))
                .for_each(|violation| alerts.notify(violation));
            changes.incidents.iter().for_each(|(turn, incident)| alerts.report(*turn, incident));
        }
        // Calls often bring a single record: build events only if there are listeners.
        if self.live.listeners() > 0 {
            changes.events().for_each(|event: Event| self.live.publish(event));
        }
    }
}

/// Stores and judges the records of one caller. What was accepted before is neither stored nor judged again.
fn insert(transaction: &mut dyn Transaction, watches: &mut Watches, submission: &Submission) -> store::Result<Outcome> {
    let Submission { arrivals, call, facts } = submission;
    if let Some(call) = call
        && let Some(known) = transaction.known_call(*call)?
    {
        let receipt = Receipt { stored: 0, repeated: arrivals.len(), ids: Some(known.ids) };
        return Ok(if known.digest == call.digest { Ok(receipt) } else { Err(KeyReused) });
    }
    let mut receipt = Receipt { stored: 0, repeated: 0, ids: None };
    for arrival in arrivals {
        let known = arrival.identity.map(|identity| transaction.known_record(identity)).transpose()?.flatten();
        let id = match known {
            Some(id) => {
                receipt.repeated += 1;
                id
            }
            None => {
                receipt.stored += 1;
                keep(transaction, watches, arrival)?
            }
        };
        let (first, last) = receipt.ids.map_or((id, id), |ids| (id.min(*ids.start()), id.max(*ids.end())));
        receipt.ids = Some(first..=last);
    }
    let at = arrivals.first().map_or_else(Timestamp::now, |arrival| arrival.received_at);
    facts.iter().try_for_each(|fact| transaction.remember_fact(fact, at))?;
    if let (Some(call), Some(ids)) = (call, &receipt.ids) {
        transaction.remember_call(*call, (*ids.start(), *ids.end()), at)?;
    }
    Ok(Ok(receipt))
}

/// Stores and judges a record, and returns its id.
fn keep(transaction: &mut dyn Transaction, watches: &mut Watches, arrival: &Arrival) -> store::Result<i64> {
    let inserted = transaction.insert(arrival)?;
    if let Some(identity) = arrival.identity {
        transaction.remember_record(identity, inserted.id, arrival.received_at)?;
    }
    let at = arrival.record.started_at.unwrap_or(arrival.received_at);
    watches.judge(transaction, &inserted.source, (inserted.id, &arrival.record), (at, arrival.received_at))?;
    Ok(inserted.id)
}
