//! How many values pass between a change and its alarm.

use llmscope_core::Result;

use super::cells::{self, Cell, Change};
use super::judge;
use super::parallel::in_parallel;
use super::rates::scaled;

/// The values before the change, the first of which are learned, and after it.
pub(crate) const BEFORE: usize = 600;
pub(crate) const LEARNED: usize = 500;
pub(crate) const AFTER: usize = 20_000;
const SERIES: usize = 200;
/// The promises: one false alarm in this number of values.
pub(crate) const PROMISES: [f64; 3] = [1_000.0, 100_000.0, 4_000_000.0];
const CELLS: [&str; 4] = ["logn0.5", "mix", "tokens", "ar0.6"];
const CHANGES: [(&str, Change); 6] = [
    ("×1.1", Change::Level(1.1)),
    ("×1.2", Change::Level(1.2)),
    ("×1.5", Change::Level(1.5)),
    ("×2", Change::Level(2.0)),
    ("spread ×1.5", Change::Spread(1.5)),
    ("drift", Change::Drift(0.001)),
];

/// The delays on series of one process, with one change and one promise.
pub(crate) struct Delay {
    pub(crate) cell: Cell,
    pub(crate) change: &'static str,
    /// Series without a false alarm before the change.
    pub(crate) usable: usize,
    /// Values until the alarm, in ascending order; those without one are missing.
    pub(crate) delays: Vec<u64>,
    /// Alarms with an interval of the size, and those whose interval holds the true size.
    pub(crate) sized: usize,
    pub(crate) held: usize,
}

impl Delay {
    /// The median; `None` if half of the changes or more are not found.
    pub(crate) fn median(&self) -> Option<u64> {
        self.delays.get(self.usable / 2).copied()
    }

    /// The share of the changes that are not found.
    pub(crate) fn missed(&self) -> f64 {
        1.0 - self.delays.len() as f64 / self.usable.max(1) as f64
    }
}

/// The delays of all processes, for `share` of the series.
pub(crate) fn simulated(share: f64) -> Result<Vec<Delay>> {
    let mut delays = Vec::new();
    for cell in CELLS.iter().filter_map(|name| cells::named(name)) {
        for change in CHANGES {
            for promise in PROMISES {
                delays.push(of(cell, change, promise, scaled(SERIES, share))?);
            }
        }
    }
    Ok(delays)
}

fn of(cell: Cell, change: (&'static str, Change), promise: f64, series: usize) -> Result<Delay> {
    let judged = in_parallel(series, |index| {
        judge(&cell.changed_at(BEFORE, BEFORE + AFTER, index, change), promise, LEARNED, Some(BEFORE))
    })?;
    let is_usable = |alarms: &[_]| alarms.first().is_none_or(|first: &super::Alarm| first.at >= BEFORE as u64);
    let usable: Vec<_> = judged.iter().filter(|series| is_usable(&series.alarms)).collect();
    let found: Vec<_> = usable.iter().filter_map(|series| series.alarms.first()).collect();
    let mut delays: Vec<u64> = found.iter().map(|alarm| alarm.at + 1 - BEFORE as u64).collect();
    delays.sort_unstable();
    let intervals: Vec<_> = match change.1 {
        Change::Level(ratio) => found.iter().filter_map(|alarm| alarm.interval.map(|it| (it, ratio))).collect(),
        _ => Vec::new(),
    };
    let holds = |((lower, upper), ratio): &((f64, f64), f64)| (*lower..=*upper).contains(ratio);
    eprintln!("{}, {}, 1/{promise}: {} of {} found", cell.name, change.0, found.len(), usable.len());
    Ok(Delay {
        cell,
        change: change.0,
        usable: usable.len(),
        delays,
        sized: intervals.len(),
        held: intervals.iter().filter(|it| holds(it)).count(),
    })
}
