//! Prometheus: results of queries (JSON of its HTTP API), and snapshots in the text format (`/metrics`).
//!
//! Traps: values are text. A counter accumulates: its samples are no measurements. A snapshot's histogram covers the time
//! since the process began, so two snapshots of one process share requests. Bounds of buckets are too wide for quantiles.

mod query;
mod snapshot;

use std::collections::BTreeMap;

use super::tool::{Format, Reading};

pub(super) const QUERY: Format = Format {
    name: "prometheus",
    title: "Prometheus query results (JSON of /api/v1/query_range)",
    recognizes: |signature| {
        signature.has_all(&["status", "data.resultType", "data.result"])
            || signature.has_all(&["status", "errorType", "error"]) && !signature.has("e2e_s")
    },
    reading: Reading::Whole(query::read),
};

pub(super) const SNAPSHOT: Format = Format {
    name: "prometheus-text",
    title: "Prometheus metrics (text format)",
    recognizes: |signature| {
        let first = signature.text.lines().next().unwrap_or_default();
        !signature.is_json() && ["# HELP ", "# TYPE "].iter().any(|begin| first.starts_with(begin))
    },
    reading: Reading::Whole(snapshot::read),
};

/// Labels, by their names.
type Labels = BTreeMap<String, String>;

/// The endings of names of counters and of the parts of a histogram.
const ACCUMULATING: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];
