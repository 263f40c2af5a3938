//! infermark: a summary for each concurrency of a run.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::moment;
use super::runs::Runs;
use super::tool::{Format, Found, Reading};
use crate::error::{Error, Location, Result};

/// The number of requests a concurrency, and the first one's counts.
pub(super) const FORMAT: Format = Format {
    name: "infermark",
    title: "infermark report",
    recognizes: |outline| outline.has_all(&["config.n_requests", "results[].concurrency", "results[].n_success"]),
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

fn read(source: &str, text: &str) -> Result<Found> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    if report.results.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("results"),
            problem: "no results".to_owned(),
            fix: "give the report of a run that finished".to_owned(),
        });
    }
    // A stream's chunks are counted as tokens; only a whole answer brings the server's count.
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
        // The report's moment: those of its concurrencies are not told.
        runs.text("timestamp", report.timestamp.as_deref().filter(|text| moment::of_text(text).is_some()));
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
        // Its inter-token latencies are the gaps between chunks.
        for (metric, statistics) in [("e2e_s", &level.latency), ("ttft_s", &level.ttft), ("icl_s", &level.itl)] {
            for (name, &value) in statistics.iter().flatten() {
                runs.number(&format!("{metric}.{name}"), Some(value));
            }
        }
    }
    Ok(Found::Runs(runs))
}
