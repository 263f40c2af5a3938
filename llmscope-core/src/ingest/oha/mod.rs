//! oha: a load generator for HTTP, which knows responses and no tokens.

mod csv;
mod json;

use super::tool::{Format, Reading};

pub(super) const JSON: Format = Format {
    name: "oha",
    title: "oha summary (JSON)",
    recognizes: |outline| {
        outline.has_all(&[
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
    recognizes: |outline| {
        outline.has_columns(&["request-start", "DNS+dialup", "Response-delay", "request-duration", "status"])
    },
    reading: Reading::Whole(csv::read),
};

/// The names of what was measured, in both forms.
///
/// The first byte of the body is the first token only of a server that sends nothing before it; many flush a chunk
/// with the role at once. So it is no time to first token.
const FIRST_BYTE: &str = "first_byte_s";
const DNS: &str = "dns_s";
