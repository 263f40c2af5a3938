//! What a span or a data point describes: a request to a model, a step around it, or something else.

use super::values::Attributes;

/// Operations that do not call a model: steps of agents, tools and memories around or between the requests.
const STEPS: [&str; 7] =
    ["create_agent", "invoke_agent", "invoke_workflow", "execute_tool", "plan", "retrieval", "fetch_response"];
/// Operations that call a model.
const REQUESTS: [&str; 6] = ["chat", "text_completion", "generate_content", "embeddings", "completion", "generate"];
/// Attributes by which a tracer states the type of its spans, and the types that call a model. MLflow writes the type as
/// JSON, with quotation marks.
const TYPES: [(&str, &[&str]); 3] = [
    ("openinference.span.kind", &["LLM", "EMBEDDING"]),
    ("langfuse.observation.type", &["generation", "embedding"]),
    ("mlflow.spanType", &["LLM", "CHAT_MODEL", "EMBEDDING"]),
];
/// Types that state nothing.
const NO_TYPES: [&str; 1] = ["UNKNOWN"];
/// Names of attributes of the steps around requests.
const STEP_PREFIXES: [&str; 6] =
    ["gen_ai.", "traceloop.", "openinference.", "langfuse.observation.", "mlflow.", "ai.operationId"];
/// Names of attributes that only tracers of models use.
const MODEL_PREFIXES: [&str; 2] = ["llm.", "ai."];

/// What a span or a data point describes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Subject {
    /// A request to a model.
    Request,
    /// A step of an agent, a tool, a memory.
    Step,
    /// A span of a tracer of models, in a convention that the reader does not know.
    Unknown,
    /// Not related to generative AI.
    Other,
}

impl Subject {
    pub(super) fn of(attributes: &Attributes) -> Self {
        let begins = |prefixes: &[&str]| attributes.any(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)));
        match attributes.text(&["gen_ai.operation.name"]) {
            Some(operation) if STEPS.contains(&operation) || operation.contains("memory") => return Self::Step,
            Some(operation) if REQUESTS.contains(&operation) => return Self::Request,
            _ => {}
        }
        match stated(attributes) {
            Some(subject) => subject,
            // Servers, older instrumentations and other conventions do not name the operation, only its request or usage.
            None if attributes.any(describes_request) => Self::Request,
            None if attributes.text(&["gen_ai.operation.name"]).is_some() || begins(&STEP_PREFIXES) => Self::Step,
            None if begins(&MODEL_PREFIXES) => Self::Unknown,
            None => Self::Other,
        }
    }
}

/// What the type of a span states. A total of its requests does not make an agent a request.
fn stated(attributes: &Attributes) -> Option<Subject> {
    let of_type = |(name, requests): &(&str, &[&str])| {
        let kind = attributes.unquoted(&[name]).filter(|kind| !NO_TYPES.contains(&kind.as_str()))?;
        Some(if requests.contains(&kind.as_str()) { Subject::Request } else { Subject::Step })
    };
    TYPES.iter().find_map(of_type)
}

/// True for an attribute that only a request to a model has.
fn describes_request(name: &str) -> bool {
    const PREFIXES: [&str; 4] = ["gen_ai.request.", "gen_ai.usage.", "gen_ai.latency.", "llm.token_count."];
    const NAMES: [&str; 2] = ["llm.model_name", "mlflow.chat.tokenUsage"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}
