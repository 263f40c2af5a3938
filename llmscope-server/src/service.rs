//! The service as a whole: store, recorder, machine, listener, each on its thread.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use crate::access::Rates;
use crate::alerts::Alerts;
use crate::api::{App, Shared, router};
use crate::beside::{ALERTS, beside};
use crate::ending::Ending;
use crate::error::{Error, Result};
use crate::listener::listen;
use crate::live::{Live, carry};
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::retention;
use crate::settings::Settings;
use crate::store::sqlite::SqliteStore;
use crate::store::{self, Store};

/// A service that runs until it is stopped.
pub struct Service {
    address: SocketAddr,
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    listening: Option<tokio::task::JoinHandle<()>>,
    recording: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts to listen. When it returns, the service answers.
    ///
    /// # Errors
    /// [`Error::Open`] for an address that others can reach without a key; [`Error::Bind`]; [`Error::Store`] if the store
    /// cannot be opened; [`Error::Webhook`]; [`Error::Start`].
    pub fn start(settings: Settings) -> Result<Self> {
        if settings.keys.is_empty() && !settings.address.ip().is_loopback() {
            return Err(Error::Open { address: settings.address });
        }
        settings.judging.check()?;
        raise_file_limit();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build();
        let runtime = runtime.map_err(|error| Error::Start { message: error.to_string() })?;
        let address = settings.address;
        let bound = runtime.block_on(TcpListener::bind(address));
        let listener = bound.map_err(|error| Error::Bind { address, message: error.to_string() })?;
        let address = listener.local_addr().map_err(|error| Error::Bind { address, message: error.to_string() })?;

        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&settings.database, settings.durability)?);
        let (live, happening) = Live::new();
        let alerts =
            settings.alerting.as_ref().map(|alerting| Alerts::new(alerting, beside(&settings.database, ALERTS)));
        let (recorder, recording) = Recorder::start(
            store.clone(),
            settings.judging.clone(),
            live.clone(),
            alerts.transpose()?,
            runtime.handle().clone(),
        )?;
        runtime.block_on(adopt(&recorder, settings.baselines))?;
        let (stop, ending) = Ending::new();
        let app = App::new(Shared {
            store,
            recorder: recorder.clone(),
            machine: Machine::start(live.clone())?,
            live,
            keys: settings.keys,
            origins: settings.origins,
            rates: Rates::new(settings.requests_per_s),
            retention_days: settings.retention_days,
            transform: settings.judging.transform,
            turns: Arc::new(Semaphore::new(store::READERS)),
            ending: ending.clone(),
        });
        runtime.spawn(carry(app.live.clone(), happening, ending.clone()));
        runtime.spawn(tidy(app.clone(), ending.clone()));
        let listening = runtime.spawn(listen(listener, router(app), settings.connections, ending));
        Ok(Self { address, runtime: Some(runtime), stop, listening: Some(listening), recording: Some(recording) })
    }

    /// Where it listens: with the port that it got, if it was asked for any.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it: requests under way are answered, what was acknowledged is durable.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(runtime) = self.runtime.take() {
            if let Some(listening) = self.listening.take() {
                let _ = runtime.block_on(listening);
            }
            // With the last task goes the last recorder, and its thread comes to its end.
            runtime.shutdown_timeout(std::time::Duration::from_secs(5));
        }
        if let Some(recording) = self.recording.take() {
            let _ = recording.join();
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.end();
    }
}

/// Gives the series that they name the limits of earlier studies, unless they have those already.
async fn adopt(recorder: &Recorder, baselines: Vec<Baseline>) -> Result<()> {
    let at = Timestamp::now();
    recorder.change(move |_, watches| watches.adopt_baselines(baselines, at)).await?;
    Ok(())
}

/// What has to be done from time to time.
async fn tidy(app: App, mut ending: Ending) {
    let mut clock = retention::Clock::new();
    let mut pause = retention::FIRST;
    loop {
        tokio::select! {
            () = ending.wait() => return,
            () = tokio::time::sleep(pause) => pause = retention::INTERVAL,
        }
        app.rates.forget();
        if clock.has_jumped() {
            tracing::warn!("the clock was set: old records are looked for when it has kept still for an hour");
            continue;
        }
        match retention::clean(&app.recorder, app.retention_days).await {
            Ok(0) => {}
            Ok(removed) => tracing::info!(removed, "records older than the retention were removed"),
            Err(error) => tracing::error!(%error, "old records could not be removed"),
        }
    }
}

/// Every connection is a file: as many as the system allows.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}
