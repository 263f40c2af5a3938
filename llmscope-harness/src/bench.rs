//! Runs a benchmark on its own thread. The caller receives its updates and can stop it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use llmscope_core::session::{Environment, SessionHeader, Software};
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::health::HealthWatch;
use crate::plan::{Arrival, Load, Plan};
use crate::probe::Probe;
use crate::run::{Job, Update, run};
use crate::target::Target;
use crate::transport::{Gauges, HttpTransport, Transport};
use crate::vendor::{SimulatedTransport, Simulation, VendorKind};
use crate::workload::Workload;

/// A benchmark that is ready to start: target, workload and plan.
#[derive(Debug, Clone)]
pub struct Bench {
    /// The endpoint and the model.
    pub target: Target,
    /// The prompts.
    pub workload: Workload,
    /// Load, number of requests and duration.
    pub plan: Plan,
    /// The behavior of the simulated vendor, if it is the target.
    pub simulation: Simulation,
    /// The transport to the target; `None` for the simulated vendor.
    transport: Option<HttpTransport>,
}

impl Bench {
    /// Creates a benchmark, and checks that the plan fits the target and the workload.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Tls`] or [`Error::Url`] if no transport to the target can be set up.
    pub fn new(target: Target, workload: Workload, plan: Plan, simulation: Simulation) -> Result<Self> {
        let plan = plan.checked(target.vendor)?;
        if matches!(plan.load, Load::Replay { .. }) && workload.arrivals_s.is_none() {
            return Err(Error::Setting {
                name: "--trace",
                value: workload.name,
                expected: "expected a trace with the times of its requests".to_owned(),
            });
        }
        let turns = workload.conversations.iter().map(|conversation| conversation.turns.len());
        if turns.min().unwrap_or(0) == 0 {
            return Err(Error::Setting {
                name: "--prompts",
                value: workload.name,
                expected: "expected at least one conversation, with at least one prompt in each".to_owned(),
            });
        }
        let is_simulated = target.vendor == VendorKind::Simulated;
        let connect = || target.transport(plan.connect_timeout, plan.reuse_connections);
        let transport = if is_simulated { None } else { Some(connect()?) };
        Ok(Self { target, workload, plan, simulation, transport })
    }

    /// The header of the session.
    #[must_use]
    pub fn header(&self, environment: Environment) -> SessionHeader {
        let version = Some(env!("CARGO_PKG_VERSION").to_owned());
        SessionHeader {
            started_at: Some(Timestamp::now()),
            provider: Some(self.target.provider.clone()),
            model: Some(self.target.model.clone()),
            recorder: Some(Software { name: "llmscope".to_owned(), version }),
            simulated: self.target.vendor == VendorKind::Simulated,
            labels: self.labels(),
            environment: Some(environment),
            ..SessionHeader::default()
        }
    }

    fn labels(&self) -> BTreeMap<String, String> {
        let plan = &self.plan;
        let mut labels = BTreeMap::new();
        let mut label = |name: &str, value: String| labels.insert(name.to_owned(), value);
        label("vendor", self.target.vendor.profile().name.to_owned());
        label("workload", self.workload.name.clone());
        label("seed", plan.seed.to_string());
        label("connections", if plan.reuse_connections { "reused" } else { "new" }.to_owned());
        let url = &self.target.endpoint.url;
        // OpenTelemetry attribute names.
        label("server.address", url.host_str().unwrap_or_default().to_owned());
        url.port_or_known_default().into_iter().for_each(|port| drop(label("server.port", port.to_string())));
        match &plan.load {
            Load::Closed { concurrency } => {
                label("load", "closed".to_owned());
                if let [clients] = concurrency.as_slice() {
                    label("concurrency", clients.to_string());
                }
            }
            Load::Open { rates_per_s, arrival } => {
                label("load", if *arrival == Arrival::Poisson { "open, poisson" } else { "open, constant" }.to_owned());
                if let [rate_per_s] = rates_per_s.as_slice() {
                    label("rate_per_s", rate_per_s.to_string());
                }
            }
            Load::Find(find) => {
                label(
                    "load",
                    if find.arrival == Arrival::Poisson { "search, poisson" } else { "search, constant" }.to_owned(),
                );
            }
            Load::Replay { speed } => {
                label("load", "replay".to_owned());
                label("speed", speed.to_string());
            }
        }
        labels
    }

