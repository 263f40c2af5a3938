//! NVIDIA aiperf: records of requests (JSON Lines), and summaries of a run (JSON, CSV) or of its timeslices (JSON). Its
//! predecessor genai-perf writes summaries of the same form.
//!
//! Traps: its inter-token latency excludes the first chunk and is our time per output token. Counts are of aiperf's own
//! tokenizer unless the server reports usage. Each metric has its own unit.

mod records;
mod summary;
mod table;

use super::runs::{of_ms, of_ns};
use super::tool::{Format, Reading};

/// `profile_export.jsonl`: one request per line.
pub(super) const RECORDS: Format = Format {
    name: "aiperf",
    title: "aiperf records (JSON Lines)",
    recognizes: |signature| signature.has_all(&["metadata.benchmark_phase", "metadata.request_start_ns", "metrics"]),
    reading: Reading::Lines { header: records::header, records: records::read },
};

/// `profile_export_aiperf.json`.
pub(super) const SUMMARY: Format = Format {
    name: "aiperf-json",
    title: "aiperf summary (JSON)",
    recognizes: |signature| {
        let counts = ["request_count.avg", "completed_request_count.avg", "error_request_count.avg"];
        (signature.has("aiperf_version") || signature.has("was_cancelled"))
            && counts.iter().any(|path| signature.has(path))
    },
    reading: Reading::Whole(summary::read),
};

/// `profile_export_aiperf_timeslices.json`.
pub(super) const TIMESLICES: Format = Format {
    name: "aiperf-timeslices",
    title: "aiperf timeslices (JSON)",
    recognizes: |signature| signature.has_all(&["timeslices[].start_ns", "timeslices[].end_ns"]),
    reading: Reading::Whole(summary::read_slices),
};

/// `profile_export_aiperf.csv`: unlike its predecessor's file, it has standard deviations.
pub(super) const CSV: Format = Format {
    name: "aiperf-csv",
    title: "aiperf summary (CSV)",
    recognizes: |signature| signature.has_columns(&["Metric", "avg", "p50", "p99", "std"]),
    reading: Reading::Whole(table::read),
};

/// genai-perf's `profile_export_genai_perf.json`.
pub(super) const GENAI_PERF_SUMMARY: Format = Format {
    name: "genai-perf-json",
    title: "genai-perf summary (JSON)",
    recognizes: |signature| {
        signature.has_all(&["request_latency.unit", "request_latency.avg"])
            && !signature.has("aiperf_version")
            && !signature.has("was_cancelled")
    },
    reading: Reading::Whole(summary::read),
};

/// genai-perf's `profile_export_genai_perf.csv`.
pub(super) const GENAI_PERF_CSV: Format = Format {
    name: "genai-perf-csv",
    title: "genai-perf summary (CSV)",
    recognizes: |signature| signature.has_columns(&["Metric", "avg", "p50", "p99"]) && !signature.has_columns(&["std"]),
    reading: Reading::Whole(table::read),
};

/// Distributions: the tool's tag and our name.
///
/// The tool's inter-token latency excludes the first chunk: (latency − time to first token) / (tokens − tokens of the
/// first chunk). This is our time per output token. A credit is a request's permission to be sent. The wait for it is a
/// missed schedule only in an open loop, which these files do not record, so it keeps its own name.
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

/// Figures of a whole run: the tool's tag and our name.
const FIGURES: &[(&str, &str)] = &[
    ("request_throughput", "requests_per_s"),
    ("goodput", "goodput_requests_per_s"),
    ("request_goodput", "goodput_requests_per_s"),
    ("output_token_throughput", "output_tokens_per_s"),
    ("total_token_throughput", "total_tokens_per_s"),
    ("benchmark_duration", "duration_s"),
];

/// A value converted to the SI unit of its metric (seconds, tokens, …); `None` if the unit is unknown.
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

/// The fix for an unknown unit.
const KNOWN_UNITS: &str = "known units are ns, us, ms, sec, tokens, requests, count, ratio, tokens/sec, requests/sec \
                           and per sec";
