//! Limits from yesterday's session, today's requests judged as they arrive:
//! `cargo run -p llmscope-examples --bin 02-monitor`.

#![allow(clippy::print_stdout, reason = "an example shows its result")]

use llmscope_core::chart::individuals;
use llmscope_core::{Metric, Missing, Monitor, RuleSet, Sample, Session, SigmaEstimator};

fn main() -> anyhow::Result<()> {
    let sessions = concat!(env!("CARGO_MANIFEST_DIR"), "/sessions");
    let read = |name: &str| -> anyhow::Result<Session> {
        let path = format!("{sessions}/{name}");
        Ok(Session::read(&path, &std::fs::read_to_string(&path)?)?.session)
    };
    let values = |session: &Session| -> Vec<Option<f64>> {
        session.records.iter().filter(|record| !record.warmup).map(|record| record.metric(Metric::Tpot)).collect()
    };

    // Phase I: what does undisturbed look like?
    let (sample, _) = Sample::gather(values(&read("undisturbed.json")?), Missing::Break)?;
    let study = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange)?;
    let (center, sigma) = (study.limits.center.at(0), study.limits.sigma.0.at(0));

    // Phase II: frozen limits, one request at a time.
    let rules: RuleSet = "1,2".parse()?;
    let mut monitor = Monitor::new(rules, center, sigma)?;
    for (i, value) in values(&read("second-load.json")?).into_iter().enumerate() {
        match value {
            None => monitor.gap(),
            Some(tpot_s) => {
                if let Some(signal) = monitor.push(tpot_s)?.first() {
                    println!("request {i}: {:.2} ms a token is out of control ({:?})", tpot_s * 1e3, signal.side);
                    break;
                }
            }
        }
    }
    Ok(())
}
