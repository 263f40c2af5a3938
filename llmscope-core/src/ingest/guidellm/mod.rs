//! guidellm's reports: JSON with the requests, in schema 1 (0.4 to 0.7) or 2 (0.8), and CSV with one row per benchmark.
//!
//! Traps: its "time per output token" includes the time to first token; its "inter token latency" is our time per
//! output token. It measures with the wall clock, so latencies may be negative. It may keep only a random sample of the
//! requests.

mod csv;
mod json;

use super::runs::{Runs, of_ms};
use super::tool::{Format, Reading};

/// Schema 1 (0.4 to 0.7) and schema 2 (0.8) store the version of the tool in the same place.
pub(super) const JSON: Format = Format {
    name: "guidellm",
    title: "guidellm report (JSON)",
    recognizes: |signature| signature.has_all(&["metadata.guidellm_version", "benchmarks"]),
    reading: Reading::Whole(json::read),
};

/// The first of three header lines.
pub(super) const CSV: Format = Format {
    name: "guidellm-csv",
    title: "guidellm report (CSV)",
    recognizes: |signature| signature.has_columns(&["Run Info", "Benchmark", "Timings", "Request Counts"]),
    reading: Reading::Whole(csv::read),
};

/// A metric whose distribution a report contains.
struct Reported {
    /// Its field in the JSON report.
    field: &'static str,
    /// Its first and second header in the CSV report, without the status.
    header: (&'static str, &'static str),
    /// Our name.
    column: &'static str,
    /// Converts from the report's unit to ours.
    to_si: fn(f64) -> f64,
}

/// guidellm's "time per output token" counts from the start of the request and so includes the time to first token; its
/// "inter token latency" is our time per output token. A dispatch delay is reported only if requests had a schedule.
const REPORTED: &[Reported] = &[
    Reported { field: "time_to_first_token_ms", header: ("Time to First Token", "ms"), column: "ttft_s", to_si: of_ms },
    Reported { field: "request_latency", header: ("Request Latency", "Sec"), column: "e2e_s", to_si: unchanged },
    Reported { field: "inter_token_latency_ms", header: ("Inter Token Latency", "ms"), column: "tpot_s", to_si: of_ms },
    Reported {
        field: "time_per_output_token_ms",
        header: ("Time per Output Token", "ms"),
        column: "time_per_output_token_with_ttft_s",
        to_si: of_ms,
    },
    Reported {
        field: "time_to_first_output_token_ms",
        header: ("Time to First Output Token", "ms"),
        column: "time_to_first_output_token_s",
        to_si: of_ms,
    },
    Reported {
        field: "request_dispatch_delay",
        header: ("Dispatch Delay", "Sec"),
        column: "sched_delay_s",
        to_si: unchanged,
    },
    Reported {
        field: "request_scheduled_latency",
        header: ("Scheduled Latency", "Sec"),
        column: "sched_e2e_s",
        to_si: unchanged,
    },
    Reported {
        field: "prompt_token_count",
        header: ("Token Metrics", "Input Tokens"),
        column: "input_tokens",
        to_si: unchanged,
    },
    Reported {
        field: "output_token_count",
        header: ("Token Metrics", "Output Tokens"),
        column: "output_tokens",
        to_si: unchanged,
    },
];

/// Rates and loads of a benchmark, of which only the mean over time is meaningful: field, second header, our name.
const LOADS: &[(&str, &str, &str, &str)] = &[
    ("requests_per_second", "Server Throughput", "Requests/Sec", "requests_per_s"),
    ("request_concurrency", "Server Throughput", "Concurrency", "request_concurrency"),
    ("output_tokens_per_second", "Token Throughput", "Output Tokens/Sec", "output_tokens_per_s"),
    ("tokens_per_second", "Token Throughput", "Total Tokens/Sec", "total_tokens_per_s"),
];

impl Reported {
    fn put(&self, runs: &mut Runs, statistic: &str, value: Option<f64>) {
        runs.number(&format!("{}.{statistic}", self.column), value.map(self.to_si));
    }
}

/// Seconds and counts are not converted.
const fn unchanged(value: f64) -> f64 {
    value
}
