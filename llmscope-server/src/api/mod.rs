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

use llmscope_core::Transform;
pub(crate) use otlp::Telemetry;
pub(crate) use routes::router;
use tokio::sync::Semaphore;

use crate::access::{Keys, Rates};
use crate::live::Live;
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::shutdown::Shutdown;
use crate::store::{self, Store};

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
    pub(crate) retention_days: u32,
    /// The transformation on whose scale limits are learned.
    pub(crate) transform: Transform,
    /// Limits the number of blocking tasks that run at the same time.
    pub(crate) permits: Arc<Semaphore>,
    /// What is remembered of OpenTelemetry's exports.
    pub(crate) telemetry: Telemetry,
    /// Ends streams that would otherwise never end when the service shuts down.
    pub(crate) shutdown: Shutdown,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Reads from the store on a thread that may block.
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&dyn Store) -> store::Result<T> + Send + 'static,
    ) -> Result<T, api_error::ApiError> {
        self.run_blocking(move |store| Ok(read(store)?)).await
    }

    /// Runs long work that needs the store, on a thread that may block.
    pub(crate) async fn run_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, api_error::ApiError> + Send + 'static,
    ) -> Result<T, api_error::ApiError> {
        // A few at a time: each may hold a hundred thousand values, and running more at once would not be faster.
        let Ok(permit) = self.permits.clone().acquire_owned().await else { return Err(api_error::ApiError::Internal) };
        let store = self.store.clone();
        let task = move || {
            let done = work(&*store);
            drop(permit);
            done
        };
        let done = tokio::task::spawn_blocking(task).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "a request handler panicked");
            Err(api_error::ApiError::Internal)
        })
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
