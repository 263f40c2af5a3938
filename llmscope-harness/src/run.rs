//! The loop that asks: stages one after the other, in each of them clients or arrivals.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use jiff::Timestamp;
use llmscope_core::session::{
    AttributeValue, ClientHealth, MachineSample, RequestRecord, RunEvent, Session, SessionWriter,
};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::health::HealthWatch;
use crate::plan::{Load, Plan};
use crate::request::{Outcome, WallClock, measure};
use crate::schedule::Arrivals;
use crate::target::Target;
use crate::throttle::{Attempts, Throttle, pauses};
use crate::transport::Transport;
use crate::vendor::{Ask, Role, Utterance};
use crate::workload::{Conversation, Order, Turn, Workload};

/// What a run reports while it goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// A stage begins.
    Stage(Stage),
    /// A request has ended, one way or another.
    Request(Box<RequestRecord>),
    /// Something else happened.
    Event(RunEvent),
    /// What the machine was doing.
    Sample(MachineSample),
    /// The last word of a run: how far its times can be trusted.
    Health(ClientHealth),
}

impl Update {
    /// Appends it to a file, if it is something that a session keeps.
    ///
    /// # Errors
    /// [`llmscope_core::Error::Io`].
    pub fn append_to(&self, writer: &mut SessionWriter) -> llmscope_core::Result<()> {
        match self {
            Self::Stage(_) => Ok(()),
            Self::Request(record) => writer.append(record),
            Self::Event(event) => writer.append_event(event),
            Self::Sample(sample) => writer.append_sample(sample),
            Self::Health(health) => writer.append_health(health),
        }
    }

    /// Puts it into a session, if it is something that a session keeps.
    pub fn put_into(self, session: &mut Session) {
        match self {
            Self::Stage(_) => {}
            Self::Request(record) => session.records.push(*record),
            Self::Event(event) => session.events.push(event),
            Self::Sample(sample) => session.samples.push(sample),
            Self::Health(health) => session.client_health = Some(health),
        }
    }
}

/// A part of a run with one load.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Clients of a closed loop; `None` in an open one.
    pub concurrency: Option<usize>,
    /// Requests to make, if that is what ends it.
    pub requests: Option<u64>,
    /// How long requests are issued, if that is what ends it.
    pub duration: Option<Duration>,
    /// True if its requests are not judged.
    pub warmup: bool,
    /// True if it is one of several that differ in concurrency.
    pub step: bool,
}

impl Plan {
    /// The stages of a run, in order.
    #[must_use]
    pub fn stages(&self) -> Vec<Stage> {
        let usual =
            Stage { concurrency: None, requests: self.requests, duration: self.duration, warmup: false, step: false };
        let measured: Vec<Stage> = match &self.load {
            Load::Closed { concurrency } => concurrency
                .iter()
                .map(|&n| Stage { concurrency: Some(n), step: concurrency.len() > 1, ..usual.clone() })
                .collect(),
            Load::Open { .. } | Load::Replay { .. } => vec![usual.clone()],
        };
        let concurrency = measured.first().and_then(|stage| stage.concurrency).or(Some(1));
        let warmup = Stage { concurrency, requests: Some(self.warmup), duration: None, warmup: true, step: false };
        (self.warmup > 0).then_some(warmup).into_iter().chain(measured).collect()
    }
}

/// What all requests of a run share.
pub(crate) struct Job<T> {
    pub(crate) transport: T,
    pub(crate) target: Target,
    pub(crate) plan: Plan,
    pub(crate) workload: Workload,
    order: Order,
    throttle: Throttle,
    clock: WallClock,
    health: Arc<HealthWatch>,
    updates: mpsc::Sender<Update>,
    /// Conversations begun, over all stages.
    begun: AtomicU64,
    /// Requests begun: each has pauses of its own, or those that were refused together would come back together.
    asked: AtomicU64,
}

impl<T: Transport> Job<T> {
    pub(crate) fn new(
        transport: T,
        target: Target,
        plan: Plan,
        workload: Workload,
        health: Arc<HealthWatch>,
        updates: mpsc::Sender<Update>,
    ) -> Self {
        let order = Order::new(workload.conversations.len(), plan.seed);
        let throttle = Throttle::new(target.vendor.profile().budget.map(|budget| budget.per_minute));
        let (clock, begun, asked) = (WallClock::now(), AtomicU64::new(0), AtomicU64::new(0));
        Self { transport, target, plan, workload, order, throttle, clock, health, updates, begun, asked }
    }

