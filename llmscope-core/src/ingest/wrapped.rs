//! A table inside an object, as interfaces return pages: `{"data": [{…}, {…}], "meta": {…}}`.

use serde_json::{Map, Value};

/// Deeper arrays are details of what is above them.
const DEEPEST: usize = 3;

/// The one array of objects in an object, with its path: the objects hold a number each, and no other array does.
pub(super) fn rows(object: &Value) -> Option<(String, &Vec<Value>)> {
    let mut found = Vec::new();
    collect(object.as_object()?, "", DEEPEST, &mut found);
    match found.len() {
        1 => found.pop(),
        _ => None,
    }
}

fn collect<'v>(object: &'v Map<String, Value>, path: &str, depth: usize, found: &mut Vec<(String, &'v Vec<Value>)>) {
    for (name, value) in object {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        match value {
            Value::Object(inner) if depth > 1 => collect(inner, &path, depth - 1, found),
            Value::Array(rows) if !rows.is_empty() && rows.iter().all(has_number) => found.push((path, rows)),
            _ => {}
        }
    }
}

fn has_number(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.values().any(|value| match value {
            Value::Number(_) => true,
            Value::String(text) => text.parse::<f64>().is_ok(),
            nested => has_number(nested),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn the_one_array_of_objects_with_numbers_is_the_table() {
        for (text, path) in [
            (r#"{"data": [{"latency": 1}], "meta": {"page": 1}}"#, Some("data")),
            (r#"{"hits": {"total": 2, "hits": [{"_source": {"latency": 1}}]}}"#, Some("hits.hits")),
            (r#"{"latency": 1, "messages": [{"role": "user"}]}"#, None),
            (r#"{"a": [{"x": 1}], "b": [{"x": 2}]}"#, None),
            (r#"{"a": [1, 2], "b": []}"#, None),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(rows(&value).map(|(path, _)| path).as_deref(), path, "{text}");
        }
    }
}
