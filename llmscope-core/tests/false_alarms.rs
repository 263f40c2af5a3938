//! The promise of the verdict, with fewer series than `make promises` simulates: how often it says that a process
//! changed that did not, how often it is withheld, and whether a clear change is found.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use llmscope_core::analysis::answer::ALPHA;

#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/cells.rs"]
mod cells;
#[allow(dead_code, reason = "the example uses the rest")]
#[path = "../examples/false_alarms/count.rs"]
mod count;
#[path = "../examples/false_alarms/parallel.rs"]
mod parallel;
#[path = "../examples/false_alarms/random.rs"]
mod random;

use cells::{Cell, Change, Promise};
use count::{Count, Truth};

const SERIES: usize = 150;

/// The verdicts on these numbers of series of each cell without a change.
fn unchanged(cells: &[(Cell, usize)]) -> Vec<Count> {
    let of_cell = |index: usize| {
        let (cell, n) = cells[index];
        let mut count = Count::default();
        (0..SERIES).try_for_each(|series| count.add(&cell.requests(n, series).series()?, None)).map(|()| count)
    };
    parallel::in_parallel(cells.len(), of_cell).unwrap()
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
