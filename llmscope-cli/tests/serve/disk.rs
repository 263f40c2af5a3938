//! A full disk: records that cannot be stored are not acknowledged, and the service continues.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Serving, entry, program, wait_until};

/// The program in its own mount namespace, where the folder is a file system of 48 MiB, of which the store keeps 32 free.
/// This works without root if the system allows user namespaces.
fn on_a_small_disk(folder: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", "--mount", "sh", "-c"]);
    command.arg("mount -t tmpfs -o size=48m none \"$0\" && exec \"$@\"").arg(folder).arg(program().get_program());
    command
}

#[test]
fn on_a_full_disk_nothing_is_acknowledged_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("small");
    fs::create_dir(&place).unwrap();
    let serving = Serving::of(on_a_small_disk(&place), &place.join("llmscope.db"));
    let client = serving.client();
    let long = "x".repeat(500_000);
    let mut acknowledged = 0_u64;
    let refused = (0..1000).find_map(|number| {
        let mut entry = entry(number, 0.3 + 0.01 * (number % 3) as f64, true);
        entry["metadata"]["note"] = long.clone().into();
        let answer = client.post("/api/log", &entry);
        if answer.status == 200 {
            acknowledged += 1;
            return None;
        }
        Some(answer)
    });
    let refused = refused.unwrap_or_else(|| panic!("{acknowledged} records of 500 kB fit into 48 MiB"));
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert!(refused.header("retry-after").is_some());
    assert!(refused.json()["detail"].as_str().unwrap().contains("full"), "{}", refused.text());
    assert!(acknowledged > 10, "{acknowledged}");
    // Reading still works, and every acknowledged record is stored.
    wait_until("the store answers in time", || client.get("/health").json()["total_requests"] == acknowledged);
    let series = client.get("/api/v1/series").json();
    assert_eq!(series["series"][0]["n"], acknowledged, "the state matches the stored records");
    // With free space, writing works again.
    assert_eq!(client.delete("/api/data").status, 200, "deleting needs little space");
    wait_until("a small record is stored", || client.post("/api/log", &entry(1, 0.3, true)).status == 200);
}
