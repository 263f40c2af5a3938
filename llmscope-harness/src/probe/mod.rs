//! Describes and samples the machine. Values that are not available are absent; they are never an error and never 0.

mod amd;
#[cfg(target_os = "macos")]
mod apple;
mod container;
mod gpus;
mod memory;
mod nvidia;
mod processors;
mod readings;
mod temperature;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use jiff::Timestamp;
use llmscope_core::session::{Environment, MachineSample};
use sysinfo::System;

use self::gpus::Gpus;
use self::memory::Memory;
use self::processors::Activity;
use self::temperature::Sensors;

/// The shortest interval for which the utilization of the processors can be measured.
pub const SHORTEST_INTERVAL: Duration = sysinfo::MINIMUM_CPU_UPDATE_INTERVAL;

/// A probe of this machine.
///
/// ```
/// use llmscope_harness::probe::Probe;
///
/// let mut probe = Probe::new();
/// let environment = probe.environment();
/// let sample = probe.sample();
/// assert_eq!(sample.gpus.len(), environment.gpus.len());
/// ```
pub struct Probe {
    root: PathBuf,
    /// Absent on systems that sysinfo does not support.
    system: Option<System>,
    activity: Activity,
    memory: Option<Memory>,
    sensors: Sensors,
    /// Initialized on first use: waking a sleeping driver takes seconds.
    gpus: OnceLock<Gpus>,
}

impl Probe {
    /// Creates a probe. The first interval of the processor utilization starts now.
    #[must_use]
    pub fn new() -> Self {
        let root = PathBuf::from("/");
        let mut system = System::new().ok();
        let activity = Activity::begin(system.as_mut(), &root);
        let memory = system.as_mut().and_then(Memory::read);
        let sensors = Sensors::new(&root);
        Self { root, system, activity, memory, sensors, gpus: OnceLock::new() }
    }

    /// A description of the machine. It does not include the inference engine.
    #[must_use]
    pub fn environment(&self) -> Environment {
        Environment {
            os: operating_system(),
            container: container::detect(&self.root, |name| env::var(name).ok()),
            kernel: System::kernel_version().ok().and_then(readings::printable),
            cpu: processors::describe(self.system.as_ref()),
            memory_bytes: self.memory.map(|memory| memory.total_bytes),
            gpus: self.gpus.get_or_init(|| Gpus::find(&self.root)).describe(),
            engine: None,
        }
    }

    /// A sample of the machine's load. The utilization of the processors covers the time since the previous sample, or
    /// since the probe was created. It is absent if that is less than [`SHORTEST_INTERVAL`] ago.
    pub fn sample(&mut self) -> MachineSample {
        self.gpus.get_or_init(|| Gpus::find(&self.root));
        MachineSample {
            at: Timestamp::now(),
            cpu_utilization: self.activity.share(self.system.as_mut()),
            load_1m: self.activity.load(),
            memory_used_bytes: self.system.as_mut().and_then(Memory::read).map(|memory| memory.used_bytes),
            cpu_temperature_c: self.sensors.hottest_c(),
            gpus: self.gpus.get_mut().map(Gpus::sample).unwrap_or_default(),
        }
    }
}

impl Default for Probe {
    fn default() -> Self {
        Self::new()
    }
}

/// The distribution and its version on Linux; the long name of the system elsewhere.
fn operating_system() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return System::long_os_version().ok().and_then(readings::printable);
    }
    // A container image without a distribution is still Linux.
    let name = System::name().ok().and_then(readings::printable).unwrap_or_else(|| "Linux".to_owned());
    let version = System::os_version().ok().and_then(readings::printable);
    Some(version.map_or_else(|| name.clone(), |version| format!("{name} {version}")))
}

/// The folders in `folder` whose name is `prefix` and a number, in numeric order.
fn numbered(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let number = |path: &Path| -> Option<u32> {
        let digits = path.file_name()?.to_str()?.strip_prefix(prefix)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    };
    let mut found: Vec<(u32, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((number(&entry.path())?, entry.path()))).collect();
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}
