//! GPUs in Apple machines. They share the main memory.

use llmscope_core::session::{Gpu, GpuSample};

use super::readings;

/// The GPUs that the system lists.
pub(super) struct Apple {
    gpus: sysinfo::Gpus,
}

impl Apple {
    pub(super) fn find() -> Option<Self> {
        sysinfo::Gpus::new_with_refreshed_list().ok().map(|gpus| Self { gpus })
    }

    pub(super) fn describe(&self) -> Vec<Gpu> {
        let describe = |gpu: &sysinfo::Gpu| Gpu {
            name: gpu.model().or(gpu.vendor()).and_then(readings::printable).unwrap_or_else(|| "GPU".to_owned()),
            driver: None,
            memory_bytes: gpu.total_memory().and_then(readings::size),
        };
        self.gpus.iter().map(describe).collect()
    }

    pub(super) fn sample(&mut self) -> Vec<GpuSample> {
        // No GPU is removed, so the order stays the same.
        self.gpus.refresh(false);
        let sample = |gpu: &sysinfo::Gpu| GpuSample {
            utilization: gpu.usage().and_then(|percent| readings::share(f64::from(percent))),
            memory_used_bytes: gpu.used_memory(),
            ..GpuSample::default()
        };
        self.gpus.iter().map(sample).collect()
    }
}
