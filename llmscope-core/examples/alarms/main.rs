//! Simulates what the detector promises, and writes `docs/alarms.md`.
//!
//! `cargo run --release -p llmscope-core --example alarms -- docs/alarms.md [--share S]`, or `make promises`. The seed of each
//! series is fixed. S multiplies the number of series of a cell (default 1).

#![allow(clippy::print_stderr, reason = "a program that reports its progress")]

#[allow(dead_code, reason = "the other example uses the rest")]
#[path = "../false_alarms/cells.rs"]
mod cells;
mod delays;
mod failures;
mod fleet;
mod page;
#[path = "../false_alarms/parallel.rs"]
mod parallel;
#[path = "../false_alarms/random.rs"]
mod random;
mod rates;

use std::error::Error;

use cells::Requests;
use llmscope_core::Result;
use llmscope_core::detector::{Alarm, Detector, FalseAlarmRate, Settings};

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> std::result::Result<(), Failure> {
    const USAGE: &str = "expected: alarms PAGE [--share S]";
    let given: Vec<String> = std::env::args().skip(1).collect();
    let (path, share) = match &given[..] {
        [path] => (path, 1.0),
        [path, option, share] if option == "--share" => (path, share.parse::<f64>()?),
        _ => return Err(USAGE.into()),
    };
    let rates = rates::simulated(share)?;
    let delays = delays::simulated(share)?;
    let failures = failures::simulated(share)?;
    let fleet = fleet::simulated(share)?;
    std::fs::write(path, page::written(&rates, &delays, &failures, &fleet))
        .map_err(|error| format!("{path}: {error}"))?;
    Ok(())
}

/// What the detector made of one series.
pub(crate) struct Judged {
    /// Values that were judged.
    pub(crate) values: usize,
    /// The first judged value.
    pub(crate) first: Option<usize>,
    pub(crate) alarms: Vec<Alarm>,
}

/// Judges a series. It can stop at the first alarm from a value on.
pub(crate) fn judge(requests: &Requests, rate: f64, learn: usize, stop_from: Option<usize>) -> Result<Judged> {
    let (latencies, tokens) = requests.latencies();
    let columns = usize::from(!tokens.is_empty());
    let false_alarms = FalseAlarmRate::one_in(rate)?;
    let mut detector = Detector::new(Settings { false_alarms, learn, columns, ..Settings::default() })?;
    let mut judged = Judged { values: 0, first: None, alarms: Vec::new() };
    for (i, &latency) in latencies.iter().enumerate() {
        let evidence = detector.push(latency, &tokens[i.min(tokens.len())..(i + columns).min(tokens.len())])?;
        if i >= learn && evidence.learning.is_none() {
            judged.values += 1;
            judged.first.get_or_insert(i);
        }
        judged.alarms.extend(evidence.alarm);
        if evidence.alarm.is_some() && stop_from.is_some_and(|from| i >= from) {
            break;
        }
    }
    Ok(judged)
}
