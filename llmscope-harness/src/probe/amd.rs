//! AMD GPUs, through the files of their kernel driver.

use std::fs;
use std::path::{Path, PathBuf};

use llmscope_core::session::{Gpu, GpuSample};

use super::{numbered, readings};

const VENDOR: &str = "0x1002";

/// One card.
pub(super) struct Card {
    name: String,
    driver: Option<String>,
    /// The folder of its files.
    device: PathBuf,
}

/// All cards, in the order of the kernel.
pub(super) fn find(root: &Path) -> Vec<Card> {
    // A separately released driver has a version; the driver of the kernel has the version of the kernel.
    let driver = readings::text(&root.join("sys/module/amdgpu/version"));
    let devices = numbered(&root.join("sys/class/drm"), "card").into_iter().map(|card| card.join("device"));
    let made_by_amd = |device: &PathBuf| readings::text(&device.join("vendor")).is_some_and(|vendor| vendor == VENDOR);
    let card = |device: PathBuf| Card { name: name(root, &device), driver: driver.clone(), device };
    devices.filter(made_by_amd).map(card).collect()
}

impl Card {
    pub(super) fn describe(&self) -> Gpu {
        let memory_bytes = readings::number(&self.device.join("mem_info_vram_total")).and_then(readings::size);
        Gpu { name: self.name.clone(), driver: self.driver.clone(), memory_bytes }
    }

    pub(super) fn sample(&self) -> GpuSample {
        // The numbers of the hardware monitors change when the driver is reloaded.
        let monitors = numbered(&self.device.join("hwmon"), "hwmon");
        let micro = |file: &str| {
            let value = |monitor: &PathBuf| readings::number::<u64>(&monitor.join(file));
            monitors.iter().find_map(value).and_then(|micro| readings::consumption(micro as f64 / 1e6))
        };
        let celsius = |file: &str| monitors.iter().find_map(|monitor| readings::millicelsius(&monitor.join(file)));
        let busy = readings::number::<u32>(&self.device.join("gpu_busy_percent"));
        GpuSample {
            utilization: busy.and_then(|percent| readings::share(f64::from(percent))),
            memory_used_bytes: readings::number(&self.device.join("mem_info_vram_used")),
            // Data center accelerators have no edge sensor: the second sensor is at the junction.
            temperature_c: celsius("temp1_input").or_else(|| celsius("temp2_input")),
            power_w: micro("power1_average").or_else(|| micro("power1_input")),
            energy_j: micro("energy1_input"),
        }
    }
}

/// The product name of the card, else its marketing name, else its device id.
fn name(root: &Path, device: &Path) -> String {
    let id = readings::text(&device.join("device"));
    let number = || id.as_ref().map_or_else(|| "AMD GPU".to_owned(), |id| format!("AMD GPU {id}"));
    readings::text(&device.join("product_name"))
        .or_else(|| marketing_name(root, id.as_deref()?, &readings::text(&device.join("revision"))?))
        .unwrap_or_else(number)
}

