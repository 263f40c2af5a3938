//! The request loop: executes the stages of a plan one after the other, with clients or with scheduled arrivals.

use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use llmscope_core::analysis::Selection;
use llmscope_core::quantity::counted;
use llmscope_core::session::{
    AttributeValue, ClientHealth, MachineSample, RequestRecord, RunEvent, Session, SessionWriter,
};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep, sleep_until};

use crate::find_load::{FoundLoad, Search, TestedLoad};
use crate::health::HealthWatch;
use crate::plan::{Load, Plan};
use crate::request::{Outcome, WallClock, measure};
use crate::schedule::Arrivals;
use crate::target::Target;
use crate::throttle::{Attempts, Throttle, pauses};
use crate::transport::Transport;
use crate::vendor::{ChatRequest, Message, Role};
use crate::workload::{Conversation, Order, Turn, Workload};

/// What a run reports while it is in progress.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// A stage begins.
    Stage(LoadStage),
    /// A step ended: the health of the client during it, without its connections.
    StepEnded(ClientHealth),
    /// The result of a search for a load.
    LoadFound(Box<FoundLoad>),
    /// A request ended, successfully or not.
    Request(Box<RequestRecord>),
    /// A run event, such as a stop by the user.
    Event(RunEvent),
    /// A sample of the machine's load.
    Sample(MachineSample),
    /// The health of the client, which is always the last update: it states how far the times can be trusted.
    Health(ClientHealth),
}

impl Update {
    /// Appends the update to a session file. Stages are not stored.
    ///
    /// # Errors
    /// [`llmscope_core::Error::Io`].
    pub fn append_to(&self, writer: &mut SessionWriter) -> llmscope_core::Result<()> {
        match self {
            Self::Stage(_) | Self::StepEnded(_) | Self::LoadFound(_) => Ok(()),
            Self::Request(record) => writer.append(record),
            Self::Event(event) => writer.append_event(event),
            Self::Sample(sample) => writer.append_sample(sample),
            Self::Health(health) => writer.append_health(health),
        }
    }

    /// Adds the update to a session in memory. Stages are not stored.
    pub fn put_into(self, session: &mut Session) {
        match self {
            Self::Stage(_) | Self::StepEnded(_) | Self::LoadFound(_) => {}
            Self::Request(record) => session.records.push(*record),
            Self::Event(event) => session.events.push(event),
            Self::Sample(sample) => session.samples.push(sample),
            Self::Health(health) => session.client_health = Some(health),
        }
    }
}

/// A part of a run with constant load.
#[derive(Debug, Clone, PartialEq)]
pub struct LoadStage {
    /// Number of clients of a closed loop; `None` in an open loop.
    pub concurrency: Option<usize>,
    /// Requests per second of an open loop; `None` in a closed loop and for a trace.
    pub rate_per_s: Option<f64>,
    /// Number of requests after which the stage ends, if it is limited by number.
    pub requests: Option<u64>,
    /// Time during which requests are issued, if the stage is limited by time.
    pub duration: Option<Duration>,
    /// True if its requests are excluded from the analysis.
    pub warmup: bool,
    /// True if it is one of several steps with different loads.
    pub step: bool,
}

impl LoadStage {
    /// The load as text: `8 clients`, `4/s`, `trace`.
    #[must_use]
    pub fn load(&self) -> String {
        match (self.concurrency, self.rate_per_s) {
            (Some(clients), _) => counted(clients, "client"),
            (None, Some(rate)) => format!("{}/s", (rate * 1e4).round() / 1e4),
            (None, None) => "trace".to_owned(),
        }
    }
}

impl Plan {
    /// The stages of a run, in order.
    #[must_use]
    pub fn stages(&self) -> Vec<LoadStage> {
        let usual = LoadStage {
            concurrency: None,
            rate_per_s: None,
            requests: self.requests,
            duration: self.duration,
            warmup: false,
            step: self.load.steps() > 1,
        };
        let measured: Vec<LoadStage> = match &self.load {
            Load::Closed { concurrency } => {
                concurrency.iter().map(|&n| LoadStage { concurrency: Some(n), ..usual.clone() }).collect()
            }
            Load::Open { rates_per_s, .. } => {
                rates_per_s.iter().map(|&rate| LoadStage { rate_per_s: Some(rate), ..usual.clone() }).collect()
            }
            Load::Replay { .. } => vec![usual.clone()],
            // Each step of a search depends on those before it.
            Load::Find(_) => Vec::new(),
        };
        let concurrency = measured.first().and_then(|stage| stage.concurrency).or(Some(1));
        let requests = Some(self.warmup);
        let warmup = LoadStage { concurrency, requests, rate_per_s: None, duration: None, warmup: true, step: false };
        (self.warmup > 0).then_some(warmup).into_iter().chain(measured).collect()
    }
}

