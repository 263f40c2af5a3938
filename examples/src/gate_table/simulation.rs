//! Runs simulated gates in parallel and counts their verdicts.

use std::fmt::Debug;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::Result;
use llmscope_core::analysis::{Measure, Selection, Series};
use llmscope_core::gate::{Decision, Gate, GateVerdict};
use llmscope_core::stats::Proportion;
use llmscope_core::{Metric, ingest};

/// The verdicts of the gates of one plan.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) gates: u64,
    pub(crate) failed: u64,
    pub(crate) passed: u64,
    without_data: u64,
}

impl Count {
    pub(crate) fn add(&mut self, gate: &Gate) {
        self.gates += 1;
        let all = |decision| gate.comparisons().all(|(_, comparison)| comparison.decision == decision);
        self.failed += u64::from(gate.verdict == GateVerdict::Fail);
        self.passed += u64::from(gate.verdict == GateVerdict::Pass);
        self.without_data += u64::from(all(Decision::NotEnoughData));
    }

    /// The share of failed gates with its 95 % Monte Carlo interval: `0.9 % [0.6, 1.4]`.
    pub(crate) fn rate(self) -> String {
        let (low, high) = self.interval(0.025);
        let no_data = self.without_data as f64 / self.gates as f64;
        match no_data {
            1.0 => "not enough data".to_owned(),
            _ => {
                let note =
                    if no_data >= 0.01 { format!("; {:.0} % not enough data", no_data * 100.0) } else { String::new() };
                let share = self.failed as f64 / self.gates as f64;
                format!("{:.2} % [{:.2}, {:.2}]{note}", share * 100.0, low * 100.0, high * 100.0)
            }
        }
    }

    /// Wilson's interval of the share of failed gates, each end exceeded with probability `level`.
    pub(crate) fn interval(self, level: f64) -> (f64, f64) {
        let share = self.failed as f64 / self.gates as f64;
        Proportion { share, size: self.gates as f64 }.wilson(level).unwrap_or((0.0, 1.0))
    }

    /// A share of the gates in percent.
    pub(crate) fn percent(self, count: u64) -> String {
        format!("{:.0} %", 100.0 * count as f64 / self.gates.max(1) as f64)
    }
}

/// Counts each cell on one of the available threads; the counts are in the order of the cells.
pub(crate) fn simulate<C: Debug + Sync, T: Send + Clone + Default>(
    cells: &[C],
    count: impl Fn(&C) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(vec![T::default(); cells.len()]);
    let work = || -> Result<()> {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(cell) = cells.get(index) else { return Ok(()) };
            let counted = count(cell)?;
            counts.lock().unwrap_or_else(PoisonError::into_inner)[index] = counted;
            eprintln!("cell {} of {} done: {cell:?}", index + 1, cells.len());
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("a thread panicked"))?)
    })?;
    Ok(counts.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// A series of some runs of latencies.
pub(crate) fn session(runs: &[Vec<f64>]) -> Result<Vec<Series>> {
    let mut logs = Vec::new();
    for (run, values) in runs.iter().enumerate() {
        let mut text = "ttft_s\n".to_owned();
        for value in values {
            writeln!(text, "{value}")?;
        }
        logs.push(ingest::read(&format!("run {run}"), text.as_bytes(), None)?);
    }
    let measures = vec![Measure::Metric(Metric::Ttft)];
    Ok(Selection { measures, by: Some(Selection::groups_of_runs()), ..Selection::default() }.series(&logs)?)
}
