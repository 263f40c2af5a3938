//! Describes the processors and measures their utilization.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Instant;

use llmscope_core::session::Cpu;
use sysinfo::System;

use super::{SHORTEST_INTERVAL, readings};

/// A description of the processors; absent if nothing is known.
pub(super) fn describe(system: Option<&System>) -> Option<Cpu> {
    let cpu = Cpu {
        model: system.and_then(|system| readings::printable(system.cpus().first()?.brand())),
        architecture: readings::printable(System::cpu_arch()),
        // CPU affinity and quotas count, because a run cannot use more than its share.
        logical_cores: thread::available_parallelism().ok().and_then(|cores| u32::try_from(cores.get()).ok()),
        physical_cores: System::physical_core_count()
            .ok()
            .and_then(|cores| u32::try_from(cores).ok())
            .filter(|&n| n > 0),
    };
    (cpu != Cpu::default()).then_some(cpu)
}

/// Measures the utilization of the processors.
pub(super) struct Activity {
    /// The start of the current interval.
    since: Instant,
    counted: bool,
}

impl Activity {
    /// Starts the first interval.
    pub(super) fn begin(system: Option<&mut System>, root: &Path) -> Self {
        if let Some(system) = system {
            system.refresh_cpu_usage();
        }
        Self { since: Instant::now(), counted: is_counted(root) }
    }

    /// The utilization since the last returned value, as a share of all processors.
    pub(super) fn share(&mut self, system: Option<&mut System>) -> Option<f64> {
        let system = system.filter(|_| self.counted && self.since.elapsed() >= SHORTEST_INTERVAL)?;
        system.refresh_cpu_usage();
        self.since = Instant::now();
        // Without a list of processors the share is a constant 0, not a reading.
        (!system.cpus().is_empty()).then(|| readings::share(f64::from(system.global_cpu_usage())))?
    }

    /// Load average over one minute.
    pub(super) fn load(&self) -> Option<f64> {
        let load = System::load_average().ok().filter(|_| self.counted)?.one;
        (load.is_finite() && load >= 0.0).then_some(load)
    }
}

/// False in a sandbox that emulates a kernel: its processors have never accumulated any time.
fn is_counted(root: &Path) -> bool {
    if !cfg!(target_os = "linux") {
        return true;
    }
    let Ok(times) = fs::read_to_string(root.join("proc/stat")) else { return false };
    let all = times.lines().find_map(|line| line.strip_prefix("cpu "));
    all.is_some_and(|all| all.bytes().any(|byte| (b'1'..=b'9').contains(&byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_takes_an_interval() {
        let mut system = System::new().unwrap();
        let mut activity = Activity::begin(Some(&mut system), Path::new("/"));
        assert_eq!(activity.share(Some(&mut system)), None);
        assert_eq!(activity.share(None), None);
        while activity.since.elapsed() < SHORTEST_INTERVAL {
            std::hint::spin_loop();
        }
        let share = activity.share(Some(&mut system)).unwrap();
        assert!(share > 0.0 && share <= 1.0, "{share}");
        assert_eq!(activity.share(Some(&mut system)), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn processors_that_never_worked_are_not_counted() {
        let root = tempfile::tempdir().unwrap();
        assert!(!is_counted(root.path()));
        fs::create_dir(root.path().join("proc")).unwrap();
        for (times, counted) in [
            ("cpu  0 0 0 0 0 0 0 0 0 0\ncpu0 0 0 0 0 0 0 0 0 0 0\nintr 17 4\n", false),
            ("", false),
            ("cpu  27091 0 6828 160493 513 0 86 3086 0 0\n", true),
        ] {
            fs::write(root.path().join("proc/stat"), times).unwrap();
            assert_eq!(is_counted(root.path()), counted, "{times}");
        }
    }
}