/// Looks up the list of the graphics libraries: `744C, C8, AMD Radeon RX 7900 XTX`.
fn marketing_name(root: &Path, device: &str, revision: &str) -> Option<String> {
    let list = fs::read_to_string(root.join("usr/share/libdrm/amdgpu.ids")).ok()?;
    let is = |field: &str, id: &str| field.trim().eq_ignore_ascii_case(id.trim_start_matches("0x"));
    list.lines().find_map(|line| match line.splitn(3, ',').collect::<Vec<_>>()[..] {
        [of_device, of_revision, name] if is(of_device, device) && is(of_revision, revision) => {
            readings::printable(name)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tempfile::TempDir;

    use super::*;

    /// The names of the files of a card.
    const FILES: [&str; 13] = [
        "device",
        "revision",
        "product_name",
        "mem_info_vram_total",
        "mem_info_vram_used",
        "gpu_busy_percent",
        "hwmon/hwmon3/temp1_input",
        "hwmon/hwmon3/temp2_input",
        "hwmon/hwmon3/power1_average",
        "hwmon/hwmon3/power1_input",
        "hwmon/hwmon3/energy1_input",
        "hwmon/hwmon11/temp1_input",
        "unknown",
    ];

    fn write(root: &TempDir, path: &str, content: impl AsRef<[u8]>) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn write_card(root: &TempDir, card: u32, vendor: &str, files: &[(&str, &str)]) {
        for (file, content) in [("vendor", vendor)].iter().chain(files) {
            write(root, &format!("sys/class/drm/card{card}/device/{file}"), format!("{content}\n"));
        }
    }

    #[test]
    fn a_complete_card_is_read_in_si_units() {
        let root = tempfile::tempdir().unwrap();
        write(&root, "sys/module/amdgpu/version", "6.10.5\n");
        write_card(
            &root,
            0,
            VENDOR,
            &[
                ("product_name", "AMD Instinct MI210"),
                ("device", "0x740f"),
                ("mem_info_vram_total", "68702699520"),
                ("mem_info_vram_used", "1073741824"),
                ("gpu_busy_percent", "37"),
                ("hwmon/hwmon3/temp1_input", "46500"),
                ("hwmon/hwmon3/power1_average", "95000000"),
                ("hwmon/hwmon3/power1_input", "99000000"),
                ("hwmon/hwmon3/energy1_input", "1234500000"),
            ],
        );
        let cards = find(root.path());
        assert_eq!(cards.len(), 1);
        assert_eq!(
            cards[0].describe(),
            Gpu {
                name: "AMD Instinct MI210".to_owned(),
                driver: Some("6.10.5".to_owned()),
                memory_bytes: Some(68_702_699_520),
            }
        );
        assert_eq!(
            cards[0].sample(),
            GpuSample {
                utilization: Some(0.37),
                memory_used_bytes: Some(1_073_741_824),
                temperature_c: Some(46.5),
                power_w: Some(95.0),
                energy_j: Some(1234.5),
            }
        );
    }

    #[test]
    fn what_is_missing_is_absent_by_itself() {
        let root = tempfile::tempdir().unwrap();
        write_card(
            &root,
            0,
            VENDOR,
            &[
                ("device", "0x74a1"),
                ("gpu_busy_percent", "0"),
                ("hwmon/hwmon3/temp2_input", "58000"),
                ("hwmon/hwmon3/power1_input", "140000000"),
            ],
        );
        write_card(&root, 1, VENDOR, &[]);
        let cards = find(root.path());
        let expected = Gpu { name: "AMD GPU 0x74a1".to_owned(), ..Gpu::default() };
        assert_eq!(cards[0].describe(), expected);
        assert_eq!(
            cards[0].sample(),
            GpuSample {
                utilization: Some(0.0),
                temperature_c: Some(58.0),
                power_w: Some(140.0),
                ..GpuSample::default()
            }
        );
        assert_eq!(cards[1].describe(), Gpu { name: "AMD GPU".to_owned(), ..Gpu::default() });
        assert_eq!(cards[1].sample(), GpuSample::default());
    }

    #[test]
    fn garbage_is_absent() {
        let root = tempfile::tempdir().unwrap();
        for (card, garbage) in
            ["", "NaN", "-1", "inf", "1e9", "0x10", "12 34", "99999999999999999999999"].iter().enumerate()
        {
            let files: Vec<_> = FILES[3..].iter().map(|&file| (file, *garbage)).collect();
            write_card(&root, u32::try_from(card).unwrap(), VENDOR, &files);
        }
        let cards = find(root.path());
        assert_eq!(cards.len(), 8);
        for card in cards {
            assert_eq!(card.describe().memory_bytes, None);
            assert_eq!(card.sample(), GpuSample::default());
        }
    }

    #[test]
    fn other_vendors_and_connectors_are_not_amd_cards() {
        let root = tempfile::tempdir().unwrap();
        assert!(find(root.path()).is_empty());
        write_card(&root, 0, "0x8086", &[("gpu_busy_percent", "50")]);
        write_card(&root, 10, VENDOR, &[("device", "0x000a")]);
        write_card(&root, 2, VENDOR, &[("device", "0x0002")]);
        for other in ["card2-DP-1", "renderD128", "card", "card+3"] {
            write(&root, &format!("sys/class/drm/{other}/device/vendor"), VENDOR);
        }
        let names: Vec<String> = find(root.path()).into_iter().map(|card| card.name).collect();
        assert_eq!(names, ["AMD GPU 0x0002", "AMD GPU 0x000a"]);
    }

    #[test]
    fn the_marketing_name_is_of_device_and_revision() {
        let root = tempfile::tempdir().unwrap();
        let list =
            "# List of AMDGPU IDs\n1.0.0\n744C,\tCC,\tAMD Radeon RX 7900 XT\n744C,\tC8,\tAMD Radeon RX 7900 XTX\n";
        write(&root, "usr/share/libdrm/amdgpu.ids", list);
        write_card(&root, 0, VENDOR, &[("device", "0x744c"), ("revision", "0xc8")]);
        write_card(&root, 1, VENDOR, &[("device", "0x744c"), ("revision", "0x00")]);
        let names: Vec<String> = find(root.path()).into_iter().map(|card| card.name).collect();
        assert_eq!(names, ["AMD Radeon RX 7900 XTX", "AMD GPU 0x744c"]);
    }

    fn any_content() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            any::<i128>().prop_map(|number| number.to_string().into_bytes()),
            any::<f64>().prop_map(|number| number.to_string().into_bytes()),
            any::<u32>().prop_map(|number| format!("{number}\n").into_bytes()),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn readings_of_arbitrary_files_are_plausible_or_absent(
            contents in prop::collection::vec(any_content(), FILES.len()),
        ) {
            let root = tempfile::tempdir().unwrap();
            write_card(&root, 0, VENDOR, &[]);
            for (file, content) in FILES.iter().zip(&contents) {
                write(&root, &format!("sys/class/drm/card0/device/{file}"), content);
            }
            let cards = find(root.path());
            let gpu = cards[0].describe();
            prop_assert!(!gpu.name.is_empty() && !gpu.name.contains(char::is_control));
            prop_assert!(gpu.memory_bytes != Some(0));
            let sample = cards[0].sample();
            prop_assert!(sample.utilization.is_none_or(|share| (0.0..=1.0).contains(&share)));
            prop_assert!(sample.temperature_c.is_none_or(|celsius| celsius > 0.0 && celsius <= 150.0));
            for value in [sample.power_w, sample.energy_j].into_iter().flatten() {
                prop_assert!(value.is_finite() && value > 0.0);
            }
        }
    }
}
