//! infermark's report (JSON): a summary for each concurrency of a run.
//!
//! Traps: only the report has a timestamp. All statistics of a concurrency without a success are 0. For a stream, the
//! tool counts chunks as tokens.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::runs::Runs;
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};

/// The number of requests per concurrency, with the counts of the first one.
pub(super) const FORMAT: Format = Format {
    name: "infermark",
    title: "infermark report",
    recognizes: |signature| signature.has_all(&["config.n_requests", "results[].concurrency", "results[].n_success"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Report {
    url: Option<String>,
    model: Option<String>,
    timestamp: Option<String>,
    config: Settings,
    results: Vec<Level>,
}

#[derive(Deserialize)]
struct Settings {
    mode: Option<String>,
}

/// Durations are in seconds.
#[derive(Deserialize)]
struct Level {
    concurrency: f64,
    n_requests: Option<f64>,
    n_success: f64,
    n_error: Option<f64>,
    total_duration: Option<f64>,
    requests_per_second: Option<f64>,
    tokens_per_second: Option<f64>,
    latency: Option<BTreeMap<String, f64>>,
    ttft: Option<BTreeMap<String, f64>>,
    itl: Option<BTreeMap<String, f64>>,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if report.results.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("results"),
            problem: "no results".to_owned(),
            fix: "give the report of a finished run".to_owned(),
        });
    }
    // For a stream, the tool counts chunks as tokens; it has the server's count only for a non-streamed response.
    let rate = match report.config.mode.as_deref() {
        Some("non_streaming") => "output_tokens_per_s",
        _ => "chunks_per_s",
    };
    let mut runs = Runs::default();
    for level in &report.results {
        runs.begin(1);
        runs.text("run", Some(&format!("concurrency@{}", level.concurrency)));
        runs.text("model", report.model.as_deref());
        runs.text("url", report.url.as_deref());
        // The timestamp of the report: its concurrencies have none.
        runs.text("timestamp", report.timestamp.as_deref().filter(|text| timestamp::of_text(text).is_some()));
        runs.number("concurrency", Some(level.concurrency));
        runs.number("requests", level.n_requests);
        runs.number("failed", level.n_error);
        runs.number("duration_s", level.total_duration);
        runs.number("requests_per_s", level.requests_per_second);
        runs.number(rate, level.tokens_per_second);
        // Without a success, every statistic is 0.
        if level.n_success == 0.0 {
            continue;
        }
        // The tool's inter-token latencies are the gaps between chunks.
        for (metric, statistics) in [("e2e_s", &level.latency), ("ttft_s", &level.ttft), ("icl_s", &level.itl)] {
            for (name, &value) in statistics.iter().flatten() {
                runs.number(&format!("{metric}.{name}"), Some(value));
            }
        }
    }
    Ok(Parsed::Runs(runs))
}
