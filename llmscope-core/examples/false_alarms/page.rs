//! The page `docs/false-alarms.md`.

use llmscope_core::analysis::answer::ALPHA;

use super::Task;
use super::cells::{CELLS, CELLS_OF_RUNS, Change, Promise};
use super::count::Count;
use super::table::{self, percent};

/// The share of the found changes whose intervals hold the truth.
const COVERAGE: f64 = 0.93;

type Result = (Task, Count);

/// The whole page.
pub(crate) fn written(results: &[Result], series: usize) -> String {
    let unchanged: Vec<Result> = results.iter().filter(|(task, _)| task.change.is_none()).copied().collect();
    let is_claimed = |(task, _): &Result| task.cell.promise == Promise::Claimed;
    let (claimed, others): (Vec<Result>, Vec<Result>) = unchanged.into_iter().partition(is_claimed);
    let changed: Vec<Result> = results.iter().filter(|(task, _)| task.change.is_some()).copied().collect();
    let of_levels = |(task, _): &&Result| matches!(task.change, Some((_, Change::Level(ratio))) if ratio > 1.2);
    let levels: Vec<Result> = changed.iter().filter(of_levels).copied().collect();
    [
        promise(series),
        format!(
            "## Processes for which the promise is claimed\n{}\n\n{}",
            kept(&claimed),
            table::false_alarms(&claimed)
        ),
        format!("## Processes for which it is not claimed\n{}\n\n{}", limits(), table::false_alarms(&others)),
        format!("## How often a change is found\n{}\n\n{}", POWER, table::power(&changed)),
        format!("## Size and place of a change\n{}\n\n{}", covered(&levels), table::coverage(&levels)),
        format!("## The processes\n{}", processes()),
        RERUN.to_owned(),
    ]
    .join("\n")
}

fn promise(series: usize) -> String {
    let alpha = 100.0 * ALPHA;
    format!(
        "# False alarms

`make promises` writes this page. Do not edit it by hand.

## The promise
`analyze` gives each series a verdict. If nothing changed in any series, at most {alpha} % of the calls say `changed` \
or `failing`. `--alpha` sets this share, and all series of a call share it. A series without enough data has no \
verdict, and the tables count it as withheld.

## How it is tested
Each cell is a process whose distribution never changes, and a number of requests n. A simulation draws {series} \
series of each cell, and judges each of them alone with the default settings.

- **Changed or failing** is the share of the judged series, in percent, with the exact 99.9 % interval of Clopper \
and Pearson (1934).
- **Withheld** is the share of all series that have no verdict.
- **Eight rules signal** is the share of all series on whose chart Nelson's rules signal. They describe a chart and \
do not decide.

The promise is kept if two conditions hold. No interval is entirely above {alpha} %, and the mean over the claimed \
cells is at most {alpha} %.
"
    )
}

/// Whether the promise is kept in the cells for which it is claimed.
fn kept(claimed: &[Result]) -> String {
    let judged: Vec<&Result> = claimed.iter().filter(|(_, count)| count.judged() > 0).collect();
    let mean = judged.iter().map(|(_, count)| count.alarms().value()).sum::<f64>() / judged.len().max(1) as f64;
    let is_above = |(_, count): &&Result| count.alarms().interval().0 > ALPHA;
    let above: Vec<&Result> = claimed.iter().filter(is_above).collect();
    let verdict = if above.is_empty() {
        format!("No interval of the {} cells is entirely above the promise.", claimed.len())
    } else {
        format!("In {} of the {} cells the interval is entirely above the promise.", above.len(), claimed.len())
    };
    let explained = |(task, count): &&Result| {
        let share = percent(count.alarms().value());
        format!("- **{}, n {}** ({share} %): {}\n", task.cell.name, task.n, task.cell.explanation)
    };
    let explanations: String = above.iter().map(explained).collect();
    let late: Vec<String> = claimed
        .iter()
        .filter(|(task, count)| task.n >= task.cell.judged_from && count.withheld_share().value() > 0.01)
        .map(|(task, count)| {
            format!("{}, n {} ({} %)", task.cell.name, task.n, percent(count.withheld_share().value()))
        })
        .collect();
    let withheld = if late.is_empty() {
        "At most 1 % of the verdicts are withheld from n 50 on. Autocorrelated series need n 100 (ρ 0.3), 200 (ρ 0.6) \
         or 1000 (ρ 0.9). With 25 % failures, n 100 is needed, because failed requests have no latency."
            .to_owned()
    } else {
        format!("More verdicts than intended are withheld in these cells: {}.", late.join("; "))
    };
    format!("{verdict} The mean over the cells is {} %.\n\n{explanations}\n{withheld}", percent(mean))
}

/// Why the promise is not claimed for some processes.
fn limits() -> String {
    let reason = |cell: &super::Cell| match cell.promise {
        Promise::Claimed => None,
        Promise::NotClaimed(reason) => Some(format!("- **{}**: {reason}", cell.name)),
    };
    CELLS.iter().filter_map(reason).collect::<Vec<_>>().join("\n")
}

const POWER: &str = "\
Each series has 300 requests, and the change is in the middle. A level changes by a factor. With a drift, each latency \
after the middle is 0.1 % of the level longer than the previous one, up to 15 %. The spread is that of the logarithms.

- **Found** is the share of all series that are called changed or failing, in percent.
- **For the worse** is the share that is also called slower, more irregular, or less reliable.";

/// Whether the intervals cover the truth.
fn covered(levels: &[Result]) -> String {
    let promised = 100.0 * COVERAGE;
    let (found, size, place) = levels.iter().fold((0, 0, 0), |(found, size, place), (_, count)| {
        (found + count.level, size + count.size_held, place + count.place_held)
    });
    let share = |hits: usize| percent(hits as f64 / found.max(1) as f64);
    format!(
        "This table counts the changes of the level that were found. It shows how often the interval of the size \
         holds the true factor, and the interval of the place the true place. At least {promised} % are intended. \
         Over all rows, {} % of the sizes and {} % of \
         the places are held.

A change that is near the limit of detection is found only where it looks larger than it is. The rows with few finds \
show this.",
        share(size),
        share(place)
    )
}

fn processes() -> String {
    let mut table = "| process | requests |\n| --- | --- |\n".to_owned();
    for cell in CELLS.iter().chain(&CELLS_OF_RUNS) {
        table += &format!("| {} | {} |\n", cell.name, cell.about);
    }
    table
}

const RERUN: &str = "\
## Run it again
`make promises` takes some minutes. The seed of each series is fixed, so the page does not depend on the machine or on \
the number of cores. For more or fewer series, give their number:

```sh
cargo run --release -p llmscope-core --example false_alarms -- docs/false-alarms.md --series 10000
```

`llmscope-core/tests/false_alarms.rs` tests the same cells with fewer series.
";
