//! The temperature of the processors.

use std::path::Path;

#[cfg(not(target_os = "linux"))]
use sysinfo::Components;

use super::readings;

/// Prefixes of the names of processor sensors, in lower case. Boards have other sensors named "CPU" that measure the
/// air.
const PROCESSORS: [&str; 15] = [
    // Chips and thermal zones of Linux.
    "coretemp",
    "k8temp",
    "k10temp",
    "zenpower",
    "via_cputemp",
    "x86_pkg_temp",
    "cpu",
    "soc_thermal",
    "soc-thermal",
    "bigcore",
    "littlecore",
    // Sensors of Apple.
    "peci cpu",
    "pacc",
    "eacc",
    "pmu tdie",
];

fn is_processor_sensor(name: &str) -> bool {
    let name = name.to_lowercase();
    PROCESSORS.iter().any(|processor| name.starts_with(processor))
}

/// The sensors of the processors. On Linux they are read directly: sysinfo keeps only one of several sensors with the
/// same name, as two sockets have, and does not return the names of thermal zones.
pub(super) struct Sensors {
    #[cfg(target_os = "linux")]
    class: std::path::PathBuf,
    #[cfg(not(target_os = "linux"))]
    components: Option<Components>,
}

#[cfg(target_os = "linux")]
impl Sensors {
    pub(super) fn new(root: &Path) -> Self {
        Self { class: root.join("sys/class") }
    }

    /// The highest temperature, in degrees Celsius.
    pub(super) fn hottest_c(&self) -> Option<f64> {
        let chips = super::numbered(&self.class.join("hwmon"), "hwmon");
        let zones = super::numbered(&self.class.join("thermal"), "thermal_zone");
        let is_processor = |file: &Path| readings::text(file).is_some_and(|name| is_processor_sensor(&name));
        let chips_c = chips.iter().filter(|chip| is_processor(&chip.join("name"))).filter_map(|chip| chip_c(chip));
        let zones_c = zones.iter().filter(|zone| is_processor(&zone.join("type"))).filter_map(|zone| zone_c(zone));
        chips_c.chain(zones_c).reduce(f64::max)
    }
}

/// The hottest of a chip's sensors.
#[cfg(target_os = "linux")]
fn chip_c(chip: &Path) -> Option<f64> {
    let is_input = |path: &Path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("temp") && name.ends_with("_input")
    };
    let files = chip.read_dir().ok()?.flatten().map(|entry| entry.path());
    files.filter(|path| is_input(path)).filter_map(|path| readings::millicelsius(&path)).reduce(f64::max)
}

#[cfg(target_os = "linux")]
fn zone_c(zone: &Path) -> Option<f64> {
    readings::millicelsius(&zone.join("temp"))
}

#[cfg(not(target_os = "linux"))]
impl Sensors {
    pub(super) fn new(_root: &Path) -> Self {
        Self { components: Components::new().ok() }
    }

    /// The highest temperature, in degrees Celsius.
    pub(super) fn hottest_c(&mut self) -> Option<f64> {
        let components = self.components.as_mut()?;
        components.refresh(true);
        let of_processors = components.iter().filter(|component| is_processor_sensor(component.label()));
        let celsius = of_processors.filter_map(|component| component.temperature());
        celsius.filter_map(|celsius| readings::temperature(f64::from(celsius))).reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sensors_in_processors_count() {
        for name in
            ["coretemp", "k10temp", "cpu_thermal", "CPU-therm", "x86_pkg_temp", "pACC MTR Temp Sensor3", "PECI CPU"]
        {
            assert!(is_processor_sensor(name), "{name}");
        }
        for name in ["nvme", "acpitz", "nct6775", "amdgpu", "iwlwifi_1", "gpu-thermal", "Battery", "Computer", ""] {
            assert!(!is_processor_sensor(name), "{name}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_hottest_plausible_sensor_wins() {
        use std::fs;

        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, content: &str| {
            let path = root.path().join("sys/class").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        };
        let sensors = Sensors::new(root.path());
        assert_eq!(sensors.hottest_c(), None);

        write("hwmon/hwmon0/name", "nvme\n");
        write("hwmon/hwmon0/temp1_input", "91000\n");
        write("thermal/thermal_zone0/type", "acpitz\n");
        write("thermal/thermal_zone0/temp", "98000\n");
        assert_eq!(sensors.hottest_c(), None);

        // Two sockets with the same sensor names.
        for (chip, millicelsius) in [("hwmon1", "51500\n"), ("hwmon2", "63250\n")] {
            write(&format!("hwmon/{chip}/name"), "coretemp\n");
            write(&format!("hwmon/{chip}/temp1_label"), "Package id 0\n");
            write(&format!("hwmon/{chip}/temp1_input"), millicelsius);
            write(&format!("hwmon/{chip}/temp1_crit"), "100000\n");
        }
        assert_eq!(sensors.hottest_c(), Some(63.25));

        for (sensor, garbage) in [(2, "0"), (3, "-273150"), (4, "255000"), (5, "NaN"), (6, ""), (7, "99e3")] {
            write(&format!("hwmon/hwmon1/temp{sensor}_input"), garbage);
        }
        assert_eq!(sensors.hottest_c(), Some(63.25));

        write("thermal/thermal_zone1/type", "x86_pkg_temp\n");
        write("thermal/thermal_zone1/temp", "64000\n");
        assert_eq!(sensors.hottest_c(), Some(64.0));
    }
}
