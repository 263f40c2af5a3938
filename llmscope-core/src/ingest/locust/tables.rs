//! `--csv`: one row per entry of the statistics; with `--csv-full-history`, one row per entry and second.

use jiff::Timestamp;

use super::{run_name, times_name, warn};
use crate::error::{Error, Result, excerpt};
use crate::ingest::rows::{self, Row};
use crate::ingest::runs::{Runs, of_ms};
use crate::ingest::tool::Parsed;
use crate::session::Warning;

pub(super) fn read_stats(source: &str, text: &str) -> Result<Parsed> {
    let (mut runs, mut any_failed) = (Runs::default(), false);
    let warnings = rows::read(source, text, "give the statistics of a run that sent requests", |row| {
        let (requests, failed) = (row.number("Request Count")?, row.number("Failure Count")?);
        any_failed |= is_some(failed);
        runs.begin(row.location.line.unwrap_or(1));
        runs.text("run", Some(&entry(row)));
        runs.number("requests", requests);
        runs.number("failed", failed);
        runs.number("requests_per_s", row.number("Requests/s")?);
        runs.number("failures_per_s", row.number("Failures/s")?);
        // Without requests, Locust writes zeros for all statistics.
        if is_some(requests) {
            put_times(&mut runs, times_name(is_some(failed)), row, "")?;
            put_percentiles(&mut runs, times_name(is_some(failed)), row)?;
            runs.number("response_bytes.mean", row.number("Average Content Size")?);
        }
        Ok(())
    })?;
    runs.warnings = warnings;
    warn(&mut runs, source, any_failed);
    Ok(Parsed::Runs(runs))
}

pub(super) fn read_history(source: &str, text: &str) -> Result<Parsed> {
    let mut runs = Runs::default();
    let warnings = rows::read(source, text, "give the history of a run that sent requests", |row| {
        runs.begin(row.location.line.unwrap_or(1));
        runs.text("run", Some(&entry(row)));
        runs.started_at(Some(moment(row)?));
        runs.number("users", row.number("User Count")?);
        runs.number("requests_per_s", row.number("Requests/s")?);
        runs.number("failures_per_s", row.number("Failures/s")?);
        // Without requests in the window, Locust writes zeros too.
        if percent(row, "100%")?.is_some_and(|greatest| greatest > 0.0) {
            put_percentiles(&mut runs, "window_response_s", row)?;
        }
        let total = row.number("Total Request Count")?;
        runs.number("total_requests", total);
        runs.number("total_failed", row.number("Total Failure Count")?);
        if is_some(total) {
            put_times(&mut runs, "total_response_s", row, "Total ")?;
            runs.number("total_response_s.p50", row.number("Total Median Response Time")?.map(of_ms));
        }
        Ok(())
    })?;
    runs.warnings = warnings;
    warn(&mut runs, source, false);
    runs.warnings.push(Warning {
        location: crate::error::Location::of(source),
        message: "each percentile covers the last seconds (Locust's window is 10 s by default), including failures: \
                  consecutive rows share most of their requests and are not independent"
            .to_owned(),
    });
    // Rows are seconds of a run, not runs.
    runs.table.of_runs = false;
    Ok(Parsed::Table(runs.table, runs.warnings))
}

fn is_some(count: Option<f64>) -> bool {
    count.is_some_and(|count| count > 0.0)
}

fn entry(row: &Row<'_>) -> String {
    run_name(row.text("Type").unwrap_or_default(), row.text("Name").unwrap_or_default())
}

fn moment(row: &Row<'_>) -> Result<Timestamp> {
    let text = row.text("Timestamp").unwrap_or_default();
    let moment = text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok());
    moment.ok_or_else(|| Error::Format {
        location: row.location.clone().field("Timestamp"),
        problem: format!("\"{}\" is not a time in seconds since 1970", excerpt(text)),
        fix: "give the file as Locust wrote it".to_owned(),
    })
}

fn put_times(runs: &mut Runs, name: &str, row: &Row<'_>, prefix: &str) -> Result<()> {
    for (theirs, ours) in [("Average", "mean"), ("Min", "min"), ("Max", "max")] {
        let milliseconds = row.number(&format!("{prefix}{theirs} Response Time"))?;
        runs.number(&format!("{name}.{ours}"), milliseconds.map(of_ms));
    }
    Ok(())
}

/// The columns `50%` … `99.99%`; `100%` is the rounded maximum.
fn put_percentiles(runs: &mut Runs, name: &str, row: &Row<'_>) -> Result<()> {
    for (column, _) in row.fields().filter(|(column, _)| column.ends_with('%') && *column != "100%") {
        let rank = column.trim_end_matches('%');
        runs.number(&format!("{name}.p{rank}"), percent(row, column)?.map(of_ms));
    }
    Ok(())
}

fn percent(row: &Row<'_>, column: &str) -> Result<Option<f64>> {
    if row.text(column) == Some("N/A") { Ok(None) } else { row.number(column) }
}
