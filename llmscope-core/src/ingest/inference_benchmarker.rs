//! Hugging Face's inference-benchmarker, results file (JSON): a summary of each load level, the warm-up first.
//!
//! Traps: only the whole run has a start time. All statistics of a load level without a success are 0.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::runs::{Runs, of_ms};
use super::timestamp;
use super::tool::{Format, Parsed, Reading};
use crate::error::{Error, Location, Result};

/// The executor of the first load level.
pub(super) const FORMAT: Format = Format {
    name: "inference-benchmarker",
    title: "Hugging Face inference-benchmarker results",
    recognizes: |signature| signature.has_all(&["config.max_vus", "results[].executor_type"]),
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Report {
    config: Settings,
    results: Vec<Load>,
    start_time: Option<String>,
}

#[derive(Deserialize)]
struct Settings {
    model_name: Option<String>,
    tokenizer: Option<String>,
    benchmark_kind: Option<String>,
}

#[derive(Deserialize)]
struct Load {
    id: String,
    executor_type: String,
    config: Executor,
    total_requests: Option<f64>,
    failed_requests: Option<f64>,
    successful_requests: Option<f64>,
    token_throughput_secs: Option<f64>,
    duration_ms: Option<f64>,
    request_rate: Option<f64>,
    #[serde(default)]
    time_to_first_token_ms: BTreeMap<String, f64>,
    #[serde(default)]
    inter_token_latency_ms: BTreeMap<String, f64>,
    #[serde(default)]
    e2e_latency_ms: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
struct Executor {
    max_vus: Option<f64>,
    rate: Option<f64>,
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let report: Report = serde_json::from_str(text).map_err(|error| Error::of_json(Location::of(source), &error))?;
    // The warm-up is a single virtual user for a short time. It is not comparable with the other points and would be a
    // signal on any chart of them.
    let measured: Vec<&Load> = report.results.iter().filter(|load| load.id != "warmup").collect();
    if measured.is_empty() {
        return Err(Error::Format {
            location: Location::of(source).field("results"),
            problem: "no load level except the warm-up".to_owned(),
            fix: "give the results of a finished run".to_owned(),
        });
    }
    let mut runs = Runs::default();
    for load in measured {
        runs.begin(1);
        runs.text("run", Some(&load.id));
        runs.text("model", report.config.model_name.as_deref());
        runs.text("tokenizer", report.config.tokenizer.as_deref());
        runs.text("benchmark_kind", report.config.benchmark_kind.as_deref());
        // The start of the whole run: the report has no start times of its load levels.
        runs.text("timestamp", report.start_time.as_deref().filter(|text| timestamp::of_text(text).is_some()));
        load.put(&mut runs);
    }
    Ok(Parsed::Runs(runs))
}

impl Load {
    fn put(&self, runs: &mut Runs) {
        // With a request rate, the number of virtual users is only an upper bound.
        let is_closed_loop = self.executor_type == "ConstantVUs";
        runs.number("concurrency", self.config.max_vus.filter(|_| is_closed_loop));
        runs.number("request_rate_per_s", self.config.rate);
        runs.number("requests", self.total_requests);
        runs.number("failed", self.failed_requests);
        // From the start of the request that completed first to the end of the request that completed last.
        runs.number("duration_s", self.duration_ms.map(of_ms));
        runs.number("requests_per_s", self.request_rate);
        runs.number("output_tokens_per_s", self.token_throughput_secs);
        // Without a success, every statistic is 0.
        if self.successful_requests == Some(0.0) {
            return;
        }
        // The sum of the gaps after the first chunk divided by the number of tokens after the first, as the tool's own
        // tokenizer counts them.
        let metrics = [
            ("ttft_s", &self.time_to_first_token_ms),
            ("tpot_s", &self.inter_token_latency_ms),
            ("e2e_s", &self.e2e_latency_ms),
        ];
        for (metric, statistics) in metrics {
            for (name, &value) in statistics {
                let name = if name == "avg" { "mean" } else { name };
                runs.number(&format!("{metric}.{name}"), Some(of_ms(value)));
            }
        }
    }
}