/// The state that all requests of a run share.
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
    /// Number of conversations started, over all stages.
    conversations_begun: AtomicU64,
    /// Number of requests started. It seeds the retry pauses of each request, so that requests that failed together do
    /// not retry together.
    requests_begun: AtomicU64,
    failures_in_a_row: AtomicU32,
    /// Notified once there are too many of them.
    gave_up: Notify,
    search: Option<Mutex<Search>>,
    /// Notified once a step of the search cannot keep the objectives any more.
    out_of_reach: Notify,
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
        let search = match (&plan.load, plan.requests) {
            (Load::Find(find), Some(requests)) => Some(Mutex::new(Search::new(find.clone(), requests))),
            _ => None,
        };
        let (clock, conversations_begun, requests_begun) = (WallClock::now(), AtomicU64::new(0), AtomicU64::new(0));
        Self {
            transport,
            target,
            plan,
            workload,
            order,
            throttle,
            clock,
            health,
            updates,
            conversations_begun,
            requests_begun,
            failures_in_a_row: AtomicU32::new(0),
            gave_up: Notify::new(),
            search,
            out_of_reach: Notify::new(),
        }
    }

    /// Opens the connections of a closed loop before its clock starts, if connections are reused. Otherwise the first
    /// point of a chart would include a handshake.
    async fn prepare(&self, stage: &LoadStage) {
        let Some(clients) = stage.concurrency.filter(|_| self.plan.ramp.is_zero()) else { return };
        self.transport.prepare(clients).await;
    }

    /// Ends a stage early: cancels its requests, and reports why.
    async fn abandon(&self, progress: &Progress, mut tasks: JoinSet<()>, reason: &str) {
        let unfinished = progress.in_flight.load(Ordering::Relaxed);
        tasks.shutdown().await;
        let were = if unfinished == 1 { "was" } else { "were" };
        let unfinished = counted(unfinished, "request");
        let message = format!("{reason}: {unfinished} {were} in flight and not recorded");
        self.report(Update::Event(RunEvent { at: Timestamp::now(), message }));
    }

    /// Counts failures in a row, and gives up after too many: an endpoint that is down refuses thousands a second.
    fn count_failure(&self, failed: bool) {
        if !failed {
            self.failures_in_a_row.store(0, Ordering::Relaxed);
        } else if self.failures_in_a_row.fetch_add(1, Ordering::Relaxed) + 1 == self.plan.stop_after_failures {
            self.gave_up.notify_one();
        }
    }

    /// The search in progress, if the plan has one.
    fn search(&self) -> Option<MutexGuard<'_, Search>> {
        self.search.as_ref().map(|search| search.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The next step of the search.
    fn next_step(&self) -> Option<LoadStage> {
        let search = self.search()?;
        let (rate_per_s, requests) = (Some(search.next_rate()?), Some(search.requests()));
        Some(LoadStage { concurrency: None, rate_per_s, requests, duration: None, warmup: false, step: true })
    }

    /// Judges the step that ended, and reports what it says about its load.
    fn end_step(&self, rate_per_s: f64, ended_early: bool) {
        let tested = self.search().map(|mut search| search.end_step(rate_per_s, ended_early));
        if let Some(TestedLoad { verdict, .. }) = tested {
            let message = format!("{rate_per_s:.4}/s: {}", verdict.label());
            self.report(Update::Event(RunEvent { at: Timestamp::now(), message }));
        }
        // Neither failures nor notes of this step count in the next one.
        self.failures_in_a_row.store(0, Ordering::Relaxed);
    }

    /// Adds a request to the current step of the search.
    fn note_in_search(&self, record: &RequestRecord) {
        let is_out_of_reach = self.search().filter(|_| !record.warmup).is_some_and(|mut search| search.push(record));
        if is_out_of_reach {
            self.out_of_reach.notify_one();
        }
    }

    /// Reports an update. It is dropped if the receiver is gone.
    fn report(&self, update: Update) {
        let _ = self.updates.send(update);
    }
}

/// Executes a plan until its end or until `stop` is set. Every request that ends is reported.
pub(crate) async fn run<T: Transport>(job: Arc<Job<T>>, mut stop: watch::Receiver<bool>) {
    for stage in job.plan.stages() {
        if run_stage(&job, stage, &mut stop).await != StageEnd::Completed {
            return;
        }
    }
    while let Some(stage) = job.next_step() {
        let rate_per_s = stage.rate_per_s.unwrap_or_default();
        let end = run_stage(&job, stage, &mut stop).await;
        if end == StageEnd::Stopped {
            break;
        }
        job.end_step(rate_per_s, end == StageEnd::GaveUp);
    }
    let found = job.search().map(|search| search.found());
    found.into_iter().for_each(|found| job.report(Update::LoadFound(Box::new(found))));
}

