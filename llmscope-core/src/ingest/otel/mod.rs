//! OpenTelemetry's generative AI telemetry: spans and metrics as OTLP JSON, and spans as Python prints them.
//!
//! OTLP JSON is protobuf's JSON with its own rules (OTLP specification 1.x, "JSON Protobuf Encoding"): names in
//! lowerCamelCase, ids in hexadecimal, enumerations as numbers, integers of 64 bits as texts. The collector's file
//! exporter and the SDKs' write one export request a line.

mod console;
mod intervals;
mod metrics;
mod spans;
mod values;

pub(super) use console::FORMAT as CONSOLE;
pub(super) use metrics::FORMAT as METRICS;
pub(super) use spans::FORMAT as SPANS;

use crate::error::Location;
use crate::session::Notice;
use values::Attributes;

/// Operations that ask no model: steps of agents, tools and memories around or between the requests.
const STEPS: [&str; 7] =
    ["create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "fetch_response"];

/// What a span or a data point tells of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// A request to a model.
    Request,
    /// A step of an agent, a tool, a memory.
    Step,
    /// Nothing of generative AI.
    Other,
}

impl Subject {
    fn of(attributes: &Attributes) -> Self {
        match attributes.text(&["gen_ai.operation.name"]) {
            Some(operation) if STEPS.contains(&operation) || operation.contains("memory") => Self::Step,
            Some(_) => Self::Request,
            // Servers and older instrumentations name no operation, but what it used.
            None if attributes.any(|name| name.starts_with("gen_ai.request.") || name.starts_with("gen_ai.usage.")) => {
                Self::Request
            }
            None if attributes.any(|name| name.starts_with("gen_ai.") || name.starts_with("traceloop.")) => Self::Step,
            None => Self::Other,
        }
    }
}

/// Says how many of something were left out, if any were.
fn left_out(notices: &mut Vec<Notice>, source: &str, count: usize, one: &str, many: &str) {
    let what = match count {
        0 => return,
        1 => format!("1 {one} was left out"),
        _ => format!("{count} {many} were left out"),
    };
    notices.push(Notice { location: Location::of(source), message: what });
}
