//! The HTTP API: one list of operations, from which both the routes and the OpenAPI document come.

pub(crate) mod api_error;
mod dashboard;
mod extract;
mod idempotency;
mod legacy;
mod metrics;
mod openapi;
mod operation;
mod otlp;
mod response;
mod routes;
mod uid;
mod v1;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use llmscope_core::Transform;
pub(crate) use otlp::Telemetry;
pub(crate) use routes::router;

use api_error::ApiError;

use crate::access::{Keys, Rates};
use crate::alarms::AlarmBoard;
use crate::clock::Clock;
use crate::damage::Damage;
use crate::live::Live;
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::service_metrics::ServiceMetrics;
use crate::shutdown::Shutdown;
use crate::store::{self, READERS, Store};
use crate::work_queue::WorkQueue;

/// The state that all handlers share.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) recorder: Recorder,
    pub(crate) live: Live,
    pub(crate) machine: Machine,
    pub(crate) keys: Keys,
    /// Whether the calls that were open in the previous service need no key.
    pub(crate) open_legacy: bool,
    pub(crate) origins: Vec<String>,
    pub(crate) rates: Rates,
    /// The alarms about shifts after the last commit.
    pub(crate) alarms: Arc<AlarmBoard>,
    pub(crate) metrics: Arc<ServiceMetrics>,
    pub(crate) retention_days: u32,
    pub(crate) violation_days: u32,
    /// Whether damage of the store was seen.
    pub(crate) damage: Damage,
    /// The transformation on whose scale limits are learned.
    pub(crate) transform: Transform,
    /// The clock by which records arrive.
    pub(crate) clock: Clock,
    /// Limit the blocking work that runs and waits at the same time.
    pub(crate) queues: Queues,
    /// What is remembered of OpenTelemetry's exports.
    pub(crate) telemetry: Telemetry,
    /// Ends streams that would otherwise never end when the service shuts down.
    pub(crate) shutdown: Shutdown,
}

/// One queue for each kind of blocking work, so that none of them delays another.
pub(crate) struct Queues {
    /// Probes of the store.
    probes: WorkQueue,
    /// How long a probe may take.
    probe_deadline: Duration,
    /// Reads of a page.
    reads: WorkQueue,
    /// Analyses and files. Each may hold a hundred thousand values, and running more at once would not be faster.
    analyses: WorkQueue,
    /// The parsing of bodies that are stored.
    parsing: WorkQueue,
}

impl Queues {
    /// Queues in which a probe waits for at most `probe_deadline`.
    pub(crate) fn new(probe_deadline: Duration) -> Self {
        let seconds = Duration::from_secs;
        Self {
            probes: WorkQueue::new(2, 1000, probe_deadline),
            probe_deadline,
            reads: WorkQueue::new(READERS / 2, 1000, seconds(10)),
            analyses: WorkQueue::new(READERS / 2, 64, seconds(10)),
            parsing: WorkQueue::new(4, 256, seconds(30)),
        }
    }
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Asks the store something that it answers at once.
    pub(crate) async fn probe<T: Send + 'static>(
        &self,
        probe: impl FnOnce(&dyn Store) -> store::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let answered = self.run(&self.queues.probes, move |store| Ok(probe(store)?));
        let late = |_| ApiError::Unavailable("the store does not answer in time".to_owned());
        tokio::time::timeout(self.queues.probe_deadline, answered).await.map_err(late)?
    }

    /// Reads from the store on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> store::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let app = self.clone();
        let read = move |store: &dyn Store| Ok(read(store).inspect_err(|error| app.damage.note(error))?);
        self.run(&self.queues.reads, read).await
    }

    /// Runs an analysis of the store, or writes a file, on a thread that may block.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(&self.queues.analyses, work).await
    }

    /// Parses a body that will be stored, on a thread that may block. Analyses do not delay it.
    pub(crate) async fn parse<T: Send + 'static>(
        &self,
        parse: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        self.run(&self.queues.parsing, move |_| parse()).await
    }

    async fn run<T: Send + 'static>(
        &self,
        queue: &WorkQueue,
        work: impl FnOnce(&dyn Store) -> Result<T, ApiError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = |_| ApiError::Unavailable("too many requests of this kind wait: try again".to_owned());
        let permit = queue.enter().await.map_err(busy)?;
        let store = self.store.clone();
        let task = move || {
            let done = work(&*store);
            drop(permit);
            done
        };
        let done = tokio::task::spawn_blocking(task).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "a request handler panicked");
            Err(ApiError::Internal)
        })
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
