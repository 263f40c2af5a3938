//! Summaries of benchmarks of the JavaScript world: autocannon, tinybench, Vitest.
//!
//! Traps: tinybench sorts its samples, and Vitest writes none: their statistics are rows of runs. All are in
//! milliseconds. Latencies of autocannon include error responses.

use serde::Deserialize;
use serde_json::Value;

use super::attributes::count;
use super::empty::no_requests;
use super::runs::{Runs, of_ms};
use super::statistics::Statistics;
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

impl Autocannon {
    fn of_requests(&self, name: &str) -> Option<f64> {
        self.requests.get(name).and_then(Value::as_f64)
    }

    /// Requests with an outcome. `requests.total` counts responses, and `errors` the requests without one.
    fn ended(&self) -> Option<f64> {
        Some(self.of_requests("total")? + count(self.errors))
    }

    /// Requests that the end of the run (`-d`) cut off: they have no outcome. Refused connections count as errors, but
    /// not as sent.
    fn cut_off(&self) -> Option<f64> {
        Some(self.of_requests("sent")? - self.ended()?).filter(|&cut| cut > 0.0)
    }
}

fn autocannon(source: &str, text: &str) -> Result<Parsed> {
    let report: Autocannon = parsed(source, text)?;
    let failed = report.errors.saturating_add(report.non2xx);
    let mut runs = Runs::default();
    runs.begin(1);
    runs.started_at(report.start.as_deref().and_then(|start| start.parse().ok()));
    runs.number("duration_s", report.duration);
    runs.number("concurrency", report.connections);
    runs.number("requests", report.ended());
    runs.number("failed", Some(count(failed)));
    runs.number("requests_per_s", report.of_requests("average"));
    // Without a response, the statistics are zeros.
    if report.of_requests("total") != Some(0.0) {
        put(&mut runs, &report.latency);
    }
    let mut warn = |message| runs.warnings.push(Warning { location: Location::of(source), message });
    if failed > 0 {
        warn(format!(
            "{} failed ({} other than 2xx, {} errors, {} of them timeouts): the latencies include error responses, and no \
             requests without a response",
            counted(usize::try_from(failed).unwrap_or(usize::MAX), "request"),
            report.non2xx,
            report.errors,
            report.timeouts
        ));
    }
    if let Some(cut) = report.cut_off() {
        warn(format!("the end of the run cut off {cut} requests: their outcome is unknown, and they do not count"));
    }
    Ok(Parsed::Runs(runs))
}

/// Statistics in milliseconds under our names.
fn put(runs: &mut Runs, statistics: &Statistics) {
    runs.statistics("e2e_s", statistics, |milliseconds| Some(of_ms(milliseconds)));
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