    /// Opens the connections of a closed loop before its clock runs. Where they are kept, opening them belongs to no
    /// request: the first point of a chart would be a handshake.
    async fn prepare(&self, stage: &Stage) {
        let Some(clients) = stage.concurrency.filter(|_| self.plan.ramp.is_zero()) else { return };
        self.transport.prepare(clients).await;
    }

    /// Nobody listens any more? Then there is nothing to tell.
    fn report(&self, update: Update) {
        let _ = self.updates.send(update);
    }
}

/// Carries a plan out, until its end or until somebody says stop. Every request that ends is reported.
pub(crate) async fn run<T: Transport>(job: Arc<Job<T>>, mut stop: watch::Receiver<bool>) {
    for stage in job.plan.stages() {
        job.report(Update::Stage(stage.clone()));
        tokio::select! {
            () = job.prepare(&stage) => {}
            _ = stop.wait_for(|&stopped| stopped) => return,
        }
        let progress = Arc::new(Progress::new(stage));
        let mut tasks = JoinSet::new();
        match progress.stage.concurrency {
            Some(clients) => start_clients(&mut tasks, &job, &progress, clients),
            None => drop(tasks.spawn(issue_arrivals(job.clone(), progress.clone()))),
        }
        tokio::select! {
            () = finish(&mut tasks) => {}
            _ = stop.wait_for(|&stopped| stopped) => {
                let unfinished = progress.in_flight.load(Ordering::Relaxed);
                tasks.shutdown().await;
                let message = format!("stopped by the user; {unfinished} requests were on their way and are not recorded");
                job.report(Update::Event(RunEvent { at: Timestamp::now(), message }));
                return;
            }
        }
    }
}

async fn finish(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        pass_on(ended);
    }
}

/// A task that panicked takes the run with it: its request would be missing from the records without a word.
fn pass_on(ended: Result<(), JoinError>) {
    if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
        std::panic::resume_unwind(panic);
    }
}

/// How far a stage has come.
struct Progress {
    stage: Stage,
    begun: Instant,
    deadline: Option<Instant>,
    claimed: AtomicU64,
    in_flight: AtomicUsize,
}

impl Progress {
    fn new(stage: Stage) -> Self {
        let begun = Instant::now();
        let deadline = stage.duration.map(|duration| begun + duration);
        Self { stage, begun, deadline, claimed: AtomicU64::new(0), in_flight: AtomicUsize::new(0) }
    }

    /// True for whoever may make one more request now.
    fn claim(&self) -> bool {
        self.claim_due(Instant::now())
    }

    /// True for whoever may make one more request that is due at this time: that it comes late does not cancel it.
    fn claim_due(&self, due: Instant) -> bool {
        let in_time = self.deadline.is_none_or(|deadline| due < deadline);
        in_time && self.stage.requests.is_none_or(|most| self.claimed.fetch_add(1, Ordering::Relaxed) < most)
    }
}

/// Counts a request while it is on its way, however it ends.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn new(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

fn start_clients<T: Transport>(tasks: &mut JoinSet<()>, job: &Arc<Job<T>>, progress: &Arc<Progress>, clients: usize) {
    for client in 0..clients {
        let (job, progress) = (job.clone(), progress.clone());
        let share = u32::try_from(client).unwrap_or(u32::MAX);
        let all = u32::try_from(clients).unwrap_or(u32::MAX).max(1);
        let delay = if progress.stage.warmup { Duration::ZERO } else { job.plan.ramp * share / all };
        tasks.spawn(async move {
            sleep(delay).await;
            while progress.claim() {
                job.converse(&progress, None).await;
                sleep(job.plan.think).await;
            }
        });
    }
}

async fn issue_arrivals<T: Transport>(job: Arc<Job<T>>, progress: Arc<Progress>) {
    let plan = &job.plan;
    let arrivals = match (&plan.load, &job.workload.arrivals_s) {
        (Load::Replay { speed }, Some(arrivals_s)) => Arrivals::of_trace(arrivals_s.clone(), *speed),
        (Load::Open { rate_per_s, arrival }, _) => Arrivals::at_rate(*rate_per_s, *arrival, plan.ramp, plan.seed),
        (Load::Replay { .. } | Load::Closed { .. }, _) => return,
    };
    // Dropped with this task: nothing goes on once it was stopped.
    let mut tasks = JoinSet::new();
    for due in arrivals {
        let due = progress.begun + due;
        if !progress.claim_due(due) {
            break;
        }
        sleep_until(due).await;
        let (job, progress) = (job.clone(), progress.clone());
        tasks.spawn(async move { job.converse(&progress, Some(due)).await });
        while let Some(ended) = tasks.try_join_next() {
            pass_on(ended);
        }
    }
    finish(&mut tasks).await;
}

