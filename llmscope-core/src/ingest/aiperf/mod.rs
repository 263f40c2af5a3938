//! NVIDIA aiperf: records of requests, and summaries of a run or of its slices of time. genai-perf, its predecessor,
//! writes summaries of the same shape.

mod records;
mod summary;
mod table;

use super::runs::{of_ms, of_ns};
use super::tool::{Format, Reading};

/// A line a request: `profile_export.jsonl`.
pub(super) const RECORDS: Format = Format {
    name: "aiperf",
    title: "aiperf records (JSON Lines)",
    recognizes: |outline| outline.has_all(&["metadata.benchmark_phase", "metadata.request_start_ns", "metrics"]),
    reading: Reading::Lines { header: records::header, records: records::read },
};

/// `profile_export_aiperf.json`.
pub(super) const SUMMARY: Format = Format {
    name: "aiperf-json",
    title: "aiperf summary (JSON)",
    recognizes: |outline| {
        let counts = ["request_count.avg", "completed_request_count.avg", "error_request_count.avg"];
        (outline.has("aiperf_version") || outline.has("was_cancelled")) && counts.iter().any(|path| outline.has(path))
    },
    reading: Reading::Whole(summary::read),
};

/// `profile_export_aiperf_timeslices.json`.
pub(super) const TIMESLICES: Format = Format {
    name: "aiperf-timeslices",
    title: "aiperf slices of time (JSON)",
    recognizes: |outline| outline.has_all(&["timeslices[].start_ns", "timeslices[].end_ns"]),
    reading: Reading::Whole(summary::read_slices),
};

/// `profile_export_aiperf.csv`: unlike its predecessor's, it has standard deviations.
pub(super) const CSV: Format = Format {
    name: "aiperf-csv",
    title: "aiperf summary (CSV)",
    recognizes: |outline| outline.has_columns(&["Metric", "avg", "p50", "p99", "std"]),
    reading: Reading::Whole(table::read),
};

/// genai-perf's `profile_export_genai_perf.json`.
pub(super) const GENAI_PERF_SUMMARY: Format = Format {
    name: "genai-perf-json",
    title: "genai-perf summary (JSON)",
    recognizes: |outline| {
        outline.has_all(&["request_latency.unit", "request_latency.avg"])
            && !outline.has("aiperf_version")
            && !outline.has("was_cancelled")
    },
    reading: Reading::Whole(summary::read),
};

/// genai-perf's `profile_export_genai_perf.csv`.
pub(super) const GENAI_PERF_CSV: Format = Format {
    name: "genai-perf-csv",
    title: "genai-perf summary (CSV)",
    recognizes: |outline| outline.has_columns(&["Metric", "avg", "p50", "p99"]) && !outline.has_columns(&["std"]),
    reading: Reading::Whole(table::read),
};

/// Distributions: the tool's tag, and our name.
///
/// Its inter-token latency leaves the first chunk out: (latency − time to first token) / (tokens − tokens of the first
/// chunk), our time per output token. What is sent before a slot is free is its credit: the wait for it is a missed
/// schedule only in an open loop, of which these files do not tell, so it keeps its own name.
const DISTRIBUTIONS: &[(&str, &str)] = &[
    ("time_to_first_token", "ttft_s"),
    ("request_latency", "e2e_s"),
    ("inter_token_latency", "tpot_s"),
    ("inter_chunk_latency", "icl_s"),
    ("time_to_second_token", "time_to_second_token_s"),
    ("time_to_first_output_token", "time_to_first_output_token_s"),
    ("credit_to_start_latency", "credit_to_start_latency_s"),
    ("effective_latency", "effective_latency_s"),
    ("input_sequence_length", "input_tokens"),
    ("output_sequence_length", "output_tokens"),
];

/// Figures of a whole run: the tool's tag, and our name.
const FIGURES: &[(&str, &str)] = &[
    ("request_throughput", "requests_per_s"),
    ("goodput", "goodput_requests_per_s"),
    ("request_goodput", "goodput_requests_per_s"),
    ("output_token_throughput", "output_tokens_per_s"),
    ("total_token_throughput", "total_tokens_per_s"),
    ("benchmark_duration", "duration_s"),
];

/// A value of a metric in seconds, tokens or whatever SI unit belongs to it; `None` if the unit is not known.
fn in_si(value: f64, unit: &str) -> Option<f64> {
    match unit {
        "ns" => Some(of_ns(value)),
        "us" | "µs" => Some(value / 1e6),
        "ms" => Some(of_ms(value)),
        "sec" | "s" | "seconds" | "tokens" | "requests" | "count" | "ratio" | "tokens/sec" | "requests/sec"
        | "per sec" => Some(value),
        _ => None,
    }
}

/// What to do about a unit that is not known.
const KNOWN_UNITS: &str = "units known here are ns, us, ms, sec, tokens, requests, count, ratio and those per sec";
