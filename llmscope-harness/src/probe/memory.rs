//! Main memory of the machine, or of the control group if it is limited.

use sysinfo::{CGroupLimits, MemoryRefreshKind, Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use super::readings;

/// Total and used memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Memory {
    pub(super) total_bytes: u64,
    pub(super) used_bytes: u64,
}

impl Memory {
    pub(super) fn read(system: &mut System) -> Option<Self> {
        system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
        let total_bytes = readings::size(system.total_memory())?;
        // Virtual machines with ballooning and emulated `/proc` files can report more available than total memory.
        let used_bytes = total_bytes.saturating_sub(system.available_memory());
        Some(Self { total_bytes, used_bytes }.within(limits(system).as_ref()))
    }

    /// Cached files count towards the limit of a control group but are released on demand. The used memory of the
    /// machine is the memory that is not available; that of the group is the memory that is not cache.
    fn within(self, limits: Option<&CGroupLimits>) -> Self {
        match limits {
            Some(limits) if (1..self.total_bytes).contains(&limits.total_memory) => {
                Self { total_bytes: limits.total_memory, used_bytes: limits.rss.min(limits.total_memory) }
            }
            _ => self,
        }
    }
}

/// The limits of the control group of this process and of its parents.
fn limits(system: &mut System) -> Option<CGroupLimits> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let own = sysinfo::get_current_pid().ok().and_then(|pid| limits_of(system, pid));
    own.or_else(|| system.cgroup_limits())
}

fn limits_of(system: &mut System, pid: Pid) -> Option<CGroupLimits> {
    if system.process(pid).is_none() {
        let only = ProcessesToUpdate::Some(&[pid]);
        system.refresh_processes_specifics(only, false, ProcessRefreshKind::nothing());
    }
    system.process(pid)?.cgroup_limits()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE: Memory = Memory { total_bytes: 1000, used_bytes: 600 };

    fn limits(total_memory: u64, rss: u64) -> CGroupLimits {
        CGroupLimits { total_memory, free_memory: 0, free_swap: 0, rss }
    }

    #[test]
    fn the_smaller_limit_counts_with_its_own_use() {
        assert_eq!(MACHINE.within(None), MACHINE);
        assert_eq!(MACHINE.within(Some(&limits(1000, 10))), MACHINE);
        assert_eq!(MACHINE.within(Some(&limits(u64::MAX, 10))), MACHINE);
        assert_eq!(MACHINE.within(Some(&limits(0, 10))), MACHINE);
        assert_eq!(MACHINE.within(Some(&limits(400, 10))), Memory { total_bytes: 400, used_bytes: 10 });
    }

    #[test]
    fn this_machine_has_memory_and_uses_some() {
        let memory = Memory::read(&mut System::new().unwrap()).unwrap();
        assert!((1..=memory.total_bytes).contains(&memory.used_bytes), "{memory:?}");
    }
}
