//! Results of SGLang's `bench_serving`: one JSON object a line and run.
//!
//! Traps: arrays are in seconds, statistics in milliseconds. A request that failed has 0 for its times, no token, and a
//! text in `errors`. No request has a time of day. Without `--output-details` a run is a row of statistics.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::attributes::{numbers, texts};
use super::runs::{Runs, of_ms};
use super::tool::{Format, Parsed, Reading};
use super::{documents, failure};
use crate::error::{Location, Result};
use crate::session::{RequestRecord, Session, SessionHeader, Software, Warning};

pub(super) const FORMAT: Format = Format {
    name: "sglang",
    title: "SGLang bench_serving results",
    recognizes: |signature| {
        signature.has_all(&["backend", "completed", "request_throughput", "total_output_tokens_retokenized"])
            && !signature.has("tokenizer_id")
    },
    reading: Reading::Whole(read),
};

#[derive(Deserialize)]
struct Run {
    backend: Option<String>,
    dataset_name: Option<String>,
    #[serde(default)]
    input_lens: Vec<u64>,
    #[serde(default)]
    output_lens: Vec<u64>,
    #[serde(default)]
    ttfts: Vec<f64>,
    #[serde(default)]
    itls: Vec<Vec<f64>>,
    #[serde(default)]
    errors: Vec<Option<String>>,
    #[serde(flatten)]
    rest: BTreeMap<String, Value>,
}

impl Run {
    fn number(&self, name: &str) -> Option<f64> {
        self.rest.get(name)?.as_f64()
    }

    /// The rate and the concurrency that were set.
    fn settings(&self) -> [(&'static str, Option<f64>); 2] {
        [("request_rate_per_s", self.number("request_rate")), ("concurrency", self.number("max_concurrency"))]
    }

    fn records<'r>(&'r self, run: Option<&'r str>) -> impl Iterator<Item = RequestRecord> + 'r {
        (0..self.ttfts.len()).map(move |at| {
            let gaps = self.itls.get(at).map_or(&[][..], Vec::as_slice);
            let error = self.errors.get(at).and_then(Option::as_deref).filter(|error| !error.is_empty());
            let tokens = self.output_lens.get(at).copied();
            let nothing = self.ttfts[at] == 0.0 && gaps.is_empty();
            let mut record = RequestRecord {
                input_tokens: self.input_lens.get(at).copied(),
                attributes: numbers(self.settings()).chain(texts([("run", run)])).collect(),
                ..RequestRecord::default()
            };
            if error.is_some() || nothing {
                let (status, error) = failure::of_text(error.unwrap_or("no output"));
                (record.status, record.error) = (status, Some(error));
            } else {
                let lasted: f64 = gaps.iter().sum();
                record.ttft_s = Some(self.ttfts[at]);
                record.e2e_s = Some(self.ttfts[at] + lasted);
                #[allow(clippy::cast_precision_loss, reason = "a count of tokens is small")]
                let after_first = tokens.filter(|&tokens| tokens > 1).map(|tokens| (tokens - 1) as f64);
                record.tpot_s = after_first.filter(|_| !gaps.is_empty()).map(|tokens| lasted / tokens);
                record.icl_s = gaps.to_vec();
                record.output_tokens = tokens;
            }
            record
        })
    }
}

fn read(source: &str, text: &str) -> Result<Parsed> {
    let (runs, warnings) = documents::read::<Run>(source, text)?;
    let recorder = Some(Software { name: "SGLang bench_serving".to_owned(), version: None });
    if runs.iter().any(|run| run.value.ttfts.is_empty()) {
        let mut table = summaries(runs.iter().map(|run| (run.line, &run.value)));
        table.warnings = warnings;
        let message = "a summary of SGLang counts only completed requests: use --output-details to keep the failures";
        table.warnings.push(Warning { location: Location::of(source), message: message.to_owned() });
        return Ok(Parsed::Runs(table));
    }
    let several = runs.len() > 1;
    let mut records = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        let name = format!("#{}", index + 1);
        records.extend(run.value.records(several.then_some(name.as_str())));
    }
    let header = SessionHeader { recorder, ..SessionHeader::default() };
    Ok(Parsed::Session(Session { header, records, ..Session::default() }, warnings))
}

/// The statistics of a run, by their names in the file and ours.
const STATISTICS: [(&str, &str); 6] =
    [("median", "p50"), ("mean", "mean"), ("p90", "p90"), ("p95", "p95"), ("p99", "p99"), ("std", "std")];
const METRICS: [(&str, &str); 4] = [("ttft", "ttft_s"), ("e2e_latency", "e2e_s"), ("tpot", "tpot_s"), ("itl", "icl_s")];

/// The lengths in tokens that were set.
const LENGTHS: [&str; 3] = ["random_input_len", "random_output_len", "sharegpt_output_len"];

fn summaries<'r>(all: impl Iterator<Item = (u64, &'r Run)>) -> Runs {
    let mut runs = Runs::default();
    for (line, run) in all {
        runs.begin(line);
        runs.text("provider", run.backend.as_deref());
        runs.text("dataset", run.dataset_name.as_deref());
        for (name, value) in run.settings() {
            runs.number(name, value);
        }
        for name in LENGTHS {
            runs.number(name, run.number(name));
        }
        runs.number("completed", run.number("completed"));
        runs.number("duration_s", run.number("duration"));
        runs.number("requests_per_s", run.number("request_throughput"));
        runs.number("output_tokens_per_s.mean", run.number("output_throughput"));
        for (theirs, ours) in METRICS {
            for (name, statistic) in STATISTICS {
                runs.number(&format!("{ours}.{statistic}"), run.number(&format!("{name}_{theirs}_ms")).map(of_ms));
            }
        }
    }
    runs
}
