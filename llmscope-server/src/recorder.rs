//! The one place that writes: what arrives is kept in batches, judged in the same transaction, and answered when it is
//! durable.
//!
//! While a commit is on its way to the disk others arrive; they make the next batch. So a commit costs the same for one
//! request and for thousands, and nobody is answered before it is done.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::alerts::Alerts;
use crate::error::{Error, StoreError};
use crate::live::{Event, Live};
use crate::record::Arrival;
use crate::store::{self, Store, Transaction, Writer};
use crate::watches::{Judging, News, Watches};

/// Calls that wait; beyond this senders wait for room.
const MOST_WAITING: usize = 8192;
/// Calls that make one batch at most: what arrives later is not held up by what came before.
const MOST_TOGETHER: usize = 2048;

/// Takes what is to be written. It may be cloned; the thread ends when the last clone is dropped.
#[derive(Clone)]
pub(crate) struct Recorder {
    calls: mpsc::Sender<Call>,
}

enum Call {
    Keep { arrivals: Vec<Arrival>, answer: oneshot::Sender<store::Result<RangeInclusive<i64>>> },
    Change(Box<dyn FnOnce(&mut Desk) + Send>),
}

impl Recorder {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// [`Error::Store`] if the store cannot be written or read.
    pub(crate) fn start(
        store: Arc<dyn Store>,
        judging: Judging,
        live: Live,
        alerts: Option<Alerts>,
        runtime: Handle,
    ) -> Result<(Self, JoinHandle<()>), Error> {
        let watches = Watches::restored(judging, &*store)?;
        let mut desk =
            Desk { writer: store.writer()?, store, watches, is_restored: true, refusal: None, live, alerts, runtime };
        desk.change(|_, watches| watches.adopt_rules())?;
        let (calls, mut waiting) = mpsc::channel(MOST_WAITING);
        let thread = std::thread::Builder::new().name("recorder".to_owned());
        let thread = thread.spawn(move || {
            let mut batch = Vec::with_capacity(MOST_TOGETHER);
            while waiting.blocking_recv_many(&mut batch, MOST_TOGETHER) > 0 {
                desk.serve(&mut batch);
            }
            if let Some(alerts) = desk.alerts {
                alerts.close();
            }
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok((Self { calls }, thread))
    }

    /// Keeps records, all or none of them, and gives their numbers once they are durable.
    pub(crate) async fn keep(&self, arrivals: Vec<Arrival>) -> store::Result<RangeInclusive<i64>> {
        let (answer, answered) = oneshot::channel();
        let sent = self.calls.send(Call::Keep { arrivals, answer }).await;
        sent.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    /// Changes something in a transaction of its own.
    pub(crate) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&mut dyn Transaction, &mut Watches) -> store::Result<T> + Send + 'static,
    ) -> store::Result<T> {
        let (answer, answered) = oneshot::channel();
        // Whoever asked may have gone: the change is made all the same.
        let work = move |desk: &mut Desk| drop(answer.send(desk.change(change)));
        self.calls.send(Call::Change(Box::new(work))).await.map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }
}

fn gone() -> StoreError {
    StoreError::Other { place: "the store".to_owned(), message: "the service is ending".to_owned() }
}

/// What the thread has at hand.
struct Desk {
    store: Arc<dyn Store>,
    writer: Box<dyn Writer>,
    watches: Watches,
    /// False while the watches know of changes that were not kept, and the store could not be read.
    is_restored: bool,
    /// Why the last change was not kept.
    refusal: Option<StoreError>,
    live: Live,
    alerts: Option<Alerts>,
    /// Where those who wait for an answer are.
    runtime: Handle,
}

type Kept = (Vec<Arrival>, oneshot::Sender<store::Result<RangeInclusive<i64>>>);

impl Desk {
    fn serve(&mut self, calls: &mut Vec<Call>) {
        let mut together: Vec<Kept> = Vec::new();
        for call in calls.drain(..) {
            match call {
                Call::Keep { arrivals, answer } => together.push((arrivals, answer)),
                Call::Change(change) => {
                    self.keep(std::mem::take(&mut together));
                    change(self);
                }
            }
        }
        self.keep(together);
    }

