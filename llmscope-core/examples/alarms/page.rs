//! The page `docs/alarms.md`.

use super::cells::{CELLS, Promise};
use super::delays::{AFTER, BEFORE, Delay, LEARNED, PROMISES};
use super::failures::{Failures, OUTAGE_PROMISES};
use super::fleet::{DAYS, ENDPOINTS, EVERY_S, Fleet, SLOWER};
use super::rates::Rate;

/// The whole page.
pub(crate) fn written(rates: &[Rate], delays: &[Delay], failures: &Failures, fleet: &Fleet) -> String {
    let (claimed, others): (Vec<&Rate>, Vec<&Rate>) =
        rates.iter().partition(|rate| rate.cell.promise == Promise::Claimed);
    [
        PROMISE.to_owned(),
        format!("## Processes for which the promise is claimed\n{}\n\n{}", kept(&claimed), table(&claimed)),
        format!("## Processes for which it is not claimed\n{}\n\n{}", limits(), table(&others)),
        format!("## How soon a change is found\n{}\n\n{}", delay_words(), delay_table(delays)),
        format!("## The size of a change\n{}\n", sizes(delays)),
        format!(
            "## Failed requests\n{FAILURES}\n\n{}\n{OUTAGES}\n\n{}",
            failure_table(failures),
            outage_table(failures)
        ),
        format!("## A service with many endpoints\n{}", of_fleet(fleet)),
        RERUN.to_owned(),
    ]
    .join("\n")
}

const PROMISE: &str = "\
# Alarms

`make promises` writes this page. Do not edit it by hand.