/// How a stage ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StageEnd {
    Completed,
    /// Too many failures in a row, or a load that cannot keep the objectives of a search.
    GaveUp,
    Stopped,
}

async fn run_stage<T: Transport>(job: &Arc<Job<T>>, stage: LoadStage, stop: &mut watch::Receiver<bool>) -> StageEnd {
    job.report(Update::Stage(stage.clone()));
    tokio::select! {
        () = job.prepare(&stage) => {}
        _ = stop.wait_for(|&stopped| stopped) => return StageEnd::Stopped,
    }
    job.health.begin_step();
    let progress = Arc::new(Progress::new(stage));
    let mut tasks = JoinSet::new();
    match progress.stage.concurrency {
        Some(clients) => start_clients(&mut tasks, job, &progress, clients),
        None => drop(tasks.spawn(issue_arrivals(job.clone(), progress.clone()))),
    }
    let (end, reason) = tokio::select! {
        () = finish(&mut tasks) => (StageEnd::Completed, String::new()),
        _ = stop.wait_for(|&stopped| stopped) => (StageEnd::Stopped, "stopped by the user".to_owned()),
        () = job.gave_up.notified() => {
            let failures = counted(job.plan.stop_after_failures, "failure");
            (StageEnd::GaveUp, format!("stopped after {failures} in a row"))
        }
        () = job.out_of_reach.notified() => {
            (StageEnd::GaveUp, format!("{} ended early, an objective is out of reach", progress.stage.load()))
        }
    };
    if end != StageEnd::Completed {
        job.abandon(&progress, tasks, &reason).await;
    }
    if progress.stage.step {
        job.report(Update::StepEnded(job.health.report_of_step()));
    }
    end
}

async fn finish(tasks: &mut JoinSet<()>) {
    while let Some(ended) = tasks.join_next().await {
        propagate_panic(ended);
    }
}

/// Resumes the panic of a task. Otherwise its request would be missing from the records without an error.
fn propagate_panic(ended: Result<(), JoinError>) {
    if let Some(panic) = ended.err().and_then(|error| error.try_into_panic().ok()) {
        std::panic::resume_unwind(panic);
    }
}

/// The progress of a stage.
struct Progress {
    stage: LoadStage,
    started_at: Instant,
    deadline: Option<Instant>,
    claimed: AtomicU64,
    in_flight: AtomicUsize,
}

impl Progress {
    fn new(stage: LoadStage) -> Self {
        let started_at = Instant::now();
        let deadline = stage.duration.map(|duration| started_at + duration);
        Self { stage, started_at, deadline, claimed: AtomicU64::new(0), in_flight: AtomicUsize::new(0) }
    }

    /// Claims one more request now; false if the stage has no more.
    fn claim(&self) -> bool {
        self.claim_due(Instant::now())
    }

    /// Claims one more request that is due at `due`; false if the stage has no more. A request that is due in time is
    /// issued even if it is late.
    fn claim_due(&self, due: Instant) -> bool {
        let in_time = self.deadline.is_none_or(|deadline| due < deadline);
        in_time && self.stage.requests.is_none_or(|most| self.claimed.fetch_add(1, Ordering::Relaxed) < most)
    }
}

/// Counts a request as in flight until it is dropped.
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
                job.run_conversation(&progress, None).await;
                sleep(job.plan.think).await;
            }
        });
    }
}

async fn issue_arrivals<T: Transport>(job: Arc<Job<T>>, progress: Arc<Progress>) {
    let plan = &job.plan;
    let arrivals = match (&plan.load, &job.workload.arrivals_s) {
        (Load::Replay { speed }, Some(arrivals_s)) => Arrivals::of_trace(arrivals_s.clone(), *speed),
        (Load::Open { arrival, .. }, _) => {
            let Some(rate_per_s) = progress.stage.rate_per_s else { return };
            Arrivals::at_rate(rate_per_s, *arrival, plan.ramp, plan.seed)
        }
        (Load::Find(find), _) => {
            // The arrivals of each step are independent of those of the others.
            let (Some(rate_per_s), Some(step)) = (progress.stage.rate_per_s, job.search().map(|search| search.steps()))
            else {
                return;
            };
            Arrivals::at_rate(rate_per_s, find.arrival, Duration::ZERO, plan.seed.wrapping_add(step))
        }
        (Load::Replay { .. } | Load::Closed { .. }, _) => return,
    };
    // Dropped with this task, so that a stop also cancels the requests in flight.
    let mut tasks = JoinSet::new();
    for due in arrivals {
        let due = progress.started_at + due;
        if !progress.claim_due(due) {
            break;
        }
        sleep_until(due).await;
        let (job, progress) = (job.clone(), progress.clone());
        tasks.spawn(async move { job.run_conversation(&progress, Some(due)).await });
        while let Some(ended) = tasks.try_join_next() {
            propagate_panic(ended);
        }
    }
    finish(&mut tasks).await;
}

