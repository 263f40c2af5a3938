//! The CSV report: one row per benchmark under three header lines: metric, status with unit, and statistic.

use csv::{ReaderBuilder, StringRecord};
use serde_json::Value;

use super::{LOADS, REPORTED};
use crate::error::{Error, Location, Result};
use crate::ingest::delimited::line_of;
use crate::ingest::runs::Runs;
use crate::ingest::tool::Parsed;

/// The percentiles that a percentile cell lists.
const PERCENTILES: [&str; 11] = ["min", "p0.1", "p1", "p5", "p10", "p25", "p75", "p90", "p95", "p99", "max"];

/// The three header lines.
struct Header([StringRecord; 3]);

/// The row of a benchmark.
struct Row<'r> {
    header: &'r Header,
    cells: &'r StringRecord,
}

pub(super) fn read(source: &str, text: &str) -> Result<Parsed> {
    // Quotation marks come in pairs: an odd one was opened and not closed, which the parser would accept.
    if text.bytes().filter(|&byte| byte == b'"').count() % 2 == 1 {
        return Err(Error::Format {
            location: Location::of(source),
            problem: "the last quoted cell has no end".to_owned(),
            fix: "the file is truncated: copy it again".to_owned(),
        });
    }
    let mut reader = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut rows = Vec::new();
    for row in reader.records() {
        rows.push(row.map_err(|error| Error::of_csv(source, &error))?);
    }
    let Some((header, benchmarks)) = rows.split_first_chunk::<3>().filter(|(_, benchmarks)| !benchmarks.is_empty())
    else {
        return Err(Error::Format {
            location: Location::of(source),
            problem: "no benchmark below the three header lines".to_owned(),
            fix: "give the report of a finished run".to_owned(),
        });
    };
    let header = Header(header.clone());
    let mut runs = Runs::default();
    for cells in benchmarks {
        Row { header: &header, cells }
            .put(&mut runs, &Location::of(source).line(line_of(text, cells.position(), false)))?;
    }
    Ok(Parsed::Runs(runs))
}

impl Row<'_> {
    fn put(&self, runs: &mut Runs, location: &Location) -> Result<()> {
        runs.begin(location.line.unwrap_or(0));
        let strategy = self.text("Benchmark", "Strategy", "");
        runs.text("run", strategy);
        let backend = self.text("Run Info", "Backend", "").and_then(|json| serde_json::from_str::<Value>(json).ok());
        runs.text("model", backend.as_ref().and_then(|backend| backend.get("model")?.as_str()));
        // A local time without an offset does not identify an instant.
        runs.text("start_time_local", self.text("Timings", "Start Time", ""));
        let (kind, load) = strategy.and_then(|strategy| strategy.split_once('@')).unwrap_or_default();
        let load = load.parse().ok();
        runs.number("concurrency", load.filter(|_| ["concurrent", "throughput"].contains(&kind)));
        runs.number("request_rate_per_s", load.filter(|_| ["constant", "poisson"].contains(&kind)));
        runs.number("requests", self.number("Request Counts", "Total", ""));
        runs.number("failed", self.number("Request Counts", "Errored", ""));
        runs.number("incomplete", self.number("Request Counts", "Incomplete", ""));
        runs.number("duration_s", self.number("Timings", "Duration", "Sec"));
        for (_, group, unit, column) in LOADS {
            runs.number(column, self.number(group, &format!("Successful {unit}"), "Mean"));
        }
        for reported in REPORTED {
            let (group, unit) = reported.header;
            let unit = format!("Successful {unit}");
            for (name, statistic) in [("Mean", "mean"), ("Median", "p50"), ("Std Dev", "std")] {
                reported.put(runs, statistic, self.number(group, &unit, name));
            }
            let Some(listed) = self.text(group, &unit, "Percentiles") else { continue };
            let values: [Option<f64>; 11] = serde_json::from_str(listed).map_err(|_| Error::Format {
                location: location.clone().field(&format!("{group}, {unit}, Percentiles")),
                problem: format!("expected eleven numbers in brackets, found {listed}"),
                fix: "give the file as guidellm wrote it".to_owned(),
            })?;
            for (statistic, value) in PERCENTILES.into_iter().zip(values) {
                reported.put(runs, statistic, value);
            }
        }
        Ok(())
    }

    fn text(&self, group: &str, name: &str, statistic: &str) -> Option<&str> {
        let [groups, names, statistics] = &self.header.0;
        let mut places = groups.iter().zip(names).zip(statistics);
        let place = places.position(|((a, b), c)| a == group && b == name && c == statistic)?;
        self.cells.get(place).filter(|cell| !cell.is_empty())
    }

    fn number(&self, group: &str, name: &str, statistic: &str) -> Option<f64> {
        self.text(group, name, statistic)?.parse().ok()
    }
}
