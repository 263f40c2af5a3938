//! Numbers and booleans as clients of the previous service send them: it accepted `"0.5"` as a number and 1 as true.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::super::v1::LARGEST;

/// A number of 0 or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Amount(pub(super) f64);

/// A whole number of 0 or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) u64);

/// A boolean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Truth(pub(super) bool);

const NEGATIVE: &str = "Input should be greater than or equal to 0";
/// 2^53: beyond it, a 64-bit float cannot represent every whole number.
const LARGEST_COUNT: f64 = 9_007_199_254_740_992.0;

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
    .filter(|number: &f64| number.is_finite())
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match number(&value) {
            Some(number) if number < 0.0 => Err(D::Error::custom(NEGATIVE)),
            Some(number) if number > LARGEST => {
                Err(D::Error::custom(format!("Input should be less than or equal to {LARGEST:e}")))
            }
            Some(number) => Ok(Self(number)),
            None => Err(D::Error::custom("Input should be a valid number")),
        }
    }
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        match number(&value) {
            Some(number) if number < 0.0 => Err(D::Error::custom(NEGATIVE)),
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and within 0..=2^53")]
            Some(number) if number.fract() == 0.0 && number <= LARGEST_COUNT => Ok(Self(number as u64)),
            _ => Err(D::Error::custom("Input should be a valid integer")),
        }
    }
}

impl<'de> Deserialize<'de> for Truth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let word = match &value {
            Value::Bool(truth) => return Ok(Self(*truth)),
            Value::Number(number) => number.to_string(),
            Value::String(text) => text.trim().to_ascii_lowercase(),
            _ => String::new(),
        };
        match word.as_str() {
            "1" | "true" | "yes" | "on" => Ok(Self(true)),
            "0" | "false" | "no" | "off" => Ok(Self(false)),
            _ => Err(D::Error::custom("Input should be a valid boolean")),
        }
    }
}

macro_rules! inline_schema {
    ($($type:ty => $schema:tt;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )*};
}
inline_schema! {
    Amount => {"type": "number", "minimum": 0};
    Count => {"type": "integer", "minimum": 0};
    Truth => {"type": "boolean"};
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn values_that_the_previous_service_accepted_are_accepted() {
        assert_eq!(read::<Amount>("0.5").unwrap(), read::<Amount>("\"0.5\"").unwrap());
        assert_eq!(read::<Amount>("0").unwrap(), Amount(0.0));
        assert_eq!(read::<Count>("12.0").unwrap(), Count(12));
        assert_eq!(read::<Count>("\"12\"").unwrap(), Count(12));
        for (text, truth) in [("true", true), ("1", true), ("\"yes\"", true), ("0", false), ("\"False\"", false)] {
            assert_eq!(read::<Truth>(text).unwrap(), Truth(truth), "{text}");
        }
    }

    #[test]
    fn other_values_are_refused() {
        for text in ["-1", "\"-0.5\""] {
            assert!(read::<Amount>(text).unwrap_err().contains("greater than or equal to 0"), "{text}");
        }
        for text in ["\"NaN\"", "\"inf\"", "\"\"", "\"fast\"", "null", "[]", "true"] {
            assert!(read::<Amount>(text).unwrap_err().contains("valid number"), "{text}");
        }
        for text in ["1.5", "1e300", "\"many\""] {
            assert!(read::<Count>(text).unwrap_err().contains("valid integer"), "{text}");
        }
        for text in ["2", "\"maybe\"", "null", "{}"] {
            assert!(read::<Truth>(text).unwrap_err().contains("valid boolean"), "{text}");
        }
    }
}