impl<T: Transport> Job<T> {
    /// Runs the next conversation. Its first request is already claimed and, in an open loop, due.
    async fn run_conversation(&self, progress: &Progress, due: Option<Instant>) {
        let number = self.conversations_begun.fetch_add(1, Ordering::Relaxed);
        let conversation = self.conversation(number);
        let mut messages = Vec::with_capacity(2 * conversation.turns.len());
        let mut due = due;
        for (index, turn) in conversation.turns.iter().enumerate() {
            if index > 0 {
                due = due.map(|_| Instant::now() + self.plan.think);
                sleep(self.plan.think).await;
                if !progress.claim() {
                    return;
                }
            }
            messages.push(Message { role: Role::User, text: turn.text.clone() });
            let has_next = index + 1 < conversation.turns.len();
            let outcome = self
                .request_with_retries(progress, conversation.system.as_deref(), &messages, turn, due, has_next)
                .await;
            let Some(mut outcome) = outcome else { return };
            add_labels(&mut outcome.record, progress, conversation, number, index);
            self.note_in_search(&outcome.record);
            self.report(Update::Request(Box::new(outcome.record)));
            self.count_failure(outcome.failure.is_some());
            match outcome.text {
                Some(text) if outcome.failure.is_none() => messages.push(Message { role: Role::Assistant, text }),
                _ => return,
            }
        }
    }

    /// The conversation with this number. A trace keeps its own order; other workloads use a seeded order.
    fn conversation(&self, number: u64) -> &Conversation {
        let all = &self.workload.conversations;
        let replayed = self.workload.arrivals_s.as_ref().and_then(|_| usize::try_from(number).ok());
        &all[replayed.unwrap_or_else(|| self.order.at(number)) % all.len()]
    }

    /// Sends a request, retries it after a transient failure, and records the last attempt with a summary of those
    /// before it. Returns `None` if the endpoint asked to wait beyond the end of the stage.
    async fn request_with_retries(
        &self,
        progress: &Progress,
        system: Option<&str>,
        messages: &[Message],
        turn: &Turn,
        due: Option<Instant>,
        keep_text: bool,
    ) -> Option<Outcome> {
        let chat = ChatRequest {
            model: &self.target.model,
            system,
            conversation: messages,
            output_tokens: turn.output_tokens.or(self.plan.output_tokens),
            extra: &self.target.extra,
        };
        let _in_flight = InFlight::new(&progress.in_flight);
        let first_try = Instant::now();
        let mut attempts = Attempts::default();
        let mut pauses =
            pauses(self.plan.retries, self.plan.seed ^ self.requests_begun.fetch_add(1, Ordering::Relaxed));
        let attempt = || measure(&self.transport, &self.target, &chat, self.plan.timeout, self.clock, keep_text);
        if !self.throttle.wait(progress.deadline).await {
            return None;
        }
        let mut outcome = attempt().await;
        while let Some(failure) = &outcome.failure {
            self.throttle.apply_retry_after(failure);
            let kind = failure.kind;
            let Some(pause) = kind.is_transient().then(|| pauses.next()).flatten() else { break };
            sleep(pause).await;
            if !self.throttle.wait(progress.deadline).await {
                break;
            }
            attempts.failures.push(kind);
            outcome = attempt().await;
        }
        attempts.waited = outcome.issued_at - first_try;
        attempts.record_in(&mut outcome.record);
        let late = |due: Instant| outcome.issued_at.saturating_duration_since(due).as_secs_f64();
        outcome.record.sched_delay_s = due.map(late);
        outcome.record.ttft_s.into_iter().for_each(|ttft_s| self.health.note_ttft(ttft_s));
        Some(outcome)
    }
}

/// Adds labels for the position of a request in the run, to group by.
fn add_labels(record: &mut RequestRecord, progress: &Progress, conversation: &Conversation, number: u64, turn: usize) {
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
    if let Some(rate_per_s) = progress.stage.rate_per_s.filter(|_| progress.stage.step) {
        attributes.insert("rate_per_s".to_owned(), AttributeValue::Number(rate_per_s));
    }
    if progress.stage.step {
        attributes.insert(Selection::STEP.to_owned(), AttributeValue::Text(progress.stage.load()));
    }
    if let Some(label) = &conversation.label {
        attributes.insert("label".to_owned(), AttributeValue::Text(label.clone()));
    }
}
