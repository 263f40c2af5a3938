//! The uploaded sessions that a query selects.

use std::borrow::Cow;
use std::collections::BTreeSet;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

/// The most sessions of one query.
const MOST: usize = 1000;

/// The ids of sessions: one, or several with commas between them. A session that is named twice counts once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SessionIds(pub(super) Vec<i64>);

impl<'de> Deserialize<'de> for SessionIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let ids = text.split(',').map(|id| id.trim().parse::<i64>()).collect::<Result<Vec<_>, _>>();
        let ids = ids.map_err(|_| D::Error::custom("expected ids of sessions, such as 3 or 3,4,7"))?;
        if ids.len() > MOST {
            return Err(D::Error::custom(format!("{} sessions: at most {MOST} are judged together", ids.len())));
        }
        let mut seen = BTreeSet::new();
        Ok(Self(ids.into_iter().filter(|&id| seen.insert(id)).collect()))
    }
}

impl JsonSchema for SessionIds {
    fn schema_name() -> Cow<'static, str> {
        "SessionIds".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": r"^\d{1,18}(,\d{1,18})*$"})
    }
}