`llmscope_core::detector` (Python: `Detector`) judges values that never end, at a stated rate of false alarms. The rate \
`1/1000` means: if nothing changes, 1,000 values pass between two alarms, on average. [`monitor`](monitor.md) and \
[`serve`](serve.md#alarms) use it by default.

## What is promised, and what is not
- The rate is one of **averages**: over the series, and over what they learned first. One series can have more alarms.
- It holds for any distribution of the latencies, and for values that depend on their neighbors. It holds from the \
first judged value on.
- It needs values that carry the information of 25 independent ones. Until then the detector says that it learns.
- It does not hold for a level that moves by itself, or for a hidden state that persists. The second table shows how \
much more often such series raise an alarm.
- Failed requests have [a detector of their own](#failed-requests). Single slow requests are not judged.

## How it is tested
Each cell is a process whose distribution never changes ([false-alarms.md](false-alarms.md) describes them), a promise, \
and a number of values that are learned first.

- **Alarms** are those for each promised one: 1.00 is the promise. The bounds are those of 99.9 %.
- **Withheld** is the share of the later values that were not judged, because too little was known.
- **In the first tenth** is the share of the series with an alarm in the first tenth of the promised run length. At \
most 10 % are intended.

The promise is kept if no lower bound is above 1, and if the mean over the cells is at most 1.
";

/// Whether the promise is kept in the cells for which it is claimed.
fn kept(claimed: &[&Rate]) -> String {
    let mean = claimed.iter().map(|rate| rate.realized).sum::<f64>() / claimed.len().max(1) as f64;
    let above: Vec<String> = claimed.iter().filter(|rate| rate.lower() > 1.0).map(|rate| named(rate)).collect();
    let verdict = if above.is_empty() {
        format!("No lower bound of the {} cells is above the promise.", claimed.len())
    } else {
        format!("Above the promise are {} of {} cells: {}.", above.len(), claimed.len(), above.join("; "))
    };
    let rare = claimed.iter().filter(|rate| rate.promise > 1_000.0).map(|rate| rate.early);
    let early = percent(rare.fold(0.0, f64::max));
    format!(
        "{verdict} The mean over the cells is {mean:.2}. With rare promises, up to {early} of the series have an alarm \
         in the first tenth: their first values are compared with few others."
    )
}

fn named(rate: &Rate) -> String {
    format!("{}, 1/{}, {} learned", rate.cell.name, rate.promise, rate.learn)
}

/// Why the promise is not claimed for some processes.
fn limits() -> String {
    let reason = |cell: &super::cells::Cell| match cell.promise {
        Promise::NotClaimed(reason) if !cell.name.contains("failure") => Some(format!("- **{}**: {reason}", cell.name)),
        _ => None,
    };
    CELLS.iter().filter_map(reason).collect::<Vec<_>>().join("\n")
}

fn table(rates: &[&Rate]) -> String {
    let mut table = "| process | promise | learned | alarms | withheld | in the first tenth |\n".to_owned();
    table += "| --- | --- | ---: | ---: | ---: | ---: |\n";
    for rate in rates {
        table += &format!(
            "| {} | 1/{} | {} | {:.2} ({:.2} to {:.2}) | {} | {} |\n",
            rate.cell.name,
            rate.promise,
            rate.learn,
            rate.realized,
            rate.lower(),
            rate.upper(),
            percent(rate.withheld),
            percent(rate.early)
        );
    }
    table
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn delay_words() -> String {
    format!(
        "The server changes after {BEFORE} values, {LEARNED} of which were learned first. The table gives the median \
         number of values until the alarm. In parentheses is the share of the changes that are not found within {AFTER} \
         values, if it is above 1 %. Series with a false alarm before the change do not count.

A detector learns on while the evidence is small. A change that is too small for what is known becomes normal before it \
is found. `smallest_visible` says how small that is."
    )
}

fn delay_table(delays: &[Delay]) -> String {
    let mut table = "| process | change |".to_owned();
    table += &PROMISES.map(|promise| format!(" 1/{promise} |")).concat();
    table += "\n| --- | --- | ---: | ---: | ---: |\n";
    for row in delays.chunks(PROMISES.len()) {
        table += &format!("| {} | {} |", row[0].cell.name, row[0].change);
        for delay in row {
            let median = delay.median().map_or("–".to_owned(), |median| median.to_string());
            let missed =
                if delay.missed() > 0.01 { format!(" ({:.0} %)", 100.0 * delay.missed()) } else { String::new() };
            table += &format!(" {median}{missed} |");
        }
        table += "\n";
    }
    table
}

/// The coverage of the intervals of the size.
fn sizes(delays: &[Delay]) -> String {
    let (sized, held) = delays.iter().fold((0, 0), |(sized, held), delay| (sized + delay.sized, held + delay.held));
    let share = percent(held as f64 / sized.max(1) as f64);
    format!(
        "An alarm gives the size of the change with an interval. It is a 99.9 % interval of Mann and Whitney's test, \
         because the beginning of the change is chosen after the fact. Of {sized} alarms with an interval in the table \
         above, {share} hold the true factor.

The estimate itself is too large where a change is small: only series \
         in which it looks large raise an alarm soon."
    )
}

const FAILURES: &str = "\
`FailureDetector` judges requests by whether they failed. It learns 1,000 requests first. Alarms are those for each \
promised one, as above. What fails during an incident is not learned, so that a second outage raises an alarm, too.

Where failures come in bursts, that breaks rare promises: each long burst is an outage. `relearn` takes bursts of up \
to 50 failures as usual from then on.";

fn failure_table(failures: &Failures) -> String {
    let mut table =
        "| failed requests | promise | alarms | after `relearn` |\n| --- | --- | ---: | ---: |\n".to_owned();
    for row in &failures.rows {
        let (realized, relearned) = (row.realized, row.relearned);
        table += &format!("| {} | 1/{} | {realized:.2} | {relearned:.2} |\n", row.process, row.promise);
    }
    table
}

const OUTAGES: &str = "\
The next table gives the failures in a row until an alarm, after 1,500 requests: the median, and the 90 % quantile if \
it is larger.";

fn outage_table(failures: &Failures) -> String {
    let mut table = "| failed before |".to_owned();
    table += &OUTAGE_PROMISES.map(|promise| format!(" 1/{promise} |")).concat();
    table += "\n| --- | ---: | ---: | ---: |\n";
    for (share, needed) in &failures.outages {
        table += &format!("| {} % |", 100.0 * share);
        for (median, most) in needed {
            let most = if most > median { format!(" ({most})") } else { String::new() };
            table += &format!(" {median}{most} |");
        }
        table += "\n";
    }
    table
}

fn of_fleet(fleet: &Fleet) -> String {
    let percent = 100.0 * (SLOWER - 1.0);
    let mut text = format!(
        "`1/week` is for a whole service. Each of {ENDPOINTS} endpoints has a request every {EVERY_S} s for {DAYS} days, and \
         nothing changes; all processes for which the promise is claimed are among them. In {:.0} weeks of {} such services, \
         {} incidents opened. Metrics share one half of the promise, and their shares are rounded to rarer alarms.\n\n\
         One endpoint becomes slower by {percent:.0} % after a day. A dash is a change that was not found in the rest of the \
         {DAYS} days: it became normal before.\n\n\
         | process | requests until the incident | minutes |\n| --- | ---: | ---: |\n",
        fleet.weeks(),
        fleet.fleets,
        fleet.incidents
    );
    for (name, requests) in &fleet.found {
        let (count, minutes) = requests.map_or(("–".to_owned(), "–".to_owned()), |requests| {
            let minutes = requests as f64 * f64::from(EVERY_S) / 60.0;
            (requests.to_string(), format!("{minutes:.0}"))
        });
        text += &format!("| {name} | {count} | {minutes} |\n");
    }
    text
}

const RERUN: &str = "\
## Run it again
`make promises` takes some minutes. The seed of each series is fixed. For a tenth of the series:

```sh
cargo run --release -p llmscope-core --example alarms -- docs/alarms.md --share 0.1
```

`llmscope-core/tests/detector.rs` tests six of these processes with fewer series.
";
