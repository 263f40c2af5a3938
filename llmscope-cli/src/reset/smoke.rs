//! A short simulated benchmark through a service of its own: everything between a request and a violation, once.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use llmscope_harness::workload::{Tier, Workload};
use llmscope_harness::{Bench, Courier, Plan, Secret, Target, TargetOptions, Update, VendorKind, inquire, log_entry};
use llmscope_server::{Judging, Keys, Service, Settings};
use serde_json::Value;

use crate::output::{self, BAD, DIM, GOOD};

/// Requests, of which the last are slower.
const REQUESTS: u64 = 120;
const SLOWER_FROM: u64 = 90;
const PATIENCE: Duration = Duration::from_secs(10);
/// The key of a service that lives for a second or two, on loopback.
const KEY: &str = "smoke-test";

pub(crate) fn run() -> Result<ExitCode> {
    match checked() {
        Ok(words) => {
            output::say(GOOD, "smoke test passed:", &words);
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
        judging: Judging { learn: 60, ..Judging::default() },
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

/// Measures a simulated endpoint and brings each result to the service.
fn bench(base: &str) -> Result<u64> {
    let target = Target::new(VendorKind::Simulated, TargetOptions::default())?;
    let plan = Plan { requests: Some(REQUESTS), ..Plan::default() };
    let behaviour = format!("ttft=2ms,tpot=100us,tokens=8,shift={SLOWER_FROM}:5");
    let running = Bench::new(target, Workload::tiers(&[Tier::SimpleRecall]), plan, behaviour.parse()?)?.start()?;
    let courier = Courier::to(&format!("{base}/api/log"), Some(Secret::new(KEY)))?;
    let mut sent = 0;
    for update in running.updates() {
        if let Update::Request(record) = update {
            courier.send(log_entry(&record, "simulated", "simulated", None));
            sent += 1;
        }
    }
    running.join()?;
    let delivery = courier.close(PATIENCE, None)?;
    ensure!(delivery.delivered == sent, "{} of {sent} results arrived: {:?}", delivery.delivered, delivery.trouble);
    Ok(sent)
}

/// The service must hold what was sent, and have noticed that the last of it were slower.
fn check(base: &str, sent: u64) -> Result<String> {
    let key = Secret::new(KEY);
    let ask = |path: &str| inquire(&format!("{base}{path}"), Some(&key), PATIENCE).with_context(|| path.to_owned());
    let held = ask("/health")?["total_requests"].as_u64();
    ensure!(held == Some(sent), "it holds {held:?} of {sent} records");
    let chart = ask("/api/stats/spc")?;
    let points = chart["series"].as_array().context("/api/stats/spc has no series")?;
    ensure!(points.len() as u64 == sent, "the chart has {} of {sent} points", points.len());
    let violations = ask("/api/v1/violations?metric=e2e_s")?;
    let Some(found) = violations["violations"].as_array().filter(|found| !found.is_empty()) else {
        bail!("the slower requests were not noticed");
    };
    let above = |violation: &&Value| violation["side"] == "above";
    ensure!(found.iter().any(|violation| above(&violation)), "no violation is on the slow side");
    ensure!(inquire(&format!("{base}/api/data"), None, PATIENCE).is_err(), "it answers without a key");
    Ok(format!("{sent} results kept and judged, {} violations of their latency found", found.len()))
}
