//! The values of OTLP JSON.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value as Json};

/// A 64-bit integer, which OTLP JSON writes as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Integer(pub(super) i128);

/// A double, which JSON cannot always write as a number. A non-finite value is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Double(pub(super) Option<f64>);

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Integer;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a 64-bit integer, as a number or as text")
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Integer, E> {
                Ok(Integer(number.into()))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Integer, E> {
                Ok(Integer(number.into()))
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Integer, E> {
                let of_64_bits = i128::from(i64::MIN)..=i128::from(u64::MAX);
                let number = text.parse().ok().filter(|number| of_64_bits.contains(number));
                number.map(Integer).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Json::deserialize(deserializer)?;
        let number = match &value {
            Json::Number(number) => number.as_f64(),
            Json::String(text) => text.parse().ok(),
            _ => None,
        };
        match number {
            Some(number) => Ok(Self(number.is_finite().then_some(number))),
            None => Err(D::Error::custom(format!("invalid type: {value}, expected a number"))),
        }
    }
}

/// The value of an attribute, as far as the readers use it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Text(String),
    Integer(i128),
    Number(f64),
    Flag(bool),
    Texts(Vec<String>),
}

impl Value {
    fn json(self) -> Json {
        match self {
            Self::Text(text) => Json::String(text),
            Self::Integer(number) => i64::try_from(number).map_or(Json::Null, Json::from),
            Self::Number(number) => Json::from(number),
            Self::Flag(flag) => Json::Bool(flag),
            Self::Texts(texts) => Json::from(texts),
        }
    }

    /// The value as text to group by.
    fn label(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Integer(number) => number.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Texts(texts) => texts.join(","),
        }
    }
}

/// The attributes of a resource, a span or a data point, by name.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// Adds further attributes; those of the same name are replaced.
    pub(super) fn extend(&mut self, further: Self) {
        self.0.extend(further.0);
    }

    /// True if the predicate holds for a name.
    pub(super) fn any(&self, is_one: impl Fn(&str) -> bool) -> bool {
        self.0.keys().any(|name| is_one(name))
    }

    /// All attributes with a plain value, as text.
    pub(super) fn labels(&self) -> impl Iterator<Item = (&str, String)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.label()))
    }

    /// The value of the first of these names that is present, as text; `None` if it is empty.
    pub(super) fn label(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.0.get(*name)).map(Value::label).filter(|text| !text.is_empty())
    }

    /// The first non-empty text among these names.
    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| match self.0.get(*name) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text.as_str()),
            _ => None,
        })
    }

    /// The value of the first of these names that is present, as text. A tracer may write its own attributes as JSON, so
    /// that a text has quotation marks.
    pub(super) fn unquoted(&self, names: &[&str]) -> Option<String> {
        self.label(names).map(|text| text.trim_matches('"').to_owned()).filter(|text| !text.is_empty())
    }

    /// The fields of an attribute that is an object, as OTLP's list of pairs or as JSON text.
    pub(super) fn object(&self, name: &str) -> Option<Map<String, Json>> {
        serde_json::from_str(self.text(&[name])?).ok()
    }

    /// The first count among these names.
    pub(super) fn count(&self, names: &[&str]) -> Option<u64> {
        names.iter().find_map(|name| match self.0.get(*name) {
            Some(Value::Integer(number)) => u64::try_from(*number).ok(),
            _ => None,
        })
    }

    /// A number, integral or not.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        match self.0.get(name)? {
            Value::Number(number) => Some(*number),
            // Values beyond 2⁵³ are rounded, as a JSON number of that size would be.
            #[allow(clippy::cast_precision_loss, reason = "a duration of whole seconds is far below 2^53")]
            Value::Integer(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// A boolean.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.0.get(name)? {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }
}

/// One attribute of OTLP JSON.
#[derive(Deserialize)]
struct KeyValue {
    #[serde(default)]
    key: String,
    value: Option<AnyValue>,
}

/// OTLP's union: one of these fields is present. Bytes are not used, and a list of pairs becomes JSON text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyValue {
    string_value: Option<String>,
    int_value: Option<Integer>,
    double_value: Option<Double>,
    bool_value: Option<bool>,
    array_value: Option<ArrayValue>,
    kvlist_value: Option<Pairs>,
}

#[derive(Deserialize)]
struct Pairs {
    #[serde(default)]
    values: Vec<KeyValue>,
}

#[derive(Deserialize)]
struct ArrayValue {
    #[serde(default)]
    values: Vec<AnyValue>,
}

impl AnyValue {
    fn plain(self) -> Option<Value> {
        let number = self.double_value.and_then(|Double(number)| number);
        let texts = |array: ArrayValue| Value::Texts(array.values.into_iter().filter_map(|v| v.string_value).collect());
        self.string_value
            .map(Value::Text)
            .or(self.int_value.map(|Integer(number)| Value::Integer(number)))
            .or(number.map(Value::Number))
            .or(self.bool_value.map(Value::Flag))
            .or(self.array_value.map(texts))
            .or(self.kvlist_value.map(|pairs| Value::Text(pairs.json().to_string())))
    }
}

impl Pairs {
    fn json(self) -> Json {
        let pair = |pair: KeyValue| Some((pair.key, pair.value?.plain()?.json()));
        Json::Object(self.values.into_iter().filter_map(pair).collect())
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let pairs = Option::<Vec<KeyValue>>::deserialize(deserializer)?.unwrap_or_default();
        Ok(Self(pairs.into_iter().filter_map(|pair| Some((pair.key, pair.value?.plain()?))).collect()))
    }
}

/// Attributes as a JSON object, as Python prints them.
pub(super) fn of_object<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
    let object = Option::<BTreeMap<String, Json>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(Attributes(object.into_iter().filter_map(|(name, value)| Some((name, of_json(&value)?))).collect()))
}

fn of_json(value: &Json) -> Option<Value> {
    Some(match value {
        Json::String(text) => Value::Text(text.clone()),
        Json::Bool(flag) => Value::Flag(*flag),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::Integer(integer.into()),
            None => Value::Number(number.as_f64().filter(|number| number.is_finite())?),
        },
        Json::Array(values) => Value::Texts(values.iter().filter_map(Json::as_str).map(str::to_owned).collect()),
        Json::Object(_) => Value::Text(value.to_string()),
        _ => return None,
    })
}
