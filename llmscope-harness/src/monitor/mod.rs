//! Watches endpoints for weeks: asks each at its interval, judges every result at once against frozen limits.

mod alarm;
mod judge;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use llmscope_core::analysis::Baseline;
use llmscope_core::session::RequestRecord;
use llmscope_core::{Metric, RuleSet, Transform};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

pub use self::alarm::{Notice, NoticeKind};
pub use self::judge::Judge;
use crate::error::{Error, Result};
use crate::request::{WallClock, measure};
use crate::target::Target;
use crate::transport::Transport;
use crate::vendor::{Ask, Role, SimulatedTransport, Simulation, Utterance, VendorKind};

/// One endpoint that is watched.
#[derive(Debug, Clone)]
pub struct Watched {
    /// Its name in notices.
    pub name: String,
    /// Whom to ask.
    pub target: Target,
    /// What to ask, always the same: differences are then the endpoint's.
    pub prompt: String,
    /// Longest answer to ask for, in tokens.
    pub output_tokens: Option<u32>,
    /// Time from one request to the next.
    pub interval: Duration,
    /// Longest time for a whole answer.
    pub timeout: Duration,
    /// How the simulated vendor behaves, if that is the target.
    pub simulation: Simulation,
}

/// How results are judged.
#[derive(Debug, Clone)]
pub struct Judging {
    /// Metrics to judge.
    pub metrics: Vec<Metric>,
    /// Rules to judge them by.
    pub rules: RuleSet,
    /// Frozen limits, for the endpoints and metrics that they name.
    pub baselines: Vec<Baseline>,
    /// Results to learn limits from, where none are frozen.
    pub learn: usize,
    /// The scale that limits are learned on.
    pub transform: Transform,
    /// Quiet results in a row that make a recovery.
    pub recover_after: usize,
    /// Failures in a row that make a violation.
    pub failures: usize,
}

impl Default for Judging {
    /// Time to first token and end-to-end latency, by Nelson's first two rules: a spike, and a lasting shift.
    fn default() -> Self {
        Self {
            metrics: vec![Metric::Ttft, Metric::E2e],
            rules: "1,2".parse().unwrap_or_else(|_| RuleSet::nelson()),
            baselines: Vec::new(),
            learn: 30,
            transform: Transform::None,
            recover_after: 5,
            failures: 2,
        }
    }
}

/// What a monitor reports.
#[derive(Debug, Clone)]
pub enum Observation {
    /// A request has ended, one way or another.
    Request {
        /// Which of the watched endpoints.
        endpoint: usize,
        /// What the session keeps.
        record: Box<RequestRecord>,
    },
    /// A violation begins or ends, or limits have been learned.
    Notice(Box<Notice>),
}

