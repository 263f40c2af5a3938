//! Reads fields of JSON objects, with errors that contain the field.

use llmscope_core::error::{Location, Result, excerpt};
use serde_json::{Map, Value};

use super::source::refuse;

/// Maximum number of input or output tokens: more than any context window.
pub(super) const MOST_TOKENS: u32 = 10_000_000;

/// A nested location: `x.json: [3]` and `messages` give `x.json: [3].messages`.
pub(super) fn within(location: &Location, field: &str) -> Location {
    let field = match &location.field {
        Some(outer) if field.starts_with('[') => format!("{outer}{field}"),
        Some(outer) => format!("{outer}.{field}"),
        None => field.to_owned(),
    };
    location.clone().field(&field)
}

/// The first of the names that the object has; `null` counts as absent.
pub(super) fn first<'v>(object: &'v Map<String, Value>, names: &[&'static str]) -> Option<(&'static str, &'v Value)> {
    names.iter().find_map(|&name| Some((name, object.get(name).filter(|value| !value.is_null())?)))
}

/// A text, or a list of parts as in OpenAI's format: `[{"type": "text", "text": "…"}]`.
pub(super) fn text(value: &Value, location: &Location) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(parts) => {
            let text = |(index, part)| part_text(part, &within(location, &format!("[{index}]")));
            parts.iter().enumerate().map(text).collect()
        }
        other => refuse(
            location.clone(),
            format!("expected a text, found {}", excerpt(&other.to_string())),
            "put the text between quotes",
        ),
    }
}

fn part_text(part: &Value, location: &Location) -> Result<String> {
    match (part, part.get("text")) {
        (Value::String(text), _) | (_, Some(Value::String(text))) => Ok(text.clone()),
        // A prompt without its image is a different prompt, and would give a different measurement.
        _ => refuse(
            location.clone(),
            format!("expected a part with a text, found {}", excerpt(&part.to_string())),
            "remove the parts that are not text",
        ),
    }
}

/// A text, a number or a Boolean, to group by.
pub(super) fn label(value: &Value, location: &Location) -> Result<String> {
    match value {
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        other => text(other, location),
    }
}

/// A number of tokens, at least 1.
pub(super) fn tokens(value: &Value, location: &Location) -> Result<u32> {
    match tokens_or_none(value, location)? {
        0 => refuse(
            location.clone(),
            "expected at least 1 token, found 0",
            "remove the field, or give a number of at least 1",
        ),
        count => Ok(count),
    }
}

/// A number of tokens, which can be 0 for a failed request. Tables written by pandas have `128.0`.
pub(super) fn tokens_or_none(value: &Value, location: &Location) -> Result<u32> {
    match number(value) {
        #[allow(clippy::cast_sign_loss, reason = "the guard refuses what is negative")]
        Some(count) if count.fract() == 0.0 && (0.0..=f64::from(MOST_TOKENS)).contains(&count) => Ok(count as u32),
        _ => refuse(
            location.clone(),
            format!("expected a whole number of tokens, found {}", excerpt(&value.to_string())),
            format!("give a number from 1 to {MOST_TOKENS}"),
        ),
    }
}

/// A time after the start, in the unit of the trace.
pub(super) fn time(value: &Value, location: &Location) -> Result<f64> {
    /// Three thousand years in seconds: a later time is a mistake, and no timer could wait for it.
    const LATEST: f64 = 1e11;
    number(value).filter(|time| (0.0..=LATEST).contains(time)).map_or_else(
        || {
            let found = excerpt(&value.to_string());
            refuse(
                location.clone(),
                format!("expected a time after the start, found {found}"),
                "give a finite number that is not negative",
            )
        },
        Ok,
    )
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
