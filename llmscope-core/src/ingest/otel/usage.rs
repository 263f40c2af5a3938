//! Token counts of a span: under the names of several conventions, or in the objects of Langfuse and MLflow.

use serde_json::{Map, Value};

use super::values::Attributes;

/// The token counts of a request, as far as its span has them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    /// Tokens of the prompt, those from the cache included.
    pub(super) input: Option<u64>,
    pub(super) output: Option<u64>,
    pub(super) cached: Option<u64>,
    pub(super) reasoning: Option<u64>,
}

/// Objects with the counts, as JSON: of Langfuse, and of MLflow.
const OBJECTS: [&str; 2] = ["langfuse.observation.usage_details", "mlflow.chat.tokenUsage"];

impl Usage {
    pub(super) fn of(attributes: &Attributes) -> Self {
        let named = Self {
            input: attributes.count(&[
                "gen_ai.usage.input_tokens",
                "gen_ai.usage.prompt_tokens",
                "llm.token_count.prompt",
            ]),
            output: attributes.count(&[
                "gen_ai.usage.output_tokens",
                "gen_ai.usage.completion_tokens",
                "llm.token_count.completion",
            ]),
            cached: attributes
                .count(&["gen_ai.usage.cache_read.input_tokens", "llm.token_count.prompt_details.cache_read"]),
            reasoning: attributes
                .count(&["gen_ai.usage.reasoning.output_tokens", "llm.token_count.completion_details.reasoning"]),
        };
        let objects = OBJECTS.iter().filter_map(|name| attributes.object(name));
        objects.map(|object| Self::of_object(&object)).fold(named, Self::or)
    }

    /// Langfuse counts each kind of token once: `input` has no token from the cache, and `output` no token of reasoning.
    /// `prompt_tokens` and `input_tokens` are those of the vendors, which include them.
    fn of_object(object: &Map<String, Value>) -> Self {
        let count = |names: &[&str]| names.iter().find_map(|name| object.get(*name)?.as_u64());
        let sum = |of: &str| {
            let parts = object.iter().filter(|(name, _)| name.starts_with(&format!("{of}_")));
            let parts: u64 = parts.filter_map(|(_, value)| value.as_u64()).fold(0, u64::saturating_add);
            object.get(of).and_then(Value::as_u64).map(|own| own.saturating_add(parts))
        };
        Self {
            input: count(&["prompt_tokens", "input_tokens", "promptTokens"]).or_else(|| sum("input")),
            output: count(&["completion_tokens", "output_tokens", "completionTokens"]).or_else(|| sum("output")),
            cached: count(&[
                "input_cached_tokens",
                "input_cache_read",
                "cache_read_input_tokens",
                "cached_tokens",
                "cache_read",
            ]),
            reasoning: count(&["output_reasoning_tokens", "output_reasoning", "reasoning_tokens"]),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            input: self.input.or(other.input),
            output: self.output.or(other.output),
            cached: self.cached.or(other.cached),
            reasoning: self.reasoning.or(other.reasoning),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn usage(text: &str) -> [Option<u64>; 4] {
        let Usage { input, output, cached, reasoning } = Usage::of_object(&serde_json::from_str(text).unwrap());
        [input, output, cached, reasoning]
    }

    #[test]
    fn parts_that_are_counted_apart_are_added() {
        for (text, expected) in [
            (r#"{"input": 17, "output": 20, "total": 37}"#, [Some(17), Some(20), None, None]),
            (
                r#"{"input": 13, "input_cached_tokens": 4, "output": 15, "output_reasoning_tokens": 5}"#,
                [Some(17), Some(20), Some(4), Some(5)],
            ),
            (r#"{"prompt_tokens": 17, "completion_tokens": 20}"#, [Some(17), Some(20), None, None]),
            (
                r#"{"input_tokens": 17, "output_tokens": 20, "cache_read_input_tokens": 4}"#,
                [Some(17), Some(20), Some(4), None],
            ),
            (r#"{"total": 37, "input": "many"}"#, [None; 4]),
        ] {
            assert_eq!(usage(text), expected, "{text}");
        }
    }
}
