//! k6: a load generator for HTTP, which knows responses and no tokens.

mod points;
mod summary;

use super::tool::{Format, Reading};

pub(super) const POINTS: Format = Format {
    name: "k6",
    title: "k6 points (--out json)",
    recognizes: |outline| {
        outline.has_all(&["type", "metric", "data.name", "data.contains"])
            || outline.has_all(&["type", "metric", "data.time", "data.value", "data.tags"])
    },
    reading: Reading::Whole(points::read),
};

pub(super) const SUMMARY: Format = Format {
    name: "k6-summary",
    title: "k6 summary (--summary-export, handleSummary)",
    recognizes: |outline| {
        outline.has_all(&["metrics.http_reqs", "metrics.http_req_duration"])
            || outline.has_all(&["metadata.k6_version", "results.metrics"])
    },
    reading: Reading::Whole(summary::read),
};

/// The durations of a request, under k6's names, in milliseconds there. One sending, waiting and receiving make
/// `http_req_duration`; the wait for a connection, `http_req_blocked`, comes before it and holds connecting and
/// handshaking.
const DURATIONS: [&str; 7] = [
    "http_req_duration",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_tls_handshaking",
    "http_req_sending",
    "http_req_waiting",
    "http_req_receiving",
];
