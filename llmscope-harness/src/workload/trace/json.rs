//! Traces in JSON Lines: llmscope's own format, and Mooncake's.

use llmscope_core::error::{Location, Result, excerpt};
use serde_json::{Map, Value};

use super::{EXPECTED, Extras, Request, Row, TimeOrigin, Trace};
use crate::workload::fields::{first, label, time, tokens, tokens_or_none, within};
use crate::workload::source::{Source, refuse};
use crate::workload::{json, prompts};

/// Reads either format, which is detected for each line.
pub(super) fn read(source: &Source) -> Result<Trace> {
    let mut trace = Trace::default();
    json::each(source, |value, location| {
        let Value::Object(fields) = value else {
            return refuse(
                location.clone(),
                format!("expected a request, found {}", excerpt(&value.to_string())),
                EXPECTED,
            );
        };
        if let Some((name, at_s)) = first(fields, &["at_s"]) {
            return add_own(&mut trace, time(at_s, &within(location, name))?, value, fields, location);
        }
        if let Some((name, timestamp)) = first(fields, &["timestamp"]) {
            return add_mooncake(&mut trace, time(timestamp, &within(location, name))? / 1000.0, fields, location);
        }
        let names: Vec<&str> = fields.keys().map(String::as_str).collect();
        refuse(location.clone(), format!("no time field among {}", excerpt(&names.join(", "))), EXPECTED)
    })?;
    Ok(trace)
}

fn add_own(
    trace: &mut Trace,
    at_s: f64,
    value: &Value,
    fields: &Map<String, Value>,
    location: &Location,
) -> Result<()> {
    let request = match first(fields, &["input_tokens"]) {
        Some((name, size)) => sized(tokens(size, &within(location, name))?, fields, location)?,
        None => match prompts::conversation(value, location)? {
            Some(conversation) => Request::Chat(conversation),
            None => return refuse(location.clone(), "the prompt has no text", "give a prompt, or input_tokens"),
        },
    };
    trace.rows.push(Row { at_s, request });
    Ok(())
}

fn sized(input_tokens: u32, fields: &Map<String, Value>, location: &Location) -> Result<Request> {
    let output_tokens = first(fields, &["output_tokens"]);
    let output_tokens = output_tokens.map(|(name, size)| tokens(size, &within(location, name))).transpose()?;
    let label = first(fields, &["label"]).map(|(name, text)| label(text, &within(location, name))).transpose()?;
    Ok(Request::Sized { input_tokens, output_tokens, blocks: Vec::new(), label })
}

fn add_mooncake(trace: &mut Trace, at_s: f64, fields: &Map<String, Value>, location: &Location) -> Result<()> {
    let size = |name: &'static str| match fields.get(name) {
        Some(value) => tokens_or_none(value, &within(location, name)),
        None => refuse(within(location, name), "the field is missing", EXPECTED),
    };
    let sizes = [size("input_length")?, size("output_length")?];
    let blocks = match first(fields, &["hash_ids"]) {
        Some((name, ids)) => blocks(ids, &within(location, name))?,
        None => Vec::new(),
    };
    trace.origin = TimeOrigin::FirstRequest;
    trace.add_recorded(at_s, sizes, Extras { blocks, label: None }, location);
    Ok(())
}

fn blocks(ids: &Value, location: &Location) -> Result<Vec<u64>> {
    let ids = ids.as_array().and_then(|ids| ids.iter().map(Value::as_u64).collect::<Option<_>>());
    ids.map_or_else(
        || refuse(location.clone(), "expected a list of whole numbers", "remove the field if no blocks are shared"),
        Ok,
    )
}