/// A monitor that goes on until it is stopped.
#[derive(Debug)]
pub struct Watching {
    observations: Receiver<Observation>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Watching {
    /// Starts to watch. Intervals vary by `jitter`, a share between 0 and 1, so that many monitors do not ask at once.
    ///
    /// # Errors
    /// [`Error::Setting`], [`Error::Tls`], [`Error::Start`].
    pub fn start(endpoints: Vec<Watched>, judging: &Judging, jitter: f64, seed: u64) -> Result<Self> {
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
        let mut watches: Vec<Watch> = Vec::new();
        for (index, watched) in endpoints.into_iter().enumerate() {
            if watched.interval < SHORTEST_INTERVAL {
                return Err(setting("--interval", &format!("{:?}", watched.interval), "at least 100ms"));
            }
            let judge = Judge::new(&watched, judging)?;
            let pace = Pace::new(watched.interval, jitter, seed.wrapping_add(index as u64));
            let sender = sender.clone();
            if watched.target.vendor == VendorKind::Simulated {
                let transport = SimulatedTransport::new(Simulation { seed, ..watched.simulation });
                watches.push(Box::pin(watch_one(index, watched, transport, judge, pace, sender)));
            } else {
                let transport = watched.target.transport(CONNECT_LIMIT.min(watched.timeout), true)?;
                watches.push(Box::pin(watch_one(index, watched, transport, judge, pace, sender)));
            }
        }
        drop(sender);
        let thread = std::thread::Builder::new().name("monitor".to_owned()).spawn(move || {
            runtime.block_on(until_stopped(watches, stopped));
            // A resolver that is still at work is not waited for.
            runtime.shutdown_background();
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok(Self { observations, stop, thread: Some(thread) })
    }

    /// The next observation; `None` if there is none within `patience`.
    ///
    /// # Errors
    /// [`Error::Start`] once nothing more will come.
    pub fn next(&self, patience: Duration) -> Result<Option<Observation>> {
        match self.observations.recv_timeout(patience) {
            Ok(observation) => Ok(Some(observation)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Start { message: "the monitor has ended".to_owned() }),
        }
    }

    /// Asks no more. What has ended before can still be read.
    pub fn stop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            // A panic there has been told on standard error; what was observed is still in the channel.
            let _ = thread.join();
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Shorter intervals are a benchmark.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

fn setting(name: &'static str, value: &str, expected: &str) -> Error {
    Error::Setting { name, value: value.to_owned(), expected: format!("expected {expected}") }
}

/// One endpoint's loop, whatever its transport.
type Watch = Pin<Box<dyn Future<Output = ()> + Send>>;

async fn until_stopped(watches: Vec<Watch>, mut stopped: watch::Receiver<bool>) {
    let mut tasks = tokio::task::JoinSet::new();
    for watch in watches {
        tasks.spawn(watch);
    }
    tokio::select! {
        _ = stopped.wait_for(|&stopped| stopped) => tasks.shutdown().await,
        () = async { while tasks.join_next().await.is_some() {} } => {}
    }
}

/// Asks one endpoint at its interval, for ever.
async fn watch_one<T: Transport>(
    index: usize,
    watched: Watched,
    transport: T,
    mut judge: Judge,
    mut pace: Pace,
    sender: Sender<Observation>,
) {
    let said = [Utterance { role: Role::User, text: watched.prompt.clone() }];
    let target = Arc::new(watched.target);
    let ask = Ask {
        model: &target.model,
        system: None,
        conversation: &said,
        output_tokens: watched.output_tokens,
        extra: &target.extra,
    };
    loop {
        sleep_until(pace.next()).await;
        // Taken anew each time: over weeks the clocks drift apart.
        let outcome = measure(&transport, &target, &ask, watched.timeout, WallClock::now(), false).await;
        let mut record = outcome.record;
        record.provider = Some(target.provider.clone());
        record.model = Some(target.model.clone());
        let notices = judge.push(&record);
        let request = Observation::Request { endpoint: index, record: Box::new(record) };
        let told =
            std::iter::once(request).chain(notices.into_iter().map(|notice| Observation::Notice(Box::new(notice))));
        for observation in told {
            if sender.send(observation).is_err() {
                return;
            }
        }
    }
}

/// When the next request is due: at multiples of the interval, each a little off.
struct Pace {
    begun: Instant,
    interval: Duration,
    jitter: f64,
    number: u32,
    random: ChaCha8Rng,
}

impl Pace {
    fn new(interval: Duration, jitter: f64, seed: u64) -> Self {
        Self { begun: Instant::now(), interval, jitter, number: 0, random: ChaCha8Rng::seed_from_u64(seed) }
    }

    fn next(&mut self) -> Instant {
        let now = Instant::now();
        let passed = now.duration_since(self.begun).as_secs_f64() / self.interval.as_secs_f64();
        // An answer that took longer than the interval has used up the requests in between.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates after 2^32 intervals")]
        let missed = passed.floor() as u32;
        self.number = if self.number == 0 { 0 } else { self.number.max(missed) };
        let off = if self.number == 0 { 0.0 } else { (self.random.random::<f64>() - 0.5) * self.jitter };
        let due = (self.interval * self.number).as_secs_f64() + off * self.interval.as_secs_f64();
        self.number += 1;
        self.begun + Duration::try_from_secs_f64(due.max(0.0)).unwrap_or(self.interval)
    }
}
