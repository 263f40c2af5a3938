//! Computes control limits of an array and applies Nelson's rules: `cargo run -p llmscope-examples --bin 01-individuals`.

#![allow(clippy::print_stdout, reason = "an example prints its result")]

use llmscope_core::{RuleSet, Sample, SigmaEstimator, chart::individuals};

fn main() -> anyhow::Result<()> {
    let ttft_s = [0.31, 0.29, 0.30, 0.32, 0.30, 0.31, 0.29, 0.30, 0.31, 0.30, 0.52, 0.31, 0.30, 0.29, 0.31];
    let sample = Sample::new(&ttft_s[..])?;
    let chart = individuals::estimate(&sample, SigmaEstimator::AverageMovingRange)?;
    println!("center {:.3} s, upper limit {:.3} s", chart.limits.center.at(0), chart.limits.upper.at(0));
    for violation in chart.judge(&RuleSet::nelson())?.violations {
        println!("{} at points {}..={}", violation.rule, violation.first, violation.last);
    }
    Ok(())
}
