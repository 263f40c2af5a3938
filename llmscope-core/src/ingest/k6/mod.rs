//! k6: a load generator for HTTP. Files: points (`--out json`, `--out csv`) and summaries (`--summary-export`, `handleSummary`).
//!
//! Traps: k6 knows responses, not tokens, so there is no time to first token. All durations are in milliseconds.
//! Statistics of a summary include failed requests. `http_req_duration` excludes the wait for a connection.

mod csv;
mod points;
mod summary;

use super::tool::{Format, Reading};

pub(super) const POINTS: Format = Format {
    name: "k6",
    title: "k6 points (--out json)",
    recognizes: |signature| {
        signature.has_all(&["type", "metric", "data.name", "data.contains"])
            || signature.has_all(&["type", "metric", "data.time", "data.value", "data.tags"])
    },
    reading: Reading::Whole(points::read),
};

pub(super) const CSV: Format = Format {
    name: "k6-csv",
    title: "k6 points (--out csv)",
    recognizes: |signature| signature.has_columns(&["metric_name", "timestamp", "metric_value"]),
    reading: Reading::Whole(csv::read),
};

pub(super) const SUMMARY: Format = Format {
    name: "k6-summary",
    title: "k6 summary (--summary-export, handleSummary)",
    recognizes: |signature| {
        signature.has_all(&["metrics.http_reqs", "metrics.http_req_duration"])
            || signature.has_all(&["metadata.k6_version", "results.metrics"])
    },
    reading: Reading::Whole(summary::read),
};

/// The durations of a request, under k6's names, in milliseconds. `http_req_sending`, `http_req_waiting` and
/// `http_req_receiving` add up to `http_req_duration`. The wait for a connection, `http_req_blocked`, precedes it and
/// includes connecting and the TLS handshake.
const DURATIONS: [&str; 7] = [
    "http_req_duration",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_tls_handshaking",
    "http_req_sending",
    "http_req_waiting",
    "http_req_receiving",
];
