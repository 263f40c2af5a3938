//! A benchmark as a thread of its own: whoever started it receives its records and may stop it.

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

/// A benchmark that can be started: whom to ask, what, and how.
#[derive(Debug, Clone)]
pub struct Bench {
    /// Whom.
    pub target: Target,
    /// What.
    pub workload: Workload,
    /// How much, how fast, for how long.
    pub plan: Plan,
    /// How the simulated vendor behaves, if that is the target.
    pub simulation: Simulation,
    /// The way there; none to the simulated vendor.
    transport: Option<HttpTransport>,
}

impl Bench {
    /// A benchmark, if the plan can be carried out with this target and workload.
    ///
    /// # Errors
    /// [`Error::Setting`]; [`Error::Tls`] or [`Error::Url`] if there is no way to the target.
    pub fn new(target: Target, workload: Workload, plan: Plan, simulation: Simulation) -> Result<Self> {
        let plan = plan.checked(target.vendor)?;
        if matches!(plan.load, Load::Replay { .. }) && workload.arrivals_s.is_none() {
            return Err(Error::Setting {
                name: "--trace",
                value: workload.name,
                expected: "expected a trace with times".to_owned(),
            });
        }
        let turns = workload.conversations.iter().map(|conversation| conversation.turns.len());
        if turns.min().unwrap_or(0) == 0 {
            return Err(Error::Setting {
                name: "--prompts",
                value: workload.name,
                expected: "expected at least one prompt in each conversation, and one conversation".to_owned(),
            });
        }
        let is_simulated = target.vendor == VendorKind::Simulated;
        let way = || target.transport(plan.connect_timeout, plan.reuse_connections);
        let transport = if is_simulated { None } else { Some(way()?) };
        Ok(Self { target, workload, plan, simulation, transport })
    }

    /// What a session says before its first request.
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
        // OpenTelemetry's names.
        label("server.address", url.host_str().unwrap_or_default().to_owned());
        url.port_or_known_default().into_iter().for_each(|port| drop(label("server.port", port.to_string())));
        match &plan.load {
            Load::Closed { concurrency } => {
                label("load", "closed".to_owned());
                if let [clients] = concurrency.as_slice() {
                    label("concurrency", clients.to_string());
                }
            }
            Load::Open { rate_per_s, arrival } => {
                label("load", if *arrival == Arrival::Poisson { "open, poisson" } else { "open, constant" }.to_owned());
                label("rate_per_s", rate_per_s.to_string());
            }
            Load::Replay { speed } => {
                label("load", "replay".to_owned());
                label("speed", speed.to_string());
            }
        }
        labels
    }

    /// Starts it.
    ///
    /// # Errors
    /// [`Error::Start`].
    pub fn start(self) -> Result<Running> {
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
) -> Result<Running> {
    let (sender, updates) = mpsc::channel();
    let (stop, stopped) = watch::channel(false);
    let sampler = plan.sample_machine.map(|interval| Sampler::start(interval, sender.clone())).transpose()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        // Look for arrivals more often than tokio does by itself: the stamp is made when the news of them is heard.
        .event_interval(16)
        .build()
        .map_err(|error| Error::Start { message: error.to_string() })?;
    let measure = move || {
        let health = Arc::new(HealthWatch::new());
        let job = Arc::new(Job::new(transport, target, plan, workload, health.clone(), sender.clone()));
        runtime.block_on(async {
            tokio::select! {
                () = run(job, stopped) => {}
                () = health.feel_pulse() => {}
            }
        });
        drop(sampler);
        // A name that is still being resolved on a thread of its own cannot be given up, and is not waited for.
        runtime.shutdown_background();
        let _ = sender.send(Update::Health(health.verdict(gauges.as_deref())));
    };
    let thread = std::thread::Builder::new().name("measure".to_owned()).spawn(measure);
    let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
    Ok(Running { updates, stop, thread: Some(thread) })
}

/// A benchmark that goes on.
#[derive(Debug)]
pub struct Running {
    updates: Receiver<Update>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

/// What has come of a running benchmark.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Something to record.
    Update(Update),
    /// Nothing, within the time that was waited.
    Idle,
    /// Nothing more will come.
    Finished,
}

impl Running {
    /// Waits for the next update, but no longer than `patience`.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Next {
        match self.updates.recv_timeout(patience) {
            Ok(update) => Next::Update(update),
            Err(RecvTimeoutError::Timeout) => Next::Idle,
            Err(RecvTimeoutError::Disconnected) => Next::Finished,
        }
    }

    /// The updates until the run ends; it waits for each.
    pub fn updates(&self) -> impl Iterator<Item = Update> {
        self.updates.iter()
    }

    /// Issues no more requests and gives up those on their way. What has ended is still reported.
    pub fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Waits for the measuring thread.
    ///
    /// # Errors
    /// [`Error::Start`] if it panicked, which is a fault of this crate.
    pub fn join(mut self) -> Result<()> {
        let ended = self.thread.take().map_or(Ok(()), JoinHandle::join);
        ended.map_err(|_| Error::Start { message: "the measuring thread panicked".to_owned() })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Reads the machine every now and then, on a thread of its own: sensors take their time.
struct Sampler {
    /// Closed by being dropped, which ends the thread.
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
