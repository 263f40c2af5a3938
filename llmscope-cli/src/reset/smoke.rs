//! A short simulated benchmark through a new service, from the request to the violation.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use llmscope_core::quantity::counted;
use llmscope_harness::workload::{Tier, Workload};
use llmscope_harness::{
    Bench, Plan, Secret, Target, TargetOptions, Update, Uploader, VendorKind, fetch_json, log_entry,
};
use llmscope_server::{Keys, Service, Settings, WatchSettings};
use serde_json::Value;

use crate::output::{self, BAD, DIM, GOOD};

/// Requests, the last of which are slower.
const REQUESTS: u64 = 120;
const SLOWER_FROM: u64 = 90;
const PATIENCE: Duration = Duration::from_secs(10);
/// Key of the service, which runs on loopback for a second or two.
const KEY: &str = "smoke-test";

pub(crate) fn run() -> Result<ExitCode> {
    match checked() {
        Ok(summary) => {
            output::say(GOOD, "smoke test passed:", &summary);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            output::say(BAD, "smoke test failed:", &format!("{error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn checked() -> Result<String> {
    let folder = tempfile::tempdir()?;
    let settings = Settings {
        address: "127.0.0.1:0".parse()?,
        database: folder.path().join("smoke.db"),
        keys: Keys::new(Some(KEY), None)?,
        watch: WatchSettings { learn: 60, ..WatchSettings::default() },
        // A busy machine passes, too.
        probe_deadline: Duration::from_secs(10),
        ..Settings::default()
    };
    let service = Service::start(settings)?;
    let base = format!("http://{}", service.address());
    output::say(DIM, "service:", &base);
    let sent = bench(&base).context("the simulated benchmark")?;
    let answer = check(&base, sent);
    service.stop();
    answer
}

/// Measures a simulated endpoint and sends each result to the service.
fn bench(base: &str) -> Result<u64> {
    let target = Target::new(VendorKind::Simulated, TargetOptions::default())?;
    let plan = Plan { requests: Some(REQUESTS), ..Plan::default() };
    let behaviour = format!("ttft=2ms,tpot=100us,tokens=8,shift={SLOWER_FROM}:5");
    let handle = Bench::new(target, Workload::tiers(&[Tier::SimpleRecall]), plan, behaviour.parse()?)?.start()?;
    let uploader = Uploader::to(&format!("{base}/api/log"), Some(Secret::new(KEY)))?;
    let mut sent = 0;
    for update in handle.updates() {
        if let Update::Request(record) = update {
            uploader.send(log_entry(&record, "simulated", "simulated", None));
            sent += 1;
        }
    }
    handle.join()?;
    let delivery = uploader.close(PATIENCE)?;
    ensure!(
        delivery.delivered == sent,
        "{} of {sent} results were delivered: {:?}",
        delivery.delivered,
        delivery.last_error
    );
    Ok(sent)
}

/// Checks that the service holds every record and found that the last ones were slower.
fn check(base: &str, sent: u64) -> Result<String> {
    let key = Secret::new(KEY);
    let get = |path: &str| fetch_json(&format!("{base}{path}"), Some(&key), PATIENCE).with_context(|| path.to_owned());
    let held = get("/health")?["total_requests"].as_u64();
    ensure!(held == Some(sent), "the service holds {held:?} of {sent} records");
    let chart = get("/api/stats/spc")?;
    let points = chart["series"].as_array().context("/api/stats/spc has no series")?;
    ensure!(points.len() as u64 == sent, "the chart has {} of {sent} points", points.len());
    let violations = get("/api/v1/violations?metric=e2e_s")?;
    let Some(found) = violations["violations"].as_array().filter(|found| !found.is_empty()) else {
        bail!("no violation was found for the slower requests");
    };
    let above = |violation: &&Value| violation["side"] == "above";
    ensure!(found.iter().any(|violation| above(&violation)), "no violation is on the slow side");
    ensure!(fetch_json(&format!("{base}/api/data"), None, PATIENCE).is_err(), "the service answers without a key");
    Ok(format!("{sent} results stored and judged, {} of latency found", counted(found.len(), "violation")))
}
