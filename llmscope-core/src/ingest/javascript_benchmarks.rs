//! Summaries of benchmarks of the JavaScript world: autocannon, tinybench, Vitest.
//!
//! Traps: tinybench sorts its samples, and Vitest writes none: their statistics are rows of runs. All are in
//! milliseconds. Latencies of autocannon include error responses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::empty::no_requests;
use super::runs::{Runs, of_ms};
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::quantity::counted;
use crate::session::Warning;

pub(super) const AUTOCANNON: Format = Format {
    name: "autocannon",
    title: "autocannon summary (JSON)",
    recognizes: |signature| signature.has_all(&["connections", "non2xx", "latency.average", "requests.total"]),
    reading: Reading::Whole(autocannon),
};

pub(super) const TINYBENCH: Format = Format {
    name: "tinybench",
    title: "tinybench results (JSON)",
    recognizes: |signature| signature.has_all(&["[].latency.samplesCount", "[].throughput", "[].period"]),
    reading: Reading::Whole(tinybench),
};

pub(super) const VITEST: Format = Format {
    name: "vitest",
    title: "Vitest benchmarks (JSON)",
    recognizes: |signature| signature.has("files[].groups[].benchmarks"),
    reading: Reading::Whole(vitest),
};

type Statistics = BTreeMap<String, Value>;

/// Statistics in milliseconds under our names.
fn put(runs: &mut Runs, statistics: &Statistics) {
    let number = |name: &str| statistics.get(name).and_then(Value::as_f64).map(of_ms);
    for (theirs, ours) in
        [("p50", "p50"), ("median", "p50"), ("mean", "mean"), ("min", "min"), ("max", "max"), ("sd", "std")]
    {
        runs.number(&format!("e2e_s.{ours}"), number(theirs));
    }
    for percentile in ["p75", "p90", "p97_5", "p99", "p995", "p99_9", "p999"] {
        let ours = match percentile {
            "p995" => "p99.5".to_owned(),
            "p999" => "p99.9".to_owned(),
            other => other.replace('_', "."),
        };
        runs.number(&format!("e2e_s.{ours}"), number(percentile));
    }
}

fn parsed<'t, T: Deserialize<'t>>(source: &str, text: &'t str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))
}

#[derive(Deserialize)]
struct Autocannon {
    start: Option<String>,
    duration: Option<f64>,
    connections: Option<f64>,
    #[serde(default)]
    errors: u64,
    #[serde(default)]
    timeouts: u64,
    #[serde(default)]
    non2xx: u64,
    latency: Statistics,
    requests: Statistics,
}

fn autocannon(source: &str, text: &str) -> Result<Parsed> {
    let report: Autocannon = parsed(source, text)?;
    let failed = usize::try_from(report.errors.saturating_add(report.non2xx)).unwrap_or(usize::MAX);
    let mut runs = Runs::default();
    runs.begin(1);
    runs.started_at(report.start.and_then(|start| start.parse().ok()));
    runs.number("duration_s", report.duration);
    runs.number("concurrency", report.connections);
    runs.number("requests", report.requests.get("total").and_then(Value::as_f64));
    runs.number("failed", Some(crate::cast::float(failed)));
    runs.number("requests_per_s", report.requests.get("average").and_then(Value::as_f64));
    put(&mut runs, &report.latency);
    if failed > 0 {
        let message = format!(
            "{} failed ({} other than 2xx, {} errors, {} of them timeouts): the latencies include error responses",
            counted(failed, "request"),
            report.non2xx,
            report.errors,
            report.timeouts
        );
        runs.warnings.push(Warning { location: Location::of(source), message });
    }
    Ok(Parsed::Runs(runs))
}

#[derive(Deserialize)]
struct Task {
    name: Option<String>,
    latency: Statistics,
}

fn tinybench(source: &str, text: &str) -> Result<Parsed> {
    let tasks: Vec<Task> = parsed(source, text)?;
    let mut runs = Runs::default();
    for task in &tasks {
        runs.begin(1);
        runs.text("run", task.name.as_deref());
        put(&mut runs, &task.latency);
    }
    if tasks.is_empty() {
        return Err(no_requests(source, "give the results of at least one task"));
    }
    let message = "tinybench sorts its samples: each task is one row, without a sequence".to_owned();
    runs.warnings.push(Warning { location: Location::of(source), message });
    Ok(Parsed::Runs(runs))
}

#[derive(Deserialize)]
struct Vitest {
    files: Vec<File>,
}

#[derive(Deserialize)]
struct File {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    full_name: String,
    benchmarks: Vec<Statistics>,
}

fn vitest(source: &str, text: &str) -> Result<Parsed> {
    let report: Vitest = parsed(source, text)?;
    let mut runs = Runs::default();
    for group in report.files.iter().flat_map(|file| &file.groups) {
        for benchmark in &group.benchmarks {
            let name = benchmark.get("name").and_then(Value::as_str).unwrap_or_default();
            runs.begin(1);
            runs.text("run", Some(&format!("{} > {name}", group.full_name)));
            put(&mut runs, benchmark);
        }
    }
    if runs.table.rows() == 0 {
        return Err(no_requests(source, "give the results of at least one benchmark"));
    }
    let message = "Vitest writes no samples: each benchmark is one row, without a sequence".to_owned();
    runs.warnings.push(Warning { location: Location::of(source), message });
    Ok(Parsed::Runs(runs))
}
