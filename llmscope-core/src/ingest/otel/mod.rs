//! OpenTelemetry's generative AI telemetry: spans and metrics as OTLP JSON, and spans as Python's console exporter
//! prints them. Langfuse's observations and MLflow's traces are spans under other names.
//!
//! Traps: OTLP JSON is protobuf's JSON with its own rules (OTLP specification 1.x, "JSON Protobuf Encoding"): names in
//! lowerCamelCase, ids in hexadecimal, enumerations as numbers, 64-bit integers as text. The collector's file exporter
//! and those of the SDKs write one export request per line.

mod calls;
mod console;
mod intervals;
mod langfuse;
mod memory;
mod metrics;
mod mlflow;
mod spans;
mod streamed;
mod subject;
mod usage;
mod values;

pub(super) use console::FORMAT as CONSOLE;
pub(super) use langfuse::{CSV as LANGFUSE_CSV, JSON as LANGFUSE};
pub use memory::{SpanExport, SpanFact, SpanMemory, Spans};
pub(super) use metrics::FORMAT as METRICS;
pub(super) use mlflow::FORMAT as MLFLOW;
pub(super) use spans::FORMAT as SPANS;

use crate::error::Location;
use crate::session::Warning;
use subject::Subject;

/// Warns about the number of left-out items, if there are any.
fn left_out(warnings: &mut Vec<Warning>, source: &str, count: usize, one: &str, many: &str) {
    let what = match count {
        0 => return,
        1 => format!("1 {one} was left out"),
        _ => format!("{count} {many} were left out"),
    };
    warnings.push(Warning { location: Location::of(source), message: what });
}
