//! Checks the fields of a document and their types.

use jiff::Timestamp;
use serde_json::Value;

/// Checks that a document has exactly the fields of `expected`, each of the given type: `text`, `integer`, `number`,
/// `bool`, `time`, `any`; a `?` allows null. A list has at least one element, all of the same shape; the field `*`
/// stands for any names.
#[track_caller]
pub(crate) fn assert_shape(document: &Value, expected: &Value) {
    if let Err(message) = compare(document, expected, "$") {
        panic!("{message}\n{document:#}");
    }
}

fn compare(document: &Value, expected: &Value, place: &str) -> Result<(), String> {
    match (expected, document) {
        (Value::String(kind), _) if is_a(document, kind) => Ok(()),
        (Value::Array(of), Value::Array(all)) if !all.is_empty() => {
            all.iter().enumerate().try_for_each(|(i, one)| compare(one, &of[0], &format!("{place}[{i}]")))
        }
        (Value::Object(expected), Value::Object(found)) => {
            if let Some(any) = expected.get("*") {
                let named = |(name, one): (&String, &Value)| compare(one, any, &format!("{place}.{name}"));
                return if found.is_empty() {
                    Err(format!("{place} is empty"))
                } else {
                    found.iter().try_for_each(named)
                };
            }
            let (mut names, mut required): (Vec<_>, Vec<_>) = (found.keys().collect(), expected.keys().collect());
            names.sort();
            required.sort();
            if names != required {
                return Err(format!("{place} has {names:?}, expected {required:?}"));
            }
            expected.iter().try_for_each(|(name, kind)| compare(&found[name], kind, &format!("{place}.{name}")))
        }
        _ => Err(format!("{place} is {document}, expected {expected}")),
    }
}

fn is_a(value: &Value, kind: &str) -> bool {
    match kind.strip_suffix('?') {
        Some(kind) => value.is_null() || is_a(value, kind),
        None => match kind {
            "text" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            "bool" => value.is_boolean(),
            "time" => value.as_str().is_some_and(|text| text.parse::<Timestamp>().is_ok()),
            "object" => value.is_object(),
            "list" => value.is_array(),
            "any" => true,
            other => panic!("unknown type: {other}"),
        },
    }
}

/// The numeric values of a field in every element.
#[track_caller]
pub(crate) fn numbers(list: &Value, field: &str) -> Vec<f64> {
    let number = |one: &Value| one[field].as_f64().unwrap_or_else(|| panic!("{field} of {one}"));
    list.as_array().unwrap().iter().map(number).collect()
}

/// The text values of a field in every element.
#[track_caller]
pub(crate) fn texts<'v>(list: &'v Value, field: &str) -> Vec<&'v str> {
    let text = |one: &'v Value| one[field].as_str().unwrap_or_else(|| panic!("{field} of {one}"));
    list.as_array().unwrap().iter().map(text).collect()
}
