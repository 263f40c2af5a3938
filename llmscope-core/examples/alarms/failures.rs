//! How often the detector of failures raises an alarm although nothing changed, and how soon an outage does.

use llmscope_core::Result;
use llmscope_core::detector::{FailureDetector, FalseAlarmRate};

use super::parallel::in_parallel;
use super::random::Random;
use super::rates::scaled;

/// One false alarm in this number of requests; the requests of each series, and the series.
const PROMISES: [(f64, usize, usize); 2] = [(1_000.0, 20_000, 150), (100_000.0, 1_000_000, 30)];
const LEARNED: usize = 1_000;
/// The share of failed requests, and the mean length of the bursts in which they come.
const PROCESSES: [(f64, f64); 5] = [(0.001, 1.0), (0.01, 1.0), (0.05, 1.0), (0.01, 5.0), (0.01, 20.0)];
const SHARES: [f64; 4] = [0.0, 0.001, 0.01, 0.05];
pub(crate) const OUTAGE_PROMISES: [f64; 3] = [1_000.0, 100_000.0, 4_000_000.0];
const OUTAGES: usize = 100;

/// Alarms for each promised one.
pub(crate) struct Row {
    pub(crate) process: String,
    pub(crate) promise: f64,
    pub(crate) realized: f64,
    /// The same after `relearn`, which takes bursts as usual.
    pub(crate) relearned: f64,
}

/// The rates, and for each share of failures the failures in a row until an alarm: median and 90 % quantile.
pub(crate) struct Failures {
    pub(crate) rows: Vec<Row>,
    pub(crate) outages: Vec<(f64, Vec<(usize, usize)>)>,
}

pub(crate) fn simulated(share: f64) -> Result<Failures> {
    let mut rows = Vec::new();
    for (failing, mean) in PROCESSES {
        for (promise, requests, series) in PROMISES {
            let series = scaled(series, share);
            let rate = |relearn| -> Result<f64> {
                let alarms = in_parallel(series, |index| alarms(failing, mean, promise, requests, index, relearn))?;
                Ok(alarms.iter().sum::<usize>() as f64 * promise / (series * requests) as f64)
            };
            let bursts = if mean > 1.0 { format!(" in bursts of {mean}") } else { String::new() };
            let process = format!("{} %{bursts}", 100.0 * failing);
            rows.push(Row { process, promise, realized: rate(false)?, relearned: rate(true)? });
        }
    }
    let outages = SHARES.map(|failing| {
        let row: Result<Vec<_>> = OUTAGE_PROMISES.iter().map(|&promise| until_alarm(failing, promise)).collect();
        row.map(|row| (failing, row))
    });
    Ok(Failures { rows, outages: outages.into_iter().collect::<Result<_>>()? })
}

fn alarms(failing: f64, mean: f64, promise: f64, requests: usize, index: usize, relearn: bool) -> Result<usize> {
    let mut random = Random::of_series("failures", 0, index);
    let n = LEARNED + requests;
    let failed =
        if mean > 1.0 { random.bursts(n, failing, mean) } else { (0..n).map(|_| random.chance(failing)).collect() };
    let mut detector = FailureDetector::new(FalseAlarmRate::one_in(promise)?, LEARNED)?;
    if relearn {
        detector.relearn();
    }
    Ok(failed.into_iter().filter(|&failed| detector.push(failed).alarm.is_some()).count())
}

fn until_alarm(failing: f64, promise: f64) -> Result<(usize, usize)> {
    let of_series = |index| {
        let mut random = Random::of_series("outage", 0, index);
        let mut detector = FailureDetector::new(FalseAlarmRate::one_in(promise)?, LEARNED)?;
        for _ in 0..LEARNED + 500 {
            detector.push(random.chance(failing));
        }
        Ok(detector.failures_to_alarm().unwrap_or(usize::MAX))
    };
    let mut needed = in_parallel(OUTAGES, of_series)?;
    needed.sort_unstable();
    Ok((needed[OUTAGES / 2], needed[OUTAGES * 9 / 10]))
}
