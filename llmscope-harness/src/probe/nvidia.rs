//! NVIDIA GPUs, through the library of their driver.

use llmscope_core::session::{Gpu, GpuSample};
use nvml_wrapper::enum_wrappers::device::TemperatureSensor;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::{Device, Nvml};

use super::readings;

/// The driver's library and the indices of the accessible GPUs.
pub(super) struct Nvidia {
    nvml: Nvml,
    indices: Vec<u32>,
}

impl Nvidia {
    /// `None` if the driver is not installed.
    pub(super) fn find() -> Option<Self> {
        let nvml = Nvml::init().ok()?;
        let count = nvml.device_count().ok()?;
        let indices = (0..count).filter(|&index| nvml.device_by_index(index).is_ok()).collect();
        Some(Self { nvml, indices })
    }

    pub(super) fn describe(&self) -> Vec<Gpu> {
        let driver = self.nvml.sys_driver_version().ok().and_then(readings::printable);
        let describe = |device: Result<Device<'_>, NvmlError>| {
            let device = device.ok();
            let device = device.as_ref();
            Gpu {
                name: device
                    .and_then(|device| readings::printable(device.name().ok()?))
                    .unwrap_or_else(|| "NVIDIA GPU".to_owned()),
                driver: driver.clone(),
                memory_bytes: device.and_then(|device| readings::size(device.memory_info().ok()?.total)),
            }
        };
        self.devices().map(describe).collect()
    }

    /// A GPU that has fallen off the bus keeps its position, with an empty sample.
    pub(super) fn sample(&self) -> Vec<GpuSample> {
        self.devices().map(|device| device.map(|device| sample(&device)).unwrap_or_default()).collect()
    }

    fn devices(&self) -> impl Iterator<Item = Result<Device<'_>, NvmlError>> {
        self.indices.iter().map(|&index| self.nvml.device_by_index(index))
    }
}

/// Readings that the driver does not provide are absent.
fn sample(device: &Device<'_>) -> GpuSample {
    let celsius = device.temperature(TemperatureSensor::Gpu).ok();
    let milliwatts = device.power_usage().ok();
    let millijoules = device.total_energy_consumption().ok();
    GpuSample {
        utilization: device.utilization_rates().ok().and_then(|rates| readings::share(f64::from(rates.gpu))),
        memory_used_bytes: device.memory_info().ok().map(|memory| memory.used),
        temperature_c: celsius.and_then(|celsius| readings::temperature(f64::from(celsius))),
        power_w: milliwatts.and_then(|milliwatts| readings::consumption(f64::from(milliwatts) / 1e3)),
        energy_j: millijoules.and_then(|millijoules| readings::consumption(millijoules as f64 / 1e3)),
    }
}
