//! Periodic readings of the machine on which the service runs.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use jiff::Timestamp;
use llmscope_core::session::{Environment, GpuSample, MachineSample};
use llmscope_harness::Probe;
use schemars::JsonSchema;
use serde::Serialize;

use crate::error::{Error, Result};
use crate::live::{Event, Live};

/// The interval between readings.
const INTERVAL: Duration = Duration::from_secs(2);

/// A reading of the machine. Values that cannot be read are absent.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct MachineReading {
    /// The time of the reading.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// Share of all processors that was busy, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_utilization: Option<f64>,
    /// Load average over one minute.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub load_1m: Option<f64>,
    /// Main memory in use, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_used_bytes: Option<u64>,
    /// Total main memory, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_bytes: Option<u64>,
    /// Temperature of the hottest processor sensor, in degrees Celsius.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_temperature_c: Option<f64>,
    /// The graphics processors.
    pub gpus: Vec<GpuReading>,
}

/// A reading of a graphics processor.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct GpuReading {
    /// The vendor's model name.
    pub name: String,
    /// Utilization, memory, temperature, power.
    #[serde(flatten)]
    pub sample: GpuSample,
}

impl MachineReading {
    fn new(sample: MachineSample, environment: &Environment) -> Self {
        let gpus = sample.gpus.into_iter().zip(&environment.gpus);
        Self {
            at: sample.at,
            cpu_utilization: sample.cpu_utilization,
            load_1m: sample.load_1m,
            memory_used_bytes: sample.memory_used_bytes,
            memory_bytes: environment.memory_bytes,
            cpu_temperature_c: sample.cpu_temperature_c,
            gpus: gpus.map(|(sample, gpu)| GpuReading { name: gpu.name.clone(), sample }).collect(),
        }
    }

    /// The temperature of the hottest graphics processor.
    #[must_use]
    pub fn gpu_temperature_c(&self) -> Option<f64> {
        self.gpus.iter().filter_map(|gpu| gpu.sample.temperature_c).reduce(f64::max)
    }
}

/// Reads the machine until it is dropped.
#[derive(Debug)]
pub(crate) struct Machine {
    environment: Arc<Mutex<Environment>>,
    latest: Arc<Mutex<Option<MachineReading>>>,
    /// Dropping it ends the thread.
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Machine {
    /// Starts the readings.
    ///
    /// # Errors
    /// [`Error::Start`] if the thread cannot be started.
    pub(crate) fn start(live: Live) -> Result<Self> {
        let (environment, latest) =
            (Arc::<Mutex<Environment>>::default(), Arc::<Mutex<Option<MachineReading>>>::default());
        let (stop, stopped) = mpsc::channel();
        let (environment_out, latest_out) = (environment.clone(), latest.clone());
        let thread = std::thread::Builder::new().name("machine".to_owned());
        let thread = thread.spawn(move || {
            // Querying the drivers can take seconds, so it happens on this thread.
            let mut probe = Probe::new();
            let found = probe.environment();
            *environment_out.lock().unwrap_or_else(PoisonError::into_inner) = found.clone();
            let mut pause = llmscope_harness::probe::SHORTEST_INTERVAL;
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                let reading = MachineReading::new(probe.sample(), &found);
                *latest_out.lock().unwrap_or_else(PoisonError::into_inner) = Some(reading.clone());
                live.publish(Event::Machine(Box::new(reading)));
                pause = INTERVAL;
            }
        });
        let thread = thread.map_err(|error| Error::Start { message: error.to_string() })?;
        Ok(Self { environment, latest, stop: Some(stop), thread: Some(thread) })
    }

    /// The description of the machine.
    #[must_use]
    pub(crate) fn environment(&self) -> Environment {
        self.environment.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The last reading, if any.
    #[must_use]
    pub(crate) fn latest(&self) -> Option<MachineReading> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
