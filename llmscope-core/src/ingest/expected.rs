//! Fields that a tool always writes, and fields that no tool writes: a log with other names is reported.

use serde_json::{Map, Value};

use super::signature::Signature;
use super::tool::Tool;
use crate::error::Location;
use crate::session::Warning;

/// A format, a field that each of its records has, and what is unknown without it.
const FIELDS: [(&str, &str, &str); 9] = [
    ("otel-console", "status", FAILED),
    ("litellm", "status", FAILED),
    ("litellm-spend", "status", FAILED),
    ("litellm-spend-csv", "status", FAILED),
    ("mlflow", "status", FAILED),
    ("inference-perf", "error", FAILED),
    ("hyperfine", "exit_codes", FAILED),
    ("llmscope-export", "success", FAILED),
    ("llmscope-export", "timestamp", "the order of the requests"),
];
const FAILED: &str = "whether a request failed";

/// The fields of a request in a session.
const OF_REQUESTS: [&str; 18] = [
    "kind",
    "started_at",
    "provider",
    "model",
    "warmup",
    "status",
    "error",
    "ttft_s",
    "e2e_s",
    "tpot_s",
    "icl_s",
    "ttft_from_write_s",
    "connect_s",
    "sched_delay_s",
    "input_tokens",
    "output_tokens",
    "tokens_estimated",
    "cost_usd",
];
const ATTRIBUTES: &str = "attributes";

/// Warnings about a log of a tool: a field that its records lack, or that no reader knows.
pub(super) fn warnings(source: &str, tool: Tool, signature: &Signature<'_>) -> Vec<Warning> {
    let warning = |message: String| Warning { location: Location::of(source), message };
    let has = |field: &str| signature.has_field(field) || signature.has_column(field);
    let is_absent = |(name, field, _): &&(&str, &str, &str)| *name == tool.name() && !has(field);
    let absent = FIELDS.iter().filter(is_absent);
    let mut warnings: Vec<Warning> = absent
        .map(|(_, field, unknown)| warning(format!("no record has \"{field}\": {unknown} is not known")))
        .collect();
    if tool == Tool::LLMSCOPE && signature.is_json() {
        let unknown = first_request(signature).into_iter().flat_map(|request| unknown_fields(&request));
        warnings
            .extend(unknown.map(|field| warning(format!("the field \"{field}\" of requests is not known: not read"))));
    }
    warnings
}

/// The first request of a session, as one document or as lines.
fn first_request(signature: &Signature<'_>) -> Option<Map<String, Value>> {
    let is_request = |line: &&str| line.contains("\"kind\"") && line.contains("\"request\"");
    let of_lines = signature.text.lines().skip(1).find(is_request);
    if let Some(Ok(request)) = of_lines.map(serde_json::from_str) {
        return Some(request);
    }
    let names = signature.fields_of("records[].");
    (!names.is_empty()).then(|| names.into_iter().map(|name| (name.to_owned(), Value::Null)).collect())
}

fn unknown_fields(request: &Map<String, Value>) -> Vec<String> {
    let is_known = |name: &str| name == ATTRIBUTES || OF_REQUESTS.contains(&name);
    request.keys().filter(|name| !is_known(name)).cloned().collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::ingest::read;

    fn messages(text: &str) -> Vec<String> {
        read("log", text.as_bytes(), None).unwrap().warnings.into_iter().map(|warning| warning.message).collect()
    }

    #[test]
    fn every_field_of_a_request_is_known() {
        let schema: Value = serde_json::from_str(include_str!("../../../docs/session.schema.json")).unwrap();
        let fields = schema["$defs"]["RequestRecord"]["properties"].as_object().unwrap();
        let unknown: Vec<&String> =
            fields.keys().filter(|name| *name != ATTRIBUTES && !OF_REQUESTS.contains(&name.as_str())).collect();
        assert!(unknown.is_empty() && fields.len() == OF_REQUESTS.len(), "{unknown:?} {fields:?}");
    }

    #[test]
    fn a_field_with_another_name_is_reported() {
        let document = r#"{"schema":"llmscope.session/1","records":[{"time_to_first_token":0.3,"e2e_s":1}]}"#;
        assert_eq!(messages(document), ["the field \"time_to_first_token\" of requests is not known: not read"]);
        let lines = "{\"kind\":\"session\",\"schema\":\"llmscope.session/1\"}\n{\"kind\":\"request\",\"latency\":1}\n";
        assert_eq!(messages(lines), ["the field \"latency\" of requests is not known: not read"]);
        assert!(messages(&document.replace("time_to_first_token", "ttft_s")).is_empty());
        let requests = r#"[{"start_time":1.0,"end_time":2.0,"info":{"request_metrics":{}}}]"#;
        assert_eq!(messages(requests), ["no record has \"error\": whether a request failed is not known"]);
    }
}
