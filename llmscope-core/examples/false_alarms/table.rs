//! The tables of the page.

use super::Task;
use super::count::{Count, Share};

/// A share in percent with one or two digits.
pub(crate) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    if percent == 0.0 {
        "0".to_owned()
    } else if percent >= 99.95 {
        "100".to_owned()
    } else if percent >= 10.0 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.2}")
    }
}

/// `0.45 (0.10 to 1.25)`.
fn with_interval(share: Share) -> String {
    if share.of == 0 {
        return "–".to_owned();
    }
    let (low, high) = share.interval();
    format!("{} ({} to {})", percent(share.value()), percent(low), percent(high))
}

/// The rates without a change.
pub(crate) fn false_alarms(results: &[(Task, Count)]) -> String {
    let mut table = "| process | n | changed or failing | withheld | eight rules signal |\n".to_owned();
    table += "| --- | ---: | ---: | ---: | ---: |\n";
    for (task, count) in results {
        let withheld = percent(count.withheld_share().value());
        let rules = percent(Share::of(count.signals, count.series).value());
        let alarms = with_interval(count.alarms());
        table += &format!("| {} | {} | {alarms} | {withheld} | {rules} |\n", task.cell.name, task.n);
    }
    table
}

/// The rates with a change.
pub(crate) fn power(results: &[(Task, Count)]) -> String {
    let mut table = "| process | change | found | for the worse | withheld |\n".to_owned();
    table += "| --- | --- | ---: | ---: | ---: |\n";
    for (task, count) in results {
        let Some((change, _)) = task.change else { continue };
        let share = |hits| percent(Share::of(hits, count.series).value());
        let found = share(count.changed + count.failing);
        table += &format!(
            "| {} | {change} | {found} | {} | {} |\n",
            task.cell.name,
            share(count.worse),
            share(count.withheld)
        );
    }
    table
}

/// The coverage of the intervals.
pub(crate) fn coverage(results: &[(Task, Count)]) -> String {
    let mut table = "| process | change | found | size held | place held |\n".to_owned();
    table += "| --- | --- | ---: | ---: | ---: |\n";
    for (task, count) in results {
        let Some((change, _)) = task.change else { continue };
        let held = |hits| with_interval(Share::of(hits, count.level));
        table += &format!(
            "| {} | {change} | {} | {} | {} |\n",
            task.cell.name,
            count.level,
            held(count.size_held),
            held(count.place_held)
        );
    }
    table
}
