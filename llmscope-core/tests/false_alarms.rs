//! The promise of the verdict, with fewer series than `make promises` simulates: how often it says that a process
//! changed that did not, how often it is withheld, and whether a clear change is found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use llmscope_core::analysis::answer::ALPHA;

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/cells.rs"]
mod cells;
#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/count.rs"]
mod count;
#[path = "../examples/false_alarms/random.rs"]
mod random;

use cells::{Cell, Change, Promise};
use count::{Count, Truth};

const SERIES: usize = 150;

/// The verdicts on these numbers of series of each cell without a change.
fn unchanged(cells: &[(Cell, usize)]) -> Vec<Count> {
    let next = AtomicUsize::new(0);
    let counts = Mutex::new(vec![Count::default(); cells.len()]);
    let work = || {
        while let Some((index, (cell, n))) = cells.iter().enumerate().nth(next.fetch_add(1, Ordering::Relaxed)) {
            let mut count = Count::default();
            for series in 0..SERIES {
                count.add(&cell.requests(*n, series).series().unwrap(), None).unwrap();
            }
            counts.lock().unwrap()[index] = count;
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(work);
        }
    });
    counts.into_inner().unwrap()
}

#[test]
fn at_most_the_promised_share_of_unchanged_series_is_called_changed() {
    let claimed = |(cell, _): &(Cell, usize)| cell.promise == Promise::Claimed;
    let cells: Vec<(Cell, usize)> = cells::unchanged().filter(claimed).collect();
    let mut shares = Vec::new();
    for ((cell, n), count) in cells.iter().zip(unchanged(&cells)) {
        let (lower, _) = count.alarms().interval();
        assert!(lower <= ALPHA, "{}, n {n}: {count:?}", cell.name);
        if count.judged() > 0 {
            shares.push(count.alarms().value());
        }
        if *n >= cell.judged_from {
            let (lower, _) = count.withheld_share().interval();
            assert!(lower <= 0.01, "{}, n {n}: {count:?}", cell.name);
        }
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    assert!(mean <= ALPHA, "the mean over {} cells is {mean}", shares.len());
}

#[test]
fn a_level_that_rises_by_half_is_found() {
    let cell = cells::named("logn0.5").unwrap();
    let mut count = Count::default();
    for series in 0..SERIES {
        let requests = cell.changed(300, series, ("×1.5", Change::Level(1.5)));
        count.add(&requests.series().unwrap(), Some(Truth { ratio: 1.5, at: 150 })).unwrap();
    }
    assert!(10 * count.worse >= 9 * count.series, "{count:?}");
}
