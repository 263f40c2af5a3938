//! The id that a client gives a record, so that it can send the record again.

use llmscope_core::RequestRecord;
use llmscope_core::ingest::identity;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::identity::Identity;

/// The longest `uid`, in bytes.
const LONGEST: usize = 128;

/// A text that only one record has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uid(String);

impl Uid {
    /// The identity of the record with this id. An id of a few digits only counts: with another time or other values, it
    /// is that of another record.
    pub(super) fn identity(&self, record: &RequestRecord) -> Identity {
        Identity::Uid(identity::of_id(&self.0, record))
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.trim().is_empty() || text.len() > LONGEST {
            let length = text.len();
            return Err(D::Error::custom(format!("invalid uid of {length} bytes: expected 1 to {LONGEST}, not blank")));
        }
        Ok(Self(text))
    }
}

impl JsonSchema for Uid {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Uid".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1, "maxLength": LONGEST})
    }
}
