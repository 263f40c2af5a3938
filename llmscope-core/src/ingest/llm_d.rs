//! llm-d: the benchmark report of a run (versions 0.1 and 0.2), as YAML or JSON: a row of runs.
//!
//! Traps: each statistic has its own unit, and 0.1 has milliseconds. `inter_token_latency` is a gap between chunks. The
//! lengths in `scenario` can be measured means, so they are not settings. A percentile `p99p9` is 99.9. In 0.1 the
//! duration is a number of seconds, and throughputs are numbers instead of statistics.

use jiff::Timestamp;

use super::empty::no_requests;
use super::leaves::Leaves;
use super::numbers::duration_s;
use super::rows::whole_lines;
use super::runs::Runs;
use super::statistics;
use super::timestamp::of_text_or_utc;
use super::tool::{Format, Parsed, Reading};
use super::when::{Moment, of_seconds};
use crate::error::{Error, Location, Result};
use crate::metric::Unit;

pub(super) const FORMAT: Format = Format {
    name: "llm-d",
    title: "llm-d benchmark report 0.1, 0.2 (YAML, JSON)",
    recognizes: |signature| {
        if signature.is_json() {
            let is_first = signature.has_all(&["metrics.latency.time_to_first_token.units", "scenario.load.name"]);
            is_first || signature.has_all(&["results.request_performance.aggregate", "scenario"])
        } else {
            // The first line tells most texts apart, so that a long log is not searched.
            let has_line = |line: &str| signature.text.lines().any(|found| found.trim_end() == line);
            let begins = ["results:", "run:", "scenario:", "version:", "metrics:", "metadata:"];
            let is_first = || has_line("metrics:") && has_line("    time_to_first_token:") && has_line("scenario:");
            let is_second = || has_line("results:") && has_line("  request_performance:");
            begins.iter().any(|key| signature.text.starts_with(key)) && (is_second() || is_first())
        }
    },
    reading: Reading::Whole(read),
};

/// Where a version of the report has its values.
struct Layout {
    aggregate: &'static str,
    start: &'static str,
    duration: &'static str,
    requests_per_s: &'static str,
    concurrency: &'static str,
    request_rate: &'static str,
    /// Texts that say how the run was set up.
    settings: [(&'static str, &'static str); 5],
}

const FIRST: Layout = Layout {
    aggregate: "metrics",
    start: "metrics.time.start",
    duration: "metrics.time.duration",
    requests_per_s: "throughput.requests_per_sec",
    concurrency: "scenario.load.args.max_concurrency",
    request_rate: "scenario.load.args.request_rate",
    settings: [
        ("model", "scenario.model.name"),
        ("accelerator", "scenario.host.accelerator.model"),
        ("load_generator", "scenario.load.name"),
        ("stage", "scenario.load.metadata.stage"),
        ("treatment", "scenario.load.metadata.treatment"),
    ],
};

const SECOND: Layout = Layout {
    aggregate: "results.request_performance.aggregate",
    start: "run.time.start",
    duration: "run.time.duration",
    requests_per_s: "throughput.request_rate.mean",
    concurrency: "scenario.load.standardized.concurrency",
    request_rate: "scenario.load.standardized.rate_qps",
    settings: [
        ("model", "scenario.stack.standardized.model.name"),
        ("accelerator", "scenario.stack.standardized.accelerator.model"),
        ("load_generator", "scenario.load.standardized.tool"),
        ("stage", "scenario.load.standardized.stage"),
        ("treatment", "scenario.load.metadata.treatment"),
    ],
};

/// The paths of statistics of all requests, and our names.
const METRICS: [(&str, &str); 9] = [
    ("latency.time_to_first_token", "ttft_s"),
    ("latency.request_latency", "e2e_s"),
    ("latency.time_per_output_token", "tpot_s"),
    ("latency.inter_token_latency", "icl_s"),
    ("latency.normalized_time_per_output_token", "normalized_time_per_output_token_s"),
    ("requests.input_length", "input_tokens"),
    ("requests.output_length", "output_tokens"),
    ("throughput.output_token_rate", "output_tokens_per_s"),
    ("throughput.total_token_rate", "total_tokens_per_s"),
];
/// The paths of rates of version 0.1, and our names.
const RATES: [(&str, &str); 2] = [
    ("throughput.output_tokens_per_sec", "output_tokens_per_s"),
    ("throughput.total_tokens_per_sec", "total_tokens_per_s"),
];

fn read(source: &str, text: &str) -> Result<Parsed> {
    let is_yaml = !text.trim_start().starts_with('{');
    let (text, warnings) = if is_yaml { whole_lines(source, text) } else { (text, Vec::new()) };
    let report = Leaves::of(source, text)?;
    // YAML that was cut is still YAML: the version is its last line.
    let layout = match report.text("version") {
        Some(version) if version.starts_with("0.1") => &FIRST,
        Some(_) => &SECOND,
        None => {
            return Err(Error::Format {
                location: Location::of(source).field("version"),
                problem: "the report has no version: its end is missing".to_owned(),
                fix: "copy the file again".to_owned(),
            });
        }
    };
    let number = |path: &str| report.number(&format!("{}.{path}", layout.aggregate));
    let mut runs = Runs { warnings, ..Runs::default() };
    runs.begin(1);
    runs.started_at(report.text(layout.start).and_then(started_at));
    let duration = report.text(layout.duration);
    runs.number("duration_s", duration.and_then(|text| text.parse().ok().or_else(|| duration_s(text))));
    for (name, path) in layout.settings {
        runs.text(name, report.text(path));
    }
    runs.number("concurrency", report.number(layout.concurrency));
    // An open loop without a rate has the rate infinity.
    runs.number("request_rate_per_s", report.number(layout.request_rate).filter(|rate| rate.is_finite()));
    runs.number("requests", number("requests.total"));
    runs.number("failed", number("requests.failures"));
    runs.number("requests_per_s", number(layout.requests_per_s));
    for (path, column) in RATES {
        runs.number(column, number(path));
    }
    let mut measured = false;
    for (path, column) in METRICS {
        let path = format!("{}.{path}", layout.aggregate);
        let unit = report.text(&format!("{path}.units")).unwrap_or_default().to_owned();
        for (name, value) in report.below(&path) {
            let Some(statistic) = statistics::name(name) else { continue };
            let value = value.parse().ok().and_then(|value| converted(column, value, &unit));
            measured |= value.is_some();
            runs.number(&format!("{column}.{statistic}"), value);
        }
    }
    if !measured {
        return Err(no_requests(source, "give the report of a run with at least one successful request"));
    }
    Ok(Parsed::Runs(runs))
}

/// A time as text, or in seconds since 1970.
fn started_at(text: &str) -> Option<Timestamp> {
    match of_seconds(text.parse().unwrap_or(f64::NAN)) {
        Some(Moment::At(time)) => time.get(),
        _ => of_text_or_utc(text),
    }
}

/// A time in seconds, and another number as it is.
fn converted(column: &str, value: f64, unit: &str) -> Option<f64> {
    if column.ends_with("_s") && !column.ends_with("_per_s") {
        Unit::Second.convert(value, unit.strip_suffix("/token").unwrap_or(unit))
    } else {
        Some(value)
    }
}
