//! Monitors endpoints for weeks: sends a request to each at its interval, and judges every result as it arrives.

mod alarm;
mod judge;
mod rule_judge;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use llmscope_core::analysis::Baseline;
use llmscope_core::session::RequestRecord;
use llmscope_core::watch::Promise;
use llmscope_core::{Metric, RuleSet, Transform};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub use self::alarm::{MonitorEvent, MonitorEventKind};
pub use self::judge::Judge;
use crate::error::{Error, Result};
use crate::request::{WallClock, measure};
use crate::target::Target;
use crate::transport::Transport;
use crate::vendor::{ChatRequest, Message, Role, SimulatedTransport, Simulation, VendorKind};

/// An endpoint to monitor.
#[derive(Debug, Clone)]
pub struct MonitoredEndpoint {
    /// Its name in events.
    pub name: String,
    /// The endpoint and the model.
    pub target: Target,
    /// The prompt. It is always the same, so that differences are caused by the endpoint.
    pub prompt: String,
    /// Maximum number of output tokens.
    pub output_tokens: Option<u32>,
    /// Interval between requests.
    pub interval: Duration,
    /// Time limit for a complete response.
    pub timeout: Duration,
    /// The behavior of the simulated vendor, if it is the target.
    pub simulation: Simulation,
}

/// How results are judged.
#[derive(Debug, Clone)]
pub struct JudgeSettings {
    /// Metrics to judge.
    pub metrics: Vec<Metric>,
    /// What raises an alarm.
    pub alarm: AlarmKind,
    /// Number of results to learn from.
    pub learn: usize,
}

/// What raises an alarm.
#[derive(Debug, Clone)]
pub enum AlarmKind {
    /// A shift of a metric, or more failed requests, at a stated rate of false alarms.
    Shift(Promise),
    /// Rules about points and frozen limits, as for users of control charts.
    Rules(RuleAlarms),
    /// Nothing does.
    Nothing,
}

/// Alarms by rules.
#[derive(Debug, Clone)]
pub struct RuleAlarms {
    /// Rules to apply.
    pub rules: RuleSet,
    /// Frozen limits for endpoints and metrics. The others learn their limits.
    pub baselines: Vec<Baseline>,
    /// The transformation that learned limits are computed on.
    pub transform: Transform,
    /// Number of consecutive results without a signal that end a violation.
    pub recover_after: usize,
    /// Number of consecutive failures that start a violation.
    pub failures: usize,
}

impl Default for JudgeSettings {
    /// Time to first token and end-to-end latency; one false alarm a week, after 100 results.
    fn default() -> Self {
        Self { metrics: vec![Metric::Ttft, Metric::E2e], alarm: AlarmKind::Shift(Promise::WEEKLY), learn: 100 }
    }
}

impl Default for RuleAlarms {
    /// The first two Nelson rules: a spike, and a lasting shift.
    fn default() -> Self {
        Self {
            rules: "1,2".parse().unwrap_or_else(|_| RuleSet::nelson()),
            baselines: Vec::new(),
            transform: Transform::None,
            recover_after: 5,
            failures: 2,
        }
    }
}

/// What a monitor reports.
#[derive(Debug, Clone)]
pub enum Observation {
    /// A request ended, successfully or not.
    Request {
        /// The index of the endpoint.
        endpoint: usize,
        /// The record for the session.
        record: Box<RequestRecord>,
    },
    /// An incident or a violation started or ended, or something was learned.
    Event(Box<MonitorEvent>),
}

