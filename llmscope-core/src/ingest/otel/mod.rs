//! OpenTelemetry's generative AI telemetry: spans and metrics as OTLP JSON, and spans as Python's console exporter
//! prints them.
//!
//! Traps: OTLP JSON is protobuf's JSON with its own rules (OTLP specification 1.x, "JSON Protobuf Encoding"): names in
//! lowerCamelCase, ids in hexadecimal, enumerations as numbers, 64-bit integers as text. The collector's file exporter
//! and those of the SDKs write one export request per line.

mod console;
mod intervals;
mod metrics;
mod spans;
mod streamed;
mod values;

pub(super) use console::FORMAT as CONSOLE;
pub(super) use metrics::FORMAT as METRICS;
pub(super) use spans::FORMAT as SPANS;

use crate::error::Location;
use crate::session::Warning;
use values::Attributes;

/// Operations that do not call a model: steps of agents, tools and memories around or between the requests.
const STEPS: [&str; 7] =
    ["create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "fetch_response"];

/// Operations that call a model.
const REQUESTS: [&str; 6] = ["chat", "text_completion", "generate_content", "embeddings", "completion", "generate"];
/// Langfuse's types of observations that call a model.
const GENERATIONS: [&str; 2] = ["generation", "embedding"];
/// Names of generative AI in its conventions.
const STEP_PREFIXES: [&str; 4] = ["gen_ai.", "traceloop.", "openinference.", "langfuse.observation."];

/// True for an attribute that only a request to a model has.
fn describes_request(name: &str) -> bool {
    ["gen_ai.request.", "gen_ai.usage.", "gen_ai.latency.", "llm.token_count."]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// What a span or a data point describes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subject {
    /// A request to a model.
    Request,
    /// A step of an agent, a tool, a memory.
    Step,
    /// Not related to generative AI.
    Other,
}

impl Subject {
    fn of(attributes: &Attributes) -> Self {
        match attributes.text(&["gen_ai.operation.name"]) {
            Some(operation) if STEPS.contains(&operation) || operation.contains("memory") => Self::Step,
            Some(operation) if REQUESTS.contains(&operation) => Self::Request,
            // Servers, older instrumentations and other conventions do not name the operation, only its request or usage.
            _ if attributes.any(describes_request) => Self::Request,
            _ if attributes.text(&["openinference.span.kind"]) == Some("LLM") => Self::Request,
            _ if attributes.text(&["langfuse.observation.type"]).is_some_and(|kind| GENERATIONS.contains(&kind)) => {
                Self::Request
            }
            Some(_) => Self::Step,
            None if attributes.any(|name| STEP_PREFIXES.iter().any(|prefix| name.starts_with(prefix))) => Self::Step,
            None => Self::Other,
        }
    }
}

/// Warns about the number of left-out items, if there are any.
fn left_out(warnings: &mut Vec<Warning>, source: &str, count: usize, one: &str, many: &str) {
    let what = match count {
        0 => return,
        1 => format!("1 {one} was left out"),
        _ => format!("{count} {many} were left out"),
    };
    warnings.push(Warning { location: Location::of(source), message: what });
}
