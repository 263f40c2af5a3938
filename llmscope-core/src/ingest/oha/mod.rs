//! oha: a load generator for HTTP. Files: a summary (`--output-format json`), responses (`--output-format csv`), and a
//! database of responses (`--db-url`).
//!
//! Traps: oha knows responses, not tokens, so there is no time to first token. The latencies of a summary include error
//! responses. The CSV and the database omit requests without a response.

mod csv;
mod database;
mod json;

use super::tool::{Format, Reading};

pub(super) const JSON: Format = Format {
    name: "oha",
    title: "oha summary (JSON)",
    recognizes: |signature| {
        signature.has_all(&[
            "summary.successRate",
            "summary.requestsPerSec",
            "latencyPercentiles",
            "statusCodeDistribution",
        ])
    },
    reading: Reading::Whole(json::read),
};

pub(super) const CSV: Format = Format {
    name: "oha-csv",
    title: "oha requests (CSV)",
    recognizes: |signature| {
        signature.has_columns(&["request-start", "DNS+dialup", "Response-delay", "request-duration", "status"])
    },
    reading: Reading::Whole(csv::read),
};

pub(super) const DATABASE: Format = Format {
    name: "oha-db",
    title: "oha requests (SQLite, or its rows as JSON)",
    recognizes: |signature| {
        signature.has_all(&["[].url", "[].start", "[].end", "[].duration", "[].status", "[].len_bytes", "[].run"])
    },
    reading: Reading::Whole(database::read),
};

/// The names of what both formats contain.
///
/// The first byte of the body is the first token only if the server sends nothing before it. Many servers immediately
/// flush a chunk with the role, so it is not the time to first token.
const FIRST_BYTE: &str = "first_byte_s";
const DNS: &str = "dns_s";
