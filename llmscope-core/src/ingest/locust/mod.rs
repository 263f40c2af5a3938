//! Locust: a load generator for HTTP. Files: statistics (`…_stats.csv`), their history (`…_stats_history.csv`) and JSON
//! (`--json`).
//!
//! Traps: Locust keeps histograms of response times and no requests. Times above 100 ms are rounded to two significant
//! digits. Response times include those of failed requests. Percentiles of the history cover a sliding window.

mod histogram;
mod tables;

use super::runs::Runs;
use super::tool::{Format, Reading};
use crate::error::{Error, Location};
use crate::session::Warning;

pub(super) const STATS: Format = Format {
    name: "locust",
    title: "Locust statistics (…_stats.csv)",
    recognizes: |signature| signature.has_columns(&["Type", "Name", "Request Count", "Failure Count", "Requests/s"]),
    reading: Reading::Whole(tables::read_stats),
};

pub(super) const HISTORY: Format = Format {
    name: "locust-history",
    title: "Locust statistics over time (…_stats_history.csv)",
    recognizes: |signature| signature.has_columns(&["Timestamp", "User Count", "Type", "Name", "Total Request Count"]),
    reading: Reading::Whole(tables::read_history),
};

pub(super) const JSON: Format = Format {
    name: "locust-json",
    title: "Locust statistics (--json)",
    recognizes: |signature| signature.has_all(&["[].num_requests", "[].num_none_requests", "[].response_times"]),
    reading: Reading::Whole(histogram::read),
};

/// Its other CSV files. They are listed here so that they are not read as a table of measurements.
pub(super) const FAILURES: Format = Format {
    name: "locust-failures",
    title: "Locust failures or exceptions (no measurements)",
    recognizes: |signature| {
        signature.has_columns(&["Method", "Name", "Error", "Occurrences"])
            || signature.has_columns(&["Count", "Message", "Traceback", "Nodes"])
    },
    reading: Reading::Whole(|source, _| {
        Err(Error::Format {
            location: Location::of(source),
            problem: "a list of Locust's failures or exceptions, which has no response times".to_owned(),
            fix: "give the file whose name ends in _stats.csv or _stats_history.csv".to_owned(),
        })
    }),
};

/// The name of an entry: its method and name, or `Aggregated` for all of them.
fn run_name(method: &str, name: &str) -> String {
    format!("{method} {name}").trim().to_owned()
}

/// The name of an entry's response times. If requests failed, the times include theirs and are not latencies.
const fn times_name(failed: bool) -> &'static str {
    if failed { "response_s" } else { "e2e_s" }
}

/// Warns about the limits of Locust's figures.
fn warn(runs: &mut Runs, source: &str, any_failed: bool) {
    let rounded = "Locust rounds response times above 100 ms to two significant digits: percentiles have that \
                   resolution, and control charts of them show steps; mean, minimum and maximum are exact";
    let failed = "some requests failed, and Locust's response times include them: they are named response_s here, not \
                  e2e_s";
    for message in [Some(rounded), any_failed.then_some(failed)].into_iter().flatten() {
        runs.warnings.push(Warning { location: Location::of(source), message: message.to_owned() });
    }
}
