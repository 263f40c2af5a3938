//! llm-d: the benchmark report of a run (version 0.2), as YAML or JSON: a row of runs.
//!
//! Traps: each statistic has its own unit. `inter_token_latency` is a gap between chunks. The lengths in `scenario` can be
//! measured means, so they are not settings. A percentile `p99p9` is 99.9.

use super::empty::no_requests;
use super::leaves::Leaves;
use super::numbers::duration_s;
use super::rows::whole_lines;
use super::runs::Runs;
use super::statistics;
use super::timestamp::of_text_or_utc;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};
use crate::metric::Unit;

pub(super) const FORMAT: Format = Format {
    name: "llm-d",
    title: "llm-d benchmark report 0.2 (YAML, JSON)",
    recognizes: |signature| {
        if signature.is_json() {
            signature.has_all(&["results.request_performance.aggregate", "scenario"])
        } else {
            // The first line tells most texts apart, so that a long log is not searched.
            let has_line = |line: &str| signature.text.lines().any(|found| found.trim_end() == line);
            let begins =
                ["results:", "run:", "scenario:", "version:"].iter().any(|key| signature.text.starts_with(key));
            begins && has_line("results:") && has_line("  request_performance:")
        }
    },
    reading: Reading::Whole(read),
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
const AGGREGATE: &str = "results.request_performance.aggregate";
/// Texts that say how the run was set up.
const SETTINGS: [(&str, &str); 5] = [
    ("model", "scenario.stack.standardized.model.name"),
    ("accelerator", "scenario.stack.standardized.accelerator.model"),
    ("load_generator", "scenario.load.standardized.tool"),
    ("stage", "scenario.load.standardized.stage"),
    ("treatment", "scenario.load.metadata.treatment"),
];

fn read(source: &str, text: &str) -> Result<Parsed> {
    let is_yaml = !text.trim_start().starts_with('{');
    let (text, warnings) = if is_yaml { whole_lines(source, text) } else { (text, Vec::new()) };
    let report = Leaves::of(source, text)?;
    // YAML that was cut is still YAML: the version is its last line.
    if report.text("version").is_none() {
        return Err(Error::Format {
            location: Location::of(source).field("version"),
            problem: "the report has no version: its end is missing".to_owned(),
            fix: "copy the file again".to_owned(),
        });
    }
    let number = |path: &str| report.number(&format!("{AGGREGATE}.{path}"));
    let mut runs = Runs { warnings, ..Runs::default() };
    runs.begin(1);
    runs.started_at(report.text("run.time.start").and_then(of_text_or_utc));
    runs.number("duration_s", report.text("run.time.duration").and_then(duration_s));
    for (name, path) in SETTINGS {
        runs.text(name, report.text(path));
    }
    runs.number("concurrency", report.number("scenario.load.standardized.concurrency"));
    runs.number("request_rate_per_s", report.number("scenario.load.standardized.rate_qps"));
    runs.number("requests", number("requests.total"));
    runs.number("failed", number("requests.failures"));
    runs.number("requests_per_s", number("throughput.request_rate.mean"));
    let mut measured = false;
    for (path, column) in METRICS {
        let path = format!("{AGGREGATE}.{path}");
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

/// A time in seconds, and another number as it is.
fn converted(column: &str, value: f64, unit: &str) -> Option<f64> {
    if column.ends_with("_s") && !column.ends_with("_per_s") {
        Unit::Second.convert(value, unit.strip_suffix("/token").unwrap_or(unit))
    } else {
        Some(value)
    }
}
