//! How often the detector raises an alarm although nothing changed.

use llmscope_core::Result;

use super::cells::{self, CELLS, Cell, Promise};
use super::judge;
use super::parallel::in_parallel;

/// One false alarm in this number of values; the values that are judged in each series, and the series.
const PROMISES: [(f64, usize, usize); 3] = [(100.0, 1_000, 1_000), (1_000.0, 5_000, 1_000), (100_000.0, 500_000, 40)];
/// The rarest promise takes 10 million values for one series, so that two processes have to do.
const RAREST: (f64, usize, usize) = (4_000_000.0, 10_000_000, 16);
const OF_RAREST: [&str; 2] = ["logn0.5", "ar0.6"];
/// The values that are learned.
const LEARNED: [usize; 4] = [30, 50, 100, 500];
/// One standard normal deviate in 1,000 is larger.
const MONTE_CARLO: f64 = 3.09;

/// The alarms on the series of one process.
pub(crate) struct Rate {
    pub(crate) cell: Cell,
    /// One false alarm in this number of values is promised.
    pub(crate) promise: f64,
    pub(crate) learn: usize,
    /// Alarms for each promised one, on average over the series, and its standard error.
    pub(crate) realized: f64,
    pub(crate) error: f64,
    /// The share of the values after the learned ones that were not judged.
    pub(crate) withheld: f64,
    /// The share of the series with an alarm in the first tenth of the promised run length.
    pub(crate) early: f64,
}

impl Rate {
    /// The lower bound of the realized rate, at 99.9 %.
    pub(crate) fn lower(&self) -> f64 {
        (self.realized - MONTE_CARLO * self.error).max(0.0)
    }

    /// The upper bound.
    pub(crate) fn upper(&self) -> f64 {
        self.realized + MONTE_CARLO * self.error
    }
}

/// The rates of all processes without failures, for `share` of the series.
pub(crate) fn simulated(share: f64) -> Result<Vec<Rate>> {
    let judged = |cell: &&Cell| !cell.name.contains("failure");
    let mut rates = Vec::new();
    for cell in CELLS.iter().filter(judged) {
        for (promise, values, series) in PROMISES {
            for learn in LEARNED {
                // Where nothing is promised, the usual promise shows what happens.
                if cell.promise == Promise::Claimed || promise == 1_000.0 {
                    rates.push(of(*cell, promise, learn, values, scaled(series, share))?);
                }
            }
        }
    }
    for cell in OF_RAREST.iter().filter_map(|name| cells::named(name)) {
        let (promise, values, series) = RAREST;
        rates.push(of(cell, promise, 500, values, scaled(series, share))?);
    }
    Ok(rates)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number")]
pub(crate) fn scaled(series: usize, share: f64) -> usize {
    (series as f64 * share).ceil().max(2.0) as usize
}

fn of(cell: Cell, promise: f64, learn: usize, values: usize, series: usize) -> Result<Rate> {
    let judged = in_parallel(series, |index| judge(&cell.requests(learn + values, index), promise, learn, None))?;
    let rates: Vec<f64> = judged
        .iter()
        .filter(|series| series.values > 0)
        .map(|series| series.alarms.len() as f64 * promise / series.values as f64)
        .collect();
    let n = rates.len().max(1) as f64;
    let realized = rates.iter().sum::<f64>() / n;
    let variance = rates.iter().map(|rate| (rate - realized).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
    let early = judged.iter().filter(|series| {
        let since = series.alarms.first().zip(series.first).map(|(alarm, first)| alarm.at as f64 - first as f64);
        since.is_some_and(|since| since < promise / 10.0)
    });
    let judged_values: usize = judged.iter().map(|series| series.values).sum();
    let rate = Rate {
        cell,
        promise,
        learn,
        realized,
        error: (variance / n).sqrt(),
        withheld: 1.0 - judged_values as f64 / (values * series) as f64,
        early: early.count() as f64 / series as f64,
    };
    eprintln!("{}, 1/{promise}, {learn} learned: {realized:.2}", cell.name);
    Ok(rate)
}
