//! The HTTP API: one list of operations, from which both the routes and the OpenAPI document come.

mod answer;
mod dashboard;
mod earlier;
mod metrics;
mod openapi;
mod operation;
mod otlp;
pub(crate) mod problem;
mod routes;
mod take;
mod v1;

use std::ops::Deref;
use std::sync::Arc;

use llmscope_core::Transform;
pub(crate) use routes::router;
use tokio::sync::Semaphore;

use crate::access::{Keys, Rates};
use crate::ending::Ending;
use crate::live::Live;
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::store::{self, Store};

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct App(Arc<Shared>);

pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) recorder: Recorder,
    pub(crate) live: Live,
    pub(crate) machine: Machine,
    pub(crate) keys: Keys,
    pub(crate) origins: Vec<String>,
    pub(crate) rates: Rates,
    pub(crate) retention_days: u32,
    /// The scale that limits are learned on.
    pub(crate) transform: Transform,
    /// Questions that are worked on at once.
    pub(crate) turns: Arc<Semaphore>,
    /// Becomes true when the service ends: streams that would last for ever end too.
    pub(crate) ending: Ending,
}

impl App {
    pub(crate) fn new(shared: Shared) -> Self {
        Self(Arc::new(shared))
    }

    /// Asks the store, on a thread that may wait for it.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Store) -> store::Result<T> + Send + 'static,
    ) -> Result<T, problem::Problem> {
        self.work(move |store| Ok(question(store)?)).await
    }

    /// Does what takes a while, with the store at hand, on a thread that may.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Store) -> Result<T, problem::Problem> + Send + 'static,
    ) -> Result<T, problem::Problem> {
        // A few at a time: each may hold a hundred thousand values, and more of them would not be done any sooner.
        let Ok(turn) = self.turns.clone().acquire_owned().await else { return Err(problem::Problem::Internal) };
        let store = self.store.clone();
        let working = move || {
            let done = work(&*store);
            drop(turn);
            done
        };
        let done = tokio::task::spawn_blocking(working).await;
        done.unwrap_or_else(|error| {
            tracing::error!(%error, "a request broke off");
            Err(problem::Problem::Internal)
        })
    }
}

impl Deref for App {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}