/// A handle to a running monitor. Dropping it stops the monitor.
#[derive(Debug)]
pub struct MonitorHandle {
    observations: Receiver<Observation>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl MonitorHandle {
    /// Starts a monitor of endpoints, each with its judge. Intervals vary randomly by `jitter`, a share between 0 and 1, so that many monitors do not
    /// send their requests at the same time.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Tls`], [`Error::Start`].
    pub fn start(endpoints: Vec<(MonitoredEndpoint, Judge)>, jitter: f64, seed: u64) -> Result<Self> {
        if endpoints.is_empty() {
            return Err(setting("endpoints", "none", "at least one"));
        }
        if !(0.0..=1.0).contains(&jitter) {
            return Err(setting("--jitter", &jitter.to_string(), "a share between 0 and 1"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Error::Start { message: error.to_string() })?;
        let (sender, observations) = mpsc::channel();
        let (stop, stopped) = watch::channel(false);
        let mut monitors: Vec<MonitorTask> = Vec::new();
        for (index, (endpoint, judge)) in endpoints.into_iter().enumerate() {
            if endpoint.interval < SHORTEST_INTERVAL {
                return Err(setting("--interval", &format!("{} s", endpoint.interval.as_secs_f64()), "at least 100ms"));
            }
            let pace = Pace::new(endpoint.interval, jitter, seed.wrapping_add(index as u64));
            let sender = sender.clone();
            if endpoint.target.vendor == VendorKind::Simulated {
                let transport = SimulatedTransport::new(Simulation { seed, ..endpoint.simulation });
                monitors.push(Box::pin(monitor_endpoint(index, endpoint, transport, judge, pace, sender)));
            } else {
                let transport = endpoint.target.transport(CONNECT_LIMIT.min(endpoint.timeout), true)?;
                monitors.push(Box::pin(monitor_endpoint(index, endpoint, transport, judge, pace, sender)));
            }
        }
        drop(sender);
        let thread = std::thread::Builder::new().name("monitor".to_owned()).spawn(move || {
            runtime.block_on(until_stopped(monitors, stopped));
            // A name resolution in progress runs on a blocking thread and cannot be cancelled; do not wait for it.
            runtime.shutdown_background();
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok(Self { observations, stop, thread: Some(thread) })
    }

    /// Waits for the next observation, for at most `patience`; `None` if there was none.
    ///
    /// # Errors
    /// [`Error::Start`] after the monitor has ended.
    pub fn next(&self, patience: Duration) -> Result<Option<Observation>> {
        match self.observations.recv_timeout(patience) {
            Ok(observation) => Ok(Some(observation)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Start { message: "the monitor has ended".to_owned() }),
        }
    }

    /// Stops the monitor. Observations made before can still be read.
    pub fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic was printed to standard error; earlier observations are still in the channel.
            let _ = thread.join();
        }
    }
}

impl Drop for MonitorHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// For shorter intervals, use a benchmark.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

fn setting(name: &'static str, value: &str, expected: &str) -> Error {
    Error::Setting { name, value: value.to_owned(), expected: format!("expected {expected}") }
}

/// The loop of one endpoint, for any transport.
type MonitorTask = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn until_stopped(monitors: Vec<MonitorTask>, mut stopped: watch::Receiver<bool>) {
    let mut tasks = tokio::task::JoinSet::new();
    for monitor in monitors {
        tasks.spawn(monitor);
    }
    tokio::select! {
        _ = stopped.wait_for(|&stopped| stopped) => tasks.shutdown().await,
        () = async { while tasks.join_next().await.is_some() {} } => {}
    }
}

/// Sends requests to one endpoint at its interval until the task is cancelled.
async fn monitor_endpoint<T: Transport>(
    index: usize,
    endpoint: MonitoredEndpoint,
    transport: T,
    mut judge: Judge,
    mut pace: Pace,
    sender: Sender<Observation>,
) {
    let conversation = [Message { role: Role::User, text: endpoint.prompt.clone() }];
    let target = Arc::new(endpoint.target);
    let chat = ChatRequest {
        model: &target.model,
        system: None,
        conversation: &conversation,
        output_tokens: endpoint.output_tokens,
        extra: &target.extra,
    };
    loop {
        sleep_until(pace.next()).await;
        // The wall clock is read again each time, because the clocks drift apart over weeks.
        let outcome = measure(&transport, &target, &chat, endpoint.timeout, WallClock::now(), false).await;
        let mut record = outcome.record;
        record.provider = Some(target.provider.clone());
        record.model = Some(target.model.clone());
        let events = judge.push(&record);
        let request = Observation::Request { endpoint: index, record: Box::new(record) };
        let observations =
            std::iter::once(request).chain(events.into_iter().map(|event| Observation::Event(Box::new(event))));
        for observation in observations {
            if sender.send(observation).is_err() {
                return;
            }
        }
    }
}

/// The due times of the requests: multiples of the interval, each varied by the jitter.
struct Pace {
    started_at: Instant,
    interval: Duration,
    jitter: f64,
    number: u32,
    random: ChaCha8Rng,
}

impl Pace {
    fn new(interval: Duration, jitter: f64, seed: u64) -> Self {
        Self { started_at: Instant::now(), interval, jitter, number: 0, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn next(&mut self) -> Instant {
        let now = Instant::now();
        let passed = now.duration_since(self.started_at).as_secs_f64() / self.interval.as_secs_f64();
        // A response that took longer than the interval replaces the requests that were due in the meantime.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates after 2^32 intervals")]
        let missed = passed.floor() as u32;
        self.number = if self.number == 0 { 0 } else { self.number.max(missed) };
        let off = if self.number == 0 { 0.0 } else { (self.random.random::<f64>() - 0.5) * self.jitter };
        let due = (self.interval * self.number).as_secs_f64() + off * self.interval.as_secs_f64();
        self.number += 1;
        self.started_at + Duration::try_from_secs_f64(due.max(0.0)).unwrap_or(self.interval)
    }
}