impl<T: Transport> Job<T> {
    /// Holds the next conversation; its first request has been claimed and, in an open loop, is due.
    async fn converse(&self, progress: &Progress, due: Option<Instant>) {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let conversation = self.conversation(number);
        let mut said = Vec::with_capacity(2 * conversation.turns.len());
        let mut due = due;
        for (index, turn) in conversation.turns.iter().enumerate() {
            if index > 0 {
                due = due.map(|_| Instant::now() + self.plan.think);
                sleep(self.plan.think).await;
                if !progress.claim() {
                    return;
                }
            }
            said.push(Utterance { role: Role::User, text: turn.text.clone() });
            let goes_on = index + 1 < conversation.turns.len();
            let asked = self.ask(progress, conversation.system.as_deref(), &said, turn, due, goes_on).await;
            let Some(mut outcome) = asked else { return };
            note_place(&mut outcome.record, progress, conversation, number, index);
            self.report(Update::Request(Box::new(outcome.record)));
            match outcome.text {
                Some(text) if outcome.failure.is_none() => said.push(Utterance { role: Role::Assistant, text }),
                _ => return,
            }
        }
    }

    /// A trace is replayed in its order; everything else in a seeded one.
    fn conversation(&self, number: u64) -> &Conversation {
        let all = &self.workload.conversations;
        let replayed = self.workload.arrivals_s.as_ref().and_then(|_| usize::try_from(number).ok());
        &all[replayed.unwrap_or_else(|| self.order.at(number)) % all.len()]
    }

    /// Asks, again if that may help, and records the last attempt with what came before it; `None` if the endpoint
    /// wants to be left alone until the stage has ended.
    async fn ask(
        &self,
        progress: &Progress,
        system: Option<&str>,
        said: &[Utterance],
        turn: &Turn,
        due: Option<Instant>,
        keep_text: bool,
    ) -> Option<Outcome> {
        let ask = Ask {
            model: &self.target.model,
            system,
            conversation: said,
            output_tokens: turn.output_tokens.or(self.plan.output_tokens),
            extra: &self.target.extra,
        };
        let _in_flight = InFlight::new(&progress.in_flight);
        let first_try = Instant::now();
        let mut attempts = Attempts::default();
        let mut pauses = pauses(self.plan.retries, self.plan.seed ^ self.asked.fetch_add(1, Ordering::Relaxed));
        let attempt = || measure(&self.transport, &self.target, &ask, self.plan.timeout, self.clock, keep_text);
        if !self.throttle.pass(progress.deadline).await {
            return None;
        }
        let mut outcome = attempt().await;
        while let Some(failure) = &outcome.failure {
            self.throttle.obey(failure);
            let kind = failure.kind;
            let Some(pause) = kind.passes().then(|| pauses.next()).flatten() else { break };
            sleep(pause).await;
            if !self.throttle.pass(progress.deadline).await {
                break;
            }
            attempts.failures.push(kind);
            outcome = attempt().await;
        }
        attempts.waited = outcome.issued_at - first_try;
        attempts.note_in(&mut outcome.record);
        let late = |due: Instant| outcome.issued_at.saturating_duration_since(due).as_secs_f64();
        outcome.record.sched_delay_s = due.map(late);
        outcome.record.ttft_s.into_iter().for_each(|ttft_s| self.health.note_ttft(ttft_s));
        Some(outcome)
    }
}

/// Where in the run a request stood, as labels to group by.
fn note_place(record: &mut RequestRecord, progress: &Progress, conversation: &Conversation, number: u64, turn: usize) {
    record.warmup = progress.stage.warmup;
    let attributes = &mut record.attributes;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let mut number_of = |name: &str, number: u64| {
        attributes.insert(name.to_owned(), AttributeValue::Number(number as f64));
    };
    if let Some(clients) = progress.stage.concurrency.filter(|_| progress.stage.step) {
        number_of("concurrency", clients as u64);
    }
    if conversation.turns.len() > 1 {
        number_of("conversation", number);
        number_of("turn", turn as u64 + 1);
    }
    if let Some(label) = &conversation.label {
        attributes.insert("label".to_owned(), AttributeValue::Text(label.clone()));
    }
}
