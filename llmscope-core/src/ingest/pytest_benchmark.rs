//! pytest-benchmark: rounds of benchmarks, in seconds, in order of time.
//!
//! Traps: the rounds are in the file only with `--benchmark-save-data`, or as `--benchmark-json` writes it. A round is
//! the mean of its iterations.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::attributes::texts;
use super::empty::no_requests;
use super::runs::Runs;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, TimeRules};
use crate::error::{Error, Location, Result};
use crate::session::{RequestRecord, Session, SessionHeader, Software};

pub(super) const FORMAT: Format = Format {
    name: "pytest-benchmark",
    title: "pytest-benchmark rounds (JSON)",
    recognizes: |signature| signature.has_all(&["machine_info", "benchmarks[].fullname", "benchmarks[].stats.rounds"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Report {
    benchmarks: Vec<Benchmark>,
    datetime: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Benchmark {
    fullname: String,
    stats: BTreeMap<String, Value>,
}

impl Benchmark {
    fn rounds(&self) -> impl Iterator<Item = f64> + '_ {
        self.stats.get("data").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_f64)
    }
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    let started_at = report.datetime.as_deref().and_then(|text| match TimeRules::default().of_text(text) {
        Some(Moment::At(time) | Moment::Naive(time)) => time.get(),
        _ => None,
    });
    if report.benchmarks.is_empty() {
        return Err(no_requests(source, "give the results of at least one benchmark"));
    }
    if report.benchmarks.iter().any(|benchmark| benchmark.rounds().next().is_none()) {
        return Ok(Parsed::Runs(summaries(&report, started_at)));
    }
    let records = report.benchmarks.iter().flat_map(|benchmark| {
        benchmark.rounds().map(|seconds| RequestRecord {
            e2e_s: Some(seconds),
            attributes: texts([("run", Some(benchmark.fullname.as_str()))]).collect(),
            ..RequestRecord::default()
        })
    });
    let records = records.collect();
    let recorder = Some(Software { name: "pytest-benchmark".to_owned(), version: report.version.clone() });
    let header = SessionHeader { recorder, started_at, ..SessionHeader::default() };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, Vec::new()))
}

/// One row per benchmark, from a report that kept no rounds.
fn summaries(report: &Report, started_at: Option<jiff::Timestamp>) -> Runs {
    let mut runs = Runs::default();
    for benchmark in &report.benchmarks {
        runs.begin(1);
        runs.text("run", Some(&benchmark.fullname));
        runs.started_at(started_at);
        let number = |name: &str| benchmark.stats.get(name).and_then(Value::as_f64);
        runs.number("requests", number("rounds"));
        for (name, statistic) in
            [("median", "p50"), ("mean", "mean"), ("min", "min"), ("max", "max"), ("stddev", "std")]
        {
            runs.number(&format!("e2e_s.{statistic}"), number(name));
        }
    }
    runs
}
