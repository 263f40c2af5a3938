//! Locust: a load generator for HTTP, which keeps histograms of response times and no requests.

mod histogram;
mod tables;

use super::runs::Runs;
use super::tool::{Format, Reading};
use crate::error::{Error, Location};
use crate::session::Notice;

pub(super) const STATS: Format = Format {
    name: "locust",
    title: "Locust statistics (…_stats.csv)",
    recognizes: |outline| outline.has_columns(&["Type", "Name", "Request Count", "Failure Count", "Requests/s"]),
    reading: Reading::Whole(tables::read_stats),
};

pub(super) const HISTORY: Format = Format {
    name: "locust-history",
    title: "Locust statistics over time (…_stats_history.csv)",
    recognizes: |outline| outline.has_columns(&["Timestamp", "User Count", "Type", "Name", "Total Request Count"]),
    reading: Reading::Whole(tables::read_history),
};

pub(super) const JSON: Format = Format {
    name: "locust-json",
    title: "Locust statistics (--json)",
    recognizes: |outline| outline.has_all(&["[].num_requests", "[].num_none_requests", "[].response_times"]),
    reading: Reading::Whole(histogram::read),
};

/// Its other CSV files, which are named here so that they are not taken for a table of measurements.
pub(super) const FAILURES: Format = Format {
    name: "locust-failures",
    title: "Locust failures or exceptions (no measurements)",
    recognizes: |outline| {
        outline.has_columns(&["Method", "Name", "Error", "Occurrences"])
            || outline.has_columns(&["Count", "Message", "Traceback", "Nodes"])
    },
    reading: Reading::Whole(|source, _| {
        Err(Error::Format {
            location: Location::of(source),
            problem: "a list of failures or exceptions of Locust: it has no response times".to_owned(),
            fix: "give the file that ends in _stats.csv or _stats_history.csv".to_owned(),
        })
    }),
};

/// The name of an entry: its method and name, or `Aggregated` for all of them.
fn run_name(method: &str, name: &str) -> String {
    format!("{method} {name}").trim().to_owned()
}

/// The name of an entry's response times. They are of failures too, which have no latency.
const fn times_name(failed: bool) -> &'static str {
    if failed { "response_s" } else { "e2e_s" }
}

/// What Locust's figures leave out.
fn tell(runs: &mut Runs, source: &str, any_failed: bool) {
    let rounded = "Locust rounds response times above 100 ms to two significant digits: its percentiles are no finer, and \
                   control charts of them show steps; mean, least and greatest are exact";
    let failed = "some requests failed, and Locust's response times include theirs: these are named response_s here, \
                  not e2e_s";
    for message in [Some(rounded), any_failed.then_some(failed)].into_iter().flatten() {
        runs.notices.push(Notice { location: Location::of(source), message: message.to_owned() });
    }
}
