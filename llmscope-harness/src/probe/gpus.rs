//! The GPUs of all vendors, always in the order in which they were found.

use std::path::Path;

use llmscope_core::session::{Gpu, GpuSample};

use super::amd::{self, Card};
#[cfg(target_os = "macos")]
use super::apple::Apple;
use super::nvidia::Nvidia;

/// The GPUs of all vendors.
pub(super) struct Gpus {
    nvidia: Option<Nvidia>,
    amd: Vec<Card>,
    #[cfg(target_os = "macos")]
    apple: Option<Apple>,
}

impl Gpus {
    pub(super) fn find(root: &Path) -> Self {
        Self {
            nvidia: Nvidia::find(),
            amd: amd::find(root),
            #[cfg(target_os = "macos")]
            apple: Apple::find(),
        }
    }

    pub(super) fn describe(&self) -> Vec<Gpu> {
        let mut gpus = self.nvidia.as_ref().map(Nvidia::describe).unwrap_or_default();
        gpus.extend(self.amd.iter().map(Card::describe));
        #[cfg(target_os = "macos")]
        gpus.extend(self.apple.iter().flat_map(Apple::describe));
        gpus
    }

    pub(super) fn sample(&mut self) -> Vec<GpuSample> {
        let mut samples = self.nvidia.as_ref().map(Nvidia::sample).unwrap_or_default();
        samples.extend(self.amd.iter().map(Card::sample));
        #[cfg(target_os = "macos")]
        samples.extend(self.apple.iter_mut().flat_map(Apple::sample));
        samples
    }
}
