//! The service as a whole: it starts and stops the store, the recorder, the machine readings and the listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;

use jiff::Timestamp;
use llmscope_core::analysis::Baseline;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::access::Rates;
use crate::alarms::AlarmBoard;
use crate::alerts::Alerts;
use crate::api::{App, Queues, Shared, Telemetry, router};
use crate::damage::{self, Damage};
use crate::error::{Error, Result};
use crate::listener::listen;
use crate::live::{Live, broadcast_events};
use crate::machine::Machine;
use crate::recorder::Recorder;
use crate::retention;
use crate::service_metrics::ServiceMetrics;
use crate::settings::Settings;
use crate::shutdown::Shutdown;
use crate::sidecar::{ALERTS, sidecar};
use crate::store::Store;
use crate::store::sqlite::SqliteStore;

/// A service that runs until it is stopped.
pub struct Service {
    address: SocketAddr,
    runtime: Option<Runtime>,
    stop: watch::Sender<bool>,
    listening: Option<tokio::task::JoinHandle<()>>,
    recording: Option<JoinHandle<()>>,
}

impl Service {
    /// Starts the service. When this function returns, the service accepts requests.
    ///
    /// # Errors
    /// [`Error::Open`] for an address that other machines can reach without a key; [`Error::ShortKey`]; [`Error::Bind`]; [`Error::Store`] if
    /// the store cannot be opened; [`Error::Core`] for invalid settings; [`Error::Webhook`]; [`Error::Start`].
    pub fn start(settings: Settings) -> Result<Self> {
        if settings.keys.is_empty() && !settings.address.ip().is_loopback() {
            return Err(Error::Open { address: settings.address });
        }
        if let Some(name) = settings.keys.short().filter(|_| !settings.address.ip().is_loopback()) {
            return Err(Error::ShortKey { address: settings.address, name: name.to_owned() });
        }
        if settings.origins.iter().any(|origin| origin == "*") {
            let expected = "expected origins such as https://ops.example, because every page could write otherwise";
            return Err(Error::Setting { name: "origin", value: "*".to_owned(), expected: expected.to_owned() });
        }
        settings.watch.check()?;
        raise_file_limit();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().thread_name("http").build();
        let runtime = runtime.map_err(|error| Error::Start { message: error.to_string() })?;
        let address = settings.address;
        let bound = runtime.block_on(TcpListener::bind(address));
        let listener = bound.map_err(|error| Error::Bind { address, message: error.to_string() })?;
        let address = listener.local_addr().map_err(|error| Error::Bind { address, message: error.to_string() })?;

        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&settings.database, settings.durability)?);
        let (live, events) = Live::new();
        let alerts =
            settings.alerting.as_ref().map(|alerting| Alerts::new(alerting, &sidecar(&settings.database, ALERTS)));
        let (board, metrics) = (Arc::new(AlarmBoard::default()), Arc::new(ServiceMetrics::default()));
        let (recorder, recording) = Recorder::start(
            store.clone(),
            settings.watch.clone(),
            live.clone(),
            alerts.transpose()?,
            (board.clone(), metrics.clone()),
            (runtime.handle().clone(), settings.clock.now()),
        )?;
        let telemetry = Telemetry::restored(&*store)?;
        runtime.block_on(adopt(&recorder, settings.baselines))?;
        let (stop, shutdown) = Shutdown::new();
        let app = App::new(Shared {
            store,
            recorder: recorder.clone(),
            machine: Machine::start(live.clone())?,
            live,
            keys: settings.keys,
            open_legacy: settings.open_legacy,
            origins: settings.origins,
            rates: Rates::new(settings.requests_per_s),
            alarms: board,
            metrics,
            retention_days: settings.retention_days,
            violation_days: settings.violation_days,
            damage: Damage::default(),
            transform: settings.watch.transform,
            queues: Queues::new(settings.probe_deadline),
            clock: settings.clock,
            telemetry,
            shutdown: shutdown.clone(),
        });
        runtime.spawn(broadcast_events(app.live.clone(), events, shutdown.clone()));
        runtime.spawn(tidy(app.clone(), shutdown.clone()));
        runtime.spawn(look_for_silence(app.clone(), settings.silence_check, shutdown.clone()));
        runtime.spawn(look_for_damage(app.clone(), settings.first_check, shutdown.clone()));
        let listening = runtime.spawn(listen(listener, router(app), settings.connections, shutdown));
        Ok(Self { address, runtime: Some(runtime), stop, listening: Some(listening), recording: Some(recording) })
    }

    /// The address at which the service listens, with the actual port if the settings gave port 0.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops the service after it has answered running requests. Acknowledged records are durable.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if let Some(runtime) = self.runtime.take() {
            if let Some(listening) = self.listening.take() {
                let _ = runtime.block_on(listening);
            }
            // The last task drops the last recorder, which ends the recorder's thread.
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

/// Freezes the limits of baselines for the series that they name, unless the series has these limits already.
async fn adopt(recorder: &Recorder, baselines: Vec<Baseline>) -> Result<()> {
    let at = Timestamp::now();
    recorder.change(move |_, watches| watches.adopt_baselines(baselines, at)).await?;
    Ok(())
}

/// Periodic maintenance.
async fn tidy(app: App, mut shutdown: Shutdown) {
    let mut clock = retention::Clock::new();
    let mut pause = retention::FIRST;
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(pause) => pause = retention::INTERVAL,
        }
        app.rates.forget();
        if clock.has_jumped() {
            tracing::warn!("the system clock jumped: the cleanup of old records waits for an hour without a jump");
            continue;
        }
        if let Err(error) = retention::forget_identities(&app.recorder).await {
            tracing::error!(%error, "cannot forget old identities");
        }
        if let Err(error) = retention::save_alarms(&app.recorder).await {
            tracing::error!(%error, "cannot store what the alarms have learned");
        }
        match retention::clean_violations(&app.recorder, app.violation_days).await {
            Ok(removed) => app.metrics.removed_violations.add(removed),
            Err(error) => tracing::error!(%error, "cannot remove old violations"),
        }
        match retention::clean(&app.recorder, app.retention_days).await {
            Ok(0) => {}
            Ok(removed) => {
                app.metrics.removed_records.add(removed);
                tracing::info!(removed, "removed records older than the retention period");
            }
            Err(error) => tracing::error!(%error, "cannot remove old records"),
        }
    }
}

/// Looks for endpoints that are silent.
async fn look_for_silence(app: App, pause: std::time::Duration, mut shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(pause) => {}
        }
        if let Err(error) = app.recorder.look_for_silence(app.clock.now()).await {
            tracing::error!(%error, "cannot store that endpoints are silent");
        }
    }
}

/// Checks the store once a day.
async fn look_for_damage(app: App, first: std::time::Duration, mut shutdown: Shutdown) {
    let mut pause = first;
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(pause) => pause = damage::INTERVAL,
        }
        let checked = app.clone();
        // Damage is noted and logged there.
        let _ = tokio::task::spawn_blocking(move || checked.damage.check(&*checked.store)).await;
    }
}

/// Raises the limit of open files as far as the system allows, because every connection is a file.
fn raise_file_limit() {
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
}