    /// Starts the benchmark.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn start(self) -> Result<BenchHandle> {
        let Self { target, workload, plan, simulation, transport } = self;
        match transport {
            Some(transport) => {
                let gauges = transport.gauges();
                start(transport, Some(gauges), target, workload, plan)
            }
            None => {
                let transport = SimulatedTransport::new(Simulation { seed: plan.seed, ..simulation });
                start(transport, None, target, workload, plan)
            }
        }
    }
}

fn start<T: Transport>(
    transport: T,
    gauges: Option<Arc<Gauges>>,
    target: Target,
    workload: Workload,
    plan: Plan,
) -> Result<BenchHandle> {
    let (sender, updates) = mpsc::channel();
    let (stop, stopped) = watch::channel(false);
    let sampler = plan.sample_machine.map(|interval| Sampler::start(interval, sender.clone())).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Poll for I/O more often than tokio's default: an arrival is timestamped when the event loop reports the
        // socket as readable.
        .event_interval(16)
        .build()
        .map_err(|error| Error::Start { message: error.to_string() })?;
    let measure = move || {
        let health = Arc::new(HealthWatch::new());
        let job = Arc::new(Job::new(transport, target, plan, workload, health.clone(), sender.clone()));
        runtime.block_on(async {
            tokio::select! {
                () = run(job, stopped) => {}
                () = health.measure_timer_lag() => {}
            }
        });
        drop(sampler);
        // A name resolution in progress runs on a blocking thread and cannot be cancelled; do not wait for it.
        runtime.shutdown_background();
        let _ = sender.send(Update::Health(health.report(gauges.as_deref())));
    };
    let thread = std::thread::Builder::new().name("measure".to_owned()).spawn(measure);
    let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
    Ok(BenchHandle { updates, stop, thread: Some(thread) })
}

/// A handle to a benchmark in progress. Dropping it stops the benchmark.
#[derive(Debug)]
pub struct BenchHandle {
    updates: Receiver<Update>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// The result of waiting for an update.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// An update.
    Update(Update),
    /// No update arrived within the given time.
    Idle,
    /// The benchmark has ended; no more updates follow.
    Finished,
}

impl BenchHandle {
    /// Waits for the next update, for at most `patience`.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Next {
        match self.updates.recv_timeout(patience) {
            Ok(update) => Next::Update(update),
            Err(RecvTimeoutError::Timeout) => Next::Idle,
            Err(RecvTimeoutError::Disconnected) => Next::Finished,
        }
    }

    /// An iterator over the updates until the run ends. It blocks for each.
    pub fn updates(&self) -> impl Iterator<Item = Update> {
        self.updates.iter()
    }

    /// Stops the run: it issues no more requests and cancels those in flight. Requests that already ended are still
    /// reported.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits until the measuring thread ends.
    ///
    /// # Errors
    /// [`Error::Start`] if the thread panicked, which is a bug in this crate.
    pub fn join(mut self) -> Result<()> {
        let ended = self.thread.take().map_or(Ok(()), JoinHandle::join);
        ended.map_err(|_| Error::Start { message: "the measuring thread panicked".to_owned() })
    }
}

impl Drop for BenchHandle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Samples the machine at an interval, on its own thread because reading sensors takes time.
struct Sampler {
    /// Dropping the sender ends the thread.
    _alive: Sender<()>,
}

impl Sampler {
    fn start(interval: Duration, updates: Sender<Update>) -> Result<Self> {
        let (alive, stopped) = mpsc::channel::<()>();
        let sample = move || {
            let mut probe = Probe::new();
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                if updates.send(Update::Sample(probe.sample())).is_err() {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("sample".to_owned()).spawn(sample);
        thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok(Self { _alive: alive })
    }
}