    /// Keeps and judges what several callers brought, and answers each of them.
    fn keep(&mut self, together: Vec<Kept>) {
        if together.is_empty() {
            return;
        }
        let (arrivals, answers): (Vec<_>, Vec<_>) = together.into_iter().unzip();
        let kept = self.change(|transaction, watches| {
            arrivals.iter().map(|arrivals| insert(transaction, watches, arrivals)).collect::<store::Result<Vec<_>>>()
        });
        let results: Vec<store::Result<_>> = match kept {
            Ok(numbers) => numbers.into_iter().map(Ok).collect(),
            Err(error) => answers.iter().map(|_| Err(error.clone())).collect(),
        };
        let send = move || answers.into_iter().zip(results).for_each(|(answer, result)| drop(answer.send(result)));
        if arrivals.len() == 1 {
            send();
        } else {
            // On the runtime: from here each answer would wake it anew.
            self.runtime.spawn(async move { send() });
        }
    }

    /// Makes a change and tells of it once it is durable; what fails leaves no trace.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&mut dyn Transaction, &mut Watches) -> store::Result<T>,
    ) -> store::Result<T> {
        if !self.is_restored {
            self.restore()?;
        }
        let watches = &mut self.watches;
        let changed = self.writer.transaction().and_then(|mut transaction| {
            let result = change(&mut *transaction, watches)?;
            watches.save(&mut *transaction)?;
            transaction.commit()?;
            Ok(result)
        });
        match &changed {
            Ok(_) => {
                self.note(None);
                self.tell();
            }
            // A number that is not there is a mistake of whoever asked, and was found before anything was changed.
            Err(StoreError::Absent { .. }) => {}
            Err(error) => {
                self.note(Some(error));
                if let Err(error) = self.restore() {
                    tracing::error!(%error, "the series could not be read again");
                }
            }
        }
        changed
    }

    /// Says when the store begins to refuse, and when it takes changes again: not at each of thousands of requests.
    fn note(&mut self, refusal: Option<&StoreError>) {
        match refusal {
            Some(error) if self.refusal.as_ref() != Some(error) => {
                tracing::error!(%error, "nothing is kept");
                self.refusal = Some(error.clone());
            }
            Some(_) => {}
            None if self.refusal.take().is_some() => tracing::info!("the store takes changes again"),
            None => {}
        }
    }

    /// Makes the watches forget what was not kept.
    fn restore(&mut self) -> store::Result<()> {
        self.is_restored = false;
        self.watches.restore(&*self.store)?;
        self.is_restored = true;
        Ok(())
    }

    fn tell(&mut self) {
        let news: News = self.watches.news();
        if let Some(alerts) = &self.alerts {
            news.begun.iter().filter_map(|id| news.violations.get(id)).for_each(|violation| alerts.tell(violation));
        }
        // A record a call and nobody there to hear of it: do not build what nobody gets.
        if self.live.listeners() > 0 {
            news.events().for_each(|event: Event| self.live.tell(event));
        }
    }
}

/// Keeps and judges what one caller brought.
fn insert(
    transaction: &mut dyn Transaction,
    watches: &mut Watches,
    arrivals: &[Arrival],
) -> store::Result<RangeInclusive<i64>> {
    let mut numbers: Option<RangeInclusive<i64>> = None;
    for arrival in arrivals {
        let inserted = transaction.insert(arrival)?;
        let at = arrival.record.started_at.unwrap_or(arrival.received_at);
        watches.judge(transaction, &inserted.source, &arrival.record, at)?;
        numbers = Some(numbers.map_or(inserted.id, |numbers| *numbers.start())..=inserted.id);
    }
    numbers.ok_or_else(|| StoreError::Other { place: "records".to_owned(), message: "none were given".to_owned() })
}
