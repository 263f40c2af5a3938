//! Estimates limits from the first hundred requests and judges each later request against them:
//! `cargo run -p llmscope-examples --bin 02-monitor`.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llmscope_core::chart::individuals;
use llmscope_core::{Metric, Missing, Monitor, RuleSet, Sample, Session, SigmaEstimator};

fn main() -> anyhow::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sessions/second-load.json");
    let session = Session::read(path, &std::fs::read_to_string(path)?)?.session;
    let requests = session.records.iter().filter(|record| !record.warmup);
    let values: Vec<Option<f64>> = requests.map(|record| record.metric(Metric::Tpot)).collect();
    let (earlier, later) = values.split_at(100);

    // Phase I: estimate the limits.
    let (sample, _) = Sample::gather(earlier.iter().copied(), Missing::Break)?;
    let study = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange)?;
    let (center, sigma) = (study.limits.center.at(0), study.limits.sigma.at(0));

    // Phase II: judge one request at a time against the frozen limits.
    let mut monitor = Monitor::new("1".parse::<RuleSet>()?, center, sigma)?;
    for (request, value) in (100..).zip(later) {
        match value {
            None => monitor.gap(),
            Some(tpot_s) if monitor.push(*tpot_s)?.is_empty() => {}
            Some(tpot_s) => {
                println!("request {request} is out of control: {:.2} ms per token", tpot_s * 1e3);
                break;
            }
        }
    }
    Ok(())
}
